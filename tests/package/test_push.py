"""Programs push frames with an API token, and a page manages the tokens."""

import datetime
import re

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

import django_dtale
from django_dtale import quotas
from django_dtale.models import Frame, Origin
from django_dtale.models.tokens import MAX_TOKENS, Token
from django_dtale.readers import files
from django_dtale.storage import blobs
from django_dtale.unit_of_work import unit_of_work
from django_dtale.views.push import KINDS
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db
PUSH = "/frames/push/"
TOKENS = "/frames/tokens/"
DATA = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
CSV = DATA.to_csv(index=False).encode()
UNKNOWN = "application/octet-stream"


def parquet(data=DATA):
    return data.to_parquet(index=False)


@pytest.fixture
def token(ann):
    return Token.objects.create_token(ann, "lab book")


@pytest.fixture
def push(stored, token):
    """Return a function that pushes a body with one of Ann's tokens."""

    def push(body, query="", content_type=UNKNOWN, token=token, to="", **headers):
        headers.setdefault("authorization", f"Bearer {token}")
        client = Client(enforce_csrf_checks=True)
        path = f"/frames/{to}/push/?{query}" if to else f"{PUSH}?{query}"
        options = {"headers": headers}
        if isinstance(body, dict):
            return client.post(path, body, **options)
        return client.post(path, body, content_type=content_type, **options)

    return push


# Accepted requests --------------------------------------------------------------------


def test_all_formats_that_can_be_uploaded_can_be_pushed():
    assert set(KINDS) == {*files.READERS, ".zip"}


@pytest.mark.parametrize(
    "body, options",
    [
        (CSV, dict(query="name=sales.csv")),
        (CSV, dict(query="name=sales.CSV", content_type="text/html")),
        (CSV, dict(query="name=sales", content_type="text/csv; charset=utf-8")),
        (CSV.replace(b",", b"\t"), dict(query="name=sales.tsv")),
        (parquet(), dict(query="name=sales.parquet")),
        (parquet(), dict(query="name=sales")),
        (
            parquet(),
            dict(query="name=sales", content_type="application/vnd.apache.parquet"),
        ),
        ({"file": SimpleUploadedFile("sales.csv", CSV)}, {}),
        ({"file": SimpleUploadedFile("x.CSV", CSV)}, dict(query="name=sales")),
        ({"any": SimpleUploadedFile("x.parquet", parquet())}, dict(query="name=sales")),
    ],
)
def test_pushed_data_becomes_a_frame_of_the_user(push, ann, body, options):
    answer = push(body, **options)
    frame = Frame.objects.get()
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "url": f"http://testserver{frame.get_absolute_url()}",
        "id": frame.pk,
        "name": "sales",
        "rows": 2,
        "columns": 2,
        "as_of": frame.data_at.isoformat(),
        "version": 0,
        "notes": [],
    }
    assert frame.owner == ann
    assert (frame.origin, frame.origin_name) == (Origin.PUSH, "lab book")
    with bind(Workspace(ann)), unit_of_work() as unit:
        shown = unit.get(frame.pk).frame
    assert (list(shown["a"]), list(shown["b"])) == ([1, 2], ["x", "y"])


@pytest.mark.parametrize("is_form", [True, False])
def test_body_can_exceed_the_form_size_limit(push, settings, is_form):
    body = b"a\n" + b"1234567890\n" * 100_000
    assert len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if is_form:
        answer = push({"file": SimpleUploadedFile("a.csv", body)})
    else:
        answer = push(body, "name=a.csv")
    assert answer.status_code == 201 and answer.json()["rows"] == 100_000


def test_name_is_optional_and_kept(push):
    assert push(parquet()).json()["name"] == ""
    assert push(parquet(), "name=../a<b>").json()["name"] == "../a<b>"


# New data for a table -----------------------------------------------------------------


