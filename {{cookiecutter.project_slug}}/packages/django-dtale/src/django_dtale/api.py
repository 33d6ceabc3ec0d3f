"""Open data in D-Tale, from a view, a job or a shell."""

import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect

from .decorators import check_access
from .dtale.loader import load_dtale
from .exceptions import Conflict
from .models import Frame, Origin, People
from .models.data_ids import data_id
from .models.names import clean_name
from .models.shares import check_people
from .readers.options import ImportOptions
from .sources.runs import Run, run_again
from .view import View
from .workspace import Workspace, bind, current

if TYPE_CHECKING:
    import pandas as pd

    from .compat.dtypes import DisplayableFrame

# An action is repeated if another request changes the frame at the same time.
ATTEMPTS = 5
T = TypeVar("T")


def explore(
    request: HttpRequest,
    data: object,
    name: str = "",
    note: str = "",
    options: ImportOptions | None = None,
    *,
    replace: bool = False,
    view: View | None = None,
    limit: int | None = None,
    sample: bool = False,
) -> HttpResponseRedirect:
    """Open ``data`` in D-Tale and return a redirect to the frame's page.

    Values that D-Tale cannot show are converted. The page lists the conversions.

    If LOGIN_REQUIRED is true, visitors who are not signed in get no frame: they are
    redirected to the login page, and from there back to the view. To avoid collecting
    the data for them, decorate the view with `decorators.frames_login_required`.

    Args:
        request: the current request. The frame will belong to its user, or to the
            session of an anonymous visitor.
        data: a ``pandas.DataFrame``, Series or QuerySet, or anything else that
            ``django_dtale.readers.dataframe.to_dataframe`` accepts.
        name: the name of the frame, which can be empty. If the name is taken, a number
            is appended.
        note: plain text that everyone who opens the frame sees below the grid, for
            example that the frame contains only a part of the data.
        options: the options with which a ``pathlib.Path`` is read. Options that are not
            set are detected.
        replace: if the user has a frame with this name, replace its data. Its address,
            shares, filters and formats stay.
        view: how the frame opens, for example sorted, or with some columns locked.
        limit: the maximum number of rows. Of data that can be larger than memory, at
            most SOURCE_ROWS rows are read by default: of an expression of ibis, a
            relation of DuckDB, an Arrow dataset or a query (``Sql``). The frame's page
            shows how many rows there are.
        sample: if there are more rows, choose them at random.

    Raises:
        TypeError: ``data`` cannot be converted to a DataFrame.
        ValueError: ``replace`` is true, but there is no name, or the view does not fit
            the data.
        SourceError: the file cannot be read, or can be read in several ways. The
            message names the options that decide it.
        UnsupportedDtype: D-Tale cannot show these data; the message says why.
        LimitExceeded: the frame is too large, or exceeds a quota of its owner.
        AccessDenied: the site's access policy refuses this user.
    """
    if not check_access(request.user):
        return redirect_to_login(request.get_full_path())
    with bind(Workspace(request.user, request.session)):
        frame = open_data(
            data,
            name,
            options,
            replace=replace,
            view=view,
            limit=limit,
            sample=sample,
            note=note,
            origin=Origin.CODE,
        )
    return HttpResponseRedirect(frame.get_absolute_url())


def publish(
    data: object,
    *,
    owner: AbstractBaseUser,
    name: str = "",
    note: str = "",
    shared_with: Iterable[People] = (),
    options: ImportOptions | None = None,
    replace: bool = False,
    append: bool = False,
    view: View | None = None,
    limit: int | None = None,
    sample: bool = False,
) -> Frame:
    """Create a frame that belongs to a user, from a job, a shell or a view.

    Args:
        data: a ``pandas.DataFrame``, or anything else that
            ``django_dtale.readers.dataframe.to_dataframe`` accepts.
        owner: the user who will own the frame.
        name: the name of the frame, which can be empty. If the owner already has a
            frame with this name, a number is appended.
        note: plain text that everyone who opens the frame sees below the grid.
        shared_with: users and groups who may read the frame, and EVERYONE for all who
            are signed in. If they have access already, their role stays.
        options, replace, view, limit, sample: see ``explore``.
        append: if the owner has a frame with this name, add the rows at its end. They
            need the same columns. ``replace`` and ``append`` exclude each other.

    Returns:
        The stored frame.

    Raises:
        TypeError: ``data`` cannot be converted to a DataFrame, or ``shared_with``
            contains something else.
        ValueError: see ``explore``.
        SourceError: see ``explore``, or the columns are not those of the frame.
        UnsupportedDtype: D-Tale cannot show these data; the message says why.
        LimitExceeded: the frame is too large, or exceeds a quota of its owner.
    """
    shared_with = list(shared_with)
    for people in shared_with:
        check_people(people)
    with bind(Workspace(owner)):
        frame = open_data(
            data,
            name,
            options,
            replace=replace,
            append=append,
            view=view,
            limit=limit,
            sample=sample,
            note=note,
            origin=Origin.CODE,
        )
    share_with(frame, shared_with)
    return frame


def share_with(frame: Frame, shared_with: Iterable[People]) -> None:
    """Let users and groups read a frame, except those with whom it is shared already."""
    for people in shared_with:
        if not frame.shares.to(people).exists():
            frame.share(people)


