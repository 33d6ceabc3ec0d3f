"""The names of columns: text, and each there once."""

from itertools import count

import pandas as pd
from django.utils.translation import gettext as _

# D-Tale's own names in the rows that it sends: a column of that name would hide them.
RESERVED = {"dtale_index", "__filtered"}


def unique_names(frame):
    """Return names that D-Tale can work with, for columns and index.

    Args:
        frame: ``pandas.DataFrame``.

    Returns:
        tuple: three lists of str: the names of the columns; those of the columns that
        the index becomes, none if it only counts the rows; and a note for each name
        that had to be another one.
    """
    conversions = []
    wanted = [_name(name, at) for at, name in enumerate(frame.columns)]
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
                _("The frame has no columns: its row numbers are shown instead.")
            )
    names = _unique(wanted + index)
    for original, name in zip([*frame.columns, *levels], names, strict=False):
        if original is not None and not isinstance(original, tuple):
            if name != str(original).strip():
                conversions.append(
                    _(
                        "The name %(original)s became %(name)s: D-Tale needs names that "
                        "are there once, not empty, without ` and not its own."
                    )
                    % {"original": repr(str(original)), "name": name}
                )
    if frame.columns.nlevels > 1:
        conversions.append(_("Names of columns on several levels were joined with _."))
    return names[: len(wanted)], names[len(wanted) :], conversions


def _name(name, at):
    if isinstance(name, tuple):
        name = "_".join(filter(None, (str(part).strip() for part in name)))
    name = str(name).encode("utf-8", "replace").decode().replace("`", "'").strip()
    return name or f"column_{at + 1}"


def _unique(names):
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
