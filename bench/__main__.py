"""`make bench`: compare a baked project with bare Django, D-Tale and D-Tale's tutorial.

All sites are measured alternately in one run. The figures are ratios of medians of at
least five rounds, because absolute times differ between machines. `make bench
ONLY=startup` runs only the part `startup`. `make bench ONLY=analysis ROWS=100000` sets the
number of rows of that part; `people` and `browsers` have them, too. The documents then keep
their figures.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from .figures import keep, table
from .parts import PARTS
from .sites import make_sites


def main():
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=PARTS, help="run one part")
    only = parser.parse_args().only
    told = []
    with tempfile.TemporaryDirectory() as directory:
        workdir = Path(directory)
        for name in [only] if only else PARTS:
            measured = []
            for figure in PARTS[name](workdir):
                measured.append(figure)
                print(figure.what, figure.told, sep=": ", file=sys.stderr)
            if not os.environ.get("ROWS"):
                keep(name, measured, make_sites(workdir)["generated"].python)
            told += measured
    print(table(told))


if __name__ == "__main__":
    main()
