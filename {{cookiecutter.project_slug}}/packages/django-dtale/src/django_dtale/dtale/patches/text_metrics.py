"""Metrics of texts, such as lengths, calculated once for each distinct text."""

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
from dtale.column_builders import printable
from dtale.utils import json_float

# D-Tale looks for single characters of these kinds in texts.
CHARACTERS = {
    "with_space": r"\s",
    "with_accent": "[À-ÖÙ-öù-ÿĀ-žḀ-ỿ]",
    "with_num": r"[\d]",
    "with_upper": "[A-Z]",
    "with_lower": "[a-z]",
    "with_punc": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]""",
    "with_hidden": f"[^{printable}]+",
}
FOUND = [*CHARACTERS, "multi_space_after_each_other"]  # Each name stands for one bit.
NOT_A_PATTERN = r"[\s]+"  # pandas treats this pattern as literal text.
CHUNK = 1 << 20  # Characters. Larger chunks are no faster and take more memory.


def in_chunks(counts: pd.Series) -> Iterator[pd.Series]:
    """Yield the counts of texts in chunks of about CHUNK characters of text."""
    chunks = counts.index.str.len().to_numpy(dtype="int64").cumsum() // CHUNK
    starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1), len(counts)]
    for start, stop in itertools.pairwise(starts):
        yield counts.iloc[start:stop]


def string_metrics(counts: pd.Series) -> dict[str, int | float | str]:
    """Return the same metrics as D-Tale's ``build_string_metrics``.

    Args:
        counts: The number of rows for each distinct text, indexed by the text.

    Raises:
        ValueError: There is no text.
    """
    times = counts.to_numpy(dtype="int64")
    found = pd.concat([of_texts(part.index) for part in in_chunks(counts)])
    metrics: dict[str, int | float | str] = {
        name: int(times[which.to_numpy()].sum())
        for name, which in found.select_dtypes(bool).items()
    }
    for name in ("char", "word"):
        lengths = pd.Series(np.repeat(found[name].to_numpy(), times))
        metrics |= {
            f"{name}_min": int(lengths.min()),
            f"{name}_max": int(lengths.max()),
            f"{name}_mean": json_float(lengths.mean()),
            f"{name}_std": json_float(lengths.std()),
        }
    return metrics


def of_texts(index: pd.Index) -> pd.DataFrame:
    """Return each text's length, its number of words, and the patterns found in it.

    The kind of each distinct character, and whether a text ends with a space, depend on
    how a column stores its texts. Therefore pandas decides both.
    """
    texts = index.to_numpy(dtype=object)
    lengths = np.fromiter(map(len, texts), "int64", len(texts))
    # Each text is followed by a separator that has no kind, so that no text is empty.
    ends = (lengths + 1).cumsum() - 1
    starts = ends - lengths
    joined = "\n".join([*texts, ""]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(joined, "uint32")
    at, distinct = pd.factorize(codes)
    characters = pd.Series([*map(chr, distinct)], dtype=index.dtype).str
    kinds = np.zeros(len(distinct), "uint8")
    for bit, pattern in enumerate(CHARACTERS.values()):
        kinds |= (characters.count(pattern).to_numpy() > 0).astype("uint8") << bit
    each = kinds[at]
    each[ends] = 0
    spaces = (each & 1).astype(bool)
    each[:-1][spaces[:-1] & spaces[1:]] |= 1 << len(CHARACTERS)
    in_text = np.bitwise_or.reduceat(each, starts)
    return pd.DataFrame(
        {
            "char": lengths,
            "word": [1 + text.replace(NOT_A_PATTERN, " ").count(" ") for text in texts],
            "space_at_the_first": codes[starts] == ord(" "),
            "space_at_the_end": pd.Series(index).str.count(" $").to_numpy() > 0,
            **{name: in_text & 1 << bit != 0 for bit, name in enumerate(FOUND)},
        }
    )
