"""Static files in production, in a real browser: compressed, and fetched once."""

import re

import pytest
from playwright.sync_api import expect
from test_browser import draw_bars, failures, open_sample, traffic  # noqa: F401


@pytest.fixture(scope="module")
def production(project, tmp_path_factory):
    """The default bake as it is served to others, without the HTTPS of a proxy."""
    variables = {
        "DEBUG": "False",
        "HTTPS": "False",
        "DATA_DIR": str(tmp_path_factory.mktemp("production")),
    }
    for command in ("migrate", "collectstatic --no-input"):
        manage = ".venv/bin/python", "manage.py", *command.split()
        project.run(*manage, "--verbosity", "0", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def answers(page):
    """What the page was answered, by the network or by what the browser has kept."""
    seen = []
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.responseReceived", lambda event: seen.append(event))
    return seen


def fetched(answers, site):
    """Static files that came from the server: {URL: headers}."""
    return {
        answer["url"]: {k.lower(): v for k, v in answer["headers"].items()}
        for answer in (event["response"] for event in answers)
        if answer["url"].startswith(f"{site.url}/static/")
        and not (answer.get("fromDiskCache") or answer.get("fromPrefetchCache"))
    }


def visit(page, site):
    """The home page, a grid, a chart, a map and a network, each until it is drawn."""
    open_sample(page, site)
    grid = page.url
    page.wait_for_load_state("networkidle")
    draw_bars(page, site)
    page.goto(grid.replace("/main/", "/network/") + "?to=a&from=b")
    expect(page.locator("canvas").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_each_file_is_fetched_once(production, page, answers, traffic):  # noqa: F811
    visit(page, production)
    first = fetched(answers, production)
    assert len(first) > 20
    for url, headers in first.items():
        assert "immutable" in headers["cache-control"], url
        if re.search(r"\.(js|css|svg)$", url):
            assert headers["content-encoding"] == "br", url
    # Another frame, and everything of before.
    answers.clear()
    visit(page, production)
    assert fetched(answers, production) == {}
    assert failures(traffic, production) == []
    assert not [url for _, url in traffic if url.endswith(".map")]


def test_home_page_fetches_ahead(production, page, answers):
    page.goto(production.url)
    page.wait_for_load_state("networkidle")
    ahead = set(fetched(answers, production))
    assert any(url.endswith("/dtale_bundle.js") for url in ahead)
    answers.clear()
    page.get_by_role("button", name="Open the sample frame").click()
    page.locator(".cell").first.wait_for()
    assert not ahead & set(fetched(answers, production))
