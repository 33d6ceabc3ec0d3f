"""Excel workbooks: the header, merged cells, types of cells, and several sheets."""

import datetime

import numpy as np
import openpyxl
import pandas as pd
import pytest

from django_dtale.compat.dtypes import make_displayable
from django_dtale.readers.detection import detect, read_certain
from django_dtale.readers.files import SourceError, read_file
from django_dtale.readers.options import ImportOptions

TABLE = [["name", "pay"], ["Ada", 1], ["Bob", 2.5]]


@pytest.fixture
def write(tmp_path):
    """Return a function that writes sheets of rows, and returns the path.

    A sheet is a list of rows, or a dict of ``rows``, ``merged`` ranges and a ``state``.
    """

    def write(**sheets):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for title, each in sheets.items():
            each = each if isinstance(each, dict) else {"rows": each}
            sheet = workbook.create_sheet(title)
            for row in each["rows"]:
                sheet.append(row)
            for cells in each.get("merged", ()):
                sheet.merge_cells(cells)
            sheet.sheet_state = each.get("state", "visible")
        path = tmp_path / "a.xlsx"
        workbook.save(path)
        return path

    return write


def lists(frame):
    return [list(frame.columns), *frame.astype(object).values.tolist()]


# The header ---------------------------------------------------------------------------

ABOVE = {
    "a title": ([["Report 2026"]], []),
    "a merged title": ([["Report 2026"]], ["A1:B1"]),
    "a title and an empty row": ([["Report 2026"], []], []),
    "empty rows": ([[], []], []),
}


@pytest.mark.parametrize("above", ABOVE)
def test_title_above_an_excel_table_is_no_header(write, above):
    rows, merged = ABOVE[above]
    path = write(s={"rows": [*rows, *TABLE], "merged": merged})
    assert detect(path, "a.xlsx").doubts == ()
    frame = read_certain(path)
    assert lists(frame) == TABLE
    notes = make_displayable(frame).conversions
    row = len(rows) + 1
    text = f"The rows above row {row}, which has the column names, were left out."
    assert notes == ([] if above == "empty rows" else [text])


def test_header_of_a_table_apart_from_the_margin_is_found(write):
    path = write(s=[[], ["", "", "Title"], [], *(["", "", *row] for row in TABLE)])
    assert lists(read_certain(path)) == TABLE


@pytest.mark.parametrize(
    "rows, merged, names",
    [
        (
            [["name", "2025", "", "2026", ""], ["", "Q1", "Q2", "Q1", "Q2"]],
            ["A1:A2", "B1:C1", "D1:E1"],
            ["name", "2025 Q1", "2025 Q2", "2026 Q1", "2026 Q2"],
        ),
        (
            [["name", 2025, "", 2026, ""], ["", "Q1", "Q2", "Q1", "Q2"]],
            ["B1:C1", "D1:E1"],
            ["name", "2025 Q1", "2025 Q2", "2026 Q1", "2026 Q2"],
        ),
    ],
)
def test_two_row_header_of_merged_cells_is_joined(write, rows, merged, names):
    path = write(s={"rows": [*rows, ["x", 1, 2, 3, 4]], "merged": merged})
    assert detect(path, "a.xlsx").doubts == ()
    assert lists(read_certain(path)) == [names, ["x", 1, 2, 3, 4]]


UNSURE = {
    "two rows without merged cells": (
        [["", "2025", "", "2026", ""], ["n", "Q1", "Q2", "Q1", "Q2"], [1] * 5],
        ((1, 2), (2,), (1,)),
    ),
    "two cells above": (
        [["by", "Ada"], ["a", "b", "c"], ["x", "y", 1]],
        ((1, 2), (1,), (2,)),
    ),
    "a pair far above": (
        [["by", "Ada"], [], ["a", "b", "c", "d"], ["x", "y", 1, 2]],
        ((3,), (1,)),
    ),
    "numbers in all rows": ([[1, 2.5], [3, 4]], ((), (1,))),
    "no names below a title": ([["Title"], [1, 2], [3, 4]], ((1,), (), (2,))),
}


