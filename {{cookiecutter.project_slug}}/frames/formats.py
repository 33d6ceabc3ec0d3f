"""Numbers as people read them, in their language: 1,000 or 1.000."""

from django.utils.formats import number_format


def grouped(number):
    """Return an int as text (str)."""
    return number_format(number, force_grouping=True)


def megabytes(nbytes):
    """Return a number of bytes as megabytes (str), to one decimal."""
    return number_format(round(nbytes / 2**20, 1), 1, force_grouping=True)
