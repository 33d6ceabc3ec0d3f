"""Decide whether the first row of a table contains the names of its columns."""

import itertools
import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from ..doubts import Doubt
from ..inference import NULL_VALUES
from .separators import DATE, Row, are_values, is_value

MISSING = {"-", ".", "..", "?", *NULL_VALUES.to_pylist()}
# Words that are no names if there are numbers or dates below them.
NO_NAMES = {
    *map(str.lower, MISSING),
    *("n.a.", "nd", "n.d.", "k.a.", "nil", "missing", "unknown", "trace", "inf"),
    *("infinity", "true", "false", "yes", "no", "all", "sum", "total"),
}
FRACTION = re.compile(r"\d?[.,]\d")
PRECISE = re.compile(r"[.,]\d{8}")
YEAR = re.compile(r"(19|20)\d\d")
CODE = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z:-]).{4,}")
MANY = 8  # Rows that show the range of a column.

# The cells below each cell of the first row.
Columns = Sequence[Sequence[str]]


def names_row(rows: list[Row], doubts: list[Doubt]) -> tuple[int, ...]:
    """Return the line of the first row if it contains names, not numbers and dates.

    Args:
        doubts: a doubt is added if it can contain both.
    """
    line, first = rows[0][0], [cell.strip() for cell in rows[0][1]]
    below = [row for __, row in rows[1:]]
    if not below or not any(map(is_value, first)):
        return (line,)
    columns = [
        [row[at].strip() if at < len(row) else "" for row in below]
        for at in range(len(first))
    ]
    are_names = any(is_sign(first, columns) for is_sign in SIGNS_OF_NAMES)
    are_data = any(is_sign(first, columns) for is_sign in SIGNS_OF_DATA)
    if are_names != are_data:
        return (line,) if are_names else ()
    are_years = all(YEAR.fullmatch(cell) for cell in first if is_value(cell))
    answers = [(line,), ()] if are_years else [(), (line,)]
    question = _("Does the first line contain the column names?")
    doubts.append(Doubt("header", question, tuple(answers)))
    return answers[0]


# Signs of names -----------------------------------------------------------------------


def are_years(first: list[str], columns: Columns) -> bool:
    """Return whether the values of a row are successive years above other values."""
    places = [at for at, cell in enumerate(first) if is_value(cell)]
    years = [first[at] for at in places]
    if len(years) < 2 or not all(map(YEAR.fullmatch, years)):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(years)}
    cells = [cell for at in places for cell in columns[at] if cell]
    are_other = not all(map(YEAR.fullmatch, cells))
    return len(steps) == 1 and 0 not in steps and are_other


def _is_value_above_text(first: list[str], columns: Columns) -> bool:
    return any(
        is_value(cell) and (words := _present(below)) and not any(map(is_value, words))
        for cell, below in zip(first, columns, strict=True)
    )


def _is_date_above_numbers(first: list[str], columns: Columns) -> bool:
    return any(
        DATE.fullmatch(cell)
        and are_values(words := _present(below))
        and not any(map(DATE.fullmatch, words))
        for cell, below in zip(first, columns, strict=True)
    )


def _is_word_above_values(first: list[str], columns: Columns) -> bool:
    """Return whether a word names a column of values.

    A single word in the middle of a row can stand for a missing value, such as ND.
    """
    words = {
        cell: at
        for at, cell in enumerate(first)
        if _is_word(cell) and len(_present(columns[at])) > 1
        if are_values(_present(columns[at]))
    }
    is_sure = len(words) > 1 or 0 in words.values()
    return is_sure and _can_be_names(first, columns)


def _can_be_names(first: list[str], columns: Columns) -> bool:
    """Return whether the values of a row differ, and are whole or sorted numbers."""
    numbers = _numbers(first)
    if len(set(numbers)) < len(numbers) or min(numbers, default=0) < 0:
        return _is_scale(numbers)
    has_date = any(
        DATE.fullmatch(cell) and any(map(DATE.fullmatch, below))
        for cell, below in zip(first, columns, strict=True)
    )
    is_whole = not any(map(FRACTION.search, filter(is_value, first)))
    return not has_date and (is_whole or _is_sorted(numbers))


def _are_row_names_below(first: list[str], columns: Columns) -> bool:
    """Return whether the first cell is empty because pandas or R names no row names."""
    names, numbers = columns[0], _numbers(first)
    is_index = len(names) > 2 and all(names) and len(set(names)) == len(names)
    if first[0] or not is_index or not all(map(is_value, first[1:])):
        return False
    counts = [[start + at for at in range(len(first) - 1)] for start in (0, 1)]
    return numbers in counts or (len(numbers) > 3 and _is_sorted(numbers))


