"""The model of the audit log: who did what with which frame, without any data."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from .frames import Frame


class Action(models.TextChoices):
    """The actions of people and programs that are recorded."""

    OPENED = "opened", _("Opened")
    CHANGED = "changed", _("Changed")
    SHARED = "shared", _("Shared")
    UNSHARED = "unshared", _("Removed access")
    EXPORTED = "exported", _("Exported")
    DELETED = "deleted", _("Deleted")
    RESTORED = "restored", _("Restored")


class AuditEntryManager(models.Manager["AuditEntry"]):
    def record(
        self, user: Any, action: Action, frame: "Frame", detail: str = ""
    ) -> None:
        """Add an entry.

        Args:
            user: the user, or None for a visitor.
            detail: more about the action. It must not contain data of the frame.
        """
        username = user.get_username() if user is not None else ""
        self.create(
            user=user,
            username=username[:150],
            action=action,
            frame_pk=frame.pk,
            frame_name=frame.name,
            detail=detail[:255],
        )


class AuditEntry(models.Model):
    """An entry of the audit log. It stays when its user or its frame is deleted."""

    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    username = models.CharField(_("username"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=10, choices=Action)
    frame_pk = models.BigIntegerField(_("table"), db_index=True)
    frame_name = models.CharField(_("name of the table"), max_length=100, blank=True)
    detail = models.CharField(_("details"), max_length=255, blank=True)

    objects = AuditEntryManager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.username} {self.action} {self.frame_pk}"
