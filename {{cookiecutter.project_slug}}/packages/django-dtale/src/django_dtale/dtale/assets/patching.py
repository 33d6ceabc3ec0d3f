"""Substitutions in the files that D-Tale ships, and how often each has to match.

If a pattern matches more or less often than expected, the installed release of D-Tale
is refused with an error message.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def location(package: str) -> Path:
    """Return the directory of a package, without importing it."""
    spec: Any = find_spec(package)
    return Path(spec.origin).parent


SUPPORTED = "3.22.*"
PACKAGE = location("dtale")

MAIN = "static/dist/dtale_bundle.js"
NETWORK = "static/dist/network_bundle.js"
BASE_STYLES = "static/dist/base_styles_bundle.js"
POLYFILLS = "static/dist/polyfills_bundle.js"
EXPORT = "static/dist/export_bundle.js"
STYLES = "static/css/main.css"
CHARTS = "static/dash/custom_bundle.js"
BASE = "templates/dtale/base.html"
POPUP = "templates/dtale/popup.html"
CODE_POPUP = "templates/dtale/code_popup.html"
HTML_EXPORT = "templates/dtale/html_export.html"
NOT_FOUND = "templates/dtale/errors/404.html"

# A variable in a minified script. Its name differs between builds. The search would try
# each end of each name without the first part, which makes it several times as fast.
NAME = r"(?<![\w$])[\w$]+"


class DtaleChanged(RuntimeError):
    """The installed D-Tale is not a supported release.

    Args:
        missing: A description of what is missing or different.
        where: The file or module of D-Tale that it concerns.
    """

    def __init__(self, missing: str, where: str) -> None:
        super().__init__(
            f"D-Tale {version('dtale')} is installed, but this site supports only "
            f"{SUPPORTED}: {missing} in {where}. Install a supported release: "
            f"pip install 'dtale=={SUPPORTED}'"
        )


@dataclass(frozen=True)
class Substitution:
    """A regular expression, its replacement, and the exact number of its matches."""

    file: str
    why: str
    pattern: str
    replacement: str
    count: int = 1


def substitute(text: str, substitutions: Iterable[Substitution]) -> str:
    """Return the text with all substitutions applied.

    Raises:
        DtaleChanged: A pattern does not match as often as it should.
    """
    for each in substitutions:
        text, count = re.subn(each.pattern, each.replacement, text)
        if count != each.count:
            raise DtaleChanged(
                f"{each.pattern} occurs {count} times instead of {each.count} "
                f"({each.why})",
                each.file,
            )
    return text
