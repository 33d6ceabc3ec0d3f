"""The command `explore`, which stores a file as a frame and prints the frame's URL."""

from io import StringIO

import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.urls import set_script_prefix

from django_dtale.models import Frame, Origin
from django_dtale.storage import blobs

pytestmark = pytest.mark.django_db


def explore(*arguments, **options):
    """Run the command, and return its output on stdout and on stderr."""
    out, err = StringIO(), StringIO()
    call_command("explore", *arguments, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "Q3 sales.csv"
    path.write_text("a,b\n1,4\n2,5\n3,6\n", encoding="utf-8")
    return str(path)


def test_command_prints_the_url_of_the_frame(visitor, ann, file):
    out, _ = explore(file, owner="ann")
    frame = Frame.objects.get(owner=ann)
    assert out == f"{frame.get_absolute_url()}\n"
    assert frame.name == "Q3 sales"
    assert visitor(ann).column(frame.pk) == [1, 2, 3]


def test_table_of_this_name_gets_the_new_data(visitor, ann, bob, file, tmp_path):
    first, _ = explore(file, "--replace", owner="ann", share=["bob"])
    frame = Frame.objects.get()
    assert (frame.origin, frame.origin_name) == (Origin.FILE, "Q3 sales.csv")
    appended, _ = explore(file, "--append", owner="ann")
    assert visitor(bob).column(frame.pk) == [1, 2, 3] * 2
    other = tmp_path / "other.csv"
    other.write_text("a|b\n7|8\n")
    replaced, _ = explore(
        str(other), "--replace", "--name=Q3 sales", "--sep=|", owner="ann"
    )
    assert first == appended == replaced
    assert visitor(bob).column(frame.pk) == [7]
    frame = Frame.objects.get()
    assert (frame.origin_name, frame.data_version) == ("other.csv", 2)
    assert frame.import_options == {"sep": "|"}
    made, _ = explore(file, owner="ann")
    assert made != first


def test_replace_and_append_exclude_each_other(stored, ann, file):
    with pytest.raises(CommandError, match="not allowed with argument"):
        explore(file, "--replace", "--append", owner="ann")


def test_url_includes_the_path_of_a_proxy(stored, ann, file):
    set_script_prefix("/tools/")  # Django does this if FORCE_SCRIPT_NAME is set.
    out, _ = explore(file, owner="ann")
    assert out.startswith("/tools/")


def test_name_and_readers_can_be_set(visitor, ann, bob, user, file):
    user("eve")
    explore(file, owner="ann", name="budget", share=["bob", "eve"])
    frame = Frame.objects.get()
    assert frame.name == "budget"
    assert {each.username for each in frame.shared_with.all()} == {"bob", "eve"}
    assert visitor(bob).column(frame.pk) == [1, 2, 3]


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet", "json", "feather"])
def test_every_file_format_can_be_opened(visitor, ann, tmp_path, kind):
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
        ("a,b\n1,2\n", {"owner": "ann"}, "more than the limit of"),
    ],
)
def test_failure_is_a_command_error(
    stored, ann, tmp_path, dtale_settings, content, options, reason
):
    dtale_settings.MAX_CELLS = 1
    path = tmp_path / "data.csv"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=reason):
        explore(str(path), **options)
    assert not Frame.objects.exists() and stored.names() == set()


def test_file_of_an_unknown_format_is_refused(stored, ann, tmp_path):
    path = tmp_path / "data.docx"
    path.write_bytes(b"x")
    with pytest.raises(CommandError, match="docx"):
        explore(str(path), owner="ann")


# Options of the file ------------------------------------------------------------------

UNCERTAIN = [
    ("a;b\n1;2,345\n", "decimal", "Use --decimal . or --decimal ,", [1, 2.345]),
    ("1,2\n3,4\n", "header", "Use --no-header or --header 1.", [3, 4]),
    ("a;b,c\n1;2,3\n", "sep", "Use --sep ';' or --sep ,", None),
    ("a,b\n1,2\n3,4,5\n", "ragged", "Use --ragged.", None),
    ("a,b\n1,é\n".encode("cp1252"), "encoding", "Use --encoding cp1252.", [1, "é"]),
]


@pytest.mark.parametrize("content, option, usage, row", UNCERTAIN)
def test_uncertain_file_is_refused_with_the_options_that_decide(
    stored, ann, tmp_path, content, option, usage, row
):
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError) as refused:
        explore(str(path), owner="ann")
    assert str(refused.value).startswith("a.csv was not read, because it can be read")
    assert usage in str(refused.value)
    assert not Frame.objects.exists()
    if row:
        value = {"decimal": ",", "header": "1", "encoding": "cp1252"}[option]
        explore(str(path), f"--{option}", value, owner="ann")
        shown = blobs.load(Frame.objects.get().payload)
        assert shown.values.tolist() == [row]


def test_options_of_the_file_can_be_given(stored, ann, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1|2,5\n3|4\n")
    explore(str(path), "--sep", "|", "--decimal", ",", "--no-header", owner="ann")
    shown = blobs.load(Frame.objects.get().payload)
    assert list(shown) == ["column_1", "column_2"]
    assert shown.values.tolist() == [[1, 2.5], [3, 4]]


def test_lines_can_be_too_long(stored, ann, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 300 + "1,2,3\n")
    with pytest.raises(CommandError, match="without names, use --ragged[.]"):
        explore(str(path), owner="ann")
    explore(str(path), "--ragged", owner="ann")
    assert blobs.load(Frame.objects.get().payload).iloc[-1].tolist() == [1, 2, 3]


def test_sheet_has_to_be_chosen(stored, ann, tmp_path):
    path = tmp_path / "a.xlsx"
    with pd.ExcelWriter(path) as writer:
        for name in ("first", "second sheet"):
            frame = pd.DataFrame({name: [1]})
            frame.to_excel(writer, sheet_name=name, index=False)
    with pytest.raises(CommandError, match="--sheet first or --sheet 'second sheet'"):
        explore(str(path), owner="ann")
    explore(str(path), "--sheet", "second sheet", owner="ann")
    assert list(blobs.load(Frame.objects.get().payload)) == ["second sheet"]


@pytest.mark.parametrize(
    "option, value",
    [
        ("encoding", "rot13"),
        ("encoding", "x"),
        ("sep", ";;"),
        ("decimal", ";"),
        ("thousands", "x"),
        ("header", "x"),
        ("header", "0"),
        ("header", "2,1"),
        ("type", "a=x"),
        ("skip-footer", "-1"),
    ],
)
def test_invalid_option_is_refused(stored, ann, file, option, value):
    with pytest.raises(CommandError, match="is not a valid value of the option"):
        explore(file, f"--{option}={value}", owner="ann")
