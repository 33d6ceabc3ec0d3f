"""Files that people open: received, asked about if need be, read, and in D-Tale.

With a script (upload.js) the answer is a line of JSON for each step, so that a page can
show how far it is; the last has the address to go to, or what is wrong. Whoever closes
the connection cancels it. Without a script the answer is that address, or a page.
"""

import contextlib
import json
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
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
from .fair_shares import READ, fair
from .formats import grouped, megabytes
from .forms import CsvForm, SheetForm

# Kinds that are read; `frames.files` has them, which imports pandas.
SUFFIXES = (
    ".csv .tsv .xlsx .xlsm .xls .parquet .json .jsonl .ndjson .feather .zip".split()
)
STEPS = "application/x-ndjson"


def tells_script(view):
    """Return a view that answers a script with a line of JSON when it refuses."""

    @wraps(view)
    def told(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Exception as error:
            if request.headers.get("Accept") != STEPS or not is_foreseen(error):
                raise
            problem = as_problem(error)  # The script shows no page.
            line = json.dumps({"problem": str(problem)}) + "\n"
            return HttpResponse(line, content_type=STEPS, status=problem.status)

    return told


@csrf_exempt  # The token is in a body that may be too long: `_receive` asks for it.
@form_page
@tells_script
@fair(READ)
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
    except Exception:
        for handler in request.upload_handlers:
            # Django leaves a file that could not be written to the garbage collector.
            with contextlib.suppress(OSError):
                handler.upload_interrupted()
        raise


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
@tells_script
@fair(READ)
def check(request, token):
    """Show how a file would be read, and let its owner correct that, or give it up."""
    from .reader import Reader, outcome

    here = workspace.current()
    waiting = pending.find(here, token)
    if "discard" in request.POST:
        waiting.discard()
        messages.success(request, gettext("The file was not opened, and is gone."))
        return redirect("frames:home")
    with waiting.opened() as path, Reader(path, waiting.name) as reader:
        question = outcome(reader.look(with_preview=False))["question"]
        form = form_for(question, request.POST or None)
        options = form.cleaned_data if form.is_valid() else question["options"]
        context = {"name": waiting.name, "form": form, "doubts": question["doubts"]}
        try:
            if "open" in request.POST and form.is_valid():
                return _answer(request, _open_waiting(here, waiting, options))
        except FrameError as error:
            context["problem"] = error
        try:
            seen = outcome(reader.look(options=options))
            context["columns"], context["rows"] = seen["columns"], seen["rows"]
        except SourceError as error:
            context.setdefault("problem", error)
    return render(request, "frames/check.html", context)


def form_for(question, data=None):
    """Return the form in which a file's owner answers a question about it."""
    options = {"initial": question["options"]}
    if "sheets" in question:
        return SheetForm(data, sheets=question["sheets"], **options)
    return CsvForm(data, **options)


def max_bytes():
    """The most bytes (int) that one file may have."""
    return settings.FRAMES_MAX_UPLOAD_MB << 20


# Steps: generators of dicts, the last one with a "location" ---------------------------


def _open_or_ask(here, path, name, is_to_check):
    from .reader import Reader

    with Reader(path, name) as reader:
        ask = "always" if is_to_check else "doubts"
        data = yield from _read(reader, ask=ask)
        if isinstance(data, dict):
            waiting = pending.keep(here, reader.path, reader.name)
            yield {"location": reverse("frames:check", args=[waiting.token])}
            return
        yield from _open(here, data, reader.name)


def _open_waiting(here, waiting, options):
    from .reader import Reader

    with waiting.opened() as path, Reader(path, waiting.name) as reader:
        data = yield from _read(reader, options=options)
        for step in _open(here, data, reader.name):
            if "location" in step:
                waiting.discard()
            yield step


def _read(reader, **arguments):
    """Read a file, and say how far it is; returns what ``Reader.read`` does."""
    steps = reader.read(**arguments)
    while True:
        try:
            done = next(steps)
        except StopIteration as end:
            return end.value
        yield {"step": "reading", "done": round(done, 3)}


def _open(here, data, name):
    yield {"step": "opening"}
    with workspace.bind(here):
        frame = open_data(data, Path(name).stem)
    try:
        yield {"location": frame.get_absolute_url()}
    except GeneratorExit:  # The answer did not arrive.
        frame.delete()
        raise


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
