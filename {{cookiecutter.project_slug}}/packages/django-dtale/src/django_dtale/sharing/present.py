"""Find the people who have a frame open at the same time as a user."""

from django.db.models import QuerySet

from ..access import Access, access_to
from ..decorators import may_list_users
from ..models import Frame, Presence
from ..workspace import Workspace
from .people import full_name

MAX_PEOPLE = 20


def people_here(frame: Frame, workspace: Workspace, access: Access) -> list[str]:
    """Return the names of other people who have a frame open, in alphabetical order.

    The owner and editors see everyone. Readers see only the owner and editors, unless
    LIST_USERS lets them search for other users. Visitors who are not signed in see
    nobody.

    Args:
        access: the rights of the workspace for the frame.
    """
    user = workspace.signed_in_user
    if user is None:
        return []
    rows: QuerySet[Presence] = Presence.objects.recent().filter(frame=frame)
    rows = rows.exclude(user=user.pk).select_related("user").order_by("-seen_at")
    people = [row.user for row in rows[:MAX_PEOPLE]]
    if not (access.can_write or may_list_users(user)):
        rights = {each.pk: access_to(frame, Workspace(each)) for each in people}
        people = [
            each
            for each in people
            if (known := rights[each.pk]) is not None and known.can_write
        ]
    return sorted(full_name(each) or each.get_username() for each in people)
