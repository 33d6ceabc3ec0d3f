"""A random walk: requests made of a table of steps, for the frames that are there."""

import random
from dataclasses import dataclass, field


class NotHere(Exception):
    """The step does not fit this frame; another one is taken."""


@dataclass
class Frame:
    """What the walk knows of a frame, from the reference's answers."""

    handle: int
    rows: int = 0
    # Name -> kind: I, F, S, D, B or "".
    columns: dict = field(default_factory=dict, repr=False)
    sort: list | None = None


@dataclass(frozen=True)
class Step:
    """A request. "{id}" and "{other}" in it stand for the ids of the two frames."""

    name: str
    frame: Frame | None
    other: Frame | None
    route: str
    parameters: dict
    body: dict | None  # By POST, if there is one; what is no string in it, as JSON.


class Walk:
    """Chooses steps. The same seed and the same frames give the same steps."""

    def __init__(self, seed, steps, often=()):
        self.rng = random.Random(seed)
        self.steps = steps  # Name -> route, parameters, body: templates.
        self.names = [*steps, *often]
        self.frames = []  # Of Frame; whoever walks keeps them up to date.
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
                    # The site keeps a column of this name, D-Tale does not.
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
        """Return the template with what its functions give in their places."""
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
