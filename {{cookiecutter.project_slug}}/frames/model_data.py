"""Models of the site as frames: what the admin shows of them, and no more.

A ModelAdmin decides: who may view its model, which rows and fields they see, by what
they search and filter. ``dtale_fields``, an attribute of a ModelAdmin's, says it in
another way: the names of the fields that D-Tale shows, or ``()`` for none, which takes
the model out of it. Passwords are never shown, not even as hashes.
"""

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.http import Http404
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from .exceptions import FrameError
from .explore import explore
from .limits import check_cells

NEVER = {"password"}  # Names of fields, in any model.


def fields_of(model_admin, request):
    """Return the fields of a model that D-Tale shows to whoever asks.

    These are the ones that the admin shows them, in its list or its form, and the
    primary key.

    Returns:
        list of ``django.db.models.Field``: empty, if the model has opted out.
    """
    model = model_admin.model
    names = getattr(model_admin, "dtale_fields", None)
    if names is None:
        # Of an object, as it is changed: some admins show another form to add one.
        form = flatten_fieldsets(model_admin.get_fieldsets(request, model()))
        names = [*form, *model_admin.get_list_display(request)]
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.name in names and field.name not in NEVER
    ]
    return fields and list(dict.fromkeys([model._meta.pk, *fields]))


def open_models(request):
    """Return what the admin calls apps, with the models that a person may open.

    Returns:
        list of dict: ``name`` (str) of the app, ``models`` (list of type).
    """
    apps_of_admin = [
        {
            "name": app["name"],
            "models": [
                each["model"]
                for each in app["models"]
                if may_open(admin.site.get_model_admin(each["model"]), request)
            ],
        }
        for app in admin.site.get_app_list(request)
    ]
    return [app for app in apps_of_admin if app["models"]]


def may_open(model_admin, request):
    """Say (bool) whether a person may see a model's rows in D-Tale."""
    return model_admin.has_view_permission(request) and bool(
        fields_of(model_admin, request)
    )


def get_model_admin_or_404(request, app_label, model_name):
    """Return the ModelAdmin of a model that the person may open.

    Raises:
        Http404: there is no such model, or they may not; it does not tell which.
    """
    try:
        model_admin = admin.site.get_model_admin(apps.get_model(app_label, model_name))
    except (LookupError, NotRegistered):
        raise Http404 from None
    if not may_open(model_admin, request):
        raise Http404
    return model_admin


def changelist_of(model_admin, request):
    """Return the admin's list of a model, with a request's search and filters.

    Returns:
        django.contrib.admin.views.main.ChangeList

    Raises:
        FrameError: there is no such filter here, or it cannot be used so.
    """
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        raise FrameError(_("A filter in the address of this page is wrong.")) from None
    # The admin takes any lookup, and who counts the rows of many learns what is in a
    # field that is not shown.
    shown = {field.name for field in fields_of(model_admin, request)}
    shown.add(changelist.date_hierarchy)
    for lookup in changelist.get_filters(request)[2]:
        if lookup.partition("__")[0] not in shown:
            raise FrameError(_("There is no filter “%s” here.") % lookup[:50])
    return changelist


def open_rows(request, model_admin, queryset):
    """Open rows of a model in D-Tale.

    Args:
        request: the ``HttpRequest`` of a person who may see them.
        model_admin: ``ModelAdmin`` of the model.
        queryset: the ``QuerySet`` of the rows.

    Returns:
        HttpResponseRedirect

    Raises:
        FrameError: they cannot be opened; the text says why.
    """
    fields = fields_of(model_admin, request)
    check_cells(queryset.count(), len(fields))  # Before they are all in memory.
    names = [field.name for field in fields]
    return explore(
        request,
        queryset.select_related(None).only(*names),
        name=capfirst(model_admin.opts.verbose_name_plural),
    )
