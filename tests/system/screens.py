"""Screenshots that are the same in each run, and the states of pages for the gallery."""

import re

from conftest import PASSWORD
from playwright.sync_api import expect
from test_pages import drop

# These sizes are those of a common laptop and of a small phone.
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
# The end of the file name, the color scheme and the size of each picture of a page.
LOOKS = (
    ("-light", "light", WIDE),
    ("-dark", "dark", WIDE),
    ("-phone", "light", PHONE),
)

# The people are dora, who has a few tables, cem, who has many, and eve, who has none.
PUBLISH = f"""
PASSWORD = "{PASSWORD}"
import numpy as np
import pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import View, publish
from django_dtale.models import Frame

people = get_user_model().objects
for name in ("ann", "bob", "cem", "dora", "eve"):
    people.create_superuser(name, name + "@example.com", PASSWORD)
cem, dora = (people.get(username=name) for name in ("cem", "dora"))
n = np.arange(240)
orders = pd.DataFrame(dict(
    order=1001 + n,
    day=pd.Timestamp("2026-01-05") + pd.to_timedelta(n % 90, unit="D"),
    country=np.array(["DE", "FR", "PL", "IT"])[n % 4],
    article=np.array(["screws", "nails", "hinges", "locks", "handles"])[n % 5],
    amount=n * 37 % 500 / 4,
    paid=n % 3 > 0,
))
for name in ("Prices 2026", "Stock of Hamburg", "Visitors by week", "Weather stations"):
    publish(orders[["order", "amount"]], owner=dora, name=name)
publish(orders, owner=dora, name="Orders", shared_with=[cem])
publish(orders, owner=cem, name="Budget", shared_with=[dora])
frame = Frame.objects.get(name="Orders", owner=dora)
frame.append(orders.head(10))
frame.save_view("Unpaid orders", View(hide=["paid"]))
for number in range(200):
    publish(dict(a=[number]), owner=cem, name=f"Measurements of station {{number:03}}")
"""

# This script replaces what differs between runs: times, the port, and tokens.
STEADY = r"""() => {
  const steady = (text) => text
    .replace(/(127\.0\.0\.1|localhost):\d+/g, "data.example.com")
    .replace(/\bdtale_[\w-]{20,}/g, "dtale_" + "t0ken".repeat(8))
    .replace(/\d+\/\d+\/20\d\d,? \d+:\d\d [ap]\.m\./g, "01/05/2026 9:30 a.m.")
    .replace(/[A-Z][a-z]+\.? \d+, 20\d\d(?=,| by)/g, "Jan. 5, 2026")
    .replace(/2026, (\d+(:\d\d)? [ap]\.m\.|noon|midnight)/g, "2026, 9:30 a.m.");
  for (const each of document.querySelectorAll("time"))
    if (!/20\d\d/.test(each.textContent)) each.textContent = "3 hours ago";
  for (const each of document.querySelectorAll("[data-numbers]"))
    each.textContent = "40% \u00b7 3 MB / 7.6 MB \u00b7 6 seconds left";
  for (const each of document.querySelectorAll("progress")) each.value = 0.4;
  for (const each of document.querySelectorAll("input[readonly]"))
    each.value = steady(each.value);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = steady(texts.currentNode.data);
    if (text !== texts.currentNode.data) texts.currentNode.data = text;
  }
}"""


BARS = "#frame-bar, #chart-bar"


class Camera:
    """Saves screenshots of a page in all looks.

    Args:
        page: A Playwright page.
        folder: The directory for the pictures.
        looks: See LOOKS.
    """

    def __init__(self, page, folder, looks=LOOKS):
        self.page = page
        self.folder = folder
        self.looks = looks
        self.names = set()

    def take(self, name):
        """Save pictures of the page in its present state."""
        page = self.page
        assert name not in self.names
        self.names.add(name)
        slug = re.sub(r"\W+", "-", name).strip("-")
        page.wait_for_load_state("networkidle")
        # D-Tale's pages get their theme when they are loaded.
        is_dtale = page.locator(BARS).count() > 0
        for end, scheme, size in self.looks:
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            if is_dtale:
                page.reload()
                wait_for_dtale(page)
            page.evaluate(STEADY)
            path = self.folder / f"{slug}{end}.png"
            page.screenshot(path=path, animations="disabled")
        page.set_viewport_size(WIDE)


