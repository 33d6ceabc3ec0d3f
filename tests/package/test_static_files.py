"""The static files of D-Tale and Dash are found, collected and compressed."""

import functools
import gzip
import re
from contextlib import ExitStack, closing
from urllib.parse import unquote

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse
from django.test import override_settings
from fontTools.ttLib import TTFont
from whitenoise.compress import Compressor
from whitenoise.middleware import WhiteNoiseMiddleware

from django_dtale import checks
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.assets import finder
from django_dtale.dtale.assets.finder import files, folder, shipped, static_url
from django_dtale.dtale.assets.patches import patched_files
from django_dtale.dtale.patches.registry import resolve

from .test_start import python

MAIN = "dtale/static/dist/dtale_bundle.js"
FONT = "dtale/static/fonts/Road_Rage.woff2"
AHEAD = "dtale/static/dist/ahead.html"
A_YEAR = 365 * 24 * 60 * 60  # The number of seconds in a year.


def found(url):
    """Return the path of the file for a URL, or None."""
    return finders.find(
        unquote(url.removeprefix(settings.STATIC_URL)).partition("?")[0]
    )


# Files --------------------------------------------------------------------------------


def test_patched_files_replace_the_originals():
    patched = patched_files("static")
    for name, text in patched.items():
        path = files()[f"dtale/static/{name}"]
        assert path.read_text("utf-8") == text
        assert path != shipped()[f"dtale/static/{name}"]
    made = {FONT, AHEAD, *(f"dtale/static/{name}" for name in patched)}
    others = files().keys() - made
    assert all(files()[name] == shipped()[name] for name in others)


def test_title_font_is_smaller_but_equivalent():
    original = shipped()["dtale/static/fonts/Road_Rage.ttf"]
    assert files()[FONT].stat().st_size < original.with_suffix(".woff").stat().st_size
    with TTFont(files()[FONT]) as font, TTFont(original) as shipped_font:
        assert font.flavor == "woff2"
        assert font.getBestCmap() == shipped_font.getBestCmap()
        assert font["hmtx"].metrics == shipped_font["hmtx"].metrics


def test_patched_files_are_created_once(dtale_settings, tmp_path, monkeypatch):
    dtale_settings.PATCHED_DIR = tmp_path

    def meanwhile(folder):
        monkeypatch.setattr(finder, "patched_files", patched_files)
        # Simulate another process that creates the files first.
        finder.patched_directory()
        return patched_files(folder)

    monkeypatch.setattr(finder, "patched_files", meanwhile)
    directory = finder.patched_directory()
    assert list(tmp_path.glob("*/*")) == [directory]
    assert (directory / "dist" / "dtale_bundle.js").is_file()
    # From here on, a second build fails.
    monkeypatch.setattr(finder, "patched_files", None)
    assert finder.patched_directory() == directory


def test_source_maps_and_python_files_are_not_found():
    suffixes = {path.suffix for path in files().values()}
    assert {".js", ".css", ".woff", ".png", ".json"} <= suffixes
    assert not {".map", ".py"} & suffixes
    assert finders.find(f"{folder()}/{MAIN}.map") is None


@pytest.mark.parametrize(
    "path",
    [
        "dtale/static/none.js",
        "dtale/static/../app.py",
        "dtale/app.py",
        "dash/dash.py",
        "",
        "dtale/static",
    ],
)
def test_other_files_are_not_found(path):
    assert finders.find(f"{folder()}/{path}") is None


def test_folder_name_depends_on_patches_and_versions(monkeypatch):
    names = {folder()}
    monkeypatch.setattr(finder, "SUBSTITUTIONS", finder.SUBSTITUTIONS[1:])
    names.add(folder.__wrapped__())
    monkeypatch.setattr(finder, "version", lambda package: "1.0")
    names.add(folder.__wrapped__())
    assert len(names) == 3
    assert all(re.fullmatch("dtale/[0-9a-f]{12}", name) for name in names)


# URLs ---------------------------------------------------------------------------------

PAGES = "main popup/merge charts network code-popup calculation/skew".split()


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_references_is_found(owner, frame, page):
    path = page if "/" in page or "-" in page else f"{page}/{frame.pk}"
    text = owner.get(path).text
    named = re.findall(r"""(?:href|src)=["']?(/[^"'> ]+\.(?:js|css|woff|png))""", text)
    assert len(named) > 1
    assert [url for url in named if not found(url)] == []


def test_maps_of_charts_are_found():
    build_dtale()
    graph_wrapper = resolve("dtale.dash_application.charts:graph_wrapper")
    graph = graph_wrapper(True, config={"topojsonURL": "/dtale/static/maps/"})
    assert found(f"{graph.config['topojsonURL']}usa_110m.json")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["css/main.css", "dist/dtale_bundle.js", "a%20b.js"])
def test_old_url_redirects_to_the_new_one(visitor, name):
    answer = visitor().get(f"static/{name}")
    assert answer.status_code == 302
    assert answer.headers["Location"] == static_url(f"dtale/static/{name}")


