"""The parts of docs/menus.md that are written by hand: reasons and disabled menus."""

ARCTIC = "with ArcticDB, D-Tale would keep its frames outside the site's storage"
XARRAY = "the site stores DataFrames; a Dataset would be lost after the request"
# These endpoints are not in the allow-list in the library's dtale/endpoints.py. Each
# entry has the menu that needs the endpoint, and the reason.
OFF = {
    "shutdown": ("Shutdown", "it would stop the server for all users"),
    "site_map": ("List of routes", "it is useful only to attackers"),
    "version_info": (
        "Version",
        'it is useful only to attackers; "About" shows the version to signed-in users',
    ),
    "health_check": ("Health", "the site has `/healthz` and `/readyz`"),
    "missing_js": (
        "Page for missing scripts",
        "the server checks at startup that all scripts exist",
    ),
    "dtale.upload": (
        "Load Data: a file",
        "the site's own page reads more file formats, and asks how to read them",
    ),
    "dtale.web_upload": (
        "Load Data: from a URL",
        "users could read any URL that the server can reach, and its own files",
    ),
    "dtale.dataset_upload": (
        "Load Data: samples",
        "D-Tale would download them from the internet",
    ),
    "dtale.get_xarray_coords": ("XArray Dimensions", XARRAY),
    "dtale.get_xarray_dimension_values": ("XArray Dimensions: values", XARRAY),
    "dtale.update_xarray_selection": ("XArray Dimensions: selection", XARRAY),
    "dtale.to_xarray": ("Convert To XArray", f"{XARRAY}. The entry is hidden"),
    "dtale.get_arcticdb_libraries": ("ArcticDB: libraries", ARCTIC),
    "dtale.get_async_arcticdb_libraries": ("ArcticDB: libraries while typing", ARCTIC),
    "dtale.get_arcticdb_symbols": ("ArcticDB: symbols", ARCTIC),
    "dtale.get_async_arcticdb_symbols": ("ArcticDB: symbols while typing", ARCTIC),
    "dtale.load_arcticdb_description": ("ArcticDB: description", ARCTIC),
    "dtale.load_arcticdb_symbol": ("ArcticDB: load", ARCTIC),
    "/dtale/charts/_reload-hash": ("Charts: reload", "it is for developers of D-Tale"),
}
# The site rejects these requests with a reason. The given tests cover them.
REFUSED = {
    "Charts: a column named x as Y, not aggregated": (
        "D-Tale also names its x-axis x, and would draw the axis in place of the column "
        "(`tests/package/test_dtale_charts.py`)"
    ),
}
# If a menu's name contains one of these texts, D-Tale has this bug in the menu, and the
# library fixes it.
PANDAS = "D-Tale uses frequency names that pandas 3 has removed"
FIXED = {
    **{
        f"Export: {kind}": "people who press it get the site's page for downloads"
        for kind in ("csv", "tsv", "parquet")
    },
    "matrix by": f"{PANDAS}, and expects a row for every date",
    "dates by H": PANDAS,
    "Feature Analysis": "D-Tale fails if there are both text columns and missing values",
    "Encode Strings": "D-Tale fails if there are missing values",
    "a column named x as Y": "D-Tale also names its x-axis x; with an aggregation, the chart works",
    "Correlations: Export Image": "D-Tale omits the prefix",
    "Skewness": "D-Tale omits the prefix",
    "Kurtosis": "D-Tale omits the prefix",
    "Instances": "D-Tale omits the prefix",
    "Merge & Stack": "D-Tale omits the prefix, and loads images from another host",
    "About": "D-Tale queries the package index, and reports its release as outdated",
    "Code Export of charts": "D-Tale omits the prefix",
    "Load Data": "it is the site's own page",
}
TABLE = """# D-Tale's menus in this site

`make menus` generates this table. It opens each menu in Chromium on a generated
project, as a user who has signed in. `tests/system/test_menus.py` fails if the table
is not up to date.

A menu *works* if it shows the expected content, no response is an error, and neither
the page nor its console reports one. *Broken upstream* means that the same steps also
fail in plain D-Tale. *A small window* has 400 x 700 pixels. *Its request* is the
request that a menu's dialog or page sends when the user confirms it.

| menu | opened as | on this site | reason, or the bug in D-Tale that the library fixes |
|---|---|---|---|
{rows}
"""
