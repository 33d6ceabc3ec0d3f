"""Imports go one way: each module imports only from its own layer or from lower ones.

Imports inside functions count as well. Imports for type checkers do not.
"""

import ast
import importlib.util
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings

import accounts
import django_dtale

LIBRARY = "django_dtale"
# The layers are ordered from top to bottom. Each name is a module of the library, or a
# folder with all its modules. The empty name is the library's public `__init__`.
LAYERS = [
    {"admin", "apps", "checks", "contrib", "management", "templatetags", "urls"},
    {"context_processors", "forms", "middleware", "views"},
    {""},
    {"api", "reading"},
    {"sharing", "sources"},
    {"gateway"},
    {"dtale"},
    {"unit_of_work"},
    {"history"},
    {"access", "quotas", "workspace"},
    {"models"},
    {"readers"},
    {"decorators", "errors"},
    {"compat", "filters", "storage"},
    {"conf", "formats", "logs", "names", "theme", "view"},
    {"client", "exceptions"},
]
# Django expects modules with these names in the root folder of an app.
DJANGO = {"__init__", "admin", "apps", "checks", "forms", "middleware", "urls"}
MAX_MODULES = 16  # The limit applies to each folder.


class Graph:
    """The modules below a folder, and their imports.

    Attributes:
        paths: the file of each module.
        imports: the imports of each module. Modules of the graph have their full names.
            All other imports are as written in the source.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.paths = {}
        for path in root.rglob("*.py"):
            parts = package, *path.relative_to(root).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            self.paths[".".join(parts)] = path
        self.imports = {name: set(self._imports(name)) for name in self.paths}

    def _imports(self, name):
        package = name
        if self.paths[name].name != "__init__.py":
            package = name.rpartition(".")[0]
        tree = ast.parse(self.paths[name].read_text(encoding="utf-8"))
        for node in statements(tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                base = importlib.util.resolve_name(base, package)
                for alias in node.names:
                    # The imported name may be a module or an attribute of a module.
                    module = f"{base}.{alias.name}"
                    yield module if module in self.paths else base

    def inner(self, name: str) -> set[str]:
        """Return the modules of the graph that a module imports directly."""
        return self.imports[name] & self.paths.keys() - {name}

    def reachable(self, name: str) -> set[str]:
        """Return the modules that a module imports, directly or through others."""
        found, rest = set(), [name]
        while rest:
            new = self.inner(rest.pop()) - found
            found |= new
            rest += new
        return found

    def circle(self) -> set[str]:
        """Return all modules that belong to an import cycle."""
        return {name for name in self.paths if name in self.reachable(name)}


def statements(tree):
    """Yield all nodes except those in `if TYPE_CHECKING` blocks."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from (each for part in node.orelse for each in ast.walk(part))
        else:
            yield node
            yield from statements(node)


def layer_of(module: str) -> int:
    """Return the number of a module's layer. The top layer is 0."""
    part = module.removeprefix(LIBRARY).removeprefix(".").partition(".")[0]
    [number] = (number for number, layer in enumerate(LAYERS) if part in layer)
    return number


def upward(graph: Graph) -> list[str]:
    """Return the imports from a layer above, which are not allowed."""
    return [
        f"{name} imports {each}"
        for name in graph.paths
        for each in graph.inner(name)
        if layer_of(each) < layer_of(name)
    ]


@pytest.fixture(scope="module")
def library():
    [root] = django_dtale.__path__
    graph = Graph(Path(root), LIBRARY)
    migrations = {name for name in graph.paths if ".migrations" in name}
    for name in migrations:
        del graph.paths[name]
    return graph


def test_there_are_no_circular_imports(library):
    assert library.circle() == set()


def test_each_module_has_one_layer(library):
    parts = {name.removeprefix(LIBRARY)[1:].partition(".")[0] for name in library.paths}
    assert sorted(part for layer in LAYERS for part in layer) == sorted(
        parts - {"migrations"}
    )


def test_imports_lead_downward(library):
    assert upward(library) == []


def test_exceptions_import_nothing_of_the_library(library):
    assert library.inner(f"{LIBRARY}.exceptions") == set()


def test_models_need_neither_dtale_nor_pandas(library):
    models = {name for name in library.paths if name.startswith(f"{LIBRARY}.models")}
    modules = models.union(*map(library.reachable, models))
    packages = {
        each.partition(".")[0] for name in modules for each in library.imports[name]
    }
    assert packages & {"django"}, "the checker finds no imports"
    assert not packages & {"dtale", "pandas", "numpy", "pyarrow"}


def test_accounts_do_not_import_the_library():
    [root] = accounts.__path__
    graph = Graph(Path(root), "accounts")
    assert [
        f"{name} imports {each}"
        for name, imports in graph.imports.items()
        for each in imports
        if each.partition(".")[0] == LIBRARY
    ] == []


def test_library_does_not_import_the_site(library):
    site = {settings.ROOT_URLCONF.partition(".")[0], "accounts"}
    packages = {
        each.partition(".")[0] for each in set().union(*library.imports.values())
    }
    assert not packages & site


def test_folders_have_few_modules(library):
    folders = Counter(
        path.parent
        for path in library.paths.values()
        if path.stem != "__init__"
        and not (path.parent.name == LIBRARY and path.stem in DJANGO)
    )
    assert {
        str(folder): count for folder, count in folders.items() if count > MAX_MODULES
    } == {}


# The checker itself ------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes modules to disk and returns their Graph."""

    def tree(**sources):
        for name, source in sources.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(source)
        return Graph(tmp_path, LIBRARY)

    return tree


@pytest.mark.parametrize(
    "source",
    [
        "from . import models",
        "from .models import Frame",
        "from django_dtale import models",
        "import django_dtale.models",
        "def late():\n    from .models import Frame",
        "try:\n    from . import models\nexcept ImportError:\n    pass",
    ],
)
def test_circular_import_is_found(tree, source):
    graph = tree(
        api=source,
        models="from .views.pages import a",
        views__pages="from .. import api",
    )
    names = {"api", "models", "views.pages"}
    assert graph.circle() == {f"{LIBRARY}.{name}" for name in names}


def test_upward_import_is_found(tree):
    graph = tree(
        api="from . import models", models="def late():\n    from .api import a"
    )
    assert upward(graph) == [f"{LIBRARY}.models imports {LIBRARY}.api"]


def test_import_for_type_checkers_is_ignored(tree):
    source = "if TYPE_CHECKING:\n    from . import api\nelse:\n    import json"
    graph = tree(api="from . import models", models=source)
    assert graph.circle() == set()
    assert graph.imports[f"{LIBRARY}.models"] == {"json"}


def test_module_without_a_layer_is_an_error(tree):
    with pytest.raises(ValueError, match="not enough values"):
        upward(tree(new="from . import api", api=""))
