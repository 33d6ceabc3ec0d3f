"""The gateway in front of D-Tale, which checks access, origins and request limits."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .gateway import Gateway

__all__ = ["Gateway"]


def __getattr__(name: str) -> object:
    # Gateway imports pandas, which views that import only `fair_shares` do not need.
    if name == "Gateway":
        return import_module(".gateway", __name__).Gateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
