"""Limits on the number, size and age of frames, and the command purge_frames."""

import re
from datetime import timedelta
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from django.utils import timezone

from django_dtale.exceptions import LimitExceeded
from django_dtale.management.commands.purge_frames import Command
from django_dtale.models import (
    Action,
    AuditEntry,
    Change,
    Frame,
    PersonalView,
    RemovedShare,
    SavedView,
    Share,
)
from django_dtale.models.data_ids import data_id, variant_of_state, variant_of_view
from django_dtale.storage import blobs

pytestmark = pytest.mark.django_db(transaction=True)


TURNED = {"index": ["a"], "columns": ["b"]}


# Limits -------------------------------------------------------------------------------


def test_too_many_frames_are_refused_with_the_limit(
    publish, ann, bob, dtale_settings, stored
):
    dtale_settings.MAX_COUNT = 2
    publish(ann), publish(ann), publish(bob)
    with pytest.raises(LimitExceeded, match="have 3 tables; the limit is 2"):
        publish(ann)
    assert Frame.objects.filter(owner=ann).count() == 2
    assert len(stored.names()) == 3


def test_too_large_frame_is_refused_with_the_excess(
    publish, ann, dtale_settings, stored
):
    dtale_settings.MAX_CELLS = 5
    with pytest.raises(LimitExceeded, match="3 rows x 2 columns = 6 cells, 1 more"):
        publish(ann)
    assert not Frame.objects.exists() and stored.names() == set()


def test_total_size_of_a_users_frames_is_limited(
    publish, ann, bob, dtale_settings, stored
):
    dtale_settings.MAX_MB = 2
    columns = {"a": np.arange(130_000)}  # This column takes about a megabyte.
    publish(ann, **columns), publish(bob, **columns)
    with pytest.raises(LimitExceeded, match=r"1 MB, your tables would take 2 MB, 0 MB"):
        publish(ann, a=np.arange(136_000))
    assert Frame.objects.count() == len(stored.names()) == 2


def test_reshaped_frame_over_the_limit_is_refused(visitor, dtale_settings, stored):
    dtale_settings.MAX_COUNT = 1
    somebody = visitor()
    pk = somebody.upload()
    answer = somebody.get(f"reshape/{pk}", type="transpose", cfg=TURNED, output="new")
    assert "tables; the limit is " in answer.json["error"]
    assert Frame.objects.count() == len(stored.names()) == 1


def test_column_over_the_limit_is_refused(
    visitor, publish, ann, dtale_settings, stored
):
    frame = publish(ann)
    dtale_settings.MAX_CELLS = 6
    owner = visitor(ann)
    answer = owner.get(f"duplicate-col/{frame.pk}", col="a")
    assert "9 cells, 3 more than the limit of 6" in answer.json["error"]
    assert stored.names() == {frame.payload}
    assert owner.edit(frame.pk, 9).json["success"]


def test_base_of_several_payloads_is_counted_once(
    visitor, publish, ann, dtale_settings
):
    frame = publish(ann, a=range(130_000), b=range(130_000), c=range(130_000))
    dtale_settings.MAX_MB = 1
    assert visitor(ann).edit(frame.pk, 9).json["success"]
    edited = Frame.objects.get()
    assert blobs.base_of(edited.payload) == frame.payload
    assert abs(edited.nbytes - frame.nbytes) < 1000


def test_user_over_the_limit_can_still_make_frames_smaller(
    visitor, publish, ann, dtale_settings
):
    frame = publish(ann, a=range(130_000), b=range(130_000))
    dtale_settings.MAX_MB = 1
    owner = visitor(ann)
    assert owner.get(f"delete-col/{frame.pk}", cols=["b"]).json["success"]
    answer = owner.get(f"duplicate-col/{frame.pk}", col="a")
    assert "your tables would take " in answer.json["error"]
    assert owner.get("cleanup-datasets", dataIds=frame.pk).json["success"]


@pytest.mark.parametrize("is_copy", [True, False], ids=["copy", "sample"])
def test_copy_or_sample_over_the_limit_is_refused(
    visitor, publish, ann, dtale_settings, is_copy
):
    frame = publish(ann)
    dtale_settings.MAX_COUNT = 1
    path = f"/frames/{frame.pk}/copy/" if is_copy else "/create-df/"
    answer = visitor(ann).submit(path)
    assert "tables; the limit is " in answer.text
    assert Frame.objects.count() == 1


def test_frame_exactly_at_the_limits_is_accepted(publish, ann, dtale_settings):
    dtale_settings.MAX_COUNT = 1
    dtale_settings.MAX_CELLS = 6
    assert publish(ann).pk


