"""Access tokens have a scope, which limits what programs can do, and can expire."""

from datetime import timedelta
from io import BytesIO

import pandas as pd
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale.models import Frame
from django_dtale.models.tokens import Scope, Token

pytestmark = pytest.mark.django_db
TOKENS = "/frames/tokens/"


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def push(token):
    """Push a table with a token, as a program does."""
    return Client(enforce_csrf_checks=True).post(
        "/frames/push/?name=sales.csv",
        b"a\n1\n",
        content_type="text/csv",
        headers=bearer(token),
    )


def read(token, frame, kind="csv", client=None):
    """Download a table with a token, as a program does."""
    client = client or Client()
    answer = client.get(f"/frames/{frame.pk}/{kind}/", headers=bearer(token))
    answer.body = b"".join(answer)  # This closes the file.
    return answer


def expire(name="old"):
    """Set the expiry of a token to yesterday."""
    Token.objects.filter(name=name).update(
        expires_at=timezone.now() - timedelta(days=1)
    )


# Scope --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scope, pushed, downloaded",
    [(Scope.WRITE, 201, 403), (Scope.READ, 403, 200), (Scope.READ_WRITE, 201, 200)],
)
def test_scope_limits_what_a_program_can_do(ann, frame, scope, pushed, downloaded):
    token = Token.objects.create_token(ann, "job", scope)
    for answer, status, label in (
        (push(token), pushed, "“Create tables”"),
        (read(token, frame), downloaded, "“Read tables”"),
    ):
        assert answer.status_code == status
        if status == 403:
            error = answer.json()["error"]
            assert label in error and TOKENS in error
    assert Frame.objects.exclude(pk=frame.pk).exists() == (pushed == 201)


def test_programs_read_tables_as_csv_and_parquet(ann, frame):
    token = Token.objects.create_token(ann, "job", Scope.READ)
    answer = read(token, frame)
    assert answer.body.decode().splitlines() == ["a,b", "1,4", "2,5", "3,6"]
    assert not answer.cookies and "no-store" in answer.headers["Cache-Control"]
    data = pd.read_parquet(BytesIO(read(token, frame, "parquet").body))
    assert data.to_dict("list") == {"a": [1, 2, 3], "b": [4, 5, 6]}


def test_programs_read_only_tables_that_the_user_can_see(ann, bob, publish):
    token = Token.objects.create_token(ann, "job", Scope.READ)
    shared, hidden = publish(bob, shared_with=[ann]), publish(bob)
    assert read(token, shared).status_code == 200
    answer = read(token, hidden)
    assert answer.status_code == 404 and "not shared" in answer.json()["error"]
    # A session of another user must not count.
    client = Client()
    client.force_login(bob)
    assert read(token, hidden, client=client).status_code == 404


def test_reading_requires_a_valid_token_and_an_active_user(ann, frame):
    token = Token.objects.create_token(ann, "job", Scope.READ)
    assert read(f"{token}x", frame).status_code == 401
    ann.is_active = False
    ann.save()
    answer = read(token, frame)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_policy_applies_to_reading(ann, frame, dtale_settings):
    token = Token.objects.create_token(ann, "job", Scope.READ)
    dtale_settings.USER_CAN_USE_FRAMES = lambda user: False
    answer = read(token, frame)
    assert answer.status_code == 403 and "does not have access" in answer.text


def test_bearer_token_of_a_proxy_is_ignored(owner, frame):
    path = f"/frames/{frame.pk}/csv/"
    answer = owner.browser.get(path, headers=bearer("eyJhbGciOiJub25lIn0.e30."))
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [TOKENS, "/frames/PK/share/", "MAIN"])
def test_token_opens_no_pages(visitor, ann, frame, dtale_settings, path):
    dtale_settings.LOGIN_REQUIRED = True
    token = Token.objects.create_token(ann, "job", Scope.READ_WRITE)
    path = path.replace("PK", str(frame.pk)).replace("MAIN", frame.get_absolute_url())
    answer = visitor().browser.get(path, headers=bearer(token))
    assert answer.status_code == 302 and "/accounts/login/" in answer.location


# Expiry -------------------------------------------------------------------------------


def test_expired_token_is_refused_and_the_error_says_so(ann, frame):
    token = Token.objects.create_token(ann, "old", Scope.READ_WRITE, days=30)
    assert push(token).status_code == 201
    assert read(token, frame).status_code == 200
    expire()
    for answer in push(token), read(token, frame):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        error = answer.json()["error"]
        assert "expired on" in error and TOKENS in error


