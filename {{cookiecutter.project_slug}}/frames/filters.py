"""Filters: what their text may say, and which rows it finds.

``DataFrame.query`` evaluates a text as Python: any method of anything in it. Here a text
is taken apart by Python's parser, and only what has a ``visit_`` below has a meaning;
the rest is refused, so nothing else is ever called.
"""

import ast
import functools
import inspect
import operator
import re
import warnings

import numpy as np
import pandas as pd

from .exceptions import FilterRefused
from .filter_parts import METHODS, OPERATORS, PARAMETERS, TIMES, compare

MAX_LENGTH = 100_000  # Characters: D-Tale lists each of the values that are chosen.
MAX_PARTS = 500  # Names, values, comparisons ..., without the values in a list.
MAX_DEPTH = 50
TOO_DEEP = f"it is more than {MAX_DEPTH} levels deep"
# Python's parser gives up at about 3,000 nested words and signs; the number and the error
# differ between versions of Python. This limit, half of it, is the same for all.
MAX_WORDS = 1_500
MAX_INTEGER = 10**80

# A text, as pandas prepares it before Python reads it: strings, names in backticks, and &
# and |, which bind like "and" and "or". A quote that is not closed goes to the end: so
# each character is looked at once.
NOT_PYTHON = re.compile(
    r"""('(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?)|`((?:``|[^`])*)`?|([&|]|[\r\n]+)""",
    re.DOTALL,
)
# Only words and signs can nest. Strings, numbers and the commas of a list cannot, so a
# filter may have any number of them.
WORD = re.compile(
    r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|\d+(?:\.\d*)?(?:e[+-]?\d+)?|,\s*[+-]?|(\w+|\S)""",
    re.DOTALL | re.IGNORECASE,
)

# Python's parser warns of texts such as '\d', with a part of them, on the standard error.
FILENAME = "<filter>"
warnings.filterwarnings("ignore", module=FILENAME)


class Filter(ast.NodeVisitor):
    """A filter. Each ``visit_`` returns a function from a frame to the value of a part:
    a Series of the frame's length, or one number, text or bool.

    Args:
        text: str, as for ``DataFrame.query``.

    Raises:
        FilterRefused
    """

    def __init__(self, text):
        self.text = text
        self.quoted = {}  # A name that Python can read -> the one in backticks.
        self.parts = self.depth = 0
        if len(text) > MAX_LENGTH:
            raise FilterRefused(text, f"it is longer than {MAX_LENGTH:,} characters")
        try:
            prepared = NOT_PYTHON.sub(self.as_python, text).strip()
            if sum(map(bool, WORD.findall(prepared))) > MAX_WORDS:
                why = f"it has more than {MAX_WORDS:,} words and signs"
                raise FilterRefused(text, why)
            self.root = ast.parse(prepared, FILENAME, mode="eval").body
            self.value = self.visit(self.root)
        except FilterRefused:
            raise
        except (SyntaxError, ValueError) as error:
            raise FilterRefused(text, getattr(error, "msg", str(error))) from None
        # `refused` cannot write down a part that is too deep, and the parser cannot read an
        # f-string that is: its words are not counted.
        except (MemoryError, RecursionError):
            raise FilterRefused(text, TOO_DEEP) from None

    def rows(self, frame):
        """Find the rows of a frame (``pandas.DataFrame``) that the filter keeps.

        Returns:
            numpy.ndarray: of bool, one for each row.

        Raises:
            FilterRefused
        """
        try:
            found = self.truth(self.root, self.value(frame))
        except FilterRefused:
            raise
        except Exception as error:  # Whatever pandas says of values that do not fit.
            raise FilterRefused(self.text, str(error)) from error
        return found.to_numpy(bool, na_value=False)

    # Text -----------------------------------------------------------------------------

    def as_python(self, match):
        text, name, sign = match.groups()
        if name is not None:
            key = f"_quoted_{len(self.quoted)}_"
            self.quoted[key] = name.replace("``", "`")
            return f" {key} "
        return text or {"&": " and ", "|": " or "}.get(sign, " ")

    def refused(self, node, why):
        def name(match):
            return f"`{self.quoted.get(match[0], match[0])}`"

        return FilterRefused(re.sub(r"_quoted_\d+_", name, ast.unparse(node)), why)

    # What a filter may have -----------------------------------------------------------

    def visit(self, node):
        self.parts += 1
        if self.parts > MAX_PARTS:
            raise FilterRefused(self.text, f"it has more than {MAX_PARTS} parts")
        if self.depth > MAX_DEPTH:
            raise FilterRefused(self.text, TOO_DEEP)
        self.depth += 1
        value = super().visit(node)
        self.depth -= 1
        return value

    def generic_visit(self, node):
        raise self.refused(node, "this has no meaning in filters")

    def visit_Name(self, node):
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
                raise self.refused(node, "nothing equals it; write x.isnull()")
            raise self.refused(node, "there is no column of this name")

        return column

    def visit_Constant(self, node):
        value = self.constant(node)
        return lambda frame: value

    def visit_UnaryOp(self, node):
        apply, operand = OPERATORS[type(node.op)], self.visit(node.operand)
        check = self.truth if apply is operator.invert else self.number
        return lambda frame: apply(check(node.operand, operand(frame)))

    def visit_BoolOp(self, node):
        apply = OPERATORS[type(node.op)]
        operands = [(each, self.visit(each)) for each in node.values]
        return lambda frame: functools.reduce(
            apply, (self.truth(each, operand(frame)) for each, operand in operands)
        )

    def visit_BinOp(self, node):
        if type(node.op) not in OPERATORS:
            raise self.refused(node, "there is no such operator in filters")
        left, right = self.visit(node.left), self.visit(node.right)
        return lambda frame: OPERATORS[type(node.op)](
            self.number(node.left, left(frame)), self.number(node.right, right(frame))
        )

    def visit_Compare(self, node):
        operands = [self.visit(node.left)]
        for sign, operand in zip(node.ops, node.comparators, strict=True):
            if isinstance(sign, (ast.In, ast.NotIn)):
                items = getattr(operand, "elts", [operand])
                values = [self.constant(each) for each in items]
                operands.append(lambda frame, values=values: values)
            elif type(sign) in OPERATORS:
                operands.append(self.visit(operand))
            else:
                raise self.refused(node, "write == or != or x.isnull()")

        def compared(frame):
            values = [operand(frame) for operand in operands]
            pairs = zip(node.ops, values, values[1:], strict=False)
            return functools.reduce(
                operator.and_, (compare(type(sign), *pair) for sign, *pair in pairs)
            )

        return compared

    def visit_Attribute(self, node):
        accessor = node.value
        if not (
            isinstance(accessor, ast.Attribute)
            and accessor.attr == "dt"
            and node.attr in TIMES
        ):
            raise self.refused(node, f".{node.attr} is not there in filters")
        column = self.visit(accessor.value)
        return lambda frame: TIMES[node.attr](column(frame).dt)

    def visit_Call(self, node):
        if not isinstance(node.func, ast.Attribute):
            raise self.refused(node, "filters cannot call functions")
        base, name = node.func.value, node.func.attr
        if isinstance(base, ast.Attribute):
            base, name = base.value, f"{base.attr}.{name}"
        if name not in METHODS:
            raise self.refused(node, f".{name}() is not there in filters")
        column, method = self.visit(base), METHODS[name]
        given = [self.constant(each) for each in node.args]
        keywords = {each.arg: self.constant(each.value) for each in node.keywords}
        try:
            bound = inspect.signature(method).bind(None, *given, **keywords)
        except TypeError as error:
            raise self.refused(node, str(error)) from None
        for parameter, value in [*bound.arguments.items()][1:]:
            if not PARAMETERS[parameter](value):
                raise self.refused(node, f"{parameter} cannot be {value!r:.50}")
        return lambda frame: method(column(frame), *given, **keywords)

    # What its parts are checked for ---------------------------------------------------

    def constant(self, node):
        """Return the value (int, float, str or bool) of a node that is one."""
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
            "it takes a number, a text, True or False here; of what is missing, .isnull()",
        )

    def truth(self, node, value):
        """Return what and, or and not can have: a condition, a bool for each row."""
        if isinstance(value, pd.Series) and value.dtype.kind == "b":
            return value
        raise self.refused(node, "this is no condition; compare it, as in x > 1")

    def number(self, node, value):
        """Return what + and - can have: of texts they would make ever longer ones."""
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
        raise self.refused(node, "one can only calculate with numbers and times")
