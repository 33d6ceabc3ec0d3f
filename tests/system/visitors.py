"""A site's visitor: a minimal browser with its own cookie jar."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid

HIDDEN = re.compile(r'<input[^>]*?(?:name|id)="([^"]+)"[^>]*?value="([^"]*)"')


class Visitor:
    """A client that sends the same requests as D-Tale's pages.

    Each request uses a new connection. With several workers, any of them may handle a
    request, as with a real browser.
    """

    def __init__(self, url, prefix):
        self.url = url
        self.dtale = f"/{prefix}/dtale/"
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),  # Ignore proxies from the environment.
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def open(self, path, body=None, content_type=None, url=None):
        """Request a path of the site. With a body, the request is a POST.

        Return the status, the text and the final URL after redirects.
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
        """Request one of D-Tale's routes. Return the response's JSON. See `answer`."""
        return answer(*self.open(self.dtale + query(route, parameters))[:2])

    def post(self, route, **values):
        """Post values as JSON to one of D-Tale's routes. Return the response's JSON."""
        body = json.dumps(values).encode()
        return answer(
            *self.open(self.dtale + query(route, {}), body, "application/json")[:2]
        )

    def upload(self, csv, name="t.csv"):
        """Open a CSV with the home page's form. Return the id of the new frame."""
        status, text, url = self.open("/frames/upload/", *self.upload_form(csv, name))
        assert status == 200 and f"{self.dtale}main/" in url, text
        return url.rpartition("/")[2]

    def upload_form(self, content, name="t.csv"):
        """Return the body and the content type of the upload form with this file."""
        token = hidden(self.open("/frames/")[1])["csrfmiddlewaretoken"]
        return multipart("file", content, name, csrfmiddlewaretoken=token)

    def submit(self, page, action, **values):
        """Submit the form on one of Django's pages. Return the final path."""
        values["csrfmiddlewaretoken"] = hidden(self.open(page)[1])[
            "csrfmiddlewaretoken"
        ]
        body = urllib.parse.urlencode(values).encode()
        form = "application/x-www-form-urlencoded"
        status, text, url = self.open(action, body, form)
        assert status == 200, text
        return url.removeprefix(self.url)

    def create_df(self):
        """Open the sample table as in the tutorial. Return the id of the new frame."""
        return self.submit("/", "/create-df/").rpartition("/")[2]

    def sign_in(self, username, password):
        page = "/admin/login/"
        values = {"username": username, "password": password, "next": "/"}
        assert self.submit(page, page, **values) == "/"


def query(route, parameters):
    """Return the route with a query string. Values other than text become JSON."""
    encoded = urllib.parse.urlencode(
        {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in parameters.items()
        }
    )
    return f"{urllib.parse.quote(route)}?{encoded}"


def answer(status, text):
    """Return the JSON of a response, or {"error": ...} for any kind of failure.

    D-Tale reports most errors with status 200 and a text.
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
    """Return the body of a multipart form with one file, and its Content-Type.

    Args:
        name: The name of the form field that contains the file.
        content: The content of the file, as text or bytes.
        filename: The name of the file. The default is the name of the field.
        fields: The other fields of the form.
    """
    boundary = uuid.uuid4().hex
    start, head = f"--{boundary}\r\n", "Content-Disposition: form-data; name"
    body = "".join(
        f'{start}{head}="{field}"\r\n\r\n{value}\r\n' for field, value in fields.items()
    )
    body += f'{start}{head}="{name}"; filename="{filename or name}"\r\n\r\n'
    content = content.encode() if isinstance(content, str) else content
    body = body.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def hidden(page):
    """Return the hidden inputs on a page: {name or id: value}."""
    import html

    return {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
