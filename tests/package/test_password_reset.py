"""Users can reset a forgotten password by e-mail."""

import importlib
import re
import threading

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import clear_url_caches, set_script_prefix
from django.utils.translation import override
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts import forms, urls
from accounts.models import SignInTry

from .test_accounts import PASSWORD, sign_in

pytestmark = pytest.mark.django_db

NEW = "another horse battery"
PAGE = "/accounts/password_reset/"


@pytest.fixture
def ann(user):
    return user("ann", email="ann@example.com", password=PASSWORD)


def ask(client, email="ann@example.com", **options):
    """Request a reset link, and wait until the background threads have sent it."""
    before = set(threading.enumerate())
    response = client.post(PAGE, {"email": email}, **options)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    return response


def link_in(message):
    return re.search(r"http://testserver(/accounts/reset/\S+)", message.body)[1]


def test_user_can_reset_a_forgotten_password(client, ann, settings, mailoutbox):
    assertContains(client.get("/accounts/login/"), f'href="{PAGE}"')
    assertContains(client.get(PAGE), "<h1>Reset password</h1>")
    assertRedirects(ask(client), f"{PAGE}done/")
    [message] = mailoutbox
    assert message.to == ["ann@example.com"]
    assert message.subject == f"Password reset for {settings.SITE_NAME}"
    page = client.get(link_in(message), follow=True)
    assertContains(page, "<strong>ann</strong>")
    response = client.post(
        page.redirect_chain[-1][0],
        {"new_password1": NEW, "new_password2": NEW},
        follow=True,
    )
    assertContains(response, "<h1>Password changed</h1>")
    assertContains(sign_in(Client()), "Please enter a correct")
    assertRedirects(sign_in(Client(), password=NEW), "/")
    again = client.get(link_in(message), follow=True)
    assertContains(again, "This link has expired or was already used.")


def test_response_does_not_reveal_who_has_an_account(client, ann, user, mailoutbox):
    user("eve", email="eve@example.com")  # Eve does not have a password on this site.
    known = ask(client)
    for email in ("nobody@example.com", "eve@example.com"):
        unknown = ask(client, email)
        assert unknown.status_code == known.status_code
        assert unknown.headers.items() == known.headers.items()
    assert len(mailoutbox) == 1


def test_response_does_not_wait_for_the_mail_server(client, ann, monkeypatch):
    waited = threading.Event()
    sent_by = []

    def send(self):
        waited.wait(10)
        sent_by.append(threading.current_thread())

    monkeypatch.setattr(EmailMessage, "send", send)
    before = set(threading.enumerate())
    assertRedirects(client.post(PAGE, {"email": ann.email}), f"{PAGE}done/")
    assert sent_by == []
    waited.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert len(sent_by) == 1


def test_mail_server_failure_is_logged(client, ann, monkeypatch, caplog):
    monkeypatch.setattr(EmailMessage, "send", lambda self: 1 / 0)
    assertRedirects(ask(client), f"{PAGE}done/")
    assert f"of user {ann.pk} could not be sent" in caplog.text


def test_message_uses_the_script_prefix_and_language(ann, rf, mailoutbox):
    set_script_prefix("/tools/")
    form = forms.PasswordResetForm({"email": ann.email})
    assert form.is_valid()
    before = set(threading.enumerate())
    with override("de"):
        form.save(
            request=rf.get("/"),
            email_template_name="registration/password_reset_email.html",
            subject_template_name="registration/password_reset_subject.txt",
        )
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    [message] = mailoutbox
    assert "http://testserver/tools/accounts/reset/" in message.body
    assert "Neues Passwort" in message.subject


def test_reset_requests_are_rate_limited(client, ann, settings, mailoutbox):
    for _ in range(settings.SIGN_IN_TRIES):
        assert ask(client).status_code == 302
    for email in ("ann@example.com", "ANN@example.com"):
        response = ask(client, email)
        assertContains(response, "<h1>Too many attempts</h1>", status_code=429)
    assert len(mailoutbox) == settings.SIGN_IN_TRIES
    assertRedirects(ask(client, "bob@example.com"), f"{PAGE}done/")
    elsewhere = ask(Client(REMOTE_ADDR="192.0.2.1"))
    assertRedirects(elsewhere, f"{PAGE}done/")
    # A user who remembers the password can still sign in.
    assertRedirects(sign_in(client), "/")


def test_requests_for_many_emails_are_limited_per_ip_address(client, settings):
    settings.SIGN_IN_TRIES_OF_ADDRESS = 4
    for number in range(4):
        assert ask(client, f"nobody-{number}@example.com").status_code == 302
    assert ask(client, "nobody@example.com").status_code == 429
    assert SignInTry.objects.count() == 4


def test_page_is_not_found_without_email(client, settings):
    try:
        settings.SENDS_EMAIL = False
        importlib.reload(urls)
        reload_root(settings)
        assert client.get(PAGE).status_code == 404
        page = client.get("/accounts/login/")
        assertNotContains(page, "Forgot your password?")
    finally:
        settings.SENDS_EMAIL = True
        importlib.reload(urls)
        reload_root(settings)


def reload_root(settings):
    importlib.reload(importlib.import_module(settings.ROOT_URLCONF))
    clear_url_caches()
