"""People open registered sources from a menu, and refresh the tables later."""

import datetime
import json
import logging
from decimal import Decimal
from io import StringIO

import pandas as pd
import pytest
from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone, translation
from pytest_django.asserts import assertContains, assertNotContains

import django_dtale
from django_dtale import View, api
from django_dtale.exceptions import (
    AccessDenied,
    LimitExceeded,
    NotRefreshable,
    SourceFailed,
    SourceForbidden,
)
from django_dtale.models import Frame, Origin, Share
from django_dtale.models.tokens import Scope, Token
from django_dtale.sources import registry
from django_dtale.sources.parameters import from_json, to_json
from django_dtale.storage import blobs
from django_dtale.unit_of_work import open_frame
from django_dtale.unit_of_work.open_frame import OpenFrame
from django_dtale.views.steps import NDJSON
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db
User = get_user_model()
MENU = "/frames/sources/"
ORDERS = f"{MENU}accounts.orders/"
VIEW_USERS = "accounts.view_user"


class YearForm(forms.Form):
    year = forms.IntegerField(min_value=2000)


def orders(request, year):
    """Return two orders. The tests change the prices."""
    return pd.DataFrame({"year": year, "price": PRICES, "who": str(request.user)})


PRICES = [1, 2]


@pytest.fixture(autouse=True)
def prices(monkeypatch):
    """Return a function that changes what the source returns."""
    return lambda *values: monkeypatch.setitem(globals(), "PRICES", list(values))


@pytest.fixture
def register(stored, monkeypatch):
    """Return a function that registers a source, as the app `accounts` would do."""
    monkeypatch.setattr(registry, "_sources", {})

    def register(
        function=orders, title="Orders of a year", form=YearForm, name="", **options
    ):
        monkeypatch.setattr(function, "__module__", "accounts.sources")
        function.__name__ = name or function.__name__
        return django_dtale.source(title, form=form, **options)(function)

    return register


@pytest.fixture
def permit():
    def permit(user, name=VIEW_USERS):
        codename = name.partition(".")[2]
        user.user_permissions.add(Permission.objects.get(codename=codename))
        return User.objects.get(pk=user.pk)  # Django caches permissions.

    return permit


@pytest.fixture
def opened(register, at):
    """A table of Ann's that she opened from the source, with the year 2026."""
    register()
    at.post(ORDERS, {"year": 2026})
    return Frame.objects.get()


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def data_of(frame):
    return blobs.load(Frame.objects.get(pk=frame.pk).payload, frame.pk)


def fail(request, year):
    raise ZeroDivisionError(request.log_context["request"], "secret of the database")


def test_tables_open_with_the_view_of_their_source(register, at, ann):
    register(view=View(title="Shop", editable=False, columns=["price"]))
    at.post(ORDERS, {"year": 2026})
    frame = Frame.objects.get()
    assert (frame.can_edit, data_of(frame).columns[0]) == ({}, "price")
    Frame.objects.update(can_edit=None)
    api.refresh(frame)
    assert frame.can_edit == {}


def test_source_can_limit_its_rows(register, at):
    rows = len(PRICES)
    assert rows > 1
    register(limit=1)
    at.post(ORDERS, {"year": 2026})
    frame = Frame.objects.get()
    assert (frame.rows, frame.conversion_notes) == (1, f"1 of {rows} rows.")
    api.refresh(frame)
    assert frame.rows == 1


def test_source_fails_if_its_view_does_not_fit(register, at, caplog):
    register(view=View(hide=["prise"]))
    at.post(ORDERS, {"year": 2026})
    assert not Frame.objects.exists()
    assert "there is no column 'prise'. Did you mean price?" in caplog.text


# Registration -------------------------------------------------------------------------


def test_function_stays_callable_and_has_a_key(register):
    assert register() is orders
    [found] = registry.all_sources()
    assert (found.key, found.function) == ("accounts.orders", orders)


class FileForm(forms.Form):
    file = forms.FileField()


class SplitForm(forms.Form):
    time = forms.SplitDateTimeField()


