"""Compare screenshots with their references, and make pictures for documents.

The tests run this file with the Python of a baked project, which has Pillow and SciPy.
A reference is a screenshot in gray and with an eighth of the width and height. Each of
its pixels is the mean of a block of 8 x 8 pixels.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

BLOCK = 8
GALLERY = (960, 600)  # The size of the pictures in docs/gallery.
GRAYS = 16  # References with fewer grays are smaller files.
# Letters differ between machines. A block may therefore be as bright as one of its
# neighbors in the other picture, up to 2 rows and 4 columns away, give or take 24 of
# 255 grays.
NEIGHBORS = (5, 9)
TOLERANCE = 24
# So many blocks may differ. A bar that overlapped others changed 82 to 98 blocks.
MOST = 50


def shrink(path):
    """Return the screenshot as a small gray picture."""
    with Image.open(path) as image:
        small = image.convert("L").reduce(BLOCK)
    return small.quantize(GRAYS, dither=Image.Dither.NONE)


def unlike(one, other):
    """Return which blocks of a picture have a brightness that is not near them in another."""
    low = minimum_filter(other, NEIGHBORS).astype(int) - TOLERANCE
    high = maximum_filter(other, NEIGHBORS).astype(int) + TOLERANCE
    return (one < low) | (one > high)


def difference(screenshot, reference):
    """Return how many blocks differ."""
    with Image.open(reference) as image:
        old = np.asarray(image.convert("L"))
    new = np.asarray(shrink(screenshot).convert("L"))
    if new.shape != old.shape:
        return new.size
    return int((unlike(new, old) | unlike(old, new)).sum())


def compare(screenshots, references):
    """Return the names of the pictures that differ or that only one folder has."""
    names = {path.stem for path in (*screenshots.iterdir(), *references.iterdir())}
    found = {}
    for name in sorted(names):
        paths = screenshots / f"{name}.png", references / f"{name}.png"
        if missing := [path for path in paths if not path.exists()]:
            found[name] = f"{missing[0]} is missing"
        elif (count := difference(*paths)) > MOST:
            found[name] = f"{count} blocks differ"
    return found


def update(screenshots, references):
    """Replace the references by the screenshots."""
    for path in references.glob("*.png"):
        path.unlink()
    for path in screenshots.glob("*.png"):
        shrink(path).save(references / path.name, optimize=True)


def publish(screenshots, gallery):
    """Replace the pictures of the gallery that show the pages as they are now."""
    for old in gallery.glob("*-after-*.webp"):
        name = old.stem.replace("-after-", "-")
        with Image.open(screenshots / f"{name}.png") as image:
            small = image.convert("RGB").resize(GALLERY, Image.Resampling.LANCZOS)
        small.save(old, quality=70, method=6)


if __name__ == "__main__":
    command, *folders = sys.argv[1:]
    commands = {"compare": compare, "update": update, "publish": publish}
    print(json.dumps(commands[command](*map(Path, folders))))
