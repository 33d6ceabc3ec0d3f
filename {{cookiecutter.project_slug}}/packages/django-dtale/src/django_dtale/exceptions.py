"""The library's exceptions. Their messages are shown to users.

Every other module may import this one, so it imports nothing from the package.
"""

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class FrameError(Exception):
    """The base class of the library's exceptions: a request cannot be fulfilled.

    Attributes:
        status: the HTTP status of the response.
        title: the title of the error page.
    """

    status = 400
    title = _("This is not possible")


class FrameNotFound(FrameError, LookupError):
    """The workspace has no frame with this ID or name."""

    status = 404
    title = _("Table not found")

    def __str__(self) -> str:
        return gettext("Table %(frame)s does not exist, or is not shared with you.") % {
            "frame": self.args[0]
        }


class FrameUnreadable(FrameError):
    """A frame's file is missing or damaged. The file is not changed."""

    status = 500
    title = _("The data of this table cannot be read")


class CopyHelps(FrameError):
    """The user may not change a frame, but can change a copy of it.

    The first argument is the frame.
    """

    @property
    def copy_url(self) -> str:
        """Return the URL of the page that copies the frame."""
        return reverse("frames:copy", args=[self.args[0].pk])


class ReadOnly(CopyHelps):
    """A reader tried to change another user's frame: ``ReadOnly(frame)``."""

    status = 403

    def __str__(self) -> str:
        [frame] = self.args
        return gettext(
            "Table %(frame)s belongs to %(owner)s, who has shared it with you as "
            "read-only. To change the data, save a copy of your own."
        ) % {
            "frame": frame,
            "owner": frame.owner or gettext("an anonymous visitor"),
        }


class NothingToUndo(FrameError):
    """No change of a frame is left that the user may undo: ``NothingToUndo(frame)``."""

    status = 409
    title = _("There is nothing to undo")

    def __str__(self) -> str:
        return gettext("Table %(frame)s has no change that you can undo.") % {
            "frame": self.args[0]
        }


class RowGone(FrameError):
    """A row was deleted after a page had shown it."""

    status = 409

    def __str__(self) -> str:
        return gettext(
            "This row was deleted meanwhile, so nothing was changed. Reload the page."
        )


class OwnerOnly(CopyHelps):
    """Someone tried to do what only the owner of a frame may do: ``OwnerOnly(frame)``."""

    status = 403

    def __str__(self) -> str:
        [frame] = self.args
        return gettext(
            "Table %(frame)s belongs to %(owner)s. Only the owner can rename, share, "
            "refresh or delete it. You can save a copy of your own."
        ) % {
            "frame": frame,
            "owner": frame.owner or gettext("an anonymous visitor"),
        }


class ViewReadOnly(FrameError):
    """An editor tried to change a saved view of another person: ``ViewReadOnly(view)``."""

    status = 403

    def __str__(self) -> str:
        return gettext(
            "The view %(view)s can be changed only by the owner of the table and by the "
            "person who saved it. You can save a view of your own."
        ) % {"view": self.args[0]}


class EarlierStateReadOnly(FrameError):
    """Someone tried to change an earlier state of a frame."""

    status = 403

    def __str__(self) -> str:
        return gettext(
            "This is an earlier state of table %(frame)s, which cannot be changed. "
            "Restore it first."
        ) % {"frame": self.args[0]}


class DataReplaced(FrameError):
    """A page shows data that were replaced in the meantime: ``DataReplaced(frame)``."""

    status = 409
    title = _("Newer data are here")

    def __str__(self) -> str:
        return gettext(
            "Table %(frame)s has newer data now. Reload the page to see them. Nothing "
            "was changed."
        ) % {"frame": self.args[0]}


class NotEditable(CopyHelps):
    """Code has said that data cannot be edited: ``NotEditable(frame, column)``.

    The column is missing if it cannot be edited at all.
    """

    status = 403

    def __str__(self) -> str:
        frame, *columns = self.args
        for column in columns:
            text = gettext("The column %(column)s can only contain: %(choices)s.")
            choices = ", ".join(frame.can_edit[column])
            return text % {"column": column, "choices": choices}
        if not frame.can_edit:
            return gettext(
                "The data of table %(frame)s cannot be changed. To change them, save a "
                "copy."
            ) % {"frame": frame}
        return gettext(
            "In table %(frame)s, you can only change cells of these columns: "
            "%(columns)s. To change more, save a copy."
        ) % {"frame": frame, "columns": ", ".join(frame.can_edit)}


class AccessDenied(FrameError):
    """The access policy of the site, USER_CAN_USE_FRAMES, refuses a signed-in user."""

    status = 403
    title = _("Access denied")

    def __str__(self) -> str:
        return gettext(
            "Your account does not have access to D-Tale on this site. Ask an "
            "administrator for access."
        )


class PageForbidden(FrameError):
    """A view of the site has raised Django's PermissionDenied."""

    status = 403
    title = _("Access denied")

    def __init__(self) -> None:
        super().__init__(gettext("You do not have permission to open this page."))


class RequestInvalid(FrameError):
    """Django has refused a request, for example because its form cannot be read."""

    title = _("The request could not be read")

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "Your request was incomplete or invalid, so nothing was changed. Go "
                "back, reload the page, and try again."
            )
        )


