"""Each of D-Tale's menus behaves in a real browser as docs/menus.md says.

The test compares its findings with the table in that document. `make menus` updates the
table. In the short form, the test tries every fourth row.
"""

import contextlib
import datetime
import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import TEMPLATE
from dtale_menus import (
    CHARTS,
    COLUMN_ENTRIES,
    COLUMNS,
    DATA,
    ENTRIES,
    MAIN,
    RIBBON,
    SAYS,
    SETTINGS,
    WINDOWS,
    column,
    ribbon,
)
from lengths import IS_LONG
from menu_off import FIXED, OFF, REFUSED, TABLE
from menu_requests import BUILDERS, FILTERS, NO_FILTERS, REQUESTS
from menu_walk import Opened
from test_frames_differential import plain_dtale
from test_pages import sign_in

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(n) for n in range(60)]
CSV = "number,amount,height,text,day,flag,spare,x,place,dated,same,state\n" + "".join(
    f"{n % 7},{1000 if n == 5 else n * n % 31},{n / 4 if n % 6 else ''},"
    f"{'red green blue'.split()[n % 3]},{day},{n % 2 == 0},{n},{n % 5},"
    f"{('San Jose', 'Rome', 'New Ulm')[n % 3]},March {n % 28 + 1} 2024,{n // 59},"
    f"{('CA', 'TX', 'NY')[n % 3]}\n"
    for n, day in enumerate(DAYS)
)


@dataclass(frozen=True)
class Row:
    """A row of the table: a menu, how it is opened, and a function that tests it."""

    menu: str
    opened: str
    try_: callable


def rows():
    """Yield the rows of the table, in an order in which each of them can be tested."""
    for name, comes in (ENTRIES | SETTINGS).items():
        menu = MAIN
        if name in SETTINGS:
            menu = ribbon("settings")
        yield Row(name, comes.kind, functools.partial(entry, menu, name, comes))
    for name, comes in COLUMN_ENTRIES.items():
        yield Row(
            f"Column: {name}", comes.kind, functools.partial(of_column, name, comes)
        )
    yield Row("Column: drag its border", "on the page", resized)
    yield Row("Highlight Range: Apply", "on the page", highlighted)
    for name, where in WINDOWS.items():
        yield Row(name, "a small window", functools.partial(window, *where))
    for name in BUILDERS:
        yield Row(
            f"Dataframe Functions: {name}",
            "a small window",
            functools.partial(form, name),
        )
    for name, request in REQUESTS.items():
        yield Row(name, "its request", functools.partial(ask, *request))
    for name, request in FILTERS.items():
        yield Row(name, "its request", functools.partial(filtered, *request))
    for kind, columns in CHARTS.items():
        yield Row(
            f"Charts: {kind}",
            "a tab and a small window",
            functools.partial(chart, kind, columns),
        )


# These rows undo what the rows before them have done, so they cannot be tested alone.
UNDOING = {"Column: Unlock", "EN"}

# How each row is tested ---------------------------------------------------------------


# These requests undo effects that would change later rows.
BACK = {
    "Pin menu": ("update-pin-menu", {"pinned": "false"}),
    "Vertical Column Headers": (
        "update-settings/{}",
        {"settings": {"verticalHeaders": False}},
    ),
    "Hide Header Editor": (
        "update-settings/{}",
        {"settings": {"hide_header_editor": False}},
    ),
    "Hide Row Expanders": (
        "update-settings/{}",
        {"settings": {"hide_row_expanders": False}},
    ),
}


def entry(menu, name, comes, opened):
    opened.entry(menu, name, comes)
    if name in BACK:
        opened.ask(*BACK[name])
        opened.stale = True


def of_column(name, comes, opened):
    columns = {"Aa": "text", "equals": "text"}
    columns["Variance Report"] = "same"
    opened.entry(column(columns.get(name, "number")), name, comes)


def resized(opened):
    opened.grid()
    header = opened.page.locator(".headerCell").first
    handle = header.locator(".DragHandle").bounding_box()
    before = header.bounding_box()["width"]
    mouse = opened.page.mouse
    mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    mouse.down()
    mouse.move(handle["x"] + 80, handle["y"], steps=5)
    mouse.up()
    opened.settle()
    assert header.bounding_box()["width"] > before + 40


def highlighted(opened):
    """Highlight values above 500, and check that their cells are yellow."""
    opened.grid()
    opened.press(MAIN, "Highlight Range")
    dialog = opened.page.locator(".modal.show")
    above = dialog.locator(".form-group", has_text="Greater Than")
    above.locator("i").click()
    above.locator("input").fill("500")
    dialog.get_by_role("button", name="Apply").click()
    yellow = opened.page.locator('.cell[style*="rgb(255, 245, 157)"]')
    yellow.first.wait_for()
    assert "1000" in yellow.all_inner_texts()
    opened.close()
    opened.stale = True


