"""A generator of hostile requests that no browser sends.

The routes come from Django's URLconf and D-Tale's url_map, the parameter names from the
source of the views, and the names of form fields from the site's pages. New views are
therefore attacked without a change to this module. `hostile_values` contains the values
for the requests.
"""

import contextlib
import inspect
import io
import json
import random
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.admindocs.views import extract_views_from_urlpatterns as views_of
from django.contrib.admindocs.views import simplify_regex
from django.urls import get_resolver
from django.utils.module_loading import import_string

from django_dtale.conf import dtale_settings

from .hostile_values import (
    COLUMNS,
    CONTENT_TYPES,
    EXAMPLES,
    HEADERS,
    IDS,
    METHODS,
    NUMBERS,
    POSTED,
    TEXTS,
    a_frame,
)

ROOT = f"/{dtale_settings.PREFIX}"


@dataclass
class Request:
    """An HTTP request in the form in which it is sent.

    Attributes:
        target: the path and query.
        headers: the headers. A missing Content-Length is set to the length of the body.
    """

    method: str
    target: str
    headers: dict = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Route:
    """A URL pattern of the site.

    Attributes:
        path: the path, with ``<name>`` for each variable part.
        methods: the methods that the route accepts.
        names: the string literals in the source of the view. These include the names of
            the view's parameters.
    """

    path: str
    methods: list
    names: list


def routes(dtale):
    """Return every Route of the site, as found in the URLconf and D-Tale's url_map.

    Args:
        dtale: D-Tale's Flask application.
    """
    found = [
        Route(simplify_regex(pattern), ["GET", "POST"], _words(view))
        for view, pattern, _, _ in views_of(get_resolver().url_patterns)
    ]
    for rule in dtale.url_map.iter_rules():
        methods = sorted(rule.methods - {"HEAD", "OPTIONS"})
        names = _words(dtale.view_functions[rule.endpoint])
        found.append(Route(ROOT + rule.rule, methods, names))
    probes = import_string(settings.MIDDLEWARE[0])(None).probes
    found += [Route(path, ["GET"], []) for path in probes]
    found.append(Route(f"{settings.STATIC_URL}<path>", ["GET"], []))
    return found


def _words(view):
    source = inspect.getsource(inspect.unwrap(getattr(view, "view_class", view)))
    return sorted(set(re.findall(r'"(\w+)"', source))) or ["next"]


