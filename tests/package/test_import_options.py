"""Files that are easily misread are read correctly, or lead to a question."""

import json
import warnings

import pandas as pd
import pytest

from django_dtale.compat.notes import notes_of
from django_dtale.exceptions import InputRefused, SourceError
from django_dtale.readers.detection import detect, read_certain
from django_dtale.readers.doubts import Detection, Doubt, refusal
from django_dtale.readers.files import read_file
from django_dtale.readers.options import ImportOptions


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file, text as UTF-8, and returns its path."""

    def write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines(*rows):
    return "".join(f"{row}\n" for row in rows)


def doubt_of(path, **given):
    """Return the only doubt about a file."""
    [doubt] = detect(path, path.name, ImportOptions(**given)).doubts
    return doubt


def rows_of(frame):
    return frame.astype(object).where(frame.notna(), None).values.tolist()


# Quotation marks ----------------------------------------------------------------------


@pytest.mark.parametrize("quoted", ["t{}", '"t {}"'])
def test_quotation_mark_that_is_never_closed_is_a_doubt(write, quoted):
    rows = [f"{n},{quoted.format(n)}" for n in range(20_000)]
    rows[1_000] = '1000,"open'
    path = write(lines("id,text", *rows))
    doubt = doubt_of(path)
    assert doubt.option == "quote"
    assert "The quotation mark in line 1,002 is never closed" in doubt.text
    with pytest.raises(SourceError, match="line 1,002 is never closed"):
        read_certain(path)
    frame = read_certain(path, ImportOptions(quote=""))
    assert frame.shape == (20_000, 2)
    assert frame["text"][1_000] == '"open'


@pytest.mark.parametrize(
    "content, rows",
    [
        ('a,b\n1,"x\ny"\n2,"z"\n', [[1, "x\ny"], [2, "z"]]),
        ('a,b\n1,"say ""x"""\n2,"z"\n', [[1, 'say "x"'], [2, "z"]]),
        ('a,b\n1,"x,"\n2,",z"\n', [[1, "x,"], [2, ",z"]]),
        ('a,b\n1,""\n2,""""\n', [[1, ""], [2, '"']]),
        ('a,b\n1,5" pipe\n2,7" pipe\n', [[1, '5" pipe'], [2, '7" pipe']]),
        ('a,b\n1,"{""k"": ""v"",""l"": ""w""}"\n', [[1, '{"k": "v","l": "w"}']]),
        ('a;b\n1;"x;\n\n;y"\n2;z\n', [[1, "x;\n\n;y"], [2, "z"]]),
    ],
)
def test_unusual_quotation_marks_are_no_doubt(write, content, rows):
    assert rows_of(read_certain(write(content))) == rows


def test_quotation_marks_are_checked_across_blocks_and_in_utf_16(write):
    rows = [f'{n},"t{n}"' for n in range(300_000)]
    path = write(lines("id,text", *rows))
    assert detect(path, "a.csv").doubts == ()
    rows[250_000] = '250000,"open'
    path.write_text(lines("id,text", *rows), encoding="utf-16")
    assert "line 250,002 is never closed" in doubt_of(path).text


# Numbers ------------------------------------------------------------------------------


GERMAN = lines("a;b", "x;1.234", "y;15.678", "z;112.000")


def test_german_thousands_are_a_doubt(write):
    path = write(GERMAN)
    doubt = doubt_of(path)
    assert (doubt.option, doubt.values) == ("decimal", (",", "."))
    with pytest.raises(SourceError, match=r"Does 1\.234 mean one thousand"):
        read_certain(path)
    frame = read_certain(path, ImportOptions(decimal=","))
    assert frame["b"].tolist() == [1234, 15678, 112000]
    frame = read_certain(path, ImportOptions(decimal="."))
    assert frame["b"].tolist() == [1.234, 15.678, 112]
    frame = read_certain(path, ImportOptions(thousands="."))
    assert frame["b"].tolist() == [1234, 15678, 112000]


@pytest.mark.parametrize(
    "proof", ["1.5", "0.123", "12.34", "-.5", "1.2345", "1234.567"]
)
@pytest.mark.parametrize("rows_before", [0, 5_000])
def test_another_number_shows_that_a_point_is_the_decimal_mark(
    write, proof, rows_before
):
    frame = read_certain(write(GERMAN + "x;1.234\n" * rows_before + f"x;{proof}\n"))
    assert frame["b"].tolist()[:2] == [1.234, 15.678]
    assert frame["b"].tolist()[-1] == float(proof)


