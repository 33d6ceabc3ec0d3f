"""After a crash, a frame has either its old or its new version."""

import pytest
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from django_dtale.models import Frame
from django_dtale.storage import blobs
from django_dtale.storage.blobs import files_of
from django_dtale.unit_of_work import going_back, open_frame, unit_of_work
from django_dtale.unit_of_work.open_frame import OpenFrame
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db(transaction=True)


class Crash(OperationalError):
    """A simulated crash of the process or of the database."""


Database = type(connections[DEFAULT_DB_ALIAS])
POINTS = {
    "while the bytes are written": (blobs.payload, "write", "before"),
    "after the bytes were stored": (blobs, "save", "after"),
    "before the row": (OpenFrame, "save_row", "before"),
    "after the row": (OpenFrame, "save_row", "after"),
    "at the commit": (Database, "_commit", "before"),
    "after the commit": (Database, "_commit", "after"),
    "at the removal of the old bytes": (open_frame, "remove_unused", "before"),
}


@pytest.fixture(params=["whole", "on_a_base"])
def frame(request, publish, ann):
    whole = request.param == "whole"
    return publish(ann) if whole else request.getfixturevalue(request.param)


@pytest.mark.parametrize("point", POINTS)
def test_crash_leaves_the_old_or_the_new_version(
    owner, frame, stored, monkeypatch, point, ann
):
    target, name, when = POINTS[point]
    before = frame.changes.count()
    original = getattr(target, name)

    def crash(*args, **kwargs):
        if when == "after":
            original(*args, **kwargs)
        raise Crash(point)

    # A crashed process cannot clean up after itself.
    monkeypatch.setattr(blobs, "remove", lambda name: None)
    monkeypatch.setattr(blobs.Path, "unlink", lambda *args, **kwargs: None)
    monkeypatch.setattr(target, name, crash)
    with pytest.raises(Crash), bind(Workspace(ann)), unit_of_work() as unit:
        opened = unit.get(frame.pk)
        opened.frame = opened.frame.assign(a=9)
    monkeypatch.undo()
    stored.forget()
    values = [9, 9, 9] if "commit" in point and when == "after" else [1, 2, 3]
    if "removal" in point:
        values = [9, 9, 9]
    more = 0 if point == "while the bytes are written" else 1
    assert len(stored.names()) == len(files_of(frame.payload)) + more
    assert owner.column(frame.pk) == values
    call_command("purge_frames", grace=0)
    assert stored.names() == files_of(Frame.objects.get().payload)
    stored.forget()
    assert owner.column(frame.pk) == values
    # The history has a change exactly if the data have it.
    changes = list(frame.changes.values_list("kind", "columns"))[before:]
    assert changes == ([("edited", ["a"])] if values == [9, 9, 9] else [])
    if changes:
        with bind(Workspace(ann)):
            going_back.undo(frame.pk)
        assert owner.column(frame.pk) == [1, 2, 3]


@pytest.mark.parametrize("point", ["before the row", "after the row", "at the commit"])
def test_failed_write_of_the_row_is_an_error(owner, frame, stored, monkeypatch, point):
    target, name, _ = POINTS[point]

    def fail(*args):
        raise Crash(point)

    monkeypatch.setattr(target, name, fail)
    assert owner.edit(frame.pk, 9).status_code == 503
    monkeypatch.undo()
    assert owner.column(frame.pk) == [1, 2, 3]
    call_command("purge_frames", grace=0)
    assert stored.names() == files_of(frame.payload)


def test_purge_deletes_payloads_that_could_not_be_removed(
    owner, frame, stored, monkeypatch, caplog
):
    def refuse(name):
        raise PermissionError("mapped")

    monkeypatch.setattr(blobs, "remove", refuse)
    assert owner.edit(frame.pk, 9).json == {"success": True}
    assert frame.payload in stored.names() and "purge_frames" in caplog.text
    monkeypatch.undo()
    call_command("purge_frames", grace=0)
    assert stored.names() == files_of(Frame.objects.get().payload)
    assert owner.column(frame.pk) == [9, 2, 3]


def test_edit_removes_the_previous_payload(owner, frame, stored, purge_trash):
    owner.edit(frame.pk, 9)
    assert stored.names() == files_of(Frame.objects.get().payload)
    assert frame.payload not in stored.names()
    owner.get("cleanup-datasets", dataIds=frame.pk)
    assert stored.names() == files_of(Frame.objects.get().payload)
    purge_trash()
    assert stored.names() == set()
