"""People who work at a site for a while, and a ledger of what they were promised.

They ask, look at what they get, and think before they ask again. All that they write
has their mark, so what is another's is seen. What goes wrong is noted.
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
from visitors import Visitor, hidden, multipart

THINK = 2.5  # Seconds, on average.
EDITED = 50  # Rows of each frame that its owner edits and looks at.
MANY_ROWS = 100_000  # So long that an edit writes one column, and leans on the rest.
MARK = 1_000_000
SHEETS = 2  # Of one person, who opens another one as soon as there are fewer.


class Interrupted(Exception):
    """The site has said that it cannot do it now: perhaps it was done."""


@dataclass
class Sheet:
    """A frame as its owner expects it.

    Attributes:
        cells: {(column, row): the values (set of int) that it can have}; of the others
            it is the owner's mark. There are several after an edit without an answer.
        is_filtered: there is a filter, or perhaps one.
    """

    id: str
    mark: int
    cells: dict = field(default_factory=dict)
    is_filtered: bool = False
    is_gone: bool = False

    def allowed(self, column, row):
        return self.cells.get((column, row), {self.mark})

    def check(self, found):
        """Compare a row (dict) that was read."""
        assert found["who"] == f"person{self.mark // MARK}", found
        for column in "ab":
            allowed = self.allowed(column, found["row"])
            assert found[column] in allowed, f"lost: {found}, {column} in {allowed}"


class Ledger(urllib.request.BaseHandler):
    """What was asked and answered, by all people together.

    Attributes:
        answers: Counter of (what was asked, status).
        edits: how many were acknowledged.
        unavailable: list of (beginning, end) of requests, in seconds, whose people were
            told to come back later.
        cut: list of (beginning, end, error) of what a request without an answer ended.
        mistakes: list of str, of what may not be.
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
        """Note an answer: urllib calls this for each, also for a redirect."""
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
    """Somebody who is signed in, and works until it is over.

    Args:
        number: int, from 1.
        session: str, the key of theirs.
        rows: of the frames that they open.
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
        self.shared = []  # Sheets of somebody else.
        self.other = None  # Person, in a ring: who is shared with.
        self.known = {self.name}  # Whose names they may see.

    def work(self, over):
        """Do random things until an event (threading.Event)."""
        while not over.wait(self.rng.expovariate(1 / THINK)):
            self.attempt(self.next_thing())

    def next_thing(self):
        if len(self.sheets) < SHEETS:
            return self.upload
        thing = self.rng.choice(THINGS)
        return lambda: thing(self, self.rng.choice(self.sheets))

    def attempt(self, thing):
        """Do something that may be interrupted: say (bool) whether it was not."""
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
        """Open a file by the site's own page."""
        self.counted += 1
        rows = (
            f"{self.name},{row},{self.mark},{self.mark}" for row in range(self.rows)
        )
        token = hidden(self.visitor.open("/")[1])["csrfmiddlewaretoken"]
        body, kind = multipart(
            "file",
            "\n".join(["who,row,a,b", *rows]),
            filename=f"{self.name}-{self.counted}.csv",
            csrfmiddlewaretoken=token,
        )
        status, text, url = self.visitor.open("/frames/upload/", body, kind)
        assert status == 200, text
        assert f"{self.visitor.dtale}main/" in url, text
        self.sheets.append(Sheet(url.rpartition("/")[2], self.mark))

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
        """Look at the rows alone whose first number was edited."""
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
        """The page names nobody but the two with whom they share."""
        status, text, _ = self.visitor.open("/")
        assert status == 200, text
        assert set(re.findall(r"person\d+", text)) <= self.known, text

    def share(self, sheet):
        """Let the other one read a frame, who from now on does."""
        self.known.add(self.other.name)
        self.other.known.add(self.name)
        page = f"/frames/{sheet.id}/share/"
        self.visitor.submit(page, page, person=self.other.name)
        self.other.shared = [*self.other.shared[-3:], sheet]

    def read_shared(self, sheet):
        """Read what another person edits: at least what they had been promised."""
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
        """A frame that nobody has shared with them is not there."""
        sheets = list(self.other.sheets)  # They share with others than this one.
        if not sheets:
            return self.read(sheet)
        id = self.rng.choice(sheets).id
        route = self.rng.choice(["data", "describe", "edit-cell"])
        parameters = {"ids": ["0-3"], "col": "a", "rowIndex": 0, "updated": "1"}
        answer = self.visitor.get(f"{route}/{id}", **parameters)
        assert answer["error"].startswith("404"), answer

    def check(self):
        """Read all that they have; each is as it was promised."""
        for sheet in self.sheets:
            for _ in range(5):  # A worker may have died in the last moment.
                if self.attempt(lambda sheet=sheet: self.read(sheet, 0)):
                    break
            else:
                self.ledger.mistakes.append(f"frame {sheet.id} cannot be read")


def session_cookie(host, key):
    """A cookie (Cookie) as signing in leaves it."""
    version, port, is_secure, expires, discard = 0, None, False, None, True
    return Cookie(
        *(version, "sessionid", key, port, False, host, False, False, "/", True),
        *(is_secure, expires, discard, None, None, {}),
    )


# What a person does, as often as it is here.
THINGS = 6 * [Person.edit] + 5 * [Person.read] + 2 * [Person.filter, Person.home]
THINGS += [Person.describe, Person.delete, Person.share, Person.strange]
THINGS += 2 * [Person.read_shared]