@pytest.mark.parametrize(
    "error, match, arguments",
    [
        (TypeError, "needs a title", dict(title=orders)),
        (ValueError, "must not be empty", dict(title=" ")),
        (TypeError, "class of django.forms", dict(form=YearForm())),
        (TypeError, "class of django.forms", dict(form=dict)),
        (TypeError, "file is a FileField", dict(form=FileForm)),
        (TypeError, "time is a SplitDateTimeField", dict(form=SplitForm)),
        (TypeError, r"orders\(\) has to accept .*year", dict(form=None)),
        (TypeError, r"accept a request", dict(function=lambda: 1, form=None)),
        (TypeError, "permission is a name", dict(permission="view_order")),
        (TypeError, "permission is a name", dict(permission=["shop.view", 1])),
        (TypeError, "permission is a name", dict(permission=1)),
        (TypeError, "number of seconds", dict(cache=-1)),
        (TypeError, "number of seconds", dict(cache=True)),
        (TypeError, "number of seconds", dict(cache="1h")),
    ],
)
def test_wrong_arguments_are_refused_at_registration(register, error, match, arguments):
    with pytest.raises(error, match=match):
        register(**arguments)
    assert registry.all_sources() == []


def test_only_functions_of_installed_apps_are_registered_once(register, monkeypatch):
    register()
    with pytest.raises(ValueError, match="accounts.orders is registered already"):
        register()
    monkeypatch.setattr(orders, "__module__", "elsewhere")
    with pytest.raises(ValueError, match="elsewhere belongs to no app"):
        django_dtale.source("Orders", form=YearForm)(orders)

    async def later(request):
        return []

    with pytest.raises(TypeError, match="not async"):
        register(later, form=None)
    with pytest.raises(TypeError, match="not async"):
        django_dtale.source("Orders")(str)


# The menu -----------------------------------------------------------------------------


def test_menu_lists_sources_and_models_that_the_user_may_open(
    register, ann, bob, permit
):
    register(permission=VIEW_USERS)
    link = f'<a href="{ORDERS}">Orders of a year</a>'
    page = client_of(permit(ann)).get(MENU)
    assertContains(page, link, html=True)
    assertContains(page, "/frames/models/accounts/user/")
    assertContains(client_of(ann).get("/frames/models/"), link, html=True)
    page = client_of(bob).get(MENU)
    assertNotContains(page, ORDERS)
    assertContains(page, "Ask an administrator for permission.")


def test_home_page_links_to_the_menu(register, client, at):
    assertContains(at.get("/frames/"), f'href="{MENU}"')
    assertNotContains(Client().get("/frames/"), f'href="{MENU}"')
    register()
    assertContains(Client().get("/frames/"), f'href="{MENU}"')


