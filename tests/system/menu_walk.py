"""A frame in D-Tale in a browser, and everything that can be opened in its grid."""

import json
from urllib.parse import urlencode, urljoin

from dtale_menus import name_of
from playwright.sync_api import Error

# This script runs in each document. It logs failed responses and images that do not
# load.
WATCH = """
addEventListener("error", (event) => {
  if (event.target.src) console.error("failed:", event.target.src);
}, true);
const answered = (url, status, text) => {
  let failed = status >= 400;
  try {
    const answer = JSON.parse(text);
    failed ||= answer.success === false || Boolean(answer.error);
  } catch {}
  if (failed) console.error("failed:", url, status, text.slice(0, 200));
};
const open = XMLHttpRequest.prototype.open;
XMLHttpRequest.prototype.open = function (method, url) {
  this.addEventListener("load", () => {
    if (["", "text"].includes(this.responseType))
      answered(url, this.status, this.responseText);
  });
  return open.apply(this, arguments);
};
"""
ASK = """async (url) => {
  const answer = await fetch(url);
  return [answer.status, answer.headers.get("content-type"), await answer.text()];
}"""
UPLOAD = """async ([url, csv]) => {
  const form = new FormData();
  form.append("data.csv", new Blob([csv]), "data.csv");
  const answer = await fetch(url, {method: "POST", body: form});
  return (await answer.json()).data_id;
}"""
# This script submits the upload form of the site's home page.
OPEN_FILE = """async ([home, csv]) => {
  const text = await (await fetch(home)).text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const form = new FormData(page.querySelector("form.upload"));
  form.set("file", new Blob([csv]), "data.csv");
  const answer = await fetch(`${home}upload/`, {method: "POST", body: form});
  return answer.url.split("/").pop();
}"""
# Dash logs the first message for parts that load later. The browser logs the second one
# for failed requests, which WATCH logs as well.
HARMLESS = "ID not found in layout", "Failed to load resource"
WIDE = {"width": 1500, "height": 800}
SMALL = {"width": 400, "height": 700}


class Broken(Exception):
    """A menu or a dialog does not work."""