def _is_scale_above_decimals(first: list[str], columns: Columns) -> bool:
    """Return whether increasing whole numbers are above numbers with decimals."""
    places = [at for at, cell in enumerate(first) if is_value(cell)]
    numbers = _numbers(first)
    is_whole = all(first[at].isdecimal() for at in places)
    if not (len(places) > 2 and is_whole and numbers == sorted(set(numbers))):
        return False
    below = [_present(columns[at]) for at in places]
    with_decimals = [sum(map(bool, map(FRACTION.search, cells))) for cells in below]
    if not all(with_decimals) or 2 * sum(with_decimals) < sum(map(len, below)):
        return False
    # The values of each row can increase, for example from a minimum to a maximum.
    rows = zip(*(columns[at] for at in places), strict=True)
    return len(places) > 4 or not all(_is_sorted(_numbers(row)) for row in rows)


# Signs of data ------------------------------------------------------------------------


def _is_not_unique(first: list[str], columns: Columns) -> bool:
    """Return whether two values of a row without words, or two such rows, are equal."""
    values = [cell for cell in first if is_value(cell)]
    has_words = any(cell not in MISSING for cell in first if not is_value(cell))
    if has_words or all(map(YEAR.fullmatch, values)):
        return False
    is_repeated = tuple(first) in set(zip(*columns, strict=True))
    return len(set(values)) < len(values) or is_repeated


def _has_negative(first: list[str], columns: Columns) -> bool:
    numbers = _numbers(first)
    if min(numbers, default=0) >= 0:
        return False
    has_fraction = any(map(FRACTION.search, filter(is_value, first)))
    is_pair = len(numbers) == 2 and numbers[0] != numbers[1] and not has_fraction
    return not is_pair and not _is_scale(numbers)


def _are_measures(first: list[str], columns: Columns) -> bool:
    """Return whether values have decimals, and are not sorted like those of a scale."""
    numbers = _numbers(first)
    is_whole = not any(map(FRACTION.search, first))
    if is_whole or len(numbers) < len(first):
        return False
    return not _is_scale(numbers)


def _are_of_the_same_kinds(first: list[str], columns: Columns) -> bool:
    """Return whether some values are whole and others are not, as those below them."""
    kinds = set()
    for cell, below in zip(first, columns, strict=True):
        if not (cell and is_value(cell) and are_values(below) and len(below) > 2):
            return False
        fractions = [bool(FRACTION.search(each)) for each in (cell, *below)]
        if fractions[0] != any(fractions[1:]):
            return False
        kinds.add(fractions[0])
    return len(kinds) == 2


def _are_precise(first: list[str], columns: Columns) -> bool:
    """Return whether all numbers have more decimals than someone would write."""
    values = [cell for cell in first if is_value(cell)]
    return all(map(PRECISE.search, values))


def _are_in_range(first: list[str], columns: Columns) -> bool:
    """Return whether all values are large numbers, between others of their columns."""
    cells = [cell for row in (first, *columns) for cell in row]
    is_long = all(map(str.isdecimal, cells)) and len(min(first, key=len)) > 5
    if not is_long or len(columns[0]) < MANY or _is_scale(_numbers(first)):
        return False
    return all(
        min(numbers := list(map(int, below))) <= int(cell) <= max(numbers)
        for cell, below in zip(first, columns, strict=True)
    )


def _is_code_above_codes(first: list[str], columns: Columns) -> bool:
    """Return whether a text has letters and digits where those below it have them."""
    return any(
        CODE.fullmatch(cell)
        and len(below) > 2
        and not is_value(cell)
        and {_shape(each) for each in below} == {_shape(cell)}
        for cell, below in zip(first, columns, strict=True)
    )


def _shape(cell: str) -> str:
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]+", "0", cell)))


SIGNS_OF_NAMES = (
    are_years,
    _is_value_above_text,
    _is_date_above_numbers,
    _is_word_above_values,
    _are_row_names_below,
    _is_scale_above_decimals,
)
SIGNS_OF_DATA = (
    _is_not_unique,
    _has_negative,
    _are_measures,
    _are_of_the_same_kinds,
    _are_precise,
    _are_in_range,
    _is_code_above_codes,
)


# Cells --------------------------------------------------------------------------------


def _present(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if cell and cell not in MISSING]


def _is_word(cell: str) -> bool:
    return cell[:1].isalpha() and cell.lower() not in NO_NAMES


def _numbers(cells: Sequence[str]) -> list[float]:
    """Return the numbers among some cells. Their decimal mark is a point or a comma."""
    numbers = []
    for cell in filter(is_value, cells):
        text = cell.strip(" %").replace(",", ".")
        try:
            numbers.append(float(text))
        except ValueError:
            continue
    return numbers


def _is_sorted(numbers: list[float]) -> bool:
    is_unique = len(set(numbers)) == len(numbers)
    return is_unique and sorted(numbers) in (numbers, numbers[::-1])


def _is_scale(numbers: list[float]) -> bool:
    return len(numbers) > 2 and _is_sorted(numbers)