@pytest.mark.parametrize(
    "permission, is_allowed",
    [
        (None, True),
        ((), True),
        ("accounts.view_user", True),
        (["accounts.view_user"], True),
        (["accounts.view_user", "accounts.add_user"], False),
        ("accounts.add_user", False),
        (lambda user: user.username == "ann", True),
        (lambda user: user.username == "bob", False),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_source_without_permission_is_not_found(
    register, ann, permit, permission, is_allowed, method
):
    register(permission=permission)
    answer = getattr(client_of(permit(ann)), method)(ORDERS, {"year": 2026})
    if not is_allowed:
        assert answer.status_code == 404
        assert Frame.objects.count() == 0
    elif method == "get":
        assertContains(answer, '<input type="number" name="year" min="2000"')
    else:
        assert answer.url == Frame.objects.get().get_absolute_url()


def test_unknown_source_is_not_found(register, at):
    assert at.get(f"{MENU}accounts.none/").status_code == 404


def test_visitors_run_open_sources_or_sign_in(
    register, client, dtale_settings, visitor
):
    register(permission=VIEW_USERS)
    register(lambda request: [1, 2], "Everyone's", form=None, name="all")
    login = "/accounts/login/?next="
    for path in (ORDERS, f"{MENU}accounts.none/"):
        assert client.get(path).url == login + path
    assertContains(client.get(MENU), "Everyone&#x27;s")
    client.post(f"{MENU}accounts.all/")
    frame = Frame.objects.get(owner=None)
    api.refresh(frame)
    dtale_settings.LOGIN_REQUIRED = True
    for path in (MENU, f"{MENU}accounts.all/", f"/frames/{frame.pk}/refresh/"):
        assert client.get(path).url == login + path
    with pytest.raises(SourceForbidden):
        api.refresh(frame)


# Opening ------------------------------------------------------------------------------


def test_opened_table_remembers_its_source(opened, ann):
    assert opened.owner == ann
    assert opened.name == "Orders of a year: 2026"
    assert (opened.origin, opened.origin_name) == (Origin.SOURCE, "Orders of a year")
    assert (opened.source, opened.parameters) == ("accounts.orders", {"year": 2026})
    assert data_of(opened).to_dict("list") == {
        "year": [2026, 2026],
        "price": [1, 2],
        "who": ["ann", "ann"],
    }


def test_source_without_a_form_has_one_button(register, visitor, ann):
    def everyone(request):
        return User.objects.only("username")

    register(everyone, "People", form=None)
    page = visitor(ann)
    assert page.submit(f"{MENU}accounts.everyone/").status_code == 302
    frame = Frame.objects.get()
    assert (frame.name, frame.parameters) == ("People", {})
    assert data_of(frame)["username"].tolist() == ["ann"]


def test_script_gets_the_steps(register, at):
    register()
    answer = at.post(ORDERS, {"year": 2026}, headers={"Accept": NDJSON})
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert lines == [
        {"step": "collecting"},
        {"step": "opening"},
        {"location": Frame.objects.get().get_absolute_url()},
    ]


def test_closed_connection_cancels_the_opening(register, at):
    register()
    answer = at.post(ORDERS, {"year": 2026}, headers={"Accept": NDJSON})
    lines = iter(answer)
    assert [next(lines), next(lines)] == [
        b'{"step": "collecting"}\n',
        b'{"step": "opening"}\n',
    ]
    answer.close()
    assert Frame.objects.count() == 0


@pytest.mark.parametrize("with_script", [True, False])
def test_invalid_form_is_explained(register, at, with_script):
    register()
    headers = {"Accept": NDJSON} if with_script else {}
    answer = at.post(ORDERS, {"year": "x"}, headers=headers)
    assertContains(answer, "Enter a whole number.")
    assert (answer["Content-Type"] == NDJSON) == with_script
    assert Frame.objects.count() == 0


def test_csrf_token_is_required(register, ann, opened):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)
    for path in (ORDERS, f"/frames/{opened.pk}/refresh/"):
        assert browser.post(path, {"year": 2026}).status_code == 403
    assert Frame.objects.get().data_version == 0


def refuse(request, year):
    raise LimitExceeded("Choose a year after 2020.")


def deny(request, year):
    raise PermissionDenied("secret of the database")


def nothing(request, year):
    return None


@pytest.mark.parametrize(
    "function, status, text",
    [
        (refuse, 413, "Choose a year after 2020."),
        (deny, 403, "Access to “Orders” is denied."),
        (fail, 500, "The source “Orders” failed, so nothing was saved."),
        (nothing, 500, "The source “Orders” failed, so nothing was saved."),
    ],
)
@pytest.mark.parametrize("with_script", [True, False])
def test_error_of_a_source_is_explained_and_logged(
    register, at, caplog, function, status, text, with_script
):
    register(function, "Orders")
    path = f"{MENU}accounts.{function.__name__}/"
    headers = {"Accept": NDJSON} if with_script else {}
    answer = at.post(path, {"year": 2026}, headers=headers)
    shown = answer.getvalue().decode() if with_script else answer.text
    if with_script:
        shown = json.loads(shown.splitlines()[-1])["problem"]
    else:
        assert answer.status_code == status
        assert 'value="2026"' in shown, "the form keeps its values"
    assert text in shown and "secret" not in shown
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len([each for each in errors if each.exc_info]) == (status == 500)
    if status == 500:
        number = shown.partition("(request ")[2].partition(")")[0]
        assert len(number) == 32 and number in errors[0].getMessage()
        assert f"the source accounts.{function.__name__} failed" in caplog.text
    if function is fail:
        assert errors[0].exc_info[1].args[0] == number
    assert Frame.objects.count() == 0


# Parameters ---------------------------------------------------------------------------


class EveryForm(forms.Form):
    prefix = "p"
    text = forms.CharField(required=False)
    day = forms.DateField()
    time = forms.DateTimeField()
    price = forms.DecimalField(localize=True)
    ratio = forms.FloatField()
    wait = forms.DurationField()
    yes = forms.BooleanField(required=False)
    maybe = forms.NullBooleanField()
    kind = forms.TypedChoiceField(choices=[(1, "One"), (2, "Two")], coerce=int)
    kinds = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])
    when = forms.DateField(widget=forms.SelectDateWidget(years=[2026]))
    group = forms.ModelChoiceField(Group.objects)
    groups = forms.ModelMultipleChoiceField(Group.objects)


