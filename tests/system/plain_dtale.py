"""Serve plain D-Tale on a port of the loopback interface, as a reference for the site.

Run this with a generated project's Python: python plain_dtale.py PORT [PREFIX]
"""

import sys

from dtale import global_state, utils
from dtale.app import build_app
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import run_simple

port, *prefix = sys.argv[1:]
root = f"/{prefix[0]}" if prefix else None


def fixed(classify_type, json_float):
    """Return fixed versions of three functions of ``dtale.utils``.

    The site fixes the same bugs: unsigned integers are text, intervals are integers,
    -inf becomes inf, and sorted rows with equal values are in no particular order.
    """

    def classify(name):
        name = (name or "").lower()
        if name.startswith("interval"):
            return "S"
        return classify_type(name[1:] if name.startswith("uint") else name)

    def written(x, *args, **kwargs):
        text = json_float(x, *args, **kwargs)
        return "-inf" if text == "inf" and x < 0 else text

    def ordered(df, params):
        if "sort" not in params:
            return df.sort_index()
        names, directions = zip(*params["sort"], strict=True)
        ascending = [direction == "ASC" for direction in directions]
        return df.sort_values([*names], ascending=ascending, kind="stable")

    return {
        "classify_type": classify,
        "json_float": written,
        "sort_df_for_grid": ordered,
    }


# D-Tale's modules import these functions by name, so patch each module.
functions = fixed(utils.classify_type, utils.json_float)
for module in [each for name, each in sys.modules.items() if name.startswith("dtale")]:
    for name in functions.keys() & vars(module).keys():
        setattr(module, name, functions[name])
# These settings are the same as on the site.
global_state.set_app_settings({"enable_custom_filters": True, "hide_shutdown": True})
app = build_app(app_root=root, reaper_on=False)
site = DispatcherMiddleware(NotFound(), {root: app}) if root else app
# With a single thread, requests are handled one at a time.
run_simple("127.0.0.1", int(port), site, threaded=False)
