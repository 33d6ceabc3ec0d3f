"""Where packages are installed, and which releases of them, without importing any."""

import os
from fnmatch import filter as matching
from importlib.util import find_spec
from pathlib import Path


def location(package):
    """Return the directory (Path) of a package."""
    return Path(find_spec(package).origin).parent


def release(package):
    """Return the release (str) of a package whose distribution has its name.

    An installer writes it beside the package, into a directory's name. importlib.metadata
    reads what is in there: to import it, and that, is a twentieth of each `manage.py`
    command. It is asked where there is no such name.
    """
    beside = os.listdir(location(package).parent)
    found = matching(beside, f"{package}-*.dist-info")
    if len(found) == 1:
        return found[0].removeprefix(f"{package}-").removesuffix(".dist-info")
    from importlib.metadata import version

    return version(package)
