"""Two people work on one table in two browsers, and take each other's mistakes back."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect
from test_pages import drop, sign_in
from visitors import Visitor

GRID = re.compile(r"/flask/dtale/main/\d+$")
PEOPLE = "ann", "bob", "eve"
CREATE = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
users = get_user_model().objects
team = Group.objects.create(name="Sales team")
for name in {people}:
    users.create_user(name, f"{{name}}@example.com", {password!r})
for name in ("ann", "eve"):
    users.get(username=name).groups.add(team)
"""


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """A site whose users can find each other."""
    data = tmp_path_factory.mktemp("together")
    variables = {
        "DATABASE_URL": f"sqlite:///{data / 'db.sqlite3'}",
        "DATA_DIR": str(data),
        "DJANGO_SETTINGS_MODULE": "listing",
    }
    (project.path / "listing.py").write_text(
        f"from {project.slug}.settings import *\n"
        'DTALE = {**DTALE, "LIST_USERS": True}\n'
    )
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "migrate", "--verbosity", "0", **variables)
    code = CREATE.format(people=PEOPLE, password=PASSWORD)
    project.run(*manage, "shell", "--verbosity", "0", "-c", code, **variables)
    with project.serve("gunicorn", workers=2, **variables) as site:
        yield site
    (project.path / "listing.py").unlink()


@pytest.fixture
def people(site, page, browser):
    """The pages of Ann, Bob and Eve, each in a browser of their own, signed in."""
    contexts = [
        browser.new_context(viewport={"width": 1280, "height": 800}) for _ in "be"
    ]
    pages = [page, *(context.new_page() for context in contexts)]
    for name, each in zip(PEOPLE, pages, strict=True):
        sign_in(each, site, name)
    yield pages
    for context in contexts:
        context.close()


def open_table(page, site, name, csv):
    """Open a file, and return the URL of its grid."""
    page.goto(site.url)
    drop(page, (f"{name}.csv", csv))
    expect(page).to_have_url(GRID)
    return page.url


def type_into_cell(page, old, new):
    cell(page, old).dblclick()
    field = page.locator(".cell input")
    field.fill(new)
    field.press("Enter")
    expect(cell(page, new)).to_be_visible()


def cell(page, text):
    return page.locator(".cell").get_by_text(text, exact=True)


