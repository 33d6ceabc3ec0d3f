"""D-Tale in the templates of a site: {% load dtale %}."""

from django import template
from django.contrib import admin
from django.urls import reverse

from frames import workspace
from frames.model_data import may_open
from frames.models import Frame

register = template.Library()


@register.inclusion_tag("frames/button.html", takes_context=True)
def dtale_button(context, url, label):
    """A button that opens something in D-Tale: {% dtale_button url "Open the orders" %}.

    Args:
        url: str, of a view that returns what ``explore()`` does. It is asked by POST:
            a link must not make data.
        label: str, on the button.
    """
    token = context.get("csrf_token")
    return {"url": url, "label": label, "csrf_token": token}


@register.inclusion_tag("frames/embedded.html", takes_context=True)
def dtale_frame(context, frame, height=480):
    """The live grid of a frame within a page of the site: {% dtale_frame frame %}.

    Whoever may not see the frame reads that instead.

    Args:
        frame: ``Frame``.
        height: int, pixels.
    """
    visible = Frame.objects.visible_in(workspace.current())
    return {
        "frame": frame,
        "height": height,
        "is_visible": visible.filter(pk=frame.pk).exists(),
        "request": context.get("request"),
    }


@register.simple_tag(takes_context=True)
def dtale_model_url(context, opts):
    """Return the path (str) of a model's page, empty if the person may not open it.

    Args:
        opts: ``_meta`` of a model, of which the admin may know nothing.
    """
    site, model = admin.site, opts.model
    if not site.is_registered(model):
        return ""
    if not may_open(site.get_model_admin(model), context["request"]):
        return ""
    return reverse("frames:model", args=[opts.app_label, opts.model_name])