def wait_for_dtale(page):
    """Wait until the grid shows its cells, or the charts page its fields."""
    if page.locator("#chart-bar").count():
        # Dash loads the scripts of its fields after the page.
        for field in ("#x-dropdown", "#y-multi-dropdown", "#group-dropdown"):
            expect(page.locator(f"{field}:not(:empty)").first).to_be_visible()
        expect(page.locator(".rc-slider, .dash-slider-root").first).to_be_visible()
    else:
        expect(page.locator(".main-grid .cell").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def visit_main_pages(walk):
    """Open the main pages of a person with a few tables. Yield the name of each page."""
    page = walk.page
    walk.go("/accounts/login/")
    yield "sign in"
    walk.sign_in("eve")
    walk.go("/")
    yield "home without tables"
    page.context.clear_cookies()
    walk.sign_in("dora")
    walk.go("/")
    yield "home with tables"
    grid = page.get_by_role("link", name="Orders", exact=True).get_attribute("href")
    pk = grid.rpartition("/")[2]
    drop(page, ("orders.csv", "a"), kinds=["dragenter"])
    yield "drop a file"
    walk.upload(("prices.csv", "article;price\nscrews;1,234\nnails;2,075\n"))
    yield "preview"
    for name in ("share", "history", "views", "download"):
        walk.go(f"/frames/{pk}/{name}/")
        yield f"{name} of a table"
    walk.go("/frames/sources/")
    yield "data of the site"
    walk.go("/frames/tokens/")
    yield "access tokens"
    for name in ("main", "charts"):
        walk.go(grid.replace("main", name))
        wait_for_dtale(page)
        yield {"main": "grid"}.get(name, name)
    walk.go("/")
    other = page.get_by_role("link", name="Stock of Hamburg", exact=True)
    pk = other.get_attribute("href").rpartition("/")[2]
    walk.go(f"/frames/{pk}/delete/")
    with page.expect_navigation():
        page.locator("main .danger").click()
    yield "message with undo"
    walk.go("/frames/trash/")
    yield "recently deleted"


def visit_states(walk):
    """Open further states of pages. Yield the name of each state."""
    page = walk.page
    page.context.clear_cookies()
    walk.sign_in("dora")
    walk.go("/")
    grid = page.get_by_role("link", name="Orders", exact=True).get_attribute("href")
    pk = grid.rpartition("/")[2]
    page.locator(".menu summary").nth(1).click()
    yield "menu of a row"
    page.locator(".menu[open] [data-rename]").click()
    yield "name of a row"
    walk.go("/?layout=cards")
    yield "cards"
    walk.go("/?layout=list")
    page.locator("form[data-opens] summary").click()
    yield "options of an upload"
    # Wait until the browser has compiled D-Tale's script, because the network is never idle
    # while the next request is without an answer.
    drop(page, ("orders.csv", "a"), kinds=["dragenter"])
    expect(page.locator("iframe[src$='/ahead.html']")).to_be_attached()
    page.frames[-1].wait_for_load_state("networkidle")
    page.wait_for_load_state("networkidle")
    page.route("**/upload/", lambda route: held.append(route))
    held = []
    drop(page, ("orders.csv", "a\n1\n"))
    expect(page.locator("form[data-opens] progress")).to_be_visible()
    yield "upload"
    held.pop().abort()
    expect(page.locator("[data-again]")).to_be_visible()
    yield "failed upload"
    page.unroute("**/upload/")
    walk.go(f"/frames/{pk}/update/")
    yield "update of a table"
    walk.go(grid.replace("main", "iframe"))
    wait_for_dtale(page)
    yield "embedded grid"

    page.context.clear_cookies()
    walk.sign_in("cem")
    for name, path in (
        ("200 tables", "/"),
        ("200 tables as cards", "/?layout=cards"),
        ("tables found", "/?layout=list&q=station+01"),
    ):
        walk.go(path)
        yield name
    page.locator("[data-all]").first.check()
    yield "tables chosen"
