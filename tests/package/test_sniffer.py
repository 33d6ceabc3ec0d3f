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
        ("a b c\n5 162 60\n2 110 60\n", {"sep": " "}),  # Names above numbers.
        ("59 32.1 101\n48 21.6 87\n72 30.5 93\n", {"sep": " ", "header": []}),
        ("phone\n089 123456\n089 654321\n", {"sep": "\t"}),
        ("a b\n089 123456\n089 654321\n", {"sep": "\t"}),
        ("a b\n1 234.50\n2 345.75\n", {"sep": "\t", "thousands": " "}),
        ("text b c\nhello the world\nyes no and\n", {"sep": "\t"}),
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


@pytest.mark.parametrize(
    "content",
    [
        "km,10,15,20\n1,0.5,0.2,0\n2,0.4,0.1,0\n",  # A word above numbers.
        "ts,00,10,11\n2026-01-01,4.5,2,3\n2026-01-02,5,6,7\n",  # A word above dates.
        "month,0\n2026-01-01,1.5\n2026-02-01,2.5\n",
        "id,name,50\n1,x,3\n2,y,4\n",
        "name,low,high,7\nx,1,2,3\ny,4,5,6\n",
        ",0\n1821,269\n1822,321\n1823,585\n",  # pandas does not name the row names.
        '"","1","2"\n"1",50,19\n"2",16,40\n"3",12,35\n',
        ",142.24,144.78,147.32,149.86\n9.4,0,0,0,1\n9.5,0,0,0,0\n9.6,0,1,0,0\n",
        "a:,0,1,2\nx,0.5,0.25,1.0\ny,0.5,1.0,0.75\n",  # A scale above decimals.
        "a\tb\t200\t250\t300\t400\t600\nx\ty\t1.5\t2.5\t3\t4.5\t5.5\n"
        "x\ty\t1.5\t2.5\t3.5\t4.5\t5.5\n",
        "city,2026-01-01,2026-02-01\nx,5,6\ny,7,8\n",  # Dates above numbers.
    ],
)
def test_first_line_with_names_and_numbers_is_the_header(write, content):
    found = sniff(write(content))
    assert (found.options.header, found.doubts) == ((1,), ())


@pytest.mark.parametrize(
    "content",
    [
        "0,0,5\n1,2,3\n",  # Names are unique.
        "1.0,1.0,NaN\n1.0,2.0,3.0\n",
        "1,2\n3,4\n1,2\n",  # The line occurs again.
        "-178,3,59,-132\n303,17,-241,12\n",  # Names have no sign.
        "-1,x,63.96\n-1,y,12.5\n",
        "-.5,.25\n.5,.75\n",
        "x,0.123456789,0.223456789,0.323456789\ny,1.5,2.5,3.5\n",
        "1,2,74.5\n1,3,5.25\n2,1,7.5\n3,1,6.5\n",  # The kinds of numbers are the same.
        "120009\n" + "".join(f"{number}\n" for number in range(120000, 120020, 2)),
        "CN010,1,x\nPA011,2,y\nPB012,3,z\nPC013,4,a\n",  # A code above codes.
    ],
)
def test_first_line_with_values_is_data(write, content):
    found = sniff(write(content))
    assert (found.options.header, found.doubts) == ((), ())


@pytest.mark.parametrize(
    "content",
    [
        # These words stand for missing values.
        "n/a,5\n3,7\n4,8\n",
        "unknown,5\n3,7\n4,8\n",
        "x,ND,5\ny,3,6\nz,4,7\n",
        "1,5\nNA,7\nNA,8\n",
        # A row of data without its first value.
        ",5\n2,7\n3,8\n4,9\n",
        ",0\n2,7\n,8\n4,9\n",
        ",0\n2,7\n2,8\n2,9\n",
        # A minimum, a mean and a maximum.
        "x,1,2,3\ny,0.5,1.5,2.5\nz,1.5,2.5,3.5\n",
        # Years and scales can occur twice, and have negative numbers.
        "2019,2019\n1,2\n",
        "x,-1,0,1\ny,3,4,5\n",
        "x,-1,1\ny,3,4\n",
        # One sign shows names, and another one data.
        "id,42.0,1000,-4.2\n1,2.5,x,2.5\n2,3.5,y,4.5\n",
        # House numbers can have letters.
        "12,x\n12a,y\n14,z\n",
        "x,2026-01-01\n1,2026-01-02\n2,2026-01-03\n",
    ],
)
def test_line_that_can_be_names_or_data_is_a_doubt(write, content):
    found = sniff(write(content))
    assert [doubt.option for doubt in found.doubts] == ["header"]


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
        read_file(path, ImportOptions(ragged=False))


def test_empty_text_has_a_default_separator():
    assert sniff_delimiter("") in ",;\t|"
