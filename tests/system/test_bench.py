"""`make bench` measures operations that both sides can do."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench import analysis, browsers, people
from bench.operations import OPERATIONS
from bench.servers import Server
from bench.sites import Site, run

ROWS = 5_000  # Each day of the year has a row, as the time series need it.
# D-Tale alone fails for these operations if values are missing.
ALONE_FAILS = ["correlations, encoded strings", "feature analysis"]


@pytest.fixture
def sites(project, collected, tmp_path, monkeypatch):
    for name, value in {"DATA_DIR": str(tmp_path), **collected}.items():
        monkeypatch.setenv(name, value)
    python = str(project.path / ".venv" / "bin" / "python")
    generated = Site(project.path, python)
    run(generated, "manage.py", "migrate", "--verbosity", "0")
    return {"generated": generated, "tutorial": Site(tmp_path, python)}


def test_both_sides_do_each_operation(sites, monkeypatch):
    monkeypatch.setattr(analysis, "ENOUGH", 0)  # Each operation is measured once.
    *measured, memory = analysis.compare(sites, ROWS)
    assert [each.operation for each in measured] == OPERATIONS
    refused = {each.what: each.refused for each in measured if each.refused}
    assert refused == {what: {"D-Tale"} for what in ALONE_FAILS}
    assert min(memory) > 10_000  # kB


def test_many_people_use_both_sides(sites, monkeypatch):
    for name, value in {"PEOPLE": 3, "SECONDS": 3, "THINKING": (0, 0)}.items():
        monkeypatch.setattr(people, name, value)
    found = [*people.figures(sites, ROWS)]
    assert len(found) == 4
    assert found[-1].told == "0"


@pytest.mark.usefixtures("chromium")  # Without Chromium, the test is skipped.
def test_people_use_the_site_in_a_browser(sites, tmp_path, monkeypatch):
    for name, value in {"PEOPLE": 2, "ROUNDS": 1, "TIMEOUT": 60_000}.items():
        monkeypatch.setattr(browsers, name, value)
    site = sites["generated"]
    # In this thread, Playwright's event loop may be running already.
    with Server(site, 1) as server, ThreadPoolExecutor(1) as thread:
        side = browsers.Side(server, browsers.Visitor, browsers.sign_in(site))
        found = browsers.compare([side], browsers.files(site, 2_000, tmp_path))
        [measured] = thread.submit(asyncio.run, found).result()
    assert len(measured) == len(browsers.GOALS) + 1
    assert min(measured) > 0
