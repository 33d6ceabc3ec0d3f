"""Save what a person sees in D-Tale as a view with a name."""

from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from dtale.dash_application.charts import chart_url_params
from dtale.dash_application.layout import layout

from ..compat.dtypes import DisplayableFrame
from ..exceptions import Conflict, InputRefused, LimitExceeded
from ..history.signed_state import VIEW_STATE, dump_state
from ..models import Frame, PersonalView, SavedView
from ..models.names import clean_name
from ..unit_of_work import unit_of_work
from ..unit_of_work.open_frame import OpenFrame
from ..view import View
from ..workspace import Workspace, bind
from . import opening
from .editing import without_rules
from .patches.filters import check_text
from .patches.predefined import without_states
from .store import FrameInstance

MAX_VIEWS = 100  # A frame cannot have more saved views.
# Characters. The URL of the chart has to fit into the request line that Gunicorn reads.
MAX_CHART = 3_000
# The names of the parameters in the links of D-Tale's page of charts.
CHART_PARAMETERS = frozenset(
    """
    agg animate animate_by barmode barsort bin_type bins_val chart_type cleaners
    clustergram_dropna clustergram_group clustergram_label clustergram_value
    colorscale cpg cpy cs_close cs_dropna cs_group cs_high cs_low cs_open cs_x dropna
    extended_aggregation featureidkey funnel_dropna funnel_group funnel_label
    funnel_value geojson group group_type group_val histogram_bins histogram_col
    histogram_group histogram_type lat load load_type loc loc_mode lon map_dropna
    map_group map_type map_val mapbox_style pareto_bars pareto_dir pareto_dropna
    pareto_group pareto_line pareto_sort pareto_x proj query rolling_comp scale scope
    top_bars treemap_dropna treemap_group treemap_label treemap_value trendline window
    x y yaxis z
    """.split()
)
# D-Tale's settings of a frame that has just been opened.
NEW_SETTINGS = {
    "allow_cell_edits": True,
    "precision": 2,
    "columnFormats": {},
    "backgroundMode": None,
    "rangeHighlight": None,
    "verticalHeaders": False,
    "highlightFilter": False,
}
SHOWN_COLUMNS = 100  # D-Tale hides the columns after these when it opens a frame.


def save_view(data_id: int, name: str, chart: str = "") -> SavedView:
    """Save what the bound workspace's user sees as a new view.

    Args:
        data_id: D-Tale's data ID of the frame, or of one of its saved views.
        name: a name that no other view of the frame has.
        chart: the query string of the page of charts; empty for a view of the grid.

    Raises:
        FrameNotFound: the workspace cannot see the frame.
        ReadOnly, EarlierStateReadOnly: the user may not save a view.
        LimitExceeded: the frame has too many views, or the view is too large.
        InputRefused, FilterRefused: the chart is not valid.
        Conflict: another request has saved a view with this name.
    """
    parameters = parse_chart(chart)
    with unit_of_work() as unit:
        opened = unit.get(data_id)
        opened.check_writable()
        _check_count(opened.row)
        try:
            with transaction.atomic():
                return SavedView.objects.create(
                    frame=opened.row,
                    name=name,
                    user_id=unit.workspace.user_id,
                    settings=_seen(opened),
                    chart=parameters,
                )
        except IntegrityError:
            raise Conflict from None


def update_view(saved: SavedView, chart: str = "") -> None:
    """Give a saved view the filters, formats and so on that the user sees in it.

    Args:
        chart: see ``save_view``. If it is empty, the view keeps its chart.

    Raises:
        FrameNotFound, ReadOnly, LimitExceeded, InputRefused, FilterRefused: see
            ``save_view``.
    """
    parameters = parse_chart(chart)
    with unit_of_work() as unit:
        opened = unit.get(saved.data_id)
        opened.check_writable()
        saved.chart = parameters or saved.chart
        rows = SavedView.objects.filter(pk=saved.pk)
        with transaction.atomic():
            rows.update(
                settings=_seen(opened), chart=saved.chart, version=F("version") + 1
            )
            # The user's own changes are a part of the saved view now.
            own = PersonalView.objects.of(unit.workspace)
            own.filter(frame=opened.row, variant=saved.variant).delete()


