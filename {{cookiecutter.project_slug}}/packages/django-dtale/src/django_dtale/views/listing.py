"""A list of frames on a page, with search, sorting and pagination."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import get_script_prefix, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..exceptions import InputRefused
from ..models import Frame, SavedView, Share
from ..workspace import Workspace

PER_PAGE = 25  # With long names, a page is smaller than 60 kB.
DEFAULT_SORT = "-opened"

# The columns by which the lists can be sorted. URLs contain the keys. The values are
# titles, and fields of the model.
COLUMNS = {
    "name": (_("Name"), ["name"]),
    "as_of": (_("As of"), ["data_at"]),
    "shape": (_("Rows × columns"), ["rows", "columns"]),
    "size": (_("Size"), ["nbytes"]),
    "shared": (_("Shared with"), ["everyone", "groups", "users"]),
    "owner": (_("Owner"), [f"owner__{get_user_model().USERNAME_FIELD}"]),
    "opened": (_("Last opened"), ["last_opened_at"]),
}
# The first click on the headers of these columns sorts in descending order.
DOWN_FIRST = {"as_of", "shape", "size", "shared", "opened"}

LAYOUTS = ("list", "cards")
LAYOUT_COOKIE = "frames_layout"
A_YEAR = 365 * 24 * 60 * 60  # The number of seconds in a year.


def chosen_tables(request: HttpRequest) -> list[int]:
    """Return the primary keys of the tables that a form or its URL names, each once.

    Raises:
        InputRefused: a value is not a number.
    """
    values = [*request.GET.getlist("table"), *request.POST.getlist("table")]
    if not all(value.isdecimal() for value in values):
        raise InputRefused(gettext("This is not a list of tables."))
    return list(dict.fromkeys(map(int, values)))


def text_about(frames: Sequence[Frame], one: str, several: str, **more: str) -> str:
    """Return a message that names one frame, or gives the number of several.

    These are two messages, because ``compilemessages`` refuses translations whose
    plural forms have different placeholders.

    Args:
        one: the message about one frame, with the placeholder ``%(frame)s``.
        several: the message about several, with the placeholder ``%(count)s``.
        more: the values of other placeholders.
    """
    if len(frames) == 1:
        return one % {"frame": frames[0].title, **more}
    return several % {"count": len(frames), **more}


@dataclass(frozen=True)
class Column:
    """The header of a column.

    Attributes:
        sort: the value of the query parameter ``sort`` after a click on the header.
        direction: "ascending" or "descending" if the list is sorted by this column,
            else empty.
    """

    title: str | Promise
    sort: str
    direction: str


class Listing:
    """A page of frames.

    Args:
        request: the request, whose query string can contain ``q``, a part of the name;
            ``sort``, a key of COLUMNS, with - in front for descending order; and the
            page number. Invalid values are ignored.
        frames: the frames of all pages.
        parameter: the query parameter with the page number.
        without: the column that this list does not have: "owner" or "shared".

    Attributes:
        titles: the titles of the columns by their keys.
        search: the text that names have to contain.
        sort: the requested order; empty for the default.
    """

    titles = {key: title for key, (title, _fields) in COLUMNS.items()}

    def __init__(
        self,
        request: HttpRequest,
        frames: QuerySet[Frame],
        parameter: str,
        *,
        without: str,
    ) -> None:
        keys = [key for key in COLUMNS if key != without]
        self.request = request
        self.parameter = parameter
        self.search = request.GET.get("q", "").strip()
        self.sort = request.GET.get("sort", "")
        if self.sort.removeprefix("-") not in keys:
            self.sort = ""
        sort = self.sort or DEFAULT_SORT
        key, minus = sort.removeprefix("-"), "-" if sort.startswith("-") else ""
        if self.search:
            frames = frames.filter(name__icontains=self.search)
        fields = [minus + field for field in [*COLUMNS[key][1], "pk"]]
        frames = with_saved_views(frames.defer("settings")).order_by(*fields)
        paginator = Paginator(frames, PER_PAGE)
        self.page = paginator.get_page(request.GET.get(parameter))
        self.columns = [_column(each, key, minus) for each in keys]

    @property
    def is_empty(self) -> bool:
        return not self.page.paginator.count

    @property
    def previous(self) -> str:
        """The query string of the previous page; empty on the first page."""
        page = self.page
        return self._address(page.number - 1) if page.has_previous() else ""

    @property
    def next(self) -> str:
        """The query string of the next page; empty on the last page."""
        page = self.page
        return self._address(page.number + 1) if page.has_next() else ""

    def _address(self, number: int) -> str:
        query = self.request.GET.copy()
        query[self.parameter] = str(number)
        return f"?{query.urlencode()}"


def _column(key: str, sorted_by: str, minus: str) -> Column:
    direction = ""
    next_minus = "-" if key in DOWN_FIRST else ""
    if key == sorted_by:
        direction = "descending" if minus else "ascending"
        next_minus = "" if minus else "-"
    return Column(COLUMNS[key][0], next_minus + key, direction)


def layout_of(request: HttpRequest) -> str:
    """Return the layout of the lists that the user has chosen: "list" or "cards"."""
    layout = request.COOKIES.get(LAYOUT_COOKIE)
    return layout if layout in LAYOUTS else LAYOUTS[0]


def remember_layout(request: HttpRequest, layout: str) -> HttpResponse:
    """Return a redirect to the same page, with a cookie that has the layout."""
    query = request.GET.copy()
    del query["layout"]
    response = redirect(_with_query(request.path, query))
    response.set_cookie(
        LAYOUT_COOKIE,
        layout,
        max_age=A_YEAR,
        path=get_script_prefix(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def back_to_list(request: HttpRequest) -> HttpResponse:
    """Return a redirect to the home page, with the search and the order of the list.

    The form of the list has sent them as ``list``, a query string.
    """
    query = QueryDict(request.POST.get("list", ""))
    return redirect(_with_query(reverse("frames:home"), query))


def _with_query(path: str, query: QueryDict) -> str:
    return f"{path}?{query.urlencode()}" if query else path


def with_saved_views(frames: QuerySet[Frame]) -> QuerySet[Frame]:
    """Add what the links to the saved views of each frame need."""
    views = SavedView.objects.defer("settings")
    return frames.prefetch_related(Prefetch("saved_views", views))


def with_share_counts(frames: QuerySet[Frame]) -> QuerySet[Frame]:
    """Add the numbers of users and groups with access, and of shares with everyone."""
    return frames.annotate(
        users=Count("shares", filter=Q(shares__user__isnull=False)),
        groups=Count("shares", filter=Q(shares__group__isnull=False)),
        everyone=Count(
            "shares", filter=Q(shares__user__isnull=True, shares__group__isnull=True)
        ),
    )


def with_own_shares(frames: QuerySet[Frame], here: Workspace) -> QuerySet[Frame]:
    """Add the shares with this workspace to each frame, as ``own_shares``.

    The first share is the one with the most rights.
    """
    # "editor" comes before "reader".
    shares = Share.objects.of(here).select_related("shared_by").order_by("role", "pk")
    own = Prefetch("shares", shares, to_attr="own_shares")
    return frames.select_related("owner").prefetch_related(own)
