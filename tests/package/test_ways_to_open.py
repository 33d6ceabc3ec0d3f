"""Page, command, push and code read the same file in the same way."""

import csv
import io
import itertools
import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from corpus.files import data_files
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from django_dtale import ImportOptions, explore
from django_dtale.exceptions import SourceError
from django_dtale.models import Frame
from django_dtale.models.tokens import Token
from django_dtale.readers.detection import detect

from .kinds import KINDS
from .test_uploads import data_of, options_of, send, zipped

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[1] / "corpus" / "samples"
ROWS = [
    ["city", "PLZ", "price", "day", "open", "note"],
    ["Köln", "00667", "1.5", "31.01.2026", "true", "a"],
    ["Évry", "91000", "1234.25", "28.02.2026", "false", ""],
    ["Roma", "00118", "", "01.03.2026", "true", "NA"],
]
VALUES = [
    {"id": 2**60 + n, "x": [n, None], "day": "2026-01-31T10:00:00-05:00", "more": n / 4}
    for n in range(4)
]


def delimited(sep=",", decimal=".", encoding="utf-8", above=(), rows=ROWS):
    file = io.StringIO()
    csv.writer(file, delimiter=sep).writerows(
        [cell.replace(".", decimal) if at == 2 else cell for at, cell in enumerate(row)]
        for row in rows
    )
    return "".join([*above, file.getvalue()]).encode(encoding)


def workbook(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def in_parquet(build):
    """Return a frame as Parquet, or None if the format does not support it."""
    frame = build()
    try:
        return frame.to_parquet() if len(frame.columns) else None
    except Exception:  # pyarrow raises many exceptions.
        return None


def files():
    """Yield the name and the content of each file."""
    for each in data_files(SAMPLES, SAMPLES.parent):
        yield f"{each.package} {each.path.name}", each.path.read_bytes()
    for sep, decimal, encoding in itertools.product(
        ",;\t|", ".,", ["utf-8", "utf-16", "cp1252"]
    ):
        content = delimited(sep, decimal, encoding)
        yield f"{sep!r} {decimal} {encoding}.csv".replace("\\", ""), content
    yield "title.csv", delimited(above=["Sales of 2026\n", "\n"])
    yield "comment.csv", delimited(above=["# one\n", "# two\n"])
    yield "sep.csv", delimited(";", above=["sep=;\n"])
    yield "tabs.tsv", delimited("\t")
    yield "month or day.csv", b"a;b\nx;01/02/2026\ny;03/04/2026\n"
    yield "thousands.csv", b"a;b\nx;1.234\ny;15.678\n"
    yield "header.csv", b"1,2\n3,4\n5,6\n"
    yield "footer.csv", b"a,b\nx,1\ny,2\nz,4\nTotal,7\n"
    yield "quote.csv", b"a,b\n" + b'x,1\n"open,2\n' + b"y,3\n" * 50
    yield "ragged.csv", b"a,b\n1,2\n3,4,x\n5,6\n"
    yield "ragged without header.csv", b"-1,2\n-3,4,x\n-5,6\n"
    yield "separator.csv", b"a;b,c\n1;2,3\n"
    yield "records.json", json.dumps(VALUES).encode()
    columns = {name: [row[name] for row in VALUES] for name in VALUES[0]}
    yield "columns.json", json.dumps(columns).encode()
    lines = "\n".join(map(json.dumps, VALUES))
    yield "lines.jsonl", lines.encode()
    yield "lines.ndjson", lines.encode()
    table = [["a", "b"], [1, "x"], [2.5, None]]
    yield "table.xlsx", workbook(table)
    yield "title.xlsx", workbook([["Sales"], [], *table])
    yield "sheets.xlsx", workbook(table, ROWS)
    yield "table.zip", zipped({"folder/sales.csv": delimited()})
    yield "workbook.zip", zipped({"title.xlsx": workbook([["Sales"], [], *table])})
    yield "members.zip", zipped({"a.csv": delimited(), "b.json": json.dumps(VALUES)})
    for name, build in KINDS.items():
        if content := in_parquet(build):
            yield f"{name}.parquet", content


FILES = dict(files())


def test_there_are_a_hundred_files_of_all_formats():
    assert len(FILES) >= 100
    formats = {Path(name).suffix for name in FILES}
    assert formats == {
        *(".csv", ".tsv", ".xls", ".xlsx", ".zip"),
        *(".json", ".jsonl", ".ndjson", ".parquet", ".feather"),
    }


def answers(path):
    """Return the first answer to each question about a file, as arguments."""
    given = {}
    while doubts := detect(path, path.name, ImportOptions.from_arguments(given)).doubts:
        for doubt in doubts:
            name, value = doubt.arguments()[0]
            given.setdefault(name, []).append(value)
    return given


def by_page(client, path, given):
    answer = send(client, path.name, path.read_bytes())
    if {"member", "sheet"} & given.keys():  # The page with a list of tables.
        number = 0
        client.get(answer["Location"])
        answer = client.post(answer["Location"], {"table": number, "open": ""})
    elif given:
        options = options_of(client.get(answer["Location"]))
        answer = client.post(answer["Location"], {**options, "open": ""})
    assert answer.status_code == 302, answer.text


def by_command(path, given):
    arguments = [
        f"--{name.replace('_', '-')}"
        + (f"={value}" if value or name == "quote" else "")
        for name, values in given.items()
        for value in values
    ]
    if arguments:
        with pytest.raises(CommandError, match="can be read in several ways"):
            call_command("explore", path, owner="ann", stderr=io.StringIO())
    call_command(
        *("explore", path, *arguments),
        **{"owner": "ann", "stdout": io.StringIO(), "stderr": io.StringIO()},
    )


def by_push(client, path, given, token):
    def push(**parameters):
        return client.post(
            "/frames/push/",
            path.read_bytes(),
            content_type="application/octet-stream",
            query_params={"name": path.name, **parameters},
            headers={"Authorization": f"Bearer {token}"},
        )

    if given:
        assert push().status_code == 422
    answer = push(**given)
    assert answer.status_code == 201, answer.text


def by_code(path, given, ann):
    request = RequestFactory().get("/")
    request.user, request.session = ann, {}
    if given:
        with pytest.raises(SourceError, match="can be read in several ways"):
            explore(request, path)
    explore(request, path, options=ImportOptions.from_arguments(given))


@pytest.mark.parametrize("name", FILES)
def test_frame_is_the_same(stored, client, ann, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    given = answers(path)
    client.force_login(ann)
    by_page(client, path, given)
    by_command(path, given)
    by_push(client, path, given, Token.objects.create_token(ann, "test"))
    by_code(path, given, ann)
    first, *others = Frame.objects.order_by("pk")
    assert len(others) == 3
    data = data_of(first)
    for each in others:
        pd.testing.assert_frame_equal(data_of(each), data)
        assert each.conversion_notes == first.conversion_notes
