"""The home page and its actions for frames."""

import re
from decimal import Decimal
from io import BytesIO

import pandas as pd
import pytest
from django.template.defaultfilters import filesizeformat
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

import django_dtale
from django_dtale import View
from django_dtale.compat.export import WRITERS
from django_dtale.models import Frame
from django_dtale.views.listing import PER_PAGE

pytestmark = pytest.mark.django_db

HOME = "/frames/"


@pytest.fixture
def ann_at(client, ann):
    """Return Django's test client, signed in as Ann."""
    client.force_login(ann)
    return client


@pytest.fixture
def shared(publish, ann, bob):
    """Return one of Bob's frames that Ann may read."""
    return publish(bob, "budget", shared_with=[ann])


def names(page, part="own"):
    """Return the frame titles in a list on the page."""
    return [frame.title for frame in page.context[part].page]


# The page -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", HOME])
def test_first_visit_says_what_to_do(client, path):
    page = client.get(path)
    assertContains(page, 'type="file"')
    assertContains(page, 'action="/create-df/"')
    assertContains(page, "You have no tables yet")
    assertNotContains(page, "Shared with you")


def test_visitor_is_asked_to_sign_in_if_required(client, dtale_settings, publish, ann):
    dtale_settings.LOGIN_REQUIRED = True
    publish(ann, "sales")
    page = client.get(HOME)
    assertContains(page, "Sign in to open files")
    assertNotContains(page, 'type="file"')
    assertNotContains(page, "sales")


def test_list_shows_the_details_of_frames(ann_at, publish, ann, bob, shared):
    sales = publish(ann, "sales", shared_with=[bob], a=range(1200))
    publish(bob, "of Bob's alone")
    page = ann_at.get(HOME)
    assert names(page) == ["sales"]
    assert names(page, "shared") == ["budget"]
    for text in (
        "1,200 × 1",
        filesizeformat(sales.nbytes),
        ">1 user<",
        "3 × 2",
        "bob",
        ">now<",
    ):
        assertContains(page, text)
    assertNotContains(page, "alone")


def test_note_is_shown_beside_the_name(ann_at, ann):
    django_dtale.publish({"a": [1]}, owner=ann, name="sales", note="1 of <3> rows")
    assertContains(ann_at.get(HOME), '<p class="note">1 of &lt;3&gt; rows</p>')


def test_unnamed_frame_is_shown_by_its_number(ann_at, publish, ann):
    frame = publish(ann)
    link = f'<a class="name" href="{frame.get_absolute_url()}">Table {frame.pk}</a>'
    assertContains(ann_at.get(HOME), link, html=True)


def test_visitor_sees_their_own_frames(client):
    client.post("/create-df/")
    assert len(names(client.get(HOME))) == 1
    assertNotContains(client.get(HOME), "/share/")  # Visitors cannot share frames.


@pytest.mark.parametrize(
    "query, found",
    [
        ("", ["b", "c", "a"]),
        ("sort=name", ["a", "b", "c"]),
        ("sort=-name", ["c", "b", "a"]),
        ("sort=shape", ["c", "b", "a"]),
        ("sort=-size", ["a", "b", "c"]),
        ("sort=as_of", ["a", "c", "b"]),
        ("sort=-shared", ["c", "b", "a"]),
        ("sort=owner", ["b", "c", "a"]),  # This list has no such column.
        ("sort=-opened&page=x", ["b", "c", "a"]),
        ("sort=owner__password", ["b", "c", "a"]),
        ("q=B", ["b"]),
        ("q=b&sort=nonsense", ["b"]),
    ],
)
def test_frames_can_be_searched_and_sorted(ann_at, publish, ann, bob, query, found):
    for name, count in (("a", 3000), ("c", 1), ("b", 200)):
        people = [bob] if name == "c" else []
        publish(ann, name, shared_with=people, x=range(count))
    page = ann_at.get(f"{HOME}?{query}")
    assert names(page) == found


