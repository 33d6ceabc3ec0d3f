"""The management command `backup`."""

import os
import sqlite3
import tempfile
from contextlib import closing
from importlib import import_module
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from django_dtale.models import Frame
from django_dtale.storage.blobs import files_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def local(stored):
    """Skip the test unless frames are stored as files and the database is SQLite."""
    if not (
        connection.vendor == "sqlite"
        and isinstance(storages["frames"], FileSystemStorage)
    ):
        pytest.skip("PostgreSQL and S3 have their own backup tools")


def copied(directory):
    """Return the files in a backup, and the payloads that its database refers to."""
    with closing(sqlite3.connect(directory / "db.sqlite3")) as database:
        rows = database.execute(
            "SELECT payload FROM frames_frame UNION SELECT payload FROM frames_change"
        ).fetchall()
    named = {payload for (payload,) in rows if payload}
    return set(os.listdir(directory / "frames")), named


def test_database_and_files_are_copied(local, frame, on_a_base, tmp_path, capsys):
    target = tmp_path / "backup"
    call_command("backup", target)
    files, payloads = copied(target)
    assert payloads == {frame.payload, on_a_base.payload}
    assert files == files_of(frame.payload) | files_of(on_a_base.payload)
    assert "Copied 2 frames and the database to" in capsys.readouterr().out
    # On the same disk, the command creates hard links instead of copies.
    name = frame.payload
    assert os.path.samefile(target / "frames" / name, storages["frames"].path(name))
    if os.name == "posix":
        paths = target, target / "frames", target / "db.sqlite3"
        assert [path.stat().st_mode & 0o777 for path in paths] == [0o700, 0o700, 0o600]


def test_earlier_states_and_deleted_frames_are_copied(
    local, owner, frame, publish, bob, tmp_path, capsys
):
    assert owner.get(f"delete-col/{frame.pk}", cols=["a"]).json["success"]
    deleted = publish(bob)
    Frame.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    target = tmp_path / "backup"
    call_command("backup", target)
    now = Frame.objects.get(pk=frame.pk).payload
    assert now != frame.payload
    expected = {now, frame.payload, deleted.payload}
    assert copied(target) == (expected, expected)
    assert "Copied 2 frames" in capsys.readouterr().out


def test_backup_to_another_disk_copies_files(local, frame):
    memory = Path("/dev/shm")
    if not memory.is_dir():
        pytest.skip("this machine has no second disk")
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        call_command("backup", Path(directory, "backup"))
        copy = Path(directory, "backup", "frames", frame.payload)
        original = Path(storages["frames"].path(frame.payload))
        assert copy.stat().st_dev != original.stat().st_dev
        assert copy.read_bytes() == original.read_bytes()
        assert copied(Path(directory, "backup"))[0] == {frame.payload}


def test_backup_is_consistent_if_a_frame_changes_meanwhile(
    local, owner, frame, tmp_path, monkeypatch
):
    """An edit replaces a payload between the copies of the database and the files."""
    backup = "django_dtale.management.commands.backup"
    copy_files, edits = import_module(backup).copy_files, iter([7, 8])

    def copy_late(directory, payloads):
        payloads = list(payloads)
        for value in edits:
            owner.edit(frame.pk, value)
            break
        return copy_files(directory, payloads)

    monkeypatch.setattr(f"{backup}.copy_files", copy_late)
    call_command("backup", tmp_path / "backup")
    frame.refresh_from_db()
    assert copied(tmp_path / "backup") == ({frame.payload}, {frame.payload})
    assert owner.column(frame.pk) == [8, 2, 3]


def test_missing_file_is_reported_and_other_frames_are_copied(
    local, frame, publish, bob, stored, tmp_path, capsys
):
    damaged = publish(bob)
    stored.replace(damaged.payload)
    call_command("backup", tmp_path / "backup")
    assert copied(tmp_path / "backup")[0] == {frame.payload}
    assert damaged.payload in capsys.readouterr().err


def test_existing_directory_is_not_overwritten(local, frame, tmp_path):
    with pytest.raises(CommandError, match="Enter a new directory"):
        call_command("backup", tmp_path)


def test_other_databases_and_storages_are_refused(local, tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "vendor", "postgresql")
    with pytest.raises(CommandError, match="docs/operating.md"):
        call_command("backup", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def test_backup_of_an_empty_site_succeeds(local, tmp_path):
    call_command("backup", tmp_path / "backup")
    assert copied(tmp_path / "backup") == (set(), set())
