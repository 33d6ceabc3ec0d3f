"""From a DataFrame to its page in D-Tale."""

from django.conf import settings
from django.http import HttpResponseRedirect
from django.urls import get_script_prefix


def explore(request, data, name=""):
    """Open ``data`` in D-Tale and return the redirect to its page.

    Args:
        request: the ``HttpRequest`` of the view that returns the redirect.
        data: a ``pandas.DataFrame`` or ``Series``.
        name: what D-Tale calls the frame; empty for none.
    """
    from .dtale_app import open_frame  # Here: it imports D-Tale and pandas.

    data_id = open_frame(data, name=name)
    return HttpResponseRedirect(
        f"{get_script_prefix()}{settings.DTALE_PREFIX}/dtale/main/{data_id}"
    )
