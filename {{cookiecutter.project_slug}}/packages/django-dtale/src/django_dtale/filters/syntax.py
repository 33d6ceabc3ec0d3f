"""Parse the text of a filter with Python's parser, without evaluating it."""

import ast
import re
import warnings

from ..exceptions import FilterRefused

MAX_LENGTH = 100_000  # Characters. D-Tale's filters list every selected value.
# Python's parser fails at about 3,000 nested words and operators. The exact number and
# the error depend on the version of Python, so this limit is much lower.
MAX_WORDS = 1_500
# Parts are names, values, comparisons and so on. Values in a list are not counted.
MAX_PARTS = 500
MAX_DEPTH = 50
TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"

# Parts of a filter that are not Python. As in pandas, names in backticks and names that
# begin with @ are replaced with identifiers, and & and | with "and" and "or". Strings
# match, too, but stay unchanged. An unclosed quote matches up to the end of the text,
# so matching takes linear time.
NOT_PYTHON = re.compile(
    r"""('(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?)|`((?:``|[^`])*)`?|@([^\W\d]\w*)|([&|]|[\r\n]+)""",
    re.DOTALL,
)
# Only words and operators can be nested. Strings, numbers and the commas of a list
# cannot, so a filter may have any number of them.
WORD = re.compile(
    r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?|\d+(?:\.\d*)?(?:e[+-]?\d+)?|,\s*[+-]?|(\w+|\S)""",
    re.DOTALL | re.IGNORECASE,
)
IDENTIFIER = re.compile(r"_(?:quoted|value)_\d+_")

# For strings such as '\d', Python's parser would print a warning with a part of the
# filter to standard error.
FILENAME = "<filter>"
warnings.filterwarnings("ignore", module=FILENAME)


class Syntax:
    """The syntax tree of a filter.

    Attributes:
        root: the tree.
        quoted: maps identifiers in the tree to the names in backticks.
        values: maps identifiers in the tree to the names that begin with @.

    Raises:
        FilterRefused: the text is too long.
        SyntaxError, ValueError, MemoryError, RecursionError: Python's parser refuses
            the text.
    """

    def __init__(self, text: str) -> None:
        self.quoted: dict[str, str] = {}
        self.values: dict[str, str] = {}
        if len(text) > MAX_LENGTH:
            raise FilterRefused(text, f"it is longer than {MAX_LENGTH:,} characters")
        prepared = NOT_PYTHON.sub(self._as_python, text).strip()
        if sum(map(bool, WORD.findall(prepared))) > MAX_WORDS:
            why = f"it has more than {MAX_WORDS:,} words and operators"
            raise FilterRefused(text, why)
        self.root = ast.parse(prepared, FILENAME, mode="eval").body

    def value_name(self, node: ast.AST) -> str | None:
        """Return the name of the site's value that a node stands for, or None."""
        return self.values.get(node.id) if isinstance(node, ast.Name) else None

    def refused(self, node: ast.AST, why: str) -> FilterRefused:
        """Return the exception for a node, with its text as the user wrote it."""

        def original(match):
            if match[0] in self.values:
                return f"@{self.values[match[0]]}"
            return f"`{self.quoted.get(match[0], match[0])}`"

        return FilterRefused(IDENTIFIER.sub(original, ast.unparse(node)), why)

    def _as_python(self, match: re.Match[str]) -> str:
        text, name, value, sign = match.groups()
        if name is not None:
            key = f"_quoted_{len(self.quoted)}_"
            self.quoted[key] = name.replace("``", "`")
            return f" {key} "
        if value is not None:
            key = f"_value_{len(self.values)}_"
            self.values[key] = value
            return f" {key} "
        return text or {"&": " and ", "|": " or "}.get(sign, " ")
