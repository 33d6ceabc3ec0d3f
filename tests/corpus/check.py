"""Open a file as an upload does, and compare it with an independent reading."""

from .comparison import Comparison, compare
from .files import DataFile
from .independent import is_blank, read
from .opening import Outcome, open_file
from .structure import objections
from .table import NotComparable


def check(file: DataFile) -> tuple[Outcome, Comparison | str | None]:
    """Return the outcome, and the comparison.

    The comparison is a text if there is nothing to compare with: the file has no table,
    or another library cannot read it. It is None if the file was refused for any other
    reason.
    """
    outcome = open_file(file.path, file.path.name)
    try:
        if outcome.refusal and file.kind in ("CSV", "TSV", "Excel"):
            return outcome, "it is empty" if is_blank(file.path, file.kind) else None
        table = read(file.path, file.kind, outcome.options)
    except NotComparable as reason:
        return outcome, str(reason)
    if outcome.refusal:
        return outcome, None if table.columns else "it is empty"
    result = compare(table, outcome)
    if table.is_text:
        for each in objections(file.path, outcome.options, outcome.questions):
            result.wrong = max(result.wrong, result.cells, 1)
            result.examples.append(each)
    return outcome, result
