"""Functions of D-Tale in which a few expressions are replaced."""

import inspect
import textwrap
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from ...assets.patching import Substitution, substitute


def rebuilt(
    original: Callable,
    module: ModuleType,
    changes: Iterable[Substitution],
    called: Callable | None = None,
) -> Callable:
    """Return a function of D-Tale, without its decorators, after some substitutions.

    Args:
        module: the module that defines the function.
        called: the function of the library whose name is in a replacement, if any.

    Raises:
        DtaleChanged: an expression does not occur as often as it should.
    """
    original = inspect.unwrap(original)
    name = original.__name__
    source = textwrap.dedent(inspect.getsource(original))
    start = source.index(f"def {name}(")
    # Tracebacks then show the file and, before the replacement, the lines of D-Tale.
    lines_before = original.__code__.co_firstlineno - 1 + source.count("\n", 0, start)
    source = "\n" * lines_before + substitute(source[start:], changes)
    if called is not None:
        setattr(module, called.__name__, called)
    scope: dict[str, Any] = {}
    exec(compile(source, inspect.getfile(original), "exec"), vars(module), scope)
    return scope[name]
