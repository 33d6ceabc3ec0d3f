"""Open models of the site as frames, with only the data that the admin shows.

The ModelAdmin of a model decides who can view it, which rows and fields they see, and
how they can search and filter. Its attribute ``dtale_fields`` can list the names of the
fields that D-Tale shows instead; ``()`` excludes the model. Passwords are never shown,
not even as hashes.
"""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import Field
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from ..exceptions import FrameError

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

EXCLUDED_FIELDS = {"password"}  # These names are excluded in all models.


def visible_fields(model_admin: ModelAdmin, request: HttpRequest) -> list[Field]:
    """Return the fields of a model that D-Tale shows to the user.

    These are the primary key, and the fields that the user sees in the admin's list or
    form. If the model is excluded, there are none.
    """
    model = model_admin.model
    names = getattr(model_admin, "dtale_fields", None)
    if names is None:
        # With an instance, the admin returns the form to change an object. The form to
        # add an object may differ.
        form = flatten_fieldsets(model_admin.get_fieldsets(request, model()))
        names = [*form, *model_admin.get_list_display(request)]
    fields = [
        field
        for field in model._meta.concrete_fields
        if field.name in names and field.name not in EXCLUDED_FIELDS
    ]
    return fields and list(dict.fromkeys([model._meta.pk, *fields]))


def open_models(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the apps of the admin with models that the user may open.

    Each app is a dict with the keys ``name`` and ``models``.
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


def may_open(model_admin: ModelAdmin, request: HttpRequest) -> bool:
    """Return whether the user may open a model in D-Tale."""
    return model_admin.has_view_permission(request) and bool(
        visible_fields(model_admin, request)
    )


def find_model_admin(
    request: HttpRequest, app_label: str, model_name: str
) -> ModelAdmin | None:
    """Return the ModelAdmin of a model, or None if the user may not open the model.

    The result is also None if there is no such model.
    """
    try:
        model_admin = admin.site.get_model_admin(apps.get_model(app_label, model_name))
    except (LookupError, NotRegistered):
        return None
    return model_admin if may_open(model_admin, request) else None


def get_changelist(model_admin: ModelAdmin, request: HttpRequest) -> "ChangeList":
    """Return the change list of a model, with a request's search and filters.

    Raises:
        FrameError: a filter does not exist, or is invalid.
    """
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        raise FrameError(
            _("A filter in the address of this page is invalid.")
        ) from None
    # The admin may accept lookups in fields that are not shown. Users could find out
    # the values of these fields by counting the rows that match.
    shown = {field.name for field in visible_fields(model_admin, request)}
    shown.add(changelist.date_hierarchy)
    for lookup in changelist.get_filters(request)[2]:
        if lookup.partition("__")[0] not in shown:
            raise FrameError(_("The filter “%s” does not exist.") % lookup[:50])
    return changelist


def without_page(query: QueryDict) -> str:
    """Return a query string without the number of a page of the admin's list."""
    selected = query.copy()
    selected.pop(PAGE_VAR, None)
    return selected.urlencode()
