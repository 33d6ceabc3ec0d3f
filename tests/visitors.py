"""A visitor of a site: a browser without pictures, with a cookie jar of its own."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid

HIDDEN = re.compile(r'<input[^>]*?(?:name|id)="([^"]+)"[^>]*?value="([^"]*)"')


class Visitor:
    """Asks as D-Tale's own pages do; each request on a new connection.

    So with several workers any of them answers, as it does for a person's browser.
    """

    def __init__(self, url, prefix):
        self.url = url
        self.dtale = f"/{prefix}/dtale/"
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # Whatever the environment says.
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def open(self, path, body=None, content_type=None, url=None):
        """Ask for a path of the site, by POST if there is a body (bytes).

        Returns:
            tuple: the status (int), the text, and where redirects led to (str).
        """
        url = url or self.url
        headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{url}/"}
        if body is not None:
            headers |= {"Content-Type": content_type, "Origin": url}
        request = urllib.request.Request(url + path, body, headers)
        try:
            answer = self.opener.open(request, timeout=120)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer.geturl()

    def get(self, route, **parameters):
        """Ask a route of D-Tale's and return its JSON; see `answer`."""
        return answer(*self.open(self.dtale + query(route, parameters))[:2])

    def post(self, route, **values):
        """Post values as JSON to a route of D-Tale's and return its JSON."""
        body = json.dumps(values).encode()
        return answer(
            *self.open(self.dtale + query(route, {}), body, "application/json")[:2]
        )

    def upload(self, csv):
        """Put a CSV (str) into D-Tale as its upload page does; the new frame's id."""
        return self.post_file(csv)["data_id"]

    def post_file(self, csv):
        body, content_type = multipart("t.csv", csv)
        return answer(*self.open(f"{self.dtale}upload", body, content_type)[:2])

    def submit(self, page, action, **values):
        """Submit the form on a page of Django's; the URL (str) where that leads to."""
        values["csrfmiddlewaretoken"] = hidden(self.open(page)[1])[
            "csrfmiddlewaretoken"
        ]
        body = urllib.parse.urlencode(values).encode()
        form = "application/x-www-form-urlencoded"
        status, text, url = self.open(action, body, form)
        assert status == 200, text
        return url.removeprefix(self.url)

    def create_df(self):
        """The tutorial's click; the new frame's id (str)."""
        return self.submit("/", "/create-df/").rpartition("/")[2]

    def sign_in(self, username, password):
        page = "/admin/login/"
        values = {"username": username, "password": password, "next": "/"}
        assert self.submit(page, page, **values) == "/"


def query(route, parameters):
    """Return the route with its parameters; what is no string is sent as JSON."""
    encoded = urllib.parse.urlencode(
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in parameters.items()
        }
    )
    return f"{urllib.parse.quote(route)}?{encoded}"


def answer(status, text):
    """Return the JSON of an answer, or {"error": ...} whichever way it is refused.

    D-Tale answers most of its errors with status 200 and their text.
    """
    if status != 200:
        return {"error": f"{status}: {text[:2000]}"}
    try:
        content = json.loads(text)
    except ValueError:
        return text
    if isinstance(content, dict) and content.get("success") is False:
        return {"error": content.get("error") or content}
    return content


def multipart(name, content, filename=None, **fields):
    """Return a form (bytes) with one file in it, and its content type.

    Args:
        name: str, of the file's field.
        filename: str, if it is another.
        fields: the form's other fields (str).
    """
    boundary = uuid.uuid4().hex
    start, head = f"--{boundary}\r\n", "Content-Disposition: form-data; name"
    body = "".join(
        f'{start}{head}="{field}"\r\n\r\n{value}\r\n' for field, value in fields.items()
    )
    body += f'{start}{head}="{name}"; filename="{filename or name}"\r\n\r\n'
    body += f"{content}\r\n--{boundary}--\r\n"
    return body.encode(), f"multipart/form-data; boundary={boundary}"


def hidden(page):
    """Return the hidden inputs of a page as {name or id: value}."""
    import html

    return {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
