"""The allow-list of Arrow types that ``serialization`` can read, by name."""

import re

import pyarrow as pa

UNITS = "s", "ms", "us", "ns"
ARROW_TYPES = {
    str(kind): kind
    for kind in (
        *(pa.null(), pa.bool_(), pa.string(), pa.large_string()),
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64()),
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms")),
        *(pa.time64("us"), pa.time64("ns")),
        *map(pa.timestamp, UNITS),
        *map(pa.duration, UNITS),
    )
}
DECIMAL = re.compile(r"decimal(128|256)\((\d{1,2}), (-?\d{1,2})\)")
ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")
# For a zone such as "dateutil//path", pandas would read the file at this path.
ZONE = re.compile(r"(?!dateutil)[A-Za-z][\w+-]*(/[\w+-]+)*|(UTC)?[+-]\d\d:\d\d")


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type of this name.

    Raises:
        KeyError, ValueError: there is no such type, or it is not allowed.
    """
    if found := DECIMAL.fullmatch(name):
        bits, digits, places = map(int, found.groups())
        return (pa.decimal128 if bits == 128 else pa.decimal256)(digits, places)
    if (found := ZONED.fullmatch(name)) and ZONE.fullmatch(found[2]):
        return pa.timestamp(found[1], found[2])
    return ARROW_TYPES[name]
