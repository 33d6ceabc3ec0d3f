"""The pages on which users share their frames, and leave those of others."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import workspace
from ..decorators import form_page, frames_login_required, may_list_users
from ..forms import RoleForm, ShareForm
from ..models import Action, Frame, PersonalView, Role, Share
from ..sharing.mail import send_share_mails, sends_mail
from ..sharing.people import find_people, label
from .frames import add_undo_message, get_own_frame, get_visible_frame


@login_required  # Otherwise, visitors could find out who has an account.
@form_page
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Share a frame with users and groups, and list those who have access.

    With ``?view=`` and the primary key of a saved view, the link opens this view.
    """
    frame, owner = get_own_frame(pk), _user(request)
    number = request.GET.get("view", "")
    view = frame.saved_views.filter(pk=number).first() if number.isdecimal() else None
    shown = view or frame
    form = ShareForm(
        request.POST or None, frames=[frame], owner=owner, sends_mail=sends_mail()
    )
    address = request.build_absolute_uri(shown.get_absolute_url())
    if request.method == "POST" and form.is_valid():
        new = form.save()
        if form.cleaned_data.get("send_mail"):
            send_share_mails(new, owner, address)
        messages.success(request, _text_about(form))
        return redirect(request.get_full_path())
    shares = frame.shares.select_related("user", "group", "shared_by").order_by("pk")
    rows = [
        (
            each,
            RoleForm(
                prefix=f"share-{each.pk}",
                initial={
                    "role": each.role,
                    "all_history": each.history_since is None,
                },
            ),
        )
        for each in shares
    ]
    context = {
        "frame": frame,
        "view": view,
        "form": form,
        "rows": rows,
        "address": address,
        "embed": format_html(
            '<iframe src="{}" width="100%" height="480" title="{}"></iframe>',
            request.build_absolute_uri(shown.get_iframe_url()),
            view.name if view else frame.title,
        ),
    }
    return render(request, "frames/share.html", context)


@login_required
@never_cache
@frames_login_required
@require_safe
def people(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the users who match a search, for the field of the page of `share`."""
    if not may_list_users(request.user):
        raise Http404
    get_own_frame(pk)
    found = find_people(request.GET.get("q", ""), _user(request))
    people = [{"name": each.get_username(), "label": label(each)} for each in found]
    return JsonResponse({"people": people})


@login_required
@form_page
def change_share(request: HttpRequest, pk: int, share: int) -> HttpResponse:
    """Change the role of people. A form on the page of `share` does this."""
    frame = get_own_frame(pk)
    if request.method == "POST":
        given = get_object_or_404(
            frame.shares.select_related("user", "group"), pk=share
        )
        form = RoleForm(request.POST, prefix=f"share-{given.pk}")
        if form.is_valid():
            Share.objects.grant(
                frame,
                given.recipient,
                form.cleaned_data["role"],
                shared_by=_user(request),
                all_history=form.cleaned_data["all_history"],
            )
            text = gettext("The access for %(people)s was changed.")
            messages.success(request, text % {"people": given.people})
    return redirect("frames:share", pk)


@login_required
@form_page
def remove_access(request: HttpRequest, pk: int, share: int) -> HttpResponse:
    """Stop sharing a frame. A button on the page of `share` does this."""
    frame = get_own_frame(pk)
    if request.method == "POST":
        given = get_object_or_404(
            frame.shares.select_related("user", "group"), pk=share
        )
        removed = given.remove(by=_user(request))
        text = gettext("The access for %(people)s was removed.")
        undo = reverse("frames:restore_share", args=[pk, removed.pk])
        add_undo_message(request, text % {"people": removed.people}, undo)
    return redirect("frames:share", pk)


@login_required
@form_page
def restore_share(request: HttpRequest, pk: int, removed: int) -> HttpResponse:
    """Restore a share that its owner has removed."""
    frame = get_own_frame(pk)
    if request.method == "POST":
        found = get_object_or_404(frame.removedshares, pk=removed)
        restored = found.restore(by=_user(request))
        text = gettext("The access for %(people)s was restored.")
        messages.success(request, text % {"people": restored.people})
    return redirect("frames:share", pk)


@form_page
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove another user's frame from the list of frames shared with this user.

    If it is also shared with a group of the user or with everyone, the user can still
    open it by its address.
    """
    frame, here = get_visible_frame(pk), workspace.current()
    if here.owns(frame):
        return redirect("frames:delete", pk)
    if request.method == "POST":
        remove_from_list(frame, here)
        text = gettext("%(frame)s is no longer in your list.")
        messages.success(request, text % {"frame": frame.title})
        return redirect("frames:home")
    shares = Share.objects.of(here).filter(frame=frame)
    context = {"frame": frame, "keeps_access": shares.filter(user=None).exists()}
    return render(request, "frames/leave.html", context)


@transaction.atomic
def remove_from_list(frame: Frame, here: workspace.Workspace) -> None:
    """Remove another user's frame from the list of this user, and their own share."""
    for direct in Share.objects.filter(frame=frame, user=here.user_id):
        direct.record(Action.UNSHARED, here.signed_in_user)
        direct.delete()
    PersonalView.objects.update_or_create(
        frame=frame, user_id=here.user_id, variant=0, defaults={"has_left": True}
    )


def _text_about(form: ShareForm) -> str:
    """Return the message that the frame was shared."""
    names = names_of(form)
    if form.cleaned_data["role"] == Role.EDITOR:
        text = ngettext(
            "%(people)s can now edit this table.",
            "%(people)s can now edit this table.",
            len(names),
        )
    else:
        text = ngettext(
            "%(people)s can now see this table.",
            "%(people)s can now see this table.",
            len(names),
        )
    return text % {"people": get_text_list(names, gettext("and"))}


def names_of(form: ShareForm) -> list[str]:
    """Return the names of the people whom the user has chosen in a form."""
    return [str(each) for each in form.chosen_people]


def _user(request: HttpRequest) -> AbstractBaseUser:
    """Return the user of a view that requires one."""
    return request.user  # type: ignore[return-value]
