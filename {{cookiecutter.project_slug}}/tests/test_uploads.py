"""A file becomes a frame, or a question, or a clear refusal; nothing else is left."""

import io
import json
import os
import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertRedirects

from frames import files, frame_storage, pending, uploads
from frames.models import Frame
from frames.workspace import Workspace

pytestmark = pytest.mark.django_db

UPLOAD = "/frames/upload/"
FRAME = pd.DataFrame({"a": [1, 2], "b": ["x", "ü"]})


def excel(**sheets):
    file = BytesIO()
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return file.getvalue()


def zipped(parts):
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def written(suffix):
    """The bytes of FRAME as a file of this kind."""
    if suffix == "xlsx":
        return excel(only=FRAME)
    file = BytesIO()
    match suffix:
        case "csv" | "tsv":
            FRAME.to_csv(file, index=False, sep="\t" if suffix == "tsv" else ",")
        case "json":
            FRAME.to_json(file, orient="records")
        case "jsonl" | "ndjson":
            FRAME.to_json(file, orient="records", lines=True)
        case _:
            getattr(FRAME, f"to_{suffix}")(file)
    return file.getvalue()


@pytest.fixture(autouse=True)
def own_storage(stored):
    """Each test has a storage of its own."""


@pytest.fixture
def at(client, ann):
    """Ann's browser."""
    client.force_login(ann)
    return client


def send(client, name, content, steps=False, **fields):
    """Send a file, as the form does; with ``steps`` as the script does."""
    data = {"file": SimpleUploadedFile(name, content), **fields}
    headers = {"Accept": uploads.STEPS} if steps else {}
    return client.post(UPLOAD, data, headers=headers)


def steps_of(answer):
    return [json.loads(line) for line in answer.streaming_content]


def data_of(frame):
    return frame_storage.load(frame.payload)


def waiting():
    """The paths of all files that wait (list of str)."""
    storage = storages["frames"]
    try:
        directories = storage.listdir(pending.ROOT)[0]
    except FileNotFoundError:
        return []
    return [
        f"{pending.ROOT}/{directory}/{name}"
        for directory in directories
        for name in storage.listdir(f"{pending.ROOT}/{directory}")[1]
    ]


# Opened at once -----------------------------------------------------------------------


def test_the_form_names_the_kinds_that_are_read():
    assert {*files.READERS, ".zip"} == set(uploads.SUFFIXES)


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "xlsx", "parquet", "feather", "json", "jsonl", "ndjson"]
)
def test_each_kind(at, ann, suffix):
    answer = send(at, f"Q3 sales.{suffix}", written(suffix))
    frame = Frame.objects.get()
    assertRedirects(answer, frame.get_absolute_url(), fetch_redirect_response=False)
    assert (frame.owner, frame.name) == (ann, "Q3 sales")
    pd.testing.assert_frame_equal(data_of(frame), FRAME, check_dtype=False)
    assert waiting() == []


def test_zipped(at):
    content = zipped({"folder/sales.csv": written("csv"), "__MACOSX/._sales.csv": "?"})
    send(at, "archive.zip", content)
    frame = Frame.objects.get()
    assert frame.name == "sales"
    pd.testing.assert_frame_equal(data_of(frame), FRAME, check_dtype=False)


def test_decimal_commas_are_numbers(at):
    send(at, "a.csv", b"Ort;Umsatz;PLZ\nx;1.234,50;01234\ny;-2,5;80331\nz;;1\n")
    data = data_of(Frame.objects.get())
    assert data["Umsatz"].tolist()[:2] == [1234.5, -2.5]
    assert data["PLZ"].tolist() == ["01234", "80331", "1"]


def test_steps_end_at_the_frame(at):
    answer = send(at, "a.csv", written("csv"), steps=True)
    assert answer["Content-Type"] == uploads.STEPS
    assert answer["X-Accel-Buffering"] == "no"
    steps = steps_of(answer)
    frame = Frame.objects.get()
    assert steps[-2:] == [{"step": "opening"}, {"location": frame.get_absolute_url()}]


def test_steps_say_how_much_is_read(at, monkeypatch):
    content = b"a,b\n" + b"1,2\n" * 500_000
    steps = steps_of(send(at, "a.csv", content, steps=True))
    done = [step["done"] for step in steps if step.get("step") == "reading"]
    assert done and done == sorted(done) and max(done) <= 1


def test_visitor_who_sends_a_file_keeps_the_frame(client):
    answer = send(client, "a.csv", written("csv"), steps=True)
    location = steps_of(answer)[-1]["location"]
    page = client.get("/frames/")
    assertContains(page, location)
    assert [frame.name for frame in page.context["own"].page] == ["a"]


# Who and how much ---------------------------------------------------------------------


def test_who_has_to_sign_in_does_before_anything_is_read(client, settings):
    settings.FRAMES_LOGIN_REQUIRED = True
    answer = send(client, "a.csv", written("csv"))
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]
    assert not answer.wsgi_request.FILES and not Frame.objects.exists()


