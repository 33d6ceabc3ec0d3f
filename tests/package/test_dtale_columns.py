"""Column metadata equals D-Tale's own, but is computed without a loop over cells."""

import datetime
import decimal
import inspect
import math
import time
import uuid
from types import FunctionType, SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dtale import views
from dtale.utils import apply, get_dtypes, json_timestamp

from django_dtale.compat.dtypes import make_displayable
from django_dtale.dtale.patches import columns, statistics
from django_dtale.dtale.patches.columns import milliseconds
from django_dtale.dtale.patches.dtypes import classify_type, zone_of

from .kinds import KINDS, PLAIN

MANY = 400


def of_views(**functions):
    """Return a copy of D-Tale's views module with the functions that describe columns.

    Only `classify_type` and the given functions differ from D-Tale's.
    """
    module = {**vars(views), "classify_type": classify_type}
    for name in (*NAMES, "build_dtypes_state"):
        original = inspect.unwrap(getattr(views, name))
        is_of_views = original.__module__ == views.__name__
        scope = module if is_of_views else original.__globals__
        module[name] = FunctionType(
            original.__code__, scope, name, original.__defaults__
        )
    module |= {name: wrap(module[name]) for name, wrap in functions.items()}
    return SimpleNamespace(**module)


NAMES = {
    target.partition(":")[2]: wrap
    for target, wrap in columns.PATCHES
    if target.startswith("dtale.views:")
}


@pytest.fixture(scope="module")
def theirs():
    return of_views()


@pytest.fixture(scope="module")
def ours():
    return of_views(**NAMES)


def mixed(values, dtype=None):
    """Return a Series of 400 of these values in random order."""
    chosen = np.random.default_rng(5).integers(0, len(values), MANY)
    return pd.Series([values[each] for each in chosen], dtype=dtype)


def numbers(dtype, missing=False):
    random = np.random.default_rng(6)
    if dtype.startswith("f"):
        made = pd.Series(random.normal(size=MANY) ** 3).astype(dtype)
    else:
        made = pd.Series(random.integers(0, 100, MANY)).astype(dtype)
    return made.mask(np.arange(MANY) % 7 == 0) if missing else made


def times(unit, missing=False, zone=None):
    """Return a Series of times before and after 1970 with fractions of a second."""
    far = {"s": 6 * 10**10, "ms": 10**13, "us": 10**16, "ns": 10**18}[unit]
    counts = np.random.default_rng(7).integers(-far, far, MANY)
    made = pd.Series(counts.astype(f"datetime64[{unit}]"))
    made = made.mask(made.index % 7 == 0) if missing else made
    return made.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else made


