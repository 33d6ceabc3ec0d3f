"""The page on which users correct the import options of a file before they open it."""

import html
import re

import pandas as pd
import pytest
from django.utils.formats import date_format
from pytest_django.asserts import assertContains

from django_dtale.models import Frame
from django_dtale.readers.process.outline import Column, Preview
from django_dtale.views.uploads.column_menus import cells
from django_dtale.views.uploads.date_patterns import to_format, to_pattern

from .test_uploads import FRENCH, SCRIPT, ask, data_of, excel, options_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}


class Page:
    """The page about a file. It submits its form as a browser would."""

    def __init__(self, at, content, name="a.csv", **options):
        self.at, self.options = at, options
        self.path = ask(at, name, content, check="on")
        self._show(at.get(self.path, **options))

    def _show(self, answer):
        self.answer = answer
        self.text = html.unescape(answer.text)
        self.values = options_of(answer)

    def update(self, **changes):
        self.values |= {name.replace("__", "."): v for name, v in changes.items()}
        chosen = {name: v for name, v in self.values.items() if "." in name}
        self._show(self.at.post(self.path, {**self.values, "show": ""}, **self.options))
        self.values |= chosen
        return self

    def open(self, **changes):
        """Open the file, and return the data and the notes of the frame."""
        values = self.values | {k.replace("__", "."): v for k, v in changes.items()}
        answer = self.at.post(self.path, {**values, "open": ""})
        assert answer.status_code == 302, answer.text
        frame = Frame.objects.get()
        return data_of(frame), frame.conversion_notes

    @property
    def kinds(self):
        """Return the selected type of each column."""
        heads = re.findall(
            r'class="name">([^<]*)<.*?selected>([^<]*)<', self.text, re.DOTALL
        )
        return dict(heads)

    @property
    def rows(self):
        """Return the cells of the preview as text."""
        body = self.text.partition("<tbody>")[2].partition("</tbody>")[0]
        return [
            [
                re.sub(r"<.*?>", "", cell)
                for cell in re.findall(r"<td.*?>(.*?)</td>", row)
            ]
            for row in re.findall(r"<tr>(.*?)</tr>", body)
        ]

    def about(self, field):
        """Return the text that the page shows about a field."""
        return re.search(rf'id="about-{field}"[^>]*>(.*?)</div>', self.text, re.DOTALL)[
            1
        ]


# The preview --------------------------------------------------------------------------


def test_question_is_beside_the_field_that_it_is_about(at):
    page = Page(at, FRENCH)
    assert "The file is not encoded in UTF-8 (line 2)" in page.about("encoding")
    assert 'class="doubt"' not in page.about("sep")
    assert page.text.count("The file is not encoded in UTF-8") == 1


def test_most_probable_answer_is_selected(at):
    page = Page(at, b"a;b\nx;01/02/2026\n")
    assert "Day or month first?" in page.about("day_first")
    assert page.values["day_first"] is True and page.rows == [["x", "Feb. 1, 2026"]]
    assert page.update(day_first="").rows == [["x", "01/02/2026"]]
    assert page.update(day_first="False").rows == [["x", "Jan. 2, 2026"]]


def test_preview_shows_the_rows_and_types_as_they_will_be(at):
    content = "PLZ;Umsatz;Tag;aktiv\n01234;1.234,5;31.01.2026;true\n80331;2;;false\n"
    page = Page(at, content.encode())
    assert page.kinds == {
        "PLZ": "Automatic (text)",
        "Umsatz": "Automatic (number)",
        "Tag": "Automatic (date)",
        "aktiv": "Automatic (yes or no)",
    }
    assert page.rows == [
        ["01234", "1234.5", "Jan. 31, 2026", "True"],
        ["80331", "2.0", "", "False"],
    ]


