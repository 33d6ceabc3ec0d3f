"""The app's own pages."""

from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from . import workspace
from .access import login_required_if_asked
from .explore import copy_frame
from .models import Frame


@login_required_if_asked
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request, pk):
    """Give a person a frame of their own, equal to one that they can see."""
    frame = get_object_or_404(Frame.objects.visible_in(workspace.current()), pk=pk)
    if request.method == "POST":
        return redirect(copy_frame(frame))
    return render(request, "frames/copy.html", {"frame": frame})
