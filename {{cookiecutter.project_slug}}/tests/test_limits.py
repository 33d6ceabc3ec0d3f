"""How many frames, how large, for how long; and what purge_frames clears away."""

from datetime import timedelta
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from django.utils import timezone

from frames import frame_storage
from frames.exceptions import LimitExceeded
from frames.management.commands.purge_frames import Command
from frames.models import Frame

pytestmark = pytest.mark.django_db(transaction=True)


TURNED = {"index": ["a"], "columns": ["b"]}


# Limits -------------------------------------------------------------------------------


def test_one_frame_too_many_says_which_limit(publish, ann, bob, settings, stored):
    settings.FRAMES_MAX_COUNT = 2
    publish(ann), publish(ann), publish(bob)
    with pytest.raises(LimitExceeded, match="frame number 3.* 2 .FRAMES_MAX_COUNT"):
        publish(ann)
    assert Frame.objects.filter(owner=ann).count() == 2
    assert len(stored.names()) == 3


def test_frame_too_large_says_how_far(publish, ann, settings, stored):
    settings.FRAMES_MAX_CELLS = 5
    with pytest.raises(LimitExceeded, match="3 rows x 2 columns = 6 cells, 1 more"):
        publish(ann)
    assert not Frame.objects.exists() and stored.names() == set()


def test_bytes_of_all_frames_of_one_person_are_limited(
    publish, ann, bob, settings, stored
):
    settings.FRAMES_MAX_MB = 2
    columns = {"a": np.arange(130_000)}  # About a megabyte.
    publish(ann, **columns), publish(bob, **columns)
    with pytest.raises(LimitExceeded, match=r"1\.0 MB you would have 2\.0 MB, 0\.0 MB"):
        publish(ann, a=np.arange(136_000))
    assert Frame.objects.count() == len(stored.names()) == 2


def test_reshaped_frame_over_the_limit_says_so(visitor, settings, stored):
    settings.FRAMES_MAX_COUNT = 1
    somebody = visitor()
    pk = somebody.upload()
    answer = somebody.get(f"reshape/{pk}", type="transpose", cfg=TURNED, output="new")
    assert "FRAMES_MAX_COUNT" in answer.json["error"]
    assert Frame.objects.count() == len(stored.names()) == 1


def test_column_over_the_limit_says_so(visitor, publish, ann, settings, stored):
    frame = publish(ann)
    settings.FRAMES_MAX_CELLS = 6
    owner = visitor(ann)
    answer = owner.get(f"duplicate-col/{frame.pk}", col="a")
    assert "9 cells, 3 more than the 6" in answer.json["error"]
    assert stored.names() == {frame.payload}
    assert owner.edit(frame.pk, 9).json["success"]


def test_file_that_stays_for_others_to_lean_on_is_counted_once(
    visitor, publish, ann, settings
):
    frame = publish(ann, a=range(130_000), b=range(130_000), c=range(130_000))
    settings.FRAMES_MAX_MB = 1
    assert visitor(ann).edit(frame.pk, 9).json["success"]
    edited = Frame.objects.get()
    assert frame_storage.base_of(edited.payload) == frame.payload
    assert abs(edited.nbytes - frame.nbytes) < 1000


def test_who_is_over_the_limit_can_still_make_frames_smaller(
    visitor, publish, ann, settings
):
    frame = publish(ann, a=range(130_000), b=range(130_000))
    settings.FRAMES_MAX_MB = 1
    owner = visitor(ann)
    assert owner.get(f"delete-col/{frame.pk}", cols=["b"]).json["success"]
    answer = owner.get(f"duplicate-col/{frame.pk}", col="a")
    assert "FRAMES_MAX_MB" in answer.json["error"]
    assert owner.get("cleanup-datasets", dataIds=frame.pk).json["success"]


@pytest.mark.parametrize("is_copy", [True, False], ids=["copy", "sample"])
def test_page_over_the_limit_says_so(visitor, publish, ann, settings, is_copy):
    frame = publish(ann)
    settings.FRAMES_MAX_COUNT = 1
    path = f"/frames/{frame.pk}/copy/" if is_copy else "/create-df/"
    answer = visitor(ann).submit(path)
    assert "FRAMES_MAX_COUNT" in answer.text
    assert Frame.objects.count() == 1