def test_three_decimals_in_a_file_with_commas_are_no_doubt(write):
    frame = read_certain(write(GERMAN.replace(";", ",")))
    assert frame["b"].tolist() == [1.234, 15.678, 112]


@pytest.mark.parametrize(
    "content, values",
    [
        ('a,b\nx,"1,234"\ny,"15,678"\nz,999\n', [1234, 15678, 999]),
        ('a,b\nx,"1,234.5"\ny,"15,678.25"\n', [1234.5, 15678.25]),
        ('a,b\nx,"1,234,567"\ny,12\n', [1234567, 12]),
        ("a;b\nx;1.234,5\ny;12\n", [1234.5, 12]),
        ("a;b\nx;1.234.567\ny;12\n", [1234567, 12]),
        ("a;b\nx;1 234,5\ny;12,5\n", [1234.5, 12.5]),
        ("a;b\nx;1\u202f234\ny;12\n", [1234, 12]),
        ("a;b\nx;1'234.50\ny;12.50\n", [1234.5, 12.5]),
        # These may be codes.
        ("a;b\nx;030 123 456\ny;030 123 457\n", ["030 123 456", "030 123 457"]),
    ],
)
def test_marks_between_thousands_are_found(write, content, values):
    assert read_certain(write(content))["b"].tolist() == values


def test_marks_between_thousands_can_be_given(write):
    path = write("a,b\nx,1 234\ny,5 678\n")
    assert read_certain(path)["b"].tolist() == ["1 234", "5 678"]
    frame = read_certain(path, ImportOptions(thousands=" "))
    assert frame["b"].tolist() == [1234, 5678]
    with pytest.raises(InputRefused, match="thousands"):
        ImportOptions(decimal=",", thousands=",")


# Dates --------------------------------------------------------------------------------

DATES = lines("a,day", "1,01/02/2026", "2,03/04/2026")


def test_order_of_day_and_month_is_a_doubt(write):
    path = write(DATES)
    doubt = doubt_of(path)
    assert (doubt.option, doubt.values) == ("day_first", (True, False))
    assert "Day or month first? 01/02/2026 in the column day" in doubt.text
    with pytest.raises(SourceError, match="Day or month first"):
        read_certain(path)
    for is_day_first, days in ((True, ["02-01", "04-03"]), (False, ["01-02", "03-04"])):
        frame = read_certain(path, ImportOptions(day_first=is_day_first))
        expected = [pd.Timestamp(f"2026-{day}") for day in days]
        assert frame["day"].tolist() == expected


@pytest.mark.parametrize(
    "content, first",
    [
        (DATES + "3,13/04/2026\n", "2026-02-01"),
        (DATES + "3,04/13/2026\n", "2026-01-02"),
        (DATES + "3,01/02/2026\n" * 100_000 + "3,13/04/2026\n", "2026-02-01"),
        # Another column shows the order.
        ("day,to\n01/02/2026,28/02/2026\n01/03/2026,31/03/2026\n", "2026-02-01"),
        ("day,to\n01/02/2026,02/28/2026\n01/03/2026,03/31/2026\n", "2026-01-02"),
        # Both readings are the same.
        ("a,day\n1,01/01/2026\n2,05/05/2026\n", "2026-01-01"),
    ],
)
def test_order_of_day_and_month_is_found(write, content, first):
    assert read_certain(write(content))["day"][0] == pd.Timestamp(first)


# The header ---------------------------------------------------------------------------

YEARS = ",".join(f'"{year}"' for year in range(1960, 2025))
WORLD_BANK = "\ufeff" + lines(
    '"Data Source","World Development Indicators",',
    "",
    '"Last Updated Date","2026-06-28",',
    "",
    f'"Country Name","Country Code","Indicator Name","Indicator Code",{YEARS},',
    *(f'"{name}","{name[:3]}","GDP","NY",{"1.5,".replace("1", str(n)) * 65}'
      for n, name in enumerate(["Aruba", "Angola", "Albania"])),
)  # fmt: skip
BANK = lines(
    '"Kontonummer:";"DE12 / Giro"',
    "",
    '"Von:";"01.01.2026"',
    '"Kontostand vom 31.01.2026:";"1.234,56 EUR"',
    "",
    '"Buchungstag";"Wertstellung";"Text";"Betrag"',
    *(f'"{day}.01.2026";"{day}.01.2026";"Miete, {day}";"-1.{day}0,50"'
      for day in range(10, 15)),
)  # fmt: skip


