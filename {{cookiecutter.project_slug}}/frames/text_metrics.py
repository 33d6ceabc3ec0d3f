"""Lengths, words and kinds of characters of texts, each distinct text looked at once."""

import itertools

import numpy as np
import pandas as pd
from dtale.column_builders import printable
from dtale.utils import json_float

# What D-Tale looks for in texts, one character long.
CHARACTERS = {
    "with_space": r"\s",
    "with_accent": "[À-ÖÙ-öù-ÿĀ-žḀ-ỿ]",
    "with_num": r"[\d]",
    "with_upper": "[A-Z]",
    "with_lower": "[a-z]",
    "with_punc": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]""",
    "with_hidden": f"[^{printable}]+",
}
KINDS = dict(zip(CHARACTERS, 1 << np.arange(7, dtype="uint8"), strict=True))
TWO_SPACES = np.uint8(1 << 7)
SPACE, NEWLINE = map(ord, " \n")
NOT_A_PATTERN = r"[\s]+"  # pandas replaces it by a space where somebody has written it.
CHUNK = 1 << 20  # Characters. More at once are no quicker and take more memory.


def in_chunks(counts):
    """Yield the counts (``Series``) of about CHUNK characters of texts at a time."""
    chunks = counts.index.str.len().to_numpy(dtype="int64").cumsum() // CHUNK
    starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1), len(counts)]
    for start, stop in itertools.pairwise(starts):
        yield counts.iloc[start:stop]


def string_metrics(counts):
    """Return what D-Tale's ``build_string_metrics`` does.

    Args:
        counts: ``Series`` of how many rows have a text, by text.

    Raises:
        ValueError: there is none.
    """
    times = counts.to_numpy(dtype="int64")
    kinds_of = KindsOfCharacters(counts.index)
    parts = [of_texts(part.index, kinds_of) for part in in_chunks(counts)]
    characters, words, kinds, at_the_first, at_the_end = map(
        np.concatenate, zip(*parts, strict=True)
    )
    found = {name: kinds & kind != 0 for name, kind in KINDS.items()} | {
        "space_at_the_first": at_the_first,
        "space_at_the_end": at_the_end,
        "multi_space_after_each_other": kinds & TWO_SPACES != 0,
    }
    metrics = {name: int(times[which].sum()) for name, which in found.items()}
    for name, each in (("char", characters), ("word", words)):
        lengths = pd.Series(np.repeat(each, times))
        metrics |= {
            f"{name}_min": int(lengths.min()),
            f"{name}_max": int(lengths.max()),
            f"{name}_mean": json_float(lengths.mean()),
            f"{name}_std": json_float(lengths.std()),
        }
    return metrics


class KindsOfCharacters:
    """Which of CHARACTERS a character is: pandas says it, once for each.

    What is a space or a digit depends on how a column keeps its texts.
    """

    def __init__(self, like):
        self.dtype = like.dtype
        self.table = np.zeros(0x110000, "uint8")
        self.known = np.zeros(0x110000, bool)

    def __call__(self, codes):
        """Return the kinds (array of uint8) of code points (array)."""
        new = np.zeros(len(self.known), bool)
        new[codes] = True
        new = np.flatnonzero(new & ~self.known)
        characters = pd.Series([*map(chr, new)], dtype=self.dtype)
        for name, pattern in CHARACTERS.items():
            has = characters.str.count(pattern).to_numpy() > 0
            self.table[new[has]] |= KINDS[name]
        self.known[new] = True
        return self.table[codes]


def of_texts(index, kinds_of):
    """Return five arrays, with an element for each text (``Index``) of some:

    its length, its words, the kinds of its characters, whether a space is the first of
    them, and whether one is the last.
    """
    texts = index.to_numpy(dtype=object)
    lengths = np.fromiter(map(len, texts), "int64", len(texts))
    joined = "".join(texts)
    has_pattern = NOT_A_PATTERN in joined
    words = [
        1 + (text.replace(NOT_A_PATTERN, " ") if has_pattern else text).count(" ")
        for text in texts
    ]
    kinds = np.zeros(len(texts), "uint8")
    at_the_first, at_the_end = np.zeros((2, len(texts)), bool)
    if joined:
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "uint32")
        each = kinds_of(codes)
        filled = np.flatnonzero(lengths)
        ends = lengths[filled].cumsum()
        starts = ends - lengths[filled]
        pairs = (each[:-1] & each[1:] & KINDS["with_space"]) != 0
        pairs[ends[:-1] - 1] = False  # These are of two texts.
        each[:-1][pairs] |= TWO_SPACES
        kinds[filled] = np.bitwise_or.reduceat(each, starts)
        at_the_first[filled] = codes[starts] == SPACE
        # Whether a newline may follow depends on how a column keeps its texts.
        may_end = filled[np.isin(codes[ends - 1], [SPACE, NEWLINE])]
        texts = pd.Series(index[may_end], dtype=index.dtype)
        at_the_end[may_end] = texts.str.count(" $") > 0
    return lengths, np.array(words), kinds, at_the_first, at_the_end
