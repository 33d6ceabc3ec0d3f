"""Serve D-Tale alone, as it comes, on a port of the loopback: what ours is held to.

A generated project's Python runs it: python plain_dtale.py PORT [PREFIX]
"""

import sys

from dtale import global_state
from dtale.app import build_app
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

port, *prefix = sys.argv[1:]
root = f"/{prefix[0]}" if prefix else None
# What ours has set differently.
global_state.set_app_settings({"enable_custom_filters": True, "hide_shutdown": True})
app = build_app(app_root=root, reaper_on=False)
site = DispatcherMiddleware(NotFound(), {root: app}) if root else app
# One process and one thread: one request after the other, nothing at the same time.
run_simple("127.0.0.1", int(port), site, threaded=False)
