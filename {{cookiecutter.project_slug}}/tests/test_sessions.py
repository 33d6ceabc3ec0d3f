"""Who is signed in: Django's rules hold, though session and user are one question."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone

from accounts import middleware
from accounts.models import Session

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client, ann):
    """Ask who sends a request of Ann's browser, as the middleware tells: signed_in()."""
    client.force_login(ann)

    def ask():
        request = RequestFactory().get("/")
        key = client.cookies["sessionid"].value
        request.session = Session.get_session_store_class()(key)
        middleware.AuthenticationMiddleware(lambda request: None).process_request(
            request
        )
        return request

    return ask


def test_one_question(signed_in, ann, django_assert_num_queries):
    request = signed_in()
    with django_assert_num_queries(1):
        assert request.user == ann
        assert request.user.username == "ann" and request.user.is_active is True
        assert request.user.date_joined == ann.date_joined


def test_the_user_is_whole(signed_in, ann):
    ann.refresh_from_db()
    read = signed_in().user
    for field in ann._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(ann, field.attname)


def test_session_names_its_user(signed_in, ann):
    assert Session.objects.get().user == ann


def test_user_who_is_not_active_any_more(signed_in, ann):
    ann.is_active = False
    ann.save()
    assert signed_in().user == AnonymousUser()


def test_password_that_was_changed_elsewhere(signed_in, ann):
    ann.set_password("another")
    ann.save()
    assert signed_in().user == AnonymousUser()


def test_user_who_is_gone(signed_in, ann):
    ann.delete()
    assert signed_in().user == AnonymousUser()
    assert not Session.objects.exists()


def test_session_that_has_expired(signed_in):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert signed_in().user == AnonymousUser()
    call_command("clearsessions")
    assert not Session.objects.exists()


def test_session_that_has_time_left(signed_in, ann):
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=30))
    assert signed_in().user == ann


def test_row_that_names_somebody_else(signed_in, ann, bob):
    """What the session itself says counts: it is signed."""
    Session.objects.update(user=bob)
    assert signed_in().user == ann


def test_signed_out(client, signed_in):
    client.logout()
    assert not Session.objects.exists()


def test_key_that_nobody_gave(client):
    store = Session.get_session_store_class()("a" * 32)
    store["x"] = 1
    store.save()
    assert store.session_key != "a" * 32


def test_another_backend_finds_its_user_itself(signed_in, ann, settings):
    backend = "django.contrib.auth.backends.ModelBackend"
    settings.AUTHENTICATION_BACKENDS = [backend]
    store = Session.get_session_store_class()(Session.objects.get().pk)
    store["_auth_user_backend"] = backend
    store.save()
    assert get_user(signed_in()) == signed_in().user == ann


def test_database_that_is_down_is_no_session_that_is_gone(client, ann, monkeypatch):
    def fail(*args, **options):
        raise OperationalError("down")

    client.force_login(ann)
    session = client.session
    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(Session, "save", fail)
        session.save()
    Session.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
