"""The names of columns: text, and each there once."""

from itertools import count

import pandas as pd
from django.utils.translation import gettext as _

from .exceptions import InputRefused

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


def check_names(names):
    """Refuse names for a frame's columns that D-Tale, or a filter, would misread.

    A backtick would end the name in a filter, so that the rest of it is a condition of
    its own: the filter finds other rows.

    Args:
        names: ``pandas.Index`` or list.

    Raises:
        InputRefused
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
            "A column cannot be named %(name)s: a name is not empty, is there once, has "
            "no backtick (`) in it, and is none of D-Tale's own (%(reserved)s)."
        )
        % {"name": repr(first), "reserved": ", ".join(sorted(RESERVED))}
    )


def are_usable(names):
    """Return whether ``check_names`` accepts these names (``pandas.Index`` or any others)."""
    # list() would ask Arrow for each name in turn, ten times as long.
    names = names.tolist() if isinstance(names, pd.Index) else list(names)
    try:
        return (
            all(map(str.strip, names))
            and "`" not in "".join(names)
            and RESERVED.isdisjoint(names)
            and len(set(names)) == len(names)
        )
    except TypeError:  # One of them is no text.
        return False


def repaired(names):
    """Return names (list of str) in place of those that were given when none was refused.

    D-Tale took a missing name for None, and pandas has NaN in its place.
    """
    texts = [name if isinstance(name, str) else "None" for name in names]
    return _unique([text.replace("`", "'").strip() or "column" for text in texts])


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
