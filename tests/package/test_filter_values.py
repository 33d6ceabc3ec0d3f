"""Lists in filters, values of the site (@name), and predefined filters."""

import datetime
import json
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext_lazy

from django_dtale.compat.dtypes import make_displayable
from django_dtale.conf import dtale_settings as current_settings
from django_dtale.dtale.patches.filters import names_in
from django_dtale.exceptions import FilterRefused
from django_dtale.filters.compiler import Filter
from django_dtale.filters.site import MAX_VALUES
from django_dtale.models import Frame

from .kinds import KINDS, NAMES
from .test_filters import EXPR, frame

pytestmark = pytest.mark.django_db

# The same rows as pandas -------------------------------------------------------------

INCLUSIVE = ["both", "neither", "left", "right"]
TEXTS = [
    *("kind.isin(@chosen)", "~kind.isin(@chosen)", "kind.isin([@low, @high])"),
    *("kind == @chosen", "@chosen != kind", "kind in @chosen", "kind not in @chosen"),
    *(
        "kind == @low",
        "kind != @low",
        "@low <= kind",
        "kind < @high",
        "kind in [@low, @high]",
    ),
    *("kind.between(@low, @high)", "not kind.between(@low, @high)"),
    *(f"kind.between(@low, @high, inclusive='{each}')" for each in INCLUSIVE),
    *("kind.between(1, 2)", "kind.between(plain, @high)", "kind.isin([])"),
    *("abs(kind) > @low", "abs(kind) >= 1", "kind.abs() == [1, 2, 1.5]"),
    *("kind.abs().between(1, 3)", "abs(-kind) in [1, 2]", "abs(plain - 2) == 1"),
]
# Texts that cannot be dates are refused for columns of times, so these filters are not
# tried with them.
WITH_OTHERS = [
    *("kind.isin(@other)", "kind == @other", "kind.isin([1, 2.0])", "kind == [True]"),
    *("kind == [1, 2.0, True]", "kind.isin(['a', 'b'])", "kind != ['a', 1]"),
    *("kind.between('a', 'b')", "kind.str.lower() == ['a', 'b']"),
    *("kind.str.upper() == @upper", "kind.str.upper().isin(['A', 'B'])"),
]
OTHERS = {"other": [5, "a", 2.5, False, datetime.date(2026, 3, 28)], "upper": "B"}
NOT_DATES = [datetime.timedelta, pd.Period]


def values_in(column):
    """Return the values of a column in order, and as a site can give them."""
    values = [
        each.item() if isinstance(each, np.generic) else each
        for each in column.dropna().astype(object).drop_duplicates()
    ] or [pd.Timestamp("2026"), pd.Timestamp("2027")]
    try:
        values = sorted(values)
    except TypeError:
        values = sorted(values, key=str)
    if isinstance(values[0], (bool, int, float, str, datetime.date)):
        return values, values
    # A site gives durations, periods and decimals as text.
    texts = [str(each) for each in values]
    return (values if isinstance(values[0], tuple(NOT_DATES)) else texts), texts


def named(values):
    return {"chosen": values[:2], "low": values[0], "high": values[-1], **OTHERS}


