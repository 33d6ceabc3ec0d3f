"""People stay signed in during an outage, and when sessions move to Django's table."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.contrib.sessions.serializers import JSONSerializer
from django.core import signing
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

pytestmark = pytest.mark.django_db

SIGNED_IN = "Signed in as <strong>ann</strong>"


def test_session_of_a_deleted_user_is_invalid(client, ann):
    client.force_login(ann)
    ann.delete()
    assertNotContains(client.get("/"), "Signed in as")


def test_password_change_ends_other_sessions(client, ann):
    client.force_login(ann)
    assertContains(client.get("/"), SIGNED_IN)
    ann.set_password("another")
    ann.save()
    assertNotContains(client.get("/"), "Signed in as")


def test_expired_session_is_invalid_and_can_be_cleared(client, ann):
    client.force_login(ann)
    Session.objects.update(expire_date=timezone.now())
    assertNotContains(client.get("/"), "Signed in as")
    call_command("clearsessions")
    assert not Session.objects.exists()


# An outage ----------------------------------------------------------------------------


@pytest.fixture
def saving(monkeypatch, settings):
    """Save the session in each request. Return a function to replace Session.save."""
    settings.SESSION_SAVE_EVERY_REQUEST = True
    settings.DEBUG = False
    return lambda save: monkeypatch.setattr(Session, "save", save)


@pytest.mark.parametrize("path", ["/", "/frames/tokens/", "DTALE"])
def test_database_outage_does_not_sign_users_out(owner, frame, saving, path):
    """Django itself would respond with 400, as if the session had been deleted."""

    def fail(*args, **options):
        raise OperationalError("down")

    saving(fail)
    path = path.replace("DTALE", frame.get_absolute_url())
    answer = owner.browser.get(path)
    assert answer.status_code == 503
    assert "The database is not responding." in answer.text
    assert "Set-Cookie" not in answer.headers


def test_session_deleted_during_a_request_is_not_an_outage(owner, saving):
    save = Session.save

    def delete_first(self, *args, **options):
        Session.objects.all().delete()
        save(self, *args, **options)

    saving(delete_first)
    assert owner.browser.get("/").status_code == 400


# The migration ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_sessions_of_the_previous_engine_are_migrated(client, ann):
    """Version 0.4 stored sessions in a table of the app `accounts`."""
    before, after = (
        [("accounts", "0002_signintry")],
        [("accounts", "0003_django_sessions")],
    )
    client.force_login(ann)
    data = signing.dumps(
        dict(client.session),
        salt="django.contrib.sessions.SessionStore",
        serializer=JSONSerializer,
        compress=True,
    )
    key = client.cookies["sessionid"].value
    Session.objects.all().delete()
    MigrationExecutor(connection).migrate(before)
    try:
        state = MigrationExecutor(connection).loader.project_state(before)
        state.apps.get_model("accounts", "Session").objects.create(
            session_key=key,
            session_data=data,
            expire_date=timezone.now() + timedelta(days=1),
            user_id=ann.pk,
        )
    finally:
        MigrationExecutor(connection).migrate(after)
    assertContains(client.get("/"), SIGNED_IN)
