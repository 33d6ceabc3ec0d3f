"""A linter for the project's English, which finds habits that make texts hard to read.

It reads documents, pages, docstrings, comments and messages. `make lint` runs it.
"""

import ast
import io
import re
import subprocess
import tokenize
from html import unescape
from pathlib import Path

import pytest
from conftest import TEMPLATE

TYPES = "bool|bytes|dict|float|int|list|object|set|str|tuple|Path"

# Each pattern is applied to one sentence at a time.
TICS = {
    # "What is sent is checked." The subject should be a named thing.
    "a clause as the subject": r"^(?:What|Who)(?:ever|soever)?\b(?!.*\?)"
    r"|^Where(?:ver)?\b(?!.*[?,])|^Which\b(?!.*\?)",
    # "Return the names (list of str)." Types belong in signatures.
    "a type in prose": rf"(?:^|\s)\((?:{TYPES})(?: of \w+(?: of \w+)?)?(?: or None)?\)"
    rf"|^\w+: (?:an? )?(?:{TYPES})\b(?: of \w+)*, ",
    # "Say whether it is open." Functions return values.
    "say instead of return": r"^Say (?:whether|if)\b",
    # "# Of a day." A comment is a whole sentence.
    "a fragment": r"^(?:Of|And|Nor|Or|Than)\b[^,;:?]{0,40}\.$",
}
TICS = {name: re.compile(pattern) for name, pattern in TICS.items()}

DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef

# Texts --------------------------------------------------------------------------------


def sentences(text):
    """Yield the sentences of a text. List items and table cells are separate texts."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.M | re.S)
    text = re.sub(r"^#+ .*$|^ *[-=|]+$", "", text, flags=re.M)
    for part in re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) |\s*\|\s*|\n(?=\s*\w+: )", text):
        joined = " ".join(part.split()).lstrip("*_`\"'(-> ")
        yield from re.split(r"(?<=[.!?])[*_\"')]*\s+[*_\"'(]*", joined)


def faults(text):
    """Yield the name of each bad habit in a text, with the sentence."""
    for sentence in sentences(text):
        for name, pattern in TICS.items():
            if pattern.search(sentence):
                yield name, sentence


def comments(lines):
    """Yield the comments in these lines. Adjacent comment lines are one comment."""
    block = []
    for line in [*lines, ""]:
        match = re.match(r"\s*#+(?: |$)(.*)", line)
        if match:
            block.append(match[1])
            continue
        if block:
            yield "\n".join(block)
        block = []
        if trailing := re.search(r"\s#+ (.*)", line):
            yield trailing[1]


def texts_of_python(source):
    """Yield the docstrings, comments and messages in a module."""
    nodes = [*ast.walk(ast.parse(source))]
    docstrings = set()
    for node in nodes:
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            docstrings.add(id(node.body[0].value))
            yield text
    for node in nodes:
        match node:
            case ast.Constant(str(text)) if id(node) not in docstrings:
                if re.match(r"[A-Z].* .*[.]$", text):
                    yield text
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {}
    for token in tokens:
        if token.type == tokenize.COMMENT:
            is_alone = not token.line[: token.start[1]].strip()
            lines[token.start[0]] = ("" if is_alone else "x ") + token.string
    rows = range(max(lines, default=0) + 1)
    yield from comments([lines.get(row, "") for row in rows])


def texts(path):
    """Yield all texts in a file that are written for people."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        yield from texts_of_python(source)
    elif path.suffix == ".md":
        yield re.sub(r"<!--.*?-->", "", source, flags=re.S)
    elif path.suffix in (".html", ".txt"):
        text = re.sub(r"\{#.*?#\}|<(style|script).*?</\1>", "", source, flags=re.S)
        yield from re.findall(r"""translate ["'](.*?)["'] %\}""", text)
        yield unescape(re.sub(r"\{%.*?%\}|<.*?>", "\n\n", text, flags=re.S))
    elif path.suffix in (".css", ".js"):
        yield from re.findall(r"/\*(.*?)\*/", source, re.S)
        yield from (line for line in re.findall(r"^\s*// (.*)$", source, re.M))
    else:
        yield from comments(source.splitlines())


