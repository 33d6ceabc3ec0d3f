"""A list of frames as a page shows it: searched, sorted, a page at a time."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.utils.translation import gettext_lazy as _

PER_PAGE = 20
DEFAULT_SORT = "-opened"

# By what it can be sorted: name in the address -> title, and fields of the row.
COLUMNS = {
    "name": (_("Name"), ["name"]),
    "shape": (_("Rows × columns"), ["rows", "columns"]),
    "size": (_("Size"), ["nbytes"]),
    "owner": (_("Owner"), [f"owner__{get_user_model().USERNAME_FIELD}"]),
    "opened": (_("Last opened"), ["opened"]),
}
DOWN_FIRST = {"shape", "size", "opened"}  # The largest and the latest are looked for.


@dataclass(frozen=True)
class Column:
    """The head of a column.

    Attributes:
        title: str.
        sort: what a click on it puts into the address (str).
        direction: "ascending" or "descending" if it is sorted by, else empty.
    """

    title: str
    sort: str
    direction: str


class Listing:
    """A page of frames.

    Args:
        request: ``HttpRequest``. Its address has q, a part of the name; sort, a key of
            COLUMNS, with - in front for the largest first; and the page's number. What
            is none of these is passed over.
        frames: QuerySet of Frames.
        parameter: the name (str) of the page's number in the address.

    Attributes:
        page: ``Page`` of Frames.
        columns: list of Column.
        titles: dict of the columns' titles.
        search: what is searched for (str).
        sort: the sort (str) that is asked for, empty for none.
    """

    titles = {key: title for key, (title, _fields) in COLUMNS.items()}

    def __init__(self, request, frames, parameter):
        self.request = request
        self.parameter = parameter
        self.search = request.GET.get("q", "").strip()
        self.sort = request.GET.get("sort", "")
        if self.sort.removeprefix("-") not in COLUMNS:
            self.sort = ""
        sort = self.sort or DEFAULT_SORT
        key, minus = sort.removeprefix("-"), "-" if sort.startswith("-") else ""
        if self.search:
            frames = frames.filter(name__icontains=self.search)
        fields = [minus + field for field in [*COLUMNS[key][1], "pk"]]
        paginator = Paginator(frames.defer("settings").order_by(*fields), PER_PAGE)
        self.page = paginator.get_page(request.GET.get(parameter))
        self.columns = [_column(each, key, minus) for each in COLUMNS]

    @property
    def is_empty(self):
        return not self.page.paginator.count

    @property
    def previous(self):
        return self._address(self.page.previous_page_number())

    @property
    def next(self):
        return self._address(self.page.next_page_number())

    def _address(self, number):
        query = self.request.GET.copy()
        query[self.parameter] = number
        return f"?{query.urlencode()}"


def _column(key, sorted_by, minus):
    direction = ""
    next_minus = "-" if key in DOWN_FIRST else ""
    if key == sorted_by:
        direction = "descending" if minus else "ascending"
        next_minus = "" if minus else "-"
    return Column(COLUMNS[key][0], next_minus + key, direction)
