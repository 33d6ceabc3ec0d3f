"""An uploaded file becomes a frame, leads to a question, or is refused and deleted."""

import io
import json
import os
import re
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

from django_dtale.models import Frame
from django_dtale.readers import files
from django_dtale.storage import blobs
from django_dtale.views import steps
from django_dtale.views.uploads import pending, receive
from django_dtale.workspace import Workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("stored")]

UPLOAD = "/frames/upload/"
SCRIPT = {"Accept": steps.NDJSON}
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
    """Return the content of a file of this kind that holds FRAME."""
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


def send(client, name, content, by_script=False, **fields):
    """Upload a file as the form does, or as its script does."""
    data = {"file": SimpleUploadedFile(name, content), **fields}
    return client.post(UPLOAD, data, headers=SCRIPT if by_script else {})


def steps_of(answer):
    return [json.loads(line) for line in answer.streaming_content]


def data_of(frame):
    return blobs.load(frame.payload)


def waiting():
    """Return the paths of all pending uploads. They are directories with files."""
    storage, root = storages["frames"], pending.ROOT
    try:
        owners = storage.listdir(root)[0]
    except FileNotFoundError:
        return []
    found = [
        f"{root}/{owner}/{name}"
        for owner in owners
        for name in storage.listdir(f"{root}/{owner}")[0]
    ]
    assert all(storage.listdir(path)[1] for path in found)
    return found


# Files that open at once --------------------------------------------------------------


def test_form_lists_all_supported_formats():
    assert {*files.READERS, ".zip"} == set(receive.SUFFIXES)


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "xlsx", "parquet", "feather", "json", "jsonl", "ndjson"]
)
def test_every_format_can_be_uploaded(at, ann, suffix):
    answer = send(at, f"Q3 sales.{suffix}", written(suffix))
    frame = Frame.objects.get()
    assertRedirects(answer, frame.get_absolute_url(), fetch_redirect_response=False)
    assert (frame.owner, frame.name) == (ann, "Q3 sales")
    pd.testing.assert_frame_equal(data_of(frame), FRAME, check_dtype=False)
    assert waiting() == []


@pytest.mark.parametrize("name", ["sales.CSV", "sales.parquet.CSV"])
def test_file_extension_is_case_insensitive(at, name):
    send(at, name, written("csv"))
    frame = Frame.objects.get()
    assert f"{frame.name}.CSV" == name
    pd.testing.assert_frame_equal(data_of(frame), FRAME, check_dtype=False)


@pytest.mark.parametrize("values", [["a", None], [["a"], None], [{"k": "a"}, None]])
def test_column_of_objects_is_shown(at, values):
    file = BytesIO()
    pd.DataFrame({"a": values, "b": [True, None]}).to_parquet(file)
    send(at, "a.parquet", file.getvalue())
    assert len(data_of(Frame.objects.get())) == 2


def test_zip_archive_is_unpacked(at):
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


def test_steps_end_with_the_url_of_the_frame(at):
    answer = send(at, "a.csv", written("csv"), by_script=True)
    assert answer["Content-Type"] == steps.NDJSON
    assert answer["X-Accel-Buffering"] == "no"
    found = steps_of(answer)
    location = Frame.objects.get().get_absolute_url()
    assert found[-2:] == [{"step": "opening"}, {"location": location}]


def test_steps_report_progress(at, monkeypatch):
    content = b"a,b\n" + b"1,2\n" * 500_000
    found = steps_of(send(at, "a.csv", content, by_script=True))
    done = [step["done"] for step in found if step.get("step") == "reading"]
    assert done and done == sorted(done) and max(done) <= 1


def test_visitor_keeps_the_uploaded_frame(client):
    answer = send(client, "a.csv", written("csv"), by_script=True)
    location = steps_of(answer)[-1]["location"]
    page = client.get("/frames/")
    assertContains(page, location)
    assert [frame.name for frame in page.context["own"].page] == ["a"]


# Permissions and limits ---------------------------------------------------------------


def test_sign_in_is_required_before_the_file_is_read(client, dtale_settings):
    dtale_settings.LOGIN_REQUIRED = True
    answer = send(client, "a.csv", written("csv"))
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]
    assert not answer.wsgi_request.FILES and not Frame.objects.exists()


