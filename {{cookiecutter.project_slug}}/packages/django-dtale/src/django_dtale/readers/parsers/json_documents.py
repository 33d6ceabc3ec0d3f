"""Read JSON files: records, a single record, columns, or a layout of pandas."""

import json
from typing import IO, Any

import pandas as pd
from django.utils.translation import gettext as _

from ..limits import check_columns
from .json_lines import read_json_lines
from .objects import frame_from_objects, infer_dates, width_of


def read_json(file: IO[bytes]) -> pd.DataFrame:
    """Read a list of records, an object of columns or of records, or a single record.

    This function also reads the layouts "split" and "table" of pandas, and JSON Lines
    in a file with the extension .json.
    """
    try:
        data = json.load(file)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
        file.seek(0)
        return read_json_lines(file)
    index = columns = None
    if isinstance(data, dict):
        if data.keys() == {"columns", "index", "data"}:
            index, columns, data = data["index"], data["columns"], data["data"]
        elif data.keys() == {"schema", "data"}:
            data = data["data"]
        elif not all(isinstance(each, (list, dict)) for each in data.values()):
            data = [data]  # This is a single record, whose values may be nested.
        elif _are_records(data):
            index, data = list(data), list(data.values())
        else:
            _check_lengths(data)
    elif not isinstance(data, list):
        raise ValueError(_("it contains neither a list nor an object"))
    check_columns(width_of(data))
    frame = pd.DataFrame(data, index, columns, dtype=object)
    if list(frame.index) == [str(number) for number in range(len(frame))]:
        frame = frame.reset_index(drop=True)  # Keys in JSON are always text.
    return frame_from_objects(frame, infer_dates)


def _are_records(data: dict[str, Any]) -> bool:
    """Return whether an object maps keys to records, not column names to values.

    pandas writes an object for each column, with the row labels as its keys. Most
    tables have more rows than columns, so records have fewer keys than there are
    records.
    """
    if not all(isinstance(each, dict) for each in data.values()):
        return False
    names: set[str] = set().union(*data.values())
    is_numbered = all(name.isdecimal() for name in names)
    return 0 < len(names) < len(data) and not is_numbered


def _check_lengths(data: dict[str, Any]) -> None:
    """Check that lists can be columns of one table.

    Raises:
        ValueError: they have different lengths.
    """
    lengths = {name: len(each) for name, each in data.items() if isinstance(each, list)}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} ({number})" for name, number in lengths.items())
        raise ValueError(
            _(
                "its lists have different lengths, so they are not the columns of one "
                "table: %(lists)s"
            )
            % {"lists": shown[:300]}
        )