@pytest.mark.parametrize("name", UNSURE)
def test_header_of_a_sheet_is_asked_if_it_is_unsure(write, name):
    rows, values = UNSURE[name]
    path = write(s=rows)
    [doubt] = detect(path, "a.xlsx").doubts
    assert (doubt.option, doubt.values) == ("header", values)
    with pytest.raises(SourceError, match="Which row contains the names"):
        read_certain(path)
    read_certain(path, ImportOptions(header=values[0]))


@pytest.mark.parametrize(
    "rows",
    [
        TABLE,
        [["name"], ["Ada"], ["Bob"]],
        [["country", 2025, 2026], ["DE", 1, 2]],
        [["", "pay"], ["Ada", 1]],
        [["a", "", "c"], [1, 2, 3], [4, 5, 6]],
        [["day", datetime.datetime(2026, 1, 1)], ["x", 5]],
        [["a", "b"], ["x", "y"], ["z", "w"]],
        [["a", "b"]],
    ],
)
def test_first_row_of_an_ordinary_sheet_is_its_header(write, rows):
    found = detect(write(s=rows), "a.xlsx")
    assert (found.options.header, found.doubts) == ((1,), ())


def test_header_option_of_a_sheet_is_used(write):
    path = write(s=[["x", "y"], ["a", "b"], [1, 2], [3, 4], ["sum", 6]])
    assert lists(read_file(path, ImportOptions(header=(2,)))) == [
        ["a", "b"],
        *([1, 2], [3, 4], ["sum", 6]),
    ]
    assert lists(read_file(path, ImportOptions(header=(1, 2))))[0] == ["x a", "y b"]
    cut = ImportOptions(header=(2,), skip_rows=1, skip_footer=1)
    assert lists(read_file(path, cut)) == [["a", "b"], [3, 4]]
    without = lists(read_file(path, ImportOptions(header=())))
    assert without[:2] == [["column_1", "column_2"], ["x", "y"]]
    assert len(without) == 6


# Cells --------------------------------------------------------------------------------


def test_types_of_excel_cells_are_kept(write):
    path = write(
        s=[
            ["text", "share", "flag", "day", "time", "mixed", "gap", "id"],
            ["007", 0.12, True, datetime.date(2026, 1, 2), None, 1, 1, 2**53],
            ["1", 1, False, datetime.datetime(2026, 1, 3, 4, 5), None, "x", None, 7],
        ]
    )
    sheet = openpyxl.load_workbook(path)
    sheet["s"]["B2"].number_format = sheet["s"]["B3"].number_format = "0%"
    sheet["s"]["E2"].value, sheet["s"]["E3"].value = "#DIV/0!", 5
    sheet.save(path)
    frame = read_certain(path)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "text": "str",
        "share": "float64",
        "flag": "bool",
        "day": "datetime64[us]",
        "time": "Int64",
        "mixed": "object",
        "gap": "Int64",
        "id": "int64",
    }
    assert frame["text"].tolist() == ["007", "1"]
    assert frame["share"].tolist() == [0.12, 1]
    assert frame["day"].tolist() == [
        pd.Timestamp("2026-01-02"),
        pd.Timestamp("2026-01-03 04:05"),
    ]
    # The value of a cell with an error is missing.
    assert frame["time"].isna().tolist() == [True, False]
    assert make_displayable(frame).conversions[0] == (
        "Column time: cells with errors, such as #DIV/0!, are missing values."
    )
    assert frame["mixed"].tolist() == [1, "x"]
    assert frame["id"].tolist() == [2**53, 7]


