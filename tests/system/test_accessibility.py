"""The site's own pages are accessible, fit any screen, and are translated."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PASSWORD
from lengths import length
from playwright.sync_api import expect
from tinyhtml5.parser import HTMLParser

LONG = "a_name_that_is_as_long_as_some_files_have_" * 2
CSV = "name;" + "a_long_name_of_a_column_" * 3 + "\nx;1,234\n"
MAX_BYTES = 100_000  # The limit for the bytes of a page with its styles and scripts.
# At 200 % zoom, a window of 1440 by 900 pixels has 720 by 450 CSS pixels.
SIZES = [(320, 640), (360, 640), (720, 450), (768, 1024), (1440, 900)]
LOOKS = {
    "light, English": {"locale": "en-US", "color_scheme": "light"},
    "dark, German": {"locale": "de-DE", "color_scheme": "dark"},
    "dark, English": {"locale": "en-US", "color_scheme": "dark"},
    "light, German": {"locale": "de-DE", "color_scheme": "light"},
}

# This script finds elements that cause horizontal scrolling, except for boxes that have
# their own scroll bars.
TOO_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const beyond = [...document.body.querySelectorAll("*")].filter((each) =>
    each.getBoundingClientRect().right > root.clientWidth
    && !each.closest(".rows-of-file, .unseen"));
  return ["too wide", ...beyond.slice(-1).map((each) => each.outerHTML.slice(0, 150))];
}"""
TWICE = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""
# This script returns the controls in an area that the Tab key should reach.
CONTROLS = """(area) => [...area.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((each) => each.type !== "hidden" && !each.disabled && each.checkVisibility())"""
# This script returns the element with the focus, if it is covered by another one. Fields
# that are drawn as their labels have a pixel and borders.
COVERED = """() => {
  const each = document.activeElement;
  (window.visited ??= new Set()).add(each);
  const box = each.getClientRects()[0];
  if (!(box?.width > 4)) return "";
  const x = (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2;
  const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
  const top = document.elementFromPoint(x, y);
  const isSeen = top && (each.contains(top) || top.contains(each) || top.control === each);
  return isSeen ? "" : `${each.outerHTML.slice(0, 150)} under ${top?.outerHTML.slice(0, 150)}`;
}"""
# The Tab key reaches one of the radio buttons with the same name.
NOT_VISITED = """(controls) => controls.filter((each) => !visited.has(each)
    && !(each.type === "radio" && [...visited].some((other) => other.name === each.name)))
  .map((each) => each.outerHTML.slice(0, 150))"""
# This script sends a request as D-Tale's own scripts do, and reads the whole response.
ASK = "fetch(location.pathname.replace('main', 'dtypes')).then((a) => a.text())"
# This script counts the bytes of the page and its resources. Prefetched resources do
# not count, because they belong to D-Tale.
OWN_BYTES = """() => {
  const links = document.querySelectorAll("link[rel=prefetch]");
  const ahead = [...links].map((link) => link.href);
  return [performance.getEntriesByType("navigation"),
          performance.getEntriesByType("resource")].flat()
    .filter((entry) => !ahead.includes(entry.name))
    .reduce((sum, entry) => sum + entry.decodedBodySize, 0);
}"""


