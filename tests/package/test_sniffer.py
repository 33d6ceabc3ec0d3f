"""The sniffer detects the dialect of a CSV file, and reports ambiguities."""

import pytest

from django_dtale.exceptions import SourceError
from django_dtale.readers.files import read_file
from django_dtale.readers.options import ImportOptions
from django_dtale.readers.sniffer import sniff
from django_dtale.readers.text.encodings import first_undecodable
from django_dtale.readers.text.separators import sniff_delimiter

USUAL = {
    **{"encoding": "utf-8", "sep": ",", "quote": '"', "decimal": ".", "thousands": ""},
    **{"header": [1], "skip_rows": 0, "skip_footer": 0},
}
COMMA = {"decimal": ",", "thousands": "."}
NAMES = "name,count\nx,1\ny,2\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file, text as UTF-8, and returns its path."""

    def write(content):
        path = tmp_path / "a.csv"
        content = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    "content, expected",
    [
        (NAMES, {}),
        (NAMES.replace(",", ";"), {"sep": ";"}),
        (NAMES.replace(",", "\t"), {"sep": "\t"}),
        (NAMES.replace(",", "|"), {"sep": "|"}),
        # Text with commas can be a single column.
        ("text\nhello, world\nyes, no, and more\n", {"sep": "\t"}),
        ("a,b\n1\n2,x;y\n", {}),  # One line is too short.
        ('a;b\n"1;2";3\n', {"sep": ";"}),
        ("Ort;Umsatz\nx;1.234,50\ny;2,5\n", {"sep": ";", **COMMA}),
        ("Ort;Anteil\nx;0,5\ny;12\n", {"sep": ";", **COMMA}),
        ('a,b\n"1,5",x\n', COMMA),
        ('a,b\n"1,500",x\n', {"thousands": ","}),
        ("a;b\n1.5;x\n", {"sep": ";"}),
        ("\ufeffa,b\n1,2\n", {"encoding": "utf-8-sig"}),
        ("a\tb\nü\t2\n".encode("utf-16"), {"sep": "\t", "encoding": "utf-16"}),
        ("", {"sep": "\t"}),
        ("name,2019 total\nx,1\n", {}),
        ("a,b\n", {}),
        ("1,2\n", {}),  # One line is not enough to decide.
        ("land,2019,2020\nDE,1,2\n", {}),  # Years above other numbers are names.
        ("1.5,0.25,3\n3,4,5\n", {"header": []}),  # Column names are no decimals.
        ("2026,name\nx,y\n", {}),  # A number above text is a column name.
    ],
)
def test_unambiguous_dialect_is_detected(write, content, expected):
    found = sniff(write(content))
    assert found.options.to_dict() == USUAL | expected
    assert found.doubts == ()


@pytest.mark.parametrize(
    "content, expected, question",
    [
        ("a;b,c\n1;2,3\n", {"sep": ";"}, "More than one character"),
        ("a;b\nx;1,234\n", {"sep": ";"}, "Does 1,234 mean"),
        ("a;b\n1,5;2.25\n", {"sep": ";"}, "Some numbers contain a point"),
        ("1,2\n3,4\n", {"header": ()}, "Does the first line"),
        ("x,0.1,0.2,0.3\ny,3,4,5\n", {"header": ()}, "Does the first line"),
        ("0.1,0.2,0.3\n3,4,5\n", {"header": ()}, "Does the first line"),
        ("x,2026-01-01\ny,2026-01-02\n", {"header": ()}, "Does the first line"),
        ("land,2019,2020\nDE,2001,2002\n", {"header": (1,)}, "Does the first line"),
        ("a,b\n1,é\n".encode("cp1252"), {"encoding": "cp1252"}, "UTF-8 (line 2)"),
    ],
)
def test_doubt_has_a_question_and_the_possible_values(
    write, content, expected, question
):
    found = sniff(write(content))
    [(option, value)] = expected.items()
    [doubt] = found.doubts
    assert question in doubt.text
    assert getattr(found.options, option) == value
    if doubt.option == option:
        assert doubt.values[0] == value
    # An option that is given is used, and is no doubt.
    for answer in doubt.values:
        given = ImportOptions(**{doubt.option: answer})
        found = sniff(write(content), given)
        assert found.doubts == ()
        assert getattr(found.options, doubt.option) == answer


def test_given_separator_is_used(write):
    assert sniff(write("a,b\tc\nd,e\tf\n"), ImportOptions(sep="\t")).options.sep == "\t"


def test_undecodable_bytes_late_in_the_file_are_found(write):
    path = write(b"a,b\n" + b"1,2\n" * 600_000 + "é,1\n".encode("latin-1"))
    assert first_undecodable(path, "utf-8") == 600_002
    assert first_undecodable(path, "cp1252") is None
    assert sniff(path).options.encoding == "cp1252"


def test_character_across_two_blocks_is_decoded(write):
    path = write(b"a" * (2**20 - 1) + "é\n".encode() + b"\xff")
    assert first_undecodable(path, "utf-8") == 2


def test_line_with_too_many_values_is_found(write):
    path = write('a,b\n"1\n2",3\n1,2,3\n')
    with pytest.raises(SourceError, match="Line 4 has 3 values, but there are 2"):
        read_file(path)


def test_empty_text_has_a_default_separator():
    assert sniff_delimiter("") in ",;\t|"
