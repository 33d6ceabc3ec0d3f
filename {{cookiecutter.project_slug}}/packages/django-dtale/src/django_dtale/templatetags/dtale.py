"""Template tags for D-Tale: {% load dtale %}."""

import logging
from typing import Any

from django import template
from django.conf import settings
from django.contrib import admin
from django.db.models.options import Options
from django.shortcuts import resolve_url
from django.template import Context
from django.urls import reverse

from django_dtale import workspace
from django_dtale.formats import format_size
from django_dtale.models import Frame, SavedView
from django_dtale.sources.model_data import may_open

logger = logging.getLogger(__name__)

register = template.Library()


@register.inclusion_tag("frames/button.html", takes_context=True)
def dtale_button(context: Context, url: str, label: str) -> dict[str, Any]:
    """Render a button that opens data: {% dtale_button url "Open the orders" %}.

    Args:
        url: the URL of a view that returns the response of ``explore()``. The button
            sends a POST, because a link must not create data.
        label: the text on the button.
    """
    token = context.get("csrf_token")
    return {"url": url, "label": label, "csrf_token": token}


@register.inclusion_tag("frames/embedded.html", takes_context=True)
def dtale_frame(
    context: Context,
    frame: Frame,
    height: int = 480,
    view: SavedView | str | None = None,
) -> dict[str, Any]:
    """Embed the live grid of a frame in a page of the site: {% dtale_frame frame %}.

    Users who may not see the frame get a message instead.

    Args:
        height: the height in pixels.
        view: a saved view of the frame, or its name. Without it, users see their own
            view of the frame.
    """
    visible = Frame.objects.visible_in(workspace.current())
    is_visible, shown = visible.filter(pk=frame.pk).exists(), None
    if is_visible and view is not None:
        given = {"pk": view.pk} if isinstance(view, SavedView) else {"name": view}
        shown = frame.saved_views.defer("settings").filter(**given).first()
        if shown is None:
            logger.warning(
                "Frame %s has no view %r, which a page embeds.", frame.pk, view
            )
    return {
        "frame": frame,
        "view": shown,
        "shown": shown or frame,
        "height": height,
        "is_visible": is_visible,
        "is_missing": view is not None and shown is None,
        "request": context.get("request"),
    }


@register.filter
def size(nbytes: int) -> str:
    """Return a number of bytes with its unit: {{ frame.nbytes|size }} is 200 MB."""
    return format_size(nbytes)


@register.simple_tag
def login_url() -> str:
    """Return the path of the sign-in page, from LOGIN_URL."""
    return resolve_url(settings.LOGIN_URL)


@register.simple_tag(takes_context=True)
def dtale_model_url(context: Context, opts: Options) -> str:
    """Return the path of a model's page; empty if the user may not open the model.

    Args:
        opts: ``_meta`` of a model, which need not be registered with the admin.
    """
    site, model = admin.site, opts.model
    if not site.is_registered(model):
        return ""
    if not may_open(site.get_model_admin(model), context["request"]):
        return ""
    return reverse("frames:model", args=[opts.app_label, opts.model_name])
