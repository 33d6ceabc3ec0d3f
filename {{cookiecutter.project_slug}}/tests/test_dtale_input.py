"""What people send to D-Tale: files that are none, and results that would be too large."""

import io
import json
import zipfile

import pandas as pd
import pytest

from frames.models import Frame

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
BOMB = {"[Content_Types].xml": "", "xl/workbook.xml": b"0" * 5_000_000}


@pytest.mark.parametrize(
    "name, content",
    [("t.csv", CSV), ("t.CSV", CSV), ("t.tsv", CSV), ("t.parquet", PARQUET)],
)
def test_file_that_is_what_its_name_says(owner, name, content):
    answer = send(owner, name.lower(), content)
    assert answer.json["success"], answer.json
    assert owner.column(answer.json["data_id"]) == [1, 2]


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
    "name",
    ["t.exe", "t", "t.csv.zip", "t.json"]
    # D-Tale would take them for Parquet.
    + ["parquet", "t.parquet.CSV", "t.parquet.csv/", "t.parquet.csv/."],
)
def test_file_of_no_kind_that_is_read(owner, name):
    answer = send(owner, name, CSV)
    assert answer.status_code == 400
    assert "these can: .csv" in answer.json["error"]


def test_spreadsheet_that_is_much_larger_than_its_file(owner):
    answer = send(owner, "t.xlsx", packed(**BOMB))
    assert answer.status_code == 413
    assert "4.8 MB once it is unpacked" in answer.json["error"]


LONG = "x" * 100_000
BOMBS = {
    "texts": [LONG] * 200,
    "lists": [[LONG] * 100] * 2,
    "objects": [{"k": LONG}] * 200,
    "numbers": [[0] * 1_000_000] * 2,
    "bytes": [LONG.encode()] * 200,
}


@pytest.mark.parametrize("name", BOMBS)
def test_table_that_is_much_larger_than_its_file(owner, settings, name):
    settings.FRAMES_MAX_UPLOAD_MB = 1
    content = written("parquet", a=BOMBS[name])
    assert len(content) < 1 << 19
    answer = send(owner, "t.parquet", content)
    assert answer.status_code == 413
    assert "MB once it is unpacked" in answer.json["error"]
    assert not Frame.objects.exists()


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


# New columns and shapes ---------------------------------------------------------------


@pytest.fixture
def times(publish, ann):
    """A frame of a year's 12 months, and 12 other values."""
    months = pd.date_range("2026-01-01", periods=12, freq="MS")
    return publish(ann, t=months, x=range(12), y=range(12)).pk


def reshape(visitor, pk, kind, **cfg):
    return visitor.get(f"reshape/{pk}", type=kind, cfg=cfg, output="new")


@pytest.mark.parametrize(
    "freq, rows", [("D", 335), ("12h", 669), ("MS", 12), ("QS", 4), ("W", 49)]
)
def test_resampling(owner, times, freq, rows):
    cfg = dict(index="t", columns=["x"], freq=freq, agg="mean")
    answer = reshape(owner, times, "resample", **cfg)
    assert Frame.objects.get(pk=answer.json["data_id"]).rows == rows


def test_resampling_to_too_many_rows(owner, times):
    cfg = dict(index="t", columns=["x"], freq="1us", agg="mean")
    answer = reshape(owner, times, "resample", **cfg)
    assert answer.status_code == 413 and "FRAMES_MAX_CELLS" in answer.json["error"]


def test_pivot_of_too_many_cells(owner, times, settings):
    cfg = dict(index=["x"], columns=["t"], values=["y"], aggfunc="mean")
    settings.FRAMES_MAX_CELLS = 12 * 13
    assert reshape(owner, times, "pivot", **cfg).json["success"]
    settings.FRAMES_MAX_CELLS = 12 * 12 - 1
    assert reshape(owner, times, "pivot", **cfg).status_code == 413


@pytest.mark.parametrize(
    "kind, cfg, size",
    [
        ("encoder", dict(col="x", algo="feature_hasher"), "n"),
        ("random", dict(type="string"), "length"),
    ],
)
def test_columns_that_are_too_large(owner, times, kind, cfg, size):
    cfg[size] = str(10**9)
    answer = owner.get(f"build-column/{times}", type=kind, name="z", cfg=cfg)
    assert answer.status_code == 413 and "FRAMES_MAX_CELLS" in answer.json["error"]
    cfg[size] = "3"
    answer = owner.get(f"build-column/{times}", type=kind, name="z", cfg=cfg)
    assert "FRAMES_MAX_CELLS" not in answer.text


# Merge and stack ----------------------------------------------------------------------


def merge(visitor, *pks, how="inner", action="merge", index="k"):
    sides = [
        {"dataId": str(pk), "index": [index], "columns": None, "suffix": f"_{number}"}
        for number, pk in enumerate(pks)
    ]
    if action == "stack":
        sides = [{**side, "index": []} for side in sides]
    body = {
        "action": action,
        "config": json.dumps({"how": how, "ignoreIndex": True}),
        "datasets": json.dumps(sides),
    }
    return visitor.post("merge", json=body)


@pytest.fixture
def sides(publish, ann):
    """Two frames: the key 1 is 30 and 40 times in them, 2 and None once."""
    keys = [1.0] * 29 + [2.0, None]
    left = publish(ann, k=[1.0, *keys], x=range(32))
    right = publish(ann, k=[1.0] * 10 + [1.0, *keys], y=range(42))
    return left.pk, right.pk


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_merge_of_as_many_cells_as_a_frame_may_have(owner, sides, settings, how):
    settings.FRAMES_MAX_CELLS = (30 * 40 + 1 + 1) * 3
    answer = merge(owner, *sides, how=how)
    assert answer.json["success"], answer.json
    assert Frame.objects.get(pk=answer.json["data_id"]).rows == 30 * 40 + 2


def test_merge_of_more_is_not_begun(owner, sides, settings, monkeypatch):
    settings.FRAMES_MAX_CELLS = (30 * 40 + 1 + 1) * 3 - 1
    monkeypatch.setattr(pd.DataFrame, "merge", None)
    answer = merge(owner, *sides)
    assert answer.status_code == 413
    assert "1,202 rows x 3 columns" in answer.json["error"]


def test_merge_of_three(owner, sides, settings):
    settings.FRAMES_MAX_CELLS = 100_000
    assert merge(owner, *sides, sides[0]).status_code == 413


def test_stack(owner, sides, settings):
    assert merge(owner, *sides, action="stack").json["success"]
    settings.FRAMES_MAX_CELLS = 74 * 3 - 1
    answer = merge(owner, *sides, action="stack")
    assert answer.status_code == 413
    assert "74 rows x 3 columns" in answer.json["error"]


@pytest.mark.parametrize(
    "path, options",
    [
        ("merge", dict(json={"action": "merge", "datasets": "no JSON"})),
        ("merge", dict(json=[])),
        ("merge", dict(data=b"x")),
        ("upload", dict(data=b"x")),
    ],
)
def test_what_no_page_sends(owner, path, options):
    answer = owner.post(path, **options)
    assert not answer.json["success"] and answer.json["error"]