# The files ----------------------------------------------------------------------------

READ = {"", ".css", ".example", ".html", ".ini", ".js", ".md", ".py", ".toml", ".txt"}
READ |= {".yaml", ".yml"}


def files():
    """Return the paths of all files in the repository that contain texts."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.check_output(command, cwd=TEMPLATE, text=True).split("\0")
    # This file contains bad examples on purpose.
    listed.remove(str(Path(__file__).relative_to(TEMPLATE)))
    return [
        name
        for name in sorted(set(listed))
        if Path(name).suffix in READ and (TEMPLATE / name).is_file()
        if Path(name).name != "LICENSE" and not name.startswith(".ci/")
    ]


def test_files_are_in_plain_english():
    found = [
        f"{name}: {habit}: {sentence}"
        for name in files()
        for text in texts(TEMPLATE / name)
        for habit, sentence in faults(text)
    ]
    assert found == [], "\n".join(found)


# The linter ---------------------------------------------------------------------------

BAD = {
    "Who is not signed in has no frames.": "a clause as the subject",
    "The site is up. What is sent is checked.": "a clause as the subject",
    "Whoever runs this site knows.": "a clause as the subject",
    "| `a` | What they see |": "a clause as the subject",
    "- Where they are is not known.": "a clause as the subject",
    "Which of them is open.": "a clause as the subject",
    "Return the names (list of str).": "a type in prose",
    "Say (bool) that it is open.": "a type in prose",
    "Attributes:\n    told: str, the figure.": "a type in prose",
    "The path (Path or None).": "a type in prose",
    "Say whether it is open.": "say instead of return",
    "Of a day.": "a fragment",
    "It deletes the file. And the row.": "a fragment",
}
GOOD = [
    "What does it cost? Who pays?",
    "Where a value is missing, D-Tale fails.",
    "Visitors who are not signed in have no frames.",
    "# What you get\n\nYou get a site.",
    "Call `isinstance(value, str)` or `text(str)` first.",
    "Whatsapp is an application.",
    "It may be empty (a list of names).",
    "Set the type to str, int or float.",
    "Of all rows, it keeps the first.",
    "And the other way round, it deletes a row whose file is missing for a long time.",
    "```\nWhat is in a block of code.\n```",
    "Return whether it is open.",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_habit_is_reported(text):
    assert [name for name, _ in faults(text)] == [BAD[text]]


@pytest.mark.parametrize("text", GOOD)
def test_plain_sentence_is_not_reported(text):
    assert list(faults(text)) == []


SOURCE = '''
"""What a module is."""
x = "What is sent is checked."  # Of a day.
y = "What"  # The noun.
# The first line of a comment, whose second line
# What looks like a sentence is a part of.


async def f():
    """Who knows."""
    return "Say whether", f"# What is no comment. {x}"
'''


def test_texts_are_read_from_each_kind_of_file(tmp_path):
    for name, source, expected in (
        ("a.py", SOURCE, ["What a module", "Who knows", "What is sent", "Of a day."]),
        ("a.yml", "a: b # Of a day.\n# What it is.\n", ["Of a day.", "What it is."]),
        ("Makefile", "a:\n\tb\n# What it is.\n", ["What it is."]),
        ("a.html", "<p>What it is.</p>{% translate 'Who is.' %}", ["Who", "What"]),
        ("a.md", "A. What it is.\n\n<!-- What -->", ["What it is."]),
        ("a.js", "a() // b\n  // What it is.\n", ["What it is."]),
    ):
        (tmp_path / name).write_text(source)
        found = [each for text in texts(tmp_path / name) for _, each in faults(text)]
        assert len(found) == len(expected), (name, found)
        for sentence, start in zip(found, expected, strict=True):
            assert sentence.startswith(start)
