"""What somebody asks one of D-Tale's operations to do, and on which rows.

Functions of ``dtale.query`` are looked up there each time: they are replaced after this
is imported.
"""

import functools
import json

from django.utils.translation import gettext as _
from dtale import global_state, query
from dtale.utils import get_bool_arg
from flask import request

from .exceptions import InputRefused, LimitExceeded


class Asked:
    """A request for an operation on a frame.

    Args:
        args: the parts of its path, by name.
    """

    def __init__(self, **args):
        self.args = args
        self.data_id = args.get("data_id")

    def get(self, name, default=None):
        """Return a parameter as text, as D-Tale reads it: an empty one is none."""
        return request.args.get(name) or default

    def json(self, name, default=None):
        return json.loads(self.get(name, "null")) or default

    @functools.cached_property
    def cfg(self):
        return self.json("cfg", {})

    @functools.cached_property
    def body(self):
        return request.json

    @functools.cached_property
    def frame(self):
        return global_state.get_data(self.data_id)

    @functools.cached_property
    def filtered(self):
        """The rows that all filters leave."""
        chosen = global_state.get_query(self.data_id)
        text = query.build_query(self.data_id, chosen)
        return self.run(query.handle_predefined(self.data_id), text)

    @functools.cached_property
    def queried(self):
        """The rows that the custom filter leaves, which is all that some ask for."""
        return self.run(self.frame, global_state.get_query(self.data_id))

    @functools.cached_property
    def filtered_if_asked(self):
        return self.filtered if get_bool_arg(request, "filtered") else self.frame

    def run(self, frame, text):
        context = global_state.get_context_variables(self.data_id)
        return query.run_query(frame, text, context, ignore_empty=True)


def on(rows):
    """Let a measure look at the whole frame, and only if that has too much, at the rows
    that a filter leaves: filters take time, and few frames have too much.

    Args:
        rows: the name of an attribute of ``Asked``.
    """

    def wrap(measure):
        @functools.wraps(measure)
        def measured(asked):
            try:
                measure(asked, asked.frame)
            except LimitExceeded:
                fewer = getattr(asked, rows)
                if len(fewer) == len(asked.frame):
                    raise
                measure(asked, fewer)

        return measured

    return wrap


def on_frame(measure):
    """Let a measure look at the whole frame, as its operation does."""
    return functools.wraps(measure)(lambda asked: measure(asked, asked.frame))


def groups(frame, names):
    """Return how many groups these columns (a name or names) make of a frame."""
    return frame.groupby(names, observed=True, dropna=False).ngroups


def check_names(asked):
    """Refuse a column that is named twice in one list: it would be there twice."""
    lists = list(lists_in(asked.cfg))
    for name in ("cols", "y", "group", "operator", "measurements"):
        lists += lists_in(asked.json(name))
    for names in lists:
        texts = [each for each in names if isinstance(each, str)]
        if len(set(texts)) < len(texts) and set(texts) & set(asked.frame.columns):
            raise InputRefused(_("A column is chosen twice. Choose each of them once."))


def lists_in(value):
    """Yield the lists of a configuration and of its parts."""
    if isinstance(value, list):
        yield value
    if isinstance(value, dict):
        for each in value.values():
            yield from lists_in(each)