@pytest.mark.parametrize(
    "language, number, day, time",
    [
        ("en", "1234.5", "May 31, 2026", "May 1, 2026 10:30:15"),
        ("de", "1234,5", "31. Mai 2026", "1. Mai 2026 10:30:15"),
    ],
)
def test_numbers_and_dates_are_shown_in_the_language_of_the_page(
    at, language, number, day, time
):
    content = "n;i;day;time;text\n1.234,50;2026;31.05.2026;2026-05-01 10:30:15;1.50x\n"
    page = Page(at, content.encode(), HTTP_ACCEPT_LANGUAGE=language)
    assert page.rows == [[number, "2026", day, time, "1.50x"]]
    name = {"en": "In the file: ", "de": "In der Datei: "}[language]
    titles = [*re.findall(f'title="{name}([^"]*)"', page.text)]
    assert titles == ["1.234,50", "31.05.2026", "2026-05-01 10:30:15"]


def test_dates_that_a_reader_makes_up_are_shown_as_they_are():
    columns = Column("a", "date"), Column("b", "number")
    rows = (("2026-13-01", "1.5e300"), ("20260-01-01", "nan"))
    preview = Preview(columns, rows, originals=rows)
    shown = [[cell.text for cell in row] for row in cells(preview)]
    assert shown == [list(row) for row in rows]


def test_preview_shows_fifty_rows_and_a_hundred_columns(at):
    names = ",".join(f"c{number}" for number in range(120))
    content = "\n".join([names, *[",".join("1" * 120)] * 60])
    page = Page(at, content.encode())
    assert len(page.rows) == 50 and {len(row) for row in page.rows} == {100}
    assert "The first 50 of 60 rows, and the first 100 of 120 columns" in page.text


def test_type_depends_on_the_whole_file(at):
    page = Page(at, b"a,b\n" + b"1,2\n" * 2_000 + b"x,2\n")
    assert page.kinds == {"a": "Automatic (text)", "b": "Automatic (whole number)"}


def test_large_file_is_previewed_by_its_beginning(at):
    page = Page(at, b"a,b\n" + b"0.123456789012345,2\n" * 1_700_000)
    assert "Only the beginning of the file was read for this preview." in page.text
    assert len(page.rows) == 50


def test_error_far_below_is_shown_with_the_first_rows(at):
    page = Page(at, b"a,b\n" + b"1,2\n" * 2_000 + b"1,2,3\n")
    assert "Line 2,002 has 3 values, but there are 2 columns." in page.text
    assert page.rows[0] == ["1", "2"]
    assert "choose this among the options" in page.text
    assert page.update(ragged="on").rows[0] == ["1", "2", ""]
    data, _ = page.open()
    assert data.iloc[-1].tolist() == [1, 2, 3]


def test_extra_values_are_a_question_with_a_checkbox(at):
    page = Page(at, b"a,b\n1,2\n3,4,5\n")
    assert "Are the extra values columns without names?" in page.about("ragged")
    assert page.values["ragged"] is True
    assert page.rows == [["1", "2", ""], ["3", "4", "5"]]
    page.values.pop("ragged")
    assert "Line 3 has 3 values, but there are 2 columns." in page.update().text


def test_lines_of_different_lengths_without_a_header_are_no_question(at):
    page = Page(at, b"-1.5,2\n-3,4,5\n")
    assert 'class="doubt"' not in page.text
    assert page.update(**{"types.column_3": "text"}).rows[1] == ["-3.0", "4", "5"]


# Options ------------------------------------------------------------------------------


