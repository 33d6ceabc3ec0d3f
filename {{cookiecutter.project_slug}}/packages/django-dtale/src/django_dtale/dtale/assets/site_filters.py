"""Substitutions for the filters and the values that the developers of a site give.

D-Tale expects that its users are developers themselves, and tells them which function
of D-Tale to call.
"""

from .patching import MAIN, NAME, Substitution

SITE_FILTERS = [
    Substitution(
        MAIN,
        "Predefined Filters does not offer to edit the text of a filter.",
        rf'!{NAME}(?=&&{NAME}\.createElement\("button",\{{className:"[\w -]+",'
        rf'onClick:{NAME}\}},{NAME}\("predefined:Edit"\)\))',
        "!1",
    ),
    Substitution(
        MAIN,
        "The description of Predefined Filters ends before the names of functions.",
        r'("predefined_filters":"[^.。]+[.。]).{1,200}?(?=","max_width")',
        r"\1",
        3,  # One for each language.
    ),
    Substitution(
        MAIN,
        "Custom Filter describes how to use values, but not how to pass them to D-Tale.",
        rf'{NAME}\("context_variables_des1"\),.{{1,250}}?"br",null\),',
        "",
    ),
]
