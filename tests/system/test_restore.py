"""A backup made with the documented commands can be restored on an empty machine."""

import contextlib
import os
import re
import shutil
import sqlite3
import threading
from pathlib import Path

from helpers import run
from services import Files, Services
from test_frames_load import cells, done, edit
from visitors import Visitor


def commands(project):
    """Return the documented commands for backup and restore."""
    text = (project.path / "docs" / "operating.md").read_text("utf-8")
    text = text.partition("\n## Backup")[2].partition("\n## ")[0]
    blocks = [
        block.splitlines() for block in re.findall(r"```console\n(.*?)```", text, re.S)
    ]
    names = "back up files", "back up services", "restore files", "restore services"
    return dict(zip(names, blocks, strict=True))


class Machine:
    """A directory in which the documented commands run as in the project's root."""

    def __init__(self, backend, path):
        self.backend, self.path = backend, path
        path.mkdir()
        for name in (".venv", "manage.py"):
            (path / name).symlink_to(backend.project.path / name)
        self.data = path / "data"
        self.variables = dict(backend.variables)

    def run(self, lines, between=lambda: None):
        """Run the commands in order. Call ``between`` before the second to last.

        If there is only one command, ``between`` is called before it.
        """
        for number, line in enumerate(lines):
            if number == max(0, len(lines) - 2):
                between()
            if line.startswith("aws s3 sync"):
                self.sync(*line.split()[3:])
                continue
            programs = f"{self.backend.postgres.programs}:" if self.is_remote else ""
            variables = {**self.variables, "PATH": programs + os.environ["PATH"]}
            result = run("bash", "-c", line, cwd=self.path, variables=variables)
            assert result.returncode == 0, result.stdout + result.stderr

    @property
    def is_remote(self):
        return isinstance(self.backend, Services)

    def sync(self, source, target):
        """Copy missing files and delete nothing, as `aws s3 sync` does."""
        url = self.variables["FRAMES_STORAGE_URL"]
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        client = self.backend.s3.client
        directory = self.path / "backup" / "frames"
        if "URL" in source:
            directory.mkdir(exist_ok=True)
            for key in self.backend.s3.keys(url):
                client.download_file(bucket, key, directory / Path(key).name)
        else:
            for path in directory.iterdir():
                client.upload_file(path, bucket, f"{prefix}/{path.name}")


def test_backup_is_restored_on_an_empty_machine(backend, tmp_path):
    kind = "services" if isinstance(backend, Services) else "files"
    lines = commands(backend.project)
    old, new = (Machine(backend, tmp_path / name) for name in ("old", "new"))
    old.data.symlink_to(backend.directory)
    with backend.serve(2) as site:
        visitor = Visitor(site.url, site.prefix)
        ids = [visitor.upload("a,b\n1,4\n2,5\n3,6\n") for _ in range(3)]
        edit(visitor, ids[0], "a", 1, 77)

        def meanwhile():
            edit(visitor, ids[1], "a", 2, 88)
            done(visitor.get(f"rename-col/{ids[2]}", col="b", rename="c"))

        old.run(lines[f"back up {kind}"], meanwhile)
        expected = [cells(visitor, id) for id in ids]
        edit(visitor, ids[0], "a", 0, 99)  # This edit happens after the backup.

    if kind == "services":
        new.variables |= {
            **backend.s3.bucket(),
            "DATABASE_URL": backend.postgres.database(),
        }
    shutil.copytree(old.path / "backup", new.path / "backup")
    new.run(lines[f"restore {kind}"])
    new.data.mkdir(exist_ok=True)
    backend_of_new = {**new.variables, "DATA_DIR": str(new.data)}
    with backend.project.serve(workers=2, **backend_of_new) as site:
        visitor.url = site.url  # The backup also contains the session.
        assert [cells(visitor, id) for id in ids] == expected
        edit(visitor, ids[1], "a", 0, 11)
        assert cells(visitor, ids[1])["a", 0] == 11
        assert visitor.upload("z\n1\n") not in ids
    checked = backend.project.run(
        ".venv/bin/python", "manage.py", "purge_frames", **backend_of_new
    )
    assert "0 expired frames" in checked


def test_backup_without_frames_has_private_permissions(project, tmp_path):
    backend = Files(project, tmp_path / "data")
    backend.manage("migrate", "--verbosity", "0")
    machine = Machine(backend, tmp_path / "machine")
    machine.data.symlink_to(backend.directory)
    machine.run(commands(project)["back up files"])
    assert (machine.path / "backup" / "db.sqlite3").stat().st_mode & 0o777 == 0o600
    assert (machine.path / "backup").stat().st_mode & 0o777 == 0o700


def test_backup_of_a_busy_site_is_complete(project, tmp_path):
    """Frames are edited, created and deleted during the backup."""
    backend = Files(project, tmp_path / "data")
    backend.manage("migrate", "--verbosity", "0")
    machine = Machine(backend, tmp_path / "machine")
    machine.data.symlink_to(backend.directory)
    csv = "a,b\n" + "1,4.5\n" * 100_000
    mistakes, stop = [], threading.Event()
    with backend.serve(2) as site:

        def work():
            visitor = Visitor(site.url, site.prefix)
            ids, number = [visitor.upload(csv) for _ in range(5)], 0
            ready.wait()
            while not stop.is_set():
                number += 1
                try:
                    for id in ids:
                        edit(visitor, id, "a", 0, number)
                    done(visitor.get("cleanup-datasets", dataIds=ids.pop(0)))
                    ids.append(visitor.upload(csv))
                except Exception as error:
                    mistakes.append(error)
                    return

        ready = threading.Barrier(4)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            ready.wait(300)
            for _ in range(5):
                machine.run(commands(project)["back up files"])
                kept = machine.path / "backup"
                with contextlib.closing(sqlite3.connect(kept / "db.sqlite3")) as rows:
                    names = rows.execute("SELECT payload FROM frames_frame").fetchall()
                # If a payload refers to a base, the payload's name contains the name of
                # the base.
                needed = {part for (name,) in names for part in with_base(name)}
                assert len(names) >= 12
                assert needed <= set(os.listdir(kept / "frames"))
                shutil.rmtree(kept)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert mistakes == []


def with_base(name):
    base, dash, _ = name.partition("-")
    return {name, f"{base}.frame"} if dash else {name}