def test_all_values_survive_as_json_in_any_language(db):
    groups = [Group.objects.create(name=name) for name in "ab"]
    data = {
        "p-day": "31.12.2026",
        "p-time": "31.12.2026 13:00",
        "p-price": "1234,5",
        "p-ratio": "0.25",
        "p-wait": "01:00:00",
        "p-maybe": "false",
        "p-kind": "2",
        "p-kinds": ["a", "b"],
        "p-when_year": "2026",
        "p-when_month": "2",
        "p-when_day": "1",
        "p-group": str(groups[0].pk),
        "p-groups": [str(group.pk) for group in groups],
    }

    class Sent(dict):
        getlist = dict.get

    with translation.override("de"):
        form = EveryForm(Sent(data))
        assert form.is_valid(), form.errors
        stored = json.loads(json.dumps(to_json(form)))
        values = from_json(EveryForm, stored)
        assert translation.get_language() == "de"
    given = {name: form.cleaned_data[name] for name in form.fields}
    assert list(values.pop("groups")) == list(given.pop("groups"))
    assert values == given
    assert values["price"] == Decimal("1234.5")
    assert values["day"] == datetime.date(2026, 12, 31)
    assert list(stored) == sorted(stored)


# Refreshing ---------------------------------------------------------------------------


def test_refresh_replaces_the_data_at_the_same_address(opened, at, prices, owner):
    before = opened.data_at
    owner.edit(opened.pk, 77, "price")
    prices(5, 6, 7)
    answer = at.post(f"/frames/{opened.pk}/refresh/")
    assert answer.url == opened.get_absolute_url()
    assert data_of(opened)["price"].tolist() == [5, 6, 7]
    frame = Frame.objects.get()
    assert (frame.origin, frame.source) == (Origin.SOURCE, "accounts.orders")
    assert frame.parameters == {"year": 2026}
    assert (frame.data_version, frame.name) == (1, "Orders of a year: 2026")
    assert frame.data_at > before


def test_source_runs_as_the_owner_without_a_session(register, ann, bob, at):
    requests = []

    def seen(request):
        requests.append(request)
        return [1]

    register(seen, form=None)
    at.post(f"{MENU}accounts.seen/")
    assert requests.pop().session
    Frame.objects.get().refresh()
    [request] = requests
    assert (request.user, request.method) == (ann, "GET")
    assert not hasattr(request, "session")
    assert not (request.GET or request.POST or request.COOKIES or request.META)


def test_refresh_reports_its_steps_to_a_script(opened, at, prices):
    prices(3)
    path = f"/frames/{opened.pk}/refresh/"
    page = at.get(path)
    assertContains(page, "from “Orders of a year” and replaced")
    answer = at.post(path, headers={"Accept": NDJSON})
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [line.get("step") for line in lines] == ["collecting", "opening", None]
    assert lines[-1] == {"location": opened.get_absolute_url()}
    assert data_of(opened)["price"].tolist() == [3]