TEXT = ["a", "b", "", "  ", "\t\n", "\u2003", "\x1c", "é", " a "]
DAY = datetime.date(2026, 3, 1)
TIMES = {
    **{unit: times(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"{unit}, NaT": times(unit, True) for unit in ("s", "ms", "us", "ns")},
    "UTC": times("us", zone="UTC"),
    "zone": times("ns", True, zone="America/New_York"),
    "offset": times("s", zone="+05:30"),
    "Arrow": times("us", True).astype(pd.ArrowDtype(pa.timestamp("us"))),
    "Arrow, ns": times("ns").astype(pd.ArrowDtype(pa.timestamp("ns"))),
    "Arrow with zone": times("us", zone="Asia/Tokyo").astype(
        pd.ArrowDtype(pa.timestamp("us", "Asia/Tokyo"))
    ),
    "one": times("us").head(1),
    "ends of ns": pd.Series([pd.Timestamp.min, pd.Timestamp.max, pd.NaT]),
    "ends of years": pd.Series(["0001-01-01", "9999-12-31T23:59:59.999999"]).astype(
        "datetime64[us]"
    ),
}
COLUMNS = {
    **{
        dtype: numbers(dtype)
        for dtype in "int8 int64 uint8 uint64 float32 float64 Int16 Int64 UInt8 Float32"
        " Float64 int32[pyarrow] float[pyarrow] uint8[pyarrow]".split()
    },
    **{
        f"{dtype}, missing": numbers(dtype, True)
        for dtype in "float32 float64 Int64 Float64 int32[pyarrow] float[pyarrow]".split()
    },
    "infinite": mixed([math.inf, 1.0, -2.5, math.nan]),
    "zeros": mixed([0.0, -0.0, 1.0]),
    "low variance": pd.Series([1] * 390 + [2] * 9 + [3], name="x"),
    "low variance, floats": pd.Series([math.nan] + [1.5] * 390 + [2] * 9),
    "one number": pd.Series([7]),
    "latitude": numbers("float64"),
    "longitude": numbers("int64") * 3,
    "complex": mixed([1 + 2j, 0j]),
    "bool": mixed([True, False]),
    "boolean": mixed([True, False, None], "boolean"),
    "timedelta": mixed([pd.Timedelta("1s"), pd.Timedelta("2D")]),
    "period": mixed([pd.Period("2026-01"), pd.Period("2025-01")], "period[M]"),
    **{
        f"{dtype} text": mixed(TEXT, dtype)
        for dtype in (object, "str", "string[python]", "string[pyarrow]", "category")
    },
    "Arrow text": mixed(TEXT, pd.ArrowDtype(pa.string())),
    "text, missing": mixed([*TEXT, None], "str"),
    "text as objects, missing": mixed([*TEXT, None], object),
    "blank category that is not there": mixed(
        ["a", "b"], "category"
    ).cat.add_categories([" "]),
    "number categories": mixed([1, 2, 3], "category"),
    "date categories": mixed([pd.Timestamp("2026"), pd.Timestamp("2025")], "category"),
    "ordered categories": mixed(
        ["a", "", "c"], pd.CategoricalDtype(["c", "a", ""], ordered=True)
    ),
    "dates as objects": mixed([DAY, DAY.replace(day=2)]),
    "datetimes as objects": mixed(
        [datetime.datetime(2026, 1, 1), datetime.datetime(1999, 5, 5)], object
    ),
    "Decimal": mixed([decimal.Decimal("1.5"), decimal.Decimal(0)]),
    "Arrow decimals": mixed(
        [decimal.Decimal("1.5"), decimal.Decimal(0)], pd.ArrowDtype(pa.decimal128(9, 2))
    ),
    "Arrow dates": mixed([DAY, DAY.replace(day=2)], pd.ArrowDtype(pa.date32())),
    "UUID": mixed([uuid.UUID(int=1), uuid.UUID(int=2)]),
    "integers as objects": mixed([1, 2, 3], object),
    "floats as objects": mixed([1.5, 2.5], object),
    "text and numbers": mixed(["", " ", "1", 1, 2.5], object),
    "all missing": pd.Series([None] * 4, dtype=object),
    "all NaN": pd.Series([math.nan] * 4),
    "all NaT": pd.Series([pd.NaT] * 4, dtype="datetime64[us]"),
    "all NA": pd.Series([None] * 4, dtype="Int64"),
    **{f"time, {kind}": series for kind, series in TIMES.items()},
}
COLUMNS |= {
    f"{kind}, empty": COLUMNS[kind].head(0)
    for kind in ("int64", "float64", "Int64", "str text", "category text", "bool")
}
COLUMNS |= {f"{kind}, empty": TIMES[kind].head(0) for kind in ("ns", "zone", "Arrow")}


def same(ours, theirs):
    """Compare column metadata. Types must be equal, and floats equal to nine digits."""
    assert [list(each) for each in ours] == [list(each) for each in theirs]
    for our, their in zip(ours, theirs, strict=True):
        for facts in (our, their):
            # NumPy floats take up more space in memory, but give the same JSON as
            # Python floats.
            bounds = facts.pop("outlierRange", {})
            facts |= {end: float(value) for end, value in bounds.items()}
        for name, fact in their.items():
            if isinstance(fact, float):
                fact = pytest.approx(fact, rel=1e-9, abs=1e-9, nan_ok=True)
            assert our[name] == fact, name
        kinds = {name: type(value) for name, value in our.items()}
        assert kinds == {name: type(value) for name, value in their.items()}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", COLUMNS)
def test_facts_of_columns_match_dtale(ours, theirs, kind):
    frame = pd.DataFrame({kind: COLUMNS[kind], PLAIN: 1})
    previous = [{"name": kind, "visible": False}]
    same(
        ours.build_dtypes_state(frame, previous),
        theirs.build_dtypes_state(frame, previous),
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_facts_of_every_kind_match_dtale(ours, theirs, kind):
    frame = make_displayable(KINDS[kind]()).frame
    same(ours.build_dtypes_state(frame), theirs.build_dtypes_state(frame))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_facts_of_long_columns_match_dtale(ours, theirs, monkeypatch):
    """Long columns are calculated one by one, in threads."""
    monkeypatch.setattr(statistics, "LONG", MANY)
    monkeypatch.setattr(statistics, "CELLS", MANY)
    long = {kind: each for kind, each in COLUMNS.items() if len(each) == MANY}
    assert len(long) > 20
    frame = pd.DataFrame({**long, "in order": np.arange(MANY)})
    same(ours.build_dtypes_state(frame), theirs.build_dtypes_state(frame))


@pytest.mark.parametrize("kind", COLUMNS)
def test_ranges_of_numbers_match_dtale(ours, theirs, kind):
    frame = pd.DataFrame({kind: COLUMNS[kind], PLAIN: 1})
    quick, dtypes = ours.calc_data_ranges(frame), get_dtypes(frame)
    numbers = [name for name in frame if classify_type(dtypes[name]) in ("F", "I")]
    assert repr(quick) == repr(theirs.calc_data_ranges(frame[numbers]))
    assert quick[PLAIN] == {"min": 1, "max": 1} or frame.empty
    assert repr(ours.calc_data_ranges(frame, dtypes)) == repr(quick)


def test_frame_without_numbers_has_no_ranges(ours):
    assert ours.calc_data_ranges(pd.DataFrame({"a": ["x", "y"]})) == {}


@pytest.mark.parametrize("kind", TIMES)
def test_milliseconds_match_dtale(kind):
    """If the milliseconds are equal, so are all results that are computed from them."""
    series = TIMES[kind].rename("t")
    shown = series.dt.tz_localize(None) if zone_of(series.dtype) else series
    expected = shown.astype(object).map(lambda x: json_timestamp(x, math.nan))
    expected = expected.astype("float64" if series.isna().any() else "int64")
    pd.testing.assert_series_equal(milliseconds(series), expected, check_index=True)


@pytest.mark.skipif(
    not hasattr(time, "tzset"),
    reason="Windows cannot change the time zone of a process",
)
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_milliseconds_of_naive_times_use_the_sites_time_zone(settings, zone):
    """D-Tale interprets times without a zone in the site's time zone."""
    settings.TIME_ZONE = zone
    series = pd.Series(pd.date_range("1990-01-01 12:30", "2030", freq="37h17min"))
    series = series[(series.dt.hour > 3) | ~series.dt.month.isin([3, 4, 10, 11])]
    assert milliseconds(series).tolist() == [json_timestamp(each) for each in series]
    for kind in ("ends of ns", "ends of years"):
        ends = TIMES[kind]
        expected = [json_timestamp(each, math.nan) for each in ends]
        assert milliseconds(ends).tolist() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("site", ["UTC", "America/New_York"])
def test_milliseconds_respect_daylight_saving_time(settings, site):
    """Times are read as local times of the site, in winter and in summer."""
    settings.TIME_ZONE = site
    noon = pd.to_datetime(["2026-01-05 12:00", "2026-07-05 12:00"])
    counted = [each.timestamp() * 1000 for each in noon.tz_localize(site)]
    for zone in ("UTC", "Asia/Tokyo", "Europe/Berlin"):
        times = pd.Series(noon.tz_localize(zone))
        assert milliseconds(times).tolist() == counted
        # D-Tale's results can be off by an hour, depending on the C library.
        theirs = [json_timestamp(each) for each in times]
        assert {a - b for a, b in zip(theirs, counted, strict=True)} <= {
            *(0, 3_600_000, -3_600_000)
        }


@pytest.mark.parametrize("site", ["UTC", "Asia/Tokyo"])
def test_milliseconds_of_years_beyond_9999(settings, site):
    settings.TIME_ZONE = site
    offset = 0 if site == "UTC" else 9 * 3_600_000
    series = pd.Series(np.array(["20000-01-01", "-0100-01-01"], "datetime64[s]"))
    counted = [each + offset for each in milliseconds(series)]
    # Before time zones existed, Tokyo used its local mean time.
    assert counted == pytest.approx(
        [568971820800_000, -65322892800_000], abs=1_200_000 if offset else 0
    )
    assert math.isnan(json_timestamp(series[0], math.nan))


# The site ----------------------------------------------------------------------------


class Counted:
    """D-Tale's json_timestamp, with a counter of its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, *args, **kwargs):
        self.calls += 1
        return json_timestamp(*args, **kwargs)


@pytest.fixture
def counted(monkeypatch, visitor):
    function = Counted()
    monkeypatch.setattr("dtale.views.json_timestamp", function)
    return function


@pytest.fixture
def dates(publish, ann, counted):
    return publish(ann, g=[1, 1, 2, 2], t=times("us").head(4), s=list("abc "))


def facts(answer, name="t"):
    return next(each for each in answer if each["name"] == name)


def test_opening_a_frame_does_not_convert_dates_one_by_one(owner, dates, counted):
    found = owner.get(f"dtypes/{dates.pk}").json["dtypes"]
    assert {"skew", "kurt"} <= set(facts(found))
    assert facts(found, "g")["max"] == 2
    assert facts(found, "s")["hasMissing"] == 1
    assert counted.calls == 0


def test_ranges_of_filtered_rows_do_not_convert_dates_one_by_one(owner, dates, counted):
    owner.get(f"update-settings/{dates.pk}", settings={"query": "g > 1 or s == 'a'"})
    answer = owner.get(f"load-filtered-ranges/{dates.pk}").json
    assert answer["ranges"] == {"g": {"min": 1, "max": 2}}
    assert answer["overall"] == {"min": 1, "max": 2}
    assert answer["dtypes"]["t"]["unique_ct"] == 3
    assert "skew" in answer["dtypes"]["t"]
    assert counted.calls == 0


def test_reshaping_does_not_convert_dates_one_by_one(owner, dates, counted):
    answer = owner.get(
        f"reshape/{dates.pk}",
        type="aggregate",
        cfg={"index": ["s"], "agg": {"type": "func", "cols": ["t"], "func": "max"}},
        output="new",
    ).json
    found = owner.get(f"dtypes/{answer['data_id']}").json["dtypes"]
    assert any("skew" in each for each in found if each["dtype"] == "datetime64[us]")
    assert counted.calls == 0


def test_dropping_rows_does_not_convert_dates_one_by_one(owner, dates, counted):
    owner.get(f"update-settings/{dates.pk}", settings={"query": "g > 1 or s == 'a'"})
    assert owner.get(f"drop-filtered-rows/{dates.pk}").json["success"]
    found = owner.get(f"dtypes/{dates.pk}").json["dtypes"]
    assert facts(found)["unique_ct"] == 3 and "skew" in facts(found)
    assert counted.calls == 0


ANALYSES = {
    "histogram": {"type": "histogram"},
    "bins": {"type": "histogram", "bins": 5},
    "target": {"type": "histogram", "target": "g"},
    "qq": {"type": "qq"},
}


# Times in zones with daylight saving time differ on purpose, so they are excluded.
@pytest.mark.parametrize("kind", ["us", "ns, NaT", "offset", "Arrow"])
@pytest.mark.parametrize("analysis", ANALYSES)
def test_analysis_of_dates_matches_dtale(
    owner, ann, publish, monkeypatch, kind, analysis
):
    series = TIMES[kind].reset_index(drop=True)
    pk = publish(ann, t=series, g=[1, 2] * (len(series) // 2)).pk

    def ask():
        path = f"column-analysis/{pk}"
        answer = owner.get(path, col="t", **ANALYSES[analysis]).json
        answer.pop("timestamp")
        # Plain D-Tale writes some numbers without thousands separators for Arrow's
        # times.
        described = answer.pop("desc", {}).items()
        return answer, {
            name: float(str(each).replace(",", "")) for name, each in described
        }

    quick, described = ask()
    monkeypatch.setattr("dtale.column_analysis.apply", apply)
    assert "error" not in quick
    assert (quick, pytest.approx(described, rel=1e-9)) == ask()