def test_search_without_results_offers_to_show_all(ann_at, publish, ann):
    publish(ann, "sales")
    page = ann_at.get(f"{HOME}?q=%3Cb%3E")
    assertContains(page, "No table name contains “&lt;b&gt;”.")
    assertContains(page, "Show all")


def test_layout_is_remembered(ann_at, publish, ann):
    publish(ann, "sales")
    assertContains(ann_at.get(HOME), '<table class="listing list">')
    answer = ann_at.get(f"{HOME}?layout=cards&q=sales")
    assertRedirects(answer, f"{HOME}?q=sales")
    assertContains(ann_at.get(HOME), '<table class="listing cards">')
    ann_at.get(f"{HOME}?layout=nonsense")
    ann_at.cookies["frames_layout"] = "<nonsense>"
    assertContains(ann_at.get(HOME), '<table class="listing list">')


def test_sample_is_offered_only_to_people_without_a_table(
    ann_at, publish, ann, shared, settings
):
    button, hint = "Open the sample table", "The button runs"
    assertNotContains(ann_at.get(HOME), button)  # Bob has shared a table.
    shared.unshare(ann)
    assertContains(ann_at.get(HOME), button)
    settings.DEBUG = True
    assertContains(ann_at.get(HOME), hint)
    settings.DEBUG = False
    assertNotContains(ann_at.get(HOME), hint)
    publish(ann, "sales")
    assertNotContains(ann_at.get(HOME), button)
    assertNotContains(ann_at.get(f"{HOME}?q=nothing"), button)


def test_header_of_a_sorted_column_reverses_the_order(ann_at, publish, ann):
    publish(ann)
    page = ann_at.get(f"{HOME}?q=&sort=name")
    assertContains(page, 'aria-sort="ascending"', 1)
    assertContains(page, "sort=-name")
    assertContains(page, "sort=-size")


def test_pagination_keeps_search_and_sort(ann_at, publish, ann):
    for number in range(PER_PAGE + 1):
        publish(ann, f"x {number:02}")
    page = ann_at.get(f"{HOME}?q=x&sort=name")
    assert len(names(page)) == PER_PAGE
    following = page.context["own"].next
    assert following == "?q=x&sort=name&page=2"
    assert names(ann_at.get(HOME + following)) == [f"x {PER_PAGE}"]


def test_page_makes_no_query_per_frame(
    ann_at, publish, ann, bob, django_assert_num_queries
):
    def ask():
        # The queries read the session, its user, the count and one page of each list,
        # their saved views, the shares with this user, and whether anything can be
        # restored.
        with django_assert_num_queries(10):
            ann_at.get(HOME)

    publish(ann), publish(bob, shared_with=[ann])
    ask()
    for _ in range(5):
        publish(ann, shared_with=[bob]), publish(bob, shared_with=[ann])
    ask()


def test_lists_link_to_the_saved_views_of_each_table(ann_at, publish, ann, bob):
    frame, bob_at = publish(ann, "sales", shared_with=[bob]), Client()
    bob_at.force_login(bob)
    views = [frame.save_view(f"view {number}", View()) for number in range(3)]
    for client in (ann_at, bob_at):
        page = client.get(HOME)
        for view in views:
            link = f'<a href="{view.get_absolute_url()}">{view.name}</a>'
            assertContains(page, link, 1, html=True)
        assertNotContains(page, "All views")
    frame.save_view("view 3", View())
    page = bob_at.get(HOME)
    assertNotContains(page, "view 3")
    assertContains(page, f"/frames/{frame.pk}/views/", 1)


def test_page_is_small_and_loads_nothing_from_other_sites(ann_at, publish, ann):
    for _ in range(PER_PAGE):
        publish(ann, "a name that is as long as names of files usually are")
    page = ann_at.get(HOME).content.decode()
    assert len(page.encode()) < 60_000
    assert re.findall(r'(?:src|<link[^>]*href)="(?!/)[^"]*"', page) == []
    assert "<style" not in page and "style=" not in page
    assert not re.search(r"<script(?! src)", page)


# Permissions --------------------------------------------------------------------------

PAGES = ["rename", "share", "copy", "delete", "leave", "csv", "parquet"]