def test_token_is_asked_for(ann):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    assert send(strict, "a.csv", written("csv")).status_code == 403
    assert not Frame.objects.exists()


def test_get_makes_nothing(at):
    assertRedirects(at.get(UPLOAD), "/frames/")


def test_file_that_is_too_large_is_not_read(at, settings, monkeypatch):
    settings.FRAMES_MAX_UPLOAD_MB = 1
    monkeypatch.setattr(uploads, "_receive", None)
    answer = send(at, "a.csv", b"a\n" * 600_000)
    assertContains(answer, "1.1 MB, and may have 1 MB", status_code=413)
    assertContains(answer, "FRAMES_MAX_UPLOAD_MB", status_code=413)


@pytest.mark.parametrize(
    "limit, text", [("COUNT", "frame number 1"), ("CELLS", "2 rows x 2 columns")]
)
@pytest.mark.parametrize("steps", [True, False])
def test_frame_over_the_limit_is_explained(at, settings, stored, steps, limit, text):
    setattr(settings, f"FRAMES_MAX_{limit}", 0)
    answer = send(at, "a.csv", written("csv"), steps=steps)
    if steps:
        assert text in steps_of(answer)[-1]["problem"]
    else:
        assertContains(answer, text, status_code=413)
    assert not Frame.objects.exists() and stored.names() == set()


# Bad files ----------------------------------------------------------------------------

BAD = [
    ("a.csv", b"", "a.csv is empty"),
    ("a.exe", b"MZ", "its name should end with one of .csv"),
    ("a.csv", b"a,b\n1,2\n1,2,3\n", "Line 3 has 3 values, and there are 2 columns."),
    ("a.csv", b"\0\1\2", "a.csv is called .csv, and its content is something else."),
    ("a.xlsx", b"a,b\n", "a.xlsx is called .xlsx, and its content is something else."),
    ("a.xls", b"a,b\n", "a.xls is called .xls, and its content is something else."),
    ("a.parquet", b"PAR1", "its content is something else."),
    ("a.feather", b"no", "its content is something else."),
    ("a.json", b"{", "a.json is no JSON file that can be read"),
    ("a.jsonl", b"{}\n{", "is no file of JSON lines that can be read"),
    ("a.zip", b"PK", "a.zip is no zip archive that can be read"),
    ("a.zip", zipped({}), "a.zip has 0 files in it"),
    ("a.zip", zipped({"a.csv": "a", "b.csv": "b"}), "a.zip has 2 files in it"),
    ("a.zip", zipped({"a.exe": "a"}), "a.exe cannot be read"),
    ("a.zip", zipped({"a.csv": ""}), "a.csv is empty"),
]


@pytest.mark.parametrize("steps", [True, False])
@pytest.mark.parametrize(
    "name, content, reason", BAD, ids=[f"{name}, {reason}" for name, _, reason in BAD]
)
def test_bad_file_is_explained_and_gone(at, stored, name, content, reason, steps):
    answer = send(at, name, content, steps=steps)
    if steps:
        assert reason in steps_of(answer)[-1]["problem"]
    else:
        assert answer.status_code == 400
        assertContains(answer, reason, status_code=400)
    assert not Frame.objects.exists()
    assert stored.names() == set() and waiting() == []


def test_nothing_sent(at):
    assertContains(at.post(UPLOAD), "No file was sent.", status_code=400)


def test_archive_that_is_larger_than_it_says(at, settings):
    settings.FRAMES_MAX_UPLOAD_MB = 1
    answer = send(at, "a.zip", zipped({"a.csv": "a\n" + "1\n" * 6_000_000}))
    assertContains(answer, "a.csv would be more than 10.0 MB", status_code=413)


def test_failure_that_nobody_has_foreseen_tells_where_the_log_says_more(
    at, monkeypatch, caplog
):
    def fail(*args):
        raise OSError("/secret/path")

    monkeypatch.setattr(uploads, "open_data", fail)
    answer = send(at, "a.csv", written("csv"), steps=True)
    problem = steps_of(answer)[-1]["problem"]
    assert "request " in problem and "secret" not in problem
    assert "/secret/path" in caplog.text


# Cancelled ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", ["reading", "opening", "location"])
def test_who_goes_leaves_nothing_behind(at, stored, monkeypatch, after):
    answer = send(at, "a.csv", b"a,b\n" + b"1,2\n" * 300_000, steps=True)
    lines = iter(answer)
    for line in lines:
        if after in line.decode():
            break
    else:
        pytest.fail(f"no step {after}")
    answer.close()
    assert not Frame.objects.exists() and stored.names() == set()


# Questions ----------------------------------------------------------------------------

FRENCH = "nom;prix\né;1,5\nœ;2,5\n".encode("cp1252")


def ask(at, name="a.csv", content=FRENCH, **fields):
    answer = send(at, name, content, **fields)
    assert answer["Location"].startswith(UPLOAD)
    return answer["Location"]


