"""How D-Tale looks in texts for what people write, in a time that can be foreseen.

A regular expression of Python's may take longer than anybody waits, also on a short
text. So they are Arrow's RE2, or are taken for what they look like. In the form of
``dtale_replaced.REPLACED``.
"""

import functools
import re

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from dtale.column_replacements import get_replacement_value

from .exceptions import InputRefused
from .filter_parts import MAX_PATTERN, as_arrow, contains


def by_re2(build_column):
    """Build Column > Replace, and Replacements > Partial."""

    @functools.wraps(build_column)
    def replaced(self, data):
        cfg = self.cfg
        if not cfg.get("regex"):
            return build_column(self, data)
        pattern = cfg["search"] if cfg.get("caseSensitive") else f"(?i){cfg['search']}"
        if len(pattern) > MAX_PATTERN:
            raise InputRefused(
                f"A regular expression may have {MAX_PATTERN:,} characters."
            )
        try:
            texts = pc.replace_substring_regex(
                as_arrow(data[cfg["col"]]), pattern, cfg["replacement"]
            )
        except pa.ArrowInvalid as error:
            raise InputRefused(
                f"{error}. Write it as RE2 has it: "
                "https://github.com/google/re2/wiki/Syntax"
            ) from None
        return pd.Series(pd.array(texts, dtype="str"), data.index, name=self.name)

    return replaced


def by_containing(build_column):
    """Replacements > Strings: D-Tale has ``^.*[x]+.*$`` look for an x in a text."""

    @functools.wraps(build_column)
    def replaced(self, data):
        value, ignore_case, is_char = self.parse_cfg()
        pattern = f"[{re.escape(value)}]" if is_char else re.escape(value)
        column = data[self.col]
        found = contains(column, pattern, case=not ignore_case)
        return column.mask(found, get_replacement_value(self.cfg, "replace"))

    return replaced


def by_text(build_column):
    """Build Column > Split: pandas takes more than one character for a pattern."""

    @functools.wraps(build_column)
    def split(self, data):
        column, delimiter = data[self.cfg["col"]], self.cfg["delimiter"]
        parts = column.str.split(delimiter, expand=True, regex=False)
        return parts.add_prefix(f"{self.name}_")

    return split


REPLACED = [
    ("dtale.column_builders:ReplaceColumnBuilder.build_column", by_re2),
    ("dtale.column_builders:SplitBuilder.build_column", by_text),
    ("dtale.column_replacements:StringReplacement.build_column", by_containing),
]