@pytest.mark.parametrize("page", PAGES)
def test_frame_of_another_user_is_not_found(ann_at, publish, bob, page):
    frame = publish(bob)
    path = f"/frames/{frame.pk}/{page}/"
    assert ann_at.get(path).status_code == 404
    data = {"name": "mine", "person": "ann"}
    assert ann_at.post(path, data).status_code in (404, 405)
    frame.refresh_from_db()
    assert (frame.name, frame.shares.count()) == ("", 0)
    assert Frame.objects.count() == 1


@pytest.mark.parametrize("page", ["rename", "share", "delete"])
def test_reader_cannot_use_pages_of_the_owner(ann_at, shared, page):
    for answer in (
        ann_at.get(f"/frames/{shared.pk}/{page}/"),
        ann_at.post(f"/frames/{shared.pk}/{page}/", {"name": "x", "person": "ann"}),
    ):
        assertContains(answer, "belongs to bob", status_code=403)
        assertContains(answer, f"/frames/{shared.pk}/copy/", status_code=403)
    shared.refresh_from_db()
    assert (shared.name, shared.shares.count()) == ("budget", 1)


@pytest.mark.parametrize("page", PAGES)
def test_pages_redirect_to_login_if_required(
    client, dtale_settings, publish, ann, page
):
    dtale_settings.LOGIN_REQUIRED = True
    path = f"/frames/{publish(ann).pk}/{page}/"
    login = f"/accounts/login/?next={path}"
    assertRedirects(client.get(path), login, fetch_redirect_response=False)


@pytest.mark.parametrize("page", ["rename", "share", "copy", "delete", "leave"])
def test_pages_change_nothing_on_get_or_without_csrf_token(
    client, publish, ann, bob, page
):
    frame = publish(ann, "sales", shared_with=[bob])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob if page == "leave" else ann)
    path = f"/frames/{frame.pk}/{page}/"
    assert strict.get(path).status_code == 200
    assert strict.post(path, {"name": "x", "person": "bob"}).status_code == 403
    frame.refresh_from_db()
    assert (frame.name, frame.shares.count(), Frame.objects.count()) == ("sales", 1, 1)


# Rename -------------------------------------------------------------------------------


def test_owner_can_rename_a_frame(ann_at, publish, ann):
    frame = publish(ann, "sales")
    page = ann_at.post(
        f"/frames/{frame.pk}/rename/", {"name": " Q3  sales "}, follow=True
    )
    assertContains(page, "The table was renamed.")
    assert names(page) == ["Q3 sales"]
    version = frame.version
    frame.refresh_from_db()
    # The new version number stops pages that are still open from restoring the old
    # name.
    assert frame.version > version


@pytest.mark.parametrize(
    "name, reason",
    [
        ("other", "You already have a table named other."),
        ("budget", "You already have a table named budget."),
        ("x" * 91, "at most 90 characters"),
    ],
)
def test_invalid_name_is_explained(ann_at, publish, ann, shared, name, reason):
    frame = publish(ann, "sales")
    publish(ann, "other")
    page = ann_at.post(f"/frames/{frame.pk}/rename/", {"name": name})
    assertContains(page, reason)
    frame.refresh_from_db()
    assert frame.name == "sales"


def test_script_gets_the_new_name_or_the_reason(ann_at, publish, ann):
    frame, script = publish(ann, "sales"), {"Accept": "application/json"}
    path = f"/frames/{frame.pk}/rename/"
    publish(ann, "other")
    answer = ann_at.post(path, {"name": "other"}, headers=script)
    assert answer.status_code == 400
    assert "already have a table named other" in answer.json()["error"]
    answer = ann_at.post(path, {"name": ""}, headers=script)
    assert answer.json() == {"name": "", "title": f"Table {frame.pk}"}
    assertNotContains(ann_at.get(HOME), "The table was renamed.")


def test_name_can_be_kept_or_removed(ann_at, publish, ann):
    frame = publish(ann, "sales")
    for name in ("sales", ""):
        ann_at.post(f"/frames/{frame.pk}/rename/", {"name": name})
        frame.refresh_from_db()
        assert frame.name == name


