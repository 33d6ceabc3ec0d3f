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
import re
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from ..exceptions import FilterRefused
from .operations import METHODS, OPERATORS, PARAMETERS, TIMES, compare

MAX_LENGTH = 100_000  # Characters. D-Tale's filters list every selected value.
# Parts are names, values, comparisons and so on. Values in a list are not counted.
MAX_PARTS = 500
MAX_DEPTH = 50
TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"
# Python's parser fails at about 3,000 nested words and operators. The exact number and
# the error depend on the version of Python, so this limit is much lower.
MAX_WORDS = 1_500
MAX_INTEGER = 10**80

# Parts of a filter that are not Python. As in pandas, names in backticks are replaced
# with identifiers, and & and | with "and" and "or". Strings match, too, but stay
# unchanged. An unclosed quote matches up to the end of the text, so matching takes
# linear time.
NOT_PYTHON = re.compile(
    r"""('(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?)|`((?:``|[^`])*)`?|([&|]|[\r\n]+)""",
    re.DOTALL,
)
# Only words and operators can be nested. Strings, numbers and the commas of a list
# cannot, so a filter may have any number of them.
WORD = re.compile(
    r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|\d+(?:\.\d*)?(?:e[+-]?\d+)?|,\s*[+-]?|(\w+|\S)""",
    re.DOTALL | re.IGNORECASE,
)

# For strings such as '\d', Python's parser would print a warning with a part of the
# filter to standard error.
FILENAME = "<filter>"
warnings.filterwarnings("ignore", module=FILENAME)


# A compiled part of a filter: a function that returns the value of the part for a
# frame.
Value = Callable[[pd.DataFrame], Any]


class Filter(ast.NodeVisitor):
    """A compiled filter.

    Each ``visit_`` method returns a function that takes a frame, and returns the value
    of a part: a Series as long as the frame, or a single number, text or boolean.

    Args:
        text: an expression as for ``DataFrame.query``.

    Raises:
        FilterRefused: the text is not valid, or contains parts that are not allowed.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # Maps names that Python can parse to the original names in backticks.
        self.quoted: dict[str, str] = {}
        self.parts = self.depth = 0
        if len(text) > MAX_LENGTH:
            raise FilterRefused(text, f"it is longer than {MAX_LENGTH:,} characters")
        try:
            prepared = NOT_PYTHON.sub(self.as_python, text).strip()
            if sum(map(bool, WORD.findall(prepared))) > MAX_WORDS:
                why = f"it has more than {MAX_WORDS:,} words and operators"
                raise FilterRefused(text, why)
            self.root = ast.parse(prepared, FILENAME, mode="eval").body
            self.value = self.visit(self.root)
        except FilterRefused:
            raise
        except (SyntaxError, ValueError) as error:
            raise FilterRefused(text, getattr(error, "msg", str(error))) from None
        # Python raises these errors if `refused` unparses a part that is nested too
        # deeply, or if an f-string is nested too deeply: the words in it are not
        # counted above.
        except (MemoryError, RecursionError):
            raise FilterRefused(text, TOO_DEEP) from None

    def rows(self, frame: pd.DataFrame) -> np.ndarray:
        """Return a boolean array that is true for each row that matches the filter.

        Raises:
            FilterRefused: the filter cannot be applied to this frame.
        """
        try:
            found = self.truth(self.root, self.value(frame))
        except FilterRefused:
            raise
        except Exception as error:  # pandas raises many kinds of errors.
            raise FilterRefused(self.text, str(error)) from error
        return found.to_numpy(bool, na_value=False)

    # Text -----------------------------------------------------------------------------

    def as_python(self, match: re.Match[str]) -> str:
        text, name, sign = match.groups()
        if name is not None:
            key = f"_quoted_{len(self.quoted)}_"
            self.quoted[key] = name.replace("``", "`")
            return f" {key} "
        return text or {"&": " and ", "|": " or "}.get(sign, " ")

    def refused(self, node: ast.AST, why: str) -> FilterRefused:
        def name(match):
            return f"`{self.quoted.get(match[0], match[0])}`"

        return FilterRefused(re.sub(r"_quoted_\d+_", name, ast.unparse(node)), why)

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
        name = self.quoted.get(node.id, node.id)

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
        value = self.constant(node)
        return lambda frame: value

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
                items = getattr(operand, "elts", [operand])
                values = [self.constant(each) for each in items]
                operands.append(
                    lambda frame, values=values: values  # type: ignore[misc]
                )
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
        return lambda frame: TIMES[node.attr](column(frame).dt)

    def visit_Call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Attribute):
            raise self.refused(node, "filters cannot call functions")
        base, name = node.func.value, node.func.attr
        if isinstance(base, ast.Attribute):
            name = f"{base.attr}.{name}"
            base = base.value
        if name not in METHODS:
            raise self.refused(node, f"{name}() is not allowed in filters")
        column, method = self.visit(base), METHODS[name]
        given = [self.constant(each) for each in node.args]
        keywords: dict[Any, Any] = {
            each.arg: self.constant(each.value) for each in node.keywords
        }
        try:
            bound = inspect.signature(method).bind(None, *given, **keywords)
        except TypeError as error:
            raise self.refused(node, str(error)) from None
        for parameter, value in [*bound.arguments.items()][1:]:
            if not PARAMETERS[parameter](value):
                raise self.refused(node, f"{parameter} cannot be {value!r:.50}")
        return lambda frame: method(column(frame), *given, **keywords)

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

    def number(self, node: ast.AST, value: Any) -> Any:
        """Return an operand of a calculation, which must consist of numbers or times.

        Text is refused, because string concatenation could grow without bound.
        """
        if isinstance(value, pd.Series):
            dtype = value.dtype
            if (
                pd.api.types.is_numeric_dtype(dtype)
                or dtype.kind in "mM"
                or pd.api.types.infer_dtype(value) == "decimal"
            ):
                return value
        elif isinstance(value, (int, float)):
            return value
        raise self.refused(node, "calculations need numbers or times")