@pytest.mark.parametrize(
    "content, header, names, first",
    [
        (WORLD_BANK, (5,), ["Country Name", "Country Code"], ["Aruba", "Aru"]),
        (BANK, (6,), ["Buchungstag", "Wertstellung"], [pd.Timestamp("2026-01-10")] * 2),
        ("# by x\n# in 2026\na,b\n1,2\n3,4\n", (3,), ["a", "b"], [1, 2]),
        ("# by x\na,b\n1,2\n3,4\n", (2,), ["a", "b"], [1, 2]),
        ("#id,name\n1,x\n2,y\n", (1,), ["id", "name"], [1, "x"]),
        ("#id\tb\n# by x\nx\t1\ny\t2\n", (1,), ["id", "b"], ["x", 1]),
        ("# by x\n# id,b\n1,2\n3,4\n", (2,), ["id", "b"], [1, 2]),
        ("# of x,b\n1,2\n3,4\n", (1,), ["# of x", "b"], [1, 2]),
        ("sep=;\na;b\n1;2,5\n3;4,5\n", (2,), ["a", "b"], [1, 2.5]),
        ("Report 2026\na,b,c\nx,y,1\nz,w,2\n", (2,), ["a", "b"], ["x", "y"]),
        ("Report 2026\nname,n\nx,1\nz,2\n", (2,), ["name", "n"], ["x", 1]),
        ("Report: x\nname,n,\nx,1\nz,2\n", (2,), ["name", "n"], ["x", 1]),
        # Excel fills all lines to the same width.
        ("Report,,\n,,\na,b,c\nx,y,1\nz,w,2\n", (3,), ["a", "b"], ["x", "y"]),
        ("\n\na,b\n1,2\n3,4\n", (3,), ["a", "b"], [1, 2]),
        (
            lines("Land,2023,,2024,", ",Q1,Q2,Q1,Q2", *("N,1,2,3,4" for _ in range(3))),
            (1, 2),
            ["Land", "2023 Q1", "2023 Q2", "2024 Q1", "2024 Q2"],
            ["N", 1, 2, 3, 4],
        ),
        (
            lines(",x,x,y", "kWh,SA,FT,SA", *("N,1,2,3" for _ in range(3))),
            (1, 2),
            ["kWh", "x SA", "x FT", "y SA"],
            ["N", 1, 2, 3],
        ),
        (
            lines(",x,x,y", ",W,D,W", "Team,,,", *("N,1,2,3" for _ in range(3))),
            (1, 2, 3),
            ["Team", "x W", "x D", "y W"],
            ["N", 1, 2, 3],
        ),
    ],
    ids="World_Bank bank comments comment names above named number sep title short end padded blank two "
    "repeated pandas".split(),
)
def test_header_is_found(write, content, header, names, first):
    path = write(content)
    found = detect(path, "a.csv")
    assert (found.options.header, found.doubts) == (header, ())
    frame = read_certain(path)
    assert list(frame)[: len(names)] == names
    assert rows_of(frame)[0][: len(first)] == first
    assert "" not in list(frame) and not any("Unnamed" in name for name in frame)


def test_lines_that_are_left_out_are_noted(write):
    frame = read_certain(write(BANK + "\nEnde der Liste\n"))
    assert len(frame) == 5
    assert notes_of(frame) == [
        "The first 5 lines, above the table, were left out.",
        "The last line, below the table, was left out.",
    ]


def test_header_can_be_given(write):
    path = write("a,b\nc,d\n1,2\n3,4\n")
    assert list(read_file(path, ImportOptions(header=(2,)))) == ["c", "d"]
    frame = read_file(path, ImportOptions(header=(1, 2)))
    assert (list(frame), rows_of(frame)) == (["a c", "b d"], [[1, 2], [3, 4]])
    frame = read_file(path, ImportOptions(header=()))
    assert rows_of(frame)[0] == ["a", "b"]
    frame = read_file(path, ImportOptions(header=(1,), skip_rows=1))
    assert (list(frame), rows_of(frame)) == (["a", "b"], [[1, 2], [3, 4]])


