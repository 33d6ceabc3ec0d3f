"""Columns that a reader hands over: every kind arrives as it was, and nothing else does."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from frames import handover
from frames.exceptions import LimitExceeded
from frames.handover import HandoverDamaged, read, write
from frames.kinds import KindError, prepare

from .kinds import KINDS

MAX_BYTES = 1 << 20


def handed_over(frame):
    """A frame as it arrives, through a file and JSON."""
    file = io.BytesIO()
    description = json.loads(json.dumps(write(frame, file)))
    return read(memoryview(bytearray(file.getvalue())), description, MAX_BYTES)


def prepared(kind):
    try:
        return prepare(KINDS[kind]()).frame
    except KindError:
        pytest.skip("D-Tale cannot show it.")


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_arrives_as_it_was(kind, copied, monkeypatch):
    if not copied:
        monkeypatch.setattr(handover, "MANY_ROWS", 0)
    frame = prepared(kind)
    arrived = handed_over(frame)
    pd.testing.assert_frame_equal(arrived, frame, check_exact=True, check_freq=False)
    for name in frame.columns:
        assert arrived[name].dtype == frame[name].dtype
        if frame[name].dtype == object:
            assert list(map(type, arrived[name])) == list(map(type, frame[name]))
            assert list(map(repr, arrived[name])) == list(map(repr, frame[name]))
    # It can be changed, as any other.
    for name in arrived.columns:
        arrived[name] = arrived[name].to_numpy()[::-1]


@pytest.mark.parametrize("begin", [0, 1, 9])
def test_parts_of_a_column(begin):
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
    monkeypatch.setattr(handover, "MAX_TEXT", 9)
    for call in (
        lambda: write(frame, io.BytesIO()),
        lambda: read(memoryview(file.getvalue()), description, MAX_BYTES),
    ):
        with pytest.raises(LimitExceeded, match="has 10 characters, and may have 9"):
            call()


# What no reader of ours writes --------------------------------------------------------


def described(*column, rows=2, names=("a",)):
    return {"rows": rows, "names": list(names), "columns": [list(column)]}


VALUES = np.arange(8, dtype="<i8").tobytes()  # 64 bytes.
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
    "deep": described(*["categories", 1, False, ["|i1", 1]] * 1, rows=1),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_what_does_not_fit_is_refused(case):
    file = memoryview(bytearray(b"\xff" + VALUES[1:]))
    with pytest.raises(HandoverDamaged):
        read(file, DAMAGED[case], MAX_BYTES)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_file_is_refused_or_is_a_frame(seed):
    """Each byte is a value, if it is not the offset of one; none ends the process."""
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
    try:
        read(memoryview(data), description, MAX_BYTES).to_csv()
    except HandoverDamaged:
        pass
