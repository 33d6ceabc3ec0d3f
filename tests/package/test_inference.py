"""Identifiers, such as 007 and +49, are found among texts."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_dtale.readers.inference import has_identifier

IDENTIFIER = re.compile(r"\+|-?0[0-9xX]")
WORDS = st.text(alphabet="+-0179xX.e é", max_size=4)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@given(words=st.lists(st.none() | WORDS), cut=st.integers(0, 5))
def test_identifiers_are_found_as_by_a_regular_expression(kind, words, cut):
    """Arrow's arrays can be slices, and have bytes behind missing values."""
    expected = any(IDENTIFIER.match(word) for word in words[cut:] if word is not None)
    array = pa.array(words, kind).slice(cut)
    assert has_identifier(array) == expected
    assert has_identifier(pa.chunked_array([array[:2], array[2:]])) == expected


def test_bytes_behind_a_missing_value_are_ignored():
    whole = pa.array(["007", "1"])
    missing = pa.py_buffer(np.array([0b10], np.uint8))
    array = pa.StringArray.from_buffers(2, *whole.buffers()[1:], missing)
    assert array.to_pylist() == [None, "1"]
    assert has_identifier(whole) and not has_identifier(array)
