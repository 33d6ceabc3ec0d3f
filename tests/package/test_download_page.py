"""The page that downloads a table: what people see in the grid, in each format."""

import datetime
import json
from decimal import Decimal
from io import BytesIO

import numpy as np
import openpyxl
import pandas as pd
import pytest
import python_calamine
from django.urls import reverse

import django_dtale
from django_dtale import conf
from django_dtale.compat import workbook
from django_dtale.compat.export import WRITERS
from django_dtale.compat.number_formats import (
    date_formatter,
    excel_date_format,
    excel_number_format,
    number_formatter,
)
from django_dtale.models import AuditEntry, SavedView
from django_dtale.models.data_ids import data_id, variant_of_state

from .conftest import csrf_token

pytestmark = pytest.mark.django_db

DATA = pd.DataFrame(
    {
        "text": ['say "x"', "a,b\nc\r\nd\te", "=1+1", "-5", None, "_x0041_\x0b&<"],
        "number": [1.5, np.nan, np.inf, -0.1, 1e300, 0.1 + 0.2],
        "count": [1, -2, 10**17, 4, 5, 6],
        "maybe": pd.array([1, None, 3, 4, 5, 6], dtype="Int64"),
        "flag": [True, False, True, True, False, False],
        "day": pd.to_datetime(["2026-01-02", None, "1850-05-01", *["2026-01-03"] * 3]),
        "time": pd.date_range("2026-03-28 23:30:05.25", periods=6, freq="h"),
        "zoned": pd.date_range("2026-03-29", periods=6, freq="h", tz="Europe/Berlin"),
        "kind": pd.Categorical(["@a", "b", None, "b", "b", "@a"]),
        "price": pd.Series([Decimal("1.10"), None, *[Decimal("2")] * 4], dtype=object),
        "wait": pd.to_timedelta([1, 2, None, 4, 5, 6], "s"),
    }
)


@pytest.fixture
def table(stored, ann, bob):
    return django_dtale.publish(
        pd.DataFrame({"a": [3, 1, 2], "b": ["x", "y", "z"], "c": [1234.5, 2.0, -0.25]}),
        owner=ann,
        name="Sales: 2026/Q1",
        shared_with=[bob],
    )


def fetch(visitor, key, **query):
    return visitor.browser.get(
        reverse("frames:download", args=[key]), query_string=query
    )


def rows_of(answer):
    assert answer.status_code == 200, answer.text
    return answer.data.decode().splitlines()


def change_view(visitor, key):
    """Leave two rows, sort them, hide a column and move another to the front."""
    answer = visitor.get(
        f"save-column-filter/{key}",
        col="a",
        cfg={"type": "int", "operand": "<", "value": 3},
    )
    assert answer.json["success"], answer.json
    visitor.column(key, "a", sort=[["a", "DESC"]])
    visitor.post(f"update-visibility/{key}", json={"toggle": "c"})
    visitor.get(f"update-locked/{key}", col="b", action="lock")


# Formats ------------------------------------------------------------------------------


def read_excel(file):
    """Return the rows of a workbook, as two independent readers read them."""
    content = file.read()
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    calamine = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    return list(sheet.iter_rows()), calamine.get_sheet_by_index(0).to_python()


def test_excel_keeps_values_or_writes_them_as_text():
    with WRITERS["xlsx"](DATA) as file:
        (header, *cells), (_, *read) = read_excel(file)
    assert [cell.value for cell in header] == list(DATA)
    found = {name: [row[number] for row in cells] for number, name in enumerate(DATA)}
    assert {cell.data_type for cell in found["text"]} <= {"s", "inlineStr", "n"}
    read = {name: [row[number] for row in read] for number, name in enumerate(DATA)}
    assert read["text"][:5] == ['say "x"', "a,b\nc\r\nd\te", "=1+1", "-5", ""]
    values = {name: [cell.value for cell in each] for name, each in found.items()}
    assert values["number"] == [1.5, None, "inf", -0.1, 1e300, 0.1 + 0.2]
    assert values["count"] == [1, -2, str(10**17), 4, 5, 6]
    assert values["maybe"] == [1, None, 3, 4, 5, 6]
    assert values["flag"] == DATA["flag"].tolist()
    assert values["day"][:3] == [
        datetime.datetime(2026, 1, 2),
        None,
        "1850-05-01T00:00:00",
    ]
    assert found["day"][0].number_format == "yyyy-mm-dd"
    assert values["time"] == [each.to_pydatetime() for each in DATA["time"]]
    assert found["time"][0].number_format == "yyyy-mm-dd hh:mm:ss.000"
    assert values["zoned"][1:3] == [
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]
    assert values["kind"] == ["@a", "b", None, "b", "b", "@a"]
    assert values["price"] == [1.1, None, 2, 2, 2, 2]
    assert values["wait"][0] == "0 days 00:00:01" and values["wait"][2] is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
