"""What D-Tale's scripts and pages do for nothing, each time that one is opened.

Substitutions in its shipped files, as those of ``dtale_scripts``, which are for what is
wrong in them.
"""

from .substitutions import (
    BASE,
    BASE_STYLES,
    EXPORT,
    MAIN,
    NAME,
    NETWORK,
    STYLES,
    Substitution,
)

LIGHTER = [
    Substitution(
        MAIN,
        "Code is highlighted by another highlighter. This one, which nothing uses, learns "
        "300 languages: half of the time that the script takes.",
        rf"(={NAME}\()({NAME}\.refractor)(,\{{\}}\);.{{1,300}}?\1){NAME}\(\d+\)\.refractor",
        r"\1\2\3\2",
    ),
    Substitution(
        MAIN,
        "The offset of each of 280 time zones is for a choice of zones that D-Tale does "
        "not offer: found when somebody asks for it.",
        rf"(const {NAME}=function\({NAME},{NAME}\)\{{return-[^;]+?;if\(isNaN\({NAME}\)\)throw "
        r"new Error\(`Unable to lookup offset for invalid timezone [^;]+;.{1,200}?)"
        rf"return(\{{\.\.\.{NAME},)offset:(`[^`]+`)\}}",
        r"return\2get offset(){\1return \3}}",
    ),
    *(
        Substitution(
            script,
            "Styles without source maps, which each page would encode again.",
            r',"",\{version:3,sources:.*?,sourceRoot:""\}',
            "",
            count,
        )
        for script, count in ((MAIN, 36), (NETWORK, 5), (EXPORT, 2), (BASE_STYLES, 1))
    ),
    Substitution(
        STYLES,
        "The titles' font is a third smaller as WOFF2 ...",
        r'/Road_Rage\.woff"\) format\("woff"\)',
        '/Road_Rage.woff2") format("woff2")',
    ),
    Substitution(
        BASE,
        "... and does not have to come first.",
        r'<link rel="preload" [^\n]*/Road_Rage\.woff[^\n]*\n',
        "",
    ),
]
