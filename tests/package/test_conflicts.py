"""If two changes conflict, the slower request is repeated on the new version."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from django_dtale import unit_of_work
from django_dtale.exceptions import Conflict, FrameNotFound
from django_dtale.gateway import gateway
from django_dtale.models import Frame, Share
from django_dtale.storage import blobs
from django_dtale.storage.blobs import files_of
from django_dtale.unit_of_work.open_frame import OpenFrame
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["whole", "on_a_base"])
def frame(request, publish, ann):
    whole = request.param == "whole"
    return publish(ann) if whole else request.getfixturevalue(request.param)


@pytest.fixture
def locks(monkeypatch):
    """A list that records, for each run of a D-Tale request, whether it held a lock."""
    locks = []

    def unit(lock=False):
        locks.append(lock)
        return unit_of_work.unit_of_work(lock)

    monkeypatch.setattr(gateway, "unit_of_work", unit)
    return locks


@pytest.fixture
def meanwhile(monkeypatch):
    """Return a function that makes requests run an action just before they save."""

    def meanwhile(action, times=1):
        original = OpenFrame.save_bytes
        left = [None] * times

        def save_bytes(self):
            if left:
                left.pop()
                action()
            return original(self)

        monkeypatch.setattr(OpenFrame, "save_bytes", save_bytes)

    return meanwhile


def edit(user, pk, value, column="b"):
    with bind(Workspace(user)), unit_of_work.unit_of_work() as unit:
        opened = unit.get(pk)
        opened.frame = opened.frame.assign(**{column: value})


def test_conflicting_edit_is_repeated_with_a_lock(
    owner, frame, ann, locks, meanwhile, stored
):
    meanwhile(lambda: edit(ann, frame.pk, 9))
    assert owner.edit(frame.pk, 7).json == {"success": True}
    assert locks == [False, True]
    assert owner.column(frame.pk, "a") == [7, 2, 3]
    assert owner.column(frame.pk, "b") == [9, 9, 9]
    assert stored.names() == files_of(Frame.objects.get().payload)


def test_conflicting_setting_is_repeated_with_a_lock(
    owner, frame, ann, locks, meanwhile
):
    def other():
        with bind(Workspace(ann)), unit_of_work.unit_of_work() as unit:
            unit.get(frame.pk).view_state["settings"]["x"] = 1

    meanwhile(other)
    owner.get(f"update-settings/{frame.pk}", settings={"invertFilter": True})
    with bind(Workspace(ann)), unit_of_work.unit_of_work() as unit:
        settings = unit.get(frame.pk).view_state["settings"]
    assert (settings["x"], settings["invertFilter"]) == (1, True)
    assert locks == [False, True]


def test_edit_that_conflicts_twice_is_refused(
    owner, frame, ann, locks, meanwhile, stored
):
    # A request could not change a locked row, so this change bypasses the lock.
    meanwhile(lambda: Frame.objects.update(version=50 + len(locks)), times=2)
    answer = owner.edit(frame.pk, 7)
    assert "your change was not saved" in answer.json["error"]
    assert locks == [False, True]
    assert stored.names() == files_of(frame.payload)
    assert owner.column(frame.pk) == [1, 2, 3]


def test_edit_of_a_deleted_frame_is_refused(owner, frame, meanwhile, stored):
    meanwhile(Frame.objects.get().delete)
    assert owner.edit(frame.pk, 7).status_code == 404
    assert not Frame.objects.exists() and stored.names() == set()


def test_delete_wins_over_a_concurrent_edit(
    owner, frame, ann, stored, monkeypatch, purge_trash
):
    commit = unit_of_work.UnitOfWork.commit

    def slower(unit):
        monkeypatch.setattr(unit_of_work.UnitOfWork, "commit", commit)
        edit(ann, frame.pk, 9)
        commit(unit)

    path = f"/frames/{frame.pk}/delete/"
    assert owner.browser.get(path).status_code == 200
    monkeypatch.setattr(unit_of_work.UnitOfWork, "commit", slower)
    assert owner.submit(path).status_code == 302
    assert not Frame.objects.kept().exists()
    purge_trash()
    assert not Frame.objects.exists() and stored.names() == set()


def test_delete_of_a_stale_row_removes_the_new_payload(frame, ann, stored):
    edit(ann, frame.pk, 9)
    assert stored.names() != files_of(frame.payload)
    frame.delete()
    assert stored.names() == set()


def test_frame_with_a_new_owner_is_not_deleted(frame, ann, bob):
    with pytest.raises(FrameNotFound), bind(Workspace(ann)):
        with unit_of_work.unit_of_work() as unit:
            unit.delete(frame.pk)
            Frame.objects.update(owner=bob)
    assert Frame.objects.get().owner == bob


def test_delete_during_concurrent_edits(visitor, ann, publish, stored, purge_trash):
    browsers = [visitor(ann) for _ in range(4)]

    def edits(browser, pk):
        answers = [browser.edit(pk, value) for value in range(4)]
        return [(answer.status_code, answer.json) for answer in answers]

    for _ in range(5):
        pk = publish(ann).pk
        missing = f"Table {pk} does not exist, or is not shared with you."
        deleted, *edited = together(
            lambda pk=pk: browsers[0].submit(f"/frames/{pk}/delete/").status_code,
            *(lambda each=each, pk=pk: edits(each, pk) for each in browsers[1:]),
        )
        assert deleted == 302
        for answers in edited:
            assert answers == sorted(answers, key=lambda answer: answer[0])
            for status, answer in answers:
                if status == 200:
                    assert answer == {"success": True}
                else:
                    assert (status, answer["error"]) == (404, missing)
        assert not Frame.objects.kept().exists()
        purge_trash()
        assert not Frame.objects.exists() and stored.names() == set()


def test_setting_of_a_frame_that_is_no_longer_shared_is_refused(
    visitor, ann, bob, publish, meanwhile
):
    pk = publish(ann, shared_with=[bob]).pk
    meanwhile(Share.objects.get().delete)
    answer = visitor(bob).get(f"update-settings/{pk}", settings={"invertFilter": True})
    assert answer.status_code == 404


def test_payload_replaced_before_loading_is_loaded_again(
    owner, frame, ann, locks, monkeypatch, stored
):
    original, left = blobs.load, [None]

    def load(name, of=None):
        if left:
            left.pop()
            edit(ann, frame.pk, 9)
            stored.forget()
        return original(name, of)

    monkeypatch.setattr(blobs, "load", load)
    assert owner.column(frame.pk, "b") == [9, 9, 9]
    assert locks == [False, False]


def test_conflicting_request_too_large_to_replay_is_refused(
    owner, frame, ann, meanwhile, settings
):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * gateway.MAX_REPLAY
    meanwhile(lambda: edit(ann, frame.pk, 9))
    body = {"ranges": "{}", "x": "x" * gateway.MAX_REPLAY}
    answer = owner.post(f"save-range-highlights/{frame.pk}", json=body)
    assert "your change was not saved" in answer.json["error"]
    answer = owner.post(f"save-range-highlights/{frame.pk}", json=body)
    assert answer.json == {"success": True}


def together(*actions):
    """Run the actions concurrently, each with its own database connection."""
    barrier = threading.Barrier(len(actions))

    def run(action):
        barrier.wait()
        try:
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def test_concurrent_edits_are_all_saved(visitor, ann, publish):
    pk = publish(ann, a=[0] * 12).pk
    browsers = [visitor(ann) for _ in range(4)]
    for first in range(0, 12, 4):
        answers = together(
            *(
                lambda each=each, row=row: each.edit(pk, row + 1, row=row)
                for row, each in enumerate(browsers, first)
            )
        )
        assert [answer.json for answer in answers] == [{"success": True}] * 4
    assert browsers[0].column(pk) == list(range(1, 13))
    assert Frame.objects.get().version == 12


def test_concurrent_settings_of_a_reader_are_all_saved(visitor, ann, bob, publish):
    names = [f"{turn}.{number}" for turn in range(3) for number in range(4)]
    pk = publish(ann, shared_with=[bob], **dict.fromkeys(names, [1])).pk
    browsers = [visitor(bob) for _ in range(4)]
    for turn in range(3):
        answers = together(
            *(
                lambda each=each, name=f"{turn}.{number}": each.get(
                    f"update-formats/{pk}", col=name, format={"fmt": "0.0"}
                )
                for number, each in enumerate(browsers)
            )
        )
        assert [answer.json for answer in answers] == [{"success": True}] * 4
    with bind(Workspace(bob)), unit_of_work.unit_of_work() as unit:
        settings = unit.get(pk).view_state["settings"]
    assert len(settings["columnFormats"]) == 12


def test_reading_does_not_wait_for_a_writer(owner, frame, ann, publish):
    """The requests read the grid's data, and a page that sets last_opened_at."""
    Frame.objects.update(last_opened_at="2020-01-01T00:00Z")
    writing, done = threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            Frame.objects.select_for_update().get()
            Frame.objects.update(conversion_notes="x")
            writing.set()
            done.wait(10)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert writing.wait(10)
    try:
        start = time.monotonic()
        assert owner.column(frame.pk) == [1, 2, 3]
        assert owner.get(f"main/{frame.pk}").status_code == 200
        assert time.monotonic() - start < 5
    finally:
        done.set()
        writer.join()


def test_conflict_leaves_no_payload_behind(frame, ann, stored):
    with pytest.raises(Conflict), bind(Workspace(ann)):
        with unit_of_work.unit_of_work() as unit:
            opened = unit.get(frame.pk)
            opened.frame = opened.frame.assign(a=0)
            edit(ann, frame.pk, 9)
    assert stored.names() == files_of(Frame.objects.get().payload)


def test_conflict_with_an_edit_that_drops_the_base_leaves_no_payload(
    on_a_base, ann, stored
):
    with pytest.raises(Conflict), bind(Workspace(ann)):
        with unit_of_work.unit_of_work() as unit:
            opened = unit.get(on_a_base.pk)
            opened.frame = opened.frame.assign(a=0)
            edit(ann, on_a_base.pk, "other", column="s")
    [payload] = stored.names()
    assert payload == Frame.objects.get().payload


def test_frame_requested_by_name_is_locked_too(publish, ann, owner, locks, meanwhile):
    pk = publish(ann, "sales").pk
    meanwhile(lambda: edit(ann, pk, 9))
    assert owner.edit("sales", 7).json == {"success": True}
    assert (owner.column(pk), owner.column(pk, "b")) == ([7, 2, 3], [9, 9, 9])
