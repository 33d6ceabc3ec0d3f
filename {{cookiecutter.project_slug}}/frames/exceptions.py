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


class FilterRefused(FrameError, ValueError):
    """A text is no filter, or does not fit the frame.

    Args:
        part: str, of the filter.
        why: str, a sentence without its dot.
    """

    title = "This filter cannot be used"
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
