"""Small files that would exhaust memory, CPU time or disk if readers had no limits."""

import functools
import io
import json
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

ZEROS = bytes(1 << 20)


def zipped(parts, level=9):
    """Return a zip file of these parts, each as bytes or an iterable of bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(
        file, "w", zipfile.ZIP_DEFLATED, compresslevel=level
    ) as archive:
        for name, content in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                for block in [content] if isinstance(content, bytes) else content:
                    part.write(block)
    return file.getvalue()


def repeated(block, megabytes):
    """Yield blocks of one megabyte, each of which repeats the same bytes."""
    block = block * ((1 << 20) // len(block))
    return (block for _ in range(megabytes))


WORKBOOK = {
    "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006'
    b'/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
    b'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
    "_rels/.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006'
    b'/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/office'
    b'Document/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
    b"</Relationships>",
    "xl/workbook.xml": b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml'
    b'/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relation'
    b'ships"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.'
    b'org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlf'
    b'ormats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.x'
    b'ml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/'
    b'2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
}
SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def workbook(cells, **parts):
    """Return a workbook with these rows, as XML bytes or an iterable of them."""
    rows = [cells] if isinstance(cells, bytes) else cells

    def sheet():
        yield SHEET + b"<sheetData>"
        yield from rows
        yield b"</sheetData></worksheet>"

    return zipped(
        WORKBOOK
        | {"xl/worksheets/sheet1.xml": sheet()}
        | {f"xl/{name}.xml": content for name, content in parts.items()}
    )


CORNERS = b'<row r="1"><c r="A1"><v>1</v></c></row>'
CORNERS += b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'


def strings(count, text):
    head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return [head, *(b"<si><t>" + text + b"</t></si>",) * count, b"</sst>"]


def entities():
    """Return a "billion laughs" attack, in which entities expand exponentially."""
    lines = [b"<!DOCTYPE sst ["]
    lines += [b'<!ENTITY e0 "lol">']
    for number in range(1, 10):
        lines.append(b'<!ENTITY e%d "' % number + b"&e%d;" % (number - 1) * 10 + b'">')
    return [*lines, b"]>", *strings(1, b"&e9;")]


def shared(count):
    """Return rows in which every cell refers to the same shared string."""
    return [b'<row><c t="s"><v>0</v></c></row>'] * count


def parquet(column, **options):
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": column}), file, **options)
    return file.getvalue()


def feather(column):
    file = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"a": column}), file, compression="zstd")
    return file.getvalue()


def same_text(length, rows):
    """Return a dictionary array that repeats one text in each row."""
    indices = pa.array(np.zeros(rows, "int32"))
    return pa.DictionaryArray.from_arrays(indices, pa.array(["x" * length]))


def lists(length, rows):
    offsets = pa.array(np.arange(rows + 1, dtype="int32") * length)
    return pa.ListArray.from_arrays(offsets, pa.array(np.zeros(length * rows, "int64")))


def text_of(length):
    """Return an array with one text of ``length`` characters."""
    offsets = pa.py_buffer(struct.pack("<qq", 0, length))
    data = pa.py_buffer(np.full(length, 120, "uint8"))
    return pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, data])


def false_size(content, says):
    """Return a zip file whose directory gives a false size for its only member."""
    content = bytearray(content)
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", says)
    return bytes(content)


def many_members(count):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.csv", b"")
    return file.getvalue()


def columns(count, rows):
    head = ",".join(f"c{number}" for number in range(count))
    return "\n".join([head, *[",".join(["1"] * count)] * rows]).encode()


# Each case has a file name and a function that returns the content.
FILES = {
    # Spreadsheets
    "corners": ("a.xlsx", lambda: workbook(CORNERS)),
    "corners with macros": ("a.xlsm", lambda: workbook(CORNERS)),
    "workbook of zeros": (
        "a.xlsx",
        lambda: zipped(
            WORKBOOK
            | {
                "xl/styles.xml": repeated(ZEROS, 600),
                "xl/worksheets/sheet1.xml": repeated(ZEROS, 600),
            }
        ),
    ),
    "a billion laughs": (
        "a.xlsx",
        lambda: workbook(shared(1), sharedStrings=entities()),
    ),
    "many shared strings": (
        "a.xlsx",
        lambda: workbook(shared(1), sharedStrings=strings(3_000_000, b"x")),
    ),
    "long shared string": (
        "a.xlsx",
        lambda: workbook(shared(50_000), sharedStrings=strings(1, b"x" * 900_000)),
    ),
    "many rows": (
        "a.xlsx",
        lambda: workbook(repeated(b"<row><c><v>1</v></c></row>", 300)),
    ),
    "open document": ("a.ods", lambda: zipped({"content.xml": repeated(ZEROS, 10)})),
    "old workbook": (
        "a.xls",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 100_000,
    ),
    # Archives
    "archive in an archive": (
        "a.zip",
        lambda: zipped({"b.zip": zipped({"c.csv": repeated(ZEROS, 240)})}),
    ),
    "three archives": (
        "a.zip",
        lambda: zipped(
            {
                "b.zip": zipped(
                    {"c.zip": zipped({"d.parquet": parquet(same_text(500, 10_000))})}
                )
            }
        ),
    ),
    "zeros in an archive": (
        "a.zip",
        lambda: zipped({"a.csv": repeated(ZEROS, 2400)}, 1),
    ),
    "many members": ("a.zip", lambda: many_members(100_000)),
    "false size": (
        "a.zip",
        lambda: false_size(zipped({"a.csv": repeated(b"1\n", 2100)}, 1), 10),
    ),
    "size of four gigabytes": (
        "a.zip",
        lambda: false_size(zipped({"a.csv": b"1\n"}), 2**32 - 2),
    ),
    # Parquet and Feather
    "dictionary of Parquet": (
        "a.zip",
        lambda: zipped({"a.parquet": parquet(same_text(100_000, 47_000))}),
    ),
    "texts of Parquet": (
        "a.parquet",
        lambda: parquet(same_text(900_000, 1_000_000), store_schema=False),
    ),
    "many long texts": ("a.parquet", lambda: parquet(same_text(900_000, 1_000_000))),
    "rows of nothing": ("a.parquet", lambda: parquet(pa.nulls(90_000_000))),
    "lists of Parquet": (
        "a.parquet",
        lambda: parquet(lists(100_000, 1_000), compression="zstd"),
    ),
    "lists of Feather": ("a.feather", lambda: feather(lists(40_000, 1_000))),
    "long text of Feather": ("a.feather", lambda: feather(text_of(10**9))),
    "too many cells": (
        "a.feather",
        lambda: feather(pa.array(np.zeros(110_000_000, "int8"))),
    ),
    # CSV files
    "20,000 columns": ("a.csv", lambda: columns(20_000, 5)),
    "20,000 names": ("a.csv", lambda: columns(20_000, 0)),
    "100,000 columns": ("a.csv", lambda: columns(100_000, 2)),
    "empty columns": ("a.csv", lambda: b"," * 2_000_000),
    "one line": ("a.csv", lambda: b"x" * 30_000_000),
    "only quotes": ("a.csv", lambda: b'"' * 5_000_001),
    "only nulls": ("a.csv", lambda: b"a\n" + bytes(5_000_000)),
    "lines without an end": ("a.csv", lambda: b"\r" * 5_000_000),
    "many names": ("a.csv", lambda: b"x" * 2_000_000 + b"\n1\n"),
    "digits": (
        "a.csv",
        lambda: b"a;b\n" + b"1" * 900_000 + b"x;" + b"1,1." * 200_000 + b"\n",
    ),
    "UTF-16 in one line": ("a.csv", lambda: b"\xff\xfe" + b"\x00\xd8" * 3_000_000),
    # JSON files
    "empty lists": (
        "a.zip",
        lambda: zipped({"a.json": [b"[", *repeated(b"[],", 30), b"[]]"]}),
    ),
    "deep": ("a.json", lambda: b"[" * 400_000 + b"]" * 400_000),
    "deep objects": ("a.jsonl", lambda: b'{"a":' * 400_000 + b"1" + b"}" * 400_000),
    "ever new keys": (
        "a.json",
        lambda: json.dumps([{f"k{n}": n} for n in range(100_000)]).encode(),
    ),
    "ever new keys by line": (
        "a.jsonl",
        lambda: "\n".join(f'{"{"}"k{n}": 1{"}"}' for n in range(100_000)).encode(),
    ),
    "large number": ("a.json", lambda: b'[{"a": ' + b"1" * 1_000_000 + b"}]"),
    "large exponent": ("a.json", lambda: b'[{"a": 1e' + b"9" * 1_000_000 + b"}]"),
    "text in a list": (
        "a.json",
        lambda: json.dumps([{"a": ["x" * 2_000_000]}]).encode(),
    ),
}


@functools.cache
def content(name):
    """Return the content of a hostile file. The content is made only once."""
    return FILES[name][1]()
