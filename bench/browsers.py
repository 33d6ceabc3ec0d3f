"""Measure people in a browser who open a CSV file, sort it and look at a histogram.

The generated site and a Streamlit app get the same files in turns: first from one person,
then from ten people at the same moment. A histogram starts with the choice of an entry in
D-Tale's menu of the column, or in Streamlit's list of columns. An action ends when its
result is visible.
"""

import asyncio
import itertools
import re
import statistics
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .figures import Figure, less
from .measure import QUIET, free_address
from .published import told
from .servers import Server
from .sites import run
from .visits import browser

BENCH = Path(__file__).parent
ROUNDS, PEOPLE, WORKERS = 3, 10, 2
TIMEOUT = 600_000  # Milliseconds.
# Milliseconds between two looks at a page. With ten people, looking at each frame would
# take about a tenth of the processor.
POLLING = 50
CHOOSING = 2  # Seconds that a person needs in the browser's dialog for files.
MEMORY = 1_500  # Megabytes.
# The goals for the ratio to Streamlit.
GOALS = {
    "from the choice of a CSV file to its rows": 1.0,
    "from a click to the histogram of a column": 1.0,
    "slowest of {people} people who open a file at once": 0.7,
    "slowest of {people} people who sort a column at once": 0.7,
}

LAST = "0,{row},{value},1.0,,word 1,Oslo,a,True,2026-01-01\n"

SIGN_IN = """
import pathlib
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
cookies = [settings.SESSION_COOKIE_NAME]
for number in range({people}):
    user, _ = get_user_model().objects.get_or_create(username=f"browser{{number}}")
    client = Client()
    client.force_login(user)
    cookies.append(client.cookies[settings.SESSION_COOKIE_NAME].value)
pathlib.Path("cookies").write_text(" ".join(cookies))
"""

VISIBLE = """([css, text]) => [...document.querySelectorAll(css)].some(each =>
    each.textContent.match(text) && each.checkVisibility())"""
# A canvas is drawn as soon as it has a pixel that is not transparent.
DRAWN = """css => [...document.querySelectorAll(css)].some(canvas =>
    canvas.width && canvas.height && canvas.getContext("2d")
        .getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"""


def files(site, rows, directory):
    """Yield CSV files, each with the smallest value of its column `float`.

    The files differ in their last row, which has this value.
    """
    base = directory / "base.csv"
    write = f"mixed({rows - 1}).to_csv({str(base)!r}, index=False)"
    command = [site.python, "-c", f"from answer import mixed; {write}"]
    subprocess.run(command, cwd=BENCH, check=True)
    for value in itertools.count(-101, -1):
        file = directory / f"table{-value}.csv"
        last = LAST.format(row=rows - 1, value=value)
        file.write_bytes(base.read_bytes() + last.encode())
        yield file, value


def sign_in(site):
    """Return the session cookie of each person."""
    run(site, "manage.py", "shell", "-c", SIGN_IN.format(people=PEOPLE))
    name, *values = told(site, "cookies").split()
    return [{"name": name, "value": value} for value in values]


class Person:
    """A person with a page. Each action is a generator that stops before the action starts.

    Attributes:
        button: a selector of what opens the browser's dialog for files.

    Args:
        page: a page of Playwright.
        url: the URL of the page that opens files.
    """

    def __init__(self, page, url):
        self.page, self.url = page, url

    async def load(self, file, smallest):
        self.smallest = smallest
        await self.page.goto(self.url)
        await self.page.wait_for_load_state("networkidle")
        async with self.page.expect_file_chooser() as opened:
            await self.page.locator(self.button).first.click()
        chooser = await opened.value
        await asyncio.sleep(CHOOSING)
        yield
        await chooser.set_files(file)
        await self.see_rows()

    async def see(self, css, text=""):
        """Wait until an element with this text, a regular expression, is visible.

        Playwright's own functions look only twice a second.
        """
        await self.page.wait_for_function(VISIBLE, arg=[css, text], polling=POLLING)


class Visitor(Person):
    """A person on the generated site."""

    button = "text=Choose files"

    async def see_rows(self):
        problem = "form[data-opens] .problem"
        await self.see(f".main-grid .cell, {problem}", r"\S")
        found = await self.page.locator(problem).all_inner_texts()
        assert not any(found), f"the site did not open a file: {found}"

    async def menu(self, entry):
        """Open the menu of the column `float`. Return an entry of the menu."""
        header = self.page.locator(".headerCell", has_text="float").first
        await header.click(position={"x": 8, "y": 15})
        found = self.page.locator("#column-menu-div").get_by_text(entry).first
        await found.wait_for()
        await self.page.wait_for_load_state("networkidle")
        return found

    async def sort(self):
        entry = await self.menu(re.compile("^Asc$"))
        yield
        await entry.click()
        await self.see(".main-grid .cell", rf"^{self.smallest}\.00$")

    async def histogram(self):
        entry = await self.menu("Describe")
        yield
        await entry.click()
        await self.see("button", "^Histogram$")
        await self.page.get_by_role("button", name="Histogram").click()
        chart = ".side-panel-content canvas:not(#boxplot)"
        await self.page.wait_for_function(DRAWN, arg=chart, polling=POLLING)


