"""Runs of sources and models: what is read, for whom, and how it is read again."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext

from ..decorators import User, check_access
from ..exceptions import FrameError, NotRefreshable, SourceFailed, SourceForbidden
from ..logs import request_id
from ..models import Frame, Origin
from ..view import View
from . import model_data
from .parameters import from_json
from .registry import Source, get_source

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

logger = logging.getLogger(__name__)
MAX_TITLE = 255  # Characters, as in the database.
IN_NAMES = str, int, Decimal, date, Model  # Values of these types are part of names.


@dataclass(frozen=True)
class Run:
    """A function that reads data, and the frame that they become.

    Attributes:
        name: the name of a new frame.
        fields: values of fields of the frame, such as ``origin``.
        view: how the frame opens.
        limit, sample: see ``explore``.
    """

    read: Callable[[], object]
    name: str
    fields: dict[str, Any]
    view: View | None = None
    limit: int | None = None
    sample: bool = False

    @contextlib.contextmanager
    def failures(self) -> Iterator[None]:
        """Turn exceptions of a source in a with-block into errors with a message.

        Raises:
            SourceForbidden: the source has raised PermissionDenied.
            SourceFailed: the exception was logged, because its message may not be for
                users.
        """
        try:
            yield
        except FrameError:
            raise
        except Exception as error:
            if self.fields["origin"] != Origin.SOURCE:
                raise
            title = self.fields["origin_name"]
            if isinstance(error, PermissionDenied):
                raise SourceForbidden(title) from None
            number, key = request_id(), self.fields["source"]
            text = "Request %s: the source %s failed"
            logger.error(text, number, key, exc_info=error)
            raise SourceFailed(title, number) from error


def run_source(source: Source, request: HttpRequest, parameters: dict[str, Any]) -> Run:
    """Return the run of a source with values that `parameters.to_json` has returned.

    The first run uses the stored values, too, so that it cannot differ from others.

    Raises:
        NotRefreshable: the form of the source does not accept the values.
    """
    values = from_json(source.form, parameters)
    title = str(source.title)
    shown = [
        str(value)
        for value in values.values()
        if isinstance(value, IN_NAMES) and not isinstance(value, bool) and value != ""
    ]
    return Run(
        partial(source.function, request, **values),
        f"{title}: {', '.join(shown)}" if shown else title,
        _fields(Origin.SOURCE, title, source=source.key, parameters=parameters),
        source.view,
        source.limit,
        source.sample,
    )


def run_model(
    request: HttpRequest,
    model_admin: "ModelAdmin",
    rows: QuerySet,
    query: QueryDict | None = None,
) -> Run:
    """Return the run that reads rows of a model, for a user who may see them.

    Args:
        query: the search and the filters that select the rows. Without it, the table
            cannot be refreshed.
    """
    name = str(capfirst(model_admin.opts.verbose_name_plural))
    fields = _fields(Origin.MODEL, name)
    if query is not None:
        parameters = {"query": model_data.without_page(query)}
        label = model_admin.opts.label_lower
        fields = _fields(Origin.MODEL, name, source=label, parameters=parameters)
    names = [each.name for each in model_data.visible_fields(model_admin, request)]

    return Run(lambda: rows.select_related(None).only(*names), name, fields)


def _fields(origin: Origin, title: str, **more: Any) -> dict[str, Any]:
    now = timezone.now()  # Reading begins now.
    return {"origin": origin, "origin_name": title[:MAX_TITLE], "data_at": now, **more}


def run_again(frame: Frame) -> Run:
    """Return the run that reads the data of a frame again, as the frame's owner.

    Raises:
        NotRefreshable: the frame has no source, or the source has changed.
        SourceForbidden: the owner may not run the source any more.
        AccessDenied: the access policy of the site refuses the owner.
        FrameError: a filter of the model does not exist any more.
    """
    user: User = frame.owner or AnonymousUser()
    is_known = user.is_active or user.is_anonymous
    if not (is_known and check_access(user)):
        raise SourceForbidden(frame.origin_name)
    if not frame.has_source:
        raise NotRefreshable(gettext("Its data did not come from a source."))
    if frame.origin == Origin.MODEL:
        return _model_again(frame, user)
    source = get_source(frame.source)
    if source is None:
        text = gettext("The source “%(source)s” no longer exists on this site.")
        raise NotRefreshable(text % {"source": frame.source})
    if not source.is_allowed(user):
        raise SourceForbidden(frame.origin_name)
    return run_source(source, owner_request(user), frame.parameters)


def _model_again(frame: Frame, user: User) -> Run:
    request = owner_request(user, frame.parameters.get("query", ""))
    model_admin = model_data.find_model_admin(request, *frame.source.split("."))
    if model_admin is None:
        raise SourceForbidden(frame.origin_name)
    rows = model_data.get_changelist(model_admin, request).queryset
    return run_model(request, model_admin, rows, request.GET)


def owner_request(user: User, query: str = "") -> HttpRequest:
    """Return a request that has a user and a query string, and nothing else.

    Nobody has sent this request, so it has no session, cookies, headers or host. Code
    that needs one of them fails instead of seeing those of another person.
    """
    request = HttpRequest()
    request.method = "GET"
    request.user = user  # type: ignore[assignment]
    request.GET = QueryDict(query)
    return request
