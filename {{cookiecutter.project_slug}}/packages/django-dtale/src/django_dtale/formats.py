"""Format numbers in the user's language: 1,000 or 1.000."""

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format

UNITS = "KB", "MB", "GB", "TB"


def format_number(number: int) -> str:
    """Return a number with its digits grouped."""
    return number_format(number, force_grouping=True)


def format_megabytes(nbytes: int) -> str:
    """Return a number of bytes as megabytes, with one decimal unless it is zero."""
    return _one_decimal(nbytes / 2**20)


def format_size(nbytes: int) -> str:
    """Return a number of bytes with its unit: 200 MB, or 1.5 KB."""
    if nbytes < 2**10:
        return filesizeformat(nbytes)
    size, unit = nbytes / 2**10, 0
    while round(size, 1) >= 2**10 and unit < len(UNITS) - 1:
        size, unit = size / 2**10, unit + 1
    # A no-break space keeps the unit on the line of its number.
    return f"{_one_decimal(size)}\N{NO-BREAK SPACE}{UNITS[unit]}"


def _one_decimal(number):
    rounded = round(number, 1)
    return number_format(
        rounded, 0 if rounded == int(rounded) else 1, force_grouping=True
    )
