"""Many people use four workers at the same time. Data is isolated, and nothing is lost.

Each request uses a new connection, so any worker may handle it.
"""

import contextlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException

import pytest
from lengths import length
from services import who_answered
from visitors import Visitor, hidden

WORKERS = 4
PEOPLE = 8
REQUESTS = length(700, 2000)
ROWS = 30


@dataclass
class Sheet:
    """A frame as its owner expects it."""

    id: str
    cells: dict  # The values of each column, by name.
    settings: dict = field(default_factory=dict)


class Person:
    """A visitor who knows the expected content of all their frames."""

    def __init__(self, site, number):
        self.visitor = Visitor(site.url, site.prefix)
        self.number = number
        self.rng = random.Random(number)
        self.sheets = []
        self.counted = 0
        self.others = []
        self.mistakes = []

    def count(self):
        """Return a number that no other visitor uses."""
        self.counted += 1
        return self.number * 100_000 + self.counted

    def work(self):
        """Perform random actions, and record failures."""
        for _ in range(REQUESTS // PEOPLE):
            name = self.rng.choice(THINGS) if self.sheets else "upload"
            sheet = self.rng.choice(self.sheets) if self.sheets else None
            try:
                getattr(self, name)(sheet)
            except Exception as error:
                self.mistakes.append(f"person {self.number}, {name}: {error!r:.800}")

    def upload(self, sheet):
        if len(self.sheets) > 5:
            return self.read(sheet)
        who, numbers = f"person{self.number}", [self.count() for _ in range(ROWS)]
        csv = "\n".join(["who,n", *(f"{who},{number}" for number in numbers)])
        id = self.visitor.upload(csv)
        self.sheets.append(Sheet(id, {"who": [who] * ROWS, "n": numbers}))

    def click(self, sheet):
        if len(self.sheets) > 5:
            return self.read(sheet)
        id = self.visitor.create_df()
        self.sheets.append(Sheet(id, {"a": [1, 2, 3], "b": [4, 5, 6]}))

    def number_column(self, sheet):
        return list(sheet.cells)[-1]

    def read(self, sheet, whole=False):
        total = len(next(iter(sheet.cells.values())))
        first = 0 if whole else self.rng.randrange(total)
        answer = self.visitor.get(f"data/{sheet.id}", ids=[f"{first}-{total}"])
        expected = {
            str(row): {"dtale_index": row, "__row": row}
            | {name: values[row] for name, values in sheet.cells.items()}
            for row in range(first, total)
        }
        assert answer["results"] == expected, (answer, expected)
        assert answer["total"] == total

    def edit(self, sheet):
        name, value = self.number_column(sheet), self.count()
        row = self.rng.randrange(len(sheet.cells[name]))
        edit(self.visitor, sheet.id, name, row, value)
        sheet.cells[name][row] = value

    def rename(self, sheet):
        old, new = self.number_column(sheet), f"n{self.count()}"
        done(self.visitor.get(f"rename-col/{sheet.id}", col=old, rename=new))
        sheet.cells[new] = sheet.cells.pop(old)

    def set(self, sheet):
        flags = "verticalHeaders", "hide_row_expanders", "hide_header_editor"
        settings = {self.rng.choice(flags): self.rng.random() < 0.5}
        done(self.visitor.get(f"update-settings/{sheet.id}", settings=settings))
        sheet.settings |= settings

    def look(self, sheet):
        settings = settings_of(self.visitor, sheet.id)
        assert settings.items() >= sheet.settings.items(), (settings, sheet.settings)

    def describe(self, sheet):
        name = self.number_column(sheet)
        answer = self.visitor.get(f"describe/{sheet.id}", col=name)
        values = sheet.cells[name]
        described = [answer["describe"][key] for key in ("min", "max")]
        described = [
            int(str(each).replace(",", "").split(".")[0]) for each in described
        ]
        assert described == [min(values), max(values)], answer

    def analyse(self, sheet):
        name = next(iter(sheet.cells))
        answer = self.visitor.get(
            f"column-analysis/{sheet.id}", col=name, type="value_counts"
        )
        assert set(map(str, answer["labels"])) == set(map(str, sheet.cells[name])), (
            answer
        )

    def columns(self, sheet):
        answer = self.visitor.get(f"dtypes/{sheet.id}")
        names = [each["name"] for each in answer["dtypes"]]
        assert names == list(sheet.cells), answer

    def frames(self, sheet):
        answer = self.visitor.get("processes")
        ids = [each["data_id"] for each in answer["data"]]
        assert sorted(ids) == sorted(sheet.id for sheet in self.sheets), answer

    def strange(self, sheet):
        """Check that requests for another visitor's frame are refused with a 401."""
        sheets = self.rng.choice(self.others).sheets
        if not sheets:
            return self.read(sheet)
        id = self.rng.choice(sheets).id
        route, parameters = self.rng.choice(
            [
                ("data", {"ids": ["0-3"]}),
                ("edit-cell", {"col": "n", "rowIndex": 0, "updated": "1"}),
                ("describe", {"col": "n"}),
                ("update-settings", {"settings": {"verticalHeaders": True}}),
            ]
        )
        answer = self.visitor.get(f"{route}/{id}", **parameters)
        assert answer["error"].startswith("401"), answer


# The actions of a visitor. Frequent actions occur several times.
THINGS = ["upload", "click", "read", "read", "edit", "edit", "rename", "set", "look"]
THINGS += ["describe", "analyse", "columns", "frames", "strange"]


def done(answer):
    """Check that D-Tale has reported success."""
    assert answer == {"success": True}, answer


def edit(visitor, id, column, row, value):
    """Type a number into a cell of an integer column."""
    done(visitor.get(f"edit-cell/{id}", col=column, rowIndex=row, updated=str(value)))


def zeros(rows, *columns):
    """Return a CSV that contains only zeros."""
    return "\n".join([",".join(columns), *[",".join("0" * len(columns))] * rows])


def cells(visitor, id):
    """Return the content of a frame: {(column, row): value}."""
    rows = visitor.get(f"data/{id}", ids=["0-100000"])["results"]
    return {
        (name, int(row)): value
        for row, values in rows.items()
        for name, value in values.items()
        if name not in ("dtale_index", "__row")
    }


def settings_of(visitor, id):
    """Read a frame's settings from its page."""
    page = visitor.open(f"{visitor.dtale}main/{id}")[1]
    return json.loads(hidden(page)["settings"])


@pytest.fixture(scope="module")
def four_workers(backend):
    with backend.serve(WORKERS) as site:
        yield site
        assert len(who_answered(site)) == WORKERS


def test_concurrent_users_can_access_only_their_own_frames(four_workers):
    people = [Person(four_workers, number) for number in range(1, PEOPLE + 1)]
    for person in people:
        person.others = [each for each in people if each is not person]
    with ThreadPoolExecutor(PEOPLE) as pool:
        list(pool.map(Person.work, people))
    mistakes = [each for person in people for each in person.mistakes]
    assert not mistakes, f"{len(mistakes)} of {REQUESTS}:\n" + "\n".join(mistakes[:9])
    for person in people:
        person.frames(None)
        for sheet in person.sheets:
            person.read(sheet, whole=True)
            person.columns(sheet)
            person.look(sheet)


def test_concurrent_changes_to_one_frame_are_all_saved(four_workers):
    """32 threads make 200 edits, create 60 columns and change 100 settings."""
    edits = {(name, row): row + 1 for name in "ab" for row in range(100)}
    built = range(1, 61)
    formats = {f"column {number}": {"fmt": f"{number}.0"} for number in range(100)}

    def build(number):
        config = {"left": {"col": "zero"}, "right": {"val": number}, "operation": "sum"}
        name = f"c{number}"
        done(visitor.get(f"build-column/{id}", type="numeric", name=name, cfg=config))

    def set(name):
        done(visitor.get(f"update-formats/{id}", col=name, format=formats[name]))

    visitor = Visitor(four_workers.url, four_workers.prefix)
    id = visitor.upload(zeros(100, "a", "b", "zero", *formats))
    jobs = [partial(edit, visitor, id, *cell, edits[cell]) for cell in edits]
    jobs += [partial(build, number) for number in built]
    jobs += [partial(set, name) for name in formats]
    random.Random(1).shuffle(jobs)
    with ThreadPoolExecutor(8 * WORKERS) as pool:
        for job in [pool.submit(job) for job in jobs]:
            job.result()  # result() raises an error unless the change was acknowledged.
    expected = {(f"c{number}", row): number for number in built for row in range(100)}
    zero = ("zero", *formats)
    expected |= edits | {(name, row): 0 for name in zero for row in range(100)}
    assert cells(visitor, id) == expected
    assert settings_of(visitor, id)["columnFormats"] == formats


def test_acknowledged_edits_survive_killed_workers_and_a_restart(backend):
    """During 500 edits, two workers are killed."""
    acknowledged, in_doubt = {}, {}
    with backend.serve(WORKERS) as site, ThreadPoolExecutor(8) as pool:
        visitor = Visitor(site.url, site.prefix)
        ids = [visitor.upload(zeros(200, "a", "b")) for _ in range(3)]

        def type(number):
            id, row = ids[number % 3], number // 3
            in_doubt[id, "a", row] = number + 1
            # If the request's worker is killed, the edit may or may not be saved.
            with contextlib.suppress(OSError, HTTPException):
                edit(visitor, id, "a", row, number + 1)
                acknowledged[id, "a", row] = in_doubt.pop((id, "a", row))
            if number in (150, 350):
                site.kill_worker()

        list(pool.map(type, range(500)))
        # New workers have replaced the killed ones.
        assert len(who_answered(site)) > WORKERS
    assert len(acknowledged) > 400
    with backend.serve(1, machine="another") as site:
        visitor.url = site.url
        for id in ids:
            for cell, value in cells(visitor, id).items():
                if (id, *cell) in in_doubt:
                    assert value in (0, in_doubt[id, *cell])
                else:
                    assert value == acknowledged.get((id, *cell), 0)
    backend.manage("purge_frames", "--grace", "0")
    assert backend.stored() == backend.needed()
