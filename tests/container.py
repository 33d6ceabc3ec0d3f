"""The product's image without Docker: its Dockerfile's lines, in namespaces of Linux.

What runs sees this machine's system in place of the base image, and of all else only
what the Dockerfile puts there. To be quick, the build begins with what this session has
already: the environment of the project, and its static files. Images and registries are
not tried.
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

# To mount anything one has to be root; whoever is not asks sudo.
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]

# Makes a root directory of this machine's directories and the image's, and runs a
# command in it. For a running container all is read-only but what is named.
ENTER = """
set -eu
files=$1 root=$1/machine python=$2 written=$3
shift 3
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
[ -z "$written" ] || mount -o remount,ro "$root"
exec chroot "$root" "$@"
"""


def instructions(dockerfile):
    """Yield the instructions of a Dockerfile (str) as (name, the rest), both str."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.M).replace("\\\n", "")
    for line in filter(None, map(str.strip, text.splitlines())):
        yield tuple(line.split(None, 1))


def link(source, target):
    """Make a tree (Path) of the same files as another has, without copying them."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link)


class Image:
    """What the Dockerfile of a project makes, and how it is run.

    Args:
        context: Path, the project's, whose environment is the first one in the image.
        static: Path, its collected static files.
        files: Path of a directory, below which /app, /data and so on of the image are.
        port: int, in place of 8000, which may be taken on this machine.
    """

    def __init__(self, context, static, files, port):
        self.context, self.files, self.port = context, files, port
        self.python = Path(os.path.realpath(context / ".venv" / "bin" / "python"))
        for name in ("app", "data", "machine", "tmp"):
            (files / name).mkdir()
        link(static, files / "static")
        (files / "static").chmod(0o755)  # pytest's directories are for its user alone.
        link(context / ".venv", files / "venv")
        for script in (files / "venv" / "bin").iterdir():
            begin = f"#!{context}/.venv/".encode()
            if script.read_bytes().startswith(begin):
                moved = script.read_bytes().replace(begin, b"#!/venv/", 1)
                script.unlink()  # The project's stays as it is.
                script.write_bytes(moved)
                script.chmod(0o755)
        text = (context / "Dockerfile").read_text("utf-8")
        text = text.replace("0.0.0.0", "127.0.0.1").replace("8000", str(port))
        for name, rest in instructions(text):
            getattr(self, f"on_{name.lower()}")(rest)
        shutil.rmtree(files / "tmp")  # The build's, and not the image's.
        (files / "tmp").mkdir()
        (files / "tmp").chmod(0o1777)

    def on_from(self, rest):
        # Later ones have what the ones before made: what is copied is where it was.
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
                    shutil.copytree(path, copy, ignore=shutil.ignore_patterns(*nested))
                else:
                    shutil.copy2(path, copy)

    def on_run(self, rest):
        command = re.sub(r"--mount=\S+", "", rest)
        command = command.replace("collectstatic ", "collectstatic --dry-run ")
        # What this machine says of networks counts here, and not later.
        variables = environment({**self.variables, "HOME": "/tmp"})
        variables["PATH"] += ":/tmp"  # Where uv is.
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
        """Start a command (list of str) as Compose would, as a process (Popen)."""
        user, group = self.user
        limits = f"--reuid={user} --regid={group} --clear-groups --no-new-privs"
        drop = "--bounding-set=-all --inh-caps=-all"
        inside = ["setpriv", *limits.split(), *drop.split()]
        inside += ["sh", "-c", 'cd /app; exec "$@"', "sh", *command]
        variables = {**self.variables, **variables}
        written = " ".join(self.volumes)
        return self.enter(written, inside, variables, **options)

    def run(self, command, variables):
        """Run a command (list of str) likewise: its exit code (int) and text (str)."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        process = self.start(command, variables, **options)
        text = process.communicate(timeout=120)[0]
        return process.returncode, text

    def enter(self, written, command, variables, **options):
        assignments = [f"{name}={value}" for name, value in variables.items()]
        enter = ["unshare", "--mount", "sh", "-c", ENTER, "sh", self.files]
        enter += [self.python.parent.parent, written]
        env = ["env", "--ignore-environment", *assignments]
        return subprocess.Popen(
            [*AS_ROOT, *enter, *env, *command],
            stdin=subprocess.DEVNULL,
            **options,
        )

    @staticmethod
    def terminate(process):
        """Tell a started process to end, as `docker stop` does."""
        subprocess.run([*AS_ROOT, "kill", str(process.pid)], check=True)
