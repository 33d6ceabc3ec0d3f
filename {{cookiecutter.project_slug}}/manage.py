#!/usr/bin/env python
"""Django's command-line utility for administrative tasks."""

import os
import sys


def main():
    os.environ.setdefault(
        "DJANGO_SETTINGS_MODULE",
        "{{ cookiecutter.project_slug }}.settings",
    )
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed for this Python. `make run` sets everything up; "
            "README.md gives the same as plain commands."
        ) from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
