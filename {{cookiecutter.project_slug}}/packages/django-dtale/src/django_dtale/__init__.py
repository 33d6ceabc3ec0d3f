"""D-Tale for Django: ``explore`` and ``publish`` turn DataFrames into pages."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import explore, publish
    from .models.shares import EVERYONE
    from .readers.lazy.sql import Sql
    from .readers.options import ImportOptions
    from .sources.registry import source
    from .view import Chart, View

    __version__: str

__all__ = [
    "EVERYONE",
    "Chart",
    "ImportOptions",
    "Sql",
    "View",
    "__version__",
    "explore",
    "publish",
    "source",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # This import is slow.

        return version("django-dtale")
    # Django imports this module before it loads models, so `api` is imported on demand.
    if name in ("explore", "publish"):
        return getattr(import_module(".api", __name__), name)
    if name == "EVERYONE":
        return import_module(".models.shares", __name__).EVERYONE
    if name == "source":
        return import_module(".sources.registry", __name__).source
    if name == "ImportOptions":
        return import_module(".readers.options", __name__).ImportOptions
    if name in ("Chart", "View"):
        return getattr(import_module(".view", __name__), name)
    if name == "Sql":
        return import_module(".readers.lazy.sql", __name__).Sql
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
