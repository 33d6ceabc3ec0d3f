"""Format numbers in the user's language: 1,000 or 1.000."""

from django.utils.formats import number_format


def format_number(number: int) -> str:
    """Return a number with its digits grouped."""
    return number_format(number, force_grouping=True)


def format_megabytes(nbytes: int) -> str:
    """Return a number of bytes as megabytes, to one decimal."""
    return number_format(round(nbytes / 2**20, 1), 1, force_grouping=True)
