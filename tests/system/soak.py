"""Simulated users of a site, and a ledger of the responses that they receive.

Users send requests, check the responses, and pause before the next request. The data of
each user contains a mark of that user, so leaks to other users are detected. All
failures are recorded.
"""

import random
import re
import threading
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import Cookie

from test_frames_load import done
from visitors import Visitor

THINK = 2.5  # The average pause in seconds.
EDITED = 50  # The owner edits and reads only this many rows of each frame.
MANY_ROWS = 100_000  # An edit of a frame with so many rows rewrites only one column.
MARK = 1_000_000
SHEETS = 2  # A user with fewer frames than this opens another one.


class Interrupted(Exception):
    """The site is temporarily unavailable. The request may still have succeeded."""


@dataclass
class Sheet:
    """A frame as its owner expects it.

    Attributes:
        cells: {(column, row): the possible values}. After an edit without a response,
            several values are possible. All other cells have the owner's mark.
        is_filtered: Whether a filter is set, or may be set.
    """

    id: str
    mark: int
    cells: dict = field(default_factory=dict)
    is_filtered: bool = False
    is_gone: bool = False

    def allowed(self, column, row):
        return self.cells.get((column, row), {self.mark})

    def check(self, found):
        """Check a row of a response."""
        assert found["who"] == f"person{self.mark // MARK}", found
        for column in "ab":
            allowed = self.allowed(column, found["row"])
            assert found[column] in allowed, f"lost: {found}, {column} in {allowed}"


class Ledger(urllib.request.BaseHandler):
    """The requests and responses of all users.

    Attributes:
        answers: A counter of (path, status).
        edits: The number of acknowledged edits.
        unavailable: The (start, end) of each request with status 503, in seconds.
        cut: The (start, end, error) of each request without a response.
        mistakes: The messages of all unacceptable failures.
    """

    def __init__(self):
        self.answers = Counter()
        self.edits = 0
        self.unavailable, self.cut, self.mistakes = [], [], []
        self.lock = threading.Lock()

    def http_request(self, request):
        request.began = time.monotonic()
        return request

    def http_response(self, request, response):
        """Record a response. urllib also calls this method for redirects."""
        path = urllib.parse.urlsplit(request.full_url).path
        what = re.sub(r"\d+", "*", path)
        with self.lock:
            self.answers[what, response.status] += 1
        if response.status == 503:
            assert int(response.headers["Retry-After"]) > 0
            self.unavailable.append((request.began, time.monotonic()))
            response.close()
            raise Interrupted
        return response


