"""Models can be opened in D-Tale, with the rows and fields that the admin shows."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale.admin import DtaleAdminMixin
from django_dtale.models import Frame
from django_dtale.readers.dataframe import to_dataframe
from django_dtale.sources import model_data

pytestmark = pytest.mark.django_db
User = get_user_model()
LIST = "/frames/models/"
USERS = "/frames/models/accounts/user/"
GROUPS = "/frames/models/auth/group/"
HASH = "pbkdf2_sha256$1$salt$hash"


def viewer_of(user, *models, **fields):
    """Return a test client for a user who may view these models."""
    person = user("viewer", **fields)
    names = [f"view_{model}" for model in models]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def viewer(stored, user):
    """Return a test client for a non-staff user who may view users and groups."""
    return viewer_of(user, "user", "group")


@pytest.fixture
def users(user):
    User.objects.bulk_create(
        User(username=f"u{n}", password=HASH, is_staff=n < 2) for n in range(5)
    )


@pytest.fixture
def opened(monkeypatch):
    """Return a list that collects all data that is opened in D-Tale."""
    frames = []
    monkeypatch.setattr(
        "django_dtale.dtale.application.DtaleApplication.open_frame",
        staticmethod(
            lambda data, name, **fields: (
                frames.append(data) or Frame.objects.create(name=name).pk
            )
        ),
    )
    return frames


# Permissions --------------------------------------------------------------------------


def test_list_shows_only_models_that_the_user_can_view(user):
    page = viewer_of(user, "group").get(LIST)
    assertContains(page, f'<a href="{GROUPS}">Groups</a>', html=True)
    assertNotContains(page, USERS)


def test_empty_list_explains_how_to_get_permission(user):
    assertContains(viewer_of(user).get(LIST), "Ask an administrator for permission.")


@pytest.mark.parametrize("path", [LIST, USERS])
def test_pages_require_sign_in(client, path):
    assert client.get(path).url == f"/accounts/login/?next={path}"


@pytest.mark.parametrize(
    "path", [USERS, "/frames/models/auth/permission/", "/frames/models/no/such/"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_model_without_view_permission_is_not_found(user, opened, path, method):
    viewer = viewer_of(user, "group", "permission")
    assert getattr(viewer, method)(path).status_code == 404
    assert opened == []


def test_models_of_the_frames_app_are_not_offered(admin_client):
    assertNotContains(admin_client.get(LIST), "/frames/models/frames/")
    assert admin_client.get("/frames/models/frames/frame/").status_code == 404


def test_model_can_opt_out(viewer, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    monkeypatch.setattr(model_admin, "dtale_fields", (), raising=False)
    assertNotContains(viewer.get(LIST), USERS)
    assert viewer.post(USERS).status_code == 404


# Rows and columns ---------------------------------------------------------------------


def test_post_opens_the_permitted_rows_and_columns(viewer, users, opened):
    assertContains(viewer.get(USERS), "6 rows")
    answer = viewer.post(USERS)
    frame = Frame.objects.get()
    assert answer.url == frame.get_absolute_url() and frame.name == "Users"
    [data] = opened
    data = to_dataframe(data)
    assert sorted(data["username"]) == ["u0", "u1", "u2", "u3", "u4", "viewer"]
    assert list(data.columns) == [
        *("id", "last_login", "is_superuser", "username", "first_name", "last_name"),
        *("email", "is_staff", "is_active", "date_joined"),
    ]


def test_user_can_open_a_model_in_dtale(visitor, ann, user):
    ann.user_permissions.set(Permission.objects.filter(codename="view_user"))
    person = visitor(ann)
    assert person.submit(f"{USERS}?q=ann").status_code == 302
    [pk] = person.frames()
    assert person.column(pk, "username") == ["ann"]


def test_password_hashes_are_never_opened(viewer, users, opened, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    names = ["password", "username"]
    monkeypatch.setattr(model_admin, "dtale_fields", names, raising=False)
    monkeypatch.setattr(model_admin, "list_display", names)
    assertNotContains(viewer.get(USERS), "password")
    viewer.post(USERS)
    [data] = opened
    assert list(to_dataframe(data).columns) == ["id", "username"]
    assert HASH not in to_dataframe(data).to_csv()


def test_fields_that_the_admin_hides_stay_hidden(rf, monkeypatch, admin_user):
    request = rf.get(USERS)
    request.user = admin_user
    model_admin = admin.site.get_model_admin(Group)
    assert [f.name for f in model_data.visible_fields(model_admin, request)] == [
        "id",
        "name",
    ]
    monkeypatch.setattr(model_admin, "exclude", ["name"])
    monkeypatch.setattr(model_admin, "list_display", ["id"])
    assert [f.name for f in model_data.visible_fields(model_admin, request)] == ["id"]


def test_rows_that_the_admin_hides_stay_hidden(viewer, users, opened, monkeypatch):
    model_admin = admin.site.get_model_admin(User)
    monkeypatch.setattr(
        model_admin, "get_queryset", lambda request: User.objects.filter(is_staff=True)
    )
    assertContains(viewer.get(USERS), "2 rows")
    viewer.post(USERS)
    assert sorted(to_dataframe(opened[0])["username"]) == ["u0", "u1"]


def test_rows_that_are_too_many_for_a_table_are_opened_in_part(
    viewer, users, dtale_settings
):
    dtale_settings.MAX_CELLS, dtale_settings.SOURCE_ROWS = 20, 2
    viewer.post(USERS)
    frame = Frame.objects.get()
    assert (frame.rows, frame.conversion_notes) == (2, "2 of 6 rows.")


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
def test_rows_can_be_searched_and_filtered(viewer, users, opened, query, found):
    page = viewer.get(f"{USERS}?{query}")
    assert re.search(rf"\b{found} rows?\s", page.text)
    assert ("Show all" in page.text) == (found < 6)
    viewer.post(f"{USERS}?{query}")
    assert len(to_dataframe(opened[0])) == found


def test_page_has_the_filters_of_the_admin(viewer):
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
def test_invalid_filter_is_refused(viewer, users, opened, query, status, method):
    answer = getattr(viewer, method)(f"{USERS}?{query}")
    assert answer.status_code == status and "6 rows" not in answer.text
    assert opened == []


# The admin's lists --------------------------------------------------------------------


@pytest.fixture
def user_admin(monkeypatch):
    """Add DtaleAdminMixin to the site's ModelAdmin for users."""
    model_admin = admin.site.get_model_admin(User)

    class UserAdmin(DtaleAdminMixin, type(model_admin)):
        pass

    monkeypatch.setattr(model_admin, "__class__", UserAdmin)
    return model_admin


