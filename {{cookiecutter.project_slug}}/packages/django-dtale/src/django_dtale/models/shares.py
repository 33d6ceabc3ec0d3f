"""The models of shares: who may see and change a frame of another user."""

import enum
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .audit import Action, AuditEntry
from .views import PersonalView

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .frames import Frame


class Everyone(enum.Enum):
    """The type of EVERYONE, which means everyone who is signed in.

    EVERYONE is not None, so that a table is not shared with everyone by mistake, for
    example with the manager of a user who has none.
    """

    EVERYONE = "everyone"

    def __str__(self) -> str:
        return gettext("Everyone who is signed in")


EVERYONE = Everyone.EVERYONE
People = AbstractBaseUser | Group | Everyone


class Role(models.TextChoices):
    """The rights of the people of a share."""

    READER = "reader", _("Can view")
    EDITOR = "editor", _("Can edit")


class ShareQuerySet(models.QuerySet["Share"]):
    def of(self, workspace: "Workspace") -> Self:
        """Return the shares with the workspace's user, directly or in a group."""
        if not workspace.user_id:
            return self.none()
        shares = Q(user=workspace.user_id) | Q(user=None, group=None)
        if hasattr(get_user_model(), "groups"):  # Some user models have no groups.
            groups = Group.objects.filter(user=workspace.user_id)
            shares |= Q(group__in=groups.values("pk"))
        return self.filter(shares)

    def to(self, people: People) -> Self:
        """Return the shares with exactly these people: a user, a group, or EVERYONE."""
        return self.filter(**_fields(people))

    @transaction.atomic
    def grant(
        self,
        frame: "Frame",
        people: People,
        role: str = Role.READER,
        *,
        shared_by: AbstractBaseUser | None = None,
        all_history: bool | None = None,
    ) -> "Share":
        """Share a frame, or change the role of an existing share.

        Args:
            people: a user, a group, or EVERYONE.
            role: a value of ``Role``.
            shared_by: the user who shares the frame.
            all_history: whether editors see changes from before they became editors. By
                default, they do not, and an existing share with the same role does not
                change.

        Raises:
            ValueError: there is no such role.
            TypeError: see ``check_people``.
        """
        role = Role(role)
        fields = _fields(people)
        share, is_new = self.select_for_update(of=("self",)).get_or_create(
            frame=frame, **fields
        )
        before = share.role, share.history_since
        if is_new:
            share.shared_by = shared_by  # type: ignore[assignment]
        elif share.role != role:
            share.history_since = timezone.now()
        if all_history:
            share.history_since = None
        elif all_history is False and share.history_since is None:
            share.history_since = timezone.now()
        share.role = role
        share.save()
        RemovedShare.objects.filter(frame=frame, **fields).delete()
        if fields["user"] is not None:  # The table is in the list of the user again.
            left = PersonalView.objects.filter(frame=frame, user=fields["user"])
            left.update(has_left=False)
        if is_new or before != (share.role, share.history_since):
            share.record(Action.SHARED, shared_by)
        return share


def check_people(people: object) -> None:
    """Check that a frame can be shared with these people.

    Raises:
        TypeError: this is neither a user, nor a group, nor EVERYONE.
    """
    if not isinstance(people, (get_user_model(), Group, Everyone)):
        raise TypeError(
            f"A table cannot be shared with {people!r}. Use a user, a group, or EVERYONE."
        )


def _fields(people: People) -> dict[str, Any]:
    """Return the values of the fields that say with whom a frame is shared."""
    check_people(people)
    is_group = isinstance(people, Group)
    is_user = not is_group and people is not EVERYONE
    return {"user": people if is_user else None, "group": people if is_group else None}


class Grant(models.Model):
    """A user, a group, or everyone who is signed in, and their role for a frame.

    If neither a user nor a group is set, the grant is for everyone who is signed in.
    """

    frame = models.ForeignKey(  # type: ignore[misc]
        "Frame", on_delete=models.CASCADE, related_name="%(class)ss"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
    )
    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.READER)
    # Editors see the history from this time on. If this is None, they see all of it.
    history_since = models.DateTimeField(null=True, blank=True, default=timezone.now)
    shared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.frame_id} for {self.people}"

    @property
    def recipient(self) -> People:
        """The user, the group, or EVERYONE."""
        return self.user or self.group or EVERYONE

    @property
    def people(self) -> str:
        """The name of the recipient."""
        return str(self.recipient)

    def record(self, action: Action, user: AbstractBaseUser | None) -> None:
        """Add an entry to the audit log: the people, and their role.

        Args:
            user: the user who did it.
        """
        detail = f"{self.people}: {self.get_role_display()}"
        AuditEntry.objects.record(user, action, self.frame, detail)

    def _moved_to(self, model: "type[Share | RemovedShare]") -> Any:
        """Create the same grant as another model, and delete this one."""
        with transaction.atomic():
            moved, _ = model.objects.update_or_create(
                frame=self.frame,
                user=self.user,
                group=self.group,
                defaults={
                    "role": self.role,
                    "history_since": self.history_since,
                    "shared_by_id": self.shared_by_id,
                },
            )
            self.delete()
        return moved


class Share(Grant):
    """A grant that is in force."""

    objects = ShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["frame", "user"], name="share_once"),
            models.UniqueConstraint(fields=["frame", "group"], name="share_group_once"),
            models.UniqueConstraint(
                fields=["frame"],
                condition=Q(user=None, group=None),
                name="share_everyone_once",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(group=None), name="share_user_or_group"
            ),
        ]

    @transaction.atomic
    def remove(self, by: AbstractBaseUser | None = None) -> "RemovedShare":
        """Remove the share. It can be restored until ``purge_frames`` deletes it.

        Args:
            by: the user who removes it.
        """
        self.record(Action.UNSHARED, by)
        return self._moved_to(RemovedShare)


class RemovedShare(Grant):
    """A grant that was removed, and gives no rights."""

    removed_at = models.DateTimeField(default=timezone.now, editable=False)

    @transaction.atomic
    def restore(self, by: AbstractBaseUser | None = None) -> Share:
        """Share the frame again, with the same role.

        Args:
            by: the user who restores it.
        """
        self.record(Action.SHARED, by)
        return self._moved_to(Share)
