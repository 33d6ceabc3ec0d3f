"""D-Tale's shipped scripts and pages, mended: where they forget their prefix, and where
they would run what is not theirs.

D-Tale puts the path it is mounted at in front of its styles, scripts and most of its
requests, and sets ``window.resourceBaseUrl`` to it on each page. What it overlooks is
written here as substitutions in the text that it ships. They know no prefix
themselves, so one text serves every mount. Nothing here imports D-Tale.
"""

from .dtale_lighter import LIGHTER
from .substitutions import (
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

SUBSTITUTIONS = [
    Substitution(
        MAIN,
        "A window looks at its path to know that it has to refresh its opener, close "
        "itself, or offer the links of a window.",
        r'(\.pathname\??\.)(?=startsWith\("/dtale/)',
        r'\1replace(window.resourceBaseUrl,"").',
        14,
    ),
    Substitution(
        MAIN,
        "Instances, and the ribbon's list of data: to another frame.",
        r"(\.origin\})(?=/dtale/)",
        r"\1${window.resourceBaseUrl}",
        2,
    ),
    Substitution(
        MAIN,
        "The information icons of skew and kurtosis.",
        r"/dtale/calculation/",
        r"${window.resourceBaseUrl}\g<0>",
        2,
    ),
    Substitution(
        MAIN,
        "Correlations: Export Image.",
        rf"window\.open\((?=\(0,{NAME}\.buildCorrelationsUrl\))",
        r"\g<0>window.resourceBaseUrl+",
    ),
    Substitution(
        MAIN,
        "Load Data in a window that Merge & Stack opened: back to it.",
        r'\.assign\((?="/dtale/popup/merge")',
        r"\g<0>window.resourceBaseUrl+",
    ),
    Substitution(
        MAIN,
        "Load Data without an opener goes to the start of the host, which is the "
        "site's own page here: to the new frame instead.",
        rf"(\.assign\(\(0,{NAME}\.getLocation\)\(\)\.origin)"
        rf"(?=\).{{1,100}}?\.href,({NAME})\))",
        r'\1+window.resourceBaseUrl+"/dtale/main/"+\2',
    ),
    Substitution(
        MAIN,
        "Open In New Tab of a grid in a frame of another page, if the prefix is "
        "'iframe' as well.",
        r'\.replace\("/iframe/","/main/"\)',
        '.replace("/dtale/iframe/","/dtale/main/")',
    ),
    Substitution(
        MAIN,
        "About asks the package index for the newest version, and gets a page of this "
        "site.",
        rf'await {NAME}\.getDataFromService\("https://[^"]+/dtale/json"\)',
        "{}",
    ),
    Substitution(
        MAIN,
        "About: no heading for the newest version, which it does not know now ...",
        rf'`\$\{{{NAME}\("PyPi Version"\)\}}:`',
        '""',
    ),
    Substitution(
        MAIN,
        "... and no claim that the installed one is out of date.",
        rf'(\|\|""\)\)\),)(?=({NAME})!==({NAME})&&)',
        r"\1\3&&",
    ),
    Substitution(
        MAIN,
        "Merge & Stack shows pictures of another host: no request leaves this one.",
        r"https://raw\.githubusercontent\.com/[^`]*`",
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>`",
    ),
    Substitution(
        MAIN,
        "Load Data from an address, or samples from the web: both are closed here.",
        rf'{NAME}\.createElement\("div",\{{className:"row pt-5"\}},(?=.{{1,200}}?"Load From The '
        rf'Web").{{1,6000}}?(?={NAME}\.createElement\({NAME}\.default,\{{sheets:)',
        "",
    ),
    Substitution(
        MAIN,
        "Variance Report and Replacements as windows: of which column is in the address.",
        rf"({NAME}\.initialPopup=\{{\.\.\.{NAME}\.initialVisibility,type:{NAME}\.HIDDEN)",
        r"\1,selectedCol:new URLSearchParams(window.location.search)"
        r'.get("selectedCol")??void 0',
    ),
    Substitution(
        MAIN,
        "Convert To XArray: what would answer it is closed.",
        rf"(?<=\)\)\)\)\):){NAME}\.createElement\({NAME}\.MenuItem,"
        rf'{{description:{NAME}\("menu_description:xarray_conversion"\).{{1,400}}?'
        r'"Convert To XArray",\{ns:"menu"\}\){5}',
        "null",
    ),
    *(
        Substitution(
            script,
            "Fonts and parts that are loaded later are beside the script that asks.",
            rf'{NAME}\.p="".concat\({NAME}\|\|"","/dtale/static/dist/"\)',
            "",
        )
        for script in (MAIN, BASE_STYLES)
    ),
    Substitution(
        MAIN,
        "A refusal has a status that says so, and a reason in its body: D-Tale shows the "
        "reason with a 200 only.",
        r"validateStatus:function\((\w+)\)\{return \1>=200&&\1<300",
        r"\g<0>||\1>=400&&\1<500",
    ),
    Substitution(
        CHARTS,
        "Code Export opens //<prefix>/..., and Copy Link copies such an address.",
        r'"".concat\(window\.location\.origin,"/"\)',
        '"".concat(window.location.origin)',
        2,
    ),
    Substitution(
        CHARTS,
        "Copy Link: its address has the prefix already.",
        r'\w+&&\((\w+)="".concat\(\w+\)\.concat\(\1\)\),(?=\w+\.value=)',
        "",
    ),
    Substitution(
        CHARTS,
        "Languages asks /<prefix>//dtale/...",
        r'"".concat\(window\.resourceBaseUrl,"/"\)(?=\.concat\(\w+\)\),\w+\.get\()',
        '"".concat(window.resourceBaseUrl)',
    ),
    Substitution(
        POPUP,
        "Back To Data on a page without a frame, as Load Data and Merge & Stack.",
        r"\.\./\.\./main/",
        "{{ config.APPLICATION_ROOT }}/dtale/main/",
    ),
    *(
        Substitution(
            f"templates/dtale/{page}.html",
            "Its picture is on another host as well.",
            r"<img[^>]*https://raw\.githubusercontent\.com/[^>]*>",
            "",
        )
        for page in ("skew", "kurtosis")
    ),
    Substitution(
        "templates/dtale/main.html",
        "The way home; which frame it is, whose, and what was converted in it.",
        r"[{]% endblock %}\s*[{]% block js %}",
        r"{{ frame_bar() }}\n\g<0>",
    ),
    Substitution(
        BASE,
        "The way back in, when the session has ended while a page is open.",
        r"[{]% block js %}[{]% endblock %}",
        r"{{ signed_out() }}\n\g<0>",
    ),
    Substitution(
        NOT_FOUND,
        "The way home from a page that is not there.",
        r'href="/"',
        'href="{{ config.APPLICATION_ROOT }}/"',
    ),
    *(
        Substitution(
            page,
            "Its own scripts get the answer's nonce.",
            r'<script type="text/javascript" ?(?=>)',
            r'\g<0> nonce="{{ nonce() }}"',
            count,
        )
        for page, count in ((BASE, 2), (CODE_POPUP, 1))
    ),
    Substitution(
        BASE,
        "In a script, text is written as a script's.",
        r"(?<=: )'\{\{(\w+)\}\}'(?=,\n)",
        r"{{ \1|string|tojson }}",
        7,
    ),
    Substitution(
        BASE,
        "Which frame it shows is told to the page around it, and not to any site's.",
        r"(?<=postMessage\(msg, )'\*'",
        "window.location.origin",
    ),
    *(
        Substitution(
            script,
            "Messages of a window to itself.",
            r'(postMessage\([^()]*,)"\*"',
            r"\1window.location.origin",
        )
        for script in (MAIN, NETWORK, POLYFILLS, CHARTS)
    ),
    *(
        Substitution(
            script,
            "Cells are text: nobody's data become a part of the page.",
            rf"!0==={NAME}\.columnFormats\?\.\[{NAME}\.name\]\?\.fmt\?\.html",
            "!1",
            count,
        )
        for script, count in ((MAIN, 2), (EXPORT, 1))
    ),
    Substitution(
        MAIN,
        "Formats: no box to tick for it.",
        rf",{NAME}\.createElement\({NAME}\.LabeledCheckbox,"
        rf'{{rowClass:"mb-2",labelWidth:4,label:`\$\{{{NAME}\("Render as HTML"\)\}}\?`,'
        r".{1,80}?\.link\}\)\}\)",
        "",
    ),
    *(
        Substitution(
            script,
            "Minus infinity is shown as it is, and not formatted as a number.",
            r'\["nan","inf"',
            r'\g<0>,"-inf"',
            count,
        )
        for script, count in ((MAIN, 2), (EXPORT, 1), (NETWORK, 1))
    ),
    Substitution(
        HTML_EXPORT,
        "The file to take along has the same cells.",
        r"export_js\|safe",
        "export_script()|safe",
    ),
    *LIGHTER,
]


def mended_file(file):
    """Return the mended text (str) of a file, named by its path in D-Tale's package.

    Raises:
        DtaleChanged: the file or a part of it is not there.
    """
    try:
        text = (PACKAGE / file).read_text("utf-8")
    except FileNotFoundError:
        raise DtaleChanged("the file is missing", file) from None
    return substitute(text, [each for each in SUBSTITUTIONS if each.file == file])


def mended_files(folder):
    """Mend all files below a folder that need it.

    Args:
        folder: "static" or "templates".

    Returns:
        dict[str, str]: name below the folder -> text.

    Raises:
        DtaleChanged: a file or a part of it is not there.
    """
    files = sorted({each.file for each in SUBSTITUTIONS})
    return {
        file.removeprefix(f"{folder}/"): mended_file(file)
        for file in files
        if file.startswith(f"{folder}/")
    }
