"""Deleted tables, which can be restored: the page "Recently deleted" and its limits."""

from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale.exceptions import LimitExceeded
from django_dtale.models import Action, AuditEntry, Change, Frame, Share
from django_dtale.models.data_ids import data_id, variant_of_state
from django_dtale.storage.blobs import files_of
from django_dtale.views.listing import PER_PAGE

from .conftest import csrf_token
from .test_limits import counts, purge

pytestmark = pytest.mark.django_db(transaction=True)

HOME, TRASH = "/frames/", "/frames/trash/"


@pytest.fixture
def sales(publish, ann, bob):
    """A table of Ann's, shared with Bob."""
    return publish(ann, "sales", shared_with=[bob])


@pytest.fixture
def deleted(at, sales):
    """The same table after Ann has deleted it."""
    at.post(f"/frames/{sales.pk}/delete/")
    sales.refresh_from_db()
    assert sales.deleted_at
    return sales


def undo_url(page):
    """Return the URL of the button "Undo" on a page."""
    [form] = [part for part in page.text.split("<form") if ">Undo<" in part]
    return form.partition('action="')[2].partition('"')[0].replace("&amp;", "&")


# Delete and restore -------------------------------------------------------------------


def test_deleting_can_be_undone_from_the_message(at, sales, visitor, ann, bob):
    readers = visitor(bob)
    page = at.post(f"/frames/{sales.pk}/delete/", follow=True)
    assertContains(page, "sales was deleted.")
    assert readers.get(f"main/{sales.pk}").status_code == 404
    page = at.post(undo_url(page), follow=True)
    assertContains(page, "sales was restored.")
    assertNotContains(page, "Recently deleted")
    assertNotContains(page, ">Undo<")
    assert visitor(ann).column(sales.pk) == [1, 2, 3]
    assert readers.column(sales.pk) == [1, 2, 3]
    entries = AuditEntry.objects.values_list("action", "username", "frame_pk")
    assert [*entries][:2] == [
        (Action.RESTORED, "ann", sales.pk),
        (Action.DELETED, "ann", sales.pk),
    ]


def test_deleted_table_is_nowhere_but_in_the_list_of_deleted_ones(
    at, deleted, visitor, ann
):
    owner = visitor(ann)
    assert owner.frames() == []
    for page in ("delete", "rename", "csv", "copy", "history", "share"):
        assert at.get(f"/frames/{deleted.pk}/{page}/").status_code == 404
    assert owner.edit(deleted.pk, 9).status_code == 404
    assertContains(at.get(HOME), f'href="{TRASH}"')
    page = at.get(TRASH)
    assertContains(page, "<strong>sales</strong>")
    for text in ("3 × 2", ">deleted ", "30 days left"):
        assertContains(page, text)


def test_table_deleted_in_dtale_can_be_restored(owner, at, sales):
    assert owner.get("cleanup-datasets", dataIds=sales.pk).json["success"]
    assert owner.frames() == []
    at.post("/frames/trash/restore/", {"table": sales.pk})
    assert owner.column(sales.pk) == [1, 2, 3]


def test_visitor_can_restore_their_own_table(visitor):
    somebody = visitor()
    pk = somebody.upload()
    assert somebody.submit(f"/frames/{pk}/delete/").status_code == 302
    data = csrf_token(somebody.browser.get(TRASH)) | {"table": str(pk)}
    answer = somebody.browser.post(f"{TRASH}restore/", data=data)
    assert answer.status_code == 302
    assert somebody.column(pk) == [1, 2, 3]


def test_history_is_restored_with_the_table(owner, at, sales):
    owner.edit(sales.pk, 9)
    at.post(f"/frames/{sales.pk}/delete/")
    at.post(f"{TRASH}restore/", {"table": sales.pk})
    before = data_id(sales.pk, variant_of_state(Change.objects.get().pk))
    assert owner.column(before) == [1, 2, 3] != owner.column(sales.pk)


def test_restored_table_gets_a_free_name(at, deleted, publish, ann):
    publish(ann, "sales")
    page = at.post(f"{TRASH}restore/", {"table": deleted.pk}, follow=True)
    assertContains(page, "sales 2 was restored.")
    names = Frame.objects.kept().values_list("name", flat=True)
    assert sorted(names) == ["sales", "sales 2"]


