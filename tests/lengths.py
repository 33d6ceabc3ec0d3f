"""The short forms of long tests, and their long forms, which LONG=1 selects."""

import os

IS_LONG = bool(os.environ.get("LONG"))


def length(short, long):
    """Return what a test needs for its length, such as a number of requests or minutes."""
    return long if IS_LONG else short