# Delete -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_delete_asks_for_confirmation(ann_at, publish, ann, bob, stored, purge_trash):
    frame = publish(ann, "sales", shared_with=[bob])
    page = ann_at.get(f"/frames/{frame.pk}/delete/")
    assertContains(page, "Everyone with whom you share it will lose access")
    page = ann_at.post(f"/frames/{frame.pk}/delete/", follow=True)
    assertContains(page, "sales was deleted.")
    assert names(page) == []
    purge_trash()
    assert not Frame.objects.exists() and stored.names() == set()


def test_deleting_from_the_list_keeps_the_search(ann_at, publish, ann):
    frame = publish(ann, "sales")
    page = ann_at.get(f"{HOME}?q=sales&sort=name")
    assertContains(page, f'formaction="/frames/{frame.pk}/delete/"')
    query = '<input type="hidden" name="list" value="q=sales&amp;sort=name">'
    assertContains(page, query, html=True)
    sent = {"list": "q=sales&sort=name"}
    answer = ann_at.post(f"/frames/{frame.pk}/delete/", sent)
    assertRedirects(answer, f"{HOME}?q=sales&sort=name")
    assertContains(
        ann_at.post(f"/frames/{publish(ann).pk}/delete/", follow=True), "Undo"
    )


def test_list_links_to_the_page_that_asks_if_nothing_can_be_restored(
    ann_at, publish, ann, dtale_settings
):
    dtale_settings.TRASH_DAYS = 0
    frame = publish(ann, "sales")
    assertContains(ann_at.get(HOME), f'<a href="/frames/{frame.pk}/delete/">')


# Downloads ----------------------------------------------------------------------------


def test_frame_can_be_downloaded(ann_at, publish, ann):
    data = {
        "a": [1, None],
        "b": ["ü,\n", "=x"],
        "d": pd.to_datetime(["2026-01-02", None]),
    }
    frame = publish(ann, "Q3/sales", **data)
    answer = ann_at.get(f"/frames/{frame.pk}/csv/")
    assert answer["Content-Disposition"] == 'attachment; filename="Q3_sales.csv"'
    assert "no-store" in answer["Cache-Control"]
    text = b"".join(answer).decode()
    assert text == 'a,b,d\n1.0,"ü,\n",2026-01-02\n,=x,\n'
    answer = ann_at.get(f"/frames/{frame.pk}/parquet/")
    read = pd.read_parquet(BytesIO(b"".join(answer)))
    assert read["b"].tolist() == data["b"] and str(read["d"].dtype).startswith(
        "datetime64"
    )


def test_reader_can_download_a_shared_frame(ann_at, shared):
    text = b"".join(ann_at.get(f"/frames/{shared.pk}/csv/")).decode()
    assert text == "a,b\n1,4\n2,5\n3,6\n"


def test_unsupported_values_become_text_in_parquet():
    frame = pd.DataFrame(
        {
            "mixed": pd.Series([1, "x", None], dtype=object),
            "complex": [1 + 2j, 0, 0],
            "price": [Decimal("1.10"), None, Decimal("2")],
            "period": pd.period_range("2026", periods=3, freq="M"),
            "duration": pd.to_timedelta([1, 2, None], "s"),
        }
    )
    with WRITERS["parquet"](frame) as file:
        read = pd.read_parquet(file)
    assert read["mixed"].tolist()[:2] == ["1", "x"]
    assert read["complex"].tolist()[0] == "(1+2j)"
    assert read["price"][0] == Decimal("1.10")
    assert str(read["period"].dtype) == "period[M]"
    assert read["duration"][1] == pd.Timedelta("2s")


def test_download_of_a_frame_with_a_missing_payload_fails(ann_at, publish, ann, stored):
    frame = publish(ann)
    stored.replace(frame.payload)
    answer = ann_at.get(f"/frames/{frame.pk}/csv/")
    assertContains(answer, "cannot be read", status_code=500)
