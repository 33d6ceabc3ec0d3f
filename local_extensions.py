"""The Jinja extension of cookiecutter.json. It checks names and never renders answers.

The rules for names are in the library, in `django_dtale/names.py`.
"""

import json
import runpy
import sys
from pathlib import Path

from jinja2.ext import Extension

ROOT = Path(__file__).resolve().parent
TREE = "{{cookiecutter.project_slug}}"
NAMES = "packages/django-dtale/src/django_dtale/names.py"
ANSWERS = "project_name", "project_slug", "dtale_prefix"


class Answers(Extension):
    """Filters for the answers, and a guard that keeps Jinja from rendering answers.

    ``check_project_name``, ``check_project_slug`` and ``check_dtale_prefix`` return a
    valid answer unchanged. For an invalid one, they exit with a one-line message that
    gives the reason. ``suggest_slug`` returns a slug for a name. ``in_string`` escapes
    text for a string literal.
    """

    def __init__(self, environment):
        super().__init__(environment)
        # `cruft update` bakes two versions of this template in one process. Drop this
        # module from the import cache, so that the second version imports its own
        # extension.
        sys.modules.pop(__name__, None)
        # Do not import the module: that would create __pycache__ in the template's
        # tree, and Cookiecutter would copy it into the bake.
        names = runpy.run_path(str(ROOT / TREE / NAMES))
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
        """Return ``source`` if it is the template's own, else its text as a literal.

        Cookiecutter renders answers from the command line, a configuration file or
        cruft as if they were defaults in cookiecutter.json.
        """
        if source == TREE:
            # Cookiecutter renders the name of the first folder before it writes
            # anything. Check the answers again at this point: replays, and private
            # variables on the command line, bypass the earlier checks.
            return "{{ (cookiecutter|check_answers).project_slug }}"
        # Only the template's files have a name or a loader.
        if name or self.environment.loader:
            return source
        if source in self.own:
            # Each default and each hook is rendered once, in order. Any other text is
            # an answer.
            del self.own[: self.own.index(source) + 1]
            return source
        text = source.encode("unicode_escape").decode().replace('"', r"\x22")
        return f'{{{{ "{text}" }}}}'


def in_string(text):
    """Return ``text`` escaped for a double-quoted literal of Python or TOML."""
    return "".join(map(_escape, text))


def _escape(character):
    if character == "\\":
        return r"\\"
    # `ruff format` would change the quotes of a literal that contains \".
    if character == '"' or not character.isprintable():
        code = ord(character)
        return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def _or_exit(function, invalid_name):
    def filter_or_exit(answer):
        try:
            return function(answer)
        except invalid_name as error:
            # SystemExit is the only exception with which both Cookiecutter and cruft
            # print just the message, without a traceback, and exit with code 1.
            raise SystemExit(str(error)) from None

    return filter_or_exit