def test_units_below_the_names_are_a_doubt(write):
    path = write(lines("time,temp", "s,°C", "0,20.5", "1,21", "2,22"))
    doubt = doubt_of(path)
    assert doubt.values == ((1, 2), (1,)) and "Line 2 has text where" in doubt.text
    frame = read_certain(path, ImportOptions(header=(1, 2)))
    assert list(frame) == ["time s", "temp °C"] and frame["time s"].tolist() == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize(
    "content, count",
    [
        (lines("Land;A;B", "x;1;2", "y;3;4", "Total;4;6"), 1),
        (lines("Land;A;B", "x;1;2", "y;3;4", "Summe:;4;6"), 1),
        (lines("a,b,c", "x,1,2", "y,3,4", "Source: the world"), 1),
        (lines("a,b,c", "x,1,2", "y,3,4", "Total,4,6", "", "Source: the world"), 2),
    ],
)
def test_footer_is_a_doubt(write, content, count):
    path = write(content)
    doubt = doubt_of(path)
    assert doubt.option == "skip_footer" and doubt.values[0] == count
    with pytest.raises(SourceError, match="The last (row|line)"):
        read_certain(path)
    frame = read_certain(path, ImportOptions(skip_footer=count))
    assert rows_of(frame) == [["x", 1, 2], ["y", 3, 4]]


@pytest.mark.parametrize(
    "content, rows",
    [
        (lines("a,b,c", "x,1,2", "y,3,4", "", "Source: x", "Note: y"), 2),
        (lines("a,b,c", "x,1,2", "y,3,4", "z"), 3),  # The last line is short.
        # Another row also begins with "Total".
        (lines("a,b", "x,1", "Total,2", "y,1", "Total,2"), 4),
        (lines("a,b", "x,1", '"y', '"'), 2),
        (lines("comment", "nice, but slow", "good, really"), 2),
    ],
)
def test_other_last_lines_are_no_doubt(write, content, rows):
    assert len(read_certain(write(content))) == rows


# Lines with more values than there are names ------------------------------------------

LONGER = lines("a,b", "1,2", "3,4,x", "5,6,,y")


def test_extra_values_are_a_doubt(write):
    path = write(LONGER)
    doubt = doubt_of(path)
    assert (doubt.option, doubt.values) == ("ragged", (True,))
    assert doubt.text == (
        "Line 3 has 3 values, but there are 2 columns. Are the extra values columns "
        "without names?"
    )
    with pytest.raises(SourceError, match="Use ragged=True"):
        read_certain(path)
    with pytest.raises(SourceError, match="Line 3 has 3 values, .* use ragged=True.$"):
        read_certain(path, ImportOptions(ragged=False))
    frame = read_certain(path, ImportOptions(ragged=True))
    assert list(frame) == ["a", "b", "", ""]
    assert rows_of(frame) == [[1, 2, None, None], [3, 4, "x", None], [5, 6, None, "y"]]
    assert notes_of(frame) == []


def test_line_of_spaces_is_no_row(write):
    path = write(lines("a,b", "1,2", "   ", "3,4"))
    assert rows_of(read_certain(path)) == [[1, 2], [3, 4]]


def test_other_doubts_remain_if_lines_are_too_long(write):
    path = write(lines("a;b", "x;1.234", "y;2.345;01/02/2026"))
    options = [doubt.option for doubt in detect(path, "a.csv").doubts]
    assert options == ["ragged", "day_first", "decimal"]


def test_extra_value_further_down_is_refused_with_the_option(write):
    path = write(lines("a,b", *["1,2"] * 300, "3,4,x"))
    assert detect(path, "a.csv").doubts == ()
    with pytest.raises(SourceError, match="Line 302 has 3 values.*use ragged=True[.]$"):
        read_certain(path)
    frame = read_certain(path, ImportOptions(ragged=True))
    assert rows_of(frame)[-1] == [3, 4, "x"]


def test_without_a_header_the_longest_line_determines_the_width(write):
    path = write(lines("-1,x", *["-2,y"] * 300, "-3,z,5,01/02/2026", "-4"))
    assert detect(path, "a.csv").doubts == ()
    frame = read_certain(path)
    assert list(frame) == ["column_1", "column_2", "column_3", "column_4"]
    assert rows_of(frame)[-2:] == [[-3, "z", 5, "01/02/2026"], [-4, None, None, None]]
    assert notes_of(frame) == [
        "The lines have different numbers of values. The table has 4 columns, as the "
        "longest line."
    ]
    with pytest.raises(SourceError, match="Line 302 has 4 values"):
        read_certain(path, ImportOptions(ragged=False))


@pytest.mark.parametrize("header, names", [("a,b", ["a", "b"]), ("", ["column_1"])])
def test_empty_extra_values_are_ignored(write, header, names):
    path = write(lines(*filter(None, [header, "-1,x", "-1,y,,", ",,,,", "-1,z"])))
    frame = read_certain(path)
    assert list(frame)[: len(names)] == names and len(frame.columns) == 2
    assert notes_of(frame) == []