def test_owner_sees_the_button_in_the_bar_and_in_the_list(
    opened, frame, owner, visitor, bob, at
):
    opened.shared_with.add(bob)
    frame.shared_with.add(bob)
    path = f"/frames/{opened.pk}/refresh/"
    page = owner.get(f"main/{opened.pk}")
    assert f'action="{path}"' in page.text
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2][:64]
    answer = owner.browser.post(path, data={"csrfmiddlewaretoken": token})
    assert answer.location == opened.get_absolute_url()
    assert Frame.objects.get(pk=opened.pk).data_version == 1
    assertContains(at.get("/frames/"), f'<a href="{path}">Refresh</a>')
    assertNotContains(at.get("/frames/"), f"/frames/{frame.pk}/refresh/")
    for page in (
        owner.get(f"iframe/{opened.pk}"),
        owner.get(f"main/{frame.pk}"),
        visitor(bob).get(f"main/{opened.pk}"),
        client_of(bob).get("/frames/"),
    ):
        assert page.status_code == 200 and "/refresh/" not in page.text


def test_only_the_owner_can_refresh(opened, bob, user, prices):
    opened.shared_with.add(bob)
    prices(9)
    path = f"/frames/{opened.pk}/refresh/"
    assert client_of(bob).post(path).status_code == 403
    assert client_of(user("eve")).post(path).status_code == 404
    assert data_of(opened)["price"].tolist() == [1, 2]


def lose_permission(opened, register, dtale_settings):
    registry._sources.clear()
    register(permission=VIEW_USERS)


def lose_account(opened, register, dtale_settings):
    User.objects.update(is_active=False)


def lose_access(opened, register, dtale_settings):
    dtale_settings.USER_CAN_USE_FRAMES = lambda user: False


def lose_source(opened, register, dtale_settings):
    registry._sources.clear()


def lose_field(opened, register, dtale_settings):
    registry._sources.clear()
    # The function still accepts the year.
    register(lambda request, year=1: [], form=None, name="orders")


def get_a_field(opened, register, dtale_settings):
    class More(YearForm):
        month = forms.IntegerField()

    registry._sources.clear()
    register(lambda request, year, month: [], form=More, name="orders")


def get_other_limits(opened, register, dtale_settings):
    class Later(forms.Form):
        year = forms.IntegerField(min_value=2027)

    registry._sources.clear()
    register(form=Later)


def get_a_failure(opened, register, dtale_settings):
    registry._sources.clear()
    register(lambda request, year: 1 / 0, name="orders")


def get_other_data(opened, register, dtale_settings):
    api.replace_data(opened, pd.DataFrame({"price": [1, 2]}))


def get_too_many_cells(opened, register, dtale_settings):
    dtale_settings.MAX_CELLS = 5


@pytest.mark.parametrize(
    "change, error, text",
    [
        (lose_permission, SourceForbidden, "Access to “Orders of a year” is denied."),
        (lose_account, SourceForbidden, "Access to “Orders of a year” is denied."),
        (lose_access, AccessDenied, "does not have access"),
        (lose_source, NotRefreshable, "“accounts.orders” no longer exists"),
        (lose_field, NotRefreshable, "no longer has the field “year”"),
        (get_a_field, NotRefreshable, "keeps its data. Month: This field is required."),
        (get_other_limits, NotRefreshable, "Year: Ensure this value is"),
        (get_a_failure, SourceFailed, "“Orders of a year” failed"),
        (get_other_data, NotRefreshable, "did not come from a source"),
        (get_too_many_cells, LimitExceeded, "more than the limit"),
    ],
)
def test_failed_refresh_leaves_the_data(
    opened, register, dtale_settings, prices, change, error, text
):
    change(opened, register, dtale_settings)
    prices(5, 6)
    frame = Frame.objects.get()
    version = frame.data_version
    with pytest.raises(error) as raised:
        frame.refresh()
    assert text in str(raised.value)
    assert data_of(opened)["price"].tolist() == [1, 2]
    assert Frame.objects.get().data_version == version


def test_error_of_a_refresh_is_a_page_with_its_status(opened, at):
    registry._sources.clear()
    answer = at.post(f"/frames/{opened.pk}/refresh/")
    assertContains(answer, "no longer exists on this site", status_code=409)


