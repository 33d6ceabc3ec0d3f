"""The library and the site are annotated, and mypy with django-stubs finds no error."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

import accounts
import django_dtale

SITE = settings.ROOT_URLCONF.partition(".")[0]
ROOTS = [*django_dtale.__path__, *accounts.__path__, Path(settings.BASE_DIR, SITE)]


def functions(tree: ast.AST):
    """Yield the public functions and methods of a module, each with its parameters."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            is_special = node.name.startswith("__") and node.name.endswith("__")
            if is_special or not node.name.startswith("_"):
                given = node.args
                parameters = [
                    *given.posonlyargs,
                    *given.args,
                    *given.kwonlyargs,
                    *filter(None, [given.vararg, given.kwarg]),
                ]
                decorators = {ast.unparse(each) for each in node.decorator_list}
                is_method = isinstance(tree, ast.ClassDef)
                if is_method and "staticmethod" not in decorators:
                    del parameters[0]
                yield node, parameters
        elif not isinstance(node, ast.expr):
            yield from functions(node)


def lacking(source: str) -> list[str]:
    """Return the names of the public functions that are not annotated completely."""
    return [
        node.name
        for node, parameters in functions(ast.parse(source))
        if node.returns is None or any(each.annotation is None for each in parameters)
    ]


def modules():
    for root in ROOTS:
        for path in Path(root).rglob("*.py"):
            if "migrations" not in path.parts:
                yield path


def test_public_functions_are_annotated():
    assert {
        str(path): names
        for path in modules()
        if (names := lacking(path.read_text("utf-8")))
    } == {}


@pytest.mark.parametrize(
    "source",
    [
        "def f(): ...",
        "def f(a) -> int: ...",
        "def f(*a) -> int: ...",
        "async def f(*, a=1) -> int: ...",
        "class A:\n    def f(self): ...",
        "class A:\n    @staticmethod\n    def f(a) -> int: ...",
        "class A:\n    def __init__(self, f) -> None: ...",
        "if True:\n    def f(): ...",
        "try:\n    pass\nexcept ValueError:\n    def f(): ...",
    ],
)
def test_missing_annotation_is_found(source):
    assert lacking(source)


def test_complete_annotations_pass():
    assert not lacking(
        "def f(a: int, *b: int, c: int = 1, **d: int) -> None:\n"
        "    def inner(a): ...\n"
        "class A:\n"
        "    def f(self) -> None: ...\n"
        "def _private(a): ...\n"
    )


def mypy(*paths: str | Path, cache: Path) -> subprocess.CompletedProcess:
    """Run mypy with the configuration of the project, as `make lint` does."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "mypy", *map(str, paths)),
            *("--cache-dir", str(cache), "--no-error-summary"),
        ],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_mypy_reports_no_errors(tmp_path):
    found = mypy(*ROOTS, cache=tmp_path / "cache")
    assert found.stdout + found.stderr == ""
    assert found.returncode == 0
    # The same configuration, with the site's settings, does find errors.
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from django_dtale.models import Frame\n"
        "frame: Frame = Frame.objects.filter(nothing=1)\n"
    )
    found = mypy(wrong, cache=tmp_path / "cache")
    assert '"nothing"' in found.stdout or "'nothing'" in found.stdout
    assert "Incompatible types in assignment" in found.stdout
