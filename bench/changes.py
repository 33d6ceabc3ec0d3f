"""Measure edits of cells with and without a history, and their undo.

The generated project's Python runs `changes.py EDITS ROWS` in the project's root. The
script publishes a frame twice. One has a history, the other has none. It edits cells of
both in turns, and undoes changes of the first. It prints JSON with the median seconds of
an edit of each frame and of an undo, and the bytes that each frame takes at the end, on
disk and in the database.
"""

import json
import statistics
import sys
import time

from answer import Generated, mixed

UNDONE = 50
# The columns that are edited, with their new values.
EDITS = ("price", "0.5"), ("int", "7"), ("city", "Rome")


def main():
    sys.path.insert(0, "")
    edits, rows = map(int, sys.argv[1:])
    site = Generated()
    from django.conf import settings
    from django_dtale.models import Frame
    from django_dtale.storage import blobs
    from django_dtale.unit_of_work import going_back
    from django_dtale.workspace import Workspace, bind

    limits = {"with": edits, "without": 0}
    frames = {name: site.open(mixed(rows)) for name in limits}
    seconds = {name: [] for name in limits}
    for number in range(edits):
        column, value = EDITS[number % len(EDITS)]
        for name, limit in limits.items():
            settings.DTALE["HISTORY_COUNT"] = limit
            start = time.perf_counter()
            path = f"edit-cell/ID?col={column}&rowIndex={number}&updated={value}"
            site.get(path, frames[name])
            seconds[name].append(time.perf_counter() - start)
    settings.DTALE["HISTORY_COUNT"] = edits
    nbytes = {}
    for name, pk in frames.items():
        frame = Frame.objects.get(pk=pk)
        payloads = {frame.payload, *frame.changes.values_list("payload", flat=True)}
        files = set().union(*map(blobs.files_of, payloads))
        rows_of_history = [
            len(each.cells) + len(each.content) for each in frame.changes.all()
        ]
        nbytes[name] = sum(map(blobs.file_size, files)) + sum(rows_of_history)
    undo = []
    for _ in range(min(UNDONE, edits)):
        start = time.perf_counter()
        with bind(Workspace(site.user)):
            going_back.undo(int(frames["with"]))
        undo.append(time.perf_counter() - start)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    print(json.dumps({**medians, "undo": statistics.median(undo), "bytes": nbytes}))


if __name__ == "__main__":
    main()