# purge_frames -------------------------------------------------------------------------


def purge(**options):
    """Run purge_frames, and return its output."""
    printed = StringIO()
    call_command("purge_frames", stdout=printed, stderr=StringIO(), **options)
    return printed.getvalue()


def counts(printed):
    """Return what purge_frames has deleted, by kind, without the zeros."""
    found = re.findall(r"(\d+) ([a-z ]+?)(?:,| and| deleted\.| would)", printed)
    assert len(found) == 8
    return {kind: int(number) for number, kind in found if number != "0"}


@pytest.fixture
def clutter(publish, ann, dtale_settings, stored):
    """Store a frame in use, an expired one and a stray file. Return the first."""
    dtale_settings.EXPIRE_DAYS = 30
    kept, expired = publish(ann, "kept"), publish(ann, "expired")
    now = timezone.now()
    Frame.objects.filter(pk=kept.pk).update(last_opened_at=now - timedelta(days=29))
    Frame.objects.filter(pk=expired.pk).update(last_opened_at=now - timedelta(days=31))
    blobs.save(pd.DataFrame({"a": [1]}))
    return kept


def test_purge_removes_only_expired_frames_and_unreferenced_files(
    clutter, stored, visitor, ann
):
    assert counts(purge(grace=0)) == {"expired frames": 1, "unreferenced files": 1}
    assert list(Frame.objects.all()) == [clutter]
    assert stored.names() == {clutter.payload}
    assert visitor(ann).column(clutter.pk) == [1, 2, 3]


def test_purge_keeps_the_bases_of_payloads(on_a_base, clutter, stored):
    purge(grace=0)
    files = blobs.files_of(on_a_base.payload)
    assert stored.names() == {clutter.payload} | files


def test_second_purge_removes_nothing(clutter, stored):
    purge(grace=0)
    assert counts(purge(grace=0)) == {}
    assert stored.names() == {clutter.payload}


def test_dry_run_counts_and_deletes_nothing(clutter, stored):
    before = stored.names()
    told = purge(grace=0, dry_run=True)
    assert counts(told) == {"expired frames": 1, "unreferenced files": 1}
    assert told.rstrip().endswith("would be deleted.")
    assert stored.names() == before and Frame.objects.count() == 2


def test_purge_keeps_recent_unreferenced_files(clutter, stored):
    before = stored.names()
    assert counts(purge()) == {"expired frames": 1}
    assert len(stored.names()) == len(before) - 1


def test_recently_opened_frame_does_not_expire(clutter, visitor, ann, dtale_settings):
    visitor(ann).get(f"main/{clutter.pk}")
    dtale_settings.EXPIRE_DAYS = 1
    purge()
    assert list(Frame.objects.all()) == [clutter]


def test_frame_opened_by_a_reader_does_not_expire(
    clutter, visitor, bob, dtale_settings
):
    clutter.shared_with.add(bob)
    visitor(bob).get(f"main/{clutter.pk}")
    dtale_settings.EXPIRE_DAYS = 1
    purge()
    assert list(Frame.objects.all()) == [clutter]


def test_frame_opened_during_the_purge_is_kept(clutter, settings, monkeypatch):
    progress = Command.progress

    def open_meanwhile(self, items, label):
        Frame.objects.update(last_opened_at=timezone.now())
        return progress(self, items, label)

    monkeypatch.setattr(Command, "progress", open_meanwhile)
    purge()
    assert Frame.objects.count() == 2


def test_zero_days_disables_expiry(clutter, dtale_settings):
    dtale_settings.EXPIRE_DAYS = 0
    assert "0 expired" in purge()


def test_purge_reports_an_undeletable_file_and_continues(clutter, stored, monkeypatch):
    blobs.save(pd.DataFrame({"a": [2]}))
    expired = Frame.objects.get(name="expired").payload
    remove, refused = blobs.remove, []

    def busy(name):
        if not refused and name != expired:
            refused.append(name)
            raise PermissionError("mapped")
        remove(name)

    errors = StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(blobs, "remove", busy)
        call_command("purge_frames", grace=0, stdout=StringIO(), stderr=errors)
    assert f"{refused[0]} could not be deleted: mapped." in errors.getvalue()
    purge(grace=0)
    assert stored.names() == {clutter.payload}


def test_purge_of_an_empty_site_deletes_nothing(stored):
    assert counts(purge()) == {}


def test_purge_keeps_foreign_files(clutter, stored):
    storages["frames"].save("README.txt", ContentFile(b"not a frame"))
    purge(grace=0)
    assert storages["frames"].exists("README.txt")


