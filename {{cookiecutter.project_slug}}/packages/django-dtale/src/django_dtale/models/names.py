"""Rules for the names of frames.

Names may contain any visible characters. D-Tale gets ``plain_name`` instead, because its
charts page writes names into HTML without escaping them.
"""

import itertools
import re
import unicodedata
from collections.abc import Container

NAME_LENGTH = 100
MAX_LENGTH = NAME_LENGTH - 10  # `unique_name` may add a number.
ELLIPSIS = "…"
JOINERS = "\u200c\u200d"  # These are invisible, but they are parts of words and emoji.

# Characters that have a meaning in HTML, and characters that look similar.
SIMILAR = str.maketrans(
    {
        "&": "\N{FULLWIDTH AMPERSAND}",
        "<": "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}",
        ">": "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}",
        '"': "\N{RIGHT DOUBLE QUOTATION MARK}",
        "'": "\N{RIGHT SINGLE QUOTATION MARK}",
        "`": "\N{RIGHT SINGLE QUOTATION MARK}",
    }
)
SAFE = r"\w .,;:()\[\]+@#%=~!?/" + ELLIPSIS + "".join(SIMILAR.values())
UNSAFE_IN_HTML = re.compile(f"[^{SAFE}-]")


def clean_name(name: str) -> str:
    """Return a name as one line without invisible characters, of limited length."""
    name = "".join(
        " " if c.isspace() else "" if _is_unseen(c) else c for c in str(name)
    )
    return shorten(" ".join(name.split()))


def shorten(name: str) -> str:
    """Return a name of at most MAX_LENGTH characters, cut at the end of a word."""
    if len(name) <= MAX_LENGTH:
        return name
    end = name.rfind(" ", MAX_LENGTH // 2, MAX_LENGTH)
    if end < 0:
        end = MAX_LENGTH - len(ELLIPSIS)
        while unicodedata.combining(name[end]):
            end -= 1
    return name[:end].rstrip() + ELLIPSIS


def plain_name(name: str) -> str:
    """Return a name that is safe in HTML: unsafe characters are replaced."""
    return UNSAFE_IN_HTML.sub("_", name.translate(SIMILAR))


def unique_name(name: str, taken: Container[str]) -> str:
    """Return the name, with the next free number if it is in ``taken``.

    An empty name is never taken.
    """
    if not name:
        return name
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)


def _is_unseen(character: str) -> bool:
    """Return whether a character is invisible, breaks a line, or reverses text."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in JOINERS
