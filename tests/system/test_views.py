"""Tables open as `docs/views.md` of the library shows it, in a real browser."""

import json
import os
import re
from pathlib import Path

import pytest
from lengths import IS_LONG
from playwright.sync_api import expect
from test_pages import sign_in

TEMPLATE = Path(__file__).resolve().parents[2]
DOCS = TEMPLATE / "{{cookiecutter.project_slug}}/packages/django-dtale/docs"
PUBLISH = """
import json
import sys

from django.contrib.auth import get_user_model
from django_dtale import Chart, View, publish

data, examples = json.loads(sys.stdin.read())
exec(data)
ann = get_user_model().objects.get()
tables = {
    name: publish(orders, owner=ann, name=name, view=eval(view)).get_absolute_url()
    for name, view in examples.items()
}
print(json.dumps(tables))
"""


def examples():
    """Return the code of the data, and the views by the names of their pictures."""
    text = (DOCS / "views.md").read_text()
    data = re.search(r"```python\n(import pandas.*?)```", text, re.S)[1]
    picture = r"```\n\n!\[[^]]+\]\(views/(\w+)\.png\)"
    found = re.findall(rf"```python\n(View\([^`]+){picture}", text)
    return data, {name: view for view, name in found}


@pytest.fixture(scope="module")
def tables(project, tmp_path_factory):
    """The site with a table for each example, and the paths of the tables."""
    folder = tmp_path_factory.mktemp("views")
    variables = {"DATA_DIR": str(folder)}
    project.set_up("ann", **variables)
    code = PUBLISH.replace("sys.stdin.read()", repr(json.dumps(examples())))
    (folder / "publish.py").write_text(code)
    run = f"exec(open({str(folder / 'publish.py')!r}).read(), {{}})"
    output = project.run(
        ".venv/bin/python", "manage.py", "shell", "-v", "0", "-c", run, **variables
    )
    with project.serve("gunicorn", **variables) as site:
        yield site, json.loads(output.splitlines()[-1])


@pytest.fixture
def open_table(tables, page):
    """Return a function that opens the table of an example."""
    site, paths = tables
    sign_in(page, site, "ann")

    def open_table(name):
        page.set_viewport_size({"width": 730, "height": 250})
        page.goto(site.url + paths[name])
        if "/main/" in paths[name]:
            expect(page.locator(".cell", has_text=CITY).first).to_be_visible()

    return open_table


CITY = re.compile("Rome|Berlin|Paris|Oslo|Madrid")


def column(page, number):
    """Return the visible cells of a column of the grid. Column 0 is the row number."""
    return page.locator(f'.cell[cell_idx^="{number}|"]')


def colors(page, number):
    """Return the backgrounds of the first cells of a column."""
    script = "cells => cells.map(cell => cell.style.background)"
    return column(page, number).evaluate_all(script)[:3]


def open_menu(page):
    page.set_viewport_size({"width": 730, "height": 420})
    page.locator(".grid-menu").first.click()


def prepare(page, name):
    """Open the part of the page that shows the option, where it is not the grid."""
    if name == "title":
        open_menu(page)
        title = page.locator("header", has_text="Orders of the shop")
        expect(title).to_be_visible()
    elif name == "filters":
        open_menu(page)
        page.get_by_text("Predefined Filters").click()
        expect(page.get_by_role("heading", name="Big")).to_be_visible()
        # D-Tale leaves the hint of the menu open.
        page.locator(".hoverable__content").evaluate_all(
            "hints => hints.forEach(hint => hint.style.display = 'none')"
        )
    elif name == "editable":
        page.locator(".cell.editable", has_text="closed").first.dblclick()
        expect(page.get_by_text("Editing Cell")).to_be_visible()
    elif name == "charts":
        page.set_viewport_size({"width": 1200, "height": 800})
        expect(page.locator("#chart-content .bars .point")).to_have_count(5)
        # Dash can draw the chart again, and replace the element.
        page.wait_for_load_state("networkidle")
        find = "document.querySelector('#chart-content .bars')"
        page.evaluate(f"{find}.scrollIntoViewIfNeeded()")
    elif name == "describe":
        page.set_viewport_size({"width": 730, "height": 420})
        expect(page.get_by_text("Data Type")).to_be_visible()
    elif name == "correlations":
        page.set_viewport_size({"width": 730, "height": 420})
        expect(page.get_by_text("Pearson Correlation Matrix")).to_be_visible()
        expect(page.get_by_text("N/A").first).to_be_visible()