def test_replaced_and_appended_data_stay_at_the_same_address(push, ann, bob):
    first = push(parquet(), "name=sales&replace=1")
    frame = Frame.objects.get()
    frame.shared_with.add(bob)
    more = push(parquet(), "name=sales&append=1")
    last = push(parquet(DATA[:1]), "name=sales&replace=true")
    answers = [each.json() for each in (first, more, last)]
    assert [each.status_code for each in (first, more, last)] == [201, 200, 200]
    assert {each["url"] for each in answers} == {answers[0]["url"]}
    assert [each["rows"] for each in answers] == [2, 4, 1]
    assert [each["version"] for each in answers] == [0, 1, 2]
    times = [datetime.datetime.fromisoformat(each["as_of"]) for each in answers]
    assert times == sorted(set(times)) and times[-1].tzinfo
    frame = Frame.objects.get()
    assert list(frame.shared_with.all()) == [bob]
    assert frame.data_at == times[-1]


def test_table_is_updated_by_its_number_whatever_its_name_is(push, frame):
    answer = push(parquet(), to=frame.pk)
    assert (answer.status_code, answer.json()["rows"]) == (200, 2)
    answer = push(CSV, to=frame.pk)
    assert answer.status_code == 415
    Frame.objects.update(name="renamed")
    answer = push(CSV, "append=1", "text/csv", to=frame.pk)
    assert (answer.json()["rows"], answer.json()["name"]) == (4, "renamed")
    assert Frame.objects.get().origin_name == "lab book"


def test_tables_of_other_users_are_not_updated(push, publish, ann, bob):
    shared, hidden = publish(bob, "sales", shared_with=[ann]), publish(bob)
    assert push(parquet(), to=shared.pk).status_code == 403
    assert push(parquet(), to=hidden.pk).status_code == 404
    assert push(parquet(), "name=sales&replace=1").status_code == 201
    # The shared table has the same name, and must not count as taken.
    assert push(parquet(), "name=sales&append=1").json()["rows"] == 4
    assert Frame.objects.filter(name="sales").count() == 2
    assert set(Frame.objects.filter(owner=bob).values_list("rows", flat=True)) == {3}


def test_notes_name_conversions_and_dropped_filters(push, ann):
    lists = pd.DataFrame({"a": [1], "b": [[1]]})
    made = push(parquet(lists), "name=sales&replace=1").json()
    assert ["Column b: lists" in note for note in made["notes"]] == [True]
    with bind(Workspace(ann)), unit_of_work() as unit:
        settings = unit.get(made["id"]).view_state["settings"]
        settings["columnFilters"] = {"a": {"query": "`a` == 1"}}
    answer = push(parquet(DATA[["b"]]), "name=sales&replace=1").json()
    assert answer["notes"] == [
        "The filter of the column a was removed: it does not fit the new data."
    ]


def test_update_remembers_the_last_options(push):
    push(b"a|b\n1|2,5\n", "name=s.csv&replace=1&sep=|&decimal=,")
    options = {"sep": "|", "decimal": ","}
    assert Frame.objects.get().import_options == options
    push(parquet(), "name=s&replace=1")
    assert Frame.objects.get().import_options == options


def test_failed_update_changes_nothing(push, dtale_settings):
    push(parquet(), "name=sales&replace=1")
    dtale_settings.MAX_CELLS = 4
    for mode, data in ("append", DATA), ("replace", pd.concat([DATA, DATA])):
        assert push(parquet(data), f"name=sales&{mode}=1").status_code == 413
    other = push(parquet(DATA.rename(columns={"a": "c"})), "name=sales&append=1")
    assert other.status_code == 422 and "missing: a" in other.json()["error"]
    frame = Frame.objects.get()
    assert (frame.rows, frame.data_version) == (2, 0)


def test_table_created_by_another_push_at_the_same_time_is_replaced(
    push, ann, monkeypatch
):
    save, calls = blobs.save, []

    def slow_save(*args):
        if not calls:
            calls.append(True)
            django_dtale.publish(DATA[:1], owner=ann, name="sales", replace=True)
        return save(*args)

    monkeypatch.setattr(blobs, "save", slow_save)
    answer = push(parquet(), "name=sales&replace=1")
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert Frame.objects.get().rows == 2