def shown(value):
    """Return the text of a value in the preview."""
    if isinstance(value, pd.Timestamp):
        return date_format(value, "DATE_FORMAT")
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    "content, changes, rows",
    [
        (b"x;1\ny;2\n", {"header": ""}, [["x", 1], ["y", 2]]),
        (b"title;\na;b\nx;1\n", {"header": "2"}, [["x", 1]]),
        (b"a;a\nb;c\nx;1\n", {"header": "1, 2"}, [["x", 1]]),
        (b"a;b\nunit;kg\nx;1\n", {"skip_rows": "1"}, [["x", 1]]),
        (b"a;b\nx;1\nsum;1\n", {"skip_footer": "1"}, [["x", 1]]),
        (b"a,b;c\nx;1\n", {"sep": ","}, [["x;1", None]]),
        (b"a;b\nx;1.234\n", {"decimal": ",", "thousands": "."}, [["x", 1234]]),
        (b"a;b\nx;1 234\n", {"thousands": " "}, [["x", 1234]]),
        (b"a;b\n'x;y';1\n", {"quote": "'"}, [["x;y", 1]]),
        (b"a;b\nx;?\ny;1\n", {"null_values": "?, none"}, [["x", None], ["y", 1]]),
        (b"a;b\n\xe9;1\n", {"encoding": "cp1251"}, [["й", 1]]),
        (
            b"a;b\nx;01/02/2026\n",
            {"day_first": "True"},
            [["x", pd.Timestamp("2026-02-01")]],
        ),
        (
            b"a;b\nx;01/02/2026\n",
            {"day_first": "False"},
            [["x", pd.Timestamp("2026-01-02")]],
        ),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_option_changes_the_preview_and_the_frame(at, content, changes, rows):
    page = Page(at, content).update(**changes)
    assert 'role="alert">' not in page.text
    data, _ = page.open()
    opened = data.astype(object).where(data.notna(), None).values.tolist()
    assert opened == rows
    assert page.rows == [list(map(shown, row)) for row in opened]


@pytest.mark.parametrize(
    "field, value, error",
    [
        ("header", "x", "Write row numbers, such as 3."),
        ("header", "0", "is not a valid value"),
        ("skip_rows", "-1", "greater than or equal to 0"),
        ("encoding", "rot13", "is not a valid value"),
        ("sep", "ab", "is not a valid value"),
        ("decimal", "x", "is not one of the available choices"),
    ],
)
def test_invalid_option_is_explained_beside_its_field(at, field, value, error):
    page = Page(at, b"a,b\n1,2\n")
    values = {**page.values, field: value}
    page.update(**{field: value})
    assert error in page.about(field)
    answer = at.post(page.path, {**values, "open": ""}, headers=SCRIPT)
    assert error in answer.text
    assert not Frame.objects.exists()


def test_invalid_type_is_refused(at):
    page = Page(at, b"a,b\n1,2\n")
    answer = at.post(page.path, {**page.values, "types.a": "bytes", "open": ""})
    assertContains(answer, "is not a valid value")
    assert not Frame.objects.exists()


def test_wrong_encoding_is_explained_and_can_be_corrected(at):
    page = Page(at, FRENCH).update(encoding="utf-8")
    assert "line 2 is not encoded in utf-8" in page.text
    assert page.rows[0][0] == "�"
    data, _ = page.open(encoding="cp1252")
    assert data["nom"].tolist() == ["é", "œ"]


# Types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, kind, value",
    [
        ("1", "text", "1"),
        ("007", "integer", 7),
        ("1", "number", 1.0),
        ("yes", "boolean", True),
        ("1", "category", "1"),
        ("2026-01-31", "date", pd.Timestamp("2026-01-31")),
        ("01/02/2026", "date:%d/%m/%Y", pd.Timestamp("2026-02-01")),
        ("01/02/2026", "date:%m/%d/%Y", pd.Timestamp("2026-01-02")),
    ],
)
def test_type_of_a_column_is_chosen(at, text, kind, value):
    page = Page(at, f"a;b\n{text};x\n".encode()).update(types__a=kind)
    assert not page.kinds["a"].startswith("Automatic")
    data, notes = page.open()
    assert (data["a"].tolist(), notes) == ([value], "")


@pytest.mark.parametrize(
    "text, choices",
    [
        ("01.02.26", ["DD.MM.YY", "MM.DD.YY", "YYYY-MM-DD"]),
        (
            "01/02/2026 13:45",
            ["DD/MM/YYYY hh:mm", "MM/DD/YYYY hh:mm", "YYYY-MM-DD hh:mm"],
        ),
        ("x", ["DD/MM/YYYY", "MM/DD/YYYY", "YYYY-MM-DD"]),
    ],
)
def test_formats_of_dates_follow_the_values(at, text, choices):
    page = Page(at, f"a;b\n{text};x\n".encode())
    menu = page.text.partition('name="types.a"')[2].partition("</select>")[0]
    assert re.findall(r">Date, [^<]*: ([^<]*)<", menu) == choices


