"""`make bench`: a baked project beside bare Django, D-Tale alone and the tutorial.

Everything is measured side by side in one run, in turns, medians of at least five, and
told as a ratio: these figures mean nothing as seconds on another machine.
`make bench ONLY=startup` runs one part.
"""

import argparse
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
            keep(name, measured, make_sites(workdir)["generated"].python)
            told += measured
    print(table(told))


if __name__ == "__main__":
    main()
