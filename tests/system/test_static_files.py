"""In production, a real browser downloads each static file only once."""

import re

import pytest
from playwright.sync_api import expect
from test_browser import draw_bars, failures, open_sample, traffic  # noqa: F401


@pytest.fixture(scope="module")
def production(project, collected, tmp_path_factory):
    """The default bake in production, without a proxy and HTTPS."""
    variables = {
        "DEBUG": "False",
        "HTTPS": "False",
        "DATA_DIR": str(tmp_path_factory.mktemp("production")),
        "GUNICORN_CMD_ARGS": "--access-logfile -",
        **collected,
    }
    project.set_up(**variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def fetched(production):
    """Return the static files that the browser has requested since the last call."""
    seen = 0

    def fetched():
        nonlocal seen
        log = production.log.read_text()
        log, seen = log[seen:], len(log)
        return re.findall(r'"GET (/static/\S+) HTTP', log)

    fetched()
    return fetched


def visit(page, site):
    """Open the home page, a grid, a chart and a network, and wait for each to load."""
    page.goto(site.url)
    # Leaving the page earlier would cancel its prefetches.
    page.wait_for_load_state("networkidle")
    open_sample(page, site, "create-df/")
    grid = page.url
    page.wait_for_load_state("networkidle")
    draw_bars(page, site)
    page.wait_for_load_state("networkidle")
    page.goto(grid.replace("/main/", "/network/") + "?to=a&from=b")
    expect(page.locator("canvas").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_each_file_is_fetched_once(production, page, fetched, traffic):  # noqa: F811
    visit(page, production)
    first = fetched()
    assert len(first) > 20 and len(set(first)) == len(first)
    assert not [url for url in first if url.endswith(".map")]
    visit(page, production)  # This visit opens a new frame.
    assert fetched() == []
    # Leaving the charts page cancels its pending requests.
    failed = failures(traffic, production)
    assert [each for each in failed if "/static/" in each[1]] == []


def test_home_page_prefetches_scripts(production, page, fetched):
    page.goto(production.url)
    page.wait_for_load_state("networkidle")
    ahead = fetched()
    assert any(url.endswith("/dtale_bundle.js") for url in ahead)
    page.get_by_role("button", name="Open the sample table").click()
    page.locator(".cell").first.wait_for()
    assert not set(ahead) & set(fetched())
