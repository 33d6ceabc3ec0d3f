"""From a DataFrame to its page in D-Tale: for a view, a job or a shell."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect

from .access import may_have_frames
from .dtale_loader import load_dtale
from .models import Frame
from .workspace import Workspace, bind


def explore(request, data, name="", note=""):
    """Open ``data`` in D-Tale and return the redirect to its page.

    What D-Tale cannot show as it is has been converted: the page says what.

    Where FRAMES_LOGIN_REQUIRED is on, a visitor who is not signed in gets no frame: the
    redirect goes to the login page, and from there back to the view. A view that should
    not even collect its data for them has `access.login_required_if_asked` above it.

    Args:
        request: the ``HttpRequest`` of the view that returns the redirect. The frame
            belongs to its user, or to its session.
        data: a ``pandas.DataFrame``, Series or QuerySet, or anything else that
            ``frames.sources.to_frame`` takes.
        name: str, shown beside the frame's number; empty for none. A name that is
            taken gets a number.
        note: str, what whoever opens the frame has to know of it, such as that it is a
            part of the data only; empty for nothing. Plain text, shown beside the grid.

    Returns:
        HttpResponseRedirect

    Raises:
        TypeError: ``data`` is nothing that can become a DataFrame.
        KindError: D-Tale cannot show such a frame; the text says why.
        LimitExceeded: it is too large, or one too many; the text says which.
    """
    if not may_have_frames(request.user):
        return redirect_to_login(request.get_full_path())
    with bind(Workspace(request.user, request.session)):
        frame = open_data(data, name, note)
    return HttpResponseRedirect(frame.get_absolute_url())


def publish(data, *, owner, name="", note="", shared_with=()):
    """Give a person a frame: what ``Frame.objects.publish`` does, and says."""
    with bind(Workspace(owner)):
        frame = open_data(data, name, note)
    frame.shared_with.set(shared_with)
    return frame


def open_data(data, name, note=""):
    """Make a frame of the bound workspace from data, as ``explore`` does: a Frame."""
    from .kinds import Prepared  # Imported late, both: they import pandas.
    from .sources import to_frame

    if not isinstance(data, Prepared):
        data = to_frame(data)
    return Frame.objects.get(pk=load_dtale().open_frame(data, name, note))


def copy_frame(frame):
    """Make a frame (Frame) of the bound workspace's own from one that it can see.

    Raises:
        LimitExceeded: it would be one too many, or too large.
    """
    return Frame.objects.get(pk=load_dtale().copy_frame(frame.pk))