@pytest.fixture
def site(project, tmp_path):
    """The default bake with required sign-in and with accounts for ann and bob."""
    variables = {"DATA_DIR": str(tmp_path), "FRAMES_LOGIN_REQUIRED": "True"}
    # E-mails are printed to the server's log.
    variables |= {"EMAIL_URL": "console:", "PYTHONUNBUFFERED": "1"}
    project.set_up("ann", "bob", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def faults_of_keys(page, first, area="body"):
    """Yield the controls in an area that the Tab key does not reach, or that are covered.

    Args:
        first: the selector of the first control.
        area: the selector of the area.
    """
    controls = page.locator(area).first.evaluate_handle(CONTROLS)
    page.evaluate("window.visited = new Set()")
    page.locator(first).first.focus()
    for _ in range(page.evaluate("(controls) => controls.length", controls)):
        if covered := page.evaluate(COVERED):
            yield f"covered: {covered}"
        page.keyboard.press("Tab")
    for each in page.evaluate(NOT_VISITED, controls):
        yield f"not reached with Tab: {each}"


class Walk:
    """A walk through all of the site's own pages in any language."""

    def __init__(self, page, site):
        self.page = page
        self.site = site

    def go(self, path):
        self.page.goto(self.site.url + path)

    def submit(self, form="main form", **values):
        """Fill in a form and submit it without the page's scripts."""
        for name, value in values.items():
            field = self.page.locator(f"{form} [name={name}]")
            if isinstance(value, list):
                field.set_input_files(value)
            else:
                field.fill(value)
        with self.page.expect_navigation():
            self.page.locator(form).first.evaluate(
                "(form) => HTMLFormElement.prototype.submit.call(form)"
            )

    def sign_in(self, name, password=PASSWORD):
        self.go("/accounts/login/")
        self.submit(username=name, password=password)

    def upload(self, *files):
        """Upload files as browsers without scripts do."""
        scripts = "**/frames/upload*.js"
        self.page.route(scripts, lambda route: route.abort())
        self.go("/")
        self.page.unroute(scripts)
        sent = [
            {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
            for name, text in files
        ]
        self.submit("form[data-opens]", file=sent)

    def pages(self):
        """Open the pages one by one, and yield the name of each page."""
        yield from self.without_an_account()
        yield from self.password_reset()
        self.sign_in("ann")
        yield from self.files()
        yield from self.frame()
        yield from self.several_tables()
        yield from self.tables_and_tokens()
        yield from self.password()
        yield from self.of_a_reader()

    def without_an_account(self):
        self.go("/")
        yield "home for nobody"
        self.go("/accounts/login/")
        yield "login"
        self.submit(username="nobody", password="wrong")
        yield "wrong password"
        for _ in range(5):
            self.submit(username="nobody", password="wrong")
        expect(self.page.locator("main form")).to_have_count(0)
        yield "too many tries"
        self.go("/accounts/login/")
        self.page.context.clear_cookies()
        self.submit(username="nobody", password="wrong")
        yield "no token"
        self.go(f"/{self.site.prefix}/dtale/nothing")
        yield "not found"

    def password_reset(self):
        self.go("/accounts/password_reset/")
        yield "forgotten password"
        self.submit(email="bob@example.com")
        yield "link sent"
        link = self.link_in_email()
        self.go(link)
        yield "new password"
        self.submit(new_password1=PASSWORD, new_password2=PASSWORD)
        yield "new password set"
        self.go(link)
        yield "link used"

    def link_in_email(self):
        """Return the path of the link in the last e-mail in the server's log."""
        for _ in range(100):
            log = self.site.log.read_text()
            if found := re.search(r"https?://\S+(/accounts/reset/\S+)", log):
                return found[1]
            self.page.wait_for_timeout(100)
        raise AssertionError(log)

    def files(self):
        self.go("/")
        yield "home without a frame"
        self.upload(("empty.csv", ""))
        yield "wrong file"
        self.upload(("a.csv", CSV), (f"{LONG}.csv", CSV), ("b.csv", "a\n1,2\n"))
        yield "several tables"
        self.page.locator("button[name=open]").click()
        expect(self.page.locator(".problem[role=alert]").last).not_to_be_empty()
        yield "no answer to a question"
        self.upload((f"{LONG}.csv", CSV))
        yield "question about a file"
        kinds = self.page.locator("thead select")
        for at, kind in enumerate(["integer", "other"]):
            with self.page.expect_response(re.compile("/upload/")):
                kinds.nth(at).select_option(kind)
            expect(self.page.locator("[aria-busy]")).to_have_count(0)
        self.page.locator(".more summary").click()
        yield "preview with values that do not fit"
        self.page.locator("button[name=open]").click()
        expect(self.page.locator("#frame-bar")).to_be_visible()
        self.pk = self.page.url.rpartition("/")[2]

    def frame(self):
        self.go("/")
        self.page.locator(".menu summary").click()
        yield "home"
        self.go("/?layout=cards")
        yield "home with cards"
        self.go("/?layout=list")
        self.go("/?q=nothing-like-it")
        yield "nothing found"
        for path in ("rename", "copy", "download", "delete", "share"):
            self.go(f"/frames/{self.pk}/{path}/")
            yield path
        self.submit(person="nobody")
        yield "share with nobody"
        for name in ("all rows", "all rows"):
            self.go(f"/frames/{self.pk}/views/save/")
            self.submit(name=name)
        yield "save a view with a taken name"
        self.go(f"/frames/{self.pk}/views/")
        yield "views"
        self.page.locator("main [href$='/delete/']").click()
        yield "delete a view"
        self.go(f"/frames/{self.pk}/share/")
        self.submit(person="bob")
        yield "shared"
        self.go("/create-df/")
        yield "sample"
        self.page.goto("about:blank")
        grid = f"{self.site.url}/{self.site.prefix}/dtale/main/{self.pk}"
        self.page.set_content(f"<a href='{grid}'>a</a>")
        with self.page.expect_navigation():
            self.page.get_by_role("link").click()
        yield "link on another site"

    def several_tables(self):
        """Choose a copy of the table, and delete it."""
        self.go(f"/frames/{self.pk}/copy/")
        self.submit()
        copy = self.page.url.rpartition("/")[2]
        choice = f"[name=table][value='{copy}']"
        for action, name in (("share", "share several"), ("delete", "table deleted")):
            self.go("/")
            self.page.locator(choice).check()
            with self.page.expect_navigation():
                self.page.locator(f"[formaction$='/tables/{action}/']").click()
            yield name
        for path in (
            "/frames/trash/",
            f"/frames/trash/{copy}/",
            "/frames/trash/empty/",
        ):
            self.go(path)
            yield path.replace(copy, "pk")

    def tables_and_tokens(self):
        for path in ("/frames/sources/", "/frames/models/accounts/user/?q=ann"):
            self.go(path)
            yield path
        self.go("/frames/tokens/")
        yield "no token yet"
        self.submit(name=LONG)
        yield "new token"
        self.go("/frames/tokens/")
        yield "tokens"

    def password(self):
        self.go("/accounts/password_change/")
        yield "password"
        self.submit(old_password="x", new_password1="1", new_password2="2")
        yield "wrong new password"
        new = {"new_password1": PASSWORD, "new_password2": PASSWORD}
        self.submit(old_password=PASSWORD, **new)
        yield "password changed"

    def of_a_reader(self):
        self.go(f"/{self.site.prefix}/dtale/main/{10**9}")
        yield "missing frame"
        self.submit("header form")
        self.sign_in("bob")
        yield "home of a reader"
        self.go(f"/frames/{self.pk}/leave/")
        yield "leave"
        self.go(f"/frames/{self.pk}/rename/")
        yield "not a reader's to change"


class Inspector:
    """A set of checks for the page in a browser window.

    Args:
        page: A Playwright page.
        site: The running site.
        language: The language that the browser requests.
    """

    def __init__(self, page, site, language):
        self.page = page
        self.site = site
        self.language = language
        self.axe = Axe()
        self.elsewhere = []
        self.answer = None
        page.context.on("request", self._on_request)
        page.on("response", self._on_response)

    def _on_request(self, request):
        if not request.url.startswith((self.site.url, "data:")):
            self.elsewhere.append(request.url)

    def _on_response(self, response):
        is_redirect = 300 <= response.status < 400
        if response.request.is_navigation_request() and not is_redirect:
            self.answer = response

    def faults(self):
        """Yield a description of each problem on the page."""
        page = self.page
        page.wait_for_load_state("networkidle")
        yield from self._faults_of_markup()
        if (size := page.evaluate(OWN_BYTES)) > MAX_BYTES:
            yield f"{size:,} bytes"
        for violation in self.axe.run(page).response["violations"]:
            nodes = [node["html"][:150] for node in violation["nodes"]]
            yield f"{violation['impact']}: {violation['help']}: {nodes}"
        yield from self._faults_of_sizes()

    def _faults_of_markup(self):
        parser = HTMLParser()
        parser.parse(self.answer.text())
        for (line, _), code, _ in parser.errors:
            yield f"HTML, line {line}: {code}"
        for twice in self.page.evaluate(TWICE):
            yield f"id {twice} is there twice"
        language = self.page.locator("html").get_attribute("lang")
        if language != self.language:
            yield f"is in {language}"

    def _faults_of_sizes(self):
        page, size = self.page, self.page.viewport_size
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for fault in page.evaluate(TOO_WIDE):
                yield f"at {width} px: {fault}"
            # German texts are the longest.
            if width == 360 and self.language == "de":
                for fault in faults_of_keys(page, "a"):
                    yield f"at {width} px: {fault}"
        page.set_viewport_size(size)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        for fault in page.evaluate(TOO_WIDE):
            yield f"with letters twice as large: {fault}"
        page.evaluate("document.documentElement.style.fontSize = ''")


@pytest.mark.parametrize("look", length([*LOOKS][:2], LOOKS))
def test_site_pages_are_accessible(site, browser, look):
    options = LOOKS[look]
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    page = context.new_page()
    inspector = Inspector(page, site, options["locale"][:2])
    faults, seen = [], []
    for name in Walk(page, site).pages():
        seen.append(name)
        faults += [f"{name}: {fault}" for fault in inspector.faults()]
    context.close()
    faults += inspector.elsewhere
    assert not faults, "\n".join(faults)
    assert len(seen) == len(set(seen)) == 49


@pytest.mark.parametrize("look", length([*LOOKS][:2], LOOKS))
def test_frame_bar_and_signed_out_dialog_are_accessible(site, browser, look):
    """The bar below the grid lists how the data was converted."""
    options = LOOKS[look]
    context = browser.new_context(viewport={"width": 320, "height": 640}, **options)
    page = context.new_page()
    walk = Walk(page, site)
    walk.sign_in("ann")
    walk.upload(("a.json", '[{"a": [1]}]'))
    bar = page.locator("#frame-bar")
    for summary in bar.locator("summary").all():
        summary.click()
    context.clear_cookies()
    page.evaluate(ASK)
    expect(page.locator("#signed-out")).to_be_visible()
    for part in ("#frame-bar", "#signed-out"):
        violations = Axe().run(page, part).response["violations"]
        assert [each["help"] for each in violations] == []
    for part in (bar, page.locator("#signed-out")):
        assert part.evaluate("(part) => part.scrollWidth <= innerWidth")
    context.close()
