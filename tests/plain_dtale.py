"""Serve D-Tale alone, as it comes, on a port of the loopback: what ours is held to.

A generated project's Python runs it: python plain_dtale.py PORT [PREFIX]
"""

import sys

from dtale import global_state, utils
from dtale.app import build_app
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

port, *prefix = sys.argv[1:]
root = f"/{prefix[0]}" if prefix else None


def mended(classify_type, json_float):
    """Return the two functions of ``dtale.utils`` without their bugs, which ours mends:
    unsigned integers were text, intervals were integers, and -inf was inf.
    """

    def classify(name):
        name = (name or "").lower()
        if name.startswith("interval"):
            return "S"
        return classify_type(name[1:] if name.startswith("uint") else name)

    def written(x, *args, **kwargs):
        text = json_float(x, *args, **kwargs)
        return "-inf" if text == "inf" and x < 0 else text

    return {"classify_type": classify, "json_float": written}


# D-Tale's modules have imported them by name.
functions = mended(utils.classify_type, utils.json_float)
for module in [each for name, each in sys.modules.items() if name.startswith("dtale")]:
    for name in functions.keys() & vars(module).keys():
        setattr(module, name, functions[name])
# What ours has set differently.
global_state.set_app_settings({"enable_custom_filters": True, "hide_shutdown": True})
app = build_app(app_root=root, reaper_on=False)
site = DispatcherMiddleware(NotFound(), {root: app}) if root else app
# One process and one thread: one request after the other, nothing at the same time.
run_simple("127.0.0.1", int(port), site, threaded=False)
