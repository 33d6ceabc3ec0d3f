"""Users choose from a list of several files, sheets, or members of an archive."""

import re
from io import BytesIO

import openpyxl
import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.asserts import assertContains, assertRedirects

from django_dtale.compat.combine import combine
from django_dtale.compat.dtypes import DisplayableFrame
from django_dtale.exceptions import SourceError
from django_dtale.models import Frame
from django_dtale.views.uploads import receive

from .test_uploads import SCRIPT, UPLOAD, data_of, excel, steps_of, waiting, zipped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]

JAN = b"city;sales\nBerlin;1,5\nRome;2,5\n"
FEB = b"sales;city\n3,5;Paris\n"
DOUBTFUL = "city;sales\nKöln;1,5\n".encode("cp1252")
BAD = b"a,b\n" + b"1,2\n" * 200 + b"1,2,3\n"


def send(client, files, **options):
    """Upload files, given as a dict of names and contents."""
    sent = [SimpleUploadedFile(name, content) for name, content in files.items()]
    return client.post(UPLOAD, {"file": sent}, **options)


def listed(client, **files):
    """Upload files with the extension .csv, and return the path of the list."""
    named = {f"{name}.csv": content for name, content in files.items()}
    answer = send(client, named)
    assert answer.status_code == 302 and answer["Location"].startswith(UPLOAD)
    return answer["Location"]


def rows_of(page):
    """Return the title and the size of each table in the list that can be chosen."""
    items = re.findall(r"<li>\s*<div>(.*?)</li>", page.text, re.DOTALL)
    return {
        re.search(r"> *\n? *([^<>]+?)\s*</label>", item)[1]: (
            re.search(r'class="note">(.*?)</span>', item)[1],
            "disabled" not in item,
            " checked" in item,
        )
        for item in items
    }


def frames():
    """Return the data of each frame by its name."""
    return {frame.name: data_of(frame) for frame in Frame.objects.all()}


def test_steps_say_which_file_is_read(at):
    files = {"jan.csv": JAN, "feb.csv": FEB}
    answer = send(at, files, headers=SCRIPT)
    found = steps_of(answer)
    read = [(each["name"], each["part"]) for each in found if "part" in each]
    assert list(dict.fromkeys(read)) == [("jan.csv", 1), ("feb.csv", 2)]
    assert {each["parts"] for each in found if "part" in each} == {2}
    chosen = {"table": ["0", "1"], "open": ""}
    answer = at.post(found[-1]["location"], chosen, headers=SCRIPT)
    opened = steps_of(answer)
    assert opened[0] == {"step": "reading", "done": 0.0} | {
        "name": "jan.csv",
        "part": 1,
        "parts": 2,
    }
    assert opened[-1]["location"].startswith("/frames/opened/2/")


# The list -----------------------------------------------------------------------------


def test_several_files_are_listed_with_their_sizes(at):
    page = at.get(listed(at, jan=JAN, feb=FEB, bad=BAD))
    assert rows_of(page) == {
        "jan.csv": ("2 rows × 2 columns", True, True),
        "feb.csv": ("1 row × 2 columns", True, True),
        "bad.csv": ("810\xa0bytes", False, False),
    }
    assertContains(page, "Line 202 has 3 values, but there are 2 columns.")
    assert not Frame.objects.exists() and len(waiting()) == 1


def test_members_of_an_archive_are_listed(at):
    content = zipped({"a/jan.csv": JAN, "a/feb.csv": FEB, "b.csv": BAD, "me.txt": "x"})
    page = at.get(send(at, {"sales.zip": content})["Location"])
    found = rows_of(page)
    assert found.pop("sales.zip: a/jan.csv") == ("2 rows × 2 columns", True, True)
    assert found.pop("sales.zip: a/feb.csv") == ("1 row × 2 columns", True, False)
    assert found == {"sales.zip: b.csv": ("810\xa0bytes", False, False)}
    assertContains(page, "Line 202 has 3 values, but there are 2 columns.")


def test_sheets_of_a_workbook_are_listed(at):
    content = excel(Q1=pd.DataFrame({"a": [1, 2]}), Q2=pd.DataFrame({"b": [1], "c": 2}))
    page = at.get(send(at, {"sales.xlsx": content})["Location"])
    assert rows_of(page) == {
        "sales.xlsx: Q1": ("2 rows × 1 column", True, True),
        "sales.xlsx: Q2": ("1 row × 2 columns", True, False),
    }