def test_csrf_token_is_required(ann):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    assert send(strict, "a.csv", written("csv")).status_code == 403
    assert not Frame.objects.exists()


def test_get_redirects_to_the_home_page(at):
    assertRedirects(at.get(UPLOAD), "/frames/")


def test_file_that_is_too_large_is_not_read(at, dtale_settings, monkeypatch):
    dtale_settings.MAX_UPLOAD_MB = 1
    monkeypatch.setattr(receive, "_receive", None)
    answer = send(at, "a.csv", b"a\n" * 600_000)
    assertContains(answer, "1.1 MB; the limit is 1 MB", status_code=413)


@pytest.mark.parametrize(
    "limit, text",
    [
        ("COUNT", "You would have 1 tables; the limit is 0."),
        ("CELLS", "2 rows x 2 columns"),
    ],
)
@pytest.mark.parametrize("by_script", [True, False])
def test_frame_over_the_limit_is_explained(
    at, dtale_settings, stored, by_script, limit, text
):
    setattr(dtale_settings, f"MAX_{limit}", 0)
    answer = send(at, "a.csv", written("csv"), by_script=by_script)
    if by_script:
        assert text in steps_of(answer)[-1]["problem"]
    else:
        assertContains(answer, text, status_code=413)
    assert not Frame.objects.exists() and stored.names() == set()


# Bad files ----------------------------------------------------------------------------

BAD = [
    ("a.csv", b"", "a.csv is empty"),
    ("a.exe", b"MZ", "The supported file extensions are .csv"),
    (
        "a.csv",
        b"a,b\n" + b"1,2\n" * 200 + b"1,2,3\n",
        "Line 202 has 3 values, but there are 2 columns.",
    ),
    (
        "a.csv",
        b"\0\1\2",
        "a.csv has the extension .csv, but its content has another format.",
    ),
    ("a.xlsx", b"a,b\n", "a.xlsx has the extension .xlsx, but its content has another"),
    ("a.xls", b"a,b\n", "a.xls has the extension .xls, but its content has another"),
    ("a.parquet", b"PAR1", "its content has another format."),
    ("a.feather", b"no", "its content has another format."),
    ("a.json", b"{", "a.json is not a valid JSON file"),
    ("a.jsonl", b"{}\n{", "is not a valid JSON Lines file"),
    ("a.zip", b"PK", "a.zip is not a valid zip archive"),
    ("a.zip", zipped({}), "a.zip contains no file"),
    ("a.zip", zipped({"a.csv": "", "b.csv": ""}), "a.csv is empty"),
    ("a.zip", zipped({"a.exe": "a"}), "a.exe cannot be read"),
    ("a.zip", zipped({"a.csv": ""}), "a.csv is empty"),
]


@pytest.mark.parametrize("by_script", [True, False])
@pytest.mark.parametrize(
    "name, content, reason", BAD, ids=[f"{name}, {reason}" for name, _, reason in BAD]
)
def test_bad_file_is_explained_and_deleted(
    at, stored, name, content, reason, by_script
):
    answer = send(at, name, content, by_script=by_script)
    if by_script:
        assert reason in steps_of(answer)[-1]["problem"]
    else:
        assert answer.status_code == 400
        assertContains(answer, reason, status_code=400)
    assert not Frame.objects.exists()
    assert stored.names() == set() and waiting() == []


@pytest.mark.parametrize("suffix", ["csv", "tsv", "xls", "xlsx", "parquet"])
@pytest.mark.parametrize(
    "content",
    [written("parquet") + b"\0", zipped({"other": "x"}), b"\x89PNG\r\n\x1a\n\0\0"],
    ids=["damaged", "zip", "picture"],
)
def test_wrong_file_extension_is_explained(at, suffix, content):
    answer = send(at, f"a.{suffix}", content)
    assertContains(answer, f"a.{suffix} has the extension", status_code=400)
    assert not Frame.objects.exists()


@pytest.mark.parametrize("line", [';"x' * 30_000, "x", '"'])
def test_unusual_first_line_is_not_a_server_error(at, line):
    answer = send(at, "a.csv", f"{line}\n1\n".encode())
    assert answer.status_code in (302, 400, 413)
    is_taken = answer.status_code == 302
    assert Frame.objects.count() + len(waiting()) == is_taken