def act(client, path, rows, **fields):
    data = {"action": "open_in_dtale", "_selected_action": [row.pk for row in rows]}
    return client.post(path, {**data, "index": 0, **fields})


@pytest.fixture
def staff(stored, user, user_admin):
    return viewer_of(user, "user", is_staff=True)


def test_action_opens_the_selected_rows(staff, users, opened):
    rows = User.objects.filter(username__in=["u1", "u3"])
    answer = act(staff, "/admin/accounts/user/", rows)
    assert answer.url == Frame.objects.get().get_absolute_url()
    assert sorted(to_dataframe(opened[0])["username"]) == ["u1", "u3"]


def test_action_opens_all_rows_of_the_search_and_filters(staff, users, opened):
    path = "/admin/accounts/user/?is_staff__exact=1&q=u"
    act(staff, path, User.objects.filter(username="u0"), select_across=1)
    data = to_dataframe(opened[0])
    assert sorted(data["username"]) == ["u0", "u1"] and "password" not in data


def test_link_keeps_search_and_filters(staff, users):
    page = staff.get("/admin/accounts/user/?is_staff__exact=1&q=u").text
    address = re.search(r'<a href="(/frames/models/[^"]*)">Open in D-Tale', page)[1]
    address = address.replace("&amp;", "&")
    assert address == f"{USERS}?is_staff__exact=1&q=u"
    assertContains(staff.get(address), "2 rows")


def test_admin_has_no_link_for_a_model_that_opted_out(
    admin_client, user_admin, monkeypatch
):
    page = "/admin/accounts/user/"
    assertContains(admin_client.get(page), f'href="{USERS}')
    monkeypatch.setattr(user_admin, "dtale_fields", (), raising=False)
    assertNotContains(admin_client.get(page), USERS)


def test_action_on_a_model_that_opted_out_is_refused(
    admin_client, users, opened, user_admin, monkeypatch
):
    monkeypatch.setattr(user_admin, "dtale_fields", (), raising=False)
    act(admin_client, "/admin/accounts/user/", User.objects.all())
    assertContains(
        admin_client.get("/admin/accounts/user/"), "Users cannot be opened in D-Tale."
    )
    assert opened == []


def test_popup_has_no_link(admin_client, user_admin):
    assertNotContains(admin_client.get("/admin/accounts/user/?_popup=1"), USERS)


@pytest.mark.parametrize("page", ["/admin/frames/frame/", "/admin/accounts/user/"])
def test_admin_without_the_mixin_is_unchanged(admin_client, page):
    text = admin_client.get(page).text
    assert "/frames/models/" not in text and 'value="open_in_dtale"' not in text


def test_too_large_action_is_opened_in_part(staff, users, dtale_settings):
    dtale_settings.MAX_CELLS, dtale_settings.SOURCE_ROWS = 20, 2
    act(staff, "/admin/accounts/user/", User.objects.all())
    assert Frame.objects.get().conversion_notes == "2 of 6 rows."