# With few colors, the pictures take a quarter of the space.
SHRINK = """
import sys
from PIL import Image

for path in sys.argv[1:]:
    with Image.open(path) as image:
        small = image.convert("RGB").quantize(32, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
"""


NAMES = [*examples()[1]]


@pytest.mark.parametrize(
    "name", NAMES if IS_LONG or "SCREENSHOTS" in os.environ else NAMES[::4]
)
def test_screenshots(open_table, page, project, tmp_path, name):
    """`make screenshots` saves these pictures for the library's document."""
    folder = DOCS / "views" if "SCREENSHOTS" in os.environ else tmp_path
    open_table(name)
    prepare(page, name)
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    size = page.viewport_size
    # The bar below the grid contains the time at which the data were read.
    bar = page.locator("#frame-bar, #chart-bar")
    height = bar.bounding_box()["y"] if bar.count() else size["height"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height}
    path = folder / f"{name}.png"
    page.screenshot(path=path, clip=clip)
    project.run(".venv/bin/python", "-c", SHRINK, str(path))


def test_each_picture_belongs_to_an_example():
    pictures = {path.stem for path in (DOCS / "views").iterdir()}
    assert pictures == examples()[1].keys()
    assert sum(path.stat().st_size for path in (DOCS / "views").iterdir()) < 300_000


def test_formats(open_table, page):
    open_table("formats")
    # The table is wider than the window, so its first column expands rows.
    cells = [column(page, number).first for number in (2, 3, 4, 8)]
    texts = [each.inner_text() for each in cells]
    assert texts == ["Rome", "Mon, 05.01.2026", "120.50 €", "https://example.com/0"]
    expect(column(page, 8).first.locator("a")).to_have_attribute(
        "href", "https://example.com/0"
    )
    assert column(page, 2).nth(1).inner_text() == "Be..."
    expect(column(page, 4).nth(2)).to_have_css("color", "rgb(255, 0, 0)")
    assert column(page, 4).nth(3).inner_text() == "nan"


def test_highlights_and_heatmaps(open_table, page):
    open_table("highlight")
    assert colors(page, 3) == ["", "", "rgb(255, 179, 179)"]
    open_table("heatmap")
    assert colors(page, 1) == ["", "", ""]
    assert "" not in colors(page, 3)
    assert column(page, 3).nth(3).evaluate("cell => cell.style.background") == ""


def test_widths(open_table, page):
    open_table("widths")
    assert [
        column(page, number).first.bounding_box()["width"] for number in (1, 7)
    ] == [
        160,
        90,
    ]


def test_named_filters_are_switched_on(open_table, page):
    open_table("filters")
    expect(column(page, 6).filter(has_text="closed")).to_have_count(0)
    prepare(page, "filters")
    page.get_by_role("button", name="Enabled").first.click()
    expect(column(page, 3).filter(has_text="-20.25")).to_have_count(0)


def test_cell_gets_one_of_its_choices(open_table, page):
    open_table("editable")
    assert page.locator('.cell.editable[cell_idx^="3|"]').count() == 0
    prepare(page, "editable")
    editor = page.locator(".editor-select").first
    editor.locator("input").first.press("ArrowDown")
    options = page.locator("[class*=-option], .Select__option")
    expect(options).to_have_text(["nan", "open", "closed"])
    options.filter(has_text="open").click()
    editor.locator("input").first.press("Enter")
    expect(column(page, 6).nth(1)).to_have_text("open")
