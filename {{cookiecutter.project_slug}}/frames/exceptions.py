"""What can go wrong with frames. Each text is for the person who asked."""


class FrameError(Exception):
    """Something that was asked of a frame cannot be done.

    Attributes:
        status: int, of the HTTP answer.
        title: str, of the page.
    """

    status = 400
    title = "This cannot be done"


class FrameMissing(FrameError, LookupError):
    """There is no frame of this id or name in the workspace."""

    status = 404
    title = "Frame not found"

    def __str__(self):
        return f"There is no frame {self.args[0]} here."


class FrameUnreadable(FrameError):
    """A frame's bytes are gone or damaged. They stay as they are."""

    status = 500
    title = "This frame's data cannot be read"


class ReadOnly(FrameError):
    """A reader would change somebody else's frame."""

    status = 403


class LimitExceeded(FrameError):
    """A frame is refused. Its text says which limit, and how far it is exceeded."""

    status = 413
    title = "This is more than the limit"


class Conflict(FrameError):
    """What this unit of work has read was changed by another one meanwhile."""

    status = 409

    def __str__(self):
        return (
            "Somebody else has changed this frame in the same moment. Nothing of yours "
            "was saved: please do it again."
        )
