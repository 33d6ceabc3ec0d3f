"""A random walk: requests from a table of steps, applied to the existing frames."""

import random
from dataclasses import dataclass, field


class NotHere(Exception):
    """The step is not possible with this frame, so the walk chooses another step."""


@dataclass
class Frame:
    """A frame as the walk knows it from the responses of plain D-Tale."""

    handle: int
    rows: int = 0
    # The kind of each column, by name: I, F, S, D, B or "".
    columns: dict = field(default_factory=dict, repr=False)
    sort: list | None = None


@dataclass(frozen=True)
class Step:
    """A request. Each site replaces "{id}" and "{other}" with its own ids."""

    name: str
    frame: Frame | None
    other: Frame | None
    route: str
    parameters: dict
    body: dict | None  # If the step has a body, the request is a POST.


class Walk:
    """A random sequence of steps, which the seed and the frames determine."""

    def __init__(self, seed, steps, often=()):
        self.rng = random.Random(seed)
        # The route, parameters and body of each step, by the name of the step.
        self.steps = steps
        self.names = [*steps, *often]
        self.frames = []  # The caller keeps this list up to date.
        self.frame = self.other = None
        self.new_names = 0

    def step(self):
        while len(self.frames) > 1:
            self.frame, self.other = (self.rng.choice(self.frames) for _ in range(2))
            name = self.rng.choice(self.names)
            few_rows = self.frame.rows < 10 and self.rng.random() < 0.3
            if few_rows or len(self.frames) > 4:
                name = "cleanup"
            for frame in self.frames:
                if "index" in frame.columns:
                    # The site keeps a column named "index", but D-Tale does not.
                    self.frame, name = frame, "cleanup"
            try:
                return self.made(name, *self.steps[name])
            except NotHere:
                continue
        return self.made("upload", *self.steps["upload"])

    def made(self, name, route, parameters=None, body=None):
        filled = map(self.filled, (route, parameters or {}, body))
        return Step(name, self.frame, self.other, *filled)

    def filled(self, template):
        """Return the template with all functions replaced by their results."""
        if callable(template):
            return self.filled(template(self))
        if isinstance(template, dict):
            return {name: self.filled(value) for name, value in template.items()}
        if isinstance(template, list):
            return [self.filled(value) for value in template]
        return template

    def column(self, kinds):
        found = [name for name, kind in self.frame.columns.items() if kind in kinds]
        if not found:
            raise NotHere
        return self.rng.choice(found)
