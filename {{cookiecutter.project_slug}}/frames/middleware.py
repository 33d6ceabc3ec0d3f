import contextlib

from .access import problem_page
from .exceptions import DiskFull, as_problem, is_foreseen
from .workspace import Workspace, bind


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
