"""Open data in D-Tale, from a view, a job or a shell."""

from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect

from .decorators import check_access
from .dtale.loader import load_dtale
from .models import Frame
from .readers.options import ImportOptions
from .workspace import Workspace, bind


def explore(
    request: HttpRequest,
    data: object,
    name: str = "",
    note: str = "",
    options: ImportOptions | None = None,
) -> HttpResponseRedirect:
    """Open ``data`` in D-Tale and return a redirect to the new frame's page.

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

    Raises:
        TypeError: ``data`` cannot be converted to a DataFrame.
        SourceError: the file cannot be read, or can be read in several ways. The
            message names the options that decide it.
        UnsupportedDtype: D-Tale cannot show these data; the message says why.
        LimitExceeded: the frame is too large, or exceeds a quota of its owner.
        AccessDenied: the site's access policy refuses this user.
    """
    if not check_access(request.user):
        return redirect_to_login(request.get_full_path())
    with bind(Workspace(request.user, request.session)):
        frame = open_data(data, name, note, options)
    return HttpResponseRedirect(frame.get_absolute_url())


def publish(
    data: object,
    *,
    owner: AbstractBaseUser,
    name: str = "",
    note: str = "",
    shared_with: Iterable[AbstractBaseUser] = (),
    options: ImportOptions | None = None,
) -> Frame:
    """Create a frame that belongs to a user, from a job, a shell or a view.

    Args:
        data: a ``pandas.DataFrame``, or anything else that
            ``django_dtale.readers.dataframe.to_dataframe`` accepts.
        owner: the user who will own the frame.
        name: the name of the frame, which can be empty. If the owner already has a
            frame with this name, a number is appended.
        note: plain text that everyone who opens the frame sees below the grid.
        shared_with: users who may read the frame.
        options: see ``explore``.

    Returns:
        The stored frame.

    Raises:
        TypeError: ``data`` cannot be converted to a DataFrame.
        SourceError: see ``explore``.
        UnsupportedDtype: D-Tale cannot show these data; the message says why.
        LimitExceeded: the frame is too large, or exceeds a quota of its owner.
    """
    with bind(Workspace(owner)):
        frame = open_data(data, name, note, options)
    frame.shared_with.set(shared_with)  # type: ignore[arg-type]
    return frame


def open_data(
    data: object, name: str, note: str = "", options: ImportOptions | None = None
) -> Frame:
    """Create a frame from data in the bound workspace, and return it."""
    # Imported here, because these modules import pandas, which is slow.
    from .compat.dtypes import DisplayableFrame
    from .readers.dataframe import to_dataframe

    if not isinstance(data, DisplayableFrame):
        data = to_dataframe(data, options)
    return Frame.objects.get(pk=load_dtale().open_frame(data, name, note))


def copy_frame(frame: Frame) -> Frame:
    """Copy a frame that the bound workspace can see, and return the copy.

    Raises:
        LimitExceeded: the copy exceeds a quota of its owner.
    """
    return Frame.objects.get(pk=load_dtale().copy_frame(frame.pk))