def test_sheets_in_an_archive_are_listed(at):
    book = excel(Q1=pd.DataFrame({"a": [1]}), Q2=pd.DataFrame({"a": [2]}))
    path = send(at, {"sales.zip": zipped({"x.xlsx": book, "y.csv": JAN})})["Location"]
    page = at.get(path)
    assert list(rows_of(page)) == [
        "sales.zip: x.xlsx: Q1",
        "sales.zip: x.xlsx: Q2",
        "sales.zip: y.csv",
    ]
    at.post(path, {"table": ["1", "2"], "open": ""})
    assert frames()["x: Q2"]["a"].tolist() == [2]
    assert frames()["y"]["sales"].tolist() == [1.5, 2.5]


def test_hidden_sheet_is_marked(at):
    book = openpyxl.Workbook()
    for title in ("shown", "also shown", "not shown"):
        sheet = book.create_sheet(title)
        sheet.append(["a"])
        sheet.append([1])
    sheet.sheet_state = "hidden"
    file = BytesIO()
    book.save(file)
    page = at.get(send(at, {"a.xlsx": file.getvalue()})["Location"])
    sizes = {title: size for title, (size, *_) in rows_of(page).items()}
    assert sizes == {
        "a.xlsx: shown": "1 row × 1 column",
        "a.xlsx: also shown": "1 row × 1 column",
        "a.xlsx: not shown": "1 row × 1 column, hidden",
    }


def test_archive_among_several_files_is_listed_with_its_members(at):
    archive = zipped({"x/feb.csv": FEB, "mar.csv": JAN})
    path = send(at, {"jan.csv": JAN, "more.zip": archive})["Location"]
    assert list(rows_of(at.get(path))) == [
        "jan.csv",
        "more.zip: x/feb.csv",
        "more.zip: mar.csv",
    ]
    at.post(path, {"table": ["0", "1"], "open": ""})
    assert {name: len(data) for name, data in frames().items()} == {"jan": 2, "feb": 1}


def test_large_table_is_listed_with_the_size_of_its_file(at):
    large = b"a\n" + b"0.123456789012345\n" * 1_000_000
    page = at.get(listed(at, jan=JAN, large=large))
    assert rows_of(page)["large.csv"][0] == "17.2\xa0MB"


# Opening ------------------------------------------------------------------------------


@pytest.mark.parametrize("by_script", [True, False])
def test_chosen_tables_are_opened_as_tables_of_their_own(at, by_script):
    path = listed(at, jan=JAN, feb=FEB, mar=JAN)
    data = {"table": ["0", "1"], "how": "own", "open": ""}
    answer = at.post(path, data, headers=SCRIPT if by_script else {})
    location = steps_of(answer)[-1]["location"] if by_script else answer["Location"]
    page = at.get(location, follow=True)
    assertContains(page, "2 tables were opened.")
    assert page.redirect_chain[-1][0] == "/frames/"
    assert {name: len(data) for name, data in frames().items()} == {"jan": 2, "feb": 1}
    assert waiting() == [] and at.get(path).status_code == 404


def test_one_of_several_is_opened_at_once(at):
    path = listed(at, jan=JAN, feb=FEB)
    answer = at.post(path, {"table": "1", "how": "one", "open": ""})
    frame = Frame.objects.get()
    assertRedirects(answer, frame.get_absolute_url(), fetch_redirect_response=False)
    assert frame.name == "feb" and waiting() == []


def test_tables_with_the_same_columns_are_opened_as_one(at):
    path = listed(at, jan=JAN, feb=FEB)
    assertContains(at.get(path), "Open them as one table")
    at.post(path, {"table": ["0", "1"], "how": "one", "open": ""})
    [(name, data)] = frames().items()
    assert name == "jan and 1 more"
    assert data.astype(object).values.tolist() == [
        ["jan.csv", "Berlin", 1.5],
        ["jan.csv", "Rome", 2.5],
        ["feb.csv", "Paris", 3.5],
    ]
    assert list(data.columns) == ["source", "city", "sales"]


