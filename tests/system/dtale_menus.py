"""D-Tale's menus: how a browser opens each of them, and their entries."""

import re
from dataclasses import dataclass

PICTURES = {
    "fa fa-filter align-bottom pointer": "filter icon",
    "ico-info pointer": "information icon",
}


@dataclass(frozen=True)
class Menu:
    """A menu of the grid: the CSS selectors of its opener and of the menu itself."""

    opener: str
    element: str

    def open(self, page):
        if page.locator(self.element).is_visible():  # A pinned menu is always open.
            return
        # The ribbon appears when the mouse is at the top of the page.
        page.mouse.move(640, 1)
        page.locator(self.opener).first.click()

    def entries(self, page):
        """Return the locators of all clickable entries in the open menu."""
        page.locator(self.element).locator("li").first.wait_for()
        pressed = (
            "li button:not([disabled]), li i.pointer, li input.form-control, "
            "li .Select__control"
        )
        # An entry without a button, icon or field is itself clickable.
        alone = "li:not(:has(button, i.pointer, input))"
        return page.locator(self.element).locator(f"{pressed}, {alone}").all()


def name_of(entry):
    """Return the text of an entry without digits, or the name of its icon."""
    text = re.sub(r"[\d\s]+", " ", entry.inner_text()).strip()
    name = text or entry.get_attribute("title") or entry.get_attribute("class")
    return PICTURES.get(name, name)


def column(name):
    # The header of a sorted column also contains an arrow.
    text = f":text-matches('^[^a-z]*{name}$')"
    return Menu(f".headerCell:has(.text-nowrap{text})", "#column-menu-div")


def ribbon(item):
    return Menu(f"#ribbon-item-{item}", "[data-testid=ribbon-dropdown]")


MAIN = Menu(".grid-menu", "[data-testid=data-viewer-menu]")


# The effect of each entry, and a CSS selector for its content -------------------------


@dataclass(frozen=True)
class Comes:
    """The effect of an entry: something that opens or happens when it is pressed.

    Args:
        kind: The name of the effect in the table.
        where: A CSS selector, the path of D-Tale's page in a new tab, or the route of a
            request.
        content: The CSS selector of an element that must appear in it.
    """

    kind: str
    where: str
    content: str = ""


def dialog(name, content="button"):
    return Comes("a dialog", f".modal.show{name and f'.{name}'}", content)


def panel(name, content):
    return Comes("a panel", f".side-panel-content.is-expanded.{name}", content)


def tab(path, content):
    return Comes("a tab", path, content)


def answer(route):
    return Comes("a request", route)


def look(css):
    """Return the effect that the matching elements change their appearance."""
    return Comes("on the page", css)


# The only check for this effect is that pressing the entry does not fail.
PRESSED = Comes("on the page", "")
CELLS = ".cell, .headerCell"
ENTRIES = {
    "Describe": tab("popup/describe", "text=Column Name"),
    "Custom Filter": panel("filter", "textarea"),
    "Show/Hide Columns": panel("show_hide", "text=number"),
    "Dataframe Functions": dialog("build"),
    "Clean Column": dialog("cleaners"),
    "Merge & Stack": tab("popup/merge", "text=Example"),
    "Summarize Data": dialog("reshape"),
    "Time Series Analysis": panel("timeseries_analysis", ".hpfilter-inputs"),
    "Duplicates": dialog("duplicates"),
    "Missing Analysis": panel("missingno", "img"),
    "Feature Analysis": panel("corr_analysis", "text=amount"),
    "Correlations": panel("correlations", ".cell, canvas"),
    "Predictive Power Score": panel("pps", ".cell, canvas"),
    "Charts": tab("charts", "text=Wordcloud"),
    "Network Viewer": tab("network", "text=Shortest Path"),
    "By Col": look(CELLS),
    "Overall": look(CELLS),
    "Highlight Dtypes": look(CELLS),
    "Highlight Missing": look(CELLS),
    "Highlight Outliers": look(CELLS),
    "Highlight Range": dialog("range"),
    "Low Variance Flag": look(CELLS),
    "Gage R & R": panel("gage_rnr", "text=Operator"),
    "Raw Pandas Output": tab("popup/raw-pandas", "text=RangeIndex"),
    "Instances": dialog("instances", "text=data"),
    "Code Export": tab("popup/code-export", "text=import pandas"),
    "Export": dialog("export"),
    "Load Data": tab("../../frames/", "form.upload"),
    "Refresh Widths": PRESSED,
    "About": dialog("about", "text=3.22"),
    "Dark": answer("update-theme"),
    "Light": answer("update-theme"),
    "Reload Data": answer("data/"),
    "Pin menu": answer("update-pin-menu"),
    "PT": answer("update-language"),
    "CN": answer("update-language"),
    "EN": answer("update-language"),
}
SETTINGS = {  # Only the ribbon has these entries.
    "Show All Heatmap Columns": PRESSED,
    "Vertical Column Headers": answer("update-settings"),
    "Hide Header Editor": answer("update-settings"),
    "Hide Row Expanders": answer("update-settings"),
}
MENU = "#column-menu-div"
COLUMN_ENTRIES = {
    "Asc": answer("data/"),
    "Desc": answer("data/"),
    "Move Column To Front": answer("update-column-position"),
    "Move Column Right": answer("update-column-position"),
    "Move Column Left": answer("update-column-position"),
    "Move Column To Back": answer("update-column-position"),
    "Lock": answer("update-locked"),
    "Unlock": answer("update-locked"),
    "Delete": dialog("confirm"),
    "Rename": dialog("rename"),
    "Duplicate": answer("duplicate-col"),
    "Replacements": dialog("replacement"),
    "Type Conversion": dialog("type-conversion"),
    "Duplicates": dialog("duplicates"),
    "Describe(Column Analysis)": panel("describe", "canvas"),
    "Variance Report": dialog("variance", "text=Variance"),
    "information icon": tab("calculation/", "text=distribution"),
    "Aggregations": panel("aggregations", "text=Weighted Avg"),
    "Formats": dialog("", "text=Precision"),
    "Heat Map": look(CELLS),
    "filter icon": dialog("filter", "textarea"),
    "≠": look(MENU),
    "<": look(MENU),
    ">": look(MENU),
    "<=": look(MENU),
    ">=": look(MENU),
    "[]": look(MENU),
    "()": look(MENU),
    "Aa": look(MENU),
    "equals": look(MENU),
    "Select...": look(MENU),
    # This entry is last because it hides the column.
    "Hide": answer("update-visibility"),
}
# The ribbon's list of data opens and deletes frames. test_prefix.py tests how it opens
# them.
DATA = {"Other Data", "- data", "Clear Data", "ico-delete mt-auto mb-auto pointer pr-3"}
# These entries only show information.
SAYS = {"Data Type:int", "Data Type:str", "Data Type:datetime [us]", "Data Type:bool"}
COLUMNS = "number", "text", "day", "flag"
RIBBON = "main", "actions", "visualize", "highlight", "settings"

