"""Check the size of new frames before they are created.

The tables in ``endpoint_bounds`` assign these checks to operations.
"""

import itertools
import json

import pandas as pd
from django.utils.translation import gettext as _
from dtale import combine_data
from dtale.utils import make_list

from ...exceptions import InputRefused
from ...quotas import check_cells
from .columns import has_texts, lengths, refuse_sums
from .limits import COLUMN_PAIRS, COMPARED, GROUPS, PASSED, RESULT, TEXT
from .operation import Operation, groups, on, on_frame

# A business hour is the shortest period without a fixed length.
SHORTEST = pd.Timedelta("1h")
# These aggregations are calculated group by group.
IN_PYTHON = "gmean", "str_joiner", "mad"
JOINS = "sum", "str_joiner"


def check_result(rows: int, columns: int) -> None:
    check_cells(rows, columns)
    RESULT.check(rows * columns)


# Reshapes, by type --------------------------------------------------------------------


@on("queried")
def pivot(operation: Operation, frame: pd.DataFrame) -> None:
    cfg = operation.cfg
    refuse_sums(frame, cfg["values"], [cfg.get("aggfunc")])
    rows, columns = (groups(frame, cfg[side]) for side in ("index", "columns"))
    check_result(rows, columns * len(cfg["values"]))


@on("queried")
def aggregate(operation: Operation, frame: pd.DataFrame) -> None:
    index, agg = operation.cfg.get("index"), operation.cfg["agg"]
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
def transpose(operation: Operation, frame: pd.DataFrame) -> None:
    names = operation.cfg.get("columns") or frame.columns
    check_result(len(names), len(frame))


@on("queried")
def resample(operation: Operation, frame: pd.DataFrame) -> None:
    cfg = operation.cfg
    times = frame[cfg["index"]]
    try:
        offset = pd.tseries.frequencies.to_offset(cfg["freq"])
    except ValueError as error:
        raise InputRefused(
            _(
                "%(offset)s is not an offset of pandas. Examples are D for days, W for "
                "weeks, ME for months, QE for quarters and YE for years."
            )
            % {"offset": repr(cfg["freq"][:50])}
        ) from error
    is_fixed = isinstance(offset, pd.offsets.Tick)
    period = pd.Timedelta(offset) if is_fixed else SHORTEST
    rows = (times.max() - times.min()) / period
    columns = len(cfg.get("columns") or frame.columns)
    columns *= 4 if cfg.get("agg") == "ohlc" else 1
    check_result(1 if pd.isna(rows) else 1 + int(rows), columns)


# Merge and stack ----------------------------------------------------------------------


def combined(operation: Operation) -> None:
    is_merge = operation.body.get("action") == "merge"
    datasets = json.loads(operation.body.get("datasets") or "[]")
    frames = [combine_data.build_df(each, is_merge) for each in datasets]
    if not is_merge:
        columns = set().union(*(frame.columns for frame in frames))
        check_cells(sum(map(len, frames)), len(columns))
        return
    # For each key, a merge combines each row that has the key with each such row of the
    # other frames. A frame without the key counts as if it had one row with it.
    counts = pd.concat(
        [frame.index.value_counts(dropna=False) for frame in frames], axis=1
    )
    rows = counts.fillna(1).prod(axis=1).sum()
    columns = counts.index.nlevels + sum(frame.shape[1] for frame in frames)
    check_cells(int(rows), columns)


# Duplicates, by type ------------------------------------------------------------------


@on_frame
def equal_columns(operation: Operation, frame: pd.DataFrame) -> None:
    rows, columns = frame.shape
    pairs = columns * (columns - 1) // 2
    COLUMN_PAIRS.check(pairs)
    COMPARED.check(pairs * rows)


@on_frame
def equal_rows(operation: Operation, frame: pd.DataFrame) -> None:
    names = operation.cfg["group"]
    if groups(frame, names, GROUPS.most) <= GROUPS.most:
        return
    sizes = frame.groupby(names, observed=True).size()
    if operation.get("action") == "test":
        GROUPS.check(int((sizes > 1).sum()))
    else:
        PASSED.check(len(sizes))
