"""The system check of the values and the predefined filters of a site."""

from collections.abc import Iterator, Mapping

from django.core.checks import CheckMessage, Error

from ..conf import SETTINGS, dtale_settings
from ..exceptions import FilterRefused
from .site import plain, site_filters

ID = "frames.E004"


def check_filters(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report invalid values in FILTER_VALUES, and invalid PREDEFINED_FILTERS.

    Another check reports these keys if they have the wrong type, or cannot be imported.
    """
    found: list[CheckMessage] = []
    try:
        values = dtale_settings.FILTER_VALUES
    except ImportError:
        return found
    if isinstance(values, Mapping):
        found += _wrong_values(values)
    filters = dtale_settings.PREDEFINED_FILTERS
    if filters and SETTINGS["PREDEFINED_FILTERS"].kind.accepts(filters):
        found += _wrong_filters(values if isinstance(values, Mapping) else None)
    return found


def _wrong_values(values: Mapping) -> Iterator[CheckMessage]:
    for name, value in values.items():
        if not (isinstance(name, str) and name.isidentifier()):
            yield Error(
                f'DTALE["FILTER_VALUES"] has the name {name!r}.',
                hint="Write a name that is an identifier in Python, such as my_region.",
                id=ID,
            )
            continue
        try:
            plain(value)
        except ValueError as error:
            yield Error(
                f'DTALE["FILTER_VALUES"]["{name}"]: {error}.',
                hint="Write a number, a text, a date, True, False, or a list of these.",
                id=ID,
            )


def _wrong_filters(values: Mapping | None) -> Iterator[CheckMessage]:
    """Report filters that are not valid.

    Args:
        values: the values that filters can use, or None if they depend on the user.
    """
    # This import takes long, because it imports pandas.
    from .compiler import Filter

    for each in site_filters().values():
        text = f'DTALE["PREDEFINED_FILTERS"]["{each.name}"]: '
        try:
            names = Filter(each.text).names
            # D-Tale joins filters. In parentheses, a text with a comment is not valid.
            Filter(f"({each.text})")
        except FilterRefused as error:
            yield Error(f"{text}{error}", id=ID)
            continue
        for name in sorted(set(names).difference(names if values is None else values)):
            yield Error(f"{text}FILTER_VALUES has no {name}.", id=ID)
