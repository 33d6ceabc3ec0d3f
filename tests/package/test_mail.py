"""EMAIL_URL configures e-mail in every supported Django release."""

import base64
import socketserver
import threading

import pytest
from django.core import mail
from django.views.debug import SafeExceptionReporterFilter

from django_dtale.contrib.mail import settings_for

from .test_start import PRODUCTION, python
from .test_variables import start

SMTP = {
    "smtp://mail.example.com": dict(port=25, username="", use_tls=False, use_ssl=False),
    "smtp://[::1]:2525/": dict(host="::1", port=2525, use_tls=False, use_ssl=False),
    "smtp://mail.example.com?tls=True": dict(port=587, use_tls=True, use_ssl=False),
    "smtp://mail.example.com?ssl=1": dict(port=465, use_tls=False, use_ssl=True),
    "submission://lab%40example.com:p%2Fw@mail.example.com": dict(
        host="mail.example.com",
        port=587,
        username="lab@example.com",
        password="p/w",
        use_tls=True,
        use_ssl=False,
        timeout=30,
    ),
    "submission://a@b:p:w@mail.example.com:25?timeout=5": dict(
        host="mail.example.com", port=25, username="a@b", password="p:w", timeout=5
    ),
}


def backend(settings, url):
    """Return the mail backend that Django creates for an EMAIL_URL."""
    for name, value in settings_for(url).items():
        setattr(settings, name, value)
    # Django 5.2 does not have `mailers`, and Django 6.1 deprecates `get_connection`.
    return mail.mailers.default if hasattr(mail, "mailers") else mail.get_connection()


@pytest.mark.parametrize("url", SMTP)
def test_smtp_url_configures_the_backend(settings, url):
    made = backend(settings, url)
    assert made.__module__ == "django.core.mail.backends.smtp"
    assert {name: getattr(made, name) for name in SMTP[url]} == SMTP[url]


def test_console_url_selects_the_console_backend(settings):
    made = backend(settings, "console:")
    assert made.__module__ == "django.core.mail.backends.console"


def send(url):
    """Send a message as in production, and check for deprecation warnings."""
    command = "-W", "default", "manage.py", "sendtestemail", "ann@example.com"
    result = python(*command, **PRODUCTION, EMAIL_URL=url)
    assert result.returncode == 0, result.stderr
    assert "RemovedInDjango" not in result.stderr, result.stderr


@pytest.mark.parametrize("scheme", ["file:", "file://"])
def test_file_url_writes_messages_to_a_directory(tmp_path, scheme):
    directory = tmp_path / "a b"
    send(scheme + directory.as_uri().removeprefix("file://"))
    [file] = directory.iterdir()
    assert "To: ann@example.com" in file.read_text("utf-8")


class MailServer(socketserver.StreamRequestHandler):
    """A minimal SMTP server that accepts messages from one authenticated user."""

    user = b"\0lab@example.com\0p/w"
    received = []

    def handle(self):
        self.answer("220 ready")
        for line in self.rfile:
            verb, _, rest = line.decode().strip().partition(" ")
            if verb.lower() == "ehlo":
                self.answer("250-here", "250 AUTH PLAIN")
            elif verb.lower() == "auth":
                known = base64.b64decode(rest.split()[-1]) == self.user
                self.answer("235 welcome" if known else "535 who are you?")
            elif verb.lower() == "data":
                self.answer("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.received.append(b"".join(lines).decode())
                self.answer("250 thanks")
            elif verb.lower() == "quit":
                return self.answer("221 bye")
            else:
                self.answer("250 fine")

    def answer(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def test_message_reaches_a_mail_server():
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            port = server.server_address[1]
            send(f"smtp://lab%40example.com:p%2Fw@127.0.0.1:{port}")
        finally:
            server.shutdown()
    [message] = MailServer.received
    assert "To: ann@example.com" in message


def test_debug_page_does_not_show_the_password(monkeypatch):
    found = start(monkeypatch, "EMAIL_URL", "submission://lab:s3cret@mail.example.com")
    assert found["SENDS_EMAIL"]
    clean = SafeExceptionReporterFilter().cleanse_setting
    shown = {name: clean(name, found[name]) for name in found if name.isupper()}
    assert "mail.example.com" in str(shown) and "s3cret" not in str(shown)
