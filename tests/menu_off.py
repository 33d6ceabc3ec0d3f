"""What docs/menus.md says beside what the walk finds: what is off, what is mended."""

ARCTIC = "D-Tale with ArcticDB has its frames there, and not in the site's store"
XARRAY = "the site keeps DataFrames; an xarray.Dataset would be lost with the request"
# D-Tale's endpoints that frames/endpoints.py of the project leaves closed -> what needs
# them, and why they are closed.
OFF = {
    "shutdown": ("Shutdown", "it would end the server for everybody"),
    "site_map": ("List of routes", "of use to nobody but who looks for a way in"),
    "version_info": ("Version", "the same; About says it to who is signed in"),
    "health_check": ("Health", "the site's own are `/healthz` and `/readyz`"),
    "missing_js": (
        "Page for missing scripts",
        "the site checks its scripts at its start",
    ),
    "dtale.web_upload": (
        "Load Data: from an address",
        "the server would fetch what its network reaches, and open its own files",
    ),
    "dtale.dataset_upload": ("Load Data: samples", "they are fetched from the web"),
    "dtale.get_xarray_coords": ("XArray Dimensions", XARRAY),
    "dtale.get_xarray_dimension_values": ("XArray Dimensions: values", XARRAY),
    "dtale.update_xarray_selection": ("XArray Dimensions: selection", XARRAY),
    "dtale.to_xarray": ("Convert To XArray", f"{XARRAY}. Its entry is not shown"),
    "dtale.get_arcticdb_libraries": ("ArcticDB: libraries", ARCTIC),
    "dtale.get_async_arcticdb_libraries": ("ArcticDB: libraries as typed", ARCTIC),
    "dtale.get_arcticdb_symbols": ("ArcticDB: symbols", ARCTIC),
    "dtale.get_async_arcticdb_symbols": ("ArcticDB: symbols as typed", ARCTIC),
    "dtale.load_arcticdb_description": ("ArcticDB: description", ARCTIC),
    "dtale.load_arcticdb_symbol": ("ArcticDB: load", ARCTIC),
    "/dtale/charts/_reload-hash": ("Charts: reload", "for the developers of D-Tale"),
}
# What the site refuses with a reason; the project's own tests say so.
REFUSED = {
    "Charts: a column named x as Y, not aggregated": (
        "D-Tale calls the X axis of each chart x, and would draw that in its place "
        "(`tests/test_dtale_charts.py` of the project)"
    ),
}
# A part of a menu's name -> what is mended in it.
PANDAS = "D-Tale asks pandas 3 for frequencies by their old names"
MENDED = {
    "matrix by": f"{PANDAS}, and for a row at each date exactly",
    "dates by H": PANDAS,
    "Feature Analysis": "D-Tale fails if there are texts, and a value is missing",
    "Encode Strings": "D-Tale fails if a value is missing",
    "a column named x as Y": "D-Tale calls the X axis so; aggregated only",
    "Correlations: Export Image": "D-Tale forgets the prefix",
    "Skewness": "D-Tale forgets the prefix",
    "Kurtosis": "D-Tale forgets the prefix",
    "Instances": "D-Tale forgets the prefix",
    "Merge & Stack": "D-Tale forgets the prefix, and loads pictures from another host",
    "About": "D-Tale asks the package index, and claims to be out of date",
    "Code of charts": "D-Tale forgets the prefix",
}
TABLE = """# D-Tale's menus, as the site has them

Made by `make menus`, which opens each of them in Chromium on a generated project:
signed in, behind the prefix, the store and the gate. `tests/test_menus.py` fails if it
is not what is found. A row works if what is asked for comes, no answer is an error, and
neither the page nor its console says of one. A small window has 400 x 700 pixels. *Its
last button* is the request that the dialog sends in the end. What is broken upstream
fails in the same walk on D-Tale alone, at the root of its host.

| menu | as opened | here | why, or what is mended |
|---|---|---|---|
{rows}
"""
