"""Substitutions that correct how the grid shows and edits cells, and offers named filters.

Code can set the formats and backgrounds of cells with ``View``, so these errors of D-Tale
would be the first thing that people see.
"""

from .patching import EXPORT, MAIN, NAME, Substitution

CURRENCY = r"/\\p{Sc}/u"  # A regular expression of JavaScript.

CELLS = [
    Substitution(
        MAIN,
        "Predefined Filters also shows filters that belong to no column.",
        rf"({NAME})=>(?=void 0!==({NAME})\.find\({NAME}=>{NAME}\.name===\1\.column\))",
        r"\1=>!\1.column||",
    ),
    Substitution(
        MAIN,
        "Only cells that are drawn as editable can be edited. D-Tale ignores the names of "
        "the editable columns, and looks up another column if some are hidden.",
        rf"(\(0,{NAME}\.convertCellIdxToCoords\)\(({NAME})\)),{NAME}={NAME}\.find\("
        rf"{NAME}=>{NAME}\.index\+1==={NAME}\[0\]\);var ({NAME});"
        rf"\(0,{NAME}\.isCellEditable\)\({NAME},{NAME}\)(?=&&\(null===)",
        r'\1;var \3;document.querySelector(`.editable[cell_idx="${\2}"]`)',
    ),
    Substitution(
        MAIN,
        "A column stays in the grid if the server refuses to delete it.",
        rf"yesAction:\(\)=>({NAME}\(\{{columns:{NAME}\.filter\(\(\{{name:{NAME}\}}\)=>"
        rf"{NAME}!=={NAME}\)\}}),async\(\)=>(await {NAME}\.deleteColumn\({NAME},{NAME}\))\)",
        r"yesAction:async()=>{(\2)?.success&&\1)}",
    ),
    Substitution(
        MAIN,
        "The same for columns that Correlations does not show.",
        rf"(?<=yesAction:async\(\)=>\{{)var ({NAME});(await {NAME}\.deleteColumns\({NAME},"
        rf"{NAME}\)),(.{{1,150}}?\}}\)\),{NAME}\(\))",
        r"var \1;(\2)?.success&&(\3)",
    ),
    *(
        each
        for script in (MAIN, EXPORT)
        for each in (
            Substitution(
                script,
                "Numbers keep the currency of their format: Numeral.js knows only $.",
                rf'(\["nan","inf",[^\]]*,{NAME}\]\.includes\([^;]{{1,60}}?)'
                rf"\.format\(({NAME})\)",
                rf'\1.format(\2.replace({CURRENCY},"$"))'
                rf'.replace("$",(\2.match({CURRENCY})||["$"])[0])',
            ),
            Substitution(
                script,
                "Formatted dates are not moved to the day before west of Greenwich, and "
                "missing dates are not shown as an invalid date.",
                rf"return ({NAME})\?\(0,({NAME})\.default\)\(new Date\((`\$\{{{NAME}\}}`)"
                r"\)\)\.format\(\1\)",
                r"const time=(0,\2.default)(\3,\2.default.ISO_8601);"
                r"return \1&&time.isValid()?time.format(\1)",
            ),
            Substitution(
                script,
                "Heatmaps leave cells without a number as they are.",
                rf'({NAME}),({NAME})\)=>\{{if\(""===\1\.view(?=\)return\{{\}};const\{{min:)',
                r"\g<0>||isNaN(+\1.raw)||void 0===\2.min",
            ),
        )
    ),
]
