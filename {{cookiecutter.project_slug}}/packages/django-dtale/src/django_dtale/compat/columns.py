"""Make column names usable in D-Tale, which needs unique strings that are not empty."""

from collections.abc import Iterable
from itertools import count

import pandas as pd
from django.utils.translation import gettext as _

from ..exceptions import InputRefused

# D-Tale adds these keys to the rows that it sends. Columns with these names would
# overwrite them.
RESERVED = {"dtale_index", "__filtered"}


def deduplicate_names(frame: pd.DataFrame) -> tuple[list[str], list[str], list[str]]:
    """Return usable names for the columns and the index of a frame.

    Returns:
        The names of the columns, the names of the columns that replace the index (none
        if the index only numbers the rows), and a sentence for each name that was
        changed.
    """
    conversions = []
    given = frame.columns.tolist()  # Iterating over Arrow strings is slow.
    wanted = [_name(name, at) for at, name in enumerate(given)]
    levels = frame.index.names
    index = [
        (f"level_{at}" if len(levels) > 1 else "index")
        if name is None
        else _name(name, at)
        for at, name in enumerate(levels)
    ]
    if frame.index.equals(pd.RangeIndex(len(frame))) and levels == [None]:
        if wanted:
            index = []
        else:
            conversions.append(
                _("The table has no columns. Its row numbers are shown instead.")
            )
    names = _unique(wanted + index)
    for original, name in zip([*given, *levels], names, strict=False):
        if (
            original is not None
            and not isinstance(original, tuple)
            and name != str(original).strip()
        ):
            conversions.append(
                _(
                    "The column %(original)s was renamed to %(name)s, because "
                    "D-Tale needs column names that are unique, not empty, not "
                    "reserved, and without backticks (`)."
                )
                % {"original": repr(str(original)), "name": name}
            )
    if frame.columns.nlevels > 1:
        conversions.append(_("Column names with several levels were joined with _."))
    return names[: len(wanted)], names[len(wanted) :], conversions


def names_of_levels(index: Iterable[str]) -> list[str | None]:
    """Return the original names of an index from the names of its columns.

    The columns of levels without names have names from ``deduplicate_names``.
    """
    return [
        None if name in ("index", f"level_{at}") else name
        for at, name in enumerate(index)
    ]


def check_names(names: Iterable) -> None:
    """Check that D-Tale and its filters can use these column names.

    A backtick in a name would end the name in a filter. The rest of the name would
    become a second condition, so that the filter would find the wrong rows.

    Raises:
        InputRefused: a name cannot be used.
    """
    if are_usable(names):
        return
    names = list(names)
    first = next(
        name
        for at, name in enumerate(names)
        if not are_usable([name]) or name in names[:at]
    )
    raise InputRefused(
        _(
            "A column cannot be named %(name)s. Column names must be unique and not "
            "empty, must not contain a backtick (`), and must not be reserved by "
            "D-Tale (%(reserved)s)."
        )
        % {"name": repr(first), "reserved": ", ".join(sorted(RESERVED))}
    )


def are_usable(names: Iterable) -> bool:
    """Return whether ``check_names`` accepts these names."""
    # For Arrow strings, list() takes ten times as long as tolist().
    names = names.tolist() if isinstance(names, pd.Index) else list(names)
    try:
        return (
            all(map(str.strip, names))
            and "`" not in "".join(names)
            and RESERVED.isdisjoint(names)
            and len(set(names)) == len(names)
        )
    except TypeError:  # A name is not text.
        return False


def sanitize_names(names: Iterable) -> list[str]:
    """Return usable names for columns whose names were never checked.

    A missing name (None in D-Tale, NaN in pandas) becomes the text "None".
    """
    texts = [name if isinstance(name, str) else "None" for name in names]
    return _unique([text.replace("`", "'").strip() or "column" for text in texts])


def _name(name: object, at: int) -> str:
    if isinstance(name, tuple):
        name = "_".join(filter(None, (str(part).strip() for part in name)))
    name = str(name).encode("utf-8", "replace").decode().replace("`", "'").strip()
    return name or f"column_{at + 1}"


def _unique(names: list[str]) -> list[str]:
    taken, unique = set(names) | RESERVED, []
    used = set(RESERVED)
    for name in names:
        if name in used:
            numbered = (f"{name}_{number}" for number in count(2))
            name = next(each for each in numbered if each not in taken)
        taken.add(name)
        used.add(name)
        unique.append(name)
    return unique
