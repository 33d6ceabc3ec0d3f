"""Files that people open: received, asked about if need be, read, and in D-Tale.

With a script (upload.js) the answer is a line of JSON for each step, so that a page can
show how far it is; the last has the address to go to, or what is wrong. Whoever closes
the connection cancels it. Without a script the answer is that address, or a page.
"""

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext, override
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from . import pending, workspace
from .access import form_page
from .exceptions import (
    FrameError,
    LimitExceeded,
    SourceError,
    as_problem,
    explain,
    is_foreseen,
)
from .explore import open_data
from .formats import grouped, megabytes

# Kinds that are read; `frames.files` has them, which imports pandas.
SUFFIXES = (
    ".csv .tsv .xlsx .xlsm .xls .parquet .json .jsonl .ndjson .feather .zip".split()
)
STEPS = "application/x-ndjson"
TICK = 0.3  # Seconds between two steps: so soon it is seen that somebody has gone.


class Cancelled(Exception):
    """Nobody waits for the file any more."""


@csrf_exempt  # The token is in a body that may be too long: `_receive` asks for it.
@form_page
def upload(request):
    """Take a file and open it, or ask how it is read."""
    if request.method != "POST":  # Who has signed in meanwhile comes back like this.
        return redirect("frames:home")
    length, limit = int(request.META.get("CONTENT_LENGTH") or 0), max_bytes()
    if length > limit:
        raise LimitExceeded(
            gettext(
                "This file has %(size)s MB, and may have %(limit)s MB "
                "(FRAMES_MAX_UPLOAD_MB). Make it smaller, or open a part of it."
            )
            % {
                "size": megabytes(length),
                "limit": grouped(settings.FRAMES_MAX_UPLOAD_MB),
            }
        )
    # A file of its own for each, whatever its size: all readers want one.
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    try:
        return _receive(request)
    except Exception as error:
        for handler in request.upload_handlers:
            # Django leaves a file that could not be written to the garbage collector.
            with contextlib.suppress(OSError):
                handler.upload_interrupted()
        if request.headers.get("Accept") != STEPS or not is_foreseen(error):
            raise
        problem = as_problem(error)  # The script shows no page.
        line = json.dumps({"problem": str(problem)}) + "\n"
        return HttpResponse(line, content_type=STEPS, status=problem.status)


@csrf_protect
def _receive(request):
    sent = request.FILES.get("file")
    if sent is None:
        raise SourceError(gettext("No file was sent. Choose one first."))
    # The session is stored before the steps are gone through.
    workspace.current().owner(make=True)
    steps = _open_or_ask(
        workspace.current(),
        sent.temporary_file_path(),
        sent.name,
        "check" in request.POST,
    )
    return _answer(request, steps)


@form_page
def check(request, token):
    """Show how a file would be read, and let its owner correct that, or give it up."""
    from .questions import preview, question_about

    here = workspace.current()
    waiting = pending.find(here, token)
    if "discard" in request.POST:
        waiting.discard()
        messages.success(request, gettext("The file was not opened, and is gone."))
        return redirect("frames:home")
    with waiting.opened() as path:
        question = question_about(path, waiting.name)
        form = question.form(request.POST or None, initial=question.options)
        options = form.cleaned_data if form.is_valid() else question.options
        context = {"name": waiting.name, "form": form, "doubts": question.doubts}
        try:
            if "open" in request.POST and form.is_valid():
                return _answer(request, _open_waiting(here, waiting, options))
        except FrameError as error:
            context["problem"] = error
        try:
            context["columns"], context["rows"] = preview(path, waiting.name, options)
        except SourceError as error:
            context.setdefault("problem", error)
    return render(request, "frames/check.html", context)


def max_bytes():
    """The most bytes (int) that one file may have."""
    return settings.FRAMES_MAX_UPLOAD_MB << 20


# Steps: generators of dicts, the last one with a "location" ---------------------------


def _open_or_ask(here, path, name, is_to_check):
    from .file_checks import checked
    from .questions import question_about

    with checked(path, name) as (path, name):
        question = question_about(path, name)
        if question and (question.doubts or is_to_check):
            waiting = pending.keep(here, path, name)
            yield {"location": reverse("frames:check", args=[waiting.token])}
            return
        yield from _open(here, path, name, question.options if question else {})


def _open_waiting(here, waiting, options):
    with waiting.opened() as path:
        for step in _open(here, path, waiting.name, options):
            if "location" in step:
                waiting.discard()
            yield step


def _open(here, path, name, options):
    data = yield from _read(path, name, options)
    yield {"step": "opening"}
    with workspace.bind(here):
        frame = open_data(data, Path(name).stem)
    try:
        yield {"location": frame.get_absolute_url()}
    except GeneratorExit:  # The answer did not arrive.
        frame.delete()
        raise


def _read(path, name, options):
    """Read a file in a thread, and say how far it is; returns a ``pandas.DataFrame``."""
    from .files import read_file

    is_cancelled, read, language = threading.Event(), 0.0, get_language()

    def progress(done, total):
        nonlocal read
        if is_cancelled.is_set():
            raise Cancelled
        read = done / total

    def read_in_language():  # Another thread knows nothing of the request's.
        with override(language):
            return read_file(path, progress, name, **options)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(read_in_language)
        try:
            while not wait([future], TICK).done:
                yield {"step": "reading", "done": round(read, 3)}
        finally:
            is_cancelled.set()
        return future.result()


# Answers ------------------------------------------------------------------------------


def _answer(request, steps):
    if request.headers.get("Accept") == STEPS:
        return StreamingHttpResponse(
            _lines(steps),
            content_type=STEPS,
            # So that no proxy keeps the steps until the last one is there.
            headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"},
        )
    *_, last = steps
    return redirect(last["location"])


def _lines(steps):
    with contextlib.closing(steps):
        try:
            for step in steps:
                yield json.dumps(step) + "\n"
        except Exception as error:
            yield json.dumps({"problem": explain(error)}) + "\n"