def test_limits_hold_at_their_very_number(publish, ann, settings):
    settings.FRAMES_MAX_COUNT = 1
    settings.FRAMES_MAX_CELLS = 6
    assert publish(ann).pk


# purge_frames -------------------------------------------------------------------------


def purge(**options):
    """What the command prints (str)."""
    printed = StringIO()
    call_command("purge_frames", stdout=printed, stderr=StringIO(), **options)
    return printed.getvalue()


@pytest.fixture
def clutter(publish, ann, settings, stored):
    """A frame in use, one that expired, and bytes of no frame; the frame in use."""
    settings.FRAMES_EXPIRE_DAYS = 30
    kept, expired = publish(ann, "kept"), publish(ann, "expired")
    now = timezone.now()
    Frame.objects.filter(pk=kept.pk).update(opened=now - timedelta(days=29))
    Frame.objects.filter(pk=expired.pk).update(opened=now - timedelta(days=31))
    frame_storage.save(pd.DataFrame({"a": [1]}))
    return kept


def test_purge_removes_what_nobody_needs_and_nothing_else(
    clutter, stored, visitor, ann
):
    assert "1 expired frames and 1 files" in purge(grace=0)
    assert list(Frame.objects.all()) == [clutter]
    assert stored.names() == {clutter.payload}
    assert visitor(ann).column(clutter.pk) == [1, 2, 3]


def test_purge_leaves_what_a_payload_leans_on(on_a_base, clutter, stored):
    purge(grace=0)
    files = frame_storage.files_of(on_a_base.payload)
    assert stored.names() == {clutter.payload} | files


def test_purge_twice_is_the_same_as_once(clutter, stored):
    purge(grace=0)
    assert "0 expired frames and 0 files" in purge(grace=0)
    assert stored.names() == {clutter.payload}


def test_dry_run_counts_and_deletes_nothing(clutter, stored):
    before = stored.names()
    assert "1 expired frames and 1 files without a frame would be" in purge(
        grace=0, dry_run=True
    )
    assert stored.names() == before and Frame.objects.count() == 2


def test_young_bytes_are_left_to_the_request_that_will_name_them(clutter, stored):
    before = stored.names()
    assert "1 expired frames and 0 files" in purge()
    assert len(stored.names()) == len(before) - 1


def test_frame_that_is_opened_again_does_not_expire(clutter, visitor, ann, settings):
    visitor(ann).get(f"main/{clutter.pk}")
    settings.FRAMES_EXPIRE_DAYS = 1
    purge()
    assert list(Frame.objects.all()) == [clutter]


def test_frame_that_a_reader_opens_does_not_expire(clutter, visitor, bob, settings):
    clutter.shared_with.add(bob)
    visitor(bob).get(f"main/{clutter.pk}")
    settings.FRAMES_EXPIRE_DAYS = 1
    purge()
    assert list(Frame.objects.all()) == [clutter]


def test_frame_that_is_opened_while_the_command_runs_stays(
    clutter, settings, monkeypatch
):
    progress = Command.progress

    def open_meanwhile(self, items, label):
        Frame.objects.update(opened=timezone.now())
        return progress(self, items, label)

    monkeypatch.setattr(Command, "progress", open_meanwhile)
    purge()
    assert Frame.objects.count() == 2


def test_without_a_number_of_days_nothing_expires(clutter, settings):
    settings.FRAMES_EXPIRE_DAYS = 0
    assert "0 expired" in purge()


def test_file_that_cannot_go_is_named_and_the_others_go(clutter, stored, monkeypatch):
    frame_storage.save(pd.DataFrame({"a": [2]}))
    expired = Frame.objects.get(name="expired").payload
    remove, refused = frame_storage.remove, []

    def busy(name):
        if not refused and name != expired:
            refused.append(name)
            raise PermissionError("mapped")
        remove(name)

    errors = StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(frame_storage, "remove", busy)
        call_command("purge_frames", grace=0, stdout=StringIO(), stderr=errors)
    assert f"{refused[0]} stays until the next time: mapped" in errors.getvalue()
    purge(grace=0)
    assert stored.names() == {clutter.payload}


def test_purge_of_a_fresh_project(stored):
    assert "0 expired frames and 0 files" in purge()


def test_foreign_files_stay(clutter, stored):
    storages["frames"].save("README.txt", ContentFile(b"not a frame"))
    purge(grace=0)
    assert storages["frames"].exists("README.txt")
