"""Substitutions that correct errors in the scripts and templates that D-Tale ships.

Many of them concern D-Tale's mount path. D-Tale adds the path to most URLs, and sets
``window.resourceBaseUrl`` to it on each page. Where D-Tale omits the path, a
substitution adds this variable. The patched files are therefore the same for every
path. Other substitutions prevent requests to other hosts and the injection of HTML.
This module does not import D-Tale.
"""

from .cells import CELLS
from .loading import LOADING
from .patching import (
    BASE,
    BASE_STYLES,
    CHARTS,
    CODE_POPUP,
    EXPORT,
    HTML_EXPORT,
    MAIN,
    NAME,
    NETWORK,
    NOT_FOUND,
    PACKAGE,
    POLYFILLS,
    POPUP,
    DtaleChanged,
    Substitution,
    substitute,
)
from .site_filters import SITE_FILTERS
from .slimming import SLIMMING

OPEN_LOAD_DATA = 'window.open(window.resourceBaseUrl+"/dtale/popup/upload","_blank")'

# Pages that are always light in D-Tale.
WITHOUT_THEME = CODE_POPUP, "templates/dtale/skew.html", "templates/dtale/kurtosis.html"

SUBSTITUTIONS = [
    Substitution(
        MAIN,
        "A popup window checks its path to decide whether to refresh its opener, close "
        "itself, or offer the links of a popup. The path includes the prefix.",
        r'(\.pathname\??\.)(?=startsWith\("/dtale/)',
        r'\1replace(window.resourceBaseUrl,"").',
        14,
    ),
    Substitution(
        MAIN,
        "Links to other frames, under Instances and in the ribbon, lack the prefix.",
        r"(\.origin\})(?=/dtale/)",
        r"\1${window.resourceBaseUrl}",
        2,
    ),
    Substitution(
        MAIN,
        "The information icons of skew and kurtosis lack the prefix.",
        r"/dtale/calculation/",
        r"${window.resourceBaseUrl}\g<0>",
        2,
    ),
    Substitution(
        MAIN,
        "Export Image of Correlations lacks the prefix.",
        rf"window\.open\((?=\(0,{NAME}\.buildCorrelationsUrl\))",
        r"\g<0>window.resourceBaseUrl+",
    ),
    Substitution(
        MAIN,
        "Load Data in the menus opens the site's own upload page.",
        rf"{NAME}\(\{{type:{NAME}\.PopupType\.UPLOAD,visible:!0\}},450\)",
        f"()=>{OPEN_LOAD_DATA}",
        2,
    ),
    Substitution(
        MAIN,
        "Upload in Merge & Stack opens the site's own upload page.",
        rf"{NAME}\({NAME}\.MergeActions\.OpenChartAction\("
        rf'\{{type:{NAME}\.PopupType\.UPLOAD,title:"Upload",visible:!0\}}\)\)',
        OPEN_LOAD_DATA,
    ),
    Substitution(
        MAIN,
        "Open In New Tab in an embedded grid must not replace a prefix named iframe.",
        r'\.replace\("/iframe/","/main/"\)',
        '.replace("/dtale/iframe/","/dtale/main/")',
    ),
    Substitution(
        MAIN,
        "About must not request the newest version: its URL leads to a page of this site.",
        rf'await {NAME}\.getDataFromService\("https://[^"]+/dtale/json"\)',
        "{}",
    ),
    Substitution(
        MAIN,
        "About has no heading for the newest version, which it no longer requests.",
        rf'`\$\{{{NAME}\("PyPi Version"\)\}}:`',
        '""',
    ),
    Substitution(
        MAIN,
        "About does not claim that the installed version is out of date.",
        rf'(\|\|""\)\)\),)(?=({NAME})!==({NAME})&&)',
        r"\1\3&&",
    ),
    Substitution(
        MAIN,
        "Merge & Stack must not load pictures from another host.",
        r"https://raw\.githubusercontent\.com/[^`]*`",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>`",
    ),
    Substitution(
        MAIN,
        "In a window, Variance Report and Replacements take the column from the URL.",
        rf"({NAME}\.initialPopup=\{{\.\.\.{NAME}\.initialVisibility,type:{NAME}\.HIDDEN)",
        r"\1,selectedCol:new URLSearchParams(window.location.search)"
        r'.get("selectedCol")??void 0',
    ),
    Substitution(
        MAIN,
        "Locked columns come first. D-Tale moves them in the data, but the data have one "
        "order, and people have locked different columns in their views.",
        rf"(?<=\.map\(e=>\(\{{\.\.\.e,locked:)({NAME}\.isIndex\(e\.name\)\|\|"
        r"\([^()]*\?\?\[\]\)\.includes\(e\.name\),\.\.\."
        rf"{NAME}\.calcColWidth\([^()]*\)\}}\)\))(?=,c=p,)",
        r"\1.sort((a,b)=>b.locked-a.locked)",
    ),
    Substitution(
        MAIN,
        "Convert To XArray is hidden, because its endpoint is closed.",
        rf"(?<=\)\)\)\)\):){NAME}\.createElement\({NAME}\.MenuItem,"
        rf'{{description:{NAME}\("menu_description:xarray_conversion"\).{{1,400}}?'
        r'"Convert To XArray",\{ns:"menu"\}\){5}',
        "null",
    ),
    *(
        Substitution(
            script,
            "Fonts and chunks are loaded from the directory of the script.",
            rf'{NAME}\.p="".concat\({NAME}\|\|"","/dtale/static/dist/"\)',
            "",
        )
        for script in (MAIN, BASE_STYLES)
    ),
    Substitution(
        MAIN,
        "Errors have a 4xx status and a reason in the body. D-Tale shows the reason only "
        "for a 200.",
        r"validateStatus:function\((\w+)\)\{return \1>=200&&\1<300",
        r"\g<0>||\1>=400&&\1<500",
    ),
    Substitution(
        CHARTS,
        "Code Export and Copy Link build URLs that begin with two slashes.",
        r'"".concat\(window\.location\.origin,"/"\)',
        '"".concat(window.location.origin)',
        2,
    ),
    Substitution(
        CHARTS,
        "Copy Link adds the prefix a second time.",
        r'\w+&&\((\w+)="".concat\(\w+\)\.concat\(\1\)\),(?=\w+\.value=)',
        "",
    ),
    Substitution(
        CHARTS,
        "Languages requests a URL with two slashes after the prefix.",
        r'"".concat\(window\.resourceBaseUrl,"/"\)(?=\.concat\(\w+\)\),\w+\.get\()',
        '"".concat(window.resourceBaseUrl)',
    ),
    Substitution(
        POPUP,
        "Back To Data uses a relative URL, which fails on pages without a frame.",
        r"\.\./\.\./main/",
        "{{ config.APPLICATION_ROOT }}/dtale/main/",
    ),
    *(
        Substitution(
            f"templates/dtale/{page}.html",
            "The page must not load its picture from another host.",
            r"<img[^>]*https://raw\.githubusercontent\.com/[^>]*>",
            "",
        )
        for page in ("skew", "kurtosis")
    ),
    Substitution(
        "templates/dtale/main.html",
        "The bar below the grid has a link home, and the frame's name, owner and notes.",
        r"[{]% endblock %}\s*[{]% block js %}",
        r"{{ frame_bar() }}\n\g<0>",
    ),
    Substitution(
        BASE,
        "A dialog offers to sign in again when the session has expired.",
        r"[{]% block js %}[{]% endblock %}",
        r"{{ session_expired_dialog() }}\n\g<0>",
    ),
    Substitution(
        BASE,
        "A sign says that the page waits for a response. Its script comes before D-Tale's.",
        r"[{]{2} session_expired_dialog",
        r"{{ working_sign() }}\n\g<0>",
    ),
    *(
        Substitution(
            page,
            "The dark theme has no white areas.",
            r"</head>",
            r"{{ theme_styles() }}\g<0>",
        )
        for page in (BASE, *WITHOUT_THEME)
    ),
    *(
        Substitution(
            page,
            "The page has the theme of the others.",
            r"(<body)([^>]*>)",
            r'\1 class="{{ current_theme() }}-mode"\2{{ theme_script() }}',
        )
        for page in WITHOUT_THEME
    ),
    Substitution(
        BASE,
        "The theme is that of the system, before anything is drawn.",
        r'<input type="hidden" id="theme" [^>]*>',
        r"\g<0>{{ theme_script() }}",
    ),
    Substitution(
        NOT_FOUND,
        "The link home on the 404 page lacks the prefix.",
        r'href="/"',
        'href="{{ config.APPLICATION_ROOT }}/"',
    ),
    *(
        Substitution(
            page,
            "Inline scripts need the CSP nonce of the response.",
            r'<script type="text/javascript" ?(?=>)',
            r'\g<0> nonce="{{ nonce() }}"',
            count,
        )
        for page, count in ((BASE, 2), (CODE_POPUP, 1))
    ),
    Substitution(
        BASE,
        "Values in an inline script are escaped for JavaScript.",
        r"(?<=: )'\{\{(\w+)\}\}'(?=,\n)",
        r"{{ \1|string|tojson }}",
        7,
    ),
    Substitution(
        BASE,
        "A grid sends its data id only to embedding pages of this origin.",
        r"(?<=postMessage\(msg, )'\*'",
        "window.location.origin",
    ),
    *(
        Substitution(
            script,
            "A window must post messages to itself only with its own origin as the target.",
            r'(postMessage\([^()]*,)"\*"',
            r"\1window.location.origin",
        )
        for script in (MAIN, NETWORK, POLYFILLS, CHARTS)
    ),
    *(
        Substitution(
            script,
            "Cells are always text, so that data cannot inject HTML.",
            rf"!0==={NAME}\.columnFormats\?\.\[{NAME}\.name\]\?\.fmt\?\.html",
            "!1",
            count,
        )
        for script, count in ((MAIN, 2), (EXPORT, 1))
    ),
    Substitution(
        MAIN,
        "Formats does not offer to render cells as HTML.",
        rf",{NAME}\.createElement\({NAME}\.LabeledCheckbox,"
        rf'{{rowClass:"mb-2",labelWidth:4,label:`\$\{{{NAME}\("Render as HTML"\)\}}\?`,'
        r".{1,80}?\.link\}\)\}\)",
        "",
    ),
    *(
        Substitution(
            script,
            "Minus infinity is shown as text and not formatted as a number.",
            r'\["nan","inf"',
            r'\g<0>,"-inf"',
            count,
        )
        for script, count in ((MAIN, 2), (EXPORT, 1), (NETWORK, 1))
    ),
    Substitution(
        HTML_EXPORT,
        "The exported HTML file contains the patched script.",
        r"export_js\|safe",
        "export_script()|safe",
    ),
    Substitution(
        MAIN,
        "The mark that opens D-Tale's menu does not say so. It is in English, as the menu.",
        r'className:"grid-menu "',
        r'title:"Menu: filters, charts, analyses, export (Shift+M)",\g<0>',
    ),
    Substitution(
        MAIN,
        "A test of normality has no result if all values of the column are equal.",
        rf"({NAME}\.(?:statistic|pvalue))\.toFixed\(2\)",
        r'(\1?.toFixed(2)??"-")',
        4,
    ),
    *SITE_FILTERS,
    *CELLS,
    *LOADING,
    *SLIMMING,
]


def patched_file(file: str) -> str:
    """Return the patched text of a file. Its path is relative to D-Tale's package.

    Raises:
        DtaleChanged: The file, or text that a patch replaces, is missing.
    """
    try:
        text = (PACKAGE / file).read_text("utf-8")
    except FileNotFoundError:
        raise DtaleChanged("the file is missing", file) from None
    return substitute(text, [each for each in SUBSTITUTIONS if each.file == file])


def patched_files(folder: str) -> dict[str, str]:
    """Return the patched texts of all files in a folder that have substitutions.

    Args:
        folder: "static" or "templates".

    Returns:
        The texts, keyed by the files' paths relative to the folder.

    Raises:
        DtaleChanged: A file, or text that a patch replaces, is missing.
    """
    files = sorted({each.file for each in SUBSTITUTIONS})
    return {
        file.removeprefix(f"{folder}/"): patched_file(file)
        for file in files
        if file.startswith(f"{folder}/")
    }
