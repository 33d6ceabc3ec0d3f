"""What cookiecutter.json asks of Jinja: the rule for names, and answers kept as data.

The rule itself is in the project's own `frames/names.py`.
"""

import json
import runpy
import sys
from pathlib import Path

from jinja2.ext import Extension

ROOT = Path(__file__).resolve().parent
TREE = "{{cookiecutter.project_slug}}"
ANSWERS = "project_name", "project_slug", "dtale_prefix"


class Answers(Extension):
    """Filters for the answers, and a guard: Jinja never reads an answer as a template.

    ``check_project_name``, ``check_project_slug`` and ``check_dtale_prefix`` return
    the answer, or end the program with one line that says what is wrong with it.
    ``suggest_slug`` returns a slug for a name; ``in_string`` escapes text for a string
    literal.
    """

    def __init__(self, environment):
        super().__init__(environment)
        # `cruft update` bakes two versions of this template in one process: the next
        # one is to import its own extension, not to find this one.
        sys.modules.pop(__name__, None)
        # Not imported: that would leave __pycache__ in the tree, to be baked with it.
        names = runpy.run_path(str(ROOT / TREE / "frames" / "names.py"))
        checks = {answer: names[f"check_{answer}"] for answer in ANSWERS}

        def check_answers(cookiecutter):
            for answer, check in checks.items():
                check(cookiecutter.get(answer))
            return cookiecutter

        def suggest_slug(name):
            return names["suggest_slug"](checks["project_name"](name))

        filters = {f"check_{answer}": check for answer, check in checks.items()}
        filters |= {"check_answers": check_answers, "suggest_slug": suggest_slug}
        for name, function in filters.items():
            environment.filters[name] = _or_exit(function, names["InvalidName"])
        environment.filters["in_string"] = in_string

        defaults = json.loads((ROOT / "cookiecutter.json").read_text("utf-8")).values()
        hooks = (path.read_text("utf-8") for path in (ROOT / "hooks").glob("*.py"))
        self.own = [*defaults, *hooks]

    def preprocess(self, source, name, filename=None):
        """Return ``source`` if it is the template's own, else a literal of its text.

        Cookiecutter renders every answer that comes from the command line, a file or
        cruft, as if it were a default of cookiecutter.json.
        """
        if source == TREE:
            # The first folder. A replay, or a private variable on the command line, has
            # passed by the checks: here they are made again, with nothing written yet.
            return "{{ (cookiecutter|check_answers).project_slug }}"
        if name or self.environment.loader:  # Only the tree's files have these.
            return source
        if source in self.own:
            # They come in this order, each once. Out of turn, it is an answer.
            del self.own[: self.own.index(source) + 1]
            return source
        text = source.encode("unicode_escape").decode().replace('"', r"\x22")
        return f'{{{{ "{text}" }}}}'


def in_string(text):
    """Return ``text`` (str) escaped for a double-quoted literal of Python or TOML."""
    return "".join(map(_escape, text))


def _escape(character):
    if character == "\\":
        return r"\\"
    # With \" in a literal, `ruff format` would change the quotes around it.
    if character == '"' or not character.isprintable():
        code = ord(character)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def _or_exit(function, invalid_name):
    def filter_or_exit(answer):
        try:
            return function(answer)
        except invalid_name as error:
            # The one exception that ends Cookiecutter and cruft alike with its text,
            # no traceback, and exit code 1.
            raise SystemExit(str(error)) from None

    return filter_or_exit