@pytest.mark.parametrize(
    "query, text",
    [
        ("name=a&replace=1&append=1", "only one of the parameters"),
        ("replace=1", "send the table's name"),
        ("append=1", "send the table's name"),
        ("name=%20&replace=1", "send the table's name"),
        ("name=a&replace=x", "'x' is not a valid value of the option replace"),
        ("name=a&replaces=1", "There is no parameter replaces"),
    ],
)
def test_unclear_update_is_refused(push, query, text):
    answer = push(parquet(), query)
    assert answer.status_code == 422 and text in answer.json()["error"]
    assert not Frame.objects.exists()


def test_response_sets_no_cookies_and_is_not_cached(push):
    answer = push(parquet())
    assert not answer.cookies and "no-store" in answer.headers["Cache-Control"]


# Refused requests ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer no", "Basic TOKEN", "Bearer TOKENx"]
)
def test_push_without_a_valid_token_is_refused(push, token, authorization):
    answer = push(
        CSV, "name=a.csv", authorization=authorization.replace("TOKEN", token)
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in answer.json()["error"]
    assert not Frame.objects.exists()


def test_session_does_not_replace_a_token(client, ann):
    client.force_login(ann)
    answer = client.post(PUSH, CSV, content_type="text/csv")
    assert answer.status_code == 401


def test_token_of_an_inactive_user_is_refused(push, ann):
    ann.is_active = False
    ann.save()
    assert push(parquet()).status_code == 401


@pytest.mark.parametrize(
    "body, query, status, text",
    [
        (CSV, "", 415, "The format of the file is unknown"),
        (CSV, "name=sales.docx", 415, "The format of the file is unknown"),
        (CSV, "name=sales.xlsx", 422, "sales.xlsx has the extension .xlsx"),
        (CSV, "name=sales.parquet", 422, "sales.parquet has the extension .parquet"),
        (parquet(), "name=sales.csv", 422, "sales.csv has the extension .csv"),
        (b"\n", "name=a.csv", 422, "a.csv is not a valid CSV file"),
        (b"a,b\n1,2,3\n", "name=a.csv", 422, "Line 2 has 3 values"),
        (b"a,b\n" + b"1,2\n" * 300 + b"1,2,3\n", "name=a.csv", 422, "use ?ragged=1."),
        (b"PAR1 and no more", "name=a", 422, "a.parquet"),
        ({}, "name=a.csv", 422, "exactly one file"),
        ({"file": [SimpleUploadedFile("a.csv", CSV)] * 2}, "", 422, "exactly one file"),
        (
            {"a": SimpleUploadedFile("a.csv", CSV), "b": SimpleUploadedFile("b", CSV)},
            "",
            422,
            "exactly one file",
        ),
    ],
)
def test_invalid_data_is_refused(push, body, query, status, text):
    answer = push(body, query)
    assert answer.status_code == status
    assert text in answer.json()["error"]
    assert not Frame.objects.exists()


@pytest.mark.parametrize(
    "body, query, usage, answer",
    [
        (b"a;b\n1;2,345\n", "", "Use ?decimal=. or ?decimal=%2C.", "decimal=%2C"),
        (b"1,2\n3,4\n", "", "Use ?no_header=1 or ?header=1.", "no_header=1"),
        (b"a,b\n1,\xe9\n", "", "Use ?encoding=cp1252.", "encoding=cp1252"),
        (b"a,b\n1,\xe9\n", "encoding=rot13", "is not a valid value", "encoding=cp1252"),
    ],
)
def test_uncertain_data_is_refused_with_the_parameters_that_decide(
    push, body, query, usage, answer
):
    refused = push(body, f"name=a.csv&{query}")
    assert refused.status_code == 422 and usage in refused.json()["error"]
    assert not Frame.objects.exists()
    assert push(body, f"name=a.csv&{answer}").status_code == 201


def test_limits_apply_to_pushes(push, dtale_settings, monkeypatch):
    dtale_settings.MAX_CELLS = 3
    answer = push(CSV, "name=a.csv")
    assert answer.status_code == 413 and "cells, " in answer.json()["error"]
    dtale_settings.MAX_CELLS, dtale_settings.MAX_UPLOAD_MB = 100, 1
    answer = push(b"a\n" * (1 << 20), "name=a.csv")
    assert answer.status_code == 413
    assert "This file has 2\xa0MB; the limit is 1\xa0MB" in answer.json()["error"]
    dtale_settings.MAX_COUNT = 1
    assert push(parquet()).status_code == 201
    answer = push(parquet())
    assert (
        answer.status_code == 413 and "tables; the limit is " in answer.json()["error"]
    )
    monkeypatch.setattr(quotas, "MAX_FRAMES_PER_MINUTE", 1)
    assert push(parquet()).status_code == 429
    assert Frame.objects.count() == 1


def test_content_length_is_required(push):
    answer = push(b"", "name=a.csv")  # Django's client sends no length for this.
    assert answer.status_code == 411


def test_unexpected_error_is_logged_and_refers_to_the_log(push, monkeypatch, caplog):
    def open_data(*args, **kwargs):
        raise OSError("/var/lib/frames is full")

    monkeypatch.setattr("django_dtale.views.push.open_data", open_data)
    answer = push(parquet())
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("Something went wrong (request ")
    assert "/var/lib" not in answer.text and "/var/lib" in caplog.text


def test_get_is_not_allowed(client):
    assert client.get(PUSH).status_code == 405


# The page of tokens -------------------------------------------------------------------


def test_token_is_shown_once_and_only_its_hash_is_kept(client, ann, push):
    client.force_login(ann)
    page = client.post(TOKENS, {"name": "laptop"})
    [token] = set(re.findall(r"dtale_[\w-]{43}", page.text))
    assert "no-store" in page.headers["Cache-Control"]
    page = client.get(TOKENS)
    assertContains(page, "laptop")
    assertNotContains(page, token)
    kept = Token.objects.values().get(name="laptop")
    assert token not in str(kept) and len(kept["key_hash"]) == 64
    assert push(parquet(), token=token).status_code == 201


def test_page_shows_when_a_token_was_last_used(client, ann, token, push):
    client.force_login(ann)
    assertContains(client.get(TOKENS), "never used")
    push(b"", "name=a.csv")  # Refused requests count too.
    assert (
        Token.objects.get().last_used_on == datetime.datetime.now(datetime.UTC).date()
    )
    assertContains(client.get(TOKENS), "last used")


def test_revoked_token_is_refused(client, ann, push):
    client.force_login(ann)
    assert push(parquet()).status_code == 201
    answer = client.post(f"{TOKENS}{Token.objects.get().pk}/revoke/")
    assert answer.url == TOKENS
    assert push(parquet()).status_code == 401


def test_user_cannot_see_or_revoke_tokens_of_another_user(client, bob, token):
    client.force_login(bob)
    assertNotContains(client.get(TOKENS), "lab book")
    path = f"{TOKENS}{Token.objects.get().pk}/revoke/"
    assert client.post(path).status_code == 404
    assert Token.objects.exists()


@pytest.mark.parametrize("path", [TOKENS, f"{TOKENS}1/revoke/"])
def test_token_pages_require_sign_in(client, path):
    assert client.post(path).url == f"/accounts/login/?next={path}"


def test_tokens_require_a_name_and_are_limited_in_number(client, ann):
    client.force_login(ann)
    assertContains(client.post(TOKENS, {"name": ""}), "This field is required.")
    for number in range(MAX_TOKENS):
        Token.objects.create_token(ann, str(number))
    assertContains(client.post(TOKENS, {"name": "more"}), "Revoke one first.")
    assert Token.objects.count() == MAX_TOKENS


def test_admin_can_revoke_tokens_but_not_see_hashes(admin_client, token):
    row = Token.objects.get()
    assertContains(admin_client.get("/admin/frames/token/?q=ann"), "lab book")
    page = admin_client.get(f"/admin/frames/token/{row.pk}/change/")
    assertNotContains(page, row.key_hash)
    admin_client.post(f"/admin/frames/token/{row.pk}/delete/", {"post": "yes"})
    assert not Token.objects.exists()
