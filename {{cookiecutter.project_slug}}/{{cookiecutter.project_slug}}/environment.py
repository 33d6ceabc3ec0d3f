"""Reads variables of the environment, and says which one is wrong and why.

What is not set, or is empty, has its default. The library environs does the same, and
takes a sixth of each `manage.py` command to be imported.
"""

import os
import re

from django.core.exceptions import ImproperlyConfigured

TRUE = "1", "on", "t", "true", "y", "yes"
FALSE = "0", "off", "f", "false", "n", "no"


def text(name, default=None, like="", hint="Set it, or see .env.example."):
    """Return a variable (str).

    Args:
        default: None: it has to be set.
        like: a regular expression (str) which the whole value has to match, if given.
        hint: a sentence (str) on what to do.

    Raises:
        ImproperlyConfigured
    """
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"The variable {name} is not set. {hint}")
    if like and not re.fullmatch(like, value):
        raise ImproperlyConfigured(f"The variable {name} is {value!r}. {hint}")
    return value


def texts(name, default=()):
    """Return a variable's parts between commas (list of str)."""
    parts = (part.strip() for part in text(name, "").split(","))
    return [part for part in parts if part] or list(default)


def number(name, default):
    """Return a variable (int, not negative); ImproperlyConfigured if it is no such."""
    return int(text(name, str(default), r"\d+", "Use a whole number."))


def flag(name, default):
    """Return a variable (bool); ImproperlyConfigured if it is neither yes nor no."""
    either = "|".join(TRUE + FALSE)
    value = text(name, str(default), f"(?i:{either})", "Use True or False.")
    return value.lower() in TRUE
