"""Prepare the input of test_hostile_site.py, with a generated project's own Python.

`files DIRECTORY` writes the hostile files of the library's tests, and an index of them.
`frames OWNER` publishes the frames for the hostile operations, and prints their ids.
"""

import importlib.util
import json
import sys
from pathlib import Path

ROWS = 300_000


def write_files(directory):
    location = Path(__file__).parents[1] / "package" / "hostile_files.py"
    spec = importlib.util.spec_from_file_location("hostile_files", location)
    hostile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hostile)
    index = {}
    for number, (title, (name, _)) in enumerate(hostile.FILES.items()):
        Path(directory, str(number)).write_bytes(hostile.content(title))
        index[title] = [str(number), name]
    Path(directory, "index.json").write_text(json.dumps(index))


def publish_frames(owner):
    import django

    django.setup()
    import numpy as np
    import pandas as pd
    from django.contrib.auth import get_user_model
    from django_dtale import publish

    row = np.arange(ROWS)
    frames = {
        # All values of `k` and `u` are unique. `i` and `s` have ten distinct values.
        "long": pd.DataFrame(
            {
                "k": row,
                "i": row % 10,
                "x": row / 7,
                "s": pd.Series(row % 10).map("s{}".format),
                "u": pd.Series(row).map("u{}".format),
                "d": pd.date_range("2020-01-01", periods=ROWS, freq="min"),
            }
        ),
        "wide": pd.DataFrame(np.random.default_rng(0).random((50, 4_000))).rename(
            columns="c{}".format
        ),
        "texts": pd.DataFrame(
            {"a": ["ab" * 15_000], "b": ["ba" * 15_000], "n": [1], "m": [10**6]}
        ),
    }
    owner = get_user_model().objects.get(username=owner)
    numbers = {
        name: publish(data, owner=owner, name=name).pk for name, data in frames.items()
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    {"files": write_files, "frames": publish_frames}[sys.argv[1]](sys.argv[2])
