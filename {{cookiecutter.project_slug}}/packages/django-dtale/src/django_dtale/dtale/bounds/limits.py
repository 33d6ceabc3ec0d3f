"""The limits of D-Tale's operations, each with its reason.

``endpoint_bounds`` assigns the limits to operations. At its limit, an operation on a
frame of a million rows ends within 15 seconds and takes less than 300 MB in addition to
the frame.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ...exceptions import LimitExceeded
from ...formats import format_number


class Limit(NamedTuple):
    """A maximum count, and the message for people who exceed it."""

    most: int
    text: str | Promise

    def check(self, count: float) -> None:
        """Refuse a count that exceeds the limit.

        Raises:
            LimitExceeded
        """
        if count > self.most:
            numbers = {
                "count": format_number(int(count)),
                "limit": format_number(self.most),
            }
            raise LimitExceeded(str(self.text) % numbers)


FEWER_ROWS = _("Filter the rows first.")


def _with(text, advice):
    return format_lazy("{} {}", text, advice)


# All other requests are blocked while JSON is written. The grid requests about sixty
# rows, so a screen of 5,000 columns is within this limit.
ANSWER = Limit(
    400_000,
    _(
        "This response would have %(count)s cells; the limit is %(limit)s. Request "
        "fewer rows, or export the table as CSV."
    ),
)
# The copied cells become text on the clipboard.
COPY = Limit(
    5_000_000,
    _(
        "This would copy %(count)s cells; the limit is %(limit)s. Choose fewer rows "
        "or columns, or export the table as CSV."
    ),
)
# A float takes 8 bytes, and pandas makes a second copy while it arranges the result.
RESULT = Limit(
    20_000_000,
    _(
        "The result would have %(count)s cells; the limit is %(limit)s. Choose "
        "columns with fewer different values, or filter the rows first."
    ),
)
# All other requests are blocked while pandas writes the bin of each row as text.
BINNED = Limit(
    125_000,
    _with(
        _("This would assign %(count)s rows to labeled bins; the limit is %(limit)s."),
        FEWER_ROWS,
    ),
)
# More bins would be narrower than the pixels of a screen. For the density, each bin is
# compared with each row.
BINS = Limit(
    1_000,
    _("You requested %(count)s bins; the limit is %(limit)s. Choose fewer."),
)
DENSITY = Limit(
    200_000_000,
    _with(
        _(
            "This histogram would need %(count)s comparisons of bins with rows; the "
            "limit is %(limit)s. Choose fewer bins."
        ),
        FEWER_ROWS,
    ),
)
# A longer list of values would not be useful.
TOP = Limit(
    10_000,
    _("You requested %(count)s values; the limit is %(limit)s. Choose fewer."),
)
# Python calculates these groups one by one, which takes half a millisecond for each.
GROUPS = Limit(
    10_000,
    _with(
        _(
            "The result would have %(count)s groups; the limit is %(limit)s. Group by "
            "columns with fewer distinct values."
        ),
        FEWER_ROWS,
    ),
)
# This is the limit for groups that are calculated together.
PASSED = Limit(200_000, GROUPS.text)
# D-Tale draws 30 groups, and lists the others so that users can choose from them.
CHART_GROUPS = Limit(
    1_000,
    _(
        "The columns to group by have %(count)s distinct values; the limit for charts "
        "is %(limit)s. Choose columns with fewer distinct values, or filter the rows "
        "first."
    ),
)
# A chart is sent as text that contains all of its values, and the browser draws each
# value.
CHART = Limit(
    400_000,
    _(
        "This chart would have %(count)s values; the limit is %(limit)s. Choose an "
        "aggregation or fewer columns, or filter the rows first."
    ),
)
# A histogram shows only the bins, but D-Tale writes each value first: a million values
# take 21 s on a busy core.
HISTOGRAM = Limit(
    700_000,
    _with(
        _("This histogram would read %(count)s values; the limit is %(limit)s."),
        FEWER_ROWS,
    ),
)
# Each range is looked up separately, and the grid requests only a few ranges.
RANGES = Limit(
    1_000,
    _("You requested %(count)s ranges of rows; the limit is %(limit)s. Request fewer."),
)
# Each cell of a heatmap has its own text, even if it is empty.
HEATMAP = Limit(
    100_000,
    _(
        "This chart would have %(count)s cells, one for each pair of values of its "
        "two axes; the limit is %(limit)s. Choose columns with fewer different "
        "values, or filter the rows first."
    ),
)
# Each row is compared with every other row.
ROW_PAIRS = Limit(
    25_000_000,
    _with(
        _("This would compare %(count)s pairs of rows; the limit is %(limit)s."),
        FEWER_ROWS,
    ),
)
# More pairs would not fit on a screen, and each pair is a cell of the response.
COLUMN_PAIRS = Limit(
    100_000,
    _(
        "This would compare %(count)s pairs of columns; the limit is %(limit)s. "
        "Delete columns that you do not need, or work on a copy with fewer."
    ),
)
# The number of pairs of columns, multiplied by the number of rows.
COMPARED = Limit(
    2_000_000_000,
    _(
        "This would compare %(count)s pairs of cells; the limit is %(limit)s. Filter "
        "the rows first, or work on a copy with fewer columns."
    ),
)
# Each pair trains and tests several decision trees, which takes a tenth of a second.
SCORES = Limit(
    110,
    _(
        "This would calculate %(count)s scores, one for each pair of columns; the "
        "limit is %(limit)s. Work on a copy with fewer columns."
    ),
)
# An image has room for the names of this many columns.
PICTURE = Limit(
    200,
    _(
        "This image would show %(count)s columns; the limit is %(limit)s. Work on a "
        "copy with fewer columns."
    ),
)
# These images show a number for each pair of columns.
PAIRS_PICTURE = Limit(60, PICTURE.text)
# The grid loads the complete text of each cell, for sixty rows at a time.
TEXT = Limit(
    1_000_000,
    _(
        "The longest text would have %(count)s characters; the limit is %(limit)s. "
        "Shorten the texts first."
    ),
)
# While a Python string is built, it takes at least two bytes for each character.
COLUMN_OF_TEXT = Limit(
    50_000_000,
    _(
        "The new column would have %(count)s characters; the limit is %(limit)s. "
        "Shorten the texts first, or use fewer rows."
    ),
)
# Python chooses the characters one by one.
RANDOM = Limit(
    20_000_000,
    _(
        "The new column would have %(count)s random characters; the limit is "
        "%(limit)s. Choose a shorter length."
    ),
)
# Python converts the cells one by one.
CONVERTED = Limit(
    5_000_000,
    _(
        "This would convert up to %(count)s cells; the limit is %(limit)s. Convert "
        "the columns one by one."
    ),
)
# Cleaners read each text character by character, or word by word.
CLEANING = Limit(
    100_000_000,
    _(
        "This would process %(count)s characters; the limit is %(limit)s. Choose "
        "fewer cleaners or stop words, or use fewer rows."
    ),
)
# Python compares each character of a text with each character of the other text: three
# million pairs take about a second.
SIMILARITY = Limit(
    20_000_000,
    _(
        "This would compare %(count)s pairs of characters; the limit is %(limit)s. "
        "Shorten the texts first, for example with Substring, or use fewer rows."
    ),
)
# pandas multiplies each row with each weight of a window.
WEIGHTS = Limit(
    2_000_000_000,
    _(
        "This would need %(count)s multiplications (rows times window size); the "
        "limit is %(limit)s. Choose a shorter window, or no window type."
    ),
)
# Browsers cannot move more edges smoothly, and D-Tale stores half a kilobyte for each
# edge.
EDGES = Limit(
    20_000,
    _with(
        _("This network would have %(count)s edges; the limit is %(limit)s."),
        _("Work on a copy with fewer rows."),
    ),
)
# D-Tale can show a time series of 15,000 points, and one of its filters compares each
# point in time with every other one.
TIMES = Limit(
    15_000,
    _(
        "This time series would have %(count)s points in time; the limit is "
        "%(limit)s. Resample it first, or filter the rows."
    ),
)
# A LOWESS trend line weights each point against its neighbors.
TREND = Limit(
    10_000,
    _(
        "This trend line would be fitted to %(count)s points; the limit is %(limit)s. "
        "Choose a linear trend line, or filter the rows first."
    ),
)
# If the format is unknown, pandas parses each distinct date by trial and error.
DATES = Limit(
    50_000,
    _(
        "The format of these dates is unknown, and %(count)s distinct texts are too "
        "many to guess it; the limit is %(limit)s. Enter the date format."
    ),
)
# All rows are compared with each value to replace.
REPLACEMENTS = Limit(
    100,
    _(
        "You entered %(count)s values to replace; the limit is %(limit)s. Replace the "
        "others afterwards."
    ),
)