def test_name_of_a_deleted_table_is_free(at, deleted, publish, ann):
    assert publish(ann, "sales").name == "sales"
    frame = publish(ann, "costs")
    at.post(f"/frames/{frame.pk}/rename/", {"name": "sales 2"})
    frame.refresh_from_db()
    assert frame.name == "sales 2"


def test_restored_table_does_not_expire_at_once(at, deleted):
    Frame.objects.update(last_opened_at=timezone.now() - timedelta(days=100))
    assert counts(purge()) == {}
    at.post(f"{TRASH}restore/", {"table": deleted.pk})
    assert counts(purge()) == {}
    assert Frame.objects.kept().exists()


# Permissions --------------------------------------------------------------------------


@pytest.fixture
def paths(deleted):
    """The paths that restore or delete the table of Ann's, and the form data."""
    return [
        (f"{TRASH}restore/", {"table": deleted.pk}),
        (f"{TRASH}restore/?table={deleted.pk}", {}),
        (f"{TRASH}{deleted.pk}/", {}),
    ]


def test_only_the_owner_can_restore_or_delete_for_good(paths, deleted, bob, user):
    root = user("root", is_superuser=True, is_staff=True)
    for each in (bob, root, None):
        other = Client()
        if each:
            other.force_login(each)
        assertNotContains(other.get(TRASH), "sales")
        for path, data in paths:
            assertContains(
                other.post(path, data),
                f"Table {deleted.pk} does not exist, or is not shared with you.",
                status_code=404,
            )
        assert other.get(f"{TRASH}{deleted.pk}/").status_code == 404
        other.post(f"{TRASH}empty/")
    deleted.refresh_from_db()
    assert deleted.deleted_at


def test_nothing_changes_on_get_or_without_csrf_token(paths, deleted, ann):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    for path, data in [*paths, (f"{TRASH}empty/", {})]:
        assert strict.get(path, data).status_code in (200, 302)
        assert strict.post(path, data).status_code == 403
    deleted.refresh_from_db()
    assert deleted.deleted_at


def test_kept_table_cannot_be_deleted_for_good(at, sales):
    assert at.post(f"{TRASH}{sales.pk}/").status_code == 404
    assert at.post(f"{TRASH}restore/", {"table": sales.pk}).status_code == 404
    at.post(f"{TRASH}empty/")
    assert Frame.objects.kept().exists()


@pytest.mark.parametrize("value", ["x", "-1", "9" * 30])
def test_invalid_table_is_refused(at, deleted, value):
    answer = at.post(f"{TRASH}restore/", {"table": [deleted.pk, value]})
    assert answer.status_code in (400, 404)
    deleted.refresh_from_db()
    assert deleted.deleted_at


# Delete for good ----------------------------------------------------------------------


def test_table_can_be_deleted_for_good(at, deleted, stored):
    assertContains(at.get(f"{TRASH}{deleted.pk}/"), "You cannot undo this.")
    page = at.post(f"{TRASH}{deleted.pk}/", follow=True)
    assertContains(page, "sales was deleted for good.")
    assertContains(page, "Nothing was deleted recently.")
    assert not Frame.objects.exists() and stored.names() == set()
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.frame_name) == (Action.DELETED, "sales")
    assert entry.detail == "For good"


def test_recently_deleted_can_be_emptied(at, deleted, publish, ann, bob, stored):
    kept = publish(ann, "kept", shared_with=[bob])
    Share.objects.get(frame=kept).remove()
    other = publish(bob, "other")
    Frame.objects.filter(pk=other.pk).update(deleted_at=timezone.now())
    page = at.get(f"{TRASH}empty/")
    assertContains(page, "of one table will be deleted")
    assertContains(page, "The list of people whose access you removed")
    page = at.post(f"{TRASH}empty/", follow=True)
    assertContains(page, "“Recently deleted” is empty now.")
    assertNotContains(page, f'href="{TRASH}"')
    assert {*Frame.objects.all()} == {kept, other}
    assert stored.names() == {kept.payload, other.payload}
    assert not kept.removedshares.exists()