# Models -------------------------------------------------------------------------------

USERS = "/frames/models/accounts/user/"


@pytest.fixture
def people(stored, ann, permit, user):
    """Ann, who may view users and has opened those whose names contain a b."""
    for name in ("bob", "bea"):
        user(name)
    person = permit(ann)
    client_of(person).post(f"{USERS}?q=b&is_staff__exact=0&p=0")
    return Frame.objects.get()


def test_table_of_a_model_can_be_refreshed(people, user):
    assert (people.origin, people.origin_name) == (Origin.MODEL, "Users")
    assert people.source == "accounts.user"
    assert people.parameters == {"query": "q=b&is_staff__exact=0"}
    assert sorted(data_of(people)["username"]) == ["bea", "bob"]
    user("ben")
    user("eve")
    user("bill", is_staff=True)
    people.refresh()
    assert sorted(data_of(people)["username"]) == ["bea", "ben", "bob"]
    assert "password" not in data_of(people)


def test_refresh_of_a_model_asks_its_admin_again(people, user, ann, monkeypatch):
    from django.contrib import admin

    user("ben")
    model_admin = admin.site.get_model_admin(User)
    with monkeypatch.context() as patch:
        patch.setattr(model_admin, "search_fields", ["username"])
        patch.setattr(
            model_admin,
            "get_queryset",
            lambda request: User.objects.exclude(pk=request.user.pk).exclude(
                username="bob"
            ),
        )
        people.refresh()
        assert sorted(data_of(people)["username"]) == ["bea", "ben"]
        patch.setattr(model_admin, "list_filter", [])
        patch.setattr(model_admin, "list_display", ["username"])
        patch.setattr(model_admin, "fieldsets", [(None, {"fields": ["username"]})])
        with pytest.raises(Exception, match="is_staff__exact"):
            people.refresh()
    ann.user_permissions.clear()
    people = Frame.objects.get()
    with pytest.raises(SourceForbidden):
        people.refresh()
    assert sorted(data_of(people)["username"]) == ["bea", "ben"]


# Cache --------------------------------------------------------------------------------


@pytest.fixture
def cached(register, at):
    """A fresh table of Ann's, from a source whose tables are shared for an hour."""
    register(cache=3600)
    at.post(ORDERS, {"year": 2026})
    return Frame.objects.get()


def test_second_person_gets_the_same_table(cached, bob, visitor, prices):
    prices(9)
    for person in (client_of(bob), client_of(bob), client_of(cached.owner)):
        answer = person.post(ORDERS, {"year": "2026"})
        assert answer.url == cached.get_absolute_url()
    assert list(cached.shared_with.all()) == [bob]
    reader = visitor(bob)
    assert reader.column(cached.pk, "price") == [1, 2]
    assert "read-only" in reader.edit(cached.pk, 5, "price").text
    client_of(bob).post(ORDERS, {"year": 2025})
    assert Frame.objects.get(owner=bob).parameters == {"year": 2025}


def test_second_person_does_not_get_filters_of_the_owner(cached, owner, bob, visitor):
    cfg = {"type": "int", "operand": "=", "value": [2]}
    owner.get(f"save-column-filter/{cached.pk}", col="price", cfg=cfg)
    owner.get(f"update-visibility/{cached.pk}", toggle="who")
    assert owner.column(cached.pk, "price") == [2]
    client_of(bob).post(ORDERS, {"year": 2026})
    reader = visitor(bob)
    assert Share.objects.get().frame == cached
    assert reader.column(cached.pk, "price") == [1, 2]
    columns = reader.get(f"dtypes/{cached.pk}").json["dtypes"]
    assert all(column["visible"] for column in columns)


def test_second_person_gets_the_view_of_the_source(register, at, bob, visitor, prices):
    prices(1, 3, 2)
    view = View(sort=[("price", "DESC")], query="price > 1", columns=["price", "year"])
    register(cache=3600, view=view)
    at.post(ORDERS, {"year": 2026})
    client_of(bob).post(ORDERS, {"year": 2026})
    frame, reader = Frame.objects.get(), visitor(bob)
    assert reader.column(frame.pk, "price") == [3, 2]
    columns = reader.get(f"dtypes/{frame.pk}").json["dtypes"]
    assert [each["name"] for each in columns if each["visible"]] == ["price", "year"]