def test_merged_cells_are_filled_with_text_but_not_with_numbers(write):
    rows = [["region", "pay", "n"], ["North", 5, 1], ["", "", 2], ["South", 6, 3]]
    path = write(s={"rows": rows, "merged": ["A2:A3", "B2:B3"]})
    frame = read_certain(path)
    assert frame["region"].tolist() == ["North", "North", "South"]
    assert frame["pay"].fillna(0).tolist() == [5, 0, 6]
    assert make_displayable(frame).conversions == [
        "Column region: merged cells were filled with their text."
    ]


def test_empty_columns_are_left_out_but_named_ones_are_kept(write):
    path = write(s=[["a", "", "b", "c"], [1, "", "", 2], [3, "", "", 4]])
    frame = read_certain(path)
    assert list(frame.columns) == ["a", "b", "c"]
    assert frame["b"].isna().all()
    path = write(s=[["a", "b", ""], [1, 2, 3]])
    assert list(read_certain(path).columns) == ["a", "b", "column_3"]


# Sheets -------------------------------------------------------------------------------

HIDDEN = {"rows": [["h"], [1]], "state": "hidden"}


@pytest.mark.parametrize(
    "sheets, chosen",
    [
        ({"a": TABLE, "empty": []}, "a"),
        ({"empty": [], "a": TABLE}, "a"),
        ({"h": HIDDEN, "a": TABLE}, "a"),
        ({"h": {**HIDDEN, "state": "veryHidden"}, "a": TABLE}, "a"),
    ],
)
def test_empty_and_hidden_sheets_do_not_count(write, sheets, chosen):
    path = write(**sheets)
    found = detect(path, "a.xlsx")
    assert (found.options.sheet, found.doubts) == (chosen, ())
    assert lists(read_certain(path)) == lists(read_file(path)) == TABLE


def test_several_sheets_are_asked_and_hidden_ones_come_last(write):
    path = write(h=HIDDEN, a=TABLE, b=[["x"], [1]], empty=[])
    found = detect(path, "a.xlsx")
    [doubt] = found.doubts
    assert (doubt.option, doubt.values) == ("sheet", ("a", "b", "h"))
    assert found.sheets == ("a", "b", "h")
    with pytest.raises(SourceError, match="several sheets.*sheet='a', sheet='b'"):
        read_certain(path)
    assert lists(read_certain(path, ImportOptions(sheet="h"))) == [["h"], [1]]


def test_unknown_sheet_is_refused_with_the_names_of_the_others(write):
    path = write(a=TABLE, b=TABLE)
    with pytest.raises(SourceError, match="no sheet c. The sheets are a, b"):
        read_file(path, ImportOptions(sheet="c"))


def test_workbook_that_changed_is_read_again(write):
    path = write(s=TABLE)
    detect(path, "a.xlsx")
    write(s=[["other"], [np.pi]])
    assert lists(read_file(path)) == [["other"], [np.pi]]


def test_row_that_contains_only_errors_is_a_row(write):
    path = write(s=[["a", "b"], ["#DIV/0!", "#N/A"]])
    frame = read_file(path)
    assert len(frame) == 1 and frame.isna().all(axis=None)
    assert make_displayable(frame).conversions == [
        "Columns a, b: cells with errors, such as #DIV/0!, are missing values."
    ]


def test_errors_in_any_sheet_and_column_are_noted(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(["a", "b"])
    workbook.active.append([1, 2])
    sheet = workbook.create_sheet("R&D <1>")
    sheet.append([f"c{at}" for at in range(100)])
    for number in range(20_000):
        sheet.append([number] * 3)
    sheet.append([None] * 99 + ["#VALUE!"])
    path = tmp_path / "a.xlsx"
    workbook.save(path)
    frame = read_file(path, ImportOptions(sheet="R&D <1>"))
    assert make_displayable(frame).conversions == [
        "Column c99: cells with errors, such as #DIV/0!, are missing values."
    ]
    assert (
        make_displayable(read_file(path, ImportOptions(sheet="Sheet"))).conversions
        == []
    )
