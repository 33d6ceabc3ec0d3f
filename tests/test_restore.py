"""A backup by the documents' commands, restored on an empty machine: frames open."""

import os
import re
import shutil
from pathlib import Path

from helpers import run
from services import Services
from test_frames_load import cells, done, edit
from visitors import Visitor


def commands(project):
    """The documents' blocks on backup and restoring: {what for: list of lines}."""
    text = (project.path / "docs" / "operating.md").read_text("utf-8")
    text = text.partition("\n## Backup")[2].partition("\n## ")[0]
    blocks = [
        block.splitlines() for block in re.findall(r"```console\n(.*?)```", text, re.S)
    ]
    names = "back up files", "back up services", "restore files", "restore services"
    return dict(zip(names, blocks, strict=True))


class Machine:
    """A directory in which the documents' commands run, as in the project's own."""

    def __init__(self, backend, path):
        self.backend, self.path = backend, path
        path.mkdir()
        (path / ".venv").symlink_to(backend.project.path / ".venv")
        self.data = path / "data"
        self.variables = dict(backend.variables)

    def run(self, lines, between=lambda: None):
        """Run lines one after the other; ``between`` comes before the last but one."""
        for number, line in enumerate(lines):
            if number == len(lines) - 2:
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
        """What `aws s3 sync` does: copy what is not there, and delete nothing."""
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
        edit(visitor, ids[0], "a", 0, 99)  # Too late.

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
        visitor.url = site.url  # Their session is in the backup, too.
        assert [cells(visitor, id) for id in ids] == expected
        edit(visitor, ids[1], "a", 0, 11)
        assert cells(visitor, ids[1])["a", 0] == 11
        assert visitor.upload("z\n1\n") not in ids
    checked = backend.project.run(
        ".venv/bin/python", "manage.py", "purge_frames", **backend_of_new
    )
    assert "0 expired frames" in checked
