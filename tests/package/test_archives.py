"""Zip archives with several files: one of them is chosen, and limits are enforced."""

import zipfile

import pytest

from django_dtale.exceptions import LimitExceeded
from django_dtale.readers import archives, files
from django_dtale.readers.archives import extract_single, member_names
from django_dtale.readers.detection import detect, read_certain
from django_dtale.readers.files import SourceError, read_file
from django_dtale.readers.options import ImportOptions


@pytest.fixture
def pack(tmp_path):
    """Return a function that writes an archive of these members."""

    def pack(*members):
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members:
                archive.writestr(name, content)
        return path

    return pack


ONE, TWO = ("x/one.csv", "a,b\n1,2\n"), ("two.csv", "c;d\n3;4\n")


def test_zip_with_two_files_is_asked_and_each_can_be_opened(pack):
    path = pack(ONE, TWO)
    found = detect(path, "a.zip")
    [doubt] = found.doubts
    assert (doubt.option, doubt.values) == ("member", ("x/one.csv", "two.csv"))
    assert found.members == ("x/one.csv", "two.csv")
    with pytest.raises(SourceError, match="Use member='x/one.csv' or member='two.csv'"):
        read_certain(path)
    with pytest.raises(SourceError, match="several files. Choose one of x/one.csv, tw"):
        read_file(path)
    for member, columns in (("x/one.csv", ["a", "b"]), ("two.csv", ["c", "d"])):
        options = ImportOptions(member=member)
        found = detect(path, "a.zip", options)
        assert (found.options.member, found.doubts) == (member, ())
        assert list(read_certain(path, options).columns) == columns


OTHERS = {
    "metadata of macOS": [("__MACOSX/x/._one.csv", "?"), ("x/.DS_Store", "?")],
    "hidden files": [("x/._one.csv", "?")],
    "folders": [("x/", ""), ("y/", "")],
    "documents": [("README.txt", "text"), ("x/licence.pdf", "%PDF")],
}


@pytest.mark.parametrize("name", OTHERS)
def test_file_that_is_no_table_does_not_count(pack, name):
    path = pack(*OTHERS[name], ONE)
    assert member_names(path, "a.zip") == ["x/one.csv"]
    assert list(read_certain(path).columns) == ["a", "b"]


def test_extensions_of_tables_are_those_that_can_be_read():
    assert files.READERS.keys() == archives.TABLES


@pytest.mark.parametrize(
    "members, member, reason",
    [
        ([], None, "a.zip contains no file"),
        ([("x/", "")], None, "a.zip contains no file"),
        ([ONE, TWO], "three.csv", "does not contain the chosen file, but x/one.csv, t"),
        ([("b.zip", "?")], None, "contains another archive"),
        ([("a.txt", "?")], None, "a.txt cannot be read. The supported file ext"),
    ],
)
def test_archive_that_cannot_be_read_is_explained(pack, members, member, reason):
    with pytest.raises(SourceError, match=reason):
        read_file(pack(*members), ImportOptions(member=member))


def test_number_of_members_is_limited(pack):
    path = pack(*((f"{number}.csv", "a\n1\n") for number in range(1_001)))
    for call in (
        lambda: member_names(path, "a.zip"),
        lambda: read_file(path, ImportOptions(member="0.csv")),
    ):
        with pytest.raises(LimitExceeded, match="1,001 files; the limit is 1,000"):
            call()


def test_total_size_of_the_members_is_limited(pack):
    path = pack(("a.csv", "a\n" + "1\n" * 300), ("b.csv", "a\n" + "1\n" * 300))
    assert member_names(path, "a.zip", 2_000) == ["a.csv", "b.csv"]
    with pytest.raises(LimitExceeded, match="a.zip would take more than"):
        member_names(path, "a.zip", 1_000)


def test_size_of_the_chosen_member_is_limited(pack):
    path = pack(ONE, ("large.csv", "a\n" + "1\n" * 1_000))
    with extract_single(path, "a.zip", 1_000, "x/one.csv") as (_, name):
        assert name == "one.csv"
    with (
        pytest.raises(LimitExceeded, match="large.csv would take more than"),
        extract_single(path, "a.zip", 1_000, "large.csv"),
    ):
        pass
