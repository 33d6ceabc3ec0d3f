"""manage.py explore: a file from the shell, its frame's address in the terminal."""

from io import StringIO

import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.urls import set_script_prefix

from frames.models import Frame

pytestmark = pytest.mark.django_db


def explore(*arguments, **options):
    """What the command prints, and what it says beside that (str)."""
    out, err = StringIO(), StringIO()
    call_command("explore", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "Q3 sales.csv"
    path.write_text("a,b\n1,4\n2,5\n3,6\n", encoding="utf-8")
    return str(path)


def test_address_that_is_printed_is_the_frames(visitor, ann, file):
    out, _ = explore(file, owner="ann")
    frame = Frame.objects.get(owner=ann)
    assert out == f"{frame.get_absolute_url()}\n"
    assert frame.name == "Q3 sales"
    assert visitor(ann).column(frame.pk) == [1, 2, 3]


def test_address_is_below_the_path_of_a_proxy(stored, ann, file):
    set_script_prefix("/tools/")  # As Django does it with FORCE_SCRIPT_NAME.
    out, _ = explore(file, owner="ann")
    assert out.startswith("/tools/")


def test_name_and_readers_are_given(visitor, ann, bob, user, file):
    user("eve")
    explore(file, owner="ann", name="budget", share=["bob", "eve"])
    frame = Frame.objects.get()
    assert frame.name == "budget"
    assert {each.username for each in frame.shared_with.all()} == {"bob", "eve"}
    assert visitor(bob).column(frame.pk) == [1, 2, 3]


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet", "json", "feather"])
def test_each_kind_of_file(visitor, ann, tmp_path, kind):
    path, data = tmp_path / f"data.{kind}", pd.DataFrame({"a": [1, 2], "b": ["x", "é"]})
    {
        "csv": lambda: data.to_csv(path, index=False),
        "tsv": lambda: data.to_csv(path, index=False, sep="\t"),
        "xlsx": lambda: data.to_excel(path, index=False),
        "parquet": lambda: data.to_parquet(path),
        "json": lambda: data.to_json(path, orient="records"),
        "feather": lambda: data.to_feather(path),
    }[kind]()
    explore(str(path), owner="ann")
    frame, somebody = Frame.objects.get(), visitor(ann)
    assert somebody.column(frame.pk) == [1, 2]
    assert somebody.column(frame.pk, "b") == ["x", "é"]


@pytest.mark.parametrize(
    "content, options, reason",
    [
        ("a\n1\n", {"owner": "nobody"}, "There is no user 'nobody'"),
        ("a\n1\n", {"owner": "ann", "share": ["nobody"]}, "There is no user 'nobody'"),
        (None, {"owner": "ann"}, "data.csv"),
        ("", {"owner": "ann"}, "data.csv"),
        ("a,b\n1,2\n", {"owner": "ann"}, "FRAMES_MAX_CELLS"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    stored, ann, tmp_path, settings, content, options, reason
):
    settings.FRAMES_MAX_CELLS = 1
    path = tmp_path / "data.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=reason):
        explore(str(path), **options)
    assert not Frame.objects.exists() and stored.names() == set()


def test_file_of_an_unknown_kind_is_refused(stored, ann, tmp_path):
    path = tmp_path / "data.docx"
    path.write_bytes(b"x")
    with pytest.raises(CommandError, match="docx"):
        explore(str(path), owner="ann")