def make_old(frame, owner):
    past = timezone.now() - datetime.timedelta(hours=2)
    Frame.objects.update(data_at=past, updated_at=past)


def edit(frame, owner):
    owner.edit(frame.pk, 5, "price")


def replace(frame, owner):
    frame.replace(pd.DataFrame({"a": [1]}))


def give_to_a_visitor(frame, owner):
    Frame.objects.update(owner=None)


@pytest.mark.parametrize("change", [make_old, edit, replace, give_to_a_visitor])
def test_table_that_is_old_or_changed_is_not_given_to_others(
    cached, owner, bob, change
):
    change(cached, owner)
    answer = client_of(bob).post(ORDERS, {"year": 2026})
    assert answer.url == Frame.objects.get(owner=bob).get_absolute_url()
    assert not Share.objects.exists()


def test_refresh_makes_a_table_fresh_again(cached, bob, owner, prices):
    edit(cached, owner)
    make_old(cached, owner)
    prices(8, 9)
    cached.refresh()
    answer = client_of(bob).post(ORDERS, {"year": 2026})
    assert answer.url == cached.get_absolute_url()
    assert data_of(cached)["price"].tolist() == [8, 9]


def test_second_person_needs_the_permission_and_the_first_does_not(
    register, ann, bob, user, permit
):
    register(cache=3600, permission=VIEW_USERS)
    client_of(permit(ann)).post(ORDERS, {"year": 2026})
    ann.user_permissions.clear()
    assert client_of(user("eve")).post(ORDERS, {"year": 2026}).status_code == 404
    frame = Frame.objects.get()
    answer = client_of(permit(bob)).post(ORDERS, {"year": 2026})
    assert answer.url == frame.get_absolute_url()


# The command --------------------------------------------------------------------------


def refresh_frames(*arguments):
    """Run the command, and return its output, its errors, and its last sentence."""
    out, err, last = StringIO(), StringIO(), ""
    try:
        call_command("refresh_frames", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        assert error.returncode == 1
        last = str(error)
    return out.getvalue(), err.getvalue(), last


@pytest.fixture
def tables(register, at, frame):
    """Two tables of each of two sources, and `frame`, which has none."""

    def others(request, year):
        return pd.DataFrame({"price": PRICES})

    register()
    register(others, "Others")
    for key in ("orders", "others"):
        for year in (2025, 2026):
            at.post(f"{MENU}accounts.{key}/", {"year": year})
    return list(Frame.objects.with_source().order_by("pk"))


def test_command_refreshes_all_tables_one_after_the_other(tables, prices):
    prices(5)
    out, err, last = refresh_frames()
    assert (err, last) == ("", "")
    assert out.splitlines() == [
        *(f"{each}: 1 rows, {each.columns} columns" for each in tables),
        "4 frames were refreshed.",
    ]
    for each in tables:
        assert data_of(each)["price"].tolist() == [5]


@pytest.mark.parametrize(
    "arguments, chosen",
    [
        (["--source", "accounts.others"], [2, 3]),
        (["--older-than", "24h"], [0]),
        (["--older-than", "30"], [0, 1]),
        (["--older-than=30m", "--source=accounts.others"], []),
        (["--older-than", "3d"], []),
    ],
)
def test_command_can_be_limited(tables, prices, arguments, chosen):
    for number, hours in enumerate((30, 2)):
        past = timezone.now() - datetime.timedelta(hours=hours)
        Frame.objects.filter(pk=tables[number].pk).update(data_at=past)
    prices(5)
    assert refresh_frames(*arguments)[2] == ""
    new = [n for n, each in enumerate(tables) if data_of(each)["price"].tolist() == [5]]
    assert new == chosen


def test_command_goes_on_after_a_failure(tables, prices, frame, caplog):
    registry._sources.pop("accounts.orders")
    prices(5)
    out, err, last = refresh_frames()
    assert last == "2 of 4 frames were not refreshed."
    assert err.count("no longer exists on this site") == 2
    assert data_of(tables[3])["price"].tolist() == [5]
    assert data_of(tables[0])["price"].tolist() == [1, 2]
    out, err, last = refresh_frames("--frame", str(tables[3].pk))
    assert (err, last) == ("", "")
    numbers = [frame.pk, 999, tables[2].pk]
    out, err, last = refresh_frames(*(f"--frame={number}" for number in numbers))
    assert last == "2 of 3 frames were not refreshed."
    assert "did not come from a source" in err and "999 does not exist" in err
    assert f"{tables[2]}: 1 rows" in out


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["--source", "accounts.no"], "There is no source 'accounts.no'."),
        (["--older-than", "1 week"], "write 30 or 30m"),
    ],
)
def test_command_refuses_wrong_arguments(tables, arguments, text):
    assert text in refresh_frames(*arguments)[2]