def come_back(page):
    """Make the page ask at once whether its data have changed."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def go_to_share(page, site, name):
    page.goto(site.url)
    page.get_by_role("link", name=f"Share {name}").click()


def test_two_people_edit_one_table(site, people):
    ann, bob, eve = people
    grid = open_table(ann, site, "Orders", "city,price\nRome,1\nOslo,2\nParis,3\n")
    go_to_share(ann, site, "Orders")
    # Ann finds Bob while she types, with the keyboard only.
    ann.get_by_role("combobox", name="Share with").press_sequentially("bo")
    expect(ann.get_by_role("option", name="bob")).to_be_visible()
    ann.keyboard.press("ArrowDown")
    ann.keyboard.press("Enter")
    ann.get_by_label("Role:", exact=True).select_option("Can edit")
    ann.get_by_role("button", name="Share", exact=True).click()
    expect(ann.get_by_role("status").first).to_contain_text("bob can now edit")

    bob.goto(site.url)
    bob.get_by_role("link", name="Orders").click()
    expect(bob).to_have_url(grid)
    type_into_cell(bob, "Rome", "Berlin")
    ann.goto(grid)
    expect(cell(ann, "Berlin")).to_be_visible()
    # Both edit at the same time, in different orders of the rows.
    ann.goto(grid)
    type_into_cell(ann, "Oslo", "Bergen")
    type_into_cell(bob, "Paris", "Lyon")
    come_back(bob)
    expect(bob.get_by_text("ann has changed this table.")).to_be_visible()
    bob.get_by_role("button", name="Reload").click()
    for text in ("Berlin", "Bergen", "Lyon"):
        expect(cell(bob, text)).to_be_visible()
    # Ann undoes Bob's last change with the keyboard, and Bob undoes hers with the button.
    cell(ann, "Bergen").click()
    ann.keyboard.press("Control+z")
    expect(ann.get_by_text("Undone: edited 1 cell of city.")).to_be_visible()
    expect(cell(ann, "Paris")).to_be_visible()
    bob.get_by_role("button", name="Undo").click()
    expect(cell(bob, "Oslo")).to_be_visible()
    expect(cell(bob, "Berlin")).to_be_visible()
    # Ann opens the state before everything, and restores it.
    ann.get_by_role("link", name="History").click()
    ann.get_by_role("link", name=re.compile("^Open.*edited")).last.click()
    expect(cell(ann, "Rome")).to_be_visible()
    expect(ann.get_by_text("This is an earlier state")).to_be_visible()
    ann.get_by_role("link", name="Restore").click()
    ann.get_by_role("button", name="Restore").click()
    expect(ann.get_by_role("status").first).to_contain_text("was restored")
    bob.reload()
    expect(cell(bob, "Rome")).to_be_visible()
    # Eve has no right, and cannot see whether the table exists.
    eve.goto(site.url)
    expect(eve.get_by_text("Orders")).to_have_count(0)
    assert eve.goto(grid).status == 404
    # Bob's right ends at once, also in his open page.
    go_to_share(ann, site, "Orders")
    ann.get_by_role("button", name="Remove access for bob").click()
    expect(ann.get_by_role("status").first).to_contain_text("was removed")
    answer = bob.evaluate(
        "async (url) => (await fetch(url)).status",
        grid.replace("/main/", "/data/") + "?ids=%5B%220-9%22%5D",
    )
    assert answer == 404
    # ... and comes back when Ann changes her mind.
    ann.get_by_role("button", name="Undo").click()
    bob.reload()
    expect(cell(bob, "Rome")).to_be_visible()


def test_groups_and_everyone(site, people):
    ann, bob, eve = people
    grid = open_table(ann, site, "Budget", "item,cost\nrent,100\n")
    go_to_share(ann, site, "Budget")
    ann.get_by_label("Sales team").check()
    ann.get_by_role("button", name="Share", exact=True).click()
    expect(ann.get_by_role("status").first).to_contain_text("Sales team can now see")
    eve.goto(site.url)
    eve.get_by_role("link", name="Budget").click()
    expect(cell(eve, "rent")).to_be_visible()
    expect(eve.get_by_text("It is read-only.")).to_be_visible()
    assert bob.goto(grid).status == 404
    go_to_share(ann, site, "Budget")
    ann.get_by_label("Everyone who is signed in").check()
    ann.get_by_role("button", name="Share", exact=True).click()
    assert bob.goto(grid).status == 200
    expect(cell(bob, "rent")).to_be_visible()
    # Bob does not want it in his list.
    bob.goto(site.url)
    bob.get_by_text("More for Budget").click()
    bob.get_by_role("link", name="Remove from list").click()
    bob.get_by_role("button").last.click()
    expect(bob.get_by_role("link", name="Budget")).to_have_count(0)


def test_deleted_table_comes_back(site, people):
    ann, *_ = people
    open_table(ann, site, "Stock", "item,count\nnails,7\n")
    ann.goto(site.url)
    ann.get_by_text("More for Stock").click()
    ann.locator(".menu[open]").get_by_role("button", name="Delete").click()
    expect(ann.get_by_role("link", name="Stock", exact=True)).to_have_count(0)
    ann.get_by_role("button", name="Undo").click()
    ann.get_by_role("link", name="Stock", exact=True).click()
    expect(cell(ann, "nails")).to_be_visible()


ROWS = 300


def test_killed_worker_loses_no_acknowledged_edit(project, tmp_path):
    """The history has each edit that the server has acknowledged, and can undo it."""
    variables = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "DATA_DIR": str(tmp_path),
    }
    project.set_up("ann", **variables)
    with project.serve("gunicorn", workers=2, **variables) as site:
        ann = Visitor(site.url, site.prefix)
        ann.sign_in("ann", PASSWORD)
        csv = "n\n" + "".join(f"{row}\n" for row in range(ROWS))
        pk = ann.upload(csv)
        acknowledged, done = set(), threading.Event()

        def kill():
            for _ in range(6):
                if done.wait(1.5):
                    return
                site.kill_worker()

        def edit(row):
            try:
                answer = ann.get(
                    f"edit-cell/{pk}", col="n", rowIndex=row, updated=str(-row - 1)
                )
            except OSError:  # The worker was killed while it handled the request.
                return
            if answer.get("success"):
                acknowledged.add(row)

        killer = threading.Thread(target=kill)
        killer.start()
        with ThreadPoolExecutor(3) as threads:
            list(threads.map(edit, range(ROWS)))
        done.set()
        killer.join()
        code = f"""
from django_dtale.history import log
from django_dtale.models import Frame
from django_dtale.unit_of_work import going_back
from django_dtale.workspace import Workspace, bind
frame = Frame.objects.get(pk={pk})
values = frame.to_dataframe()["n"].tolist()
edited = [row for row, value in enumerate(values) if value != row]
made = frame.changes.count()
with bind(Workspace.of(frame)):
    while log.undoable(frame.pk):
        going_back.undo(frame.pk)
values = frame.to_dataframe()["n"].tolist()
print(edited, made, sum(value != row for row, value in enumerate(values)), sep="|")
"""
        manage = ".venv/bin/python", "manage.py", "shell", "--verbosity", "0", "-c"
        printed = project.run(*manage, code, **variables)
    edited, made, left = printed.strip().splitlines()[-1].split("|")
    edited = set(json.loads(edited))
    assert len(acknowledged) > ROWS / 3
    assert acknowledged <= edited
    # By default, the last 200 changes are kept. Undoing one adds another.
    assert int(made) == min(200, len(edited))
    assert len(edited) - int(left) >= 100
