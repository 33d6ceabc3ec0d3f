"""The registry of sources: functions of the site that collect data for people."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.forms import BaseForm, FileField, Form, MultiValueField
from django.utils.functional import Promise

from ..decorators import User
from ..view import View

Function = TypeVar("Function", bound=Callable)
Permission = str | Iterable[str] | Callable[[User], bool]
# A field of these types has no single value that could be stored as JSON.
NOT_STORABLE = FileField, MultiValueField


@dataclass(frozen=True)
class Source:
    """A registered function. See `source` for its attributes.

    Attributes:
        key: the label of the app and the name of the function: "shop.orders".
        permissions: the names of permissions, or a function of the user.
    """

    key: str
    function: Callable
    title: str | Promise
    description: str | Promise
    form: type[BaseForm]
    permissions: tuple[str, ...] | Callable[[User], bool]
    cache: float
    view: View | None
    limit: int | None
    sample: bool

    def is_allowed(self, user: User) -> bool:
        """Return whether a user may run the source."""
        if callable(self.permissions):
            return bool(self.permissions(user))
        person: Any = user
        return not self.permissions or person.has_perms(self.permissions)


_sources: dict[str, Source] = {}


def source(
    title: str | Promise,
    *,
    form: type[BaseForm] | None = None,
    permission: Permission | None = None,
    cache: float = 0,
    description: str | Promise = "",
    view: View | None = None,
    limit: int | None = None,
    sample: bool = False,
) -> Callable[[Function], Function]:
    """Decorate a function so that people can open its data from a menu of the site.

    The function receives a request and, as keyword arguments, the cleaned values of the
    form's fields. It returns anything that ``explore`` accepts. Write sources in the
    module ``sources`` of an installed app, which is imported when the site starts.

    A table remembers its source and the values of the form, so that it can be
    refreshed. The function then receives a request whose user is the owner of the
    table, and which has no session, cookies, headers or form data.

    Args:
        title: the text in the menu, and the name of the tables.
        form: a form that asks for the arguments of the function.
        permission: the name of a permission, several names, or a function that receives
            the user and returns whether they may run the source. By default, everyone
            who may have frames can run it.
        cache: seconds during which other users with the permission get the same table,
            as readers, if they choose the same values. The data must not depend on the
            user of the request.
        description: a sentence below the title.
        view: how the tables open. If it does not fit the data, the source fails.
        limit, sample: the maximum number of rows, and whether they are chosen at random
            (see ``explore``).

    Raises:
        TypeError: an argument has the wrong type, or the function does not accept the
            fields of the form.
        ValueError: the source has no title, is in no installed app, or is registered
            already.
    """
    if not isinstance(title, str | Promise):
        raise TypeError('A source needs a title: @source("Orders of a year")')
    if not str(title).strip():
        raise ValueError("The title of a source must not be empty.")
    form = Form if form is None else form
    _check_form(form)
    permissions = _permissions(() if permission is None else permission)
    if isinstance(cache, bool) or not isinstance(cache, int | float) or cache < 0:
        raise TypeError(f"cache is a number of seconds, not {cache!r}.")

    def register(function: Function) -> Function:
        _check_function(function, form)
        key = _key(function)
        if key in _sources:
            raise ValueError(f"The source {key} is registered already.")
        _sources[key] = Source(
            key,
            function,
            title,
            description,
            form,
            permissions,
            cache,
            view,
            limit,
            sample,
        )
        return function

    return register


def all_sources() -> list[Source]:
    """Return the registered sources in the order of their titles."""
    return sorted(_sources.values(), key=lambda each: str(each.title).casefold())


def get_source(key: str) -> Source | None:
    """Return the source with a key, or None if there is no such source."""
    return _sources.get(key)


def _check_form(form: type[BaseForm]) -> None:
    if not (isinstance(form, type) and issubclass(form, BaseForm)):
        raise TypeError(f"form is a class of django.forms, not {form!r}.")
    for name, field in form.base_fields.items():  # type: ignore[attr-defined]
        if isinstance(field, NOT_STORABLE):
            kind = type(field).__name__
            raise TypeError(f"The field {name} is a {kind}, which cannot be stored.")


def _permissions(given: Permission) -> Any:
    if callable(given):
        return given
    names = (given,) if isinstance(given, str) else given
    is_list = isinstance(names, list | tuple | set)
    if not is_list or not all(isinstance(each, str) and "." in each for each in names):
        raise TypeError(
            'permission is a name such as "shop.view_order", a list of names, or a '
            f"function of the user, not {given!r}."
        )
    return tuple(names)


def _check_function(function: Callable, form: type[BaseForm]) -> None:
    if not inspect.isfunction(function) or inspect.iscoroutinefunction(function):
        raise TypeError(f"A source is a function that is not async, not {function!r}.")
    try:
        fields = dict.fromkeys(form.base_fields)  # type: ignore[attr-defined]
        inspect.signature(function).bind(None, **fields)
    except TypeError as error:
        raise TypeError(
            f"{function.__name__}() has to accept a request and the fields of "
            f"{form.__name__}: {error}."
        ) from None


def _key(function: Callable) -> str:
    config = apps.get_containing_app_config(function.__module__)
    if config is None:
        raise ValueError(
            f"The module {function.__module__} belongs to no app in INSTALLED_APPS."
        )
    return f"{config.label}.{function.__name__}"