# Row names, and counts ----------------------------------------------------------------


@pytest.mark.parametrize(
    "content, names, first",
    [
        ('"mpg","hp"\n"Mazda",21.5,6\n"Datsun",22.8,4\n', ["row", "mpg"], "Mazda"),
        ('"mpg","hp"\n"1",21.5,6\n"2",22.8,4\n', ["row", "mpg"], 1),
        ("mpg\thp\nMazda RX4\t21\t6\nDatsun\t22\t4\n", ["row", "mpg"], "Mazda RX4"),
        ('"","mpg"\n"1",21.5\n"2",22.8\n', ["", "mpg"], 1),
        ('"mpg","hp"\n"18",21,6\n"15",22,4\n', ["row", "mpg"], 18),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"], 1),  # Each line ends with a separator.
    ],
)
def test_row_names_of_r_are_read(write, content, names, first):
    frame = read_certain(write(content))
    assert list(frame)[:2] == names and frame.iloc[0, 0] == first


def test_decimal_comma_without_quotes_is_not_a_row_name(write):
    path = write("name,price\nx,1,5\ny,2,5\n")
    assert doubt_of(path).text.startswith("Line 1 has one name fewer")
    assert len(read_certain(path, ImportOptions(header=(1,))).columns) == 3


def test_files_of_scikit_learn_are_read(write):
    data = ["5.1,3.5,1.4,0.2,0"] * 150
    frame = read_certain(write(lines("150,4,setosa,versicolor,virginica", *data)))
    assert frame.shape == (150, 5) and frame.iloc[0].tolist() == [5.1, 3.5, 1.4, 0.2, 0]
    frame = read_certain(write(lines("150,4,,", "a,b,c,d", *["1,2,3,4"] * 150)))
    assert (list(frame), len(frame)) == (["a", "b", "c", "d"], 150)


# Encodings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("имя;город\nИван Петров;Москва\nМария живёт;Казань\n", "cp1251"),
        ("jméno;cena\nPříliš žluťoučký kůň;1\núpěl ďábelské ódy;2\n", "cp1250"),
        ("名前,値\n東京都の人口,1\n大阪府の人口,2\n", "cp932"),
        ("όνομα;τιμή\nΑθήνα;1\nΘεσσαλονίκη;2\nκαλημέρα κόσμε;3\n", "cp1253"),
        ("Ort;Größe\nKöln;1\nMünchen;2\nStraße;3\n", "cp1252"),
        ("nom;prix\né;1,5\nœ;2,5\n", "cp1252"),
    ],
)
def test_guess_of_the_encoding_is_the_first_value(write, text, encoding):
    path = write(text.encode(encoding))
    doubt = doubt_of(path)
    assert (doubt.option, doubt.values[0]) == ("encoding", encoding)
    frame = read_certain(path, ImportOptions(encoding=doubt.values[0]))
    assert frame.columns[0] in text


# Types --------------------------------------------------------------------------------

TYPED = lines("a,b,c,d", "007,1.5,yes,01.02.26", "8,x,no,28.02.26", "n,2,?,y", ",,,")