def test_what_is_not_sure_is_shown_first(at):
    path = ask(at)
    assert not Frame.objects.exists() and len(waiting()) == 1
    page = at.get(path)
    assertContains(page, "It is not in UTF-8 (line 2)")
    for text in ("nom", "é", "œ", "1.5", "numbers"):
        assertContains(page, text)
    options = {
        name: page.context["form"][name].value() for name in page.context["form"].fields
    }
    assert options == {"sep": ";", "decimal": ",", "encoding": "cp1252", "header": True}
    answer = at.post(path, {**options, "open": ""})
    frame = Frame.objects.get()
    assertRedirects(answer, frame.get_absolute_url(), fetch_redirect_response=False)
    assert data_of(frame).values.tolist() == [["é", 1.5], ["œ", 2.5]]
    assert waiting() == []
    assert at.get(path).status_code == 404


def test_correction(at):
    path = ask(at, content=b"1,2\n3,4\n")
    options = {"sep": ",", "decimal": ".", "encoding": "utf-8"}
    page = at.post(path, {**options, "show": ""})
    assertContains(page, "column_2")
    page = at.post(path, {**options, "show": "", "header": "on"})
    assert page.context["rows"] == [["3", "4"]]
    steps = at.post(path, {**options, "open": ""}, headers={"Accept": uploads.STEPS})
    assert "location" in steps_of(steps)[-1]
    assert data_of(Frame.objects.get()).values.tolist() == [[1, 2], [3, 4]]
    assert waiting() == []


def test_check_before_opening(at):
    path = ask(at, content=written("csv"), check="on")
    assertContains(at.get(path), "The first rows")


def test_sheets(at):
    other = pd.DataFrame({"c": [3]})
    path = ask(at, "a.xlsx", excel(first=FRAME, second=other))
    assertContains(at.get(path), "It has several sheets")
    page = at.post(path, {"sheet": "second", "show": ""})
    assert page.context["columns"] == [["c", "numbers"]]
    assert at.post(path, {"sheet": "third", "open": ""}).status_code == 200
    at.post(path, {"sheet": "second", "open": ""})
    assert data_of(Frame.objects.get())["c"].tolist() == [3]


def test_wrong_correction_is_explained_and_can_be_corrected(at):
    path = ask(at)
    options = {"sep": ";", "decimal": ",", "header": "on"}
    page = at.post(path, {**options, "encoding": "utf-8", "open": ""})
    assertContains(page, "line 2 is not in the encoding utf-8")
    assert not Frame.objects.exists() and len(waiting()) == 1
    at.post(path, {**options, "encoding": "cp1252", "open": ""})
    assert Frame.objects.count() == 1


@pytest.mark.parametrize("field", ["sep", "decimal", "encoding"])
def test_options_are_those_of_the_form(at, field):
    path = ask(at)
    options = {"sep": ";", "decimal": ",", "encoding": "cp1252", field: "rot13"}
    assertContains(
        at.post(path, {**options, "open": ""}), "is not one of the available"
    )
    assert not Frame.objects.exists()


def test_given_up(at):
    path = ask(at)
    page = at.post(path, {"discard": ""}, follow=True)
    assertContains(page, "The file was not opened, and is gone.")
    assert waiting() == [] and at.get(path).status_code == 404


def test_file_that_waits_is_its_owners_alone(at, bob):
    path = ask(at)
    other = Client()
    assert other.get(path).status_code == 404
    other.force_login(bob)
    for data in (None, {"discard": ""}, {"open": ""}):
        answer = other.get(path) if data is None else other.post(path, data)
        assert answer.status_code == 404
    assert at.get(path[:-2] + "x/").status_code == 404
    assert at.get(f"{UPLOAD}..%2F..%2Fdb.sqlite3/").status_code == 404
    assert len(waiting()) == 1


def test_few_files_wait_of_one_person(at, ann):
    paths = [ask(at) for _ in range(pending.MAX_FILES + 1)]
    assert len(waiting()) == pending.MAX_FILES
    assert at.get(paths[0]).status_code == 404
    assert at.get(paths[-1]).status_code == 200


def test_file_does_not_wait_for_ever(at, monkeypatch):
    path = ask(at)
    printed = io.StringIO()
    call_command("purge_frames", stdout=printed, stderr=io.StringIO())
    assert "0 uploads" in printed.getvalue() and len(waiting()) == 1
    now = timezone.now() + timedelta(hours=25)
    monkeypatch.setattr(timezone, "now", lambda: now)
    call_command("purge_frames", dry_run=True, stdout=printed, stderr=io.StringIO())
    assert "1 uploads" in printed.getvalue() and len(waiting()) == 1
    call_command("purge_frames", stdout=io.StringIO(), stderr=io.StringIO())
    assert waiting() == [] and at.get(path).status_code == 404


def test_files_that_wait_are_private(at):
    ask(at)
    if isinstance(storages["frames"], FileSystemStorage) and os.name == "posix":
        assert Path(storages["frames"].location).stat().st_mode & 0o077 == 0


def test_directory_tells_nothing_of_a_visitor(client, stored):
    ask(client)
    token = client.session["frames_visitor"]
    assert token not in waiting()[0]
    here = Workspace(None, client.session)
    assert pending._directory(here.owner()) in waiting()[0]
