"""What can go wrong with frames. Each text is for the person who asked."""

import logging
import sys

from django.db import Error as DatabaseError
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .disk import is_full
from .logs import NO_DATABASE, note, request_id

logger = logging.getLogger(__name__)

# Their texts are about this machine, and not for whoever has asked.
OF_THE_MACHINE = DatabaseError, ImportError, MemoryError, OSError
MAX_REASON = 300  # Characters.


class FrameError(Exception):
    """Something that was asked of a frame cannot be done.

    Attributes:
        status: int, of the HTTP answer.
        title: str, of the page.
    """

    status = 400
    title = _("This cannot be done")


class FrameMissing(FrameError, LookupError):
    """There is no frame of this id or name in the workspace."""

    status = 404
    title = _("Frame not found")

    def __str__(self):
        return gettext("There is no frame %(frame)s here.") % {"frame": self.args[0]}


class FrameUnreadable(FrameError):
    """A frame's bytes are gone or damaged. They stay as they are."""

    status = 500
    title = _("This frame's data cannot be read")


class ReadOnly(FrameError):
    """A reader would change somebody else's frame: ``ReadOnly(frame)``."""

    status = 403

    def __str__(self):
        [frame] = self.args
        return gettext(
            "Frame %(frame)s belongs to %(owner)s and is shared with you for reading. What "
            "you filter, sort, hide and highlight is your own, but this would change it "
            "for everyone. A copy of it would be yours: %(url)s"
        ) % {
            "frame": frame,
            "owner": frame.owner or gettext("a visitor"),
            "url": reverse("frames:copy", args=[frame.pk]),
        }


class LimitExceeded(FrameError):
    """A frame is refused. Its text says which limit, and how far it is exceeded."""

    status = 413
    title = _("This is more than the limit")


class TooFast(FrameError):
    """A program makes frames faster than it may."""

    status = 429


class TooMany(FrameError):
    """A person has more requests running than their share."""

    status = 429
    title = _("Too many requests at once")


class Conflict(FrameError):
    """What this unit of work has read was changed by another one meanwhile."""

    status = 409

    def __str__(self):
        return gettext(
            "Somebody else has changed this frame in the same moment. Nothing of yours "
            "was saved: please do it again."
        )


class FilterRefused(FrameError, ValueError):
    """A text is no filter, or does not fit the frame.

    Args:
        part: str, of the filter.
        why: str, a sentence without its dot.
    """

    title = _("This filter cannot be used")
    allowed = (
        "A filter compares columns, as in x > 1 and s == 'a'. It can have == != < <= > "
        ">=, in, not in, and, or, not, & | ~, brackets, + - * / // %, `names in "
        "backticks`, .isnull(), .notnull(), .str.contains(), .str.startswith(), "
        ".str.endswith(), .str.lower(), .str.len(), .astype('str'), .dt.year, .dt.month "
        "and the like."
    )

    def __init__(self, part, why):
        part = part if len(part) <= 100 else f"{part[:97]}..."
        text = f"The filter cannot have {part}: {why}. {self.allowed}"
        super().__init__(text.encode("utf-8", "replace").decode())


class SourceError(FrameError, ValueError):
    """A file that cannot be read; the text (one line) says why, and what to do."""

    title = _("This file cannot be read")


class InputRefused(FrameError, ValueError):
    """Something that was sent cannot be what it says, or is not a person's to send."""


class Unavailable(FrameError):
    """The database or the storage does not answer; asked again later, it may.

    Args:
        what: str, "The database".
        number: str, of the request.
    """

    status = 503
    title = _("Not available at the moment")

    def __str__(self):
        what, number = self.args
        return gettext(
            "%(what)s does not answer. What you have just done was perhaps not saved; "
            "what was before is safe. Please try again in a few seconds (request "
            "%(number)s)."
        ) % {"what": what, "number": number}


class Busy(FrameError):
    """Something waits too long for others to end; asked again later, it may not."""

    status = 503
    title = _("Not available at the moment")

    def __str__(self):
        return gettext(
            "The server is busy with the files of other people. Please try again in a "
            "minute."
        )


class DiskFull(Unavailable):
    """A disk of the site's has no room left: ``DiskFull(number)``, of the request."""

    status = 507
    title = _("The disk is full")

    def __str__(self):
        [number] = self.args
        return gettext(
            "The disk of this site is full, so this could not be done. Nothing that was "
            "saved before is lost. Please tell the people who run this site (request "
            "%(number)s)."
        ) % {"number": number}


class Unforeseen(FrameError):
    """What nobody has thought of; its text tells only where to look in the log."""

    status = 500
    title = _("Something went wrong")


def is_foreseen(error):
    """Return whether there is a text for an exception: a FrameError, or the machine's."""
    return isinstance(error, (FrameError, *NO_DATABASE)) or is_full(error)


def as_problem(error):
    """Return an error as one that is written for the person who asked (FrameError).

    A ``FrameError`` is. Any other (an exception, or the text of the one that is being
    handled) is logged with its traceback, and they get its first line and the number by
    which it is found there.
    """
    if not isinstance(error, FrameError):
        number = request_id()
        logger.error("Request %s failed", number, exc_info=error)
        if is_full(error if isinstance(error, BaseException) else sys.exception()):
            error = DiskFull(number)
        elif isinstance(error, NO_DATABASE):
            error = Unavailable(gettext("The database"), number)
        else:
            text = gettext("%(reason)s (request %(number)s)")
            error = Unforeseen(text % {"reason": _reason(error), "number": number})
    note(refused=type(error).__name__)
    return error


def explain(error):
    """Return what the person who asked is told of an error (str)."""
    return str(as_problem(error))


def _reason(error):
    # Plotly's and others' messages begin with an empty line.
    lines = str(error).strip().splitlines()
    if isinstance(error, OF_THE_MACHINE) or not lines:
        return Unforeseen.title
    # A library that is compiled or loaded at that moment names its files.
    if any(place and place in lines[0] for place in sys.path):
        return Unforeseen.title
    return lines[0][:MAX_REASON]
