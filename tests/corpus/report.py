"""Count the results for all files, and print them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .comparison import Comparison
from .files import DataFile
from .opening import Outcome

MAX_REFUSED, MAX_ASKED = 0.002, 0.05


@dataclass
class Line:
    """The counts of the files of a kind, or of a package.

    Attributes:
        files: the number of files.
        cells: the number of cells that were compared.
        wrong: the number of those that are wrong.
        wrong_files: the number of files with a wrong cell.
        refused: the number of files that have a table and were not opened.
        asked: the number of files that were opened after a question.
        no_table: the number of files that have no table to compare with.
        seconds: the time to open the files.
    """

    files: int = 0
    cells: int = 0
    wrong: int = 0
    wrong_files: int = 0
    refused: int = 0
    asked: int = 0
    no_table: int = 0
    seconds: float = 0.0


@dataclass
class Report:
    """The counts by kind and by package, and how often each question was asked.

    Attributes:
        title: the name of the set of files.
    """

    title: str
    kinds: dict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    packages: dict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    total: Line = field(default_factory=Line)
    questions: Counter[str] = field(default_factory=Counter)

    def add(
        self, file: DataFile, outcome: Outcome, compared: Comparison | str | None
    ) -> list[str]:
        """Count a file, and return remarks about it.

        Args:
            compared: the result of `check`.
        """
        for line in (self.kinds[file.kind], self.packages[file.package], self.total):
            line.files += 1
            line.refused += compared is None
            line.asked += bool(outcome.questions)
            line.seconds += outcome.seconds
            line.no_table += isinstance(compared, str)
            if isinstance(compared, Comparison):
                line.cells += compared.cells
                line.wrong += compared.wrong
                line.wrong_files += bool(compared.wrong)
        self.questions.update(outcome.questions)
        remarks = [f"{title}: {text}" for title, text in _remarks(outcome, compared)]
        return [f"{file.package}/{file.name}\n    {each}" for each in remarks]

    def show(self) -> str:
        """Return the tables and the remarks as text."""
        parts = [self._table("kind", self.kinds), self._table("package", self.packages)]
        if self.questions:
            asked = (f"{n:6}  {text}" for text, n in self.questions.most_common())
            parts.append("\n".join(["questions", *asked]))
        return "\n\n".join([*parts, self.summary()])

    def summary(self) -> str:
        """Return the goals and the results."""
        total = self.total
        files = max(total.files - total.no_table, 1)
        return (
            f"{self.title}: {total.files:,} files, {total.cells:,} cells: "
            f"{total.wrong:,} wrong in {total.wrong_files} files (goal 0), "
            f"{total.refused} refused = {total.refused / files:.2%} "
            f"(goal {MAX_REFUSED:.1%}), "
            f"{total.asked} asked = {total.asked / files:.1%} (goal {MAX_ASKED:.0%})"
        )

    def _table(self, title: str, lines: dict[str, Line]) -> str:
        head = (
            f"{title:22} {'files':>6} {'cells':>12} {'wrong':>9} "
            f"{'in files':>8} {'refused':>8} {'asked':>6} "
            f"{'no table':>9} {'seconds':>8}"
        )
        shown = [head]
        for name, line in [*sorted(lines.items()), ("total", self.total)]:
            shown.append(
                f"{name[:22]:22} {line.files:6} {line.cells:12,} {line.wrong:9,} "
                f"{line.wrong_files:8} {line.refused:8} {line.asked:6} "
                f"{line.no_table:9} {line.seconds:8.1f}"
            )
        return "\n".join(shown)


def _remarks(outcome, compared):
    """Yield a title and a text for each result that needs attention."""
    if outcome.refusal:
        yield "refused", outcome.refusal
    for question in outcome.questions:
        yield "asked", question
    if isinstance(compared, str):
        yield "no table", compared
    if not isinstance(compared, Comparison):
        return
    if compared.left_out:
        rows = compared.left_out
        yield "left out", f"{len(rows)} rows, such as {str(rows[0])[:100]}"
    if compared.left_over:
        yield "compared in part", f"{compared.left_over} cells are left"
    if compared.wrong:
        examples = "".join(f"\n        {each}" for each in compared.examples[:8])
        yield "wrong", f"{compared.wrong} of {compared.cells} cells{examples}"
