"""A list of frames on a page, with search, sorting and pagination."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..models import Frame

PER_PAGE = 20
DEFAULT_SORT = "-opened"

# The columns by which the list can be sorted. URLs contain the keys. The values are
# titles, and fields of the model.
COLUMNS = {
    "name": (_("Name"), ["name"]),
    "shape": (_("Rows × columns"), ["rows", "columns"]),
    "size": (_("Size"), ["nbytes"]),
    "owner": (_("Owner"), [f"owner__{get_user_model().USERNAME_FIELD}"]),
    "opened": (_("Last opened"), ["last_opened_at"]),
}
DOWN_FIRST = {
    "shape",
    "size",
    "as_of",
    "opened",
}  # The first click sorts in descending order.


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

    Attributes:
        titles: the titles of the columns by their keys.
        search: the text that names have to contain.
        sort: the requested order; empty for the default.
    """

    titles = {key: title for key, (title, _fields) in COLUMNS.items()}

    def __init__(
        self, request: HttpRequest, frames: QuerySet[Frame], parameter: str
    ) -> None:
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
    def is_empty(self) -> bool:
        return not self.page.paginator.count

    @property
    def previous(self) -> str:
        return self._address(self.page.previous_page_number())

    @property
    def next(self) -> str:
        return self._address(self.page.next_page_number())

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
