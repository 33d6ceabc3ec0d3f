"""The model of the changes of a frame's data, from which earlier states are restored."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from ..formats import format_number


class Kind(models.TextChoices):
    """The effect of a change on the data."""

    EDITED = "edited", _("Edited cells")
    ADDED = "added", _("Added columns")
    CHANGED = "changed", _("Changed columns")
    RENAMED = "renamed", _("Renamed columns")
    DELETED = "deleted", _("Deleted columns")
    DROPPED = "dropped", _("Deleted rows")
    REPLACED = "replaced", _("Replaced the data")
    APPENDED = "appended", _("Added rows")
    RESTORED = "restored", _("Restored an earlier state")
    UNDONE = "undone", _("Undid a change")


class Change(models.Model):
    """A change of a frame's data, and what is needed to return to the state before it.

    For edited cells, this is their previous values. For all other changes, it is the
    payload and the record of the state before.
    """

    frame = models.ForeignKey("Frame", on_delete=models.CASCADE, related_name="changes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=10, choices=Kind)
    columns = models.JSONField(default=list)  # The names of the columns that changed.
    count = models.PositiveBigIntegerField(default=0)  # Cells or rows that changed.
    detail = models.CharField(max_length=255, blank=True)  # For example, a file name.
    undoes = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, related_name="undone_by"
    )
    # The state before the change.
    payload = models.CharField(max_length=64, blank=True, db_index=True)
    content = models.BinaryField(default=bytes)  # That of the record, signed.
    fields = models.JSONField(default=dict)  # Fields of the frame's row.
    cells = models.BinaryField(default=bytes)  # The previous values of cells, signed.

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.frame_id}: {self.kind}"

    @property
    def text(self) -> str:
        """The effect of the change, such as "edited 3 cells of price"."""
        return self.text_for(self.count)

    def text_for(self, count: int) -> str:
        """Return the text of several changes of the same kind.

        Args:
            count: the number of cells or rows of all of them.
        """
        names = ", ".join(self.columns[:3]) + (", …" if len(self.columns) > 3 else "")
        values = {"count": count, "number": format_number(count), "columns": names}
        if self.kind == Kind.UNDONE and self.undoes is not None:
            return gettext("undid: %(change)s") % {"change": self.undoes.text}
        if self.kind == Kind.REPLACED and self.detail:
            text = gettext("replaced the data with %(detail)s")
            return text % {"detail": self.detail}
        if self.kind == Kind.RENAMED and len(self.columns) == 2:
            old, new = self.columns
            return gettext("renamed %(old)s to %(new)s") % {"old": old, "new": new}
        return str(TEXTS[Kind(self.kind)] % values)


TEXTS = {
    Kind.EDITED: ngettext_lazy(
        "edited %(number)s cell of %(columns)s",
        "edited %(number)s cells of %(columns)s",
        "count",
    ),
    Kind.DROPPED: ngettext_lazy(
        "deleted %(number)s row", "deleted %(number)s rows", "count"
    ),
    Kind.APPENDED: ngettext_lazy(
        "added %(number)s row", "added %(number)s rows", "count"
    ),
    Kind.ADDED: _("added %(columns)s"),
    Kind.CHANGED: _("changed %(columns)s"),
    Kind.RENAMED: _("renamed columns: %(columns)s"),
    Kind.DELETED: _("deleted the column %(columns)s"),
    Kind.REPLACED: _("replaced the data"),
    Kind.RESTORED: _("restored an earlier state"),
    Kind.UNDONE: _("undid a change"),
}
