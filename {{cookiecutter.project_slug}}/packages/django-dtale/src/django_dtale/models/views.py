"""The models of saved views, and of each person's own view of a frame."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from .data_ids import data_id, variant_of_view
from .names import NAME_LENGTH

if TYPE_CHECKING:
    from ..workspace import Workspace


class PersonalViewQuerySet(models.QuerySet["PersonalView"]):
    def of(self, workspace: "Workspace") -> Self:
        """Return the views of the workspace's user. For a visitor, the user is None."""
        return self.filter(user=workspace.user_id)


class PersonalView(models.Model):
    """How a person sees a frame, a saved view, or an earlier state.

    The owner's view of a frame itself is ``Frame.settings``. The user is None for a
    visitor, who owns the frame.
    """

    frame = models.ForeignKey("Frame", on_delete=models.CASCADE, related_name="views")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True
    )
    variant = models.PositiveBigIntegerField(default=0)  # See `data_ids`.
    version = models.PositiveBigIntegerField(default=0, editable=False)
    # Filters, sorting, formats and hidden columns, signed. Until a person changes
    # their view, this is empty, and they see the view of the owner.
    settings = models.BinaryField(default=bytes)
    has_left = models.BooleanField(default=False)  # Removed from the person's list.

    objects = PersonalViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["frame", "user", "variant"], name="view_once"
            ),
            models.UniqueConstraint(
                fields=["frame", "variant"],
                condition=Q(user=None),
                name="view_of_visitor_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frame_id} for {self.user}"


class SavedView(models.Model):
    """A named view of a frame: filters, sorting, formats, highlights, or a chart.

    Everyone who may see the frame may open its saved views. Changes that they make
    there are their own.
    """

    frame = models.ForeignKey(
        "Frame", on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=NAME_LENGTH)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    version = models.PositiveBigIntegerField(default=0, editable=False)
    settings = models.BinaryField(default=bytes)  # The view state, signed.
    # The parameters of D-Tale's page of charts; empty for a view of the grid.
    chart = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["frame", "name"], name="view_name_once")
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the path of the page in D-Tale that shows the view."""
        page = "charts" if self.chart else "main"
        return self.frame.path_of(page, self.variant)

    def get_iframe_url(self) -> str:
        """Return the path of the grid or the chart for embedding in another page."""
        page = "charts" if self.chart else "iframe"
        return self.frame.path_of(page, self.variant)

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        """Delete the view, and what people have changed in it for themselves."""
        with transaction.atomic():
            own = PersonalView.objects.filter(frame=self.frame_id, variant=self.variant)
            own.delete()
            return super().delete(*args, **options)

    @property
    def variant(self) -> int:
        """The variant in the data ID of this view."""
        return variant_of_view(self.pk)

    @property
    def data_id(self) -> int:
        """D-Tale's data ID of this view."""
        return data_id(self.frame_id, self.variant)