class Attacker:
    """A generator of requests. The same seed gives the same requests.

    Args:
        seed: any text.
        routes: the routes to send requests to.
        callbacks: the callbacks of D-Tale's charts page, as Dash lists them.
        own, others: the ids of the attacker's frames and of other people's frames.
        csrf: a valid CSRF token, or "".
    """

    def __init__(self, seed, routes, callbacks, own, others, csrf=""):
        self.random = random.Random(seed)
        self.routes = routes
        self.callbacks = callbacks
        self.own, self.others = own, others
        self.csrf = csrf
        self.examples = [line.split(" ", 1) for line in POSTED.strip().splitlines()]

    def often(self, share):
        return self.random.random() < share

    def one_of(self, *options):
        return self.random.choice(options)

    # Values ---------------------------------------------------------------------------

    def pk(self):
        """Return the id of a frame of the attacker or of another person, or junk."""
        if self.own and self.often(0.7):
            return str(self.random.choice(self.own))
        if self.others and self.often(0.6):
            return str(self.random.choice(self.others))
        return self.random.choice(IDS + TEXTS)

    def value(self, depth=0):
        """Return any JSON value."""
        kind = self.random.randrange(8 if depth < 3 else 5)
        if kind < 2:
            return self.random.choice(TEXTS)
        if kind == 2:
            return self.random.choice(NUMBERS)
        if kind < 5:
            return self.random.choice(COLUMNS)
        many = range(self.random.randrange(4))
        if kind == 5:
            names = (self.one_of(*COLUMNS, "type", "value", "cfg", "id") for _ in many)
            return {name: self.value(depth + 1) for name in names}
        return [self.value(depth + 1) for _ in many]

    def damaged(self, value):
        """Return a JSON value in which one part is replaced or removed."""
        if isinstance(value, dict) and value and self.often(0.8):
            name = self.random.choice(sorted(value))
            if self.often(0.2):
                return {key: each for key, each in value.items() if key != name}
            return {**value, name: self.damaged(value[name])}
        if isinstance(value, list) and value and self.often(0.7):
            place = self.random.randrange(len(value))
            if self.often(0.2):
                return value * 2
            damaged = self.damaged(value[place])
            return [*value[:place], damaged, *value[place + 1 :]]
        if isinstance(value, str) and self.often(0.7):
            return self.text(value)
        return self.value()

    def json(self, value):
        return json.dumps(value, ensure_ascii=self.often(0.7))

    def text(self, value=None):
        """Return a string for a parameter whose usual value is ``value``."""
        if value and value[:1] in ("{", "[") and self.often(0.8):
            # An earlier change may have made the value invalid JSON.
            with contextlib.suppress(ValueError, RecursionError):
                return self.json(self.damaged(json.loads(value)))
        if self.often(0.3):
            return self.json(self.value())
        return self.random.choice(TEXTS + COLUMNS)

    # Parts of a request ---------------------------------------------------------------

    def quoted(self, text, safe=""):
        """Return a percent-encoded text, sometimes with invalid UTF-8."""
        if self.often(0.02):
            return quote(text.encode("utf-16", "surrogatepass")[:2000], safe)
        return quote(text.encode("utf-8", "surrogatepass"), safe)

    def query(self, parameters):
        """Return a query string of these parameters, with some of them damaged."""
        pairs = list(parameters)
        for _ in range(self.one_of(0, 1, 1, 1, 2)):
            if pairs:
                place = self.random.randrange(len(pairs))
                name, value = pairs.pop(place)
                # In all other cases, the parameter stays missing.
                if not self.often(0.15):
                    pairs.insert(place, (name, self.text(value)))
        if pairs and self.often(0.1):
            pairs.append(self.random.choice(pairs))
        if self.often(0.1):
            pairs.append((self.random.choice(TEXTS + COLUMNS), self.text()))
        text = "&".join(f"{self.quoted(n)}={self.quoted(v)}" for n, v in pairs)
        return text if self.often(0.98) else self.one_of("&&==", "%", "%zz=%", "=" * 99)

    def path(self, route):
        """Return the path of a route with a value for each variable part."""

        def value(match):
            name = match[1]
            if "id" in name.lower() or name == "pk":
                return self.quoted(self.pk())
            if name == "app_label":
                return self.one_of("auth", "frames", "accounts", "nothing")
            if name in ("path", "rest") and self.often(0.5):
                return self.quoted(self.one_of("", "main", self.pk()), "/")
            return self.quoted(self.random.choice(TEXTS[:20] + COLUMNS), "/")

        path = re.sub(r"<(?:[^<>]*:)?(\w+)>", value, route.path)
        if self.often(0.05):
            path = self.one_of(f"/{path}", path + "/", path.rstrip("/"), path + "%00")
        return path

    def multipart(self):
        """Return the body of a multipart form with a file, and its content type."""
        name = self.one_of("x.csv", "x.csv", "x.tsv", "x.xlsx", "x.parquet", "x.json")
        name = self.one_of(name, name, "x.zip", "x.feather", "x.jsonl", "x", "\0.csv")
        whole = io.BytesIO()
        if self.often(0.2):
            a_frame().to_parquet(whole)
        file = self.one_of(
            whole.getvalue(),
            b"a,b\n1,2\n",
            b'a,"b\n1',
            b"a;b\n1,5;2\n",
            b"[1, {}]",
            b'{"a": [' * 200,
            self.random.randbytes(300),
            self.random.choice(TEXTS).encode("utf-8", "surrogatepass"),
            b"PK\x03\x04" + self.random.randbytes(80),
            b"PAR1" + self.random.randbytes(80) + b"PAR1",
            b"a,a,a\n" + b"1" * 400,
        )
        if self.often(0.4):
            place = self.random.randrange(len(file) + 1)
            file = file[:place] + self.random.randbytes(3) + file[place + 3 :]
        parts = [("csrfmiddlewaretoken", None, self.csrf.encode())] * self.often(0.8)
        parts += [("separator", None, self.text().encode("utf-8", "ignore"))]
        parts += [(self.one_of("file", name), name, file)]
        parts *= self.one_of(1, 1, 1, 1, 2)
        body = b""
        for part, filename, content in parts:
            head = f'form-data; name="{part}"'
            head += f'; filename="{filename}"' if filename else ""
            head = head if self.often(0.97) else self.one_of("", "x", head + ";;=")
            body += f"--edge\r\nContent-Disposition: {head}\r\n\r\n".encode() + content
            body += b"\r\n"
        body += b"--edge--\r\n" if self.often(0.9) else b""
        edge = self.one_of(*["edge"] * 9, "other", "", "e" * 300)
        return body, f"multipart/form-data; boundary={edge}"

    def callback(self):
        """Return the body of a Dash callback, as the charts page sends it."""
        known = self.random.choice(self.callbacks)
        example = {
            "pathname": f"{ROOT}/dtale/charts/{self.pk()}",
            "search": "?"
            + self.query([("chart_type", "bar"), ("x", "s"), ("y", '["a"]')]),
            "data": {"chart_type": "line", "x": "a", "y": ["b"], "agg": "mean"},
        }

        def filled(part):
            value = example.get(part["property"]) if self.often(0.5) else self.value()
            if part["id"] == "data-tabs":
                value = self.pk()
            return {**part, "value": self.damaged(value) if self.often(0.2) else value}

        output = known["output"]
        names = output.strip(".").split("...")
        outputs = [
            dict(zip(("id", "property"), name.rsplit(".", 1), strict=True))
            for name in names
        ]
        sent = {
            "output": output,
            "outputs": outputs if output.startswith("..") else outputs[0],
            "inputs": [filled(part) for part in known["inputs"]],
            "state": [filled(part) for part in known["state"]],
            "changedPropIds": [f"{p['id']}.{p['property']}" for p in known["inputs"]][
                :1
            ],
        }
        return self.json(self.damaged(sent) if self.often(0.3) else sent).encode(
            "utf-8", "surrogatepass"
        )

    def form(self, names):
        """Return URL-encoded form data."""
        pairs = [(name, self.text()) for name in names if self.often(0.7)]
        if self.csrf and self.often(0.9):
            pairs.append(("csrfmiddlewaretoken", self.csrf))
        return urlencode(pairs, errors="surrogatepass").encode()

    def headers(self):
        """Return the headers of a same-origin request, with a few changes."""
        headers = {"Host": "localhost", "Sec-Fetch-Site": "same-origin"}
        headers["Sec-Fetch-Mode"] = self.one_of(*["cors"] * 7, "navigate")
        for _ in range(self.one_of(0, 0, 0, 1, 3)):
            name = self.random.choice(list(HEADERS))
            if self.often(0.2):
                headers.pop(name, None)
                continue
            text = self.random.choice(HEADERS[name] + TEXTS)
            # Servers reject line breaks in headers, and decode the bytes as Latin-1.
            text = text.encode("utf-8", "surrogatepass").decode("latin-1")
            headers[name] = re.sub(r"[\r\n\0]", "", text)
        return headers

    # Whole requests -------------------------------------------------------------------

    def request(self, fields=()):
        """Return a random request.

        Args:
            fields: the names of form fields in the site's responses so far.
        """
        kind = self.random.random()
        if kind < 0.4:
            request = self.of_an_example()
        elif kind < 0.5:
            request = self.posted_example()
        elif kind < 0.58:
            path = f"{ROOT}/dtale/charts/_dash-update-component"
            request = Request("POST", path, {"Content-Type": "application/json"})
            request.body = self.callback()
        else:
            request = self.of_a_route(fields)
        if self.often(0.04):
            request.method = self.one_of(*METHODS)
        request.headers = self.headers() | request.headers
        if request.method == "POST" and self.often(0.05):
            # Servers reject a Content-Length that is not a number before the site sees
            # it.
            length = self.one_of("", "0", "7", str(2**40))
            request.headers["Content-Length"] = length
        if request.method == "POST" and self.often(0.05):
            request.headers["Content-Type"] = self.random.choice(CONTENT_TYPES)
        return request

    def of_an_example(self):
        line = self.random.choice(EXAMPLES.strip().splitlines())
        path, *pairs = re.split(r" (?=\w+=)", line)
        target = f"{ROOT}/dtale/{path.replace('PK', self.quoted(self.pk()))}"
        pairs = [pair.replace("PK", self.pk()).split("=", 1) for pair in pairs]
        query = self.query(pairs)
        return Request("GET", f"{target}?{query}" if query else target)

    def posted_example(self):
        path, text = self.random.choice(self.examples)
        target = f"{ROOT}/dtale/{path.replace('PK', self.quoted(self.pk()))}"
        sent = json.loads(text)
        if self.own:
            sent = json.loads(text.replace("PK", str(self.random.choice(self.own))))
        body = self.json(self.damaged(sent)).encode("utf-8", "surrogatepass")
        return Request("POST", target, {"Content-Type": "application/json"}, body)

    def of_a_route(self, fields):
        route = self.random.choice(self.routes)
        target, method = self.path(route), self.random.choice(route.methods)
        names = self.random.sample(route.names, min(len(route.names), 5))
        query = self.query([(name, self.text()) for name in names])
        if query and (method == "GET" or self.often(0.2)):
            target = f"{target}?{query}"
        request = Request(method, target)
        if method != "POST":
            return request
        kind = self.random.random()
        if kind < 0.6:
            content_type = "application/x-www-form-urlencoded"
            request.body = self.form([*names, *fields])
        elif kind < 0.8:
            request.body, content_type = self.multipart()
        else:
            content_type = "application/json"
            request.body = self.json(self.value()).encode("utf-8", "surrogatepass")
        request.headers["Content-Type"] = content_type
        return request