def test_other_format_of_dates_is_written_as_people_do(at):
    page = Page(at, b"a;b\n2026~01~31;x\n").update(types__a="other")
    assert 'name="format.a"' in page.text
    page.update(types__a="other", format__a="YYYY~MM~DD")
    assert page.rows == [["Jan. 31, 2026", "x"]]
    assert 'name="format.a" value="YYYY~MM~DD"' in page.text
    data, _ = page.open()
    assert data["a"].tolist() == [pd.Timestamp("2026-01-31")]


@pytest.mark.parametrize(
    "pattern, form",
    [
        ("DD.MM.YYYY", "%d.%m.%Y"),
        ("tt.mm.jjjj", "%d.%m.%Y"),
        ("yyyy-mm-dd hh:mm:ss", "%Y-%m-%d %H:%M:%S"),
        ("YYYY-MM-DDThh:mm", "%Y-%m-%dT%H:%M"),
        ("D MMM YY", "%d %b %y"),
        ("MMMM D, YYYY", "%B %d, %Y"),
        ("MM/DD/YYYY hh:mm AM", "%m/%d/%Y %I:%M %p"),
        ("%d|%m|%Y", "%d|%m|%Y"),
    ],
)
def test_pattern_becomes_a_format(pattern, form):
    assert to_format(pattern) == form
    assert to_format(to_pattern(form)) == form


def test_values_that_do_not_fit_are_shown_and_counted(at):
    lines = ["a;b", "1;x", "n/k;y", *["2;z"] * 100, "twelve;z", "NA;z"]
    page = Page(at, "\n".join(lines).encode()).update(types__a="integer")
    assert (
        "2 values are not whole numbers. The first is “n/k” in line 3. Such values "
        "would be missing. Choose Text to keep them."
    ) in page.text
    assert page.rows[1] == ["n/k (does not fit)", "y"]
    data, notes = page.open()
    assert data["a"].isna().sum() == 3
    assert "2 values of the column a" in notes and "n/k in line 3" in notes


def test_values_that_fit_say_nothing(at):
    page = Page(at, b"a;b\n1;x\nNA;y\n;z\n").update(types__a="integer")
    assert "does not fit" not in page.text and "not whole" not in page.text
    data, notes = page.open()
    assert (data["a"].isna().sum(), notes) == (2, "")


def test_chosen_type_of_a_column_that_is_gone_is_dropped(at):
    page = Page(at, b"a;b\n1;x\n2;y\n").update(types__a="text", header="2")
    assert page.kinds == {"1": "Automatic (whole number)", "x": "Automatic (text)"}
    assert page.rows == [["2", "y"]]


def test_types_of_a_sheet_are_chosen(at):
    content = excel(only=pd.DataFrame({"a": ["1", "x"], "b": [1, 2]}))
    page = Page(at, content, "a.xlsx")
    assert page.kinds == {"a": "Automatic (text)", "b": "Automatic (whole number)"}
    page.update(types__a="number")
    assert page.rows[1][0] == "x (does not fit)"
    data, notes = page.open(types__b="text")
    assert data["b"].tolist() == ["1", "2"] and "value of the column a" in notes


def test_text_of_a_file_is_escaped(at):
    page = Page(at, b"<b>&x;y\n<script>;1\n").update(**{"types__<b>&x": "category"})
    raw = page.answer.text
    assert "<script>;" not in raw and "<td>&lt;script&gt;</td>" in raw
    assert 'name="types.&lt;b&gt;&amp;x"' in raw
    assert "does not fit" not in raw
    data, _ = page.open()
    assert data["<b>&x"].dtype == "category"


def test_page_is_translated(at):
    page = Page(at, b"a;b\nx;1\n", **GERMAN).update(types__a="number")
    for text in (
        "Sieht a.csv richtig aus?",
        "Die Spaltennamen stehen in Zeile",
        "1 Wert ist keine Zahl. Zuerst: „x“ in Zeile 2.",
        "Automatisch (ganze Zahl)",
    ):
        assert text in page.text