def rows_of_pandas(data, text, values):
    """Return the rows that pandas finds; None if it raises an error."""
    try:
        return [*data.query(text, engine="python", local_dict=values).index]
    except Exception:
        return None


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - NAMES.keys()))
def test_lists_ranges_and_values_find_the_same_rows_as_pandas(kind):
    data = KINDS[kind]()
    if "kind" not in data:
        pytest.skip("This frame has other columns.")
    data = make_displayable(data).frame
    objects, plain = values_in(data["kind"])
    has_times = (
        objects != plain
        or "date" in str(data["kind"].dtype)
        or kind == "date categories"
    )
    compared = 0
    for text in TEXTS + ([] if has_times else WITH_OTHERS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = rows_of_pandas(data, text, named(objects))
            try:
                found = [*np.flatnonzero(Filter(text).rows(data, named(plain)))]
            except FilterRefused:
                found = None
        if found is None and expected == []:
            continue  # For example, the absolute values of a column without values.
        if "[@" in text and "in [" in text and expected is None:
            continue  # pandas cannot evaluate @low in a list.
        if "!=" in text and "duration" in str(data["kind"].dtype):
            continue  # If a text is not in a column, missing values match, too.
        assert found == expected, (text, named(plain))
        compared += found is not None
    assert compared >= 2


def test_values_in_a_list_are_those_of_the_column_of_32_bit_floats():
    """Here, pandas finds ``x == 0.1``, but not ``x.isin([0.1])``."""
    data = pd.DataFrame({"x": pd.Series([0.1, 0.2, None], dtype="float32")})
    for text in ("x == 0.1", "x == [0.1]", "x.isin([0.1])", "x in [0.1]"):
        assert Filter(text).rows(data).tolist() == [True, False, False]


# Values of the site ------------------------------------------------------------------


class Region(models.TextChoices):
    NORTH = "bc", "North"


DAY = datetime.date(2026, 2, 1)
VALUES = {
    "two": 2,
    "half": 0.5,
    "name": "bc",
    "region": Region.NORTH,
    "yes": True,
    "day": DAY,
    "noon": datetime.datetime(2026, 2, 1, 12, 30),
    "names": ["a", "bc"],
    "days": (DAY, datetime.date(2026, 1, 31)),
    "numbers": [1, 3.0],
    "none": [],
    "größe": 3,
    "class": 4,
    "code": "'); x.cumsum() > 2 #",
}


ROWS = {
    "x == @two": [1],
    "x > @two and x<@class": [2],
    "x > -@two * @half + @größe": [2, 3],
    "s == @name": [1],
    "s != @region": [0, 2, 3],
    "s in @name": [1],
    "flag == @yes": [0, 2],
    "s in @names and x not in @numbers": [1],
    "s == @names or @numbers == x": [0, 1, 2],
    "c.isin(@names)": [0, 1, 3],
    "x.isin([@two, 4])": [1, 3],
    "x in (@two, @class)": [1, 3],
    "x in @none": [],
    "x not in @none": [0, 1, 2, 3],
    "x.between(@two, @größe, inclusive='left')": [1],
    "s.str.upper().str.lower().str.startswith(@name)": [1],
    "s.str.contains(@name, regex=False)": [1],
    "abs(@two - x) == 1": [0, 2],
    "d >= @day": [1],
    "d == @noon and z == @noon": [1],
    "d in @days or d - @day < '-1 days'": [0, 3],
    "p == @day": [1],
    "z >= @day": [1],
    "`a b` == @two": [1],
    "s == '@two' or x == @two": [1],
    "s == @code": [],
    "s.str.contains(@code, regex=False)": [],
    "n == @two": [],
}


@pytest.mark.parametrize("text", ROWS)
def test_values_of_the_site_can_be_used(text):
    assert [*np.flatnonzero(Filter(text).rows(frame(), VALUES))] == ROWS[text]


def test_columns_with_the_name_of_a_value_are_found():
    data = frame(["@two", "two"])
    assert Filter("`@two` == two and two == @two").rows(data, VALUES).sum() == 1


WRONG = {
    "region": {"a"},
    "owner": lambda: 1,
    "module": json,
    "nothing": None,
    "nested": [[1]],
    "frame": pd.DataFrame(),
    "long": list(range(MAX_VALUES + 1)),
    "half": list(range(MAX_VALUES // 2)),
    "huge": 10**81,
    "word": "a",
    "one": 1,
    "list": [1],
}
REFUSED = {
    "x == @gone": "@gone: there is no value with this name; this site has @frame, @half",
    "x == @__class__": "@__class__: there is no value with this name",
    "x == @__builtins__": "there is no value with this name",
    "x == @ſ": "@ſ: there is no value with this name",
    "x == @ｏne": "@ｏne: there is no value with this name",
    "s == @region": "@region: filters cannot use a value of type set",
    "s == @owner": "filters cannot use a value of type function",
    "s == @module": "filters cannot use a value of type module",
    "s == @nothing": "filters cannot use a value of type NoneType",
    "x in @nested": "filters cannot use a value of type list",
    "x in @frame": "filters cannot use a value of type DataFrame",
    "x in @long": "this list has more than 50,000 values",
    "x in @half or x in @half or x in @half": "more than 50,000 values in all",
    "x == @huge": "filters cannot use a value of type number that large",
    "x in [@list, 1]": "a list cannot contain a list",
    "x in [[@one]]": "use a number, a text",
    "x in [*@list]": "use a number, a text",
    "x in [-@one]": "use a number, a text",
    "x > @list": "only a column can be compared with a list",
    "x + @list > 1": "calculations need numbers",
    "@list": "@list: this is not a condition",
    "@one == 1": "this is not a condition",
    "x == @word * 3": "@word: calculations need numbers",
    "@word.upper() == s": "@word.upper(): upper() is not allowed",
    "@word.str.upper() == s": "@word: this is not a column",
    "@word.__class__ == s": "@word.__class__: __class__ is not allowed",
    "@word.dt.year == 1": "this is not a column",
    "@list.isin([1])": "@list: this is not a column",
    "@list[0] == x": "@list[0]: this is not allowed",
    "@one(x) == 1": "filters cannot call functions",
    "x.@one()": "x.@one(): _value_0_() is not allowed",
    "d.dt.@one == 1": "_value_0_ is not allowed",
    "s.str.contains('a', @word='a')": "unexpected keyword argument '_value_0_'",
    "@'one' == x": "invalid syntax",
    "@(one) == x": "invalid syntax",
    "@1 == x": "invalid syntax",
    "@@one == x": "invalid syntax",
    "x @ one": "this operator is not allowed",
    "x@one": "invalid syntax",
    "@`one` == x": "invalid syntax",
    "x == @": "invalid syntax",
    "s.str.contains(@one)": "pat cannot be 1",
    "s.str.contains(@list)": "pat cannot be [1]",
    "s.str.contains('a', regex=@word)": "regex cannot be 'a'",
    "x.astype(@word) == 1": "dtype cannot be 'a'",
    "x.between(@list, 2)": "left cannot be [1]",
    "x.isin(@one)": "values cannot be 1",
    "x.isin(*@list)": "use a number, a text",
    "x.isin(**@list)": "keywords must be strings",
    "(lambda: @one)() == x": "filters cannot call functions",
    "f'{@one}' == s": "f-string",
    "(@one := 2) == x": "this is not allowed",
    " or ".join(["x == @one"] * 200): "parts",
    "@one" + " + @one" * 800 + " > x": "more than 1,500 words",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:40]))
def test_other_uses_of_values_are_refused(text):
    with pytest.raises(FilterRefused) as error:
        Filter(text).rows(frame(), WRONG)
    assert REFUSED[text] in str(error.value)
    assert len(str(error.value)) < 1_300


def test_only_the_values_in_a_filter_are_looked_up():
    class Values(dict):
        def __getitem__(self, name):
            asked.append(name)
            return super().__getitem__(name)

    asked = []
    Filter("x == @one or x in @list or x in [@one]").rows(frame(), Values(WRONG))
    assert set(asked) == {"one", "list"}


def test_long_lists_are_compared_quickly():
    data = pd.DataFrame({"d": pd.date_range("2026", periods=1_000)})
    days = [datetime.date(1900, 1, 1) + datetime.timedelta(n) for n in range(50_000)]
    began = time.process_time()
    assert Filter("d in @days").rows(data, {"days": days}).sum() == 1_000
    assert time.process_time() - began < 10


def test_error_of_the_sites_function_is_not_shown(owner, ann, publish, dtale_settings):
    pk = publish(ann, x=[1, 2]).pk

    def values(user):
        raise ValueError("the password is 1234")

    dtale_settings.FILTER_VALUES = values
    answer = owner.get(f"test-filter/{pk}", query="x == @a").json
    assert answer["success"] is False and "1234" not in str(answer)
    # Filters without values do not call the function.
    assert owner.get(f"test-filter/{pk}", query="x == 1").json["success"]
    assert owner.get(f"test-filter/{pk}", query="x == '@a' or x > 1").json["success"]
    dtale_settings.FILTER_VALUES = lambda user: [1]
    answer = owner.get(f"test-filter/{pk}", query="x == @a").json
    assert answer["success"] is False


def values_by_user(user):
    """A function of a site, which test_function_receives_the_user names."""
    if not user.is_authenticated:
        return {}
    CALLS.append(user.username)
    return {"me": user.username, "both": ["ann", "bob"]}


CALLS: list[str] = []


def test_function_receives_the_user(owner, visitor, bob, ann, publish, dtale_settings):
    dtale_settings.FILTER_VALUES = f"{__name__}.values_by_user"
    pk = publish(ann, shared_with=[bob], s=["ann", "bob", "cy"]).pk
    readers = visitor(bob)
    for each, names in ((owner, ["ann"]), (readers, ["bob"])):
        CALLS.clear()
        answer = each.get(f"test-filter/{pk}", query="s == @me", save="true").json
        assert answer["success"], answer
        assert names == CALLS  # One call for each request is enough.
        assert each.column(pk, "s") == names
    assert owner.column(pk, "s") == ["ann"]
    answer = owner.get(f"test-filter/{pk}", query="s == @you").json
    assert (
        "there is no value with this name; this site has @both, @me" in answer["error"]
    )
    info = readers.get(f"filter-info/{pk}").json["contextVars"]
    assert info == [
        {"name": "@me", "value": "bob"},
        {"name": "@both", "value": "['ann', 'bob']"},
    ]


def test_visitor_is_an_anonymous_user(visitor, dtale_settings, stored):
    dtale_settings.LOGIN_REQUIRED = False
    dtale_settings.FILTER_VALUES = lambda user: {"anonymous": user.is_anonymous}
    someone = visitor()
    someone.submit("/create-df/")
    pk = Frame.objects.get().pk
    [info] = someone.get(f"filter-info/{pk}").json["contextVars"]
    assert info == {"name": "@anonymous", "value": "True"}


def test_cached_results_depend_on_the_values(owner, ann, publish, dtale_settings):
    pk = publish(ann, x=[1, 2, 3], s=["1", "True", "a"]).pk
    dtale_settings.FILTER_VALUES = {"limit": 1}
    owner.get(f"test-filter/{pk}", query="x > @limit", save="true")
    for limit, found in ((1, [2, 3]), (2, [3]), (1, [2, 3]), (True, [2, 3])):
        dtale_settings.FILTER_VALUES = {"limit": limit}
        assert owner.column(pk, "x") == found


def test_filter_without_its_value_can_be_removed(owner, ann, publish, dtale_settings):
    frame = publish(ann, x=[1, 2, 3])
    dtale_settings.FILTER_VALUES = {"limit": 1}
    owner.get(f"test-filter/{frame.pk}", query="x > @limit", save="true")
    dtale_settings.FILTER_VALUES = {}
    answer = owner.get(f"data/{frame.pk}", ids=["0-9"]).json
    assert "there is no value with this name; this site has none" in answer["error"]
    # New data do not remove the filter, because another user may have the value.
    frame.replace(pd.DataFrame({"x": [4, 5]}))
    assert "@limit" in owner.get(f"data/{frame.pk}", ids=["0-9"]).json["error"]
    frame.replace(pd.DataFrame({"y": [4, 5]}))
    frame.refresh_from_db()
    assert "x > @limit" in frame.conversion_notes
    assert owner.column(frame.pk, "y") == [4, 5]


# The system check ---------------------------------------------------------------------


def found():
    return [each.msg for each in run_checks(databases=[]) if each.id == "frames.E004"]


@pytest.mark.parametrize(
    "values, message",
    [
        ({"eu": {"DE"}}, '["eu"]: filters cannot use a value of type set'),
        ({"eu": ["DE", None]}, '["eu"]: filters cannot use a value of type NoneType'),
        ({"eu": [["DE"]]}, '["eu"]: filters cannot use a value of type list'),
        ({"eu": range(3)}, '["eu"]: filters cannot use a value of type range'),
        ({"eu": gettext_lazy("EU")}, '["eu"]: filters cannot use a value of type'),
        ({"eu": [1] * 50_001}, '["eu"]: this list has more than 50,000 values'),
        ({"my region": 1}, "has the name 'my region'"),
        ({1: 1}, "has the name 1"),
        ([1], 'DTALE["FILTER_VALUES"] is [1]'),
        ("no.such.function", 'DTALE["FILTER_VALUES"] cannot be imported'),
    ],
)
def test_check_names_wrong_values(dtale_settings, values, message):
    dtale_settings.FILTER_VALUES = values
    [text] = found()
    assert message in text


@pytest.mark.parametrize(
    "filters, message",
    [
        ({"a": {"filter": EXPR}}, '["a"]: The filter cannot contain x.cumsum()'),
        ({"a": {"filter": "x > 1) or (y > 1"}}, '["a"]: The filter cannot contain'),
        ({"a": {"filter": "x > 1 # more"}}, '["a"]: The filter cannot contain'),
        ({"a": {"filter": "x > @no and y == @no"}}, '["a"]: FILTER_VALUES has no no.'),
        ({"a": {"filter": ""}}, '["a"]: The filter cannot contain'),
        ({"a": "x > 1"}, 'DTALE["PREDEFINED_FILTERS"] is'),
        ({"a": {"filter": 1}}, 'DTALE["PREDEFINED_FILTERS"] is'),
        ({"a": {"filter": "x > 1", "handler": 1}}, 'DTALE["PREDEFINED_FILTERS"] is'),
        (["x > 1"], 'DTALE["PREDEFINED_FILTERS"] is'),
    ],
)
def test_check_names_wrong_filters(dtale_settings, filters, message):
    dtale_settings.FILTER_VALUES = {"yes": 1}
    dtale_settings.PREDEFINED_FILTERS = filters
    [text] = found()
    assert message in text


def test_check_accepts_valid_values_and_filters(dtale_settings):
    dtale_settings.FILTER_VALUES = VALUES
    dtale_settings.PREDEFINED_FILTERS = {
        "Half": {
            "filter": "x > @half or\n y.isnull()",
            "description": gettext_lazy("-"),
        }
    }
    assert found() == []
    dtale_settings.FILTER_VALUES = f"{__name__}.values_by_user"
    assert found() == []


# Predefined filters ------------------------------------------------------------------

SITE = {
    "Mine": {"filter": "s == @me", "description": "Your own rows"},
    "Large": {"filter": "x > 1 or x == 0"},
    "Gone": {"filter": "other > 1 and x > 1"},
}


@pytest.fixture
def site(dtale_settings):
    dtale_settings.FILTER_VALUES = f"{__name__}.values_by_user"
    dtale_settings.PREDEFINED_FILTERS = SITE


@pytest.fixture
def table(publish, ann, bob, site):
    return publish(
        ann, shared_with=[bob], x=[0, 1, 2, 3], s=["ann", "ann", "bob", "ann"]
    )


def hidden(page, name):
    """Return a value that D-Tale's page contains as JSON in a hidden input."""
    text = page.text.partition(f'id="{name}" value="')[2].partition('"')[0]
    for code, character in (("&#34;", '"'), ("&gt;", ">"), ("&#39;", "'")):
        text = text.replace(code, character)
    return json.loads(text)


def switch(someone, pk, **states):
    """Switch filters on or off, as D-Tale's panel does."""
    settings = hidden(someone.get(f"main/{pk}"), "settings")["predefinedFilters"]
    for name, is_active in states.items():
        settings[name] = {**settings[name], "active": is_active}
    answer = someone.get(
        f"update-settings/{pk}", settings={"predefinedFilters": settings}
    ).json
    assert answer["success"], answer


def test_filters_are_offered_if_they_fit(owner, table, dtale_settings):
    page = owner.get(f"main/{table.pk}")
    offered = {each["name"]: each for each in hidden(page, "predefined_filters")}
    assert offered.keys() == {"Mine", "Large"}
    assert offered["Mine"] == {
        "name": "Mine",
        "description": "Your own rows",
        "column": "s",
        "inputType": "input",
        "default": "s == @me",
        "active": False,
    }
    states = hidden(page, "settings")["predefinedFilters"]
    assert states["Mine"] == {"value": "s == @me", "active": False}
    dtale_settings.FILTER_VALUES = {}
    page = owner.get(f"main/{table.pk}")
    assert [each["name"] for each in hidden(page, "predefined_filters")] == ["Large"]


def test_filters_are_switched_on_and_off(owner, table):
    pk = table.pk
    switch(owner, pk, Mine=True)
    assert owner.column(pk, "x") == [0, 1, 3]
    switch(owner, pk, Large=True)
    assert owner.column(pk, "x") == [0, 3]
    cfg = {"type": "int", "operand": "<", "value": "3"}
    owner.get(f"save-column-filter/{pk}", col="x", cfg=cfg)
    assert owner.column(pk, "x") == [0]
    owner.get(f"update-settings/{pk}", settings={"invertFilter": True})
    assert owner.column(pk, "x") == [1, 2, 3]
    owner.get(f"update-settings/{pk}", settings={"invertFilter": False})
    owner.get(f"test-filter/{pk}", query="x == 0 or x == 3", save="true")
    assert owner.column(pk, "x") == [0]
    switch(owner, pk, Mine=False, Large=False)
    owner.get(f"update-settings/{pk}", settings={"columnFilters": {}, "query": ""})
    assert owner.column(pk, "x") == [0, 1, 2, 3]


def test_readers_have_filters_with_their_own_values(owner, visitor, bob, table):
    switch(owner, table.pk, Mine=True)
    reader = visitor(bob)
    assert reader.column(table.pk, "x") == [2]
    switch(reader, table.pk, Mine=False, Large=True)
    assert reader.column(table.pk, "x") == [0, 2, 3]
    assert owner.column(table.pk, "x") == [0, 1, 3]


def test_text_of_a_filter_comes_from_the_settings_alone(owner, table, dtale_settings):
    states = {"Mine": {"value": EXPR, "active": True, "query": EXPR}}
    answer = owner.get(
        f"update-settings/{table.pk}", settings={"predefinedFilters": states}
    ).json
    assert answer["success"]
    assert owner.column(table.pk, "x") == [0, 1, 3]
    assert "cumsum" not in owner.get(f"main/{table.pk}").text
    dtale_settings.PREDEFINED_FILTERS = {"Mine": {"filter": "x == 3"}}
    assert owner.column(table.pk, "x") == [3]
    dtale_settings.PREDEFINED_FILTERS = {}
    assert owner.column(table.pk, "x") == [0, 1, 2, 3]
    page = hidden(owner.get(f"main/{table.pk}"), "settings")
    assert page["predefinedFilters"] == {}


@pytest.mark.parametrize(
    "states",
    [{"Other": {"active": True}}, {"Mine": {"active": "x"}}, {"Mine": EXPR}, [EXPR]],
)
def test_other_states_are_refused(owner, table, states):
    answer = owner.get(
        f"update-settings/{table.pk}", settings={"predefinedFilters": states}
    ).json
    assert answer["success"] is False
    assert owner.column(table.pk, "x") == [0, 1, 2, 3]


def test_predefined_filters_become_a_custom_filter(owner, table):
    pk = table.pk
    switch(owner, pk, Mine=True, Large=True)
    answer = owner.get(f"move-filters-to-custom/{pk}").json
    assert answer["success"]
    assert answer["settings"]["query"] == "s == @me and (x > 1 or x == 0)"
    assert not answer["settings"]["predefinedFilters"]["Mine"]["active"]
    assert owner.column(pk, "x") == [0, 3]
    owner.get(f"update-settings/{pk}", settings={"query": ""})
    assert owner.column(pk, "x") == [0, 1, 2, 3]


def test_rows_that_a_predefined_filter_hides_can_be_dropped(owner, table):
    switch(owner, table.pk, Mine=True)
    assert owner.get(f"drop-filtered-rows/{table.pk}").json["success"]
    page = hidden(owner.get(f"main/{table.pk}"), "settings")
    assert page["predefinedFilters"]["Mine"]["active"] is False
    assert owner.column(table.pk, "x") == [0, 1, 3]


def test_charts_and_exports_use_predefined_filters(owner, table):
    switch(owner, table.pk, Mine=True)
    export = owner.get(f"data-export/{table.pk}", type="csv").text
    assert "ann" in export and "bob" not in export
    path = f"/{current_settings.PREFIX}/dtale/charts/{table.pk}"
    inputs = {"url.pathname": path, "url.search": ""}
    assert "s == @me" in owner.call_back("popup-content.children", inputs, {}).text
    chart = {"chart_type": "bar", "x": "s", "y": ["x"], "agg": "sum"}
    answer = owner.get(f"chart-csv-export/{table.pk}", **chart, query="s == @me")
    assert "ann" in answer.text and "bob" not in answer.text


def test_new_data_switch_off_filters_that_do_not_fit(owner, visitor, bob, table):
    reader = visitor(bob)
    for each in owner, reader:
        switch(each, table.pk, Mine=True, Large=True)
    table.replace(pd.DataFrame({"x": [0, 1, 2], "t": 1}))
    table.refresh_from_db()
    assert table.conversion_notes.count("Mine was removed") == 1
    for each in owner, reader:
        assert each.column(table.pk, "x") == [0, 2]


def test_names_in_a_filter():
    assert names_in("x > @a and `b c` in [@b, @a] and index > inf") == (
        frozenset({"x", "b c"}),
        ("a", "b", "a"),
    )


def test_function_has_to_return_a_dict(dtale_settings, ann):
    from django_dtale.workspace import Workspace

    dtale_settings.FILTER_VALUES = lambda user: None
    with pytest.raises(ImproperlyConfigured, match="returned a NoneType, not a dict"):
        _ = Workspace(ann).filter_values
    dtale_settings.FILTER_VALUES = {"a": 1}
    assert Workspace(None).filter_values == current_settings.FILTER_VALUES
