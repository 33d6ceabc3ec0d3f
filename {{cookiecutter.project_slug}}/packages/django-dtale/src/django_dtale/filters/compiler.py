"""Compile the text of a filter, and find the rows that match it.

``DataFrame.query`` evaluates the text as Python, which may call any method of any
object. This module uses Python only to parse the text. Each kind of node that is
allowed in filters has a ``visit_`` method in `Filter`. All other nodes are refused, so
a filter cannot call anything else.
"""

import ast
import functools
import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from ..exceptions import FilterRefused
from .operations import (
    METHODS,
    OPERANDS,
    OPERATORS,
    PARAMETERS,
    TIMES,
    as_number,
    compare,
)
from .site import MAX_INTEGER, NO_VALUES, look_up
from .syntax import MAX_DEPTH, MAX_PARTS, TOO_DEEP, Syntax

LISTS = ast.List, ast.Tuple, ast.Set

# A compiled part of a filter: a function that returns the value of the part for a
# frame.
Value = Callable[[pd.DataFrame], Any]


class Filter(ast.NodeVisitor):
    """A compiled filter.

    Each ``visit_`` method returns a function that takes a frame, and returns the value
    of a part: a Series as long as the frame, a single value, or a list of values.

    Args:
        text: an expression as for ``DataFrame.query``.

    Attributes:
        columns: the names of the columns that the filter needs.
        names: the names of the site's values in the filter, once for each use.

    Raises:
        FilterRefused: the text is not valid, or contains parts that are not allowed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: set[str] = set()
        self.names: list[str] = []
        self.values: dict[str, Any] = {}
        self.parts = self.depth = 0
        try:
            self.syntax = Syntax(text)
            self.refused = self.syntax.refused
            self.value = self.visit(self.syntax.root)
        except FilterRefused:
            raise
        except (SyntaxError, ValueError) as error:
            raise FilterRefused(text, getattr(error, "msg", str(error))) from None
        # Python raises these errors if `refused` unparses a part that is nested too
        # deeply, or if an f-string is nested too deeply: `Syntax` does not count the
        # words in it.
        except (MemoryError, RecursionError):
            raise FilterRefused(text, TOO_DEEP) from None

    def rows(
        self, frame: pd.DataFrame, values: Mapping[str, Any] = NO_VALUES
    ) -> np.ndarray:
        """Return a boolean array that is true for each row that matches the filter.

        Args:
            frame: the data.
            values: the site's values by name, such as ``site.values_of(user)``.

        Raises:
            FilterRefused: the filter cannot be applied to this frame.
        """
        self.values = look_up(self.names, values)
        try:
            found = self.truth(self.syntax.root, self.value(frame))
        except FilterRefused:
            raise
        except Exception as error:  # pandas raises many kinds of errors.
            raise FilterRefused(self.text, str(error)) from error
        return found.to_numpy(bool, na_value=False)

    # Nodes that are allowed in filters ------------------------------------------------

    def visit(self, node: ast.AST) -> Value:
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise FilterRefused(self.text, f"it has more than {MAX_PARTS} parts")
        if self.depth > MAX_DEPTH:
            raise FilterRefused(self.text, TOO_DEEP)
        self.depth += 1
        value = super().visit(node)
        self.depth -= 1
        return value

    def generic_visit(self, node: ast.AST) -> NoReturn:
        raise self.refused(node, "this is not allowed in filters")

    def visit_Name(self, node: ast.Name) -> Value:
        if (value := self.syntax.value_name(node)) is not None:
            self.names.append(value)
            return lambda frame: self.values[value]
        name = self.syntax.quoted.get(node.id, node.id)
        if name not in ("index", "inf"):  # Every frame has these.
            self.columns.add(name)

        def column(frame):
            if name in frame.columns:
                return frame[name]
            if name in frame.index.names:
                return frame.index.get_level_values(name).to_series(frame.index)
            if name == "index":
                return frame.index.to_series()
            if name == "inf":
                return np.inf
            if name == "nan":
                raise self.refused(node, "nothing is equal to it; use x.isnull()")
            raise self.refused(node, "there is no column with this name")

        return column

    def visit_Constant(self, node: ast.Constant) -> Value:
        return self.fixed(node)

    def visit_List(self, node: ast.List) -> Value:
        if not any(map(self.is_value, node.elts)):
            items = [self.constant(each) for each in node.elts]
            return lambda frame: items
        values = [self.fixed(each) for each in node.elts]

        def found(frame):
            items = [value(frame) for value in values]
            if any(isinstance(item, list) for item in items):
                raise self.refused(node, "a list cannot contain a list")
            return items

        return found

    visit_Tuple = visit_Set = visit_List  # type: ignore[assignment]

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        apply, operand = OPERATORS[type(node.op)], self.visit(node.operand)
        check = self.truth if apply is operator.invert else self.number
        return lambda frame: apply(check(node.operand, operand(frame)))

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        apply = OPERATORS[type(node.op)]
        operands = [(each, self.visit(each)) for each in node.values]
        return lambda frame: functools.reduce(
            apply, (self.truth(each, operand(frame)) for each, operand in operands)
        )

    def visit_BinOp(self, node: ast.BinOp) -> Value:
        if type(node.op) not in OPERATORS:
            raise self.refused(node, "this operator is not allowed in filters")
        left, right = self.visit(node.left), self.visit(node.right)
        return lambda frame: OPERATORS[type(node.op)](
            self.number(node.left, left(frame)), self.number(node.right, right(frame))
        )

    def visit_Compare(self, node: ast.Compare) -> Value:
        operands = [self.visit(node.left)]
        for sign, operand in zip(node.ops, node.comparators, strict=True):
            if isinstance(sign, (ast.In, ast.NotIn)):
                operands.append(self.fixed(operand))
            elif type(sign) in OPERATORS:
                operands.append(self.visit(operand))
            else:
                raise self.refused(node, "use ==, != or x.isnull()")

        def compared(frame):
            values = [operand(frame) for operand in operands]
            pairs = zip(node.ops, values, values[1:], strict=False)
            return functools.reduce(
                operator.and_, (compare(type(sign), *pair) for sign, *pair in pairs)
            )

        return compared

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        accessor = node.value
        if not (
            isinstance(accessor, ast.Attribute)
            and accessor.attr == "dt"
            and node.attr in TIMES
        ):
            raise self.refused(node, f"{node.attr} is not allowed in filters")
        column = self.visit(accessor.value)
        return lambda frame: TIMES[node.attr](self.series(node, column(frame)).dt)

    def visit_Call(self, node: ast.Call) -> Value:
        base, name, args = self.called(node)
        if name not in METHODS:
            raise self.refused(node, f"{name}() is not allowed in filters")
        column, method = self.visit(base), METHODS[name]
        check = self.number if name == "abs" else self.series
        keywords: dict[Any, Any] = {each.arg: each.value for each in node.keywords}
        try:
            bound = inspect.signature(method).bind(None, *args, **keywords)
        except TypeError as error:
            raise self.refused(node, str(error)) from None
        arguments = {
            parameter: self.argument(node, parameter, value)
            for parameter, value in [*bound.arguments.items()][1:]
        }
        return lambda frame: method(
            check(base, column(frame)),
            **{parameter: value(frame) for parameter, value in arguments.items()},
        )

    # Parts of nodes -------------------------------------------------------------------

    def called(self, node: ast.Call) -> tuple[ast.expr, str, list[ast.expr]]:
        """Return the column, the name and the arguments of a method or of abs()."""
        if isinstance(node.func, ast.Name) and node.func.id == "abs" and node.args:
            return node.args[0], "abs", node.args[1:]
        if not isinstance(node.func, ast.Attribute):
            raise self.refused(node, "filters cannot call functions, except abs()")
        base, name = node.func.value, node.func.attr
        if isinstance(base, ast.Attribute):
            return base.value, f"{base.attr}.{name}", node.args
        return base, name, node.args

    def argument(self, call: ast.Call, parameter: str, node: ast.expr) -> Value:
        """Return an argument of a method. It is checked before the method is called."""
        argument = self.visit(node) if parameter in OPERANDS else self.fixed(node)

        def checked(frame):
            value = argument(frame)
            if PARAMETERS[parameter](value):
                return value
            raise self.refused(call, f"{parameter} cannot be {value!r:.50}")

        return checked

    def fixed(self, node: ast.expr) -> Value:
        """Return a constant, a list, or a value of the site: anything but a column."""
        if isinstance(node, LISTS) or self.is_value(node):
            return self.visit(node)
        value = self.constant(node)
        return lambda frame: value

    def is_value(self, node: ast.AST) -> bool:
        return self.syntax.value_name(node) is not None

    # Checks of values -----------------------------------------------------------------

    def constant(self, node: ast.AST) -> Any:
        """Return the value of a node that must be a constant."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self.number(node.operand, self.constant(node.operand))
            return OPERATORS[type(node.op)](value)
        if isinstance(node, ast.Name) and node.id == "inf":
            return np.inf
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
            if isinstance(node.value, int) and node.value > MAX_INTEGER:
                raise self.refused(node, "this number is too large")
            return node.value
        raise self.refused(
            node,
            "use a number, a text, True or False here; for missing values, use .isnull()",
        )

    def truth(self, node: ast.AST, value: Any) -> pd.Series:
        """Return an operand of and, or or not, which must be a boolean Series."""
        if isinstance(value, pd.Series) and value.dtype.kind == "b":
            return value
        raise self.refused(
            node, "this is not a condition; use a comparison, such as x > 1"
        )

    def series(self, node: ast.AST, value: Any) -> pd.Series:
        """Return a value that must be a column."""
        if isinstance(value, pd.Series):
            return value
        raise self.refused(node, "this is not a column")

    def number(self, node: ast.AST, value: Any) -> Any:
        """Return an operand of a calculation, which must consist of numbers or times.

        Text is refused, because string concatenation could grow without bound.
        """
        number = as_number(value)
        if number is None:
            raise self.refused(node, "calculations need numbers or times")
        return number