def test_safe_files_have_an_apostrophe_before_formulas(kind, text):
    frame = pd.DataFrame({text: [text, "a=1"], "n": [-1, -2]})
    with WRITERS[kind](frame, is_safe=True) as file:
        if kind == "xlsx":
            (header, *rows), _ = read_excel(file)
            read = [[cell.value for cell in row] for row in (header, *rows)]
        else:
            separator = "," if kind == "csv" else "\t"
            back = pd.read_csv(file, sep=separator, lineterminator="\n")
            read = [[*back], *back.to_numpy().tolist()]
    if kind == "xlsx":
        read = [
            [str(v).replace("_x000D_", "\r") if isinstance(v, str) else v for v in row]
            for row in read
        ]
    assert read == [[f"'{text}", "n"], [f"'{text}", -1], ["a=1", -2]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_formulas_stay_as_they_are_by_default(kind):
    with WRITERS[kind](pd.DataFrame({"a": ["=1+1"]})) as file:
        if kind == "csv":
            assert file.read() == b"a\n=1+1\n"
        else:
            (_, (cell,)), _ = read_excel(file)
            assert (cell.value, cell.data_type) != ("=1+1", "f")
            assert "=1+1" in cell.value


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_json_has_an_object_for_each_row(kind):
    with WRITERS[kind](DATA) as file:
        text = file.read().decode()
    records = (
        json.loads(text) if kind == "json" else list(map(json.loads, text.splitlines()))
    )
    assert [record["text"] for record in records] == DATA["text"].astype(object).where(
        DATA["text"].notna(), None
    ).tolist()
    assert records[1]["number"] is None and records[2]["number"] == "inf"
    assert records[5]["number"] == 0.1 + 0.2
    assert records[2]["count"] == 10**17
    assert records[1]["maybe"] is None and records[0]["maybe"] == 1
    assert records[0]["flag"] is True
    assert records[0]["day"] == "2026-01-02T00:00:00"
    assert records[2]["zoned"] == "2026-03-29T03:00:00+02:00"
    assert records[0]["price"] == 1.1 and records[1]["price"] is None


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_many_parts_make_one_file(kind, monkeypatch):
    monkeypatch.setattr("django_dtale.compat.cells.MAX_CELLS", 4)
    frame = pd.DataFrame({"a": range(7), "b": [str(n) for n in range(7)]})
    with WRITERS[kind](
        frame, **({"is_safe": True} if kind in "csv tsv xlsx" else {})
    ) as file:
        read = {
            "csv": pd.read_csv,
            "tsv": lambda file: pd.read_csv(file, sep="\t"),
            "xlsx": lambda file: pd.read_excel(file, engine="calamine"),
            "parquet": pd.read_parquet,
            "json": pd.read_json,
            "jsonl": lambda file: pd.read_json(file, lines=True),
        }[kind](file)
    assert read.astype(str).to_numpy().tolist() == [[str(n)] * 2 for n in range(7)]


@pytest.mark.parametrize("kind", sorted(WRITERS))
def test_table_without_rows_is_downloaded(kind):
    with WRITERS[kind](pd.DataFrame({"a": pd.Series([], dtype=float)})) as file:
        content = file.read()
    if kind == "json":
        assert json.loads(content) == []
    else:
        assert bool(content) is (kind != "jsonl")


# numeral.js gives these results, as bundled with D-Tale 3.22.
VALUES = [0, 1, -1, 0.5, 2.5, -2.5, 1.005, 1234.5678, -1234.5678, 999.999, 999999]
VALUES += [1000000, 123456789, 0.0001234]
NUMBERS = {
    "0": "0 1 -1 1 3 -2 1 1235 -1235 1000 999999 1000000 123456789 0",
    "0.00": "0.00 1.00 -1.00 0.50 2.50 -2.50 1.01 1234.57 -1234.57 1000.00 999999.00 "
    "1000000.00 123456789.00 0.00",
    "0,000": "0 1 -1 1 3 -2 1 1,235 -1,235 1,000 999,999 1,000,000 123,456,789 0",
    "$0,000.00": "$0.00 $1.00 -$1.00 $0.50 $2.50 -$2.50 $1.01 $1,234.57 -$1,234.57 "
    "$1,000.00 $999,999.00 $1,000,000.00 $123,456,789.00 $0.00",
    "€0,000.00": "0.00 1.00 -1.00 0.50 2.50 -2.50 1.01 1,234.57 -1,234.57 1,000.00 "
    "999,999.00 1,000,000.00 123,456,789.00 0.00",
    "0a": "0 1 -1 1 3 -2 1 1k -1k 1000 1m 1m 123m 0",
    "$0.00a": "$0.00 $1.00 -$1.00 $0.50 $2.50 -$2.50 $1.01 $1.23k -$1.23k $1000.00 "
    "$1.00m $1.00m $123.46m $0.00",
    "0.00e+0": "0.00e+0 1.00e+0 -1.00e+0 5.00e-1 2.50e+0 -2.50e+0 1.01e+0 1.23e+3 "
    "-1.23e+3 10.00e+2 10.00e+5 1.00e+6 1.23e+8 1.23e-4",
    "0.0BPS": "0.0BPS 10000.0BPS -10000.0BPS 5000.0BPS 25000.0BPS -25000.0BPS 10050.0BPS "
    "12345678.0BPS -12345678.0BPS 9999990.0BPS 9999990000.0BPS 10000000000.0BPS "
    "1234567890000.0BPS 1.2BPS",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_are_formatted_like_in_the_grid(text):
    assert list(map(number_formatter(text), VALUES)) == NUMBERS[text].split()


@pytest.mark.parametrize(
    "text", ["$0e+0", "$0BPS", "0%", "0.0[00]", "kr0,000", "(0)", ""]
)
def test_other_formats_of_numbers_are_not_supported(text):
    assert number_formatter(text) is None and excel_number_format(text) is None


def test_dates_are_formatted_like_in_the_grid():
    day = pd.Timestamp("2026-03-02 15:04:05.678")
    formats = {
        "YYYY-MM-DD HH:mm:ss.SSS": "2026-03-02 15:04:05.678",
        "MMMM Do YYYY, h:mm:ss a": "March 2nd 2026, 3:04:05 pm",
        "ddd D.M.YY": "Mon 2.3.26",
        "[Q]Q YYYY": "Q1 2026",
    }
    assert {text: date_formatter(text)(day) for text in formats} == formats
    assert date_formatter("LLLL") is None and date_formatter("[x") is None
    assert excel_date_format("YYYY-MM-DD HH:mm") == 'yyyy"-"mm"-"dd" "hh:mm'
    assert excel_date_format("mm") is None and excel_date_format("Do") is None


# The view of each person --------------------------------------------------------------


def test_page_offers_nothing_to_choose_from_what_is_the_same(owner, table):
    answer = fetch(owner, table.pk)
    text = answer.text
    assert 'name="rows"' not in text and 'name="columns"' not in text
    assert 'name="values"' not in text and "all 3 rows" in text
    assert 'value="csv" checked autofocus' in text
    assert 'value="parquet" checked' in fetch(owner, table.pk, preselect="parquet").text
    assert 'value="csv" checked' in fetch(owner, table.pk, preselect="<x>").text


def test_page_offers_rows_and_columns_of_the_grid(owner, table):
    change_view(owner, table.pk)
    text = fetch(owner, table.pk).text
    assert "The 2 rows that you see" in text and "All 3 rows" in text
    assert "The 2 columns that you see" in text and "All 3 columns" in text
    assert rows_of(fetch(owner, table.pk, format="csv")) == ["b,a", "z,2", "y,1"]
    every = fetch(owner, table.pk, format="csv", rows="all", columns="all")
    assert every.data == owner.browser.get(f"/frames/{table.pk}/csv/").data
    assert len(rows_of(every)) == 4
    rows = rows_of(fetch(owner, table.pk, format="csv", columns="all"))
    assert [sorted(row.split(",")) for row in rows[1:]] == [
        ["-0.25", "2", "z"],
        ["1", "2.0", "y"],
    ]
    rows = rows_of(fetch(owner, table.pk, format="csv", rows="all"))
    assert rows == ["b,a", "x,3", "y,1", "z,2"]
    seen = fetch(owner, table.pk, format="parquet")
    assert pd.read_parquet(BytesIO(seen.data)).to_dict("list") == {
        "b": ["z", "y"],
        "a": [2, 1],
    }
    assert json.loads(fetch(owner, table.pk, format="json").data)[0] == {
        "b": "z",
        "a": 2,
    }
    file = BytesIO(fetch(owner, table.pk, format="xlsx").data)
    sheet = pd.read_excel(file, engine="calamine")
    assert sheet.to_dict("list") == {"b": ["z", "y"], "a": [2, 1]}


def test_sorted_rows_differ_from_the_original_order(owner, table):
    owner.column(table.pk, "a", sort=[["a", "ASC"]])
    assert "The 3 rows that you see" in fetch(owner, table.pk).text
    assert [row[0] for row in rows_of(fetch(owner, table.pk, format="csv"))] == list(
        "a123"
    )


def test_readers_download_their_own_view(owner, visitor, table, bob):
    reader = visitor(bob)
    change_view(owner, table.pk)
    reader.column(table.pk, "a", sort=[["a", "ASC"]])
    assert rows_of(fetch(reader, table.pk, format="csv"))[1:] == ["y,1", "z,2"]
    url = f"update-visibility/{table.pk}"
    reader.post(url, json={"toggle": "c"})
    assert rows_of(fetch(reader, table.pk, format="csv"))[1] == "y,1,2.0"
    assert rows_of(fetch(owner, table.pk, format="csv"))[1:] == ["z,2", "y,1"]


def test_saved_views_and_earlier_states_are_downloaded(owner, table):
    change_view(owner, table.pk)
    url = reverse("frames:save_view", args=[table.pk])
    data = {**csrf_token(owner.browser.get(url)), "name": "Few"}
    owner.browser.post(url, data=data)
    saved = SavedView.objects.get()
    answer = fetch(owner, saved.data_id, format="csv")
    assert rows_of(answer) == ["b,a", "z,2", "y,1"]
    assert "Few" in answer.headers["Content-Disposition"]
    assert f"/main/{saved.data_id}" in fetch(owner, saved.data_id).text
    owner.edit(table.pk, "20", column="a")
    state = data_id(table.pk, variant_of_state(table.changes.latest("pk").pk))
    answer = fetch(owner, state, format="csv", rows="all", columns="all")
    assert all("20" not in row.split(",") for row in rows_of(answer))
    assert len(rows_of(answer)) == 4


def test_formats_of_the_grid_are_written(owner, table):
    formats = {
        "c": {"fmt": "$0,000.00", "style": {}},
        "a": {"fmt": "0.0a", "style": {}},
    }
    for name, each in formats.items():
        owner.get(
            f"update-formats/{table.pk}",
            all="false",
            col=name,
            format=each,
            nanDisplay="nan",
        )
    page = fetch(owner, table.pk)
    assert "With the formats" in page.text
    assert "Excel does not have their formats: a." in page.text
    assert "are not supported" not in page.text
    rows = rows_of(fetch(owner, table.pk, format="csv", values="formatted"))
    assert rows == ["a,b,c", '3.0,x,"$1,234.50"', "1.0,y,$2.00", "2.0,z,-$0.25"]
    assert rows_of(fetch(owner, table.pk, format="csv"))[1] == "3,x,1234.5"
    file = BytesIO(fetch(owner, table.pk, format="xlsx", values="formatted").data)
    (_, row, *_), _ = read_excel(file)
    assert row[2].value == 1234.5 and row[2].number_format == '"$"#,##0.00'
    assert (row[0].value, row[0].number_format) == (3, "General")


def test_invalid_choices_are_refused(owner, table):
    for query in ({"format": "x"}, {"format": "csv", "rows": "x"}):
        assert fetch(owner, table.pk, **query).status_code == 400


# Limits, access and the audit log -----------------------------------------------------


def test_data_beyond_the_limits_of_excel_are_refused(owner, table, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_ROWS", 2)
    answer = fetch(owner, table.pk, format="xlsx")
    assert answer.status_code == 413 and "at most 2 rows" in answer.text
    assert "at most 2 rows" in fetch(owner, table.pk).text
    monkeypatch.undo()
    monkeypatch.setattr(workbook, "MAX_COLUMNS", 2)
    answer = fetch(owner, table.pk, format="xlsx")
    assert answer.status_code == 413 and "at most 2 columns" in answer.text
    monkeypatch.undo()
    monkeypatch.setattr(workbook, "MAX_TEXT", 0)
    answer = fetch(owner, table.pk, format="xlsx")
    assert answer.status_code == 413 and "longer text" in answer.text
    assert not AuditEntry.objects.filter(action="exported").exists()


def test_other_people_and_visitors_are_refused(visitor, table, user, dtale_settings):
    eve = visitor(user("eve"))
    for query in ({}, {"format": "csv"}):
        assert fetch(eve, table.pk, **query).status_code == 404
        assert fetch(visitor(), table.pk, **query).status_code == 404
        dtale_settings.LOGIN_REQUIRED = True
        answer = fetch(visitor(), table.pk, **query)
        assert answer.status_code == 302 and "next=" in answer.headers["Location"]
        dtale_settings.LOGIN_REQUIRED = False


def test_audit_log_has_the_format_and_nothing_of_the_data(owner, table, ann):
    for kind in ("csv", "xlsx", "tsv", "parquet", "json", "jsonl"):
        assert fetch(owner, table.pk, format=kind, safe="on").status_code == 200
    fetch(owner, table.pk)
    entries = AuditEntry.objects.filter(action="exported").order_by("pk")
    assert [each.detail for each in entries] == [
        "CSV",
        "Excel",
        "TSV",
        "Parquet",
        "JSON",
        "JSON Lines",
    ]
    assert {each.user for each in entries} == {ann}


def test_name_of_the_file_is_safe(owner, table):
    answer = fetch(owner, table.pk, format="xlsx")
    assert (
        answer.headers["Content-Disposition"]
        == 'attachment; filename="Sales_ 2026_Q1.xlsx"'
    )


# The export of D-Tale -----------------------------------------------------------------

OPENED = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def export(visitor, table, headers, kind="csv"):
    path = f"/{conf.dtale_settings.PREFIX}/dtale/data-export/{table.pk}?type={kind}"
    names = {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()
    }
    environ = {**visitor.browser.FROM_HERE, **names}
    return visitor.browser.get(path, environ_base=environ)


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_export_of_dtale_leads_people_to_the_page(owner, table, kind):
    answer = export(owner, table, OPENED, kind)
    assert answer.status_code == 302
    page = reverse("frames:download", args=[table.pk])
    assert answer.headers["Location"] == f"{page}?preselect={kind}"
    assert (
        f'value="{kind}" checked' in owner.browser.get(answer.headers["Location"]).text
    )
    script = owner.get(f"data-export/{table.pk}", type=kind)
    assert (
        script.status_code == 200
        and "attachment" in script.headers["Content-Disposition"]
    )


def test_export_of_dtale_in_an_iframe_is_a_file(owner, table):
    headers = {**OPENED, "Sec-Fetch-Dest": "iframe"}
    answer = export(owner, table, headers)
    assert answer.status_code == 200


def test_other_sites_cannot_open_the_export(owner, table):
    headers = {**OPENED, "Sec-Fetch-Site": "cross-site"}
    answer = export(owner, table, headers)
    assert answer.status_code == 403
