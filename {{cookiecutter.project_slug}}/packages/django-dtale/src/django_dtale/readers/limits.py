"""Limits of the size of a table, which need only its dimensions and column names."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from ..conf import dtale_settings
from ..exceptions import LimitExceeded
from ..formats import format_number

EXPANSION = 10  # The size limit of an extracted file, in multiples of MAX_UPLOAD_MB.
MAX_NAMES = 1_000_000  # Characters. Pages contain all column names of a frame.


def check_cells(rows: int, columns: int) -> None:
    """Check the number of cells and columns of a frame.

    Raises:
        LimitExceeded: it is over MAX_CELLS or MAX_COLUMNS.
    """
    check_columns(columns)
    cells, limit = rows * columns, dtale_settings.MAX_CELLS
    if cells > limit:
        raise LimitExceeded(
            _(
                "This table has %(rows)s rows x %(columns)s columns = %(cells)s "
                "cells, %(more)s more than the limit of %(limit)s. Open fewer rows or "
                "columns."
            )
            % {
                "rows": format_number(rows),
                "columns": format_number(columns),
                "cells": format_number(cells),
                "more": format_number(cells - limit),
                "limit": format_number(limit),
            }
        )


def check_columns(columns: int) -> None:
    """Check the number of columns of a frame.

    Raises:
        LimitExceeded: it is over MAX_COLUMNS.
    """
    limit = dtale_settings.MAX_COLUMNS
    if columns > limit:
        raise LimitExceeded(
            _(
                "This table has %(columns)s columns; the limit is %(limit)s. Open "
                "fewer columns, or turn them into rows first."
            )
            % {"columns": format_number(columns), "limit": format_number(limit)}
        )


def check_name_lengths(names: Iterable[str]) -> None:
    """Check the total length of column names.

    Raises:
        LimitExceeded: it is over MAX_NAMES.
    """
    size = sum(map(len, names))
    if size > MAX_NAMES:
        raise LimitExceeded(
            _(
                "The column names have %(size)s characters in total; the limit is "
                "%(limit)s. Shorten them."
            )
            % {"size": format_number(size), "limit": format_number(MAX_NAMES)}
        )