def define_view(
    frame: Frame, name: str, view: View, user: AbstractBaseUser | None = None
) -> SavedView:
    """Save a view that code describes. A view with this name is replaced.

    Args:
        user: the author of the view, by default the owner of the frame.

    Raises:
        ValueError: the name is empty, or the view is not valid or does not fit the data.
        LimitExceeded: the frame has too many views.
    """
    name = clean_name(name)
    if not name:
        raise ValueError("A saved view needs a name.")
    if view.editable is not True:
        raise ValueError("editable: a saved view cannot change what can be edited.")
    if view.page not in ("grid", "charts"):
        raise ValueError("page: a saved view opens with the grid or with a chart.")
    if view.page == "charts" and view.chart is None:
        raise ValueError("chart: describe the chart with which the view opens.")
    with bind(Workspace.of(frame)), unit_of_work() as unit:
        opened = unit.get(frame.pk)
        data = DisplayableFrame(opened.frame, opened.index)
        opening.check(view, data)
        settings = opening.with_settings(
            {
                **NEW_SETTINGS,
                "indexes": opened.index,
                "locked": list(dict.fromkeys([*opened.index, *view.locked])),
                **(
                    {"sortInfo": [list(each) for each in view.sort]}
                    if view.sort
                    else {}
                ),
            },
            view,
            data,
        )
        visible = {
            column: opening.is_shown(column, view, data, number < SHOWN_COLUMNS)
            for number, column in enumerate(opened.frame.columns)
        }
        state = {"settings": settings, "visible": visible}
        chart = view.chart if view.page == "charts" else None
        if not frame.saved_views.filter(name=name).exists():
            _check_count(frame)
        saved, _is_new = SavedView.objects.update_or_create(
            frame=opened.row,
            name=name,
            defaults={
                "user_id": user.pk if user else frame.owner_id,
                "settings": dump_state(frame, VIEW_STATE, state),
                "chart": opening.chart_parameters(chart) or {},
            },
        )
    return saved


def parse_chart(query_string: str) -> dict[str, str]:
    """Return the parameters of a chart.

    Raises:
        InputRefused: a parameter is unknown or not valid.
        FilterRefused: the filter of the chart is not valid.
        LimitExceeded: the parameters are too long.
    """
    if not query_string:
        return {}
    parameters = dict(parse_qsl(query_string[: 2 * MAX_CHART]))
    if len(query_string) > MAX_CHART or len(urlencode(parameters)) > MAX_CHART:
        raise LimitExceeded(
            _("This chart cannot be saved, because its link would be too long.")
        )
    kinds = {each["value"] for each in layout.CHARTS}
    try:
        chart_url_params(query_string)
    except Exception:
        is_valid = False
    else:
        is_valid = parameters.keys() <= CHART_PARAMETERS
    if not is_valid or parameters.get("chart_type") not in kinds:
        raise InputRefused(
            "The chart was not saved, because D-Tale's pages never send such input."
        )
    if parameters.get("query"):
        check_text(parameters["query"])
    return parameters


def _seen(opened: OpenFrame) -> bytes:
    """Return the view state of a person, as signed bytes.

    The hidden columns of the owner are not in the view state, but in the state that
    everyone shares.
    """
    instance = FrameInstance(opened)
    settings = without_rules(without_states(instance.settings or {}))
    visible = {each["name"]: each["visible"] for each in instance.dtypes or ()}
    state = {"settings": settings, "visible": visible}
    return dump_state(opened.row, VIEW_STATE, state)


def _check_count(frame: Frame) -> None:
    """Check that the frame can have another view.

    Raises:
        LimitExceeded
    """
    if frame.saved_views.count() >= MAX_VIEWS:
        text = _(
            "This table has %(count)s saved views, which is the limit. Delete one."
        )
        raise LimitExceeded(text % {"count": MAX_VIEWS})
