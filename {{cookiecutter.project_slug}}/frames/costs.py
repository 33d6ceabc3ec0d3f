"""How much one of D-Tale's operations may take: each limit, with the reason for it.

``bounds`` says which operation has which. At its limit, an operation on a frame of a
million rows ends within 15 seconds and takes less than 300 MB beside the frame.
"""

from typing import NamedTuple

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .exceptions import LimitExceeded
from .formats import grouped


class Limit(NamedTuple):
    """The most of something, and what a person reads who asks for more."""

    most: int
    text: str

    def check(self, count):
        """Refuse more than the limit.

        Raises:
            LimitExceeded
        """
        if count > self.most:
            numbers = {"count": grouped(int(count)), "limit": grouped(self.most)}
            raise LimitExceeded(str(self.text) % numbers)


FEWER_ROWS = _("Filter the rows first.")


def _with(text, advice):
    return format_lazy("{} {}", text, advice)


# JSON is written in one go, in which no other request is answered. The grid asks for
# about sixty rows, so a screen of 5,000 columns is within it.
ANSWER = Limit(
    400_000,
    _(
        "This answer would have %(count)s cells, and it may have %(limit)s. Ask for "
        "fewer rows, or export the table as CSV."
    ),
)
# What is copied becomes the text of a clipboard.
COPY = Limit(
    5_000_000,
    _(
        "This would copy %(count)s cells, and it may copy %(limit)s. Choose fewer rows "
        "or columns, or export the table as CSV."
    ),
)
# A float takes 8 bytes, and pandas makes a second copy while it arranges the result.
RESULT = Limit(
    20_000_000,
    _(
        "The result would have %(count)s cells, and it may have %(limit)s. Choose "
        "columns with fewer different values, or filter the rows first."
    ),
)
# pandas writes the bin of each row as text, in which no other request is answered.
BINNED = Limit(
    125_000,
    _with(
        _(
            "This would put %(count)s rows into bins of text, and there may be %(limit)s."
        ),
        FEWER_ROWS,
    ),
)
# No screen has more points across. Each is compared with each row for the density.
BINS = Limit(
    1_000,
    _("You have asked for %(count)s bins, and there may be %(limit)s. Choose fewer."),
)
DENSITY = Limit(
    200_000_000,
    _with(
        _(
            "This histogram would compare %(count)s pairs of a bin and a row, and it "
            "may compare %(limit)s. Choose fewer bins."
        ),
        FEWER_ROWS,
    ),
)
# A list of values that is longer is of no use to anybody.
TOP = Limit(
    10_000,
    _("You have asked for %(count)s values, and there may be %(limit)s. Choose fewer."),
)
# Python calculates each of these groups by itself, which takes about half a millisecond.
GROUPS = Limit(
    10_000,
    _with(
        _(
            "There would be %(count)s groups, and there may be %(limit)s here. Group by "
            "columns with fewer different values."
        ),
        FEWER_ROWS,
    ),
)
# The same where each is only looked at.
PASSED = Limit(200_000, GROUPS.text)
# D-Tale draws 30, and lists the others for choosing some.
CHART_GROUPS = Limit(
    1_000,
    _(
        "The columns to group by have %(count)s different values, and they may have "
        "%(limit)s in a chart. Choose columns with fewer, or filter the rows first."
    ),
)
# A chart is sent as text with all of its values, and a browser draws each.
CHART = Limit(
    400_000,
    _(
        "This chart would have %(count)s values, and it may have %(limit)s. Choose an "
        "aggregation or fewer columns, or filter the rows first."
    ),
)
# A histogram shows the bins alone, but D-Tale writes each value first: a million take
# 21 s of a busy core.
HISTOGRAM = Limit(
    700_000,
    _with(
        _("This histogram would read %(count)s values, and it may read %(limit)s."),
        FEWER_ROWS,
    ),
)
# Each range is looked up by itself. The grid asks for a few.
RANGES = Limit(
    1_000,
    _(
        "You have asked for %(count)s ranges of rows, and there may be %(limit)s. Ask for fewer."
    ),
)
# Each cell of a heatmap has a text of its own, and so has each that is empty.
HEATMAP = Limit(
    100_000,
    _(
        "This chart would have %(count)s cells, one for each pair of values of its two "
        "axes, and it may have %(limit)s. Choose columns with fewer different values, "
        "or filter the rows first."
    ),
)
# Each row is compared with each other one.
ROW_PAIRS = Limit(
    25_000_000,
    _with(
        _("This would compare %(count)s pairs of rows, and it may compare %(limit)s."),
        FEWER_ROWS,
    ),
)
# More would not fit on a screen, and each pair is a cell of the answer.
COLUMN_PAIRS = Limit(
    100_000,
    _(
        "This would compare %(count)s pairs of columns, and it may compare %(limit)s. "
        "Delete columns that you do not need, or work on a copy with fewer."
    ),
)
# Pairs of columns, times the rows in which they are compared.
COMPARED = Limit(
    2_000_000_000,
    _(
        "This would compare %(count)s pairs of cells, and it may compare %(limit)s. "
        "Filter the rows first, or work on a copy with fewer columns."
    ),
)
# Each pair trains and tests several decision trees, for a tenth of a second.
SCORES = Limit(
    110,
    _(
        "This would calculate %(count)s scores, one for each pair of columns, and it "
        "may calculate %(limit)s. Work on a copy with fewer columns."
    ),
)
# A picture has room for the names of so many columns.
PICTURE = Limit(
    200,
    _(
        "This picture would show %(count)s columns, and it has room for %(limit)s. "
        "Work on a copy with fewer columns."
    ),
)
# Each pair has a number of its own there.
PAIRS_PICTURE = Limit(60, PICTURE.text)
# A picture of all rows has a point for each cell, which takes 24 bytes and more.
PICTURE_CELLS = Limit(
    5_000_000,
    _(
        "This picture would show %(count)s cells, and it has room for %(limit)s. Work "
        "on a copy with fewer rows."
    ),
)
# A cell is sent and drawn as a whole, sixty rows at a time.
TEXT = Limit(
    1_000_000,
    _(
        "The longest text would have %(count)s characters, and a text may have "
        "%(limit)s. Shorten the texts first."
    ),
)
# Python's own texts take twice their characters and more while they are made.
COLUMN_OF_TEXT = Limit(
    50_000_000,
    _(
        "The new column would have %(count)s characters, and it may have %(limit)s. "
        "Shorten the texts first, or use fewer rows."
    ),
)
# Python throws the dice for each character.
RANDOM = Limit(
    20_000_000,
    _(
        "The new column would have %(count)s random characters, and it may have "
        "%(limit)s. Choose a shorter length."
    ),
)
# Python converts cell by cell.
CONVERTED = Limit(
    5_000_000,
    _(
        "This would convert up to %(count)s cells, and it may convert %(limit)s at once. "
        "Convert the columns one by one."
    ),
)
# Cleaners read each text character by character, or word by word.
CLEANING = Limit(
    100_000_000,
    _(
        "This would go through %(count)s characters, and it may go through %(limit)s. "
        "Choose fewer cleaners or stop words, or use fewer rows."
    ),
)
# Each character of a text is compared with each of the other, in Python: three million
# take about a second.
SIMILARITY = Limit(
    20_000_000,
    _(
        "This would compare %(count)s pairs of characters, and it may compare %(limit)s."
        " Shorten the texts first, for example with Substring, or use fewer rows."
    ),
)
# Of pandas, which multiplies each row with each weight of a window.
WEIGHTS = Limit(
    2_000_000_000,
    _(
        "This would multiply %(count)s numbers, the rows by those of the window, and it "
        "may multiply %(limit)s. Choose a shorter window, or none of its types."
    ),
)
# A browser lets nobody move more, and D-Tale keeps half a kilobyte for each.
EDGES = Limit(
    20_000,
    _with(
        _("This network would have %(count)s edges, and it may have %(limit)s."),
        _("Work on a copy with fewer rows."),
    ),
)
# D-Tale shows a time series of 15,000 times, and one of its filters compares each time
# with each other.
TIMES = Limit(
    15_000,
    _(
        "This time series would have %(count)s times, and it may have %(limit)s. "
        "Resample it first, or filter the rows."
    ),
)
# Trend lines that follow the points weigh each against its neighbours.
TREND = Limit(
    10_000,
    _(
        "This trend line would follow %(count)s points, and it may follow %(limit)s. "
        "Choose a straight one, or filter the rows first."
    ),
)
# pandas reads a date in a form that it does not know by trial, text by text.
DATES = Limit(
    50_000,
    _(
        "The form of these dates is not known, and they are %(count)s different texts, "
        "of which %(limit)s can be tried. Say which format they have."
    ),
)
# All rows are compared with each value to replace.
REPLACEMENTS = Limit(
    100,
    _(
        "You have given %(count)s values to replace, and there may be %(limit)s at "
        "once. Replace the others afterwards."
    ),
)
