"""Measure requests and tasks of one site in one process. `processes.py` starts it.

The generated project's Python runs `answer.py KIND ROWS` in a site's root. KIND is a
key of KINDS. The script creates a frame with this number of rows and then reads lines
from its standard input. Each line is either a path, which is requested up to ASKED
times, or the name of a task in TASKS, which runs once. For each line, the script prints
the median time in seconds.
"""

import functools
import importlib
import os
import re
import statistics
import sys
import time
from pathlib import Path

ASKED = 15
LONG = 2  # A path that takes longer than this many seconds is requested only once.
FROM_HERE = {"HTTP_SEC_FETCH_SITE": "same-origin"}
DATA = "data/ID?ids=%5B%220-60%22%5D"


def mixed(rows):
    """Return a DataFrame with ten columns of common types."""
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


def dates(rows):
    """Return a DataFrame with ten columns of dates."""
    import pandas as pd

    days = mixed(rows)["day"]
    return pd.DataFrame({f"day {n}": days + pd.Timedelta(n, "h") for n in range(10)})


# Kinds of sites -----------------------------------------------------------------------


class Plain:
    """Plain D-Tale, which keeps its data in a dict."""

    prefix = ""

    def __init__(self):
        from dtale.app import build_app
        from werkzeug.test import Client

        self.client = Client(build_app(app_root="/flask", reaper_on=False))

    def open(self, data, dates=None):
        """Open a DataFrame or a CSV file, and return its ID in D-Tale.

        Args:
            data: a ``pandas.DataFrame``, or the path of a file.
            dates: the columns of the file that pandas has to parse as dates. The
                generated site detects date columns automatically.
        """
        import pandas as pd
        from dtale.views import startup

        if isinstance(data, str):
            data = pd.read_csv(data, parse_dates=dates)
        return startup(data=data, ignore_duplicate=True)._data_id

    def get(self, path, data_id):
        path = f"{self.prefix}/dtale/{path.replace('ID', str(data_id))}"
        answer = self.client.get(path, environ_base=FROM_HERE)
        assert answer.status_code == 200, answer.status
        assert not re.search('"success": ?false', answer.text), answer.text
        return answer


class Generated(Plain):
    """The generated site, requested by a signed-in user."""

    def __init__(self):
        slug = Path.cwd().name
        os.environ["DJANGO_SETTINGS_MODULE"] = f"{slug}.settings"
        application = importlib.import_module(f"{slug}.wsgi").application
        from django.conf import settings
        from django.contrib.auth import get_user_model
        from django.test import Client as DjangoClient
        from django.test import RequestFactory
        from django_dtale.conf import dtale_settings
        from werkzeug.test import Client

        self.user, _ = get_user_model().objects.get_or_create(username="bench")
        login = DjangoClient()
        login.force_login(self.user)
        self.client = Client(application)
        name = settings.SESSION_COOKIE_NAME
        self.client.set_cookie(name, login.cookies[name].value)
        self.prefix = f"/{dtale_settings.PREFIX}"
        self.request = RequestFactory().get("/")
        self.request.user, self.request.session = self.user, login.session

    def open(self, data, dates=None):
        from django_dtale.api import explore
        from django_dtale.readers.dataframe import read_file

        if isinstance(data, str):
            data = read_file(data)
        return explore(self.request, data).url.rpartition("/")[2]


class Ungated(Generated):
    """The generated site's D-Tale without the gateway. The user is still looked up."""

    def __init__(self, find_user=True):
        super().__init__()
        from django.conf import settings
        from django.contrib.auth import get_user
        from django.contrib.sessions.backends.db import SessionStore
        from django.core.handlers.wsgi import WSGIRequest
        from django_dtale.dtale.application import build_dtale
        from django_dtale.unit_of_work import unit_of_work
        from django_dtale.workspace import Workspace, bind

        dtale = build_dtale()

        def user_of(environ):
            request = WSGIRequest(environ)
            key = request.COOKIES[settings.SESSION_COOKIE_NAME]
            request.session = SessionStore(key)
            return get_user(request)

        def application(environ, start_response):
            user = user_of(environ) if find_user else self.user
            environ["SCRIPT_NAME"] = self.prefix
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(self.prefix)
            with bind(Workspace(user)), unit_of_work():
                return list(dtale(environ, start_response))

        self.client.application = application


KINDS = {
    "plain": Plain,
    "generated": Generated,
    "ungated": Ungated,
    "told": functools.partial(Ungated, find_user=False),
}

# Tasks --------------------------------------------------------------------------------


def open_mixed(site, rows, data_id):
    frame = mixed(rows)
    return lambda: site.open(frame)


def open_dates(site, rows, data_id):
    frame = dates(rows)
    return lambda: site.open(frame)


def open_csv(site, rows, data_id, dates=None):
    file = Path(f"bench-{rows}.csv")
    if not file.exists():
        mixed(rows).to_csv(file, index=False)

    def task():
        opened = site.open(str(file), dates)
        site.get("main/ID", opened)
        site.get(DATA, opened)

    return task


def edit_cell(site, rows, data_id):
    numbers = iter(range(10**6))

    def task():
        query = f"col=int&rowIndex={rows // 2}&updated={next(numbers)}"
        site.get(f"edit-cell/ID?{query}", data_id)

    return task


TASKS = {
    "open mixed": open_mixed,
    "open dates": open_dates,
    "open csv": open_csv,
    "open csv, dates": functools.partial(open_csv, dates=["day"]),
    "edit cell": edit_cell,
}


def main():
    sys.path.insert(0, "")
    kind, rows = sys.argv[1], int(sys.argv[2])
    site = KINDS[kind]()
    data_id = site.open(mixed(rows))
    tasks = {}
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name in TASKS:
            if name not in tasks:
                tasks[name] = TASKS[name](site, rows, data_id)
            work, times = tasks[name], 1
        else:
            work, times = functools.partial(site.get, name, data_id), ASKED
        seconds = []
        while len(seconds) < times and sum(seconds) < LONG:
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        print(statistics.median(seconds), flush=True)


if __name__ == "__main__":
    main()
