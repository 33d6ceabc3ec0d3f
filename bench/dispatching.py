"""Measure the cost of a dispatcher in front of an application that does nothing.

The generated project's Python runs `dispatching.py ours` or `dispatching.py werkzeug`
in the project's root. The script prints the nanoseconds for each call of the
dispatcher.
"""

import importlib
import sys
import timeit
from pathlib import Path

NUMBER = 100_000


def application(environ, start_response):
    return ()


def ours():
    PathDispatcher = importlib.import_module(
        f"{Path.cwd().name}.dispatcher"
    ).PathDispatcher
    return PathDispatcher(application, lambda prefix: application, "flask")


def werkzeug():
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    return DispatcherMiddleware(application, {"/flask": application})


def main():
    sys.path.insert(0, "")
    dispatcher = {"ours": ours, "werkzeug": werkzeug}[sys.argv[1]]()

    def both():
        for path in ("/admin/login/", "/flask/dtale/main/1"):
            dispatcher({"SCRIPT_NAME": "", "PATH_INFO": path}, None)

    print(min(timeit.repeat(both, number=NUMBER, repeat=5)) / NUMBER / 2 * 1e9)


if __name__ == "__main__":
    main()