def test_upload_without_a_file_is_refused(at):
    assertContains(at.post(UPLOAD), "No file was uploaded.", status_code=400)


def test_too_large_archive_is_refused(at, dtale_settings):
    dtale_settings.MAX_UPLOAD_MB = 1
    answer = send(at, "a.zip", zipped({"a.csv": "a\n" + "1\n" * 6_000_000}))
    assertContains(answer, "a.zip would take more than 10 MB", status_code=413)


def test_unexpected_error_refers_to_the_log(at, monkeypatch, caplog):
    def fail(*args, **fields):
        raise OSError("/secret/path")

    monkeypatch.setattr(steps, "open_data", fail)
    answer = send(at, "a.csv", written("csv"), by_script=True)
    problem = steps_of(answer)[-1]["problem"]
    assert "request " in problem and "secret" not in problem
    assert "/secret/path" in caplog.text


# Cancelled uploads --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", ["reading", "opening", "location"])
def test_cancelled_upload_leaves_nothing_behind(at, stored, monkeypatch, after):
    answer = send(at, "a.csv", b"a,b\n" + b"1,2\n" * 300_000, by_script=True)
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
    assert answer.status_code == 302, re.sub("<[^>]*>", "", answer.text)[-600:]
    assert answer["Location"].startswith(UPLOAD)
    return answer["Location"]


def test_ambiguous_file_leads_to_a_page(at):
    path = ask(at)
    assert not Frame.objects.exists() and len(waiting()) == 1
    options = options_of(at.get(path))
    answer = at.post(path, {**options, "open": ""})
    frame = Frame.objects.get()
    assertRedirects(answer, frame.get_absolute_url(), fetch_redirect_response=False)
    assert data_of(frame).values.tolist() == [["é", 1.5], ["œ", 2.5]]
    assert waiting() == []
    assert at.get(path).status_code == 404


def options_of(page):
    """Return the values of the form on the page about a file."""
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def test_preview_can_be_requested(at):
    path = ask(at, content=written("csv"), check="on")
    assertContains(at.get(path), "2 rows")


def test_pending_upload_can_be_discarded(at):
    path = ask(at)
    page = at.post(path, {"discard": ""}, follow=True)
    assertContains(page, "The file was not opened, and was deleted from the site.")
    assert waiting() == [] and at.get(path).status_code == 404


def test_pending_upload_is_visible_only_to_its_owner(at, bob):
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


def test_number_of_pending_uploads_is_limited(at, ann):
    paths = [ask(at) for _ in range(pending.MAX_UPLOADS + 1)]
    assert len(waiting()) == pending.MAX_UPLOADS
    assert at.get(paths[0]).status_code == 404
    assert at.get(paths[-1]).status_code == 200


def test_abandoned_upload_is_purged(at, monkeypatch):
    path = ask(at)
    printed = io.StringIO()
    call_command("purge_frames", stdout=printed, stderr=io.StringIO())
    assert "0 abandoned uploads" in printed.getvalue() and len(waiting()) == 1
    now = timezone.now() + timedelta(hours=25)
    monkeypatch.setattr(timezone, "now", lambda: now)
    call_command("purge_frames", dry_run=True, stdout=printed, stderr=io.StringIO())
    assert "1 abandoned uploads" in printed.getvalue() and len(waiting()) == 1
    call_command("purge_frames", stdout=io.StringIO(), stderr=io.StringIO())
    assert waiting() == [] and at.get(path).status_code == 404


def test_directory_of_pending_uploads_is_private(at):
    ask(at)
    if isinstance(storages["frames"], FileSystemStorage) and os.name == "posix":
        assert Path(storages["frames"].location).stat().st_mode & 0o077 == 0


def test_directory_name_does_not_contain_the_visitors_token(client, stored):
    ask(client)
    token = client.session["frames_visitor"]
    assert token not in waiting()[0]
    here = Workspace(None, client.session)
    assert pending._directory(here.owner_fields()) in waiting()[0]


@pytest.mark.parametrize("length", ["x", "-1", "1e3"])
def test_malformed_content_length_is_not_a_server_error(visitor, length):
    answer = visitor().send_file(
        "s.csv", b"a\n1\n", environ_overrides={"CONTENT_LENGTH": length}
    )
    assert answer.status_code in (400, 403)  # Django reads no token from the body.
