"""D-Tale's and Dash's scripts, styles, fonts and images as static files of Django.

`collectstatic` compresses these files once, and WhiteNoise serves them, so that
requests for them do not reach Django. The name of their folder contains a digest of the
packages' versions and of the substitutions. The content of a folder therefore never
changes, and browsers can cache it. The files keep their names, because they refer to
each other by relative URLs. This module does not import D-Tale.
"""

import functools
import hashlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from ...conf import dtale_settings
from .patches import SUBSTITUTIONS, patched_files
from .patching import location

Files = dict[str, Path]  # The keys start with the package's name.
# The name of a file, its name after processing, and whether it was processed.
Processed = tuple[str, str | None, bool | Exception]

# The files that pages may request, for each package.
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
ROOT = "dtale/"  # This folder is below STATIC_URL.
# Chromium used the compiled functions again only if both pages have the script in their HTML.
# The text makes the page long enough to compress it, as ``is_compressed`` expects.
AHEAD = """<!doctype html>
<title>D-Tale</title>
<!-- The site loads this page in a hidden frame while somebody chooses a file. The page only runs
the script of the page of D-Tale, so that the browser has compiled it when the page of D-Tale is
opened. The script draws nothing, because the page has no element in which the script draws. -->
<script src="dtale_bundle.js"></script>
"""
MTIME_PRECISION = 0.0001  # Seconds. Times of files are rounded when they are copied.

_lock = threading.Lock()


@functools.cache
def folder() -> str:
    """Return the name of the folder below STATIC_URL."""
    parts = [version(package) for package in SHIPPED], SUBSTITUTIONS, AHEAD
    return ROOT + hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def static_url(name: str) -> str:
    """Return the URL of a file, such as ``dtale/static/css/main.css``."""
    return f"{settings.STATIC_URL}{folder()}/{name}"


@functools.cache
def shipped() -> Files:
    """Return the files as they are installed."""
    found = {}
    for package, patterns in SHIPPED.items():
        root = location(package)
        for pattern in patterns:
            for path in sorted(root.glob(pattern)):
                # Source maps are two thirds of all bytes, and only developers of D-Tale
                # need them.
                if path.suffix != ".map" and path.is_file():
                    found[f"{package}/{path.relative_to(root).as_posix()}"] = path
    return found


def patched_directory() -> Path:
    """Return the directory of the patched files, and create it if necessary.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    directory = Path(dtale_settings.PATCHED_DIR) / folder()
    if not directory.exists():
        texts = patched_files("static")
        directory.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=directory.parent))
        for name, text in texts.items():
            path = made / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8", newline="")
        write_titles_font(made)
        made.joinpath("dist", "ahead.html").write_text(AHEAD)
        try:
            made.rename(directory)
        except OSError:  # Another process has created the directory.
            shutil.rmtree(made)
    return directory


def write_titles_font(directory: Path) -> None:
    """Convert the large font of D-Tale's titles to WOFF2, which is smaller."""
    from fontTools.ttLib import TTFont  # This import is slow and rarely needed.

    # It would warn that the font's date of creation is old.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    font = TTFont(shipped()["dtale/static/fonts/Road_Rage.ttf"])
    font.flavor = "woff2"
    directory.joinpath("fonts").mkdir(exist_ok=True)
    font.save(directory / "fonts" / "Road_Rage.woff2")


@functools.cache
def _served_files() -> Files:
    files, directory = dict(shipped()), patched_directory()
    for path in directory.glob("*/*"):
        files[f"dtale/static/{path.relative_to(directory).as_posix()}"] = path
    return files


def files() -> Files:
    """Return the files as they are served.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    with _lock:
        return _served_files()


class DtaleFiles(FileSystemStorage):
    """The storage from which `collectstatic` copies the files."""

    def __init__(self) -> None:
        super().__init__()
        self.prefix = folder()

    def path(self, name: str) -> str:
        return str(files()[name])


class DtaleFinder(BaseFinder):
    """The finder of these files for `collectstatic`, and for WhiteNoise in development."""

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if not path.startswith(ROOT):  # D-Tale has no files outside this folder.
            return []
        found = files().get(path.removeprefix(f"{folder()}/"))
        if found is None:
            return []
        return [str(found)] if find_all else str(found)

    def list(
        self, ignore_patterns: Iterable[str] | None
    ) -> Iterator[tuple[str, DtaleFiles]]:
        storage = DtaleFiles()
        for name in files():
            yield name, storage


class QuickCompressor(Compressor):
    """WhiteNoise's compressor, with a lower quality of Brotli.

    The highest quality takes 16 times as long, and saves a tenth of the bytes. Files that
    a previous run of `collectstatic` has compressed are not compressed again.
    """

    def compress(self, path: str) -> list[str]:
        return [] if is_compressed(path) else super().compress(path)

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return brotli.compress(data, quality=9)


def is_compressed(path: str) -> bool:
    """Return whether both compressed versions of a file exist and are up to date.

    The compressor gives a complete version the time of its file, and `collectstatic` gives
    a file that it copies again a new time.
    """
    try:
        times = [Path(path + suffix).stat().st_mtime for suffix in ("", ".br", ".gz")]
    except FileNotFoundError:
        return False
    return max(times) - min(times) < MTIME_PRECISION


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, except that D-Tale's files keep their names.

    Hundreds of these files load each other by name, and the storage cannot change names
    in scripts. The name of their folder contains a digest instead.
    """

    def create_compressor(self, **options: Any) -> Compressor:
        return QuickCompressor(**options)

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Processed]:
        hashed = {name: of for name, of in paths.items() if not name.startswith(ROOT)}
        yield from super().post_process(hashed, dry_run=dry_run, **options)
        if not dry_run:
            kept = [name for name in paths if name not in hashed]
            for name, compressed in self.compress_files(kept):
                yield name, compressed, True
