"""How a CSV file is written is found out, and what is not sure is said."""

import pytest

from frames.csv_format import detect, first_too_long, first_undecodable, separator_of

NAMES = "name,count\nx,1\ny,2\n"


@pytest.fixture
def write(tmp_path):
    """Write a file (text as UTF-8, or bytes) and return its path."""

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
        ("text\nhello, world\nyes, no, and more\n", {"sep": "\t"}),  # A single column.
        ("a,b\n1\n2,x;y\n", {}),  # Lines that are too short.
        ('a;b\n"1;2";3\n', {"sep": ";"}),
        ("Ort;Umsatz\nx;1.234,50\ny;2,5\n", {"sep": ";", "decimal": ","}),
        ("Ort;Anteil\nx;0,5\ny;12\n", {"sep": ";", "decimal": ","}),
        ('a,b\n"1,5",x\n', {"decimal": ","}),
        ('a,b\n"1,500",x\n', {}),  # Thousands, in English.
        ("a;b\n1.5;x\n", {"sep": ";"}),
        ("\ufeffa,b\n1,2\n", {"encoding": "utf-8-sig"}),
        ("a\tb\nü\t2\n".encode("utf-16"), {"sep": "\t", "encoding": "utf-16"}),
        ("", {"sep": "\t"}),
        ("name,2019 total\nx,1\n", {}),
        ("a,b\n", {}),
        ("1,2\n", {}),  # Of a single line nobody knows.
        ("2026,name\nx,y\n", {}),  # A number above texts is a name.
    ],
)
def test_what_is_sure(write, content, expected):
    found = detect(write(content))
    usual = {"sep": ",", "encoding": "utf-8", "decimal": ".", "header": True}
    assert found.options == usual | expected
    assert found.doubts == ()


@pytest.mark.parametrize(
    "content, expected, doubt",
    [
        ("a;b,c\n1;2,3\n", {"sep": ";"}, "More than one character"),
        ("a;b\nx;1,234\n", {"sep": ";"}, "Is 1,234 more"),
        ("a;b\n1,5;2.25\n", {"sep": ";"}, "Some numbers have a point"),
        ("1,2.5\n3,4\n", {"header": False}, "Does the first line"),
        ("x,2026-01-01\ny,2026-01-02\n", {"header": False}, "Does the first line"),
        ("land,2019,2020\nDE,1,2\n", {"header": True}, "Does the first line"),
        ("a,b\n1,é\n".encode("cp1252"), {"encoding": "cp1252"}, "UTF-8 (line 2)"),
    ],
)
def test_what_is_not(write, content, expected, doubt):
    found = detect(write(content))
    assert found.options.items() >= expected.items()
    [said] = found.doubts
    assert doubt in said


def test_separator_that_is_known(write):
    assert detect(write("a,b\tc\nd,e\tf\n"), sep="\t").options["sep"] == "\t"


def test_bytes_that_are_wrong_far_behind_are_found(write):
    path = write(b"a,b\n" + b"1,2\n" * 600_000 + "é,1\n".encode("latin-1"))
    assert first_undecodable(path, "utf-8") == 600_002
    assert first_undecodable(path, "cp1252") is None
    assert detect(path).encoding == "cp1252"


def test_letter_across_two_blocks_is_one(write):
    path = write(b"a" * (2**20 - 1) + "é\n".encode() + b"\xff")
    assert first_undecodable(path, "utf-8") == 2


def test_line_that_is_too_long(write):
    path = write('a,b\n"1\n2",3\n1,2,3\n')
    assert first_too_long(path, "utf-8", ",", 2) == (4, 3)
    assert first_too_long(path, "utf-8", ";", 2) is None


def test_separator_of_nothing():
    assert separator_of("") in ",;\t|"
