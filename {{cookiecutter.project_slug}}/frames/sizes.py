"""How large a table may be, by its numbers alone."""

from django.conf import settings
from django.utils.translation import gettext as _

from .exceptions import LimitExceeded
from .formats import grouped

MAX_NAMES = 1_000_000  # Characters: pages have all of a frame's in them.


def check_cells(rows, columns):
    """Refuse a frame with more cells or columns than it may have.

    Raises:
        LimitExceeded
    """
    check_columns(columns)
    cells, limit = rows * columns, settings.FRAMES_MAX_CELLS
    if cells > limit:
        raise LimitExceeded(
            _(
                "This frame has %(rows)s rows x %(columns)s columns = %(cells)s cells, "
                "%(more)s more than the %(limit)s that a frame may have "
                "(FRAMES_MAX_CELLS). Open fewer rows or columns."
            )
            % {
                "rows": grouped(rows),
                "columns": grouped(columns),
                "cells": grouped(cells),
                "more": grouped(cells - limit),
                "limit": grouped(limit),
            }
        )


def check_columns(columns):
    """Refuse a frame with more columns (int) than FRAMES_MAX_COLUMNS.

    Raises:
        LimitExceeded
    """
    limit = settings.FRAMES_MAX_COLUMNS
    if columns > limit:
        raise LimitExceeded(
            _(
                "This frame has %(columns)s columns, and may have %(limit)s "
                "(FRAMES_MAX_COLUMNS). Open fewer columns, or turn them into rows first."
            )
            % {"columns": grouped(columns), "limit": grouped(limit)}
        )


def check_names(names):
    """Refuse names of columns (list of str) that are too long together.

    Raises:
        LimitExceeded
    """
    size = sum(map(len, names))
    if size > MAX_NAMES:
        raise LimitExceeded(
            _(
                "The names of the columns have %(size)s characters together, and may have "
                "%(limit)s. Shorten them."
            )
            % {"size": grouped(size), "limit": grouped(MAX_NAMES)}
        )