@pytest.mark.django_db
def test_home_page_prefetches_files_of_the_grid(owner, frame):
    home = owner.browser.get("/").text
    [(base, files)] = re.findall(r'data-from="([^"]+)"\s+data-files="([^"]+)"', home)
    ahead = [f"{base}/{file}" for file in files.split()]
    grid = owner.get(f"main/{frame.pk}").text
    assert static_url(MAIN) in ahead
    assert [url for url in ahead if f'"{url}"' not in grid] == []


def test_files_are_served_without_collectstatic_in_development():
    code = (
        f"from {settings.WSGI_APPLICATION.rpartition('.')[0]} import application;"
        "from werkzeug.test import Client; from django_dtale.dtale.assets.finder import static_url;"
        f"url = static_url('{MAIN}');"
        "answer = Client(application).get(url.removeprefix('/tools'));"
        "print(url.startswith('/tools/static/dtale/'), answer.status_code,"
        " 'window.resourceBaseUrl+' in answer.text, answer.headers['Cache-Control'])"
    )
    result = python("-c", code, FORCE_SCRIPT_NAME="/tools")
    assert result.stdout.startswith("True 200 True max-age="), result.stderr
    assert "immutable" in result.stdout


# Collected files ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def production(tmp_path_factory):
    """Yield the settings of a site with collected static files."""
    backend = "django_dtale.dtale.assets.finder.StaticFilesStorage"
    with override_settings(
        STATIC_ROOT=tmp_path_factory.mktemp("static"),
        STORAGES={**settings.STORAGES, "staticfiles": {"BACKEND": backend}},
    ):
        with pytest.MonkeyPatch.context() as patch:
            # The best compression takes a minute, so use the fastest one.
            quick = staticmethod(lambda data: brotli.compress(data, quality=1))
            patch.setattr(Compressor, "compress_brotli", quick)
            call_command("collectstatic", interactive=False, verbosity=0)
        yield settings


@pytest.fixture
def ask(production, rf):
    """Yield a function that requests a file from WhiteNoise in an encoding."""
    serve = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))
    with ExitStack() as answers:

        def ask(url, encoding="", **headers):
            answer = serve(rf.get(url, HTTP_ACCEPT_ENCODING=encoding, **headers))
            return answers.enter_context(closing(answer))

        yield ask


@pytest.mark.parametrize(
    "encoding, decompress", [("br", brotli.decompress), ("gzip", gzip.decompress)]
)
def test_collected_script_is_compressed_and_cached(ask, encoding, decompress):
    answer = ask(static_url(MAIN), encoding)
    body = b"".join(answer)
    # The uncompressed script is 7 MB in size.
    assert answer["Content-Encoding"] == encoding and len(body) < 2_500_000
    assert decompress(body) == patched_files("static")["dist/dtale_bundle.js"].encode()
    assert answer["Vary"] == "Accept-Encoding"
    age = int(re.search(r"max-age=(\d+)", answer["Cache-Control"])[1])
    assert age >= A_YEAR and "immutable" in answer["Cache-Control"]
    again = ask(static_url(MAIN), encoding, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert again.status_code == 304


def test_every_file_is_collected_once(ask):
    for name in files():
        with closing(ask(static_url(name))) as answer:
            assert answer.status_code == 200, name
    names = [path.name for path in (settings.STATIC_ROOT / folder()).rglob("*.js")]
    assert "dtale_bundle.js" in names
    assert not [name for name in names if re.search(r"\.[0-9a-f]{12}\.", name)]
    assert ask(f"{static_url(MAIN)}.map").status_code == 404


def test_second_run_compresses_only_what_is_new(production, monkeypatch):
    compress, compressed = Compressor.compress, []

    def spy(self, path):
        names = compress(self, path)
        if names:
            compressed.append(path)
        return names

    monkeypatch.setattr(Compressor, "compress", spy)
    again = functools.partial(
        call_command, "collectstatic", interactive=False, verbosity=0
    )
    again()
    assert not [path for path in compressed if folder() in path]
    compressed.clear()
    script = settings.STATIC_ROOT / folder() / "dtale/static/dist/network_bundle.js"
    script.with_name(f"{script.name}.gz").unlink()
    again()
    assert [path for path in compressed if folder() in path] == [str(script)]


def test_site_files_have_a_digest_in_their_name(ask):
    url = staticfiles_storage.url("frames/pages.css")
    assert re.fullmatch(r"/static/frames/pages\.[0-9a-f]{12}\.css", url)
    assert "immutable" in ask(url)["Cache-Control"]
    assert "immutable" not in ask("/static/frames/pages.css")["Cache-Control"]


def test_server_requires_collected_files(production, monkeypatch, tmp_path):
    checks.require_clean()
    # Simulate another installed release of D-Tale.
    monkeypatch.setattr(checks, "folder", lambda: "dtale/0123456789ab")
    with pytest.raises(checks.SystemCheckError, match="collectstatic"):
        checks.require_clean()
    monkeypatch.undo()
    with override_settings(STATIC_ROOT=tmp_path):
        with pytest.raises(checks.SystemCheckError, match="collectstatic"):
            checks.require_clean()
