from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import workspace
from .api import open_run
from .decorators import check_access
from .exceptions import FrameError
from .models import Frame, Share, Token
from .sources.model_data import may_open
from .sources.runs import run_model

if TYPE_CHECKING:
    Base = admin.ModelAdmin
else:
    Base = object


class DtaleAdminMixin(Base):
    """Add "Open in D-Tale" to the change list of a model, as a link and as an action.

    List this class before ``ModelAdmin``. If your ModelAdmin sets ``actions``, add
    ``"open_in_dtale"`` to them.
    """

    actions = ("open_in_dtale",)
    change_list_template = "frames/admin/change_list.html"

    @admin.action(description=gettext_lazy("Open in D-Tale"), permissions=["view"])
    def open_in_dtale(
        self, request: HttpRequest, queryset: QuerySet
    ) -> HttpResponse | None:
        """Open the selected rows, or all rows that match the search and the filters."""
        if not may_open(self, request):
            name = self.opts.verbose_name_plural
            text = _("%(model)s cannot be opened in D-Tale.") % {"model": name}
            self.message_user(request, text, messages.ERROR)
            return None
        try:
            check_access(request.user)
            return redirect(open_run(run_model(request, self, queryset)))
        except FrameError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None


class ShareInline(admin.TabularInline):
    model = Share
    autocomplete_fields = ["user"]
    extra = 1
    fields = ["user"]


@admin.register(Frame)
class FrameAdmin(admin.ModelAdmin):
    """The admin of frames, which shows their owners, sizes and last use.

    Only `explore`, `publish` and uploads create frames. Deleting a frame also deletes
    its files. Administrators who want to open another user's frame have to share it
    with themselves. The owner can see this share.
    """

    list_display = ["pk", "name", "owner", "shape", "size", "data_at", "last_opened_at"]
    list_display += ["open_in_dtale"]
    list_filter = ["last_opened_at", "created_at"]
    list_filter += [("owner", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["name", "=id", f"owner__{get_user_model().USERNAME_FIELD}"]
    date_hierarchy = "created_at"
    readonly_fields = ["conversion_notes", "shape", "size", "version", "created_at"]
    readonly_fields += ["updated_at", "last_opened_at", "open_in_dtale"]
    readonly_fields += ["data_at", "origin", "origin_name"]
    fields = ["name", "owner", "note", *readonly_fields]
    autocomplete_fields = ["owner"]
    inlines = [ShareInline]
    dtale_fields = ()  # Exclude the model: D-Tale opens frames, not the list of them.
    view_on_site = False  # `open_in_dtale` links to frames that the user may open.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Frame, form: ModelForm, change: bool
    ) -> None:
        # Save only the fields that were changed in the form: other fields may have
        # newer values in the database.
        obj.save(update_fields=form.changed_data)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Frame]:
        visible = Frame.objects.visible_in(workspace.current()).filter(
            pk=OuterRef("pk")
        )
        frames = super().get_queryset(request).defer("settings")
        return frames.annotate(is_visible=Exists(visible))

    @admin.display(description=gettext_lazy("Rows × columns"), ordering="rows")
    def shape(self, frame: Frame) -> str:
        return frame.shape

    @admin.display(description=gettext_lazy("Size"), ordering="nbytes")
    def size(self, frame: Frame) -> str:
        return filesizeformat(frame.nbytes)

    @admin.display(description="D-Tale")
    def open_in_dtale(self, frame: Frame) -> str:
        if not frame.is_visible:  # type: ignore[attr-defined]
            return _("not shared with you")
        url = frame.get_absolute_url()
        return format_html('<a href="{}">{}</a>', url, _("Open"))


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    """The admin of all users' access tokens, which can be viewed and revoked."""

    readonly_fields = ["name", "user", "scope"]
    readonly_fields += ["created_at", "last_used_on", "expires_at"]
    list_display = [*readonly_fields]
    list_select_related = ["user"]
    search_fields = ["name", f"user__{get_user_model().USERNAME_FIELD}"]
    dtale_fields = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
