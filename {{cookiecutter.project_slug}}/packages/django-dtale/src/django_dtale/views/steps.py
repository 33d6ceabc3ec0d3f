"""The steps in which tables are opened, and the responses that report them.

The response to a script (upload.js) is a line of JSON for each step, so that the page
can show the progress. The last line has the URL to go to, or the error. Closing the
connection cancels the work. Without a script, the response is a redirect to that URL,
or a page.
"""

import contextvars
import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from ..access import access_to
from ..api import append_data, open_data, replace_data
from ..errors import is_expected, to_frame_error, user_message
from ..exceptions import FrameNotFound, NotEditable, ReadOnly
from ..models import Frame, Origin
from ..workspace import Workspace, bind

if TYPE_CHECKING:
    from ..readers.process.client import ReaderTask

NDJSON = "application/x-ndjson"
# A generator that yields dicts, the last of which has a "location".
Steps = Generator[dict[str, Any], None, Any]


def reading(task: "ReaderTask", part: int = 0, parts: int = 1, name: str = "") -> Steps:
    """Run the task of a reader: yield the progress, and return the result.

    Args:
        part, parts: the index of the file, from 0, and the number of files.
        name: the name of the file. The page shows it if there are several.
    """
    which = {"name": name, "part": part + 1, "parts": parts} if parts > 1 else {}
    if which:  # Small files are read before there is any progress.
        yield {"step": "reading", "done": round(part / parts, 3), **which}
    while True:
        try:
            done = next(task)
        except StopIteration as end:
            return end.value
        yield {"step": "reading", "done": round((part + done) / parts, 3), **which}


@dataclass(frozen=True)
class Target:
    """The frame that gets the data of an upload.

    Attributes:
        pk: its primary key.
        append: add the rows to it. Otherwise, its data are replaced.
    """

    pk: int
    append: bool = False

    def frame(self, here: Workspace) -> Frame:
        """Return the frame.

        Raises:
            FrameNotFound: the workspace cannot see it.
            ReadOnly: the workspace may not change it.
            NotEditable: code has said which of its data can be edited.
        """
        frame = Frame.objects.visible_in(here).filter(pk=self.pk).first()
        if frame is None:
            raise FrameNotFound(self.pk)
        access = access_to(frame, here)
        if access is None or not access.can_write:
            raise ReadOnly(frame)
        if frame.can_edit is not None:
            raise NotEditable(frame)
        return frame


class Opening:
    """Creates frames within a with-block. Deletes them if it fails or is cancelled.

    Args:
        target: the frame that gets the data; None to create frames.
    """

    def __init__(self, here: Workspace, target: Target | None = None) -> None:
        self.here = here
        self.target = target
        self.frames: list[Frame] = []

    def __enter__(self) -> "Opening":
        return self

    def __exit__(self, kind: type | None, *error: object) -> None:
        # GeneratorExit means that the client has closed the connection.
        if kind is not None and self.target is None:
            for frame in self.frames:
                frame.delete()

    def open(self, data: Any, name: str, **fields: Any) -> None:
        """Create a frame, or change the data of the target.

        Args:
            fields: values of fields of the frame, such as ``origin_name``.
        """
        fields = {"origin": Origin.FILE} | fields
        if self.target is None:
            with bind(self.here):
                self.frames.append(open_data(data, name, **fields))
            return
        frame = self.target.frame(self.here)
        update = append_data if self.target.append else replace_data
        update(frame, data, workspace=self.here, **fields)
        self.frames.append(frame)

    def location(self) -> str:
        """Return the URL of the frame, or that of the list if there are several."""
        if len(self.frames) == 1:
            return self.frames[0].get_absolute_url()
        return reverse("frames:opened", args=[len(self.frames)])


# Responses ----------------------------------------------------------------------------


def is_script(request: HttpRequest) -> bool:
    """Return whether the request expects lines of JSON."""
    return request.headers.get("Accept") == NDJSON


def respond(request: HttpRequest, steps: Steps) -> HttpResponseBase:
    """Return the response that runs and reports steps."""
    if is_script(request):
        return StreamingHttpResponse(
            _json_lines(steps),
            content_type=NDJSON,
            # These headers keep proxies from buffering the response.
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )
    *_, last = steps
    return redirect(last["location"])


def problem_line(text: str, status: int = 200) -> HttpResponse:
    """Return the response to a script about an error."""
    line = json.dumps({"problem": text}) + "\n"
    return HttpResponse(line, content_type=NDJSON, status=status)


def report_errors_to_script(view: Callable) -> Callable:
    """Decorate a view so that a script receives its errors as a line of JSON."""

    @wraps(view)
    def wrapper(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            if not is_script(request) or not is_expected(error):
                raise
            shown = to_frame_error(error)
            return problem_line(str(shown), shown.status)

    return wrapper


def _json_lines(steps: Steps) -> Iterator[str]:
    """Yield the lines of a response, which the server reads after the view's end.

    The steps run in the context of the view. They have the workspace of the user, and
    the log has the ID of the request that an error message shows.
    """
    context = contextvars.copy_context()

    def lines() -> Iterator[str]:
        try:
            while (step := context.run(next, steps, None)) is not None:
                yield json.dumps(step) + "\n"
        except Exception as error:
            text = context.run(user_message, error)
            yield json.dumps({"problem": text}) + "\n"
        finally:
            context.run(steps.close)

    return lines()
