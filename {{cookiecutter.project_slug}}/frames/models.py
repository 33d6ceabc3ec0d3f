"""Frames are rows: whose a DataFrame is, what it is called, and where its bytes are."""

import contextlib
import functools

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import OperationalError, connection, models, transaction
from django.db.models import F, Q
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .formats import grouped
from .frame_names import NAME_LENGTH, UNSAFE_IN_NAME
from .preferences import Preferences as Preferences
from .quick_query import quick_query
from .removal import remove_bytes
from .tokens import Token as Token  # Models of this app, too, as the Preferences are.


class FrameQuerySet(models.QuerySet):
    def owned_by(self, workspace):
        """The frames (QuerySet) that belong to whoever works in the workspace."""
        return self.filter(**workspace.owner())

    def names_in(self, workspace):
        """Return the names of what is ``visible_in`` the workspace: {primary key: name}."""
        return dict(_names(*_who(workspace)))

    def visible_in(self, workspace):
        """The frames (QuerySet) of the workspace, and those shared with its user."""
        return self.filter(_visible(*_who(workspace)))

    def shared_in(self, workspace):
        """The frames (QuerySet) of other people that the workspace's user may read."""
        shares = (
            Share.objects.of(workspace) if workspace.user_id else Share.objects.none()
        )
        return self.filter(pk__in=shares.values("frame")).exclude(**workspace.owner())

    def with_content(self):
        """Add to each frame its record's content, as the attribute ``content``."""
        return self.annotate(content=F("record__content"))

    def quick_get(self, pk):
        """Return the frame of a primary key (int), with its content, None without one."""
        for values in _frame_row(pk):
            frame = self.model.from_db(connection.alias, _row_fields(), values[:-1])
            frame.content = values[-1]
            return frame
        return None

    def publish(self, data, *, owner, name="", note="", shared_with=()):
        """Give a person a frame, from a job, a shell or a view.

        Args:
            data: a ``pandas.DataFrame``, or what else ``frames.sources.to_frame`` takes.
            owner: the user whose frame it is.
            name: str, shown beside its number; empty for none. A name that the owner
                has already gets a number.
            note: str, what whoever opens it has to know of it; empty for nothing.
            shared_with: users who may read it.

        Returns:
            Frame: the stored frame.

        Raises:
            TypeError: ``data`` is nothing that can become a DataFrame.
            KindError: D-Tale cannot show such a frame; the text says why.
            LimitExceeded: it is too large, or one too many; the text says which.
        """
        from .explore import publish  # Here: it imports D-Tale and pandas.

        return publish(data, owner=owner, name=name, note=note, shared_with=shared_with)

    def reserve_pk(self):
        """Return a primary key (int) that no frame has had or will have.

        A row is not left behind: a frame is a row only once its bytes are stored.
        """
        with transaction.atomic():
            row = self.model()
            row.save(force_insert=True)
            pk = row.pk
            self.filter(pk=pk).delete()
        return pk


