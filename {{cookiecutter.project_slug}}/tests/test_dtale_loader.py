"""D-Tale is imported and built by one function, however many threads ask at once."""

import ast
import functools
from pathlib import Path

from django.conf import settings

PROJECT = Path(settings.BASE_DIR)
SOURCES = [
    path
    for folder in ("frames", "accounts", settings.ROOT_URLCONF.partition(".")[0])
    for path in sorted((PROJECT / folder).rglob("*.py"))
] + [PROJECT / "manage.py", PROJECT / "gunicorn.conf.py"]
LOADER = "frames.dtale_loader"
# D-Tale, and what it alone brings: none of them is imported before D-Tale is.
OUTSIDE = {"dtale", "dash", "flask", "plotly"}


def module_name(path):
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in SOURCES}


def imports_of(name):
    """Yield each imported module of a module, at any level, and where: (module, scope).

    The scope is the name of the function around the import, or "" at module level.
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
        for child in ast.iter_child_nodes(node):
            yield from visit(child, scope)

    yield from visit(ast.parse(MODULES[name].read_text("utf-8")), "")


@functools.cache
def needs_dtale():
    """Return the modules (set of str) whose import imports D-Tale, directly or not."""
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
    assert {"frames.dtale_app", "frames.dtale_frames", "frames.store"} <= behind
    doors = {
        (name, scope)
        for name in MODULES.keys() - behind
        for each, scope in imports_of(name)
        if each in behind
    }
    assert doors == {(LOADER, "_load")}


def test_modules_behind_the_loader_import_dtale_at_module_level_only():
    """An import inside a function would run outside the loader's lock."""
    late = {
        (name, scope)
        for name in needs_dtale()
        for each, scope in imports_of(name)
        if scope and (each.partition(".")[0] in OUTSIDE or each in MODULES)
    }
    assert late == set()