def window(path, content, opened):
    opened.window(path, content)


def form(name, opened):
    """Check that the button for a kind of new column shows the matching form."""
    if "/popup/build/" not in opened.page.url:
        opened.window("popup/build/{}", "text=Create")
    button = opened.page.get_by_role("button", name=name, exact=True).first
    # Other elements may cover the button, so do not click with the mouse.
    button.evaluate("each => each.click()")
    opened.page.locator("button.active", has_text=name).first.wait_for()
    opened.settle()
    opened.look_for_alerts()


def ask(route, parameters, opened):
    opened.ask(route, parameters)


def filtered(route, parameters, opened):
    try:
        opened.ask(route, parameters)
        opened.ask("data/{}", {"ids": ["0-5"]})
    finally:
        opened.ask(*NO_FILTERS)


def chart(kind, columns, opened):
    opened.chart(kind, columns)


# The table ----------------------------------------------------------------------------

CLOSED = """
import json
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import OPEN
rules = build_dtale().app("/x").url_map.iter_rules()
closed = {each.endpoint: each.rule for each in rules if each.endpoint not in OPEN}
print("CLOSED", json.dumps(closed))
"""


def lines_about(found):
    """Return the rows as they are written in docs/menus.md.

    Args:
        found: {row: the reason why the menu fails, also in plain D-Tale, or None}.
    """
    lines = []
    for row, why in found.items():
        fixed = next((how for name, how in FIXED.items() if name in row.menu), "")
        here = "broken upstream" if why else "works"
        lines.append(f"| {row.menu} | {row.opened} | {here} | {why or fixed} |")
    return lines


def written(found):
    """Return the content of docs/menus.md."""
    lines = lines_about(found)
    lines += [f"| {what} | | refused | {why} |" for what, why in REFUSED.items()]
    lines += [f"| {what} | | disabled | {why} |" for what, why in OFF.values()]
    return TABLE.format(rows="\n".join(lines))


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The default bake with required sign-in."""
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("menus")),
        "FRAMES_LOGIN_REQUIRED": "True",
    }
    project.set_up("ann", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def opened(page, site):
    page.context.set_default_timeout(60_000)
    sign_in(page, site, "ann")
    return Opened(page, f"{site.url}/{site.prefix}/dtale", CSV, f"{site.url}/frames/")


@contextlib.contextmanager
def alone(project, browser):
    """Open a frame in plain D-Tale at the root of its host."""
    with plain_dtale(project) as url:
        context = browser.new_context()
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(f"{url}/dtale/popup/upload")
        opened = Opened(page, f"{url}/dtale", CSV)
        # The site reads dates in files as dates, but plain D-Tale reads them as text.
        to_date = {"col": "day", "from": "str", "to": "date"}
        opened.ask(
            "build-column/{}",
            {"type": "type_conversion", "saveAs": "inplace", "cfg": to_date},
        )
        yield opened
        context.close()


def test_menus_match_the_documentation(project, browser, opened, problems):
    menus = [*map(column, COLUMNS), MAIN, *map(ribbon, RIBBON)]
    names = {name for menu in menus for name in opened.entries(menu)}
    assert names - {*ENTRIES, *SETTINGS, *COLUMN_ENTRIES, *SAYS, *DATA} == set()
    opened.stale = True  # Reload the page, because the ribbon stays open.
    is_whole = IS_LONG or "MENUS" in os.environ
    tried = [*rows()]
    if not is_whole:
        tried = [row for row in tried[::4] if row.menu not in UNDOING]
    found = {row: opened.try_(row.try_) for row in tried}
    broken = {row: why for row, why in found.items() if why}
    if broken:
        with alone(project, browser) as plain:
            ours = {
                f"{row.menu} ({row.opened})": why
                for row, why in broken.items()
                if not plain.try_(row.try_)
            }
        assert ours == {}
        problems.clear()
    table = Path("docs", "menus.md")
    if "MENUS" in os.environ:
        Path(os.environ["MENUS"], table.name).write_text(written(found), "utf-8")
    documented = (TEMPLATE / table).read_text("utf-8")
    if is_whole:
        assert written(found) == documented
    assert {*lines_about(found)} <= {*documented.splitlines()}


def test_disabled_endpoints_return_404_and_are_documented(project, opened):
    printed = project.run(".venv/bin/python", "manage.py", "shell", "-c", CLOSED)
    closed = json.loads(printed.partition("CLOSED ")[2].splitlines()[0])
    assert set(OFF) == set(closed)
    root = opened.front.removesuffix("/dtale")
    for endpoint, rule in closed.items():
        path = rule.replace("<data_id>", opened.id).replace("<dim>", "d")
        answer = opened.page.request.fetch(
            root + path,
            method="POST" if endpoint == "dtale.upload" else "GET",
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status == 404, endpoint
