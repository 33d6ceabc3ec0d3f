"""What `test_hostile_site` sends; a generated project's own Python runs this file.

`files DIRECTORY` writes the hostile files of the project's own tests, with an index;
`frames OWNER` publishes the frames that hostile operations are asked of, and prints
their numbers.
"""

import importlib.util
import json
import sys
from pathlib import Path

ROWS = 300_000


def write_files(directory):
    location = Path("tests/hostile_files.py")
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
    from frames.models import Frame

    row = np.arange(ROWS)
    frames = {
        # `k` and `u` have no value twice, `i` and `s` have ten.
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
        name: Frame.objects.publish(data, owner=owner, name=name).pk
        for name, data in frames.items()
    }
    print(json.dumps(numbers))


if __name__ == "__main__":
    {"files": write_files, "frames": publish_frames}[sys.argv[1]](sys.argv[2])