@pytest.mark.parametrize(
    "types, values",
    [
        ({"a": "text"}, ["007", "8", "n", None]),
        ({"a": "category"}, ["007", "8", "n", None]),
        ({"a": "integer"}, [7, 8, None, None]),
        ({"b": "number"}, [1.5, None, 2, None]),
        ({"b": "integer"}, [None, None, 2, None]),
        ({"c": "boolean"}, [True, False, None, None]),
        (
            {"d": "date:%d.%m.%y"},
            [pd.Timestamp("2026-02-01"), pd.Timestamp("2026-02-28"), None, None],
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json"])
def test_types_of_columns_are_honoured(write, tmp_path, types, values, suffix):
    path = write(TYPED)
    if suffix != "csv":
        frame = pd.read_csv(path, dtype=str)
        path = tmp_path / f"a.{suffix}"
        if suffix == "xlsx":
            frame.to_excel(path, index=False)
        else:
            frame.to_json(path, orient="records")
    frame = read_file(path, ImportOptions(types=types), misfits="missing")
    [name] = types
    column = frame[name].astype(object)
    assert column.where(column.notna(), None).tolist() == values[: len(frame)]
    if types == {"a": "category"}:
        assert frame["a"].dtype == "category"


def test_values_that_do_not_fit_are_counted_with_the_first_line(write):
    path = write(lines("n,t", "1,x", '2,"y', 'z"', "a,x", "b,x", "3,x"))
    options = ImportOptions(types={"n": "integer", "t": "text"})
    told = "2 values of the column n do not fit the type integer. The first one is a in"
    with pytest.raises(SourceError, match=f"{told} line 5"):
        read_certain(path, options)
    frame = read_file(path, options, misfits="missing")
    assert rows_of(frame)[2] == [None, "x"]
    assert notes_of(frame)[0].startswith(told)


def test_type_of_an_unknown_column_is_refused(write):
    with pytest.raises(SourceError, match="has no column x"):
        read_certain(write("a\n1\n"), ImportOptions(types={"x": "text"}))


def test_words_for_missing_values_can_be_given(write):
    path = write("a,b\n1,x\n-99,k.A.\nk.A.,y\n")
    frame = read_certain(path, ImportOptions(null_values=("-99", "k.A.")))
    assert rows_of(frame) == [[1, "x"], [None, None], [None, "y"]]


# The options themselves ---------------------------------------------------------------

ALL = ImportOptions(
    **{
        "encoding": "cp1252",
        "sep": "\t",
        "quote": "",
        "decimal": ",",
        "thousands": ".",
    },
    **{"header": (1, 2), "skip_rows": 1, "skip_footer": 2, "day_first": False},
    **{"ragged": True},
    **{"null_values": ("-",), "sheet": "s", "member": "m", "types": {"a=b": "text"}},
)


def test_options_and_doubts_survive_json():
    doubts = (Doubt("header", "?", ((1,), ())), Doubt("day_first", "?", (True, False)))
    found = Detection(ALL, doubts, ("s",), ("m",))
    assert Detection.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert ImportOptions().to_dict() == {}
    assert ImportOptions.from_dict({"header": []}).header == ()


def test_options_can_be_written_as_arguments():
    given = {
        **{"encoding": ["cp1252"], "sep": ["\\t"], "quote": [""], "decimal": [","]},
        **{"thousands": ["."], "header": ["1,2"], "skip_rows": ["1"]},
        **{"skip_footer": ["2"], "month_first": [""], "null_value": ["-"]},
        **{"ragged": [""], "sheet": ["s"], "member": ["m"], "type": ["a=b=text"]},
    }
    assert ImportOptions.from_arguments(given) == ALL
    assert ImportOptions.from_arguments({"no_header": ["1"]}).header == ()
    assert ImportOptions.from_arguments({"day_first": ["0"]}).day_first is False
    assert ImportOptions.from_arguments({"ragged": ["0"]}).ragged is False


@pytest.mark.parametrize(
    "values",
    [{"x": 1}, {"sep": ""}, {"header": [0]}, {"ragged": 1}, {"types": {"a": "x"}}],
)
def test_invalid_options_are_refused(values):
    with pytest.raises(InputRefused):
        ImportOptions.from_dict(values)


@pytest.mark.parametrize(
    "style, told",
    [
        (
            "code",
            "Use day_first=True or day_first=False. ? Use types={'a b': 'date'}. ? Use "
            "ragged=True.",
        ),
        (
            "command",
            "Use --day-first or --month-first. ? Use --type 'a b=date'. ? Use --ragged.",
        ),
        (
            "query",
            "Use ?day_first=1 or ?month_first=1. ? Use ?type=a+b%3Ddate. ? Use ?ragged=1.",
        ),
    ],
)
def test_refusal_names_the_options_that_decide(style, told):
    doubts = [
        Doubt("day_first", "?", (True, False)),
        Doubt("types.a b", "?", ("date",)),
        Doubt("ragged", "?", (True,)),
    ]
    assert str(refusal("a.csv", doubts, style)).endswith(f"several ways. ? {told}")


@pytest.mark.filterwarnings("error")
def test_ordinary_file_of_many_kinds_of_values_is_certain(write):
    warnings.simplefilter("error")
    content = lines(
        "id,name,price,day,flag,code,note",
        *(f'{n},"x, {n}",{n}.25,2026-01-{n:02},true,00{n},"a ""b"""'
          for n in range(1, 29)),
    )  # fmt: skip
    frame = read_certain(write(content))
    kinds = "int64 str float64 datetime64[us] bool str str".split()
    assert list(map(str, frame.dtypes)) == kinds and notes_of(frame) == []
