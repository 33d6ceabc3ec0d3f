"""Substitutions in the files that D-Tale ships: counted, so that none is lost.

A release of D-Tale in which one of them does not match as often as it should stops the
start with a message.
"""

import re
from dataclasses import dataclass

from .installed import location, release

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

NAME = r"[\w$]+"  # What a minifier calls a variable: different in each build.


class DtaleChanged(RuntimeError):
    """The installed D-Tale is not what this module was written for.

    Args:
        missing: what was looked for, and what was found instead.
        where: the file or module of D-Tale that should have it.
    """

    def __init__(self, missing, where):
        super().__init__(
            f"D-Tale {release('dtale')} is installed, and this site knows {SUPPORTED}: "
            f"{missing} in {where}. Install it with: "
            f"pip install 'dtale=={SUPPORTED}'"
        )


@dataclass(frozen=True)
class Substitution:
    """A regular expression, what it becomes, and how often it is there, exactly."""

    file: str
    why: str
    pattern: str
    replacement: str
    count: int = 1


def substitute(text, substitutions):
    """Return the text with every substitution made.

    Raises:
        DtaleChanged: one of them did not match as often as it should.
    """
    for each in substitutions:
        text, count = re.subn(each.pattern, each.replacement, text)
        if count != each.count:
            raise DtaleChanged(
                f"{each.pattern} is there {count} times instead of {each.count} "
                f"({each.why})",
                each.file,
            )
    return text
