"""The models of frames and of their state in D-Tale."""

import contextlib
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import OperationalError, connection, models, transaction
from django.db.models import F, Q
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..conf import dtale_settings
from ..formats import format_number
from .data import Data
from .data_ids import data_id
from .history import Change
from .names import NAME_LENGTH, clean_name
from .shares import People, Role, Share
from .views import PersonalView
from .waiting import wait_at_most

if TYPE_CHECKING:
    from ..workspace import Workspace


class FrameQuerySet(models.QuerySet["Frame"]):
    def kept(self) -> Self:
        """Return the frames that are not deleted."""
        return self.filter(deleted_at=None)

    def owned_by(self, workspace: "Workspace") -> Self:
        """Return the frames that belong to the workspace, except deleted ones."""
        return self.kept().filter(**workspace.owner_fields())

    def deleted_by(self, workspace: "Workspace") -> Self:
        """Return the frames of the workspace that were deleted, and can be restored."""
        return self.filter(**workspace.owner_fields()).exclude(deleted_at=None)

    def visible_in(self, workspace: "Workspace") -> Self:
        """Return the frames of the workspace, and those shared with its user."""
        shared = Share.objects.of(workspace).values("frame")
        return self.kept().filter(Q(**workspace.owner_fields()) | Q(pk__in=shared))

    def shared_in(self, workspace: "Workspace") -> Self:
        """Return the frames of other users in the list of the workspace's user.

        Frames that the user has removed from the list stay visible by their address.
        """
        shared = Share.objects.of(workspace).values("frame")
        left = PersonalView.objects.of(workspace).filter(has_left=True).values("frame")
        own = workspace.owner_fields()
        return self.kept().filter(pk__in=shared).exclude(pk__in=left).exclude(**own)

    def with_source(self) -> Self:
        """Return the frames that can be refreshed."""
        return self.kept().filter(origin__in=REFRESHABLE).exclude(source="")

    def with_content(self) -> Self:
        """Add the content of each frame's record as the attribute ``content``."""
        return self.annotate(content=F("record__content"))

    def reserve_pk(self) -> int:
        """Return a primary key that no other frame has had or will have.

        D-Tale needs the key before the frame is stored. Inserting and deleting a row
        takes the next key from the sequence of the table, both in SQLite and in
        PostgreSQL.
        """
        with transaction.atomic():
            pk = self.create().pk
            self.filter(pk=pk).delete()
        return pk


class Origin(models.TextChoices):
    """The kinds of sources from which the data of a frame came."""

    UNKNOWN = "", _("Unknown")
    FILE = "file", _("File")
    PUSH = "push", _("Program")
    CODE = "code", _("This site")
    SOURCE = "source", _("Source")
    MODEL = "model", _("Table of this site")
    COPY = "copy", _("Copy")


REFRESHABLE = Origin.SOURCE, Origin.MODEL
# The paths in D-Tale of the pages with which frames can open. The usual one is the grid.
PAGES = {
    "charts": "charts",
    "correlations": "popup/correlations",
    "describe": "popup/describe",
}


