"""Where packages are installed, and which releases of them, without importing any."""

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
    beside = location(package).parent.glob(f"{package}-*.dist-info")
    releases = [path.stem.removeprefix(f"{package}-") for path in beside]
    if len(releases) == 1:
        return releases[0]
    from importlib.metadata import version

    return version(package)
