from django.shortcuts import render

from .exceptions import FrameError
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
        if isinstance(exception, FrameError):
            context = {"title": exception.title, "text": exception}
            template = "frames/problem.html"
            return render(request, template, context, status=exception.status)
        return None
