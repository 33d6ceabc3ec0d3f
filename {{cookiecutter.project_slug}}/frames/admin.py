from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import workspace
from .exceptions import FrameError
from .model_data import may_open, open_rows
from .models import Frame, Share, Token


@admin.action(description=gettext_lazy("Open in D-Tale"), permissions=["view"])
def open_in_dtale(model_admin, request, queryset):
    """Open the chosen rows of any model, or all that its search and filters leave."""
    if not may_open(model_admin, request):
        name = model_admin.opts.verbose_name_plural
        text = _("What is in %(model)s is not for D-Tale.") % {"model": name}
        return model_admin.message_user(request, text, messages.ERROR)
    try:
        return open_rows(request, model_admin, queryset)
    except FrameError as error:
        return model_admin.message_user(request, str(error), messages.ERROR)


admin.site.add_action(open_in_dtale)


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
    fields = ["name", "owner", "note", "conversions", "shape", "size", "version"]
    fields += ["created", "changed", "opened", "open_in_dtale"]
    readonly_fields = ["conversions", "shape", "size", "version", "created", "changed"]
    readonly_fields += ["opened", "open_in_dtale"]
    autocomplete_fields = ["owner"]
    inlines = [ShareInline]
    dtale_fields = ()  # Each frame is open there as it is.
    view_on_site = False  # `open_in_dtale` knows who may.

    def has_add_permission(self, request):
        return False

    def get_actions(self, request, action_location=None):
        # Django 6.1 and later ask for the actions of a place; older releases have one.
        where = {"action_location": action_location} if action_location else {}
        actions = super().get_actions(request, **where)
        actions.pop(open_in_dtale.__name__, None)
        return actions

    def get_queryset(self, request):
        visible = Frame.objects.visible_in(workspace.current()).filter(
            pk=OuterRef("pk")
        )
        frames = super().get_queryset(request).defer("settings")
        return frames.annotate(is_visible=Exists(visible))

    @admin.display(description=gettext_lazy("Rows × columns"), ordering="rows")
    def shape(self, frame):
        return frame.shape

    @admin.display(description=gettext_lazy("Size"), ordering="nbytes")
    def size(self, frame):
        return filesizeformat(frame.nbytes)

    @admin.display(description="D-Tale")
    def open_in_dtale(self, frame):
        if not frame.is_visible:
            return _("not shared with you")
        url = frame.get_absolute_url()
        return format_html('<a href="{}">{}</a>', url, _("Open"))


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
    """Whose programs may act for them: to look, and to revoke."""

    list_display = ["name", "user", "created", "used"]
    list_select_related = ["user"]
    search_fields = ["name", f"user__{get_user_model().USERNAME_FIELD}"]
    readonly_fields = ["name", "user", "created", "used"]
    dtale_fields = ()

    def has_add_permission(self, request):
        return False
