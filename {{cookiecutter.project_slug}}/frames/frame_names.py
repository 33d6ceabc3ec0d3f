"""What a frame may be called."""

import itertools
import re

NAME_LENGTH = 100
# D-Tale's charts page writes names into HTML as they are.
UNSAFE_IN_NAME = re.compile(r"[^\w .,;:()\[\]+@#%=~!?/-]")


def clean_name(name):
    """Return a name (str) for a frame: what HTML would take for its own becomes _."""
    name = UNSAFE_IN_NAME.sub("_", " ".join(str(name).split()))
    return name[: NAME_LENGTH - 10].strip()  # The rest is for a number.


def free_name(name, taken):
    """Return the name, or if it is in ``taken`` (set[str]) with the next free number.

    No name at all is never taken.
    """
    if not name:
        return name
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)