class Person:
    """A signed-in user who works until an event is set.

    Args:
        number: The number of the user, starting at 1.
        session: The key of the user's session.
        rows: The number of rows in each of the user's frames.
    """

    def __init__(self, site, ledger, number, session, rows):
        self.visitor = Visitor(site.url, site.prefix)
        self.visitor.opener.add_handler(ledger)
        host = urllib.parse.urlsplit(site.url).hostname
        self.visitor.cookies.set_cookie(session_cookie(host, session))
        self.ledger = ledger
        self.name, self.mark, self.rows = f"person{number}", number * MARK, rows
        self.rng = random.Random(number)
        self.counted = 0
        self.sheets = []
        self.shared = []  # The previous user in the ring has shared these frames.
        # The users form a ring: each of them shares frames with the next user.
        self.other = None
        self.known = {self.name}  # The names that this user may see.

    def work(self, over):
        """Perform random actions until the event is set."""
        while not over.wait(self.rng.expovariate(1 / THINK)):
            self.attempt(self.next_thing())

    def next_thing(self):
        if len(self.sheets) < SHEETS:
            return self.upload
        thing = self.rng.choice(THINGS)
        return lambda: thing(self, self.rng.choice(self.sheets))

    def attempt(self, thing):
        """Perform an action. Return whether it succeeded."""
        began = time.monotonic()
        try:
            thing()
            return True
        except Interrupted:
            pass
        except TimeoutError as error:
            self.ledger.mistakes.append(f"{self.name}: {error!r}")
        except (OSError, HTTPException) as error:
            self.ledger.cut.append((began, time.monotonic(), repr(error)))
        except Exception as error:
            self.ledger.mistakes.append(f"{self.name}: {error!r:.800}")
        return False

    def upload(self):
        """Open a file on the site's own home page."""
        self.counted += 1
        rows = (
            f"{self.name},{row},{self.mark},{self.mark}" for row in range(self.rows)
        )
        csv = "\n".join(["who,row,a,b", *rows])
        id = self.visitor.upload(csv, f"{self.name}-{self.counted}.csv")
        self.sheets.append(Sheet(id, self.mark))

    def delete(self, sheet):
        self.sheets.remove(sheet)
        sheet.is_gone = True
        page = f"/frames/{sheet.id}/delete/"
        self.visitor.submit(page, page)
        answer = self.visitor.get(f"data/{sheet.id}", ids=["0"])
        assert answer["error"].startswith("404"), answer

    def edit(self, sheet):
        self.clear(sheet)
        self.counted += 1
        value = self.mark + self.counted
        column, row = self.rng.choice("ab"), self.rng.randrange(EDITED)
        sheet.cells[column, row] = sheet.allowed(column, row) | {value}
        parameters = {"col": column, "rowIndex": row, "updated": str(value)}
        done(self.visitor.get(f"edit-cell/{sheet.id}", **parameters))
        sheet.cells[column, row] = {value}
        with self.ledger.lock:
            self.ledger.edits += 1

    def read(self, sheet, first=None):
        self.clear(sheet)
        first = self.rng.randrange(EDITED) if first is None else first
        rows = self.rows_of(sheet, f"{first}-{EDITED - 1}")
        assert sorted(row["row"] for row in rows) == list(range(first, EDITED)), rows
        for row in rows:
            sheet.check(row)

    def filter(self, sheet):
        """Filter for the rows in which `a` was edited."""
        sheet.is_filtered = True
        self.set_filter(sheet, f"a > {sheet.mark}")
        rows = self.rows_of(sheet, f"0-{EDITED - 1}")
        for row in rows:
            sheet.check(row)
        surely = {
            row
            for (column, row), values in sheet.cells.items()
            if column == "a" and sheet.mark not in values
        }
        assert surely <= {row["row"] for row in rows}, (surely, rows)
        self.clear(sheet)

    def clear(self, sheet):
        if sheet.is_filtered:
            self.set_filter(sheet, "")
            sheet.is_filtered = False

    def set_filter(self, sheet, query):
        settings = {"query": query}
        done(self.visitor.get(f"update-settings/{sheet.id}", settings=settings))

    def rows_of(self, sheet, ids):
        answer = self.visitor.get(f"data/{sheet.id}", ids=[ids])
        assert "results" in answer, answer
        return answer["results"].values()

    def describe(self, sheet):
        answer = self.visitor.get(f"describe/{sheet.id}", col="a")
        low, high = (
            int(str(answer["describe"][key]).replace(",", "").split(".")[0])
            for key in ("min", "max")
        )
        assert sheet.mark <= low <= high < sheet.mark + MARK, answer

    def home(self, sheet):
        """Check that the home page names only users who share frames with this one."""
        status, text, _ = self.visitor.open("/")
        assert status == 200, text
        assert set(re.findall(r"person\d+", text)) <= self.known, text

    def share(self, sheet):
        """Share a frame with the next user, who may read it from then on."""
        self.known.add(self.other.name)
        self.other.known.add(self.name)
        page = f"/frames/{sheet.id}/share/"
        self.visitor.submit(page, page, person=self.other.name, role="reader")
        self.other.shared = [*self.other.shared[-3:], sheet]

    def read_shared(self, sheet):
        """Check that another user's shared frame has all acknowledged edits."""
        if not self.shared:
            return self.read(sheet)
        theirs = self.rng.choice(self.shared)
        before = {cell: min(values) for cell, values in list(theirs.cells.items())}
        answer = self.visitor.get(f"data/{theirs.id}", ids=[f"0-{EDITED - 1}"])
        if theirs.is_gone and str(answer.get("error")).startswith("404"):
            return
        for row in answer["results"].values():
            assert row["who"] == f"person{theirs.mark // MARK}", row
            for column in "ab":
                least = before.get((column, row["row"]), theirs.mark)
                assert least <= row[column] < theirs.mark + MARK, (row, least)

    def strange(self, sheet):
        """Check that frames that are not shared with this user are not found."""
        sheets = list(self.other.sheets)  # These frames are not shared with this user.
        if not sheets:
            return self.read(sheet)
        id = self.rng.choice(sheets).id
        route = self.rng.choice(["data", "describe", "edit-cell"])
        parameters = {"ids": ["0-3"], "col": "a", "rowIndex": 0, "updated": "1"}
        answer = self.visitor.get(f"{route}/{id}", **parameters)
        assert answer["error"].startswith("404"), answer

    def check(self):
        """Check all frames of this user."""
        for sheet in self.sheets:
            for _ in range(5):  # Retry, because a worker may just have been killed.
                if self.attempt(lambda sheet=sheet: self.read(sheet, 0)):
                    break
            else:
                self.ledger.mistakes.append(f"frame {sheet.id} cannot be read")


def session_cookie(host, key):
    """Return the session cookie as Django sets it at sign-in."""
    version, port, is_secure, expires, discard = 0, None, False, None, True
    return Cookie(
        *(version, "sessionid", key, port, False, host, False, False, "/", True),
        *(is_secure, expires, discard, None, None, {}),
    )


# The actions of a user. Frequent actions occur several times.
THINGS = 6 * [Person.edit] + 5 * [Person.read] + 2 * [Person.filter, Person.home]
THINGS += [Person.describe, Person.delete, Person.share, Person.strange]
THINGS += 2 * [Person.read_shared]
