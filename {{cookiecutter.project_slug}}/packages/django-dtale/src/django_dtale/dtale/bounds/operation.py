"""A request for one of D-Tale's operations, and the rows that it applies to.

The functions of ``dtale.query`` are looked up on each call, because they are patched
after this module is imported.
"""

import contextlib
import functools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _
from dtale import global_state, query
from dtale.utils import get_bool_arg, make_list
from werkzeug import Request

from ...exceptions import InputRefused, LimitExceeded
from ..patches.fast.codes import count_distinct


class Operation:
    """A request for an operation on a frame.

    Args:
        request: The request, before Flask sees it.
        args: The variable parts of its path, keyed by name.
    """

    def __init__(self, request: Request, args: dict[str, str]) -> None:
        self.request = request
        self.args = args
        self.data_id = args.get("data_id")

    def get(self, name: str, default: Any = None) -> Any:
        """Return a parameter as text; like D-Tale, treat an empty one as missing."""
        return self.request.args.get(name) or default

    def json(self, name: str, default: Any = None) -> Any:
        return json.loads(self.get(name, "null")) or default

    @functools.cached_property
    def cfg(self) -> Any:
        return self.json("cfg", {})

    @functools.cached_property
    def body(self) -> Any:
        return self.request.json

    @functools.cached_property
    def frame(self) -> pd.DataFrame:
        return global_state.get_data(self.data_id)

    @functools.cached_property
    def filtered(self) -> pd.DataFrame:
        """The rows that remain after all filters."""
        chosen = global_state.get_query(self.data_id)
        text = query.build_query(self.data_id, chosen)
        return self.run(query.handle_predefined(self.data_id), text)

    @functools.cached_property
    def queried(self) -> pd.DataFrame:
        """The rows that the custom filter keeps. Some operations use only this one."""
        return self.run(self.frame, global_state.get_query(self.data_id))

    @functools.cached_property
    def filtered_if_requested(self) -> pd.DataFrame:
        return self.filtered if get_bool_arg(self.request, "filtered") else self.frame

    def run(self, frame: pd.DataFrame, text: str) -> pd.DataFrame:
        context = global_state.get_context_variables(self.data_id)
        return query.run_query(frame, text, context, ignore_empty=True)


# A check refuses an operation that would be too large.
Check = Callable[[Operation], None]
FrameCheck = Callable[[Operation, pd.DataFrame], None]


def on(rows: str) -> Callable[[FrameCheck], Check]:
    """Run a check on the whole frame, and if it fails, on the filtered rows.

    Filtering takes time, and few frames exceed a limit.

    Args:
        rows: The name of the attribute of ``Operation`` that contains the filtered
            rows.
    """

    def wrap(check: FrameCheck) -> Check:
        @functools.wraps(check)
        def checked(operation: Operation) -> None:
            try:
                check(operation, operation.frame)
            except LimitExceeded:
                fewer = getattr(operation, rows)
                if len(fewer) == len(operation.frame):
                    raise
                check(operation, fewer)

        return checked

    return wrap


def on_frame(check: FrameCheck) -> Check:
    """Run a check on the whole frame, because the operation ignores filters."""
    return functools.wraps(check)(lambda operation: check(operation, operation.frame))


def groups(frame: pd.DataFrame, names: str | Sequence[str], few: int = 0) -> int:
    """Return the number of groups that one or more columns form in a frame.

    Grouping a long frame takes longer than counting the values of its columns. If these
    can form only a few groups, their product is returned.

    Args:
        few: The largest product that may be returned.
    """
    names = make_list(names)
    if few or len(names) == 1:
        most = math.prod(count_distinct(frame[name], dropna=False) for name in names)
        if most <= few or len(names) == 1:
            return most
    return frame.groupby(names, observed=True, dropna=False).ngroups


def unknown_kind(kind: object) -> InputRefused:
    """Return the exception for an unknown kind of operation or chart."""
    return InputRefused(
        _("%(kind)s is not an available operation.") % {"kind": repr(str(kind)[:50])}
    )


def check_names(operation: Operation) -> None:
    """Refuse a list that names a column twice: the result would contain it twice."""
    lists = list(lists_in(operation.cfg))
    for name in ("cols", "y", "group", "operator", "measurements"):
        # The group of a network is the name of a column, and no JSON.
        with contextlib.suppress(json.JSONDecodeError):
            lists += lists_in(operation.json(name))
    for names in lists:
        texts = [each for each in names if isinstance(each, str)]
        if len(set(texts)) < len(texts) and set(texts) & set(operation.frame.columns):
            raise InputRefused(
                _("A column is selected twice. Select each column once.")
            )


def lists_in(value: object) -> Iterator[list]:
    """Yield the lists in a configuration and in the objects that it contains."""
    if isinstance(value, list):
        yield value
    if isinstance(value, dict):
        for each in value.values():
            yield from lists_in(each)
