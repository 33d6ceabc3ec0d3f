"""Publish the benchmark's frame on the generated site, for a user who is signed in."""

from pathlib import Path

from .sites import run

PUBLISH = """
import pathlib, sys
sys.path.insert(0, {bench!r})
from answer import mixed
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django_dtale import publish
user = get_user_model().objects.get_or_create(username="bench")[0]
client = Client()
client.force_login(user)
frame = publish(mixed({rows}), owner=user)
session = client.cookies[settings.SESSION_COOKIE_NAME]
cookie = f"{{session.key}}={{session.value}}"
pathlib.Path("published").write_text(f"{{cookie}} {{frame.pk}}")
"""


def publish(site, rows):
    """Publish a frame. Return the cookie of its owner's session, and its primary key."""
    code = PUBLISH.format(bench=str(Path(__file__).parent), rows=rows)
    run(site, "manage.py", "shell", "-c", code)
    cookie, pk = told(site, "published").split()
    return cookie, pk


def told(site, name):
    """Return the text of a file that a script has written for the benchmark."""
    path = site.path / name
    text = path.read_text()
    path.unlink()
    return text
