"""Limits on the number, size and age of frames, and the command purge_frames."""

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
from django_dtale.models import Frame
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
    with pytest.raises(
        LimitExceeded, match=r"1\.0 MB, your tables would take 2\.0 MB, 0\.0 MB"
    ):
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
    assert "1 expired frames, 1 unreferenced files" in purge(grace=0)
    assert list(Frame.objects.all()) == [clutter]
    assert stored.names() == {clutter.payload}
    assert visitor(ann).column(clutter.pk) == [1, 2, 3]


def test_purge_keeps_the_bases_of_payloads(on_a_base, clutter, stored):
    purge(grace=0)
    files = blobs.files_of(on_a_base.payload)
    assert stored.names() == {clutter.payload} | files


def test_second_purge_removes_nothing(clutter, stored):
    purge(grace=0)
    assert "0 expired frames, 0 unreferenced files" in purge(grace=0)
    assert stored.names() == {clutter.payload}


def test_dry_run_counts_and_deletes_nothing(clutter, stored):
    before = stored.names()
    told = purge(grace=0, dry_run=True)
    assert "1 expired frames, 1 unreferenced files" in told
    assert told.rstrip().endswith("would be deleted.")
    assert stored.names() == before and Frame.objects.count() == 2


def test_purge_keeps_recent_unreferenced_files(clutter, stored):
    before = stored.names()
    assert "1 expired frames, 0 unreferenced files" in purge()
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
    assert "0 expired frames, 0 unreferenced files" in purge()


def test_purge_keeps_foreign_files(clutter, stored):
    storages["frames"].save("README.txt", ContentFile(b"not a frame"))
    purge(grace=0)
    assert storages["frames"].exists("README.txt")