class Frame(models.Model):
    """A DataFrame that somebody can open in D-Tale.

    Its primary key is D-Tale's data id. It belongs to a user, or to a visitor who is
    not signed in, whose session holds the visitor's token.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="frames",
    )
    visitor = models.CharField(max_length=32, blank=True, editable=False, db_index=True)
    shared_with = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        through="Share",
        related_name="shared_frames",
        blank=True,
        help_text=_("People who may read it."),
    )
    name = models.CharField(
        max_length=NAME_LENGTH,
        blank=True,
        validators=[
            RegexValidator(
                UNSAFE_IN_NAME,
                _(
                    "Use letters, digits, spaces and punctuation without quotes, &, < or >."
                ),
                inverse_match=True,
            )
        ],
    )
    note = models.TextField(
        blank=True,
        help_text=_("What whoever opens it has to know of it."),
    )
    conversions = models.TextField(
        blank=True,
        help_text=_("What had to be converted, so that D-Tale can show it."),
    )
    rows = models.PositiveBigIntegerField(default=0, editable=False)
    columns = models.PositiveIntegerField(default=0, editable=False)
    nbytes = models.PositiveBigIntegerField("bytes", default=0, editable=False)
    # One more with each change of anything that D-Tale shows: a change is made only if
    # nobody else has made one since the row was read.
    version = models.PositiveBigIntegerField(default=0, editable=False)
    payload = models.CharField(max_length=64, editable=False)
    settings = models.BinaryField(default=bytes)  # Sealed: D-Tale's, as the owner sees.
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(default=timezone.now, editable=False)
    opened = models.DateTimeField(default=timezone.now, editable=False)

    objects = FrameQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self):
        return f"{self.pk} {self.name}".rstrip()

    def save(self, **options):
        """Write a new row, or of one that is there what people change of it.

        The rest is written by ``OpenFrame``, which knows whether somebody else did:
        written again as it was read once, a row could name bytes that are gone.
        """
        if not (self._state.adding or options.get("update_fields")):
            fields = "owner visitor name note conversions"
            options["update_fields"] = fields.split()
        super().save(**options)

    def get_absolute_url(self):
        """Return the path (str) of the frame's page in D-Tale."""
        return self._path("main")

    def get_iframe_url(self):
        """Return the path (str) of the grid as it is within another page."""
        return self._path("iframe")

    def _path(self, page):
        prefix = f"{get_script_prefix()}{settings.DTALE_PREFIX}"
        return f"{prefix}/dtale/{page}/{self.pk}"

    @property
    def title(self):
        """What people call it (str): its name, or else its number."""
        return self.name or gettext("Frame %(number)s") % {"number": self.pk}

    @property
    def shape(self):
        """Its rows and columns, as people read them (str): 1,000 × 3."""
        return f"{grouped(self.rows)} × {grouped(self.columns)}"


@functools.cache
def _row_fields():
    return [field.attname for field in Frame._meta.concrete_fields]


@quick_query
def _frame_row(pk):
    rows = Frame.objects.order_by().filter(pk=pk)
    return rows.values_list(*_row_fields(), "record__content")


def _who(workspace):
    owner = workspace.owner()
    return owner["owner_id"], owner.get("visitor"), workspace.user_id


def _visible(owner_id, visitor, reader):
    """Return the condition (Q) of a frame that is somebody's, or shared with them."""
    own = Q(owner_id=owner_id) if visitor is None else Q(owner=None, visitor=visitor)
    if reader is None:
        return own
    return own | Q(pk__in=Share.objects.filter(user=reader).values("frame"))


@quick_query
def _names(*who):
    return Frame.objects.order_by().filter(_visible(*who)).values_list("pk", "name")


class Record(models.Model):
    """What D-Tale keeps beside a frame's data, for everyone who opens it.

    In a table of its own: it can be large, and most changes leave it as it is.
    """

    frame = models.OneToOneField(Frame, on_delete=models.CASCADE, primary_key=True)
    content = models.BinaryField()  # Sealed: {"dtypes": ..., "history": ..., ...}.

    def __str__(self):
        return f"Record of {self.frame_id}"


class ShareQuerySet(models.QuerySet):
    def of(self, workspace):
        """What is shared with whoever works in the workspace (QuerySet)."""
        return self.filter(user=workspace.user_id)


class Share(models.Model):
    """A person who may read somebody's frame, and how they look at it."""

    frame = models.ForeignKey(Frame, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    version = models.PositiveBigIntegerField(default=0, editable=False)
    # Sealed: D-Tale's settings, and which columns are hidden, as this reader sees it.
    settings = models.BinaryField(default=bytes)

    objects = ShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["frame", "user"], name="share_once")
        ]

    def __str__(self):
        return f"{self.frame_id} for {self.user}"


def update_without_waiting(pk, **fields):
    """Update a frame's row, but not if that means to wait for somebody who writes."""
    frames = Frame.objects.filter(pk=pk)
    if connection.vendor != "sqlite":
        with transaction.atomic():
            free = frames.select_for_update(skip_locked=True).values_list("pk")
            if free.first():
                frames.update(**fields)
        return
    with connection.cursor() as cursor:
        [before] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            with contextlib.suppress(OperationalError):
                frames.update(**fields)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")


@receiver(pre_delete, sender=Frame)
def remove_payload(instance, **kwargs):
    """Remove a deleted frame's bytes, once nothing can bring the row back.

    The row is locked and read again: an edit may have given it other bytes meanwhile.
    """
    row = Frame.objects.select_for_update().filter(pk=instance.pk).values("payload")
    if payload := (row.first() or {}).get("payload"):
        transaction.on_commit(lambda: remove_bytes(payload))
