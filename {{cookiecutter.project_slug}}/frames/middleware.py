from .access import problem_page
from .exceptions import FrameError, as_problem
from .logs import NO_DATABASE
from .workspace import Workspace, bind


class WorkspaceMiddleware:
    """Bind the workspace of whoever sends the request. After the user is known."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        # Both are lazy: a page that asks for no frame asks for no user.
        with bind(Workspace(request.user, request.session)):
            return self.get_response(request)

    def process_exception(self, request, exception):
        """A view that is refused something about a frame answers with the reason."""
        if isinstance(exception, (FrameError, *NO_DATABASE)):
            return problem_page(as_problem(exception), request)
        return None
