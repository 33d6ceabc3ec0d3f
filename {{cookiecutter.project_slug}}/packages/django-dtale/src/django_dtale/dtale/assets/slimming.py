"""Substitutions that remove unnecessary work from D-Tale's scripts and pages.

In contrast, the substitutions in ``assets.patches`` correct errors.
"""

from .patching import (
    BASE,
    BASE_STYLES,
    EXPORT,
    MAIN,
    NAME,
    NETWORK,
    STYLES,
    Substitution,
)

SLIMMING = [
    Substitution(
        MAIN,
        "This syntax highlighter is not used, but registers 300 languages, which takes "
        "half of the script's run time.",
        rf"(={NAME}\()({NAME}\.refractor)(,\{{\}}\);.{{1,300}}?\1){NAME}\(\d+\)\.refractor",
        r"\1\2\3\2",
    ),
    Substitution(
        MAIN,
        "The offsets of 280 time zones are computed on demand, because D-Tale has no menu "
        "of time zones.",
        rf"(const {NAME}=function\({NAME},{NAME}\)\{{return-[^;]+?;if\(isNaN\({NAME}\)\)throw "
        r"new Error\(`Unable to lookup offset for invalid timezone [^;]+;.{1,200}?)"
        rf"return(\{{\.\.\.{NAME},)offset:(`[^`]+`)\}}",
        r"return\2get offset(){\1return \3}}",
    ),
    Substitution(
        MAIN,
        "Pages without an element to draw in only compile the script: see ahead.js.",
        rf"({NAME}\.createRoot\()(document\.getElementById\({NAME}\))(\)\.render\()",
        r"\2&&\1\2\3",
    ),
    *(
        Substitution(
            script,
            "Source maps of styles are removed: each page would encode them again.",
            r',"",\{version:3,sources:.*?,sourceRoot:""\}',
            "",
            count,
        )
        for script, count in ((MAIN, 36), (NETWORK, 5), (EXPORT, 2), (BASE_STYLES, 1))
    ),
    Substitution(
        MAIN,
        "Charts are drawn at once. Each of them would grow for a second after its data "
        "have arrived.",
        r'("animation",\{delay:void 0,duration:)1e3',
        r"\g<1>0",
    ),
    Substitution(
        MAIN,
        "Side panels open at once. While one opens for half a second, nothing in it can be "
        "clicked safely, and the grid is drawn again and again.",
        r"(?<=width:0;)transition:all \.5s;|(?<=height:100%;)transition:all \.25s",
        "",
        count=2,
    ),
    Substitution(
        MAIN,
        "A canvas measures the width of texts. With an element, the browser would lay out "
        "the page again for each cell.",
        rf"(if\({NAME}\)\{{)({NAME})\.textContent=({NAME});"
        rf'(const {NAME}=\{{"font-family":.{{1,250}}?=({NAME});)const ({NAME})=Math\.round\('
        r'\2\.getBoundingClientRect\(\)\.width\)\+20;return \2\.textContent="",\6\}',
        r'\1if(!\2.ink){\4\2.ink=document.createElement("canvas").getContext("2d");'
        r"\2.ink.font=getComputedStyle(\2).font}"
        # The element, too, ignores repeated spaces.
        r'const ink=`${\3}`.trim().replace(/\\s+/g," ");'
        r"return Math.round(\2.ink.measureText(ink).width)+20}",
    ),
    Substitution(
        STYLES,
        "The font of the titles is a third smaller as WOFF2.",
        r'/Road_Rage\.woff"\) format\("woff"\)',
        '/Road_Rage.woff2") format("woff2")',
    ),
    Substitution(
        BASE,
        "The font of the titles is not preloaded, because it is not urgent.",
        r'<link rel="preload" [^\n]*/Road_Rage\.woff[^\n]*\n',
        "",
    ),
]
