"""Build and run a project's image without Docker, with Linux namespaces.

The module executes the steps of the Dockerfile. A container sees this machine's system
directories instead of those of the base image. Apart from these, it sees only the files
that the Dockerfile copies or creates. To save time, the build starts with the virtual
environment and the static files of the test session. Images and registries are not
tested.
"""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from conftest import environment

# Only root can mount file systems, so other users need sudo.
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]

# This script builds a root directory out of this machine's directories and those of the
# image, and runs a command in it. In a running container, only the directories in
# $written are writable.
ENTER = """
set -eu
files=$1 root=$1/machine python=$2 written=$3 tmpfs=$4
shift 4
mount --make-rprivate /
mount -t tmpfs tmpfs "$root"
bind() {
    mkdir -p "$root$2"
    mount --rbind "$1" "$root$2"
    case " $written " in
        "  " | *" $2 "*) ;;
        *) mount -o remount,bind,ro "$root$2" ;;
    esac
}
for path in /*; do
    if [ -L "$path" ]; then
        cp --no-dereference "$path" "$root"
    elif [ -d "$path" ] && [ "$path" != /home ] && [ "$path" != /root ]; then
        [ -e "$files$path" ] || bind "$path" "$path"
    fi
done
bind "$python" "$python"
for path in /app /data /static /tmp /venv; do bind "$files$path" "$path"; done
for each in $tmpfs; do
    mount -t tmpfs -o "noexec,nosuid,nodev,${each#*:}" tmpfs "$root${each%%:*}"
done
[ -z "$written" ] || mount -o remount,ro "$root"
exec chroot "$root" "$@"
"""


def instructions(dockerfile):
    """Yield the name and the arguments of each instruction of a Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.M).replace("\\\n", "")
    for line in filter(None, map(str.strip, text.splitlines())):
        yield tuple(line.split(None, 1))


def link(source, target):
    """Recreate a tree with hard links instead of copies."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)


class Image:
    """The image that a project's Dockerfile describes.

    Args:
        context: The project's directory. The image reuses its virtual environment.
        static: The directory of the project's collected static files.
        tmpfs: The tmpfs entries of compose.yaml, as "path:mount options".
        files: A directory for the image's own directories, such as /app and /data.
        port: The port to use instead of 8000, which may be in use on this machine.
    """

    def __init__(self, context, static, tmpfs, files, port):
        self.context, self.files, self.port = context, files, port
        self.tmpfs = " ".join(tmpfs)
        self.python = Path(os.path.realpath(context / ".venv" / "bin" / "python"))
        for name in ("app", "data", "machine", "tmp"):
            (files / name).mkdir()
        link(static, files / "static")
        # pytest creates its directories for its own user only, so change the
        # permissions.
        (files / "static").chmod(0o755)
        link(context / ".venv", files / "venv")
        for script in (files / "venv" / "bin").iterdir():
            begin = f"#!{context}/.venv/".encode()
            if script.read_bytes().startswith(begin):
                moved = script.read_bytes().replace(begin, b"#!/venv/", 1)
                # Writing through the hard link would change the project's own file.
                script.unlink()
                script.write_bytes(moved)
                script.chmod(0o755)
        text = (context / "Dockerfile").read_text("utf-8")
        text = text.replace("0.0.0.0", "127.0.0.1").replace("8000", str(port))
        for name, rest in instructions(text):
            getattr(self, f"on_{name.lower()}")(rest)
        # The image does not contain the temporary files of the build.
        shutil.rmtree(files / "tmp")
        (files / "tmp").mkdir()
        (files / "tmp").chmod(0o1777)

    def on_from(self, rest):
        # All stages of the build share one tree, so files from an earlier stage are
        # already in place.
        self.variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"}

    def on_env(self, rest):
        for name, value in (each.split("=", 1) for each in shlex.split(rest)):
            self.variables[name] = value.replace("$PATH", self.variables["PATH"])

    def on_copy(self, rest):
        *sources, target = rest.split()
        if sources[0] == "--from=uv":
            uv = shutil.which("uv") or self.context / ".venv" / "bin" / "uv"
            shutil.copy2(uv, self.files / "tmp")
            return
        if sources[0].startswith("--from="):
            assert sources[1:] == [target], rest
            return
        lines = (self.context / ".dockerignore").read_text("utf-8").splitlines()
        patterns = [line for line in lines if line and line[0] != "#"]
        nested = [each[3:] for each in patterns if each.startswith("**/")]
        ignored = [each.removeprefix("**/").lstrip("/") for each in patterns]
        for source in sources:
            for path in self.context.glob("*" if source == "." else source):
                if any(fnmatch.fnmatch(path.name, each) for each in ignored):
                    continue
                copy = self.files / "app" / path.name
                if path.is_dir():
                    ignore = shutil.ignore_patterns(*nested)
                    shutil.copytree(path, copy, ignore=ignore, dirs_exist_ok=True)
                else:
                    shutil.copy2(path, copy)

    def on_run(self, rest):
        command = re.sub(r"--mount=\S+", "", rest)
        command = command.replace("collectstatic ", "collectstatic --dry-run ")
        # Only the build gets this machine's proxy variables. The container does not get
        # them.
        variables = environment({**self.variables, "HOME": "/tmp"})
        variables["PATH"] += ":/tmp"  # on_copy() puts uv into /tmp.
        variables |= {"UV_CACHE_DIR": "/tmp/cache", "UV_COMPILE_BYTECODE": "0"}
        variables["UV_PYTHON"] = str(self.python)
        done = self.enter("", ["sh", "-c", f"cd /app; {command}"], variables)
        assert done.wait(300) == 0, command

    def on_user(self, rest):
        self.user = rest.split(":")

    def on_healthcheck(self, rest):
        self.health = json.loads(rest.partition("CMD ")[2])

    def on_cmd(self, rest):
        self.command = json.loads(rest)

    def on_volume(self, rest):
        self.volumes = json.loads(rest)

    def on_workdir(self, rest):
        assert rest == "/app"

    def on_expose(self, rest):
        assert rest == str(self.port)

    def start(self, command, variables, **options):
        """Start a command as Docker Compose would, and return the process."""
        user, group = self.user
        limits = f"--reuid={user} --regid={group} --clear-groups --no-new-privs"
        drop = "--bounding-set=-all --inh-caps=-all"
        inside = ["setpriv", *limits.split(), *drop.split()]
        inside += ["sh", "-c", 'cd /app; exec "$@"', "sh", *command]
        variables = {**self.variables, **variables}
        written = " ".join(self.volumes)
        return self.enter(written, inside, variables, self.tmpfs, **options)

    def run(self, command, variables):
        """Run a command as Docker Compose would. Return the exit code and output."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        process = self.start(command, variables, **options)
        text = process.communicate(timeout=120)[0]
        return process.returncode, text

    def enter(self, written, command, variables, tmpfs="", **options):
        assignments = [f"{name}={value}" for name, value in variables.items()]
        enter = ["unshare", "--mount", "sh", "-c", ENTER, "sh", self.files]
        enter += [self.python.parent.parent, written, tmpfs]
        env = ["env", "--ignore-environment", *assignments]
        return subprocess.Popen(
            [*AS_ROOT, *enter, *env, *command],
            stdin=subprocess.DEVNULL,
            **options,
        )

    @staticmethod
    def terminate(process):
        """Terminate a process of start(), as `docker stop` does."""
        subprocess.run([*AS_ROOT, "kill", str(process.pid)], check=True)