# Programs -----------------------------------------------------------------------------


def refresh_by_token(frame, token, method="post"):
    client = Client(enforce_csrf_checks=True)
    headers = {"authorization": f"Bearer {token}"}
    return getattr(client, method)(f"/frames/{frame.pk}/refresh/", headers=headers)


def test_program_refreshes_with_a_token(opened, ann, prices):
    prices(5, 6, 7)
    answer = refresh_by_token(opened, Token.objects.create_token(ann, "night"))
    assert answer.status_code == 200
    assert answer.json() == {
        "url": f"http://testserver{opened.get_absolute_url()}",
        "id": opened.pk,
        "name": opened.name,
        "rows": 3,
        "columns": 3,
        "as_of": Frame.objects.get(pk=opened.pk).data_at.isoformat(),
        "version": 1,
        "notes": [],
    }
    assert data_of(opened)["price"].tolist() == [5, 6, 7]


def test_token_needs_the_scope_and_the_table(opened, frame, ann, bob, prices):
    prices(5)
    reading = Token.objects.create_token(ann, "read", Scope.READ)
    of_bob = Token.objects.create_token(bob, "bob")
    night = Token.objects.create_token(ann, "night")
    assert refresh_by_token(opened, reading).status_code == 403
    assert refresh_by_token(opened, "dtale_no").status_code == 401
    assert refresh_by_token(opened, of_bob).status_code == 404
    opened.shared_with.add(bob)
    assert refresh_by_token(opened, of_bob).status_code == 403
    assert refresh_by_token(opened, night, "get").status_code == 405
    answer = refresh_by_token(frame, night)
    assert answer.status_code == 409 and "no" in answer.json()["error"]
    registry._sources.clear()
    assert refresh_by_token(opened, night).status_code == 409
    assert data_of(opened)["price"].tolist() == [1, 2]


# Crashes ------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends at this point."""


@pytest.mark.parametrize(
    "target, name",
    [
        (api, "collect"),
        (blobs.payload, "write"),
        (blobs, "save"),
        (OpenFrame, "save_row"),
        (open_frame, "remove_unused"),
    ],
    ids=lambda each: getattr(each, "__name__", each),
)
@pytest.mark.django_db(transaction=True)
def test_killed_refresh_leaves_the_old_or_the_new_data(
    opened, prices, monkeypatch, target, name, stored
):
    prices(5)

    def kill(*args, **options):
        raise Killed

    with monkeypatch.context() as patch:
        # A killed process cannot clean up after itself.
        patch.setattr(blobs, "remove", lambda name: None)
        patch.setattr(blobs.Path, "unlink", lambda *args, **kwargs: None)
        patch.setattr(target, name, kill)
        with pytest.raises(Killed):
            opened.refresh()
    stored.forget()
    frame = Frame.objects.get()
    is_new = name == "remove_unused"
    assert data_of(frame)["price"].tolist() == ([5] if is_new else [1, 2])
    assert frame.data_version == is_new
    with bind(Workspace(frame.owner)):
        frame.refresh()
    assert data_of(frame)["price"].tolist() == [5]
