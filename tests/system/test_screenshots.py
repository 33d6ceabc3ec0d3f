"""All pages look as they did when somebody last looked at their screenshots."""

import json
import os
import re
import shutil
from itertools import chain

import pytest
from conftest import TEMPLATE
from screens import PUBLISH, Camera, visit_main_pages, visit_states
from test_accessibility import Walk

HERE = TEMPLATE / "tests" / "system"
REFERENCES = HERE / "screenshots"
GALLERY = TEMPLATE / "docs" / "gallery"
# This directory is not in the repository. A person can look at the pictures there.
PICTURES = TEMPLATE / "build" / "screenshots"
# The browser uses only the fonts of Matplotlib, which each project has.
FONTS = """<?xml version="1.0"?>
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>"""


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("screens")),
        "FRAMES_LOGIN_REQUIRED": "True",
        "FRAMES_MAX_COUNT": "1000",
        "EMAIL_URL": "console:",
        "PYTHONUNBUFFERED": "1",
    }
    project.set_up(**variables)
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "shell", "-v", "0", "-c", PUBLISH, **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def pictures(project, *arguments):
    """Run pictures.py in the project, and return its result."""
    script = str(HERE / "pictures.py")
    return json.loads(project.run(".venv/bin/python", script, *map(str, arguments)))


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def page(project, chromium, tmp_path):
    """A page in a browser that has the same fonts on each machine."""
    [fonts] = project.path.glob(".venv/lib/*/site-packages/matplotlib/mpl-data/fonts")
    configuration = tmp_path / "fonts.conf"
    configuration.write_text(FONTS.format(fonts=fonts, cache=tmp_path / "fonts"))
    options = "--font-render-hinting=none", "--disable-lcd-text"
    browser = chromium(*options, FONTCONFIG_FILE=str(configuration))
    page = browser.new_page()
    page.set_default_timeout(90_000)
    yield page
    browser.close()


def test_pages_look_as_before(project, site, page):
    camera, walk = Camera(page, empty(PICTURES)), Walk(page, site)
    for name in chain(visit_main_pages(walk), visit_states(walk)):
        camera.take(name)
    page.context.clear_cookies()
    for name in walk.pages():
        camera.take(name)
    if "SCREENSHOTS" in os.environ:
        pictures(project, "update", PICTURES, REFERENCES)
        pictures(project, "publish", PICTURES, GALLERY)
    assert pictures(project, "compare", PICTURES, REFERENCES) == {}


def test_gallery_shows_each_picture_and_is_small():
    text = (TEMPLATE / "docs" / "gallery.md").read_text()
    files = {path.name: path.stat().st_size for path in GALLERY.iterdir()}
    assert files.keys() == set(re.findall(r"\(gallery/([\w-]+\.webp)\)", text))
    assert max(files.values()) < 60_000
    assert sum(files.values()) < 1_500_000
