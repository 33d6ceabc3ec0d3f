"""Check the names against the generated project, and write its `.env`."""

import ast
import runpy
import sys
from pathlib import Path

SLUG = "{{ cookiecutter.project_slug|in_string }}"
PREFIX = "{{ cookiecutter.dtale_prefix|in_string }}"
# The folder that contains the library's modules.
SOURCES = Path("packages/django-dtale/src")


def first_segments(urlconf):
    """Return the first segments of the routes in a URLconf. Only its source is read."""
    found = set()
    for node in ast.walk(ast.parse(urlconf.read_text("utf-8"))):
        match node:
            case ast.Call(
                func=ast.Name("path"), args=[ast.Constant(str(route)), view, *_]
            ):
                found.add(route.partition("/")[0])
                if not route:  # The patterns of this include() start at the same level.
                    found |= included_segments(view)
    return {segment for segment in found if segment and "<" not in segment}


def included_segments(view):
    """Return the first segments of an included URLconf, if it is in the project."""
    for node in ast.walk(view):
        match node:
            case ast.Constant(str(name)):
                file = name.replace(".", "/") + ".py"
                for urlconf in Path(file), SOURCES / file:
                    if urlconf.is_file():
                        return first_segments(urlconf)
    return set()


names = runpy.run_path(str(SOURCES / "django_dtale" / "names.py"))
try:
    names["check_project_slug"](SLUG)
    segments = first_segments(Path(SLUG, "urls.py"))
    names["check_dtale_prefix"](PREFIX, taken=names["SITE_SEGMENTS"] | segments)
except names["InvalidName"] as error:
    sys.exit(str(error))

make_env = runpy.run_path(str(SOURCES / "django_dtale" / "contrib" / "make_env.py"))
make_env["make_env"](Path.cwd())

print(f"\nNext:\n\n    cd {SLUG}\n    make run\n\nand open http://127.0.0.1:8000/")
