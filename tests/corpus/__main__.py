"""Open the data files of installed packages, and compare every cell.

    python -m corpus DIRECTORY [PACKAGES]

DIRECTORY has the folders `packages` and `test_files`, as `make corpus` makes it. PACKAGES
is a pattern of names, such as `scikit*`.
"""

import sys
import tempfile
import time
from pathlib import Path

import django


def main(directory: str, packages: str = "*") -> int:
    """Print the report, and return the exit status."""
    django.setup()
    # These modules need Django's settings.
    from .check import check
    from .files import data_files
    from .report import Report

    begin, is_right = time.monotonic(), True
    for folder in ("packages", "test_files"):
        report = Report(folder)
        with tempfile.TemporaryDirectory(prefix="corpus-") as work:
            for file in data_files(Path(directory, folder), Path(work), packages):
                for remark in report.add(file, *check(file)):
                    print(remark, flush=True)
        if report.total.files:
            print(report.show(), flush=True)
            is_right = is_right and not report.total.wrong
    print(f"{time.monotonic() - begin:.0f} seconds")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
