"""Figures of the results."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter  # noqa: E402

from benchmarks.speed.ratios import Results, exponents, memory_ratios  # noqa: E402

OURS, GREY, LIGHT = "#c1440e", "#6b7280", "#d1d5db"
MODELS = {"ridge": "#1f5fa8", "logistic": OURS}
MARKERS = "oDs^vP"
MEASURED = {"penalties": "one hypergradient"}


def draw_all(results, folder):
    """Draw what there are results for: ``{group to show it with: [(file, text)]}``."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for group, draw, name, text in FIGURES:
        if group in results:
            figure = draw(results[group])
            figure.savefig(folder / name, dpi=110)
            plt.close(figure)
            drawn.setdefault(group, []).append((name, text))
    return drawn


def peers(rows):
    """Times of others over that of our whole fit."""
    results = Results(rows)
    names = list(dict.fromkeys(name for task in results.tasks for name in results.peers(task)))
    figure, axis = _bars(results.tasks)
    for number, (name, marker) in enumerate(zip(names, MARKERS, strict=False)):
        # Numbers of neighbours stand on different sides of the line.
        how = SMALL | {"xytext": (0, -14 if number % 2 else 8), "textcoords": "offset points"}
        where = [i for i, task in enumerate(results.tasks) if results.has(task, name)]
        ratios = [results.ratio(results.tasks[i], name, "whole fit") for i in where]
        axis.plot(ratios, where, marker, ms=7, label=name)
        for ratio, i in zip(ratios, where, strict=True):
            axis.annotate(f"{ratio:.3g}", (ratio, i), **how)
    axis.axvline(1, color=OURS, lw=1.5, label="HypergradSearchCV")
    axis.set(xscale="log", xlabel="time / time of a whole fit of HypergradSearchCV")
    axis.set_ylim(len(results.tasks) - 0.4, -0.6)
    _plain_numbers(axis.xaxis)
    return _legend_below(figure, axis)


def whole(rows):
    """What the time of a whole fit is made of, in units of the fits that cannot be avoided."""
    results = Results(rows)
    figure, axis = _bars(results.tasks)
    left = np.zeros(len(results.tasks))
    units = np.array([results.seconds(task, "K+1 fits") for task in results.tasks])
    for name, color in {"fits": LIGHT, "bookkeeping": GREY, "search": OURS}.items():
        widths = np.array([results.part(task, name) for task in results.tasks]) / units
        axis.barh(range(len(widths)), widths, left=left, color=color, label=name, height=0.6)
        left += widths
    grid = [results.ratio(task, "GridSearchCV, 1 value", "K+1 fits") for task in results.tasks]
    axis.plot(grid, range(len(grid)), "k|", ms=18, mew=2, label="GridSearchCV, 1 value")
    axis.set(xlabel="time of a whole fit / time of K+1 plain fits")
    return _legend_below(figure, axis)


def hypergradients(rows):
    """One hypergradient over five fits."""
    results = Results(rows)
    tasks = [task for task in results.tasks if results.has(task, "hypergradient")]
    ratios = [results.ratio(task, "hypergradient", "K fits") for task in tasks]
    figure, axis = _bars([task.removesuffix(", one hypergradient") for task in tasks])
    bars = axis.barh(range(len(ratios)), ratios, color=OURS, height=0.6)
    axis.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
    axis.axvline(1, color=GREY, lw=1, ls="--")
    axis.set(xlabel="time of one hypergradient / time of five plain fits")
    axis.set_xlim(0, 1.15 * max(1, *ratios))
    return figure


def growth(rows):
    """Times against sizes, with the slopes of their upper halves."""
    slopes = exponents(rows)
    against = list(dict.fromkeys(rows["against"]))
    figure, axes = plt.subplots(2, 2, figsize=(8, 6), layout="constrained")
    for axis, name in zip(axes.flat, against, strict=True):
        for model, color in MODELS.items():
            line = rows[(rows["model"] == model) & (rows["against"] == name)]
            label = f"{model}, exponent {slopes[model, name]:.2f}"
            axis.loglog(line["size"], 1000 * line["seconds"], "o-", ms=4, color=color, label=label)
        axis.set(xlabel=f"number of {name}", ylabel=f"{MEASURED.get(name, 'search')}, ms")
        axis.set_xscale("log", base=4)
        # Room for the legend.
        axis.set_ylim(top=4 * axis.get_ylim()[1])
        axis.legend(frameon=False, fontsize=8, loc="upper left")
        axis.grid(alpha=0.3)
        _plain_numbers(axis.xaxis)
        _plain_numbers(axis.yaxis)
    return figure


def memory(rows):
    """Bars in units of the data."""
    ratios = memory_ratios(rows)
    figure, axis = _bars(ratios.index, room=0.8)
    height = 0.8 / ratios.shape[1]
    colors = {"search": OURS, "whole fit": "#eba487"}
    for i, (name, values) in enumerate(ratios.items()):
        where = np.arange(len(values)) + (i - 1) * height
        bars = axis.barh(where, values.fillna(0), height, color=colors.get(name, GREY), label=name)
        labels = ["no result" if np.isnan(value) else f"{value:.2f}" for value in values]
        axis.bar_label(bars, labels, padding=3, fontsize=8)
    axis.set(xlabel="peak memory beyond the data / size of X")
    axis.margins(x=0.1)
    return _legend_below(figure, axis)


SMALL = {"fontsize": 7, "ha": "center"}


def _bars(names, room=0.5):
    """A figure with one name on each line, the first on top."""
    size = (8, 1.2 + room * len(names))
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    return figure, axis


def _plain_numbers(axis):
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())


def _legend_below(figure, axis):
    figure.legend(
        *axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    return figure


FIGURES = (
    (
        "ridge",
        peers,
        "benchmark_ridge_peers.png",
        "Time of other searches for one alpha, as a multiple of that of ours.",
    ),
    (
        "ridge",
        whole,
        "benchmark_ridge_whole.png",
        "What the time of a whole fit is made of, for one alpha.",
    ),
    (
        "logistic",
        peers,
        "benchmark_logistic_peers.png",
        "Time of other searches for one C, as a multiple of that of ours.",
    ),
    (
        "logistic",
        whole,
        "benchmark_logistic_whole.png",
        "What the time of a whole fit is made of, for one C.",
    ),
    (
        "ridge-vector",
        hypergradients,
        "benchmark_ridge_hypergradients.png",
        "Time of one hypergradient of one alpha per feature.",
    ),
    (
        "logistic-vector",
        hypergradients,
        "benchmark_logistic_hypergradients.png",
        "Time of one hypergradient of one C per feature.",
    ),
    (
        "growth",
        growth,
        "benchmark_growth.png",
        "Time of a search against the numbers of samples, features and splits, and of one "
        "hypergradient against the number of penalties.",
    ),
    (
        "memory",
        memory,
        "benchmark_memory.png",
        "Peak memory of our search alone, of the whole fit, and of GridSearchCV with one value.",
    ),
)
