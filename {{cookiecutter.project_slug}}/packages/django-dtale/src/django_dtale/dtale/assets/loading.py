"""Substitutions that correct how the grid and the dialogs wait for responses.

``static/frames/working.js`` shows that they wait, and can cancel requests.
"""

from .patching import MAIN, NAME, Substitution

LOADING = [
    Substitution(
        MAIN,
        "The grid sends one request at a time. D-Tale forgets a sort or a filter that "
        "is changed meanwhile, and shows the rows of the first under the title of the "
        "second. The grid's `again` says that a change waits, and `stale` says that the "
        "rows are not those of the title.",
        rf"(,({NAME})={NAME}\.useRef\(\{{\}}\),{NAME}=\(({NAME}),({NAME})=!1\)=>"
        rf"\{{if\({NAME}\)return )void ({NAME})\(\[\.\.\.({NAME}),\3\]\);"
        rf"(({NAME})\(!0\),.{{1,3000}}?)({NAME}\(void 0\),\8\(!1\);)",
        r"\1\4&&(\2.current.again=!0),void \5([...\6,\4?[...\3]:\3]);"
        r"\4=\2.current.stale||=\4||\2.current.again,\2.current.again=!1,"
        r"\7\2.current.stale=\2.current.again,\9",
    ),
    Substitution(
        MAIN,
        "The grid has a class as long as its rows are not those of its title.",
        rf'(({NAME})\.current\.func=.{{1,100}}?className:"main-grid col p-0")',
        r'\1+(\2.current.stale||\2.current.again?" stale":"")',
    ),
    Substitution(
        MAIN,
        "The grid and the dialogs would wait forever if a request has no response. The "
        "sign of working.js has the error that they show.",
        rf"(catch\(({NAME})\)\{{{NAME}\(\2,\2\.stack\))\}}return\}}",
        r"\1;const error=document.getElementById("
        r'"working")?.dataset["ECONNABORTED"===\2.code?"cancelled":"failed"];'
        r"return error&&{success:!1,error}}}",
        2,
    ),
]