def test_tables_with_other_columns_are_not_opened_as_one(at):
    path = listed(at, jan=JAN, other=b"city;price\nBerlin;1\n", feb=FEB)
    page = at.post(path, {"table": ["0", "1"], "how": "one", "open": ""})
    assertContains(
        page, "only jan.csv, but not other.csv, has the column sales. Open them as"
    )
    assert not Frame.objects.exists() and len(waiting()) == 1


def test_one_table_is_not_offered_without_the_same_columns(at):
    page = at.get(listed(at, jan=JAN, other=b"x\n1\n"))
    assert "Open them as one table" not in page.text


def test_no_chosen_table_is_explained(at):
    path = listed(at, jan=JAN, feb=FEB)
    assertContains(at.post(path, {"open": ""}), "Choose at least one table.")
    answer = at.post(path, {"open": "", "table": "7"}, headers=SCRIPT)
    assert "Choose at least one table." in answer.text


def test_all_files_are_deleted_when_people_cancel(at):
    path = listed(at, jan=JAN, feb=FEB)
    page = at.post(path, {"discard": ""}, follow=True)
    assertContains(page, "The files were not opened, and were deleted from the site.")
    assert waiting() == [] and at.get(path).status_code == 404


# Doubts -------------------------------------------------------------------------------


def test_table_with_a_question_is_opened_after_the_answer(at):
    path = listed(at, jan=JAN, doubtful=DOUBTFUL)
    page = at.get(path)
    assertContains(page, "The file is not encoded in UTF-8 (line 2).")
    chosen = {"table": ["0", "1"], "open": ""}
    page = at.post(path, chosen)
    assertContains(page, "doubtful.csv can be read in several ways: The file is not")
    assert not Frame.objects.exists()
    page = at.get(f"{path}1/")
    assertContains(page, "Köln")
    form = page.context["form"]
    options = {name: form[name].value() or "" for name in form.fields}
    answer = at.post(f"{path}1/", {**options, "types.city": "category", "keep": ""})
    assertRedirects(answer, path)
    at.post(path, chosen)
    assert frames()["doubtful"]["city"].tolist() == ["Köln"]
    assert isinstance(frames()["doubtful"]["city"].dtype, pd.CategoricalDtype)


def test_options_of_a_table_change_its_size_in_the_list(at):
    path = listed(at, jan=JAN, feb=FEB)
    page = at.get(f"{path}0/")
    form = page.context["form"]
    options = {name: form[name].value() or "" for name in form.fields}
    at.post(f"{path}0/", {**options, "header": "", "keep": ""})
    assert rows_of(at.get(path))["jan.csv"][0] == "3 rows × 2 columns"
    assertContains(at.get(f"{path}0/"), "column_1")


def test_table_that_does_not_exist_is_not_found(at):
    path = listed(at, jan=JAN, feb=FEB)
    assert at.get(f"{path}2/").status_code == 404
    assert at.get(f"{path}1/").status_code == 200


# Errors and limits --------------------------------------------------------------------


@pytest.mark.parametrize("by_script", [True, False])
def test_upload_of_bad_files_is_explained_and_deleted(at, stored, by_script):
    files = {"a.csv": b"", "b.csv": BAD}
    answer = send(at, files, headers=SCRIPT if by_script else {})
    text = steps_of(answer)[-1]["problem"] if by_script else answer.text
    assert "a.csv is empty" in text and "Line 202 has 3 values" in text
    assert stored.names() == set() and waiting() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_script", [True, False])
def test_failure_of_one_table_names_it_and_opens_none(
    at, stored, dtale_settings, by_script
):
    path = listed(at, jan=JAN, feb=FEB)
    dtale_settings.MAX_COUNT = 1
    data = {"table": ["0", "1"], "open": ""}
    answer = at.post(path, data, headers=SCRIPT if by_script else {})
    text = steps_of(answer)[-1]["problem"] if by_script else answer.text
    assert "feb.csv: You would have 2 tables; the limit is 1." in text
    assert "None of the tables was opened." in text
    assert not Frame.objects.exists() and stored.names() == set()
    assert len(waiting()) == 1


def test_limit_of_cells_holds_for_one_table(at, dtale_settings):
    path = listed(at, jan=JAN, feb=FEB)
    dtale_settings.MAX_CELLS = 8
    at.post(path, {"table": ["0", "1"], "open": ""})
    assert Frame.objects.count() == 2
    path = listed(at, jan=JAN, feb=FEB)
    data = {"table": ["0", "1"], "how": "one", "open": ""}
    assertContains(at.post(path, data), "feb.csv: This table has 3 rows x 3 columns")
    assert Frame.objects.count() == 2