def test_zero_days_are_explained(at, sales, dtale_settings):
    dtale_settings.TRASH_DAYS = 0
    page = at.get(f"/frames/{sales.pk}/delete/")
    assertContains(page, "deleted for good the next time this site is cleaned up")
    at.post(f"/frames/{sales.pk}/delete/")
    assertContains(at.get(TRASH), "until the next cleanup")


def test_removed_shares_are_listed(at, sales, bob):
    assertNotContains(at.get(HOME), "Recently deleted")
    sales.shares.get().remove()
    assertContains(at.get(HOME), f'href="{TRASH}"')
    page = at.get(TRASH)
    assertContains(page, "<strong>bob</strong>")
    assertContains(page, "sales, Can view")
    bobs = Client()
    bobs.force_login(bob)
    assertNotContains(bobs.get(TRASH), "sales")


def test_list_has_pages(at, publish, ann):
    for _ in range(PER_PAGE + 1):
        publish(ann)
    Frame.objects.update(deleted_at=timezone.now())
    page = at.get(TRASH)
    assert len(page.context["frames"]) == PER_PAGE
    assertContains(page, "Page 1 of 2")
    assert len(at.get(f"{TRASH}?page=2").context["frames"]) == 1


# Limits -------------------------------------------------------------------------------

MEGABYTE = 130_000  # Rows of a column of integers.


def test_deleted_tables_do_not_count_but_restored_ones_do(
    at, deleted, publish, ann, dtale_settings
):
    dtale_settings.MAX_COUNT = 1
    publish(ann, "other")
    page = at.post(f"{TRASH}restore/", {"table": deleted.pk})
    assertContains(page, "You would have 2 tables", status_code=413)
    deleted.refresh_from_db()
    assert deleted.deleted_at


def test_several_tables_are_restored_together_or_not_at_all(
    at, publish, ann, dtale_settings
):
    tables = [publish(ann).pk for _ in range(3)]
    Frame.objects.update(deleted_at=timezone.now())
    dtale_settings.MAX_COUNT = 2
    answer = at.post(f"{TRASH}restore/", {"table": tables})
    assert answer.status_code == 413
    assert not Frame.objects.kept().exists()
    page = at.post(f"{TRASH}restore/", {"table": tables[1:]}, follow=True)
    assertContains(page, "2 tables were restored.")


def test_bytes_of_deleted_tables_count(at, publish, ann, dtale_settings):
    dtale_settings.MAX_MB = 2
    first = publish(ann, a=np.arange(MEGABYTE))
    at.post(f"/frames/{first.pk}/delete/")
    with pytest.raises(LimitExceeded) as error:
        publish(ann, a=np.arange(136_000))
    assert "1 MB of these are deleted tables" in str(error.value)
    assert TRASH in str(error.value)
    at.post(f"{TRASH}empty/")
    assert publish(ann, a=np.arange(136_000)).pk


def test_oldest_history_makes_room_for_new_data(
    owner, publish, ann, dtale_settings, stored
):
    """Each deleted column costs a whole earlier state."""
    columns = {name: np.random.default_rng(1).random(MEGABYTE) for name in "ab"}
    frames = [publish(ann, **columns) for _ in range(2)]
    for frame in frames:
        assert owner.get(f"delete-col/{frame.pk}", cols=["a"]).json["success"]
        frame.refresh_from_db()
        assert frame.history_nbytes > 1_000_000
    oldest = Change.objects.first()
    dtale_settings.MAX_MB = 6
    publish(ann, a=np.arange(MEGABYTE))
    assert not Change.objects.filter(pk=oldest.pk).exists()
    assert Change.objects.count() == 1
    frames[0].refresh_from_db(), frames[1].refresh_from_db()
    assert frames[0].history_nbytes == 0 < frames[1].history_nbytes
    needed = [each.payload for each in (*Frame.objects.all(), *Change.objects.all())]
    assert stored.names() == set().union(*map(files_of, needed))


def test_history_of_an_edit_never_exceeds_the_limit(
    owner, publish, ann, dtale_settings
):
    frame = publish(ann, a=np.arange(MEGABYTE), b=np.arange(MEGABYTE) * 2)
    dtale_settings.MAX_MB = 2
    assert owner.get(f"delete-col/{frame.pk}", cols=["a"]).json["success"]
    frame.refresh_from_db()
    assert (frame.history_nbytes, frame.changes.count()) == (0, 0)
