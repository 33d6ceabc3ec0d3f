"""Real files are opened with every cell right, and `make corpus` finds wrong cells."""

import dataclasses
import json
from importlib.metadata import version
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from corpus.check import check
from corpus.comparison import Comparison, compare
from corpus.files import DataFile, data_files
from corpus.independent import read
from corpus.opening import open_file
from corpus.report import Report

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples"
FILES = {
    f"{each.package}/{each.name}": each for each in data_files(SAMPLES, SAMPLES.parent)
}
# The options that the page asks for. All other samples open at once.
ASKED = {
    "csvkit/sheets.xlsx": ["sheet"],
    "csvkit/test_latin1.csv": ["encoding"],
}


@pytest.fixture
def checked(tmp_path):
    """Return a function that writes a file, opens it, and returns the comparison."""

    def checked(name, content, change=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        file = DataFile("test", name, path)
        if change is None:
            return check(file)[1]
        outcome = open_file(path, name)
        outcome.frame = change(outcome.frame)
        outcome.questions = []  # Continue as if the reader were certain.
        return compare(read(path, file.kind, outcome.options), outcome)

    return checked


@pytest.mark.parametrize("name", FILES)
def test_each_cell_of_a_sample_is_right(name):
    if "skip_empty" in name and version("python-calamine") < "0.7":
        pytest.skip("calamine counts the empty rows of this sheet differently")
    outcome, compared = check(FILES[name])
    assert outcome.refusal == ""
    assert isinstance(compared, Comparison), compared
    assert (compared.wrong, compared.examples) == (0, [])
    assert compared.cells > 0
    asked = [question.partition(":")[0] for question in outcome.questions]
    assert asked == ASKED.get(name, [])


def test_samples_have_all_kinds():
    kinds = {"CSV", "TSV", "Excel", "Parquet", "Feather", "JSON", "JSON Lines"}
    assert {file.kind for file in FILES.values()} == kinds


# The comparison -----------------------------------------------------------------------

TEXT = "id,n,x,day,word\n1,10,0.1,2026-01-31,a\n2,,1e3,2026-02-28,NA\n3,30,-5,,c\n"


def set_cell(row, name, value):
    """Return a function that changes a cell of a frame."""

    def change(frame):
        frame[name] = frame[name].astype(object)
        frame.loc[row, name] = value
        return frame

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_cell(0, "id", 2),
        set_cell(1, "n", 0),  # The value is missing.
        set_cell(2, "n", None),
        set_cell(0, "x", 0.1 + 2**-56),
        set_cell(1, "x", 1000.5),
        set_cell(0, "day", pd.Timestamp(2026, 1, 30)),
        set_cell(0, "day", pd.Timestamp(2026, 1, 31, tz="UTC")),
        set_cell(0, "day", "2026-01-31 "),
        set_cell(1, "word", None),  # In a column of text, NA is a word.
        set_cell(0, "word", "A"),
        lambda frame: frame.rename(columns={"n": "m"}),
    ],
)
def test_a_wrong_cell_is_found(checked, change):
    assert checked("a.csv", TEXT).wrong == 0
    assert checked("a.csv", TEXT, change).wrong == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop(index=1),
        lambda frame: frame.assign(other=1),
    ],
)
def test_all_cells_are_wrong_in_a_frame_of_another_shape(checked, change):
    found = checked("a.csv", TEXT, change)
    assert found.wrong == found.cells == 15


@pytest.mark.parametrize(
    "text, value",
    [
        ("007", 7),  # 007 is an identifier.
        ("12345678901234567890", 12345678901234567890.0),
        ("1,234", 1.234),
        ("1_000", 1000),
        ("x", None),
    ],
)
def test_a_number_that_the_text_does_not_have_is_found(checked, text, value):
    found = checked("a.csv", f'a,b\n"{text}",1\n', set_cell(0, "a", value))
    assert (found.wrong, found.cells) == (1, 2)


def test_a_date_that_may_be_another_one_is_found(checked):
    dates = [pd.Timestamp(2026, 2, 1), pd.Timestamp(2026, 4, 3)]
    both = checked(
        "a.csv",
        "a,b\n1,01/02/2026\n2,03/04/2026\n",
        lambda frame: frame.assign(b=dates),
    )
    assert both.wrong == 2
    one = checked(
        "a.csv",
        "a,b\n1,01/02/2026\n2,31/03/2026\n",
        lambda frame: frame.assign(b=[dates[0], pd.Timestamp(2026, 3, 31)]),
    )
    assert one.wrong == 0


def test_wrong_values_of_other_formats_are_found(checked, tmp_path):
    records = [{"a": 2**60 + 1, "b": {"c": [1, 2.5]}}, {"a": 1, "b": None}]
    text = json.dumps(records)
    assert checked("a.json", text).wrong == 0
    assert checked("a.json", text, set_cell(0, "a", float(2**60))).wrong == 1
    assert checked("a.json", text, set_cell(0, "b", '{"c": [1, 2]}')).wrong == 1
    book = openpyxl.Workbook()
    for row in (["a", "b"], ["007", pd.Timestamp(2026, 1, 31).to_pydatetime()]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    content = (tmp_path / "a.xlsx").read_bytes()
    assert checked("a.xlsx", content).wrong == 0
    assert checked("a.xlsx", content, set_cell(0, "a", 7)).wrong == 1
    day = pd.Timestamp(2026, 1, 30)
    assert checked("a.xlsx", content, set_cell(0, "b", day)).wrong == 1


def test_a_wrong_structure_is_found(tmp_path):
    from corpus.structure import objections

    path = tmp_path / "a.csv"
    path.write_text("a;b\nä,1;2\nö,3;4\n", "utf-8")
    right = {"sep": ";", "encoding": "utf-8", "header": [1]}
    assert objections(path, right, []) == []
    assert len(objections(path, {**right, "sep": "\t"}, [])) == 1
    assert len(objections(path, {**right, "encoding": "cp1252"}, ["encoding: ?"])) == 1


# The report ---------------------------------------------------------------------------


def test_the_report_counts_what_was_refused_and_asked(tmp_path):
    report = Report("samples")
    contents = {
        "right.csv": b"a,b\n1,2\n",
        "asked.csv": b"a,b\n1,\xe9\n",
        "refused.csv": b"a,b\n" + b"1,2\n" * 300 + b"1,2,3\n",
        "empty.json": b"{}",
    }
    remarks = []
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        file = DataFile("test", name, path)
        outcome, compared = check(file)
        if name == "right.csv":
            compared = dataclasses.replace(compared, wrong=1)
        remarks += report.add(file, outcome, compared)
    total = report.total
    counts = total.files, total.cells, total.wrong, total.wrong_files
    assert counts == (4, 4, 1, 1)
    assert (total.refused, total.asked, total.no_table) == (1, 1, 1)
    assert [
        each.split()[1] for each in remarks
    ] == "wrong: asked: refused: refused: no".split()
    assert "1 refused = 33.33%" in report.show()