class Frame(Data, models.Model):
    """A DataFrame that users can open in D-Tale.

    Its primary key is D-Tale's data ID (see ``data_ids``). The frame belongs to a user, or to an anonymous
    visitor, whose session contains the visitor's token.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="frames",
    )
    visitor_token = models.CharField(
        max_length=32, blank=True, editable=False, db_index=True
    )
    shared_with = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="Share",
        through_fields=("frame", "user"),
        related_name="shared_frames",
        blank=True,
        help_text=_("Users with whom the table is shared."),
    )
    name = models.CharField(max_length=NAME_LENGTH, blank=True)
    note = models.TextField(
        blank=True,
        help_text=_("Information for everyone who opens the table."),
    )
    conversion_notes = models.TextField(
        blank=True,
        help_text=_("The conversions that D-Tale needed."),
    )
    rows = models.PositiveBigIntegerField(default=0, editable=False)
    columns = models.PositiveIntegerField(default=0, editable=False)
    nbytes = models.PositiveBigIntegerField("bytes", default=0, editable=False)
    # Each change that a unit of work saves adds 1. A change is saved only if the
    # version is the same as when the row was read.
    version = models.PositiveBigIntegerField(default=0, editable=False)
    payload = models.CharField(max_length=64, editable=False, db_index=True)
    # Bytes of earlier states, without the parts that the present data also use.
    history_nbytes = models.PositiveBigIntegerField(default=0, editable=False)
    settings = models.BinaryField(default=bytes)  # The owner's view in D-Tale, signed.
    # "As of": when these data were read, and from where. Edits do not change it.
    data_at = models.DateTimeField(default=timezone.now, editable=False)
    origin = models.CharField(
        max_length=20,
        choices=Origin,
        default=Origin.UNKNOWN,
        blank=True,
        editable=False,
    )
    origin_name = models.CharField(max_length=255, blank=True, editable=False)
    import_options = models.JSONField(default=dict, editable=False)
    # The key of the registered source and the values of its form, or the model and the
    # query string of its filters.
    source = models.CharField(max_length=255, blank=True, editable=False)
    parameters = models.JSONField(default=dict, editable=False)
    # The columns that can be edited, each with its choices (None for any value). If this
    # is None, all columns can be edited.
    can_edit = models.JSONField(null=True, editable=False)
    page = models.CharField(max_length=20, blank=True, editable=False)
    # Each replacement of all data adds 1, so that open grids know that theirs are old.
    data_version = models.PositiveBigIntegerField(default=0, editable=False)
    # Deleted frames can be restored until `purge_frames` deletes them for good.
    deleted_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    last_opened_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = FrameQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}".rstrip()

    def get_absolute_url(self) -> str:
        """Return the path of the page in D-Tale with which the frame opens."""
        return self.path_of(PAGES.get(self.page, "main"))

    def clean(self) -> None:
        self.name = clean_name(self.name)

    def get_iframe_url(self) -> str:
        """Return the path of the grid for embedding in another page."""
        return self.path_of("iframe")

    def latest_change_of_others(self, workspace: "Workspace") -> Change | None:
        """Return the latest change by another user than the workspace's, or None."""
        others = self.changes.exclude(user=workspace.user_id)
        others = others.defer("content", "cells", "fields")
        return others.select_related("user").order_by("-pk").first()

    def path_of(self, page: str, variant: int = 0) -> str:
        """Return the path of a page in D-Tale.

        Args:
            variant: the number of a saved view or of an earlier state; see
                ``data_id``.
        """
        prefix = f"{get_script_prefix()}{dtale_settings.PREFIX}"
        return f"{prefix}/dtale/{page}/{data_id(self.pk, variant)}"

    def share(
        self, people: People, role: str = Role.READER, all_history: bool | None = None
    ) -> Share:
        """Share the frame with a user, with a group, or with EVERYONE who is signed in.

        If it is shared with them already, change their role.

        Args:
            role: "reader" or "editor".
            all_history: whether editors see changes from before they became editors. By
                default, they do not.

        Raises:
            ValueError: there is no such role.
        """
        return Share.objects.grant(
            self, people, role, shared_by=self.owner, all_history=all_history
        )

    def unshare(self, people: People) -> None:
        """Remove the share with a user, with a group, or with EVERYONE."""
        for share in Share.objects.filter(frame=self).to(people):
            share.remove(by=self.owner)

    @property
    def title(self) -> str:
        """Return the name of the table, or its number if it has no name."""
        return self.name or gettext("Table %(number)s") % {"number": self.pk}

    @property
    def has_source(self) -> bool:
        """Return whether the data came from a source that can be run again."""
        return bool(self.source) and self.origin in REFRESHABLE

    @property
    def shape(self) -> str:
        """Return the number of rows and columns as text: 1,000 × 3."""
        return f"{format_number(self.rows)} × {format_number(self.columns)}"


class Record(models.Model):
    """D-Tale's state of a frame that is the same for everyone who opens it.

    This state has its own table, because it can be large, and most changes do not
    affect it.
    """

    frame = models.OneToOneField(Frame, on_delete=models.CASCADE, primary_key=True)
    content = models.BinaryField()  # A signed dict: {"dtypes": ..., "history": ...}.

    def __str__(self) -> str:
        return f"Record of {self.frame_id}"


def update_without_waiting(pk: int, **fields: Any) -> None:
    """Update a frame's row, or do nothing if the row is locked."""
    frames = Frame.objects.filter(pk=pk)
    if connection.vendor != "sqlite":
        with transaction.atomic():
            free = frames.select_for_update(skip_locked=True).values_list("pk")
            if free.first():
                frames.update(**fields)
        return
    with wait_at_most(0), contextlib.suppress(OperationalError):
        frames.update(**fields)
