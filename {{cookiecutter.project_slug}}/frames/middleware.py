import contextlib

from django.utils.translation import gettext

from .access import problem_page
from .exceptions import DiskFull, LimitExceeded, as_problem, is_foreseen
from .workspace import Workspace, bind

MAX_FORM = 64 << 10  # Bytes.


class BodyMiddleware:
    """Refuse a long body of a client without a session, before any of it is read.

    The CSRF check, which comes next, looks for its token in the body. Nobody needs so
    much to sign in, and whoever sends it slowly would keep a thread busy.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        # Views without that check decide on their own what they read.
        if getattr(view, "csrf_exempt", False):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) <= MAX_FORM:
            return None
        if not request.session.is_empty():
            return None
        text = gettext("This form is too long for someone who is not signed in.")
        return problem_page(as_problem(LimitExceeded(text)), request)


class WorkspaceMiddleware:
    """Bind the workspace of whoever sends the request. After the user is known."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Both are lazy: a page that asks for no frame asks for no user.
        with bind(Workspace(request.user, request.session)):
            response = self.get_response(request)
        if response.status_code == DiskFull.status:
            discard_body(request)
        return response

    def process_exception(self, request, exception):
        """A view that is refused something about a frame answers with the reason."""
        if is_foreseen(exception):
            return problem_page(as_problem(exception), request)
        return None


def discard_body(request):
    """Read what is left of a request's body, which could not be stored.

    Browsers, and many programs, read no answer before they have sent all of it: they
    would see a connection that breaks off. How long a body may be was checked before.
    """
    with contextlib.suppress(OSError):  # Nobody is there any more.
        while request.read(1 << 16):
            pass
