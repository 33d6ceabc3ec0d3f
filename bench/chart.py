"""Draw the benchmark chart: `chart.py FIGURES.json CHART.svg`. Requires matplotlib."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

BETTER, EQUAL, WORSE = "#2a6f97", "#8d99ae", "#c1121f"


def draw(figures, path):
    """Draw a bar for each figure, on a logarithmic scale. Values above 1 are better."""
    labels = [f"{each['what'].replace('`', '')}, {each['told']}" for each in figures]
    values = [each["advantage"] for each in figures]
    colors = [BETTER if v > 1.2 else WORSE if v < 1 / 1.2 else EQUAL for v in values]
    pyplot.rcParams |= {"svg.hashsalt": "bench", "font.size": 9}
    drawing, axes = pyplot.subplots(figsize=(9, 0.26 * len(values) + 0.8))
    axes.barh(labels, [v - 1 for v in values], left=1, color=colors, height=0.7)
    axes.set_xscale("log")
    axes.axvline(1, color="#333333", linewidth=1)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xlabel("how many times as good as the comparison; 1 is equal")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    drawing.savefig(path, bbox_inches="tight", metadata={"Date": None})


def main():
    parts = json.loads(Path(sys.argv[1]).read_text())
    figures = [each for part in parts.values() for each in part if each["advantage"]]
    draw(figures, sys.argv[2])


if __name__ == "__main__":
    main()
