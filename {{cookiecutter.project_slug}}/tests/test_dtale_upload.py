"""D-Tale's Load Data: its dialog as it is, files read as everywhere in this site."""

import io
import zipfile

import pandas as pd
import pytest
from django.contrib.auth.models import User

from frames.models import Frame
from frames.unit_of_work import unit_of_work
from frames.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


def written(kind, **columns):
    """A file (bytes) with a frame, written by pandas."""
    file = io.BytesIO()
    getattr(pd.DataFrame(columns), f"to_{kind}")(file, index=False)
    return file.getvalue()


def packed(**parts):
    """A zip file (bytes) with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def send(visitor, name, content):
    return visitor.post("upload", data={name: (io.BytesIO(content), name)})


CSV = b"a,b\n1,4\n2,5\n"
PARQUET = written("parquet", a=[1, 2], b=[4, 5])


FEATHER = io.BytesIO()
pd.DataFrame({"a": [1, 2]}).to_feather(FEATHER)


@pytest.mark.parametrize(
    "name, content",
    [
        ("t.csv", CSV),
        ("t.CSV", CSV),
        ("t.parquet.CSV", CSV),
        ("t.tsv", CSV.replace(b",", b"\t")),
        ("t.csv.zip", packed(**{"t.csv": CSV})),
        ("t.parquet", PARQUET),
        ("t.feather", FEATHER.getvalue()),
        ("t.json", b'[{"a": 1}, {"a": 2}]'),
        ("t.jsonl", b'{"a": 1}\n{"a": 2}\n'),
        ("t.xlsx", written("excel", a=[1, 2])),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_file_that_is_what_its_name_says(owner, name, content):
    answer = send(owner, name, content)
    assert answer.json["success"], answer.json
    data_id = answer.json["data_id"]
    assert owner.column(data_id) == [1, 2]
    assert Frame.objects.get(pk=data_id).name == name.split(".z")[0].rpartition(".")[0]
    code = owner.get(f"code-export/{data_id}").json["code"]
    assert "df = pd.read_" in code and name.removesuffix(".zip") in code


def test_values_are_what_the_command_makes_of_them(owner, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("day;price;code\n31.12.2026;1,5;007\n1.2.2026;1.000,25;012\n")
    answer = send(owner, "t.csv", path.read_bytes())
    with bind(Workspace(User.objects.get())), unit_of_work() as unit:
        frame = unit.get(answer.json["data_id"]).frame
    assert list(map(str, frame.dtypes)) == ["datetime64[us]", "float64", "str"]
    assert frame["price"].tolist() == [1.5, 1000.25]


def test_each_sheet_is_a_frame_to_choose_from(owner):
    file = io.BytesIO()
    with pd.ExcelWriter(file) as writer:
        for number, name in enumerate(["one", "two"]):
            sheet = pd.DataFrame({"a": [number], "b": ["007"]})
            sheet.to_excel(writer, sheet_name=name, index=False)
    sheets = send(owner, "t.xlsx", file.getvalue()).json["sheets"]
    assert [each["name"] for each in sheets] == ["one", "two"]
    for number, each in enumerate(sheets):
        assert owner.column(each["dataId"]) == [number]
        assert owner.column(each["dataId"], "b") == ["007"]
    assert [frame.name for frame in Frame.objects.all()] == ["t one", "t two"]
    code = owner.get(f"code-export/{sheets[1]['dataId']}").json["code"]
    assert "pd.read_excel('t.xlsx', sheet_name='two', engine='calamine')" in code


def test_sheets_of_which_one_is_refused_leave_no_other(owner, settings):
    settings.FRAMES_MAX_CELLS = 3
    file = io.BytesIO()
    with pd.ExcelWriter(file) as writer:
        for rows in (1, 10):
            sheet = pd.DataFrame({"a": range(rows)})
            sheet.to_excel(writer, sheet_name=str(rows), index=False)
    assert send(owner, "t.xlsx", file.getvalue()).status_code == 413
    assert not Frame.objects.exists()


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.xls", "t.xlsx", "t.parquet"])
@pytest.mark.parametrize(
    "content",
    [PARQUET + b"\0", packed(other="x"), b"\x89PNG\r\n\x1a\n\0\0"],
    ids=["damaged", "zip", "picture"],
)
def test_file_of_another_kind(owner, name, content):
    answer = send(owner, name, content)
    assert answer.status_code == 400
    assert f"{name} is called" in answer.json["error"]
    assert not Frame.objects.exists()


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("t.exe", CSV, "t.exe cannot be read: its name should end with one of .csv"),
        ("t", CSV, "t cannot be read"),
        ("parquet", PARQUET, "parquet cannot be read"),
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 values, and there are 2 columns"),
        ("t.json", b"{", "t.json is no JSON file that can be read"),
        ("t.zip", packed(a="1", b="2"), "t.zip has 2 files in it"),
    ],
)
def test_bad_file_is_explained(owner, name, content, reason):
    answer = send(owner, name, content)
    assert answer.status_code == 400 and reason in answer.json["error"]
    assert not Frame.objects.exists()


def test_nothing_sent(owner):
    assert "No file was sent" in owner.post("upload", data=b"x").json["error"]


@pytest.mark.parametrize("values", [["a", None], [["a"], None], [{"k": "a"}, None]])
def test_table_of_texts(owner, values):
    answer = send(owner, "t.parquet", written("parquet", a=values, b=[True, None]))
    assert answer.json["success"], answer.json


def test_table_of_more_cells_than_a_frame_may_have(owner, settings):
    settings.FRAMES_MAX_CELLS = 3
    answer = send(owner, "t.parquet", PARQUET)
    assert answer.status_code == 413
    assert "FRAMES_MAX_CELLS" in answer.json["error"]
    assert "FRAMES_MAX_CELLS" in send(owner, "t.csv", CSV).json["error"]
    assert not Frame.objects.exists()


def test_file_larger_than_the_limit(owner, settings):
    settings.FRAMES_MAX_UPLOAD_MB = 1
    answer = send(owner, "t.csv", b"a\n" + b"1\n" * 600_000)
    assert answer.status_code == 413
    assert "FRAMES_MAX_UPLOAD_MB" in answer.json["error"]


# CSV ----------------------------------------------------------------------------------


def upload(visitor, text, name="t.csv", **form):
    data = {name: (io.BytesIO(text.encode()), name), **form}
    return visitor.post("upload", data=data).json


@pytest.mark.parametrize("separator", [*",;\t|"])
@pytest.mark.parametrize("form", [{}, {"separatorType": "comma", "header": "true"}])
def test_separator_that_was_not_chosen(owner, separator, form):
    """The dialog sends what it begins with, if nobody changes it."""
    text = "\na,b\n1,x y:z\n".replace(",", separator)
    answer = upload(owner, text, **form)
    assert owner.column(answer["data_id"]) == [1]
    assert owner.column(answer["data_id"], "b") == ["x y:z"]


@pytest.mark.parametrize(
    "kind, separator", [("comma", ","), ("tab", "\t"), ("colon", ":"), ("pipe", "|")]
)
def test_separator_that_was_chosen(owner, kind, separator):
    text = f"a{separator}b;c\n1{separator}2;3\n"
    answer = upload(owner, text, separatorType=kind, header="true")
    assert owner.column(answer["data_id"], "b;c") == ["2;3"]


@pytest.mark.parametrize("separator", [",", "~"])
def test_file_without_names(owner, separator):
    form = {"separatorType": "custom", "separator": separator, "header": "false"}
    answer = upload(owner, "1,x\n2,y\n".replace(",", separator), **form)
    assert owner.column(answer["data_id"], "column_1") == [1, 2]
    code = owner.get(f"code-export/{answer['data_id']}").json["code"]
    assert "header=None" in code


@pytest.mark.parametrize("separator", ["~", " ", r"\s+", ".", "^"])
def test_separator_that_is_said(owner, separator):
    text = "a~b\n1~2\n".replace("~", " " if separator == r"\s+" else separator)
    answer = upload(owner, text, separatorType="custom", separator=separator)
    assert owner.column(answer["data_id"], "b") == [2]


@pytest.mark.parametrize("separator", ["(a+)+$", "ab", r"\s*", "||", '"'])
def test_separator_of_several_characters(owner, separator):
    answer = upload(owner, "a~b\n", separatorType="custom", separator=separator)
    assert "cannot separate columns. Give one character" in answer["error"]
    assert not owner.frames()


@pytest.mark.parametrize("line", [';"x' * 30_000, "x", '"'])
def test_first_line_that_is_hard_to_guess(owner, line):
    upload(owner, f"{line}\n1\n")
    assert owner.get("processes").json["success"]