class TokenExpired(FrameError):
    """A program sent an expired access token: ``TokenExpired(expires_at)``."""

    status = 401

    def __str__(self) -> str:
        return gettext(
            "This access token expired on %(day)s. Create a new one on the page "
            "“Access tokens” of this site: %(url)s"
        ) % {
            "day": date_format(localtime(self.args[0])),
            "url": reverse("frames:tokens"),
        }


class ScopeMissing(FrameError):
    """An access token lacks a scope: ``ScopeMissing(label)``, with the scope's label."""

    status = 403

    def __str__(self) -> str:
        return gettext(
            "The scope of this access token does not include “%(scope)s”. Create one "
            "that does on the page “Access tokens” of this site: %(url)s"
        ) % {"scope": self.args[0], "url": reverse("frames:tokens")}


class LimitExceeded(FrameError):
    """A request exceeds a limit. The message says which one, and by how much."""

    status = 413
    title = _("Limit exceeded")


class RateLimited(FrameError):
    """A program creates frames faster than allowed."""

    status = 429


class TooManyRequests(FrameError):
    """A user has too many requests running at the same time."""

    status = 429
    title = _("Too many requests")


class Conflict(FrameError):
    """Another unit of work has changed a frame since this one read it."""

    status = 409

    def __str__(self) -> str:
        return gettext(
            "Someone else changed this table at the same time, so your change was not "
            "saved. Please try again."
        )


class FilterRefused(FrameError, ValueError):
    """A filter is not valid, or does not fit the frame.

    Args:
        part: the part of the filter that is refused.
        why: the reason, as a sentence without its full stop.
    """

    title = _("Invalid filter")
    allowed = (
        "A filter compares columns, as in x > 1 and s == 'a'. It can contain == != < <= > "
        ">=, in, not in, and, or, not, & | ~, parentheses, lists, + - * / // %, abs(x), "
        "`names in backticks`, .isin(), .between(), .isnull(), .notnull(), "
        ".str.contains(), .str.startswith(), .str.endswith(), .str.lower(), "
        ".str.upper(), .str.len(), .astype('str'), .dt.year, .dt.month and similar "
        "attributes."
    )

    def __init__(self, part: str, why: str) -> None:
        part = part if len(part) <= 100 else f"{part[:97]}..."
        text = f"The filter cannot contain {part}: {why}. {self.allowed}"
        super().__init__(text.encode("utf-8", "replace").decode())


class SourceError(FrameError, ValueError):
    """A file cannot be read. The one-line message says why, and what to do."""

    title = _("This file cannot be read")


class LineTooLong(SourceError):
    """A line of a CSV file has too many values: ``LineTooLong(sentence)``."""

    def __str__(self) -> str:
        why = gettext(
            "Does a value contain the separator without quotes around it? Or is the "
            "separator wrong?"
        )
        return f"{self.args[0]} {why}"


class SourceFailed(FrameError):
    """A registered source has raised an exception: ``SourceFailed(title, number)``.

    Args:
        title: the title of the source.
        number: the ID of the request, which is also in the log.
    """

    status = 500
    title = _("The source failed")

    def __str__(self) -> str:
        title, number = self.args
        return gettext(
            "The source “%(title)s” failed, so nothing was saved. This is not your "
            "mistake. Please tell an administrator (request %(number)s)."
        ) % {"title": title, "number": number}


class NotRefreshable(FrameError):
    """The source of a frame cannot be run again: ``NotRefreshable(why)``.

    Args:
        why: a sentence with the reason.
    """

    status = 409
    title = _("This table cannot be refreshed")

    def __str__(self) -> str:
        return gettext(
            "This table cannot be refreshed, and keeps its data. %(why)s"
        ) % {"why": self.args[0]}


class SourceForbidden(FrameError):
    """The user may not run a source: ``SourceForbidden(title)``."""

    status = 403
    title = _("Access denied")

    def __str__(self) -> str:
        return gettext(
            "Access to “%(title)s” is denied. Nothing was changed. Ask an administrator "
            "for access."
        ) % {"title": self.args[0]}


class InputRefused(FrameError, ValueError):
    """The request contains invalid or forbidden input."""


class ServiceUnavailable(FrameError):
    """The database or the storage does not respond. A later attempt may succeed.

    Args:
        what: the service, such as "The database".
        number: the ID of the request.
    """

    status = 503
    title = _("Temporarily unavailable")

    def __str__(self) -> str:
        what, number = self.args
        return gettext(
            "%(what)s is not responding. Your last change may not have been saved; "
            "everything before it is safe. Please try again in a few seconds (request "
            "%(number)s)."
        ) % {"what": what, "number": number}


class Busy(FrameError):
    """A request has waited too long for other requests. A later attempt may succeed."""

    status = 503
    title = _("Temporarily unavailable")

    def __str__(self) -> str:
        return gettext(
            "The server is busy with the files of other users. Please try again in a "
            "minute."
        )


class DiskFull(ServiceUnavailable):
    """A disk of the site is full: ``DiskFull(number)``, with the ID of the request."""

    status = 507
    title = _("The disk is full")

    def __str__(self) -> str:
        [number] = self.args
        return gettext(
            "The disk of this site is full, so your request failed. No saved data is "
            "lost. Please tell an administrator (request %(number)s)."
        ) % {"number": number}


class UnexpectedError(FrameError):
    """An error that the library does not expect. The log has the details."""

    status = 500
    title = _("Something went wrong")