class StreamlitUser(Person):
    """A person who uses the Streamlit app."""

    button = "[data-testid=stFileUploader] button"

    async def see_rows(self, column=None):
        await self.see("[data-testid=stText]", f"rows, sorted by {column}$")
        grid = "[data-testid=stDataFrame] canvas"
        await self.page.wait_for_function(DRAWN, arg=grid, polling=POLLING)

    async def option(self, label):
        """Open a list of columns. Return the option `float`."""
        await self.page.get_by_label(label).click()
        found = self.page.get_by_role("option", name="float", exact=True)
        await found.wait_for()
        return found

    async def sort(self):
        option = await self.option("Sort by")
        yield
        await option.click()
        await self.see_rows("float")

    async def histogram(self):
        option = await self.option("Histogram of")
        yield
        await option.click()
        await self.see("[data-testid=stVegaLiteChart] path[aria-label*=count]")


class Streamlit(Server):
    """A server for the Streamlit app, in a virtual environment in the directory."""

    def __init__(self, directory, python):
        self.address = free_address()
        self.url, self.page = f"http://{self.address}", "/_stcore/health"
        host, port = self.address.split(":")
        environment = str(directory / "streamlit")
        install = f"uv pip install --compile-bytecode --python {environment}".split()
        for command in (
            ["uv", "venv", "--allow-existing", "--python", python, environment],
            [*install, "streamlit", "pandas", "pyarrow"],
        ):
            subprocess.run(command, check=True, **QUIET)
        start = f"{environment}/bin/streamlit", "run", str(BENCH / "streamlit_app.py")
        options = (
            f"--server.address={host} --server.port={port} --server.headless=true"
            " --server.maxUploadSize=1000 --browser.gatherUsageStats=false"
        )
        command = [*start, *options.split()]
        self.process = subprocess.Popen(command, cwd=directory, **QUIET)
        self.wait()


@dataclass
class Side:
    """A server and the people who use it.

    Attributes:
        cookies: for each person, the session cookie, if they have to sign in.
    """

    server: Server
    kind: type[Person]
    cookies: list[dict] | None = None

    @asynccontextmanager
    async def person(self, chromium, number=0):
        """Yield the person with this number, in a new browser context."""
        async with await chromium.new_context() as context:
            context.set_default_timeout(TIMEOUT)
            if self.cookies:
                cookie = {**self.cookies[number], "url": self.server.url}
                await context.add_cookies([cookie])
            yield self.kind(await context.new_page(), self.server.url)


async def at_once(actions):
    """Start all actions. Return the seconds until the last of them is complete."""
    for action in actions:
        await anext(action)
    start = time.perf_counter()
    await asyncio.gather(*(anext(action, None) for action in actions))
    return time.perf_counter() - start


async def one_person(chromium, side, file):
    """Return the seconds until one person sees the rows, and then a histogram."""
    async with side.person(chromium) as person:
        seconds = [await at_once([person.load(*file)])]
        seconds.append(await at_once([person.histogram()]))
    print(side.kind.__name__, *(f"{s:.2f} s" for s in seconds), file=sys.stderr)
    return seconds


async def many_people(chromium, side, chosen):
    """Let each person load a file, and then let them all sort.

    Returns:
        The seconds that the slowest person waits for the rows, the same for the sort, and
        the megabytes of the server while all people still have their page open.
    """
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(side.person(chromium, number))
            for number in range(len(chosen))
        ]
        pairs = zip(people, chosen, strict=True)
        load = await at_once([person.load(*file) for person, file in pairs])
        sort = await at_once([person.sort() for person in people])
        return load, sort, side.server.memory() / 1024


async def compare(sides, new_files):
    """Return for each side the seconds in the order of GOALS, and the megabytes."""
    from playwright.async_api import async_playwright

    options = {"executable_path": browser(), "args": ["--no-sandbox"]}
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(**options) as chromium,
    ):
        alone = [[] for _ in sides]
        for _ in range(ROUNDS + 1):
            file = next(new_files)
            for side, rounds in zip(sides, alone, strict=True):
                rounds.append(await one_person(chromium, side, file))
        chosen = list(itertools.islice(new_files, PEOPLE))
        many = [await many_people(chromium, side, chosen) for side in sides]
    # In the first round, the servers still import modules.
    medians = [map(statistics.median, zip(*r[1:], strict=True)) for r in alone]
    return [[*one, *all_] for one, all_ in zip(medians, many, strict=True)]


def figures(sites, rows, directory):
    """Yield the seconds of one person and of many, and the memory."""
    site = sites["generated"]
    with Server(site, WORKERS) as server, Streamlit(directory, site.python) as other:
        sides = Side(server, Visitor, sign_in(site)), Side(other, StreamlitUser)
        found = compare(sides, files(site, rows, directory))
        (*seconds, memory), (*others, other_memory) = asyncio.run(found)
    for (what, goal), ours, theirs in zip(GOALS.items(), seconds, others, strict=True):
        what = f"{what.format(people=PEOPLE)}, in a browser, {rows:,} rows"
        yield less(what, ours / theirs, f"Streamlit, {theirs:.2f} s", goal)
    yield Figure(
        f"memory of the server with {PEOPLE} people in a browser, {rows:,} rows",
        f"{memory:,.0f} MB",
        f"Streamlit, {other_memory:,.0f} MB",
        f"under {MEMORY:,} MB",
        missed=memory >= MEMORY,
    )
