"""A SQL query as a data source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS


@dataclass(frozen=True)
class Sql:
    """A query of one of the site's databases, which ``explore`` and ``publish`` accept.

    The text is a single SELECT, and is part of your code: never put input of visitors
    into it, but into ``params``.

    Attributes:
        text: the query, with a placeholder %s or %(name)s for each parameter. If there
            are parameters, write %% for a percent sign.
        params: the values of the placeholders.
        using: the alias of the database in DATABASES.
    """

    text: str
    params: Sequence[Any] | Mapping[str, Any] = ()
    using: str = DEFAULT_DB_ALIAS
