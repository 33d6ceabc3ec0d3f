"""How large new frames would be, told before they are made.

Each measure is one of the table in ``bounds``.
"""

import itertools
import json

import pandas as pd
from dtale import combine_data
from dtale.utils import make_list

from .asked import groups, on, on_frame
from .costs import COLUMN_PAIRS, COMPARED, GROUPS, PASSED, RESULT, TEXT
from .dtale_column_sizes import has_texts, lengths, refuse_sums
from .limits import check_cells

SHORTEST = pd.Timedelta("1h")  # Of the periods that are no fixed time: business hours.
IN_PYTHON = "gmean", "str_joiner", "mad"  # These are calculated group by group.
JOINS = "sum", "str_joiner"


def check_result(rows, columns):
    check_cells(rows, columns)
    RESULT.check(rows * columns)


# Reshapes, by type --------------------------------------------------------------------


@on("queried")
def pivot(asked, frame):
    cfg = asked.cfg
    refuse_sums(frame, cfg["values"], [cfg.get("aggfunc")])
    rows, columns = (groups(frame, cfg[side]) for side in ("index", "columns"))
    check_result(rows, columns * len(cfg["values"]))


@on("queried")
def aggregate(asked, frame):
    index, agg = asked.cfg.get("index"), asked.cfg["agg"]
    if agg.get("type") == "func":
        names = agg.get("cols") or list(frame.columns)
        chosen = {name: [agg.get("func")] for name in make_list(names)}
    else:
        chosen = agg["cols"]
    rows = groups(frame, index) if index else 1
    check_result(rows, sum(map(len, chosen.values())))
    if any(each in IN_PYTHON for each in itertools.chain(*chosen.values())):
        GROUPS.check(rows)
    for name, each in chosen.items():
        if any(agg in JOINS for agg in each) and has_texts(frame[name]):
            together = pd.Series(lengths(frame[name]) + 1)
            if index:
                keys = [frame[key].reset_index(drop=True) for key in make_list(index)]
                together = together.groupby(keys, observed=True, dropna=False)
            TEXT.check(pd.Series(together.sum()).max() if len(frame) else 0)


@on("queried")
def transpose(asked, frame):
    names = asked.cfg.get("columns") or frame.columns
    check_result(len(names), len(frame))


@on("queried")
def resample(asked, frame):
    cfg = asked.cfg
    times = frame[cfg["index"]]
    offset = pd.tseries.frequencies.to_offset(cfg["freq"])
    is_fixed = isinstance(offset, pd.offsets.Tick)
    period = pd.Timedelta(offset) if is_fixed else SHORTEST
    rows = (times.max() - times.min()) / period
    columns = len(cfg.get("columns") or frame.columns)
    columns *= 4 if cfg.get("agg") == "ohlc" else 1
    check_result(1 if pd.isna(rows) else 1 + int(rows), columns)


# Merge and stack ----------------------------------------------------------------------


def combined(asked):
    is_merge = asked.body.get("action") == "merge"
    datasets = json.loads(asked.body.get("datasets") or "[]")
    frames = [combine_data.build_df(each, is_merge) for each in datasets]
    if not is_merge:
        columns = set().union(*(frame.columns for frame in frames))
        check_cells(sum(map(len, frames)), len(columns))
        return
    # A key makes a row of each combination of the rows that have it; one that a frame
    # has not makes as many as if it had it once.
    counts = pd.concat(
        [frame.index.value_counts(dropna=False) for frame in frames], axis=1
    )
    rows = counts.fillna(1).prod(axis=1).sum()
    columns = counts.index.nlevels + sum(frame.shape[1] for frame in frames)
    check_cells(int(rows), columns)


# Duplicates, by type ------------------------------------------------------------------


@on_frame
def equal_columns(asked, frame):
    rows, columns = frame.shape
    pairs = columns * (columns - 1) // 2
    COLUMN_PAIRS.check(pairs)
    COMPARED.check(pairs * rows)


@on_frame
def equal_rows(asked, frame):
    sizes = frame.groupby(asked.cfg["group"], observed=True).size()
    if asked.get("action") == "test":
        GROUPS.check(int((sizes > 1).sum()))
    else:
        PASSED.check(len(sizes))
