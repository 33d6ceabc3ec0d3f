"""Another password for who has forgotten theirs, by e-mail."""

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
    """Ask for a link, and wait until what is sent because of it has been sent."""
    before = set(threading.enumerate())
    response = client.post(PAGE, {"email": email}, **options)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    return response


def link_in(message):
    return re.search(r"http://testserver(/accounts/reset/\S+)", message.body)[1]


def test_from_the_login_page_to_another_password(client, ann, settings, mailoutbox):
    assertContains(client.get("/accounts/login/"), f'href="{PAGE}"')
    assertContains(client.get(PAGE), "<h1>Forgotten password</h1>")
    assertRedirects(ask(client), f"{PAGE}done/")
    [message] = mailoutbox
    assert message.to == ["ann@example.com"]
    assert message.subject == f"Another password for {settings.SITE_NAME}"
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
    assertContains(again, "This link is too old, or was used already.")


def test_nobody_learns_who_has_an_account(client, ann, user, mailoutbox):
    user("eve", email="eve@example.com")  # Signs in elsewhere: she has no password.
    known = ask(client)
    for email in ("nobody@example.com", "eve@example.com"):
        unknown = ask(client, email)
        assert unknown.status_code == known.status_code
        assert unknown.headers.items() == known.headers.items()
    assert len(mailoutbox) == 1


def test_the_answer_does_not_wait_for_the_mail_server(client, ann, monkeypatch):
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


def test_a_mail_server_that_is_down_is_logged(client, ann, monkeypatch, caplog):
    monkeypatch.setattr(EmailMessage, "send", lambda self: 1 / 0)
    assertRedirects(ask(client), f"{PAGE}done/")
    assert f"reached user {ann.pk}" in caplog.text


def test_the_message_knows_the_path_and_the_language(ann, rf, mailoutbox):
    set_script_prefix("/tools/")
    form = forms.PasswordResetForm({"email": ann.email})
    assert form.is_valid()
    before = set(threading.enumerate())
    with override("de"):
        form.save(
            request=rf.get("/"),
            email_template_name="accounts/reset_email.txt",
            subject_template_name="accounts/reset_subject.txt",
        )
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    [message] = mailoutbox
    assert "http://testserver/tools/accounts/reset/" in message.body
    assert "Neues Passwort" in message.subject


def test_one_may_not_ask_as_often_as_one_likes(client, ann, settings, mailoutbox):
    for _ in range(settings.SIGN_IN_TRIES):
        assert ask(client).status_code == 302
    for email in ("ann@example.com", "ANN@example.com"):
        response = ask(client, email)
        assertContains(response, "<h1>Too many tries</h1>", status_code=429)
    assert len(mailoutbox) == settings.SIGN_IN_TRIES
    assertRedirects(ask(client, "bob@example.com"), f"{PAGE}done/")
    elsewhere = ask(Client(REMOTE_ADDR="192.0.2.1"))
    assertRedirects(elsewhere, f"{PAGE}done/")
    # Who remembers it after all is not kept out by having asked.
    assertRedirects(sign_in(client), "/")


def test_addresses_that_are_tried_one_after_the_other(client, settings):
    settings.SIGN_IN_TRIES_OF_ADDRESS = 4
    for number in range(4):
        assert ask(client, f"nobody-{number}@example.com").status_code == 302
    assert ask(client, "nobody@example.com").status_code == 429
    assert SignInTry.objects.count() == 4


def test_without_e_mail_there_is_no_such_page(client, settings):
    try:
        settings.SENDS_EMAIL = False
        importlib.reload(urls)
        reload_root(settings)
        assert client.get(PAGE).status_code == 404
        page = client.get("/accounts/login/")
        assertNotContains(page, "Forgotten your password?")
    finally:
        settings.SENDS_EMAIL = True
        importlib.reload(urls)
        reload_root(settings)


def reload_root(settings):
    importlib.reload(importlib.import_module(settings.ROOT_URLCONF))
    clear_url_caches()