def test_number_of_files_is_limited(at, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    files = {f"{number}.csv": JAN for number in range(3)}
    answer = send(at, files)
    assertContains(answer, "Only 2 files can be uploaded at a time.", status_code=413)
    assert len(waiting()) == 0


def test_number_of_tables_is_limited(at):
    count = receive.MAX_TABLES + 1
    content = zipped({f"{number}.csv": "a\n1\n" for number in range(count)})
    answer = send(at, {"a.zip": content})
    assertContains(
        answer, f"There are {count} tables; the limit is 100.", status_code=413
    )
    assert waiting() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["own", "one"])
@pytest.mark.parametrize("after", ["reading", "opening", "location"])
def test_cancelling_leaves_no_frame_behind(at, stored, how, after):
    path = listed(at, jan=JAN + b"x;1,5\n" * 200_000, feb=FEB)
    data = {"table": ["0", "1"], "how": how, "open": ""}
    answer = at.post(path, data, headers=SCRIPT)
    for line in answer:
        if after in line.decode():
            break
    else:
        pytest.fail(f"no step {after}")
    answer.close()
    assert not Frame.objects.exists() and stored.names() == set()


# Joining tables -----------------------------------------------------------------------


def joined(*columns, source="source"):
    """Join tables whose column x has these values, and return x and the notes."""
    tables = [
        (f"t{number}", DisplayableFrame(pd.DataFrame({"x": column})))
        for number, column in enumerate(columns)
    ]
    made = combine(tables, source)
    return made.frame["x"], made.conversions


@pytest.mark.parametrize(
    "parts, values, dtype",
    [
        ([[1, 2], [3]], [1, 2, 3], "int64"),
        ([[1], [2.5]], [1.0, 2.5], "Float64"),
        ([pd.array([2**53 - 1, None]), [1.5]], [2.0**53 - 1, None, 1.5], "Float64"),
        ([[1, 2], [None]], [1, 2, None], "Int64"),
        ([[float("nan")], [3]], [None, 3], "Int64"),
        ([[True], [None]], [True, None], "boolean"),
        ([["x"], [None], ["y"]], ["x", None, "y"], "str"),
        (
            [pd.to_datetime(["2026-01-02"]), [None]],
            [pd.Timestamp("2026-01-02"), None],
            None,
        ),
        ([[], [1]], [1], "int64"),
    ],
)
def test_columns_of_the_same_kind_keep_their_values(parts, values, dtype):
    column, notes = joined(*parts)
    assert [None if pd.isna(value) else value for value in column] == values
    assert dtype is None or column.dtype == dtype
    assert notes == []


@pytest.mark.parametrize(
    "parts, values",
    [
        ([[1, 2], ["007"]], ["1", "2", "007"]),
        ([[True], [1]], ["True", "1"]),
        ([pd.to_datetime(["2026-01-02"]), ["x"]], ["2026-01-02 00:00:00", "x"]),
    ],
)
def test_columns_of_other_kinds_become_text_with_a_note(parts, values):
    column, notes = joined(*parts)
    assert column.tolist() == values
    [note] = notes
    assert note.startswith("Column x: values were converted to text, because")


def test_source_has_another_name_if_there_is_such_a_column():
    tables = [("t", DisplayableFrame(pd.DataFrame({"source": [1]})))] * 2
    made = combine(tables, "source").frame
    assert list(made.columns) == ["source_2", "source"]
    assert made["source_2"].tolist() == ["t", "t (2)"]


def test_notes_of_single_tables_name_them():
    frame = pd.DataFrame({"x": [1]})
    tables = [
        ("t", DisplayableFrame(frame, [], ["all", "only t"])),
        ("u", DisplayableFrame(frame, [], ["all"])),
    ]
    assert combine(tables, "source").conversions == ["all", "t: only t"]


def test_tables_without_the_same_columns_cannot_be_joined():
    tables = [
        ("t", DisplayableFrame(pd.DataFrame({"x": [1]}))),
        ("u", DisplayableFrame(pd.DataFrame({"x": [1], "y": [2]}))),
    ]
    with pytest.raises(SourceError, match="only u, but not t, has the column y"):
        combine(tables, "source")
