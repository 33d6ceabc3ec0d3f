from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html

from . import workspace
from .models import Frame, Share


class ShareInline(admin.TabularInline):
    model = Share
    autocomplete_fields = ["user"]
    extra = 1
    fields = ["user"]


@admin.register(Frame)
class FrameAdmin(admin.ModelAdmin):
    """Whose frames there are, how large, and when somebody last opened them.

    Frames are made by `explore` and by uploads, not here. Deleting one removes its
    bytes as well. An administrator who wants to look into somebody's frame shares it
    with themselves, where its owner can see it.
    """

    list_display = ["pk", "name", "owner", "shape", "size", "opened", "open_in_dtale"]
    list_filter = ["opened", "created", ("owner", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["name", "=id", f"owner__{get_user_model().USERNAME_FIELD}"]
    date_hierarchy = "created"
    fields = ["name", "owner", "notes", "shape", "size", "version", "created"]
    fields += ["changed", "opened", "open_in_dtale"]
    readonly_fields = ["notes", "shape", "size", "version", "created", "changed"]
    readonly_fields += ["opened", "open_in_dtale"]
    autocomplete_fields = ["owner"]
    inlines = [ShareInline]
    view_on_site = False  # `open_in_dtale` knows who may.

    def has_add_permission(self, request):
        return False

    def get_queryset(self, request):
        visible = Frame.objects.visible_in(workspace.current()).filter(
            pk=OuterRef("pk")
        )
        frames = super().get_queryset(request).defer("settings")
        return frames.annotate(is_visible=Exists(visible))

    @admin.display(description="rows x columns", ordering="rows")
    def shape(self, frame):
        return f"{frame.rows:,} x {frame.columns:,}"

    @admin.display(ordering="nbytes")
    def size(self, frame):
        return filesizeformat(frame.nbytes)

    @admin.display(description="D-Tale")
    def open_in_dtale(self, frame):
        if not frame.is_visible:
            return "not shared with you"
        return format_html('<a href="{}">Open</a>', frame.get_absolute_url())
