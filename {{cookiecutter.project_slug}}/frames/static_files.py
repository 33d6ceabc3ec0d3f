"""D-Tale's and Dash's scripts, styles, fonts and pictures, as static files of Django's.

So `collectstatic` compresses them once, and WhiteNoise serves them ahead of everything
else. Their folder has a digest of all that they are made of in its name: what is in it
never changes, so browsers keep it, and within it they find each other by relative
addresses, as they were shipped. Nothing here imports D-Tale.
"""

import functools
import hashlib
import shutil
import tempfile
import threading
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from .dtale_scripts import SUBSTITUTIONS, mended_files
from .installed import location, release

# What pages may ask for, of each package.
SHIPPED = {
    "dtale": ["static/**/*"],
    "dash": [
        "deps/*.min.js",
        "dash-renderer/build/*.min.js",
        "dash_table/async-*.js",
        "dash_table/bundle.js",
        "dcc/*.js",
        "html/*.min.js",
    ],
    "dash_bootstrap_components": ["_components/*.min.js"],
    "plotly": ["package_data/plotly.min.js"],
}
ROOT = "dtale/"  # Below STATIC_URL.

_lock = threading.Lock()


@functools.cache
def folder():
    """Return the name (str) of the folder below STATIC_URL."""
    parts = [release(package) for package in SHIPPED], SUBSTITUTIONS
    return ROOT + hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def static_url(name):
    """Return the address (str) of a file, such as ``dtale/static/css/main.css``."""
    return f"{settings.STATIC_URL}{folder()}/{name}"


@functools.cache
def shipped():
    """Return the files as they are installed: {package/name in it: Path}."""
    found = {}
    for package, patterns in SHIPPED.items():
        root = location(package)
        for pattern in patterns:
            for path in sorted(root.glob(pattern)):
                # Source maps are two thirds of all bytes; developers of D-Tale's have
                # them, and nobody else asks.
                if path.suffix != ".map" and path.is_file():
                    found[f"{package}/{path.relative_to(root).as_posix()}"] = path
    return found


def mended():
    """Return the directory (Path) of those that differ, made when it is not there.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
    directory = Path(settings.FRAMES_MENDED_DIR) / folder()
    if not directory.exists():
        texts = mended_files("static")
        directory.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=directory.parent))
        for name, text in texts.items():
            path = made / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        write_titles_font(made)
        try:
            made.rename(directory)
        except OSError:  # Another process was faster.
            shutil.rmtree(made)
    return directory


def write_titles_font(directory):
    """Write the font of D-Tale's titles as WOFF2: it is the largest file but one."""
    from fontTools.ttLib import TTFont  # Slow to import, and needed once.

    font = TTFont(shipped()["dtale/static/fonts/Road_Rage.ttf"])
    font.flavor = "woff2"
    directory.joinpath("fonts").mkdir(exist_ok=True)
    font.save(directory / "fonts" / "Road_Rage.woff2")


@functools.cache
def _with_mended():
    files, directory = dict(shipped()), mended()
    for path in directory.glob("*/*"):
        files[f"dtale/static/{path.relative_to(directory).as_posix()}"] = path
    return files


def files():
    """Return the files as they are served: {package/name in it: Path}.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
    with _lock:
        return _with_mended()


class DtaleFiles(FileSystemStorage):
    """The files, for `collectstatic`."""

    def __init__(self):
        super().__init__()
        self.prefix = folder()

    def path(self, name):
        return str(files()[name])


class DtaleFinder(BaseFinder):
    """Where `collectstatic`, and WhiteNoise in development, find the files."""

    def check(self, **kwargs):
        return []

    def find(self, path, find_all=False, **kwargs):
        if not path.startswith(ROOT):  # What other finders do not have either.
            return []
        found = files().get(path.removeprefix(f"{folder()}/"))
        if found is None:
            return []
        return [str(found)] if find_all else str(found)

    def list(self, ignore_patterns):
        storage = DtaleFiles()
        for name in files():
            yield name, storage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's, where D-Tale's files keep their names: their folder has the digest.

    Hundreds of them load each other by name, which no manifest could change.
    """

    def post_process(self, paths, dry_run=False, **options):
        hashed = {name: of for name, of in paths.items() if not name.startswith(ROOT)}
        yield from super().post_process(hashed, dry_run=dry_run, **options)
        if not dry_run:
            kept = [name for name in paths if name not in hashed]
            for name, compressed in self.compress_files(kept):
                yield name, compressed, True
