"""What pages of D-Tale's may do, in a real browser. The page fixture watches them."""

import json
from urllib.parse import urlencode

import pytest
from dtale_menus import MENUS, NOT_HERE, name_of
from playwright.sync_api import TimeoutError, expect
from test_browser import open_sample

HANDLER = "<img src=x onerror=window.ran=true>"
CSV = "number,amount,height,text,day,html,place\n" + "".join(
    f"{n % 7},{n * n % 31},{n / 4},{'red green blue'.split()[n % 3]},"
    f"2024-{n % 12 + 1:02}-15,{HANDLER},S{n}\n"
    for n in range(60)
)
UPLOAD = """async ([url, csv]) => {
  const form = new FormData();
  form.append("data.csv", new Blob([csv]), "data.csv");
  const answer = await fetch(url, {method: "POST", body: form});
  return (await answer.json()).data_id;
}"""


@pytest.fixture
def new_frame(page, site):
    """Make a frame with every kind of column; return the address of its grid (str)."""
    open_sample(page, site)
    front = f"{site.url}/{site.prefix}/dtale"
    return lambda: f"{front}/main/{page.evaluate(UPLOAD, [f'{front}/upload', CSV])}"


@pytest.fixture
def frame(new_frame):
    return new_frame()


def open_grid(page, frame):
    page.goto(frame)
    page.locator(".cell", has_text="red").first.wait_for()


def settle(page):
    """Until every window has all it asked for, also what it asks for then."""
    page.wait_for_timeout(200)
    for each in page.context.pages:
        each.wait_for_load_state("networkidle")


@pytest.mark.parametrize("family", MENUS)
def test_every_entry_of_every_menu(page, new_frame, family):
    pressed = set(NOT_HERE)
    for menu in MENUS[family]:
        while True:
            open_grid(page, new_frame())  # Some entries leave nothing of theirs.
            menu.open(page)
            settle(page)  # Some of its entries wait for an answer.
            entries = {name_of(entry): entry for entry in menu.entries(page)}
            new = [name for name in entries if name not in pressed]
            if not new:
                break
            entries[new[0]].click()
            pressed.add(new[0])
            settle(page)
            for window in page.context.pages[1:]:
                window.close()
    assert len(pressed) > 30


CHARTS = {
    "line": {"x": "number", "y": ["amount"], "agg": "mean"},
    "bar": {"x": "number", "y": ["amount"], "agg": "mean"},
    "scatter": {"x": "number", "y": ["amount"]},
    "pie": {"x": "text", "y": ["amount"], "agg": "sum"},
    "wordcloud": {"x": "text", "y": ["amount"], "agg": "sum"},
    "heatmap": {"x": "number", "y": ["text"], "z": "amount", "agg": "mean"},
    "3d_scatter": {"x": "number", "y": ["amount"], "z": "height"},
    "surface": {"x": "number", "y": ["height"], "z": "amount", "agg": "mean"},
    "maps": {
        "map_type": "choropleth",
        "loc_mode": "USA-states",
        "loc": "place",
        "map_val": "amount",
        "scope": "usa",
    },
    "treemap": {"treemap_value": "amount", "treemap_label": "text", "agg": "sum"},
    "funnel": {"funnel_value": "amount", "funnel_label": "text", "agg": "sum"},
    "pareto": {"pareto_x": "text", "pareto_bars": "amount", "pareto_line": "height"},
    "histogram": {"histogram_col": "amount", "histogram_type": "bins", "bins": "5"},
}


def test_every_kind_of_chart(page, frame):
    for kind, columns in CHARTS.items():
        query = {
            name: json.dumps(value) if isinstance(value, list) else value
            for name, value in {"chart_type": kind, "y": [], **columns}.items()
        }
        page.goto(f"{frame.replace('/main/', '/charts/')}?{urlencode(query)}")
        drawn = page.locator("#chart-content svg, #chart-content canvas")
        expect(drawn.first, kind).to_be_visible()
        page.wait_for_timeout(1_000)  # All of it is drawn.


PAGES = [
    *(f"popup/{name}/ID" for name in ("correlations", "describe", "filter", "reshape")),
    *("popup/merge", "popup/upload", "code-popup", "calculation/skew", "iframe/ID"),
]


def test_every_page(page, frame):
    front, _, data_id = frame.rpartition("/main/")
    for path in PAGES:
        page.goto(f"{front}/{path.replace('ID', data_id)}")
        settle(page)
    page.goto(f"{front}/network/{data_id}?to=text&from=place")
    expect(page.locator("canvas").first).to_be_visible()
    settle(page)


def test_html_in_a_cell_is_text(page, frame):
    """Also for somebody who asks D-Tale to show the column as HTML."""
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


def test_a_script_in_a_page_does_not_run(page, frame, problems):
    """What the grid shows as text would run nothing as HTML either."""
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


def test_only_this_site_frames_the_grid(page, frame, site):
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
