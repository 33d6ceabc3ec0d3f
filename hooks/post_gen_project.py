"""Check the names against the project just written, and give it its `.env`."""

import ast
import runpy
import sys
from pathlib import Path

SLUG = "{{ cookiecutter.project_slug|in_string }}"
PREFIX = "{{ cookiecutter.dtale_prefix|in_string }}"


def first_segments(urlconf):
    """Return the first segments (set[str]) of the routes in a URLconf's source."""
    found = set()
    for node in ast.walk(ast.parse(urlconf.read_text("utf-8"))):
        match node:
            case ast.Call(
                func=ast.Name("path"), args=[ast.Constant(str(route)), view, *_]
            ):
                found.add(route.partition("/")[0])
                if not route:  # What it includes stands at this level, too.
                    found |= included_segments(view)
    return {segment for segment in found if segment and "<" not in segment}


def included_segments(view):
    """Return the first segments (set[str]) of the URLconf included, if it is ours."""
    for node in ast.walk(view):
        match node:
            case ast.Constant(str(name)):
                urlconf = Path(name.replace(".", "/") + ".py")
                if urlconf.is_file():
                    return first_segments(urlconf)
    return set()


names = runpy.run_path("frames/names.py")
try:
    names["check_project_slug"](SLUG)
    segments = first_segments(Path(SLUG, "urls.py"))
    names["check_dtale_prefix"](PREFIX, taken=names["SITE_SEGMENTS"] | segments)
except names["InvalidName"] as error:
    sys.exit(str(error))

runpy.run_path(f"{SLUG}/make_env.py", run_name="__main__")

print(f"\nNext:\n\n    cd {SLUG}\n    make run\n\nand open http://127.0.0.1:8000/")
