"""Values and predefined filters that the developers of a site give.

A value is never inserted into the text of a filter. The text contains only its name,
such as @my_region, and the compiled filter looks the value up.
"""

import datetime
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.utils.translation import gettext

from ..conf import dtale_settings
from ..exceptions import FilterRefused

# One filter can use lists with this many values in all. The text of a filter has room
# for about as many.
MAX_VALUES = 50_000
MAX_INTEGER = 10**80
NAMED = "namedFilters"  # The key of a frame's own filters in D-Tale's settings.
NO_VALUES: Mapping[str, Any] = MappingProxyType({})


class SiteFilter(NamedTuple):
    """A predefined filter."""

    name: str
    text: str
    description: str


def site_filters() -> dict[str, SiteFilter]:
    """Return the predefined filters of this site by name."""
    return {
        name: SiteFilter(name, each["filter"], str(each.get("description", "")))
        for name, each in dtale_settings.PREDEFINED_FILTERS.items()
    }


def named_filters(settings: Mapping[str, Any]) -> dict[str, SiteFilter]:
    """Return the filters that code has named for a frame: ``View.filters``.

    Args:
        settings: D-Tale's settings of the frame.
    """
    named = settings.get(NAMED) or {}
    return {name: SiteFilter(name, text, "") for name, text in named.items()}


def text_filters(settings: Mapping[str, Any]) -> dict[str, SiteFilter]:
    """Return the predefined filters of a frame that are text: its own and the site's."""
    return named_filters(settings) | site_filters()


def values_of(user: Any) -> Mapping[str, Any]:
    """Return the values that a user, who may be anonymous, can use in filters.

    Raises:
        ImproperlyConfigured: the site's function does not return a dict.
        RuntimeError: the function fails. Users must not see its message.
    """
    values = dtale_settings.FILTER_VALUES
    if callable(values):
        try:
            values = values(user)
        except DatabaseError:
            raise
        except Exception as error:
            text = gettext("The values for filters could not be determined.")
            raise RuntimeError(text) from error
    if not isinstance(values, Mapping):
        raise ImproperlyConfigured(
            f'DTALE["FILTER_VALUES"] returned a {type(values).__name__}, not a dict.'
        )
    return values


def look_up(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of names in a filter, as plain values.

    Args:
        names: the names in the filter, once for each use.
        values: the values that the user can use.

    Raises:
        FilterRefused: a value is missing, or cannot be used in filters.
    """
    found: dict[str, Any] = {}
    count = 0
    for name in names:
        if name not in values:
            known = ", ".join(f"@{each}" for each in sorted(values)) or "none"
            known = known if len(known) <= 300 else f"{known[:297]}..."
            why = f"there is no value with this name; this site has {known}"
            raise FilterRefused(f"@{name}", why)
        if name not in found:
            try:
                found[name] = plain(values[name])
            except ValueError as error:
                raise FilterRefused(f"@{name}", str(error)) from None
        count += len(found[name]) if isinstance(found[name], list) else 1
        if count > MAX_VALUES:
            why = f"the lists in the filter have more than {MAX_VALUES:,} values in all"
            raise FilterRefused(f"@{name}", why)
    return found


def plain(value: Any) -> Any:
    """Return a value of a plain type: a number, a text, a date, or a list of these.

    Enumerations such as Django's TextChoices become their values.

    Raises:
        ValueError: the value cannot be used in filters. The message gives the reason.
    """
    if isinstance(value, (list, tuple)):
        if len(value) > MAX_VALUES:
            raise ValueError(f"this list has more than {MAX_VALUES:,} values")
        return [_plain_scalar(each) for each in value]
    return _plain_scalar(value)


def _plain_scalar(value):
    if isinstance(value, (bool, datetime.date)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return int(value)
    if isinstance(value, float):
        return float(value)
    kind = "number that large" if isinstance(value, int) else type(value).__name__
    raise ValueError(f"filters cannot use a value of type {kind}")