# Trash, history and the audit log ---------------------------------------------------


def ago(days):
    return timezone.now() - timedelta(days=days)


def test_purge_removes_old_trash_and_keeps_new(publish, ann, bob, stored):
    old, new = publish(ann, "old"), publish(ann, "new")
    Frame.objects.filter(pk=old.pk).update(deleted_at=ago(31))
    Frame.objects.filter(pk=new.pk).update(deleted_at=ago(29))
    kept = publish(ann, "kept")
    for person, days in ((ann, 31), (bob, 29)):
        removed = Share.objects.grant(kept, person).remove()
        RemovedShare.objects.filter(pk=removed.pk).update(removed_at=ago(days))
    expected = {"deleted frames": 1, "removed shares": 1}
    assert counts(purge(dry_run=True)) == expected
    assert Frame.objects.count() == 3 and RemovedShare.objects.count() == 2
    assert counts(purge()) == expected
    assert {*Frame.objects.all()} == {new, kept}
    assert stored.names() == {new.payload, kept.payload}
    assert RemovedShare.objects.get().user == bob


@pytest.fixture
def changed(publish, ann, visitor):
    """A frame with changes that were made 31, 30.5 and 29 days ago, by columns."""
    columns = {name: np.random.default_rng(1).random(130_000) for name in "abcd"}
    frame, owner = publish(ann, **columns), visitor(ann)
    for column, days in (("a", 31), ("b", 30.5), ("c", 29)):
        answer = owner.get(f"delete-col/{frame.pk}", cols=[column])
        assert answer.json["success"]
        change = Change.objects.order_by("-pk")[:1].values("pk")
        Change.objects.filter(pk__in=change).update(made_at=ago(days))
    frame.refresh_from_db()
    return frame


def test_purge_removes_old_changes_and_their_files(
    changed, stored, visitor, ann, dtale_settings
):
    dtale_settings.HISTORY_DAYS = 32
    assert counts(purge()) == {}
    dtale_settings.HISTORY_DAYS = 30
    [*_, newest] = Change.objects.all()
    before = stored.names()
    assert counts(purge(dry_run=True)) == {"changes": 2}
    assert stored.names() == before and Change.objects.count() == 3
    assert counts(purge()) == {"changes": 2}
    assert Change.objects.get() == newest
    needed = blobs.files_of(changed.payload) | blobs.files_of(newest.payload)
    assert stored.names() == needed < before
    nbytes = changed.history_nbytes
    changed.refresh_from_db()
    own = blobs.files_of(newest.payload) - blobs.files_of(changed.payload)
    assert changed.history_nbytes == sum(map(blobs.file_size, own)) < nbytes
    state = data_id(changed.pk, variant_of_state(newest.pk))
    assert visitor(ann).column(state, "c")
    assert counts(purge(grace=0)) == {}


def test_purge_keeps_the_files_of_earlier_states(changed, stored):
    Change.objects.update(made_at=timezone.now())
    before = stored.names()
    assert len(before) > len(blobs.files_of(changed.payload))
    assert counts(purge(grace=0)) == {}
    assert stored.names() == before


def test_purge_removes_views_of_deleted_states_and_saved_views(changed, ann, publish):
    change, saved = (
        Change.objects.last(),
        SavedView.objects.create(frame=changed, name="x"),
    )
    other = publish(ann)
    variants = {0, variant_of_state(change.pk), variant_of_view(saved.pk)}
    gone = variant_of_state(Change.objects.first().pk), variant_of_view(saved.pk + 1)
    for variant in (*variants, *gone):
        PersonalView.objects.create(frame=changed, user=ann, variant=variant)
    # The change belongs to another frame.
    wrong = variant_of_state(change.pk)
    PersonalView.objects.create(frame=other, user=ann, variant=wrong)
    assert counts(purge()) == {"changes": 2, "views without a table": 3}
    left = PersonalView.objects.values_list("frame", "variant")
    assert {*left} == {(changed.pk, variant) for variant in variants}


def test_purge_removes_old_entries_of_the_audit_log(frame, ann, dtale_settings):
    for _ in range(2):
        AuditEntry.objects.record(ann, Action.OPENED, frame)
    AuditEntry.objects.filter(pk=AuditEntry.objects.first().pk).update(at=ago(366))
    dtale_settings.AUDIT_DAYS = 0
    assert counts(purge()) == {}
    dtale_settings.AUDIT_DAYS = 365
    assert counts(purge(dry_run=True)) == {"entries of the audit log": 1}
    assert counts(purge()) == {"entries of the audit log": 1}
    assert AuditEntry.objects.get().at > ago(1)
