"""The names that a filter uses."""

import functools

from .compiler import Filter


@functools.lru_cache(100)
def names_in(text: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names of the columns in a filter, and those of the site's values.

    Raises:
        FilterRefused
    """
    compiled = Filter(text)
    return frozenset(compiled.columns), tuple(compiled.names)
