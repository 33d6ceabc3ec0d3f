"""D-Tale's pages in a real browser cannot run injected code.

The page fixture fails if a page violates its Content-Security-Policy.
"""

import json
from urllib.parse import urlencode

import pytest
from menu_walk import OPEN_FILE
from playwright.sync_api import TimeoutError, expect
from test_browser import open_sample

HANDLER = "<img src=x onerror=window.ran=true>"
CSV = "text,html\n" + "".join(
    f"{'red green blue'.split()[n % 3]},{HANDLER}\n" for n in range(60)
)


@pytest.fixture
def frame(page, site):
    """Create a frame, and return the URL of its grid."""
    open_sample(page, site)
    front = f"{site.url}/{site.prefix}/dtale"
    return f"{front}/main/{page.evaluate(OPEN_FILE, [f'{site.url}/frames/', CSV])}"


def open_grid(page, frame):
    page.goto(frame)
    page.locator(".cell", has_text="red").first.wait_for()


def test_html_in_a_cell_is_escaped(page, frame):
    """Cells are escaped even if a user makes D-Tale show the column as HTML."""
    data_id = frame.rpartition("/")[2]
    format = {"all": False, "col": "html", "nanDisplay": None}
    format["format"] = json.dumps({"fmt": {"html": True}})
    page.goto(frame)
    answer = page.evaluate(
        "async (url) => (await (await fetch(url)).json()).success",
        f"{frame.replace(f'/main/{data_id}', f'/update-formats/{data_id}')}"
        f"?{urlencode(format)}",
    )
    assert answer is True
    open_grid(page, frame)
    expect(page.locator(".cell", has_text=HANDLER).first).to_be_visible()
    assert page.locator(".cell img, .html-cell").count() == 0
    assert page.evaluate("window.ran") is None


def test_csp_blocks_inline_scripts(page, frame, problems):
    """Even if the text of a cell became HTML, its scripts would not run."""
    open_grid(page, frame)
    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)", HANDLER
    )
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
    }""")
    page.wait_for_timeout(500)
    assert page.evaluate("window.ran") is None
    refused = {each.split()[2] for each in problems}
    assert refused == {"script-src-attr", "script-src-elem"}
    problems.clear()


def test_grid_can_be_framed_only_by_the_same_origin(page, frame, site):
    other = site.url.replace("127.0.0.1", "localhost")
    hear = "<script>heard = []; onmessage = (event) => heard.push(event.data)</script>"
    for front in (site.url, other):
        page.route(
            f"{front}/around",
            lambda route: route.fulfill(
                body=f"{hear}<iframe src='{frame}'></iframe>",
                content_type="text/html",
            ),
        )
    page.goto(f"{site.url}/around")
    page.frame_locator("iframe").locator(".cell").first.wait_for()
    [message] = page.evaluate("heard")
    assert message["data_id"] == frame.rpartition("/")[2]
    page.goto(f"{other}/around")
    with pytest.raises(TimeoutError):
        page.frame_locator("iframe").locator(".cell").first.wait_for(timeout=5_000)
    assert page.evaluate("heard") == []
