"""Make a release: `make release VERSION=0.5.0` runs this in the root of the repository.

It checks the changelogs, sets the version in all files, commits, and creates an
annotated tag. It pushes nothing.
"""

import datetime
import re
import subprocess
import sys
from pathlib import Path

PROJECT = "{{cookiecutter.project_slug}}"
LIBRARY = f"{PROJECT}/packages/django-dtale"
CHANGELOGS = "CHANGELOG.md", f"{LIBRARY}/CHANGELOG.md"

# Each entry has a file, a pattern for the text before the version, and a pattern for
# the version itself. Baked projects accept every patch release of the library's minor
# version.
NUMBER = r"\d+\.\d+\.\d+"
PLACES = [
    ("pyproject.toml", r'^version = "', NUMBER),
    (f"{LIBRARY}/pyproject.toml", r'^version = "', NUMBER),
    (
        f"{PROJECT}/pyproject.toml",
        r'^\[tool\.cookiecutter-django-dtale\]\nversion = "',
        NUMBER,
    ),
    (f"{PROJECT}/pyproject.toml", r'"django-dtale(?:\[.*\])?==', r"\d+\.\d+(?=\.\*)"),
    ("README.md", r"--checkout v", NUMBER),
]
# The changelog ends with one link for each version, the newest first.
FIRST_LINK = re.compile(r"^\[\d+\.\d+\.\d+\]: ", re.M)


def main(version: str) -> None:
    if not re.fullmatch(NUMBER, version):
        sys.exit("Use make release VERSION=x.y.z")
    check_repository(version)
    for name in CHANGELOGS:
        check_changelog(name, version)
    texts = set_version(version)
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8", newline="\n")
    git("commit", "--quiet", "--all", "--message", f"Version {version}")
    git("tag", "--annotate", "--message", f"Version {version}", f"v{version}")
    print(f"v{version} is committed and tagged. Publish it with:\n")
    print(f"    git push --atomic origin main v{version}\n")
    print("Then set RELEASED in tests/template/test_upgrade.py to it.")


def check_repository(version: str) -> None:
    if git("status", "--porcelain"):
        sys.exit("There are changes that are not committed: git status lists them.")
    if (branch := git("branch", "--show-current")) != "main":
        sys.exit(f"Releases are made on main, and this is {branch or 'no branch'}.")
    if git("tag", "--list", f"v{version}"):
        sys.exit(f"There is a tag v{version} already.")
    current = re.search(rf'^version = "({NUMBER})"', read("pyproject.toml"), re.M)[1]
    if as_numbers(version) <= as_numbers(current):
        sys.exit(f"{version} is not above {current}, the version in pyproject.toml.")


def check_changelog(name: str, version: str) -> None:
    """Exit unless a changelog starts with this version and today's date."""
    expected = f"## [{version}] - {datetime.date.today()}"
    newest = re.search(r"^## \[\d.*$", read(name), re.M)
    if newest is None or newest[0] != expected:
        found = f'not "{newest[0]}"' if newest else "and there is none"
        sys.exit(f'The first version in {name} has to be "{expected}", {found}.')


def set_version(version: str) -> dict[str, str]:
    """Return the new contents of all files that contain the version, by file name."""
    texts = {name: read(name) for name, _, _ in PLACES}
    minor = version.rpartition(".")[0]
    for name, before, pattern in PLACES:
        value = version if pattern == NUMBER else minor
        texts[name], count = re.subn(
            f"({before}){pattern}", rf"\g<1>{value}", texts[name], flags=re.M
        )
        if not count:
            sys.exit(f"{name} names no version after {before!r}: see {__file__}.")
    link = f"[{version}]: ../../releases/tag/v{version}\n"
    changelog = read(CHANGELOGS[0])
    if FIRST_LINK.search(changelog) is None:
        sys.exit(f"{CHANGELOGS[0]} has no links of versions at its end.")
    texts[CHANGELOGS[0]] = FIRST_LINK.sub(
        lambda first: link + first[0], changelog, count=1
    )
    return texts


def read(name: str) -> str:
    return Path(name).read_text("utf-8")


def as_numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def git(*arguments: str) -> str:
    """Return the output of git. If git fails, exit: git prints the reason itself."""
    result = subprocess.run(["git", *arguments], stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"git {arguments[0]} failed.")
    return result.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