# D-Tale opens these pages as windows if a dialog does not fit on the screen.
WINDOWS = {
    "Describe": ("popup/describe/{}", "text=Column Name"),
    "Custom Filter": ("popup/filter/{}", "textarea"),
    "Dataframe Functions": ("popup/build/{}", "text=Create"),
    "Clean Column": ("popup/cleaners/{}?selectedCol=text", "text=Remove Punctuation"),
    "Merge & Stack": ("popup/merge", "text=Example"),
    "Summarize Data": ("popup/reshape/{}", "text=GroupBy"),
    "Duplicates": ("popup/duplicates/{}", "text=View Duplicates"),
    "Correlations": ("popup/correlations/{}", "text=Pearson"),
    "Predictive Power Score": ("popup/pps/{}", "text=Predictive Power Score"),
    "Network Viewer": ("network/{}?to=text&from=place", "canvas"),
    "Raw Pandas Output": ("popup/raw-pandas/{}", "text=entries"),
    "Instances": ("popup/instances/{}", "text=data"),
    "Code Export": ("popup/code-export/{}", "text=import pandas"),
    "Load Data": ("popup/upload", "form.upload"),
    "Column Analysis": (
        "popup/column-analysis/{}?selectedCol=amount",
        "text=Histogram",
    ),
    "Replacements": ("popup/replacement/{}?selectedCol=number", "text=Search For"),
    "Type Conversion": ("popup/type-conversion/{}?selectedCol=number", "text=Float"),
    "Variance Report": ("popup/variance/{}?selectedCol=number", "text=Variance"),
    "Skewness": ("calculation/skew", "text=Skewness"),
    "Kurtosis": ("calculation/kurtosis", "text=Kurtosis"),
    "Code Export of charts": ("code-popup", "text=Code"),
    "The grid": ("main/{}", ".cell"),
    "The grid in an iframe": ("iframe/{}", ".cell"),
    "Describe in an iframe": ("iframe/popup/describe/{}", "text=Column Name"),
}
CHARTS = {  # test_prefix.py tests maps.
    "line": {"x": "number", "y": ["amount"], "agg": "mean"},
    "bar": {"x": "number", "y": ["amount"], "agg": "mean"},
    "scatter": {"x": "number", "y": ["amount"]},
    "pie": {"x": "text", "y": ["amount"], "agg": "sum"},
    "wordcloud": {"x": "text", "y": ["amount"], "agg": "sum"},
    "heatmap": {"x": "number", "y": ["text"], "z": "amount", "agg": "mean"},
    "3d_scatter": {"x": "number", "y": ["amount"], "z": "height"},
    "surface": {"x": "number", "y": ["height"], "z": "amount", "agg": "mean"},
    "candlestick": {
        "cs_x": "day",
        "cs_open": "number",
        "cs_close": "amount",
        "cs_high": "spare",
        "cs_low": "x",
        "agg": "mean",
    },
    "treemap": {"treemap_value": "amount", "treemap_label": "text", "agg": "sum"},
    "funnel": {"funnel_value": "amount", "funnel_label": "text", "agg": "sum"},
    "pareto": {"pareto_x": "text", "pareto_bars": "amount", "pareto_line": "height"},
    "histogram": {"histogram_col": "amount", "histogram_type": "bins", "bins": "5"},
}
