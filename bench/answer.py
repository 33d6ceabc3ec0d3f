"""Answers requests in one process and says how long each took; see `frames.py`.

Run by the generated project's Python, in its root: `answer.py KIND ROWS`, and `KINDS`
are below. It makes a frame of so many rows, and then reads paths from its standard
input, a line each: each is asked for ASKED times, and the median time, in seconds, is
printed.
"""

import functools
import importlib
import os
import statistics
import sys
import time
from pathlib import Path

ASKED = 15
FROM_HERE = {"HTTP_SEC_FETCH_SITE": "same-origin"}


def mixed(rows):
    """A frame of ten columns of the common kinds."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(rows)
    words = np.array([f"word {number}" for number in range(1_000)])
    return pd.DataFrame(
        {
            "int": rng.integers(0, 1_000, rows),
            "id": np.arange(rows),
            "float": rng.normal(size=rows),
            "price": rng.gamma(2, 10, rows).round(2),
            "gap": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "text": rng.choice(words, rows),
            "city": rng.choice(["Berlin", "Lima", "Oslo", "Pune"], rows),
            "kind": pd.Categorical(rng.choice(list("abc"), rows)),
            "flag": rng.random(rows) < 0.5,
            "day": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(rng.integers(0, 365, rows), unit="D"),
        }
    )


def plain(rows):
    """D-Tale alone, with its dict of frames: a WSGI client, and the frame's id."""
    from dtale.app import build_app
    from dtale.views import startup
    from werkzeug.test import Client

    client = Client(build_app(app_root="/flask", reaper_on=False))
    return client, "", startup(data=mixed(rows), ignore_duplicate=True)._data_id


def generated(rows):
    """The generated site, asked by a user who is signed in."""
    slug = Path.cwd().name
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{slug}.settings"
    application = importlib.import_module(f"{slug}.wsgi").application
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client as DjangoClient
    from frames.models import Frame
    from werkzeug.test import Client

    user, _ = get_user_model().objects.get_or_create(username="bench")
    login = DjangoClient()
    login.force_login(user)
    client = Client(application)
    name = settings.SESSION_COOKIE_NAME
    client.set_cookie(name, login.cookies[name].value)
    frame = Frame.objects.publish(mixed(rows), owner=user)
    return client, f"/{settings.DTALE_PREFIX}", frame.pk


def ungated(rows, find_user=True):
    """The same D-Tale, which finds the same user as the site does, with no gate."""
    client, prefix, pk = generated(rows)
    from accounts.middleware import get_user
    from accounts.sessions import SessionStore
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.handlers.wsgi import WSGIRequest
    from frames.dtale_app import build_dtale
    from frames.unit_of_work import unit_of_work
    from frames.workspace import Workspace, bind

    dtale = build_dtale()

    def user_of(environ):
        request = WSGIRequest(environ)
        key = request.COOKIES[settings.SESSION_COOKIE_NAME]
        request.session = SessionStore(key)
        return get_user(request)

    known = get_user_model().objects.get(username="bench")

    def application(environ, start_response):
        user = user_of(environ) if find_user else known
        environ["SCRIPT_NAME"] = prefix
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(prefix)
        with bind(Workspace(user)), unit_of_work():
            return list(dtale(environ, start_response))

    client.application = application
    return client, prefix, pk


KINDS = {
    "plain": plain,
    "generated": generated,
    "ungated": ungated,
    "told": functools.partial(ungated, find_user=False),
}


def main():
    sys.path.insert(0, "")
    kind, rows = sys.argv[1], int(sys.argv[2])
    client, prefix, data_id = KINDS[kind](rows)
    print("ready", flush=True)
    for line in sys.stdin:
        path = f"{prefix}/dtale/{line.strip().replace('ID', str(data_id))}"
        seconds = []
        for _ in range(ASKED):
            start = time.perf_counter()
            answer = client.get(path, environ_base=FROM_HERE)
            seconds.append(time.perf_counter() - start)
            assert answer.status_code == 200, answer.status
            assert '"traceback"' not in answer.text, answer.text
        print(statistics.median(seconds), flush=True)


if __name__ == "__main__":
    main()
