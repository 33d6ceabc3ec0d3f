"""Only the loader imports D-Tale. It holds a lock, so that threads cannot interfere."""

import ast
import functools
from pathlib import Path

from django.apps import apps
from django.conf import settings

PROJECT = Path(settings.BASE_DIR)
LIBRARY = Path(apps.get_app_config("frames").path)
SOURCES = [
    path
    for folder in (
        LIBRARY,
        PROJECT / "accounts",
        PROJECT / settings.ROOT_URLCONF.partition(".")[0],
    )
    for path in sorted(folder.rglob("*.py"))
] + [PROJECT / "manage.py", PROJECT / "gunicorn.conf.py"]
LOADER = "django_dtale.dtale.loader"
# These are D-Tale and its own dependencies. Only the loader may import them.
OUTSIDE = {"dtale", "dash", "flask", "plotly"}


def module_name(path):
    root = LIBRARY.parent if path.is_relative_to(LIBRARY) else PROJECT
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in SOURCES}


def imports_of(name):
    """Yield the name and the scope of each import in a module.

    The scope is the name of the enclosing function, or "" at module level.
    """
    package = name if MODULES[name].name == "__init__.py" else name.rpartition(".")[0]

    def visit(node, scope):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = node.name
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, scope
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [base])])
            yield base, scope
            for alias in node.names:
                yield f"{base}.{alias.name}", scope
        elif isinstance(node, ast.Call) and isinstance(
            node.args and node.args[0], ast.Constant
        ):
            called = ast.unparse(node.func).rpartition(".")[2]
            if called in {
                "import_module",
                "__import__",
                "import_string",
                "resolve_name",
            }:
                yield str(node.args[0].value).replace(":", "."), scope
        is_typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(
            node.test
        )
        for child in node.orelse if is_typing else ast.iter_child_nodes(node):
            yield from visit(child, scope)

    yield from visit(ast.parse(MODULES[name].read_text("utf-8")), "")


@functools.cache
def needs_dtale():
    """Return the names of the modules that import D-Tale, directly or indirectly."""
    found = {
        name
        for name in MODULES
        if any(each.partition(".")[0] in OUTSIDE for each, _ in imports_of(name))
    }
    while True:
        more = {
            name
            for name in MODULES.keys() - found
            if any(each in found and not scope for each, scope in imports_of(name))
        }
        if not more:
            return found
        found |= more


def test_only_the_loader_imports_dtale():
    behind = needs_dtale()
    assert {
        "django_dtale.dtale.application",
        "django_dtale.dtale.instances",
        "django_dtale.dtale.store",
    } <= behind
    doors = {
        (name, scope)
        for name in MODULES.keys() - behind
        for each, scope in imports_of(name)
        if each in behind
    }
    assert doors == {(LOADER, "_load")}


def test_modules_behind_the_loader_import_dtale_at_module_level_only():
    """Imports inside functions would run outside the loader's lock."""
    late = {
        (name, scope)
        for name in needs_dtale()
        for each, scope in imports_of(name)
        if scope and (each.partition(".")[0] in OUTSIDE or each in MODULES)
    }
    assert late == set()
