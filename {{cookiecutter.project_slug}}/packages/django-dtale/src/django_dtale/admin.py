import csv
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import BooleanField, ModelForm
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import workspace
from .api import open_run
from .decorators import check_access
from .exceptions import FrameError
from .formats import format_size
from .models import Action, AuditEntry, Frame, Share, Token
from .sources.model_data import may_open
from .sources.runs import run_model

# Spreadsheets run the text of a cell that begins with one of these characters.
FORMULAS = "=", "+", "-", "@", "\t", "\r"

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


class ShareAdminForm(ModelForm):
    """The form of a share, in which "everyone" has to be chosen explicitly."""

    everyone = BooleanField(
        label=gettext_lazy("Everyone who is signed in"), required=False
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        share = self.instance
        self.fields["everyone"].initial = bool(
            share.pk and not share.user_id and not share.group_id
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        chosen = [cleaned.get(name) for name in ("user", "group", "everyone")]
        if not self.errors and len(list(filter(None, chosen))) != 1:
            raise ValidationError(_("Choose one user, one group, or everyone."))
        return cleaned


class ShareInline(admin.TabularInline):
    model = Share
    form = ShareAdminForm
    autocomplete_fields = ["user"]
    extra = 1
    fields = ["user", "group", "everyone", "role"]


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
    list_filter += [("deleted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["name", "=id", f"owner__{get_user_model().USERNAME_FIELD}"]
    date_hierarchy = "created_at"
    readonly_fields = ["conversion_notes", "shape", "size", "version", "created_at"]
    readonly_fields += ["updated_at", "last_opened_at", "open_in_dtale"]
    readonly_fields += ["data_at", "origin", "origin_name", "deleted_at"]
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

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: Any, change: bool
    ) -> None:
        """Save the shares as the page of the owner does, with the audit log."""
        if formset.model is not Share:
            super().save_formset(request, form, formset, change)
            return
        user: Any = request.user
        formset.save(commit=False)
        moved = [
            share
            for share, fields in formset.changed_objects
            if {"user", "group", "everyone"} & set(fields)
        ]
        for share in [*formset.deleted_objects, *moved]:
            Share.objects.get(pk=share.pk).remove(by=user)
        changed = [share for share, _fields in formset.changed_objects]
        for share in [*changed, *formset.new_objects]:
            Share.objects.grant(
                share.frame, share.recipient, share.role, shared_by=user
            )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Frame]:
        visible = Frame.objects.visible_in(workspace.current()).filter(
            pk=OuterRef("pk")
        )
        frames = super().get_queryset(request).defer("settings")
        return frames.annotate(is_visible=Exists(visible))

    def delete_model(self, request: HttpRequest, obj: Frame) -> None:
        detail = _("For good, by an administrator")
        AuditEntry.objects.record(request.user, Action.DELETED, obj, detail)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Frame]) -> None:
        for frame in queryset:
            self.delete_model(request, frame)

    @admin.display(description=gettext_lazy("Rows × columns"), ordering="rows")
    def shape(self, frame: Frame) -> str:
        return frame.shape

    @admin.display(description=gettext_lazy("Size"), ordering="nbytes")
    def size(self, frame: Frame) -> str:
        return format_size(frame.nbytes)

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


class Echo:
    """A file for ``csv.writer`` whose method ``write`` returns the text."""

    def write(self, text: str) -> str:
        return text


def as_cell(value: object) -> str:
    """Return a value as a cell of a CSV file that spreadsheets do not run as a formula."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """The admin of the audit log, which can be searched and exported, but not changed."""

    actions = ("export_as_csv",)
    list_display = ["at", "username", "action", "frame_pk", "frame_name", "detail"]
    list_filter = ["action", "at"]
    search_fields = ["username", "frame_name", "=frame_pk"]
    search_help_text = gettext_lazy("Username, name or number of a table")
    date_hierarchy = "at"
    show_full_result_count = False  # The log can be long.
    dtale_fields = ()

    @admin.action(description=gettext_lazy("Export as CSV"), permissions=["view"])
    def export_as_csv(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> StreamingHttpResponse:
        """Send the selected entries, the times in UTC, as a file for spreadsheets."""
        fields = [*map(str, self.list_display)]
        rows = queryset.values_list(*fields).iterator()
        writer = csv.writer(Echo())
        lines = (writer.writerow(map(as_cell, row)) for row in chain([fields], rows))
        headers = {"Content-Disposition": 'attachment; filename="audit-log.csv"'}
        return StreamingHttpResponse(
            lines, content_type="text/csv; charset=utf-8", headers=headers
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
