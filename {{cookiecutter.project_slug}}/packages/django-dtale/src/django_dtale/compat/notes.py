"""Keep notes on conversions in a frame's ``attrs``, which pandas passes on to copies."""

from collections.abc import Iterable

import pandas as pd
from django.utils.translation import gettext, ngettext

KEY = "django_dtale_notes"  # The key in ``DataFrame.attrs``.


def add_note(frame: pd.DataFrame, text: str) -> None:
    """Add a sentence to the notes of a frame."""
    frame.attrs[KEY] = [*notes_of(frame), text]


def notes_of(frame: pd.DataFrame) -> list[str]:
    """Return the notes of a frame."""
    return list(frame.attrs.get(KEY, ()))


def format_columns(columns: Iterable[object]) -> str:
    """Return the names of columns as the beginning of a sentence."""
    texts = list(map(str, columns))
    names, more = ", ".join(texts[:5]), len(texts) - 5
    if more > 0:
        text = gettext("Columns %(names)s and %(more)s more")
        return text % {"names": names, "more": more}
    text = ngettext("Column %(names)s", "Columns %(names)s", len(texts))
    return text % {"names": names}
