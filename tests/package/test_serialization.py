"""Columns of every kind survive serialization. Corrupt columns are refused."""

import contextlib
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from django_dtale.compat.dtypes import UnsupportedDtype, make_displayable
from django_dtale.exceptions import LimitExceeded
from django_dtale.readers.process import serialization
from django_dtale.readers.process.serialization import CorruptColumns, read, write

from .kinds import KINDS

MAX_BYTES = 1 << 20


def handed_over(frame):
    """Return a frame after a round trip through a file and a JSON description."""
    file = io.BytesIO()
    description = json.loads(json.dumps(write(frame, file)))
    return read(memoryview(bytearray(file.getvalue())), description, MAX_BYTES)


def prepared(kind):
    try:
        return make_displayable(KINDS[kind]()).frame
    except UnsupportedDtype:
        pytest.skip("D-Tale cannot show it.")


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_serialization(kind, copied, monkeypatch):
    if not copied:
        monkeypatch.setattr(serialization, "MANY_ROWS", 0)
    frame = prepared(kind)
    arrived = handed_over(frame)
    pd.testing.assert_frame_equal(arrived, frame, check_exact=True, check_freq=False)
    for name in frame.columns:
        assert arrived[name].dtype == frame[name].dtype
        if frame[name].dtype == object:
            assert list(map(type, arrived[name])) == list(map(type, frame[name]))
            assert list(map(repr, arrived[name])) == list(map(repr, frame[name]))
    # Columns that were read can be replaced, as in any other frame.
    for name in arrived.columns:
        arrived[name] = arrived[name].to_numpy()[::-1]


@pytest.mark.parametrize("begin", [0, 1, 9])
def test_sliced_columns_survive_serialization(begin):
    words = pa.chunked_array([["a", None, "ü"] * 4, ["x"], []], pa.large_string())
    flags = pa.chunked_array([[True, None, False] * 4, [True]])
    frame = pd.DataFrame(
        {
            "text": pd.Series(words, dtype="str"),
            "flag": pd.Series(flags, dtype=pd.ArrowDtype(pa.bool_())),
        }
    )[begin:].reset_index(drop=True)
    pd.testing.assert_frame_equal(handed_over(frame), frame)


def test_long_text_is_refused_on_both_sides(monkeypatch):
    frame = pd.DataFrame({"a": ["ä" * 10]})
    file = io.BytesIO()
    description = write(frame, file)
    monkeypatch.setattr(serialization, "MAX_TEXT", 9)
    for call in (
        lambda: write(frame, io.BytesIO()),
        lambda: read(memoryview(file.getvalue()), description, MAX_BYTES),
    ):
        with pytest.raises(LimitExceeded, match="has 10 characters; the limit is 9"):
            call()


# Corrupt descriptions -----------------------------------------------------------------


def described(*column, rows=2, names=("a",)):
    return {"rows": rows, "names": list(names), "columns": [list(column)]}


VALUES = np.arange(8, dtype="<i8").tobytes()  # These values take 64 bytes.
DAMAGED = {
    "nothing": {},
    "no columns": {"rows": 2, "names": ["a"]},
    "unknown kind": described("pickle", 2, "cos\nsystem\n"),
    "not a column": described(),
    "more than there is": described("numpy", 9, "<i8", 72, rows=9),
    "fewer rows": described("numpy", 1, "<i8", 8),
    "negative": described("numpy", -1, "<i8", -8, rows=-1),
    "not whole": described("numpy", 2.0, "<i8", 16.0, rows=2.0),
    "objects of NumPy's": described("numpy", 2, "|O", 16),
    "structures": described("numpy", 2, "<i8,<i8", 32),
    "dates of years": described("numpy", 2, "<M8[Y]", 16),
    "flags of many bits": described("numpy", 2, "|b1", 2),
    "names that are none": described("numpy", 2, "<i8", 16, names=[1]),
    "more names": described("numpy", 2, "<i8", 16, names=["a", "b"]),
    "type of Arrow's with parts": described(
        "arrow", 2, ["list<item: int64>", [[2, 0, [None, 16]]]]
    ),
    "unknown type of Arrow's": described("arrow", 2, ["int65", []]),
    "too many digits": described(
        "arrow", 2, ["decimal128(99, 0)", [[2, 0, [None, 32]]]]
    ),
    "offsets that lead out": described(
        "text", 2, "pyarrow", False, ["large_string", [[2, 0, [None, 24, 8]]]]
    ),
    "offsets that are missing": described(
        "text", 2, "pyarrow", False, ["large_string", [[2, 0, [None, None, None]]]]
    ),
    "too few bytes": described("arrow", 2, ["int64", [[2, 0, [None, 8]]]]),
    "too few buffers": described("arrow", 2, ["int64", [[2, 0, [16]]]]),
    "wrong length": described("arrow", 2, ["int64", [[3, 0, [None, 24]]]]),
    "storage of no text": described(
        "text", 2, "object", False, ["null", [[2, 2, [None]]]]
    ),
    "code of no category": described(
        "categories", 2, False, ["<i8", 16], ["numpy", 1, "<i8", 8]
    ),
    "categories twice": described(
        "categories", 1, False, ["<i8", 8], ["numpy", 2, "|u1", 2], rows=1
    ),
    "file as a zone": described("zoned", 2, "dateutil//etc/hosts", ["<M8[us]", 16]),
    "path as a zone": described("zoned", 2, "../../etc/hosts", ["<M8[us]", 16]),
    "zone that is none": described("zoned", 2, "Nowhere", ["<M8[us]", 16]),
    "zone of numbers": described("zoned", 2, "UTC", ["<f8", 16]),
    "no period": described("periods", 2, "int64", ["<i8", 16]),
    "no kind of pandas'": described("masked", 2, "category", ["<i8", 16], ["|b1", 2]),
    "another kind of pandas'": described("masked", 2, "Int32", ["<i8", 16], ["|b1", 2]),
    "unknown object": described("objects", 2, ["|u1", 2], ["null", [[2, 2, [None]]]]),
    "many objects": described(
        "objects", 10**6, ["|u1", 10**6], ["null", []], rows=10**6
    ),
    "categories that are missing": described(
        "categories", 1, False, ["|i1", 1], rows=1
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_corrupt_description_is_refused(case):
    file = memoryview(bytearray(b"\xff" + VALUES[1:]))
    with pytest.raises(CorruptColumns):
        read(file, DAMAGED[case], MAX_BYTES)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_file_is_refused_or_read_as_a_frame(seed):
    """A changed value or offset never crashes the process."""
    random = np.random.default_rng(seed)
    frame = pd.concat(
        [prepared(kind) for kind in ("str", "categories", "Decimal")], axis=1
    )
    frame.columns = [f"c{at}" for at in range(frame.shape[1])]
    file = io.BytesIO()
    description = write(frame, file)
    data = np.frombuffer(bytearray(file.getvalue()), "uint8")
    for at in random.integers(0, len(data), 5):
        data[at] = random.integers(0, 256)
    with contextlib.suppress(CorruptColumns):
        read(memoryview(data), description, MAX_BYTES).to_csv()