@pytest.mark.parametrize(
    "limit, offered",
    [
        (0, ["30", "90", "365", ""]),
        (7, ["7"]),
        (60, ["30", "60"]),
        (90, ["30", "90"]),
        (1000, ["30", "90", "365"]),
    ],
)
def test_page_offers_lifetimes_up_to_the_limit(
    client, ann, dtale_settings, limit, offered
):
    client.force_login(ann)
    dtale_settings.MAX_TOKEN_DAYS = limit
    page = client.get(TOKENS).text
    select = page.partition('<select name="days"')[2].partition("</select>")[0]
    assert [part.partition('"')[0] for part in select.split('value="')[1:]] == offered
    for days in "30", "365", "":
        client.post(TOKENS, {"name": f"days={days}", "days": days})
        exists = Token.objects.filter(name=f"days={days}").exists()
        assert exists == (days in offered)


def test_lifetime_that_was_chosen_is_stored(client, ann):
    client.force_login(ann)
    form = {"name": "job", "scope": "read", "days": "30"}
    page = client.post(TOKENS, form)
    assertContains(page, "pd.read_parquet(")
    assertNotContains(page, "requests.post(")
    token = Token.objects.get()
    left = token.expires_at - timezone.now()
    assert timedelta(days=29) < left <= timedelta(days=30)
    assert token.scope == Scope.READ


def test_form_without_scope_and_lifetime_creates_a_token_as_before(client, ann):
    """Existing scripts send this form with only a name."""
    client.force_login(ann)
    assertContains(client.post(TOKENS, {"name": "job"}), "requests.post(")
    token = Token.objects.get()
    assert (token.scope, token.expires_at) == (Scope.WRITE, None)


@pytest.mark.parametrize("wrong", [{"scope": "admin"}, {"days": "31"}, {"days": "x"}])
def test_invalid_choice_creates_no_token(client, ann, wrong):
    client.force_login(ann)
    page = client.post(TOKENS, {"name": "job", **wrong})
    assertContains(page, "Select a valid choice.")
    assert not Token.objects.exists()


def test_pages_show_scope_and_expiry(client, ann, admin_client):
    Token.objects.create_token(ann, "old", Scope.READ, days=30)
    expire()
    client.force_login(ann)
    page = client.get(TOKENS)
    for text in ("Read tables,", ">Expired<", "expired on"):
        assertContains(page, text)
    Token.objects.update(expires_at=timezone.now() + timedelta(days=1))
    page = client.get(TOKENS)
    assertContains(page, "expires on")
    assertNotContains(page, ">Expired<")
    Token.objects.update(expires_at=None)
    assertContains(client.get(TOKENS), "never expires")
    pk = Token.objects.get().pk
    for path in "", f"{pk}/change/":
        page = admin_client.get(f"/admin/frames/token/{path}")
        assertContains(page, "Read tables")
        assertContains(page, "Expires")


def test_page_is_translated(client, ann):
    Token.objects.create_token(ann, "old", days=30)
    expire()
    client.force_login(ann)
    page = client.get(TOKENS, HTTP_ACCEPT_LANGUAGE="de")
    for text in ("Läuft ab", "In 1 Jahr", "Tabellen lesen", "Abgelaufen"):
        assertContains(page, text)


# The update ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_existing_tokens_keep_their_rights_and_never_expire(client, ann, publish):
    """Before this update, programs could only create tables."""
    before = [("frames", "0004_field_names")]
    after = MigrationExecutor(connection).loader.graph.leaf_nodes("frames")
    token, frame = Token.objects.create_token(ann, "job"), publish(ann)
    key_hash = Token.objects.get().key_hash
    Token.objects.all().delete()
    MigrationExecutor(connection).migrate(before)
    try:
        state = MigrationExecutor(connection).loader.project_state(before)
        state.apps.get_model("frames", "Token").objects.create(
            user_id=ann.pk, name="job", key_hash=key_hash
        )
    finally:
        MigrationExecutor(connection).migrate(after)
    assert push(token).status_code == 201
    assert read(token, frame).status_code == 403
    client.force_login(ann)
    page = client.get(TOKENS)
    assertContains(page, "Create tables,")
    assertContains(page, "never expires")
