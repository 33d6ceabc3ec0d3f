"""D-Tale in the templates of a site: {% load dtale %}."""

from django import template
from django.contrib import admin
from django.urls import reverse

from frames.model_data import may_open

register = template.Library()


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