class Opened:
    """A frame's grid in a Playwright page.

    Args:
        page: A page at D-Tale's origin, signed in if necessary.
        front: The URL of D-Tale, such as "http://127.0.0.1:8000/flask/dtale".
        csv: The content of the frame.
        home: The URL of the site's page for uploads. Plain D-Tale does not have one.
    """

    def __init__(self, page, front, csv, home=""):
        self.page, self.front, self.csv, self.home = page, front, csv, home
        self.troubles = []
        page.context.add_init_script(WATCH)
        page.context.on("console", self.hear)
        page.context.on("weberror", lambda error: self.trouble(str(error.error)))
        self.stale = False  # If this is set, the page has to be reloaded.
        self.id = self.upload()
        self.other = self.upload()

    def hear(self, message):
        if message.type == "error" and not any(map(message.text.count, HARMLESS)):
            self.trouble(message.text)

    def trouble(self, text):
        self.troubles.append(text.replace("\n", " ")[:300])

    def upload(self):
        script, url = UPLOAD, f"{self.front}/upload"
        if self.home:
            script, url = OPEN_FILE, self.home
        data_id = self.page.evaluate(script, [url, self.csv])
        if data_id is None:
            raise Broken("the file was not accepted")
        return data_id

    def try_(self, row):
        """Return the reason why a row of the table does not work, or None."""
        self.troubles.clear()
        try:
            row(self)
            self.settle()
        except (AssertionError, Broken, Error) as error:
            self.trouble(str(error))
            self.stale = True
            self.close_windows()
        return "; ".join(self.troubles[:2]) or None

    # The grid -------------------------------------------------------------------------

    def grid(self):
        """Show the grid without any open menu or dialog."""
        if self.stale or not self.page.url.endswith(f"/main/{self.id}"):
            self.stale = False
            self.page.set_viewport_size(WIDE)
            self.page.goto(f"{self.front}/main/{self.id}")
            self.page.locator(".cell").nth(5).wait_for()
            self.page.wait_for_load_state("networkidle")

    def entries(self, menu):
        """Return the names of all entries of a menu."""
        self.grid()
        menu.open(self.page)
        self.page.wait_for_load_state("networkidle")
        names = [name_of(entry) for entry in menu.entries(self.page)]
        self.close()
        return names

    def press(self, menu, name):
        self.grid()
        menu.open(self.page)
        for _ in range(20):
            found = {name_of(entry): entry for entry in menu.entries(self.page)}
            if name in found:
                return found[name].click()
            self.page.wait_for_timeout(100)
        raise Broken(f"there is no {name!r}")

    def settle(self):
        self.page.wait_for_timeout(50)
        for each in self.page.context.pages:
            each.wait_for_load_state("networkidle")

    def close_windows(self):
        for window in self.page.context.pages[1:]:
            window.close()

    def close(self):
        """Close all open windows, dialogs and panels."""
        self.close_windows()
        for css in (".modal.show .btn-close", ".modal.show button.close"):
            for button in self.page.locator(f"{css}:visible").all():
                button.click()
        panel = self.page.locator(".side-panel-content.is-expanded .ico-close:visible")
        if panel.count():
            panel.first.click()
        self.page.keyboard.press("Escape")
        self.page.mouse.move(700, 600)

    # Menus, windows and charts --------------------------------------------------------

    def entry(self, menu, name, comes):
        """Press an entry of a menu, check its effect, and close what it opened."""
        self.grid()
        look = "css => [...document.querySelectorAll(css)].map(LOOK).join()".replace(
            "LOOK", "e => e.style.cssText + e.className + e.innerText"
        )
        if comes.kind == "a tab":
            with self.page.expect_popup() as popup:
                self.press(menu, name)
            popup.value.locator(comes.content).first.wait_for()
            if urljoin(f"{self.front}/", comes.where) not in popup.value.url:
                raise Broken(f"it opens {popup.value.url}")
        elif comes.kind == "a request":
            with self.page.expect_response(lambda each: comes.where in each.url):
                self.press(menu, name)
        elif comes.kind == "on the page" and comes.where:
            menu.open(self.page)
            before = self.page.evaluate(look, comes.where)
            self.press(menu, name)
            self.page.wait_for_function(
                f"([css, before]) => ({look})(css) !== before",
                arg=[comes.where, before],
            )
        elif not comes.where:
            self.press(menu, name)
        else:
            self.press(menu, name)
            place = self.page.locator(comes.where).first
            place.locator(comes.content).first.wait_for()
        self.settle()
        self.look_for_alerts()
        self.close()

    def look_for_alerts(self):
        for alert in self.page.locator(".alert-danger:visible").all():
            # Some dialogs ask for a column as soon as they open.
            if not alert.inner_text().startswith("Missing a"):
                self.trouble(alert.inner_text())

    def window(self, path, content, size=SMALL):
        """Open one of D-Tale's pages in its own window."""
        self.page.set_viewport_size(size)
        self.page.goto(f"{self.front}/{path.format(self.id)}")
        self.page.locator(content).first.wait_for()
        self.settle()
        self.look_for_alerts()

    def chart(self, kind, columns):
        """Draw a chart on a wide page, and resize the page to a small window."""
        query = {"chart_type": kind, "y": [], **columns}
        self.page.set_viewport_size(WIDE)
        self.page.goto(f"{self.front}/charts/{self.id}?{self.query(query)}")
        drawn = self.page.locator("#chart-content svg, #chart-content canvas").first
        drawn.wait_for()
        self.page.wait_for_timeout(500)  # Wait for the animation of the chart.
        self.page.set_viewport_size(SMALL)
        drawn.wait_for()
        self.settle()

    @staticmethod
    def query(parameters):
        return urlencode(
            {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in parameters.items()
            }
        )

    def ask(self, route, parameters):
        """Send the request that a dialog sends when the user confirms it."""
        if not self.page.url.startswith(self.front):
            self.grid()
        path = route.format(self.id)
        status, kind, text = self.page.evaluate(
            ASK, f"{self.front}/{path}?{self.query(parameters)}"
        )
        answer = json.loads(text) if "json" in (kind or "") else {}
        failed = isinstance(answer, dict) and (
            answer.get("success") is False or answer.get("error")
        )
        if status != 200 or failed:
            raise Broken(f"{status} {text[:200]}")