def replace_data(
    frame: Frame,
    data: object,
    options: ImportOptions | None = None,
    *,
    view: View | None = None,
    limit: int | None = None,
    sample: bool = False,
    workspace: Workspace | None = None,
    **fields: Any,
) -> None:
    """Replace the data of a frame, and reload its row.

    Its address, name, shares, filters, formats and notes stay. Filters that do not fit
    the new data are dropped, and the frame's page says so. Other requests see either
    the old data or the new.

    Args:
        data, options, limit, sample: see ``publish``.
        view: see ``View``. People keep their own views, so only its ``editable``,
            ``title``, ``page`` and ``chart`` take effect.
        workspace: the workspace of the person who replaces the data. By default, it is
            that of the owner.
        fields: new values of other fields, such as ``note`` or ``origin_name``.

    Raises:
        FrameNotFound, ReadOnly: the workspace may not change the frame.
        TypeError, ValueError, SourceError, UnsupportedDtype, LimitExceeded: see
            ``publish``.
    """
    prepared = _prepared(data, options, limit, sample)
    _update(frame, prepared, {"view": view, **fields}, workspace)


def append_data(
    frame: Frame,
    data: object,
    options: ImportOptions | None = None,
    *,
    limit: int | None = None,
    sample: bool = False,
    workspace: Workspace | None = None,
    **fields: Any,
) -> None:
    """Add rows at the end of a frame, and reload its row.

    Args:
        data: rows with the same columns, in any order. See also ``replace_data``.

    Raises:
        FrameNotFound, ReadOnly: the workspace may not change the frame.
        SourceError: the columns are not those of the frame.
        TypeError, UnsupportedDtype, LimitExceeded: see ``publish``.
    """
    prepared = _prepared(data, options, limit, sample)
    _update(frame, prepared, fields, workspace, append=True)


def refresh(frame: Frame) -> None:
    """Run the source of a frame again, as its owner, and replace the frame's data.

    The source gets the values that were chosen when the frame was opened. If anything
    fails, the frame keeps its data. See ``replace_data`` for what stays otherwise.

    Raises:
        NotRefreshable: the frame has no source, or the source has changed.
        SourceForbidden, AccessDenied: the owner may not use the source any more.
        SourceFailed: the source has raised an exception, which was logged.
        UnsupportedDtype, LimitExceeded: see ``publish``.
    """
    with bind(Workspace.of(frame)):
        run = run_again(frame)
        data = collect(run)
    with run.failures():
        replace_data(frame, data, view=run.view, **run.fields)


def collect(run: Run) -> "pd.DataFrame | DisplayableFrame":
    """Return the data of a run.

    Raises:
        SourceFailed: the source has raised an exception, which was logged.
    """
    with run.failures():
        return _prepared(run.read(), None, run.limit, run.sample)


def open_run(run: Run) -> Frame:
    """Create a frame in the bound workspace from the data of a run."""
    return open_data(collect(run), run.name, view=run.view, **run.fields)


def open_data(
    data: object,
    name: str,
    options: ImportOptions | None = None,
    *,
    replace: bool = False,
    append: bool = False,
    view: View | None = None,
    limit: int | None = None,
    sample: bool = False,
    **fields: Any,
) -> Frame:
    """Create a frame in the bound workspace, or give new data to one.

    Args:
        replace, append: if the workspace has a frame with this name, replace its data,
            or add rows to them.
        view: how the frame opens.
        limit, sample: see ``explore``.
        fields: values of other fields of the row, such as ``note``.

    Raises:
        ValueError: both are true, one of them is true and there is no name, or the view
            does not fit the data.
    """
    if replace and append:
        raise ValueError("Choose one of replace and append, not both.")
    is_update, name = replace or append, clean_name(name)
    if is_update and not name:
        raise ValueError("To replace or append data, give the name of the table.")
    prepared = _prepared(data, options, limit, sample)
    dtale = load_dtale()

    def put() -> Frame:
        own = Frame.objects.owned_by(current()).filter(name=name)
        if not (is_update and (frame := own.first())):
            # If another request creates the table now, this raises Conflict.
            pk = dtale.open_frame(
                prepared, name, claim_name=is_update, view=view, **fields
            )
            return Frame.objects.get(pk=pk)
        given = {field: value for field, value in fields.items() if value}
        dtale.replace_frame(frame.pk, prepared, append=append, view=view, **given)
        frame.refresh_from_db()
        return frame

    return repeat(put)


def copy_frame(frame: Frame, variant: int = 0) -> Frame:
    """Copy a frame that the bound workspace can see, and return the copy.

    Args:
        variant: the number of a saved view, which the copy shows; see ``data_ids``.

    Raises:
        LimitExceeded: the copy exceeds a quota of its owner.
    """
    number = data_id(frame.pk, variant)
    return Frame.objects.get(pk=load_dtale().copy_frame(number))


def _prepared(
    data: object,
    options: ImportOptions | None,
    limit: int | None = None,
    sample: bool = False,
) -> "pd.DataFrame | DisplayableFrame":
    # Imported here, because these modules import pandas, which is slow.
    from .compat.dtypes import DisplayableFrame
    from .readers.dataframe import to_dataframe

    if isinstance(data, DisplayableFrame):
        return data
    return to_dataframe(data, options, limit=limit, sample=sample)


def _update(
    frame: Frame,
    data: "pd.DataFrame | DisplayableFrame",
    fields: dict[str, Any],
    workspace: Workspace | None,
    append: bool = False,
) -> None:
    given = {"origin": Origin.CODE} | fields
    with bind(workspace or Workspace.of(frame)):
        write = load_dtale().replace_frame
        repeat(partial(write, frame.pk, data, append=append, **given))
    frame.refresh_from_db()


def repeat(action: Callable[[], T]) -> T:
    """Return the result of an action, which is repeated after conflicts.

    Raises:
        Conflict: other requests have changed the frame during each attempt.
    """
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(Conflict):
            return action()
    return action()
