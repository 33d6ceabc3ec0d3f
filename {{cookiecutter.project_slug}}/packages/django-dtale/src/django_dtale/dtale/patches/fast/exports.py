"""Exports as CSV and Parquet, written by the library's own writers.

pandas formats each cell of a CSV file as a Python object, and D-Tale compresses Parquet
with gzip. With a million rows and ten columns, CSV takes 0.2 and Parquet 0.05 of the time.
"""

import functools
import io
from collections.abc import Callable

import pandas as pd

from ....compat.export import csv_file, parquet_file, tsv_file

PARQUET = "parquet.gzip"


def fast_csv(export_to_csv_buffer: Callable) -> Callable:
    """Return a buffer with the same text as D-Tale's, in UTF-8."""

    @functools.wraps(export_to_csv_buffer)
    def exported(data: pd.DataFrame, tsv: bool = False) -> io.BytesIO:
        with (tsv_file if tsv else csv_file)(data) as file:
            return io.BytesIO(file.read())

    return exported


def fast_parquet(export_to_parquet_buffer: Callable) -> Callable:
    """Return a buffer with Parquet that is compressed with Snappy.

    It also contains intervals and complex numbers, for which D-Tale's export fails.
    """

    @functools.wraps(export_to_parquet_buffer)
    def exported(data: pd.DataFrame) -> io.BytesIO:
        with parquet_file(data) as file:
            return io.BytesIO(file.read())

    return exported


def without_gzip(build_chart_filename: Callable) -> Callable:
    """Do not name a file after a compression that it does not have."""

    @functools.wraps(build_chart_filename)
    def built(chart_type: str, ext: str = "html") -> str:
        return build_chart_filename(chart_type, "parquet" if ext == PARQUET else ext)

    return built


PATCHES = [
    ("dtale.views:export_to_csv_buffer", fast_csv),
    ("dtale.dash_application.charts:export_to_csv_buffer", fast_csv),
    ("dtale.utils:export_to_parquet_buffer", fast_parquet),
    ("dtale.views:build_chart_filename", without_gzip),
]
