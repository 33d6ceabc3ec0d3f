"""From a program to a frame: tokens, and what is done with what they send."""

import datetime
import re

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from frames import limits
from frames.models import Frame
from frames.tokens import MAX_TOKENS, Token
from frames.unit_of_work import unit_of_work
from frames.workspace import Workspace, bind

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
    return Token.objects.issue(ann, "lab book")


@pytest.fixture
def push(stored, token):
    """Send bytes with a token of Ann's, and return the answer."""

    def push(body, query="", content_type=UNKNOWN, token=token, **headers):
        headers.setdefault("authorization", f"Bearer {token}")
        client = Client(enforce_csrf_checks=True)
        path, options = f"{PUSH}?{query}", {"headers": headers}
        if isinstance(body, dict):
            return client.post(path, body, **options)
        return client.post(path, body, content_type=content_type, **options)

    return push


# What is taken ------------------------------------------------------------------------


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
def test_what_is_pushed_is_the_persons_frame(push, ann, body, options):
    answer = push(body, **options)
    frame = Frame.objects.get()
    assert answer.status_code == 201, answer.text
    assert answer.json() == {
        "url": f"http://testserver{frame.get_absolute_url()}",
        "id": frame.pk,
        "name": "sales",
        "rows": 2,
        "columns": 2,
    }
    assert frame.owner == ann
    with bind(Workspace(ann)), unit_of_work() as unit:
        shown = unit.get(frame.pk).frame
    assert (list(shown["a"]), list(shown["b"])) == ([1, 2], ["x", "y"])


@pytest.mark.parametrize("is_form", [True, False])
def test_it_may_be_larger_than_what_forms_may_send(push, settings, is_form):
    body = b"a\n" + b"1234567890\n" * 100_000
    assert len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if is_form:
        answer = push({"file": SimpleUploadedFile("a.csv", body)})
    else:
        answer = push(body, "name=a.csv")
    assert answer.status_code == 201 and answer.json()["rows"] == 100_000


def test_name_is_not_needed_and_is_made_fit(push):
    assert push(parquet()).json()["name"] == ""
    assert push(parquet(), "name=../a<b>").json()["name"] == "../a_b_"


def test_no_session_and_no_cookie_come_of_it(push):
    answer = push(parquet())
    assert not answer.cookies and "no-store" in answer.headers["Cache-Control"]


# What is refused ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer no", "Basic TOKEN", "Bearer TOKENx"]
)
def test_nothing_without_a_token(push, token, authorization):
    answer = push(
        CSV, "name=a.csv", authorization=authorization.replace("TOKEN", token)
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in answer.json()["error"]
    assert not Frame.objects.exists()


def test_being_signed_in_is_no_token(client, ann):
    client.force_login(ann)
    answer = client.post(PUSH, CSV, content_type="text/csv")
    assert answer.status_code == 401


def test_token_of_somebody_who_may_not_sign_in_is_none(push, ann):
    ann.is_active = False
    ann.save()
    assert push(parquet()).status_code == 401


@pytest.mark.parametrize(
    "body, query, status, text",
    [
        (CSV, "", 415, "Say what kind of file this is"),
        (CSV, "name=sales.xlsx", 415, "Say what kind of file this is"),
        (CSV, "name=sales.parquet", 422, "sales.parquet is called .parquet"),
        (parquet(), "name=sales.csv", 422, "sales.csv is called .csv"),
        (b"\n", "name=a.csv", 422, "a.csv is no CSV file"),
        (b"a,b\n1,2,3\n", "name=a.csv", 422, "Line 2 has 3 values"),
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
def test_what_cannot_be_a_frame_is_refused(push, body, query, status, text):
    answer = push(body, query)
    assert answer.status_code == status
    assert text in answer.json()["error"]
    assert not Frame.objects.exists()


def test_limits_hold(push, settings, monkeypatch):
    settings.FRAMES_MAX_CELLS = 3
    answer = push(CSV, "name=a.csv")
    assert answer.status_code == 413 and "FRAMES_MAX_CELLS" in answer.json()["error"]
    settings.FRAMES_MAX_CELLS, settings.FRAMES_MAX_UPLOAD_MB = 100, 1
    answer = push(b"a\n" * (1 << 20), "name=a.csv")
    assert answer.status_code == 413
    assert "This has 2.0\xa0MB, and may have 1.0\xa0MB" in answer.json()["error"]
    settings.FRAMES_MAX_COUNT = 1
    assert push(parquet()).status_code == 201
    answer = push(parquet())
    assert answer.status_code == 413 and "FRAMES_MAX_COUNT" in answer.json()["error"]
    monkeypatch.setattr(limits, "FRAMES_A_MINUTE", 1)
    assert push(parquet()).status_code == 429
    assert Frame.objects.count() == 1


def test_length_has_to_be_told(push):
    answer = push(b"", "name=a.csv")  # Of which Django's client tells none.
    assert answer.status_code == 411


def test_what_nobody_foresaw_is_a_number_in_the_log(push, monkeypatch, caplog):
    def publish(*args, **kwargs):
        raise OSError("/var/lib/frames is full")

    monkeypatch.setattr("frames.push.publish", publish)
    answer = push(parquet())
    assert answer.status_code == 500
    assert answer.json()["error"].startswith("Something went wrong (request ")
    assert "/var/lib" not in answer.text and "/var/lib" in caplog.text


def test_only_post(client):
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
    assert token not in str(kept) and len(kept["digest"]) == 64
    assert push(parquet(), token=token).status_code == 201


def test_page_tells_when_a_token_was_used(client, ann, token, push):
    client.force_login(ann)
    assertContains(client.get(TOKENS), "never used")
    push(b"", "name=a.csv")  # Also for what was refused.
    assert Token.objects.get().used == datetime.datetime.now(datetime.UTC).date()
    assertContains(client.get(TOKENS), "last used")


def test_revoked_token_is_refused(client, ann, push):
    client.force_login(ann)
    assert push(parquet()).status_code == 201
    answer = client.post(f"{TOKENS}{Token.objects.get().pk}/revoke/")
    assert answer.url == TOKENS
    assert push(parquet()).status_code == 401


def test_nobody_sees_or_revokes_tokens_of_others(client, bob, token):
    client.force_login(bob)
    assertNotContains(client.get(TOKENS), "lab book")
    path = f"{TOKENS}{Token.objects.get().pk}/revoke/"
    assert client.post(path).status_code == 404
    assert Token.objects.exists()


@pytest.mark.parametrize("path", [TOKENS, f"{TOKENS}1/revoke/"])
def test_visitor_signs_in_first(client, path):
    assert client.post(path).url == f"/accounts/login/?next={path}"


def test_tokens_have_a_name_and_a_number(client, ann):
    client.force_login(ann)
    assertContains(client.post(TOKENS, {"name": ""}), "This field is required.")
    for number in range(MAX_TOKENS):
        Token.objects.issue(ann, str(number))
    assertContains(client.post(TOKENS, {"name": "more"}), "Revoke one.")
    assert Token.objects.count() == MAX_TOKENS


def test_admin_revokes_and_sees_no_hash(admin_client, token):
    row = Token.objects.get()
    assertContains(admin_client.get("/admin/frames/token/?q=ann"), "lab book")
    page = admin_client.get(f"/admin/frames/token/{row.pk}/change/")
    assertNotContains(page, row.digest)
    admin_client.post(f"/admin/frames/token/{row.pk}/delete/", {"post": "yes"})
    assert not Token.objects.exists()
