"""Models of the site in D-Tale: whose, which rows, and never more than the admin shows."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from frames import model_data
from frames.models import Frame
from frames.sources import to_frame

pytestmark = pytest.mark.django_db
LIST = "/frames/models/"
USERS = "/frames/models/auth/user/"
GROUPS = "/frames/models/auth/group/"
HASH = "pbkdf2_sha256$1$salt$hash"


def viewer_of(user, *models, **fields):
    """A browser (Client) of somebody who may view these models, by their names."""
    person = user("viewer", **fields)
    names = [f"view_{model}" for model in models]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def viewer(stored, user):
    """Somebody who may view users and groups, and is no member of the staff."""
    return viewer_of(user, "user", "group")


@pytest.fixture
def users(user):
    User.objects.bulk_create(
        User(username=f"u{n}", password=HASH, is_staff=n < 2) for n in range(5)
    )


@pytest.fixture
def opened(monkeypatch):
    """What was opened: the DataFrames that D-Tale was given."""
    frames = []
    monkeypatch.setattr(
        "frames.dtale_app.Dtale.open_frame",
        staticmethod(
            lambda data, name, note: (
                frames.append(data) or Frame.objects.create(name=name).pk
            )
        ),
    )
    return frames


# Who ----------------------------------------------------------------------------------


def test_list_names_what_a_person_may_view(user):
    page = viewer_of(user, "group").get(LIST)
    assertContains(page, f'<a href="{GROUPS}">Groups</a>', html=True)
    assertNotContains(page, USERS)


def test_list_of_who_may_view_nothing_says_who_gives_the_permission(user):
    assertContains(viewer_of(user).get(LIST), "Whoever runs this site gives")


@pytest.mark.parametrize("path", [LIST, USERS])
def test_visitor_signs_in_first(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"


@pytest.mark.parametrize(
    "path", [USERS, "/frames/models/auth/permission/", "/frames/models/no/such/"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_a_person_may_not_view_is_not_there(user, opened, path, method):
    viewer = viewer_of(user, "group", "permission")
    assert getattr(viewer, method)(path).status_code == 404
    assert opened == []


def test_own_models_of_frames_are_not_there(admin_client):
    assertNotContains(admin_client.get(LIST), "/frames/models/frames/")
    assert admin_client.get("/frames/models/frames/frame/").status_code == 404


def test_a_model_opts_out(viewer, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    monkeypatch.setattr(model_admin, "dtale_fields", (), raising=False)
    assertNotContains(viewer.get(LIST), USERS)
    assert viewer.post(USERS).status_code == 404


# What ---------------------------------------------------------------------------------


def test_rows_and_columns_that_are_opened(viewer, users, opened):
    assertContains(viewer.get(USERS), "6 rows")
    answer = viewer.post(USERS)
    frame = Frame.objects.get()
    assert answer.url == frame.get_absolute_url() and frame.name == "Users"
    [data] = opened
    data = to_frame(data)
    assert sorted(data["username"]) == ["u0", "u1", "u2", "u3", "u4", "viewer"]
    assert list(data.columns) == [
        *("id", "last_login", "is_superuser", "username", "first_name", "last_name"),
        *("email", "is_staff", "is_active", "date_joined"),
    ]


def test_from_the_page_into_dtale(visitor, ann, user):
    ann.user_permissions.set(Permission.objects.filter(codename="view_user"))
    person = visitor(ann)
    assert person.submit(f"{USERS}?q=ann").status_code == 302
    [pk] = person.frames()
    assert person.column(pk, "username") == ["ann"]


def test_no_hash_of_a_password_ever(viewer, users, opened, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    names = ["password", "username"]
    monkeypatch.setattr(model_admin, "dtale_fields", names, raising=False)
    monkeypatch.setattr(model_admin, "list_display", names)
    assertNotContains(viewer.get(USERS), "password")
    viewer.post(USERS)
    [data] = opened
    assert list(to_frame(data).columns) == ["id", "username"]
    assert HASH not in to_frame(data).to_csv()


def test_fields_that_the_admin_hides_stay_hidden(rf, monkeypatch, admin_user):
    request = rf.get(USERS)
    request.user = admin_user
    model_admin = admin.site.get_model_admin(Group)
    assert [f.name for f in model_data.fields_of(model_admin, request)] == [
        "id",
        "name",
    ]
    monkeypatch.setattr(model_admin, "exclude", ["name"])
    monkeypatch.setattr(model_admin, "list_display", ["id"])
    assert [f.name for f in model_data.fields_of(model_admin, request)] == ["id"]


def test_rows_that_the_admin_hides_stay_hidden(viewer, users, opened, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    monkeypatch.setattr(
        model_admin, "get_queryset", lambda request: User.objects.filter(is_staff=True)
    )
    assertContains(viewer.get(USERS), "2 rows")
    viewer.post(USERS)
    assert sorted(to_frame(opened[0])["username"]) == ["u0", "u1"]


def test_too_many_cells_are_refused_before_they_are_read(
    viewer, users, opened, settings
):
    settings.FRAMES_MAX_CELLS = 20
    answer = viewer.post(USERS)
    assertContains(answer, "FRAMES_MAX_CELLS", status_code=413)
    assert opened == []


# Search and filters -------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, found",
    [
        ("", 6),
        ("q=u1", 1),
        ("is_staff__exact=1", 2),
        ("is_staff__exact=1&q=u1", 1),
        ("is_staff__exact=0&o=-1&p=1", 4),
        ("username__startswith=u", 5),
    ],
)
def test_search_and_filters(viewer, users, opened, query, found):
    page = viewer.get(f"{USERS}?{query}")
    assert re.search(rf"\b{found} rows?\s", page.text)
    assert ("Show all" in page.text) == (found < 6)
    viewer.post(f"{USERS}?{query}")
    assert len(to_frame(opened[0])) == found


def test_filters_are_those_of_the_admin(viewer):
    page = viewer.get(f"{USERS}?is_staff__exact=1&q=u")
    assertContains(page, "<summary>Staff status: <strong>Yes</strong></summary>")
    no = '<a href="?is_staff__exact=0&amp;q=u">No</a>'
    assertContains(page, no, html=True)
    hidden = '<input type="hidden" name="is_staff__exact" value="1">'
    assertContains(page, hidden, html=True)


@pytest.mark.parametrize(
    "query, status",
    [
        ("password__startswith=pbkdf2", 400),
        ("groups__permissions__codename=add_user", 400),
        ("no_such_field=1", 400),
        ("is_staff__exact=maybe", 400),
        ("is_staff__no_such_lookup=1", 400),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_no_filter_of_the_page_is_refused(
    viewer, users, opened, query, status, method
):
    answer = getattr(viewer, method)(f"{USERS}?{query}")
    assert answer.status_code == status and "6 rows" not in answer.text
    assert opened == []


# The admin's lists --------------------------------------------------------------------


def act(client, path, rows, **fields):
    data = {"action": "open_in_dtale", "_selected_action": [row.pk for row in rows]}
    return client.post(path, {**data, "index": 0, **fields})


@pytest.fixture
def staff(stored, user):
    return viewer_of(user, "user", is_staff=True)


def test_action_opens_the_chosen_rows(staff, users, opened):
    rows = User.objects.filter(username__in=["u1", "u3"])
    answer = act(staff, "/admin/auth/user/", rows)
    assert answer.url == Frame.objects.get().get_absolute_url()
    assert sorted(to_frame(opened[0])["username"]) == ["u1", "u3"]


def test_action_opens_all_that_search_and_filters_leave(staff, users, opened):
    path = "/admin/auth/user/?is_staff__exact=1&q=u"
    act(staff, path, User.objects.filter(username="u0"), select_across=1)
    data = to_frame(opened[0])
    assert sorted(data["username"]) == ["u0", "u1"] and "password" not in data


def test_link_takes_search_and_filters_along(staff, users):
    page = staff.get("/admin/auth/user/?is_staff__exact=1&q=u").text
    address = re.search(r'<a href="(/frames/models/[^"]*)">Open in D-Tale', page)[1]
    address = address.replace("&amp;", "&")
    assert address == f"{USERS}?is_staff__exact=1&q=u"
    assertContains(staff.get(address), "2 rows")


@pytest.mark.parametrize("path", ["/admin/frames/frame/", "/admin/auth/user/"])
def test_admin_offers_nothing_of_what_opted_out(admin_client, monkeypatch, path):
    users = admin.site.get_model_admin(User)
    monkeypatch.setattr(users, "dtale_fields", (), raising=False)
    assertNotContains(admin_client.get(path), 'href="/frames/models/auth/')


def test_action_on_what_opted_out_says_so(admin_client, users, opened, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    monkeypatch.setattr(model_admin, "dtale_fields", (), raising=False)
    act(admin_client, "/admin/auth/user/", User.objects.all())
    assertContains(
        admin_client.get("/admin/auth/user/"), "What is in users is not for D-Tale."
    )
    assert opened == []


def test_frames_have_no_such_action(admin_client):
    assertNotContains(admin_client.get("/admin/frames/frame/"), "open_in_dtale")


def test_action_that_is_too_large_says_so(staff, users, opened, settings):
    settings.FRAMES_MAX_CELLS = 20
    act(staff, "/admin/auth/user/", User.objects.all())
    assertContains(staff.get("/admin/auth/user/"), "FRAMES_MAX_CELLS")
    assert opened == []
