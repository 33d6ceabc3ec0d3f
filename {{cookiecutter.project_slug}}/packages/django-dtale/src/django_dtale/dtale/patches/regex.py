"""Patches that search and replace text in predictable time.

With Python's regular expressions, a search may practically never end, even in a short
text. Users' patterns are therefore matched by Arrow's RE2, or treated as literal text.
``patches.registry`` applies these patches.
"""

import functools
import re
from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from dtale.column_replacements import get_replacement_value

from ...exceptions import InputRefused
from ...filters.operations import MAX_PATTERN, as_arrow, contains


def replace_with_re2(build_column: Callable) -> Callable:
    """Use RE2 for Build Column > Replace and for Replacements > Partial."""

    @functools.wraps(build_column)
    def replaced(self, data):
        cfg = self.cfg
        if not cfg.get("regex"):
            return build_column(self, data)
        pattern = cfg["search"] if cfg.get("caseSensitive") else f"(?i){cfg['search']}"
        if len(pattern) > MAX_PATTERN:
            raise InputRefused(
                f"A regular expression may have at most {MAX_PATTERN:,} characters."
            )
        try:
            texts = pc.replace_substring_regex(
                as_arrow(data[cfg["col"]]), pattern, cfg["replacement"]
            )
        except pa.ArrowInvalid as error:
            raise InputRefused(
                f"{error}. Use the syntax of RE2: "
                "https://github.com/google/re2/wiki/Syntax"
            ) from None
        return pd.Series(pd.array(texts, dtype="str"), data.index, name=self.name)

    return replaced


def replace_containing(build_column: Callable) -> Callable:
    """Search for the literal text in Replacements > Strings.

    To find an x, D-Tale would match the pattern ``^.*[x]+.*$`` in Python.
    """

    @functools.wraps(build_column)
    def replaced(self, data):
        value, ignore_case, is_char = self.parse_cfg()
        pattern = f"[{re.escape(value)}]" if is_char else re.escape(value)
        column = data[self.col]
        found = contains(column, pattern, case=not ignore_case)
        return column.mask(found, get_replacement_value(self.cfg, "replace"))

    return replaced


def split_at_literal(build_column: Callable) -> Callable:
    """Split at a literal delimiter in Build Column > Split.

    pandas treats a delimiter of more than one character as a pattern.
    """

    @functools.wraps(build_column)
    def split(self, data):
        column, delimiter = data[self.cfg["col"]], self.cfg["delimiter"]
        parts = column.str.split(delimiter, expand=True, regex=False)
        return parts.add_prefix(f"{self.name}_")

    return split


PATCHES = [
    ("dtale.column_builders:ReplaceColumnBuilder.build_column", replace_with_re2),
    ("dtale.column_builders:SplitBuilder.build_column", split_at_literal),
    ("dtale.column_replacements:StringReplacement.build_column", replace_containing),
]
