"""A CSV file with many columns is read at once, with the same result as by Arrow."""

import functools
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from django_dtale.readers.csv import _complete, _frame
from django_dtale.readers.options import ImportOptions
from django_dtale.readers.process.client import Reader, result_of
from django_dtale.readers.text import cells
from django_dtale.readers.text.cells import read_cells
from django_dtale.readers.text.layout import find_layout
from django_dtale.readers.text.parts import Source, read_with_arrow

FILES = {
    "numbers": "a,b,c\n1,2.5,-3\n4,.5,1e3\n",
    "missing values": "a,b,c\n1,,x\n,NA,\n3,4,\n",
    "identifiers": "a,b,c\n007,+5,12345678901234567\n1,2,3\n",
    "other types": "a,b,c\ntrue,2026-01-02,31.12.2026\nfalse,,01.02.2026\n",
    "quotes": 'a,b,c\n"x,y","1",""\n"x\ny","","z"\n',
    "two marks": 'a,b,c\n"x""y","""",z\n"""a""",1,"a"""\n',
    "Windows": 'a,b,c\r\n1,"x\r\ny",\r\n2,z,3\r\n',
    "no line end": "a,b,c\n1,2,x",
    "only one line end of Windows": "a,b,c\r\n1,2,x\r\n1,2,x",
    "empty lines": "a,b,c\n\n1,2,3\n\n\n4,5,6\n\n",
    "letters": "a,b,c\né,ß,1\nü,ł,2\n",
    "no name and no values": "a,b,\n1,2,\n3,4,\n",
    "no name": "a,b,\n1,2,5\n3,4,6\n",
    "no rows": "a,b,c\n",
}


@pytest.fixture
def frames(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "WIDE", 2)

    def read(text, **given):
        """Return the frames of the two readers, or None if one refuses the file."""
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode(given.get("encoding", "utf-8")))
        options = _complete(path, ImportOptions(sep=",", header=(1,), **given))
        reopen = functools.partial(io.FileIO, path)
        source = Source(reopen, options, find_layout(path, options))
        made = []
        for reader in (read_with_arrow, read_cells):
            try:
                made.append(_frame(source, reader))
            except pa.ArrowInvalid:
                made.append(None)
        return made

    return read


@pytest.mark.parametrize("size", [1 << 20, 30])
@pytest.mark.parametrize("name", FILES)
def test_frame_is_the_same_as_that_of_arrow(frames, monkeypatch, name, size):
    """If the size is small, the file is read in several parts."""
    monkeypatch.setattr(cells, "SIZE", size)
    expected, frame = frames(FILES[name])
    assert frame is not None
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)


@pytest.mark.parametrize(
    "options",
    [
        {"null_values": ("x", "2.5")},
        {"quote": ""},
        {"quote": "'"},
        {"encoding": "utf-16"},
    ],
    ids=str,
)
def test_options_have_the_same_effect(frames, options):
    expected, frame = frames("a,b,c\n1,2.5,x\n2,'x',\n,\"x\",é\n", **options)
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)


@pytest.mark.parametrize(
    "text",
    [
        'a,b,c\n1,5" pipe,3\n2,6" pipe,3\n',
        'a,b,c\n1,"x"y,3\n',
        "a,b,c\n1,2\n3,4,5\n",
        "a,b,c\n1,2\n3,4,5,6\n",
        "a,b,c\r1,2,3\r4,5,6\r",
    ],
)
def test_files_that_are_not_plain_are_left_to_the_other_readers(frames, text):
    assert frames(text)[1] is None


def test_frame_can_be_changed(frames):
    frame = frames("a,b\n1,2\n3,4\n")[1]
    frame.loc[0, "a"] = 9
    assert frame["a"].tolist() == [9, 3]
    assert frame["b"].tolist() == [2, 4]


def test_wide_files_need_little_memory(tmp_path, dtale_settings):
    """Arrow reserves memory for each column as if it had all bytes of a file."""
    dtale_settings.READER_MB = 200
    path = tmp_path / "wide.csv"
    values = np.random.default_rng(0).random((40, 2_000))
    frame = pd.DataFrame(values).add_prefix("V")
    frame.to_csv(path, index=False)
    with Reader(path, path.name) as reader:
        made = result_of(reader.read()).frame
    pd.testing.assert_frame_equal(made, frame, check_exact=True)
