"""Open tables of an upload, separately or joined into one."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext, ngettext

from ...exceptions import FrameError, InputRefused, LimitExceeded, SourceError
from ...workspace import Workspace
from ..steps import Opening, Steps, reading
from .pending import PendingUpload

# Errors about one of the tables. All others concern the site, and name no table.
OF_TABLE = InputRefused, LimitExceeded, SourceError


def open_tables(
    here: Workspace,
    pending: PendingUpload,
    numbers: Sequence[int],
    as_one: bool = False,
) -> Steps:
    """Open tables of an upload, all or none of them.

    Args:
        numbers: the positions of the tables.
        as_one: join them into one table. All must have the same columns.
    """
    from ...compat.combine import combine

    if pending.target and len(numbers) > 1 and not as_one:
        raise SourceError(gettext("Choose one table, or open them as one table."))
    with Opening(here, pending.target) as opening:
        tables: list[tuple[str, Any]] = []
        for part, number in enumerate(numbers):
            title = pending.title(number)
            try:
                data = yield from _read(pending, number, part, len(numbers))
                tables.append((title, data))
                if as_one:
                    _check_size(tables)
                else:
                    yield {"step": "opening"}
                    opening.open(
                        data,
                        name_of(pending, number),
                        origin_name=title,
                        import_options=pending.options_of(number).to_dict(),
                    )
                    tables.clear()
            except OF_TABLE as error:
                if len(numbers) == 1:
                    raise
                raise _with_title(error, title) from error
            del data
        if as_one:
            yield {"step": "opening"}
            joined = combine(tables, gettext("source"))
            name = _common_name(pending, numbers)
            opening.open(joined, name, origin_name=name)
        yield {"location": opening.location()}
    pending.discard()


def name_of(pending: PendingUpload, number: int) -> str:
    """Return the name of the frame for a table."""
    file, table = pending.tables[number]
    stem = PurePath(table.name).stem
    places = [(each, other.member) for each, other in pending.tables]
    is_only = places.count((file, table.member)) == 1
    return stem if table.sheet is None or is_only else f"{stem}: {table.sheet}"


def _common_name(pending, numbers):
    files = {pending.tables[number][0] for number in numbers}
    if len(files) == 1:
        return PurePath(pending.files[files.pop()]).stem
    more = len(numbers) - 1
    text = ngettext("%(name)s and %(more)s more", "%(name)s and %(more)s more", more)
    return text % {"name": name_of(pending, numbers[0]), "more": more}


def _read(pending, number, part, parts):
    from ...readers.process.client import Reader

    options = pending.options_of(number)
    with pending.opened(number) as (path, name), Reader(path, name) as reader:
        return (
            yield from reading(
                reader.read(options=options, misfits="missing"),
                part,
                parts,
                pending.title(number),
            )
        )


def _check_size(tables):
    from ...readers.limits import check_cells

    frames = [data.frame for _, data in tables]
    check_cells(sum(map(len, frames)), frames[0].shape[1] + 1)


def _with_title(error: FrameError, title: str) -> FrameError:
    text = gettext(
        "%(table)s: %(error)s None of the tables was opened. Correct this one, or open "
        "the others without it."
    )
    kind = next(kind for kind in OF_TABLE if isinstance(error, kind))
    return kind(text % {"table": title, "error": error})
