"""Writes what the README shows: outputs of its blocks, its tables, and its picture.

Numbers come from the tables that other benchmarks have written to ``docs``, and from running the
blocks. ``python -m benchmarks.readme`` writes; the tests compare.
"""

import contextlib
import io
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs/_static/readme.png"
SHOWN = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Rows of docs/price.inc that are shown.
WORK = ("ridge 20,000 x 200", "logistic 20,000 x 100", "scaler + logistic 20,000 x 100")


def main():
    """Write README.md and its picture anew."""
    README.write_text(filled(README.read_text("utf-8")), encoding="utf-8")
    picture()


def filled(text):
    """The README with outputs of its blocks, and tables between their comments."""
    text = SHOWN.sub(
        lambda block: f"```python\n{block[1]}```\n\n```text\n{output(block[1])}```", text
    )
    for name, lines in (("searched", searched()), ("measured", measured())):
        block = f"<!-- {name} -->\n" + "\n".join(lines) + "\n<!-- end -->"
        text = re.sub(
            rf"<!-- {name} -->\n.*?<!-- end -->", lambda _, to=block: to, text, flags=re.DOTALL
        )
    return text


def output(code):
    """What a block prints, alone."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"__name__": "readme"})
    return printed.getvalue()


def searched():
    """Markdown table of the estimators of scikit-learn, and of what is searched of them."""
    sys.path.insert(0, str(ROOT / "docs"))
    import coverage_table

    lines = [f"| {names} | {classes} |" for names, classes in coverage_table.in_short()]
    return ["| hyperparameters | estimators |", "|---|---|", *lines]


def measured():
    """A table and sentences, with numbers of the documentation's tables."""
    price = {name: cells for name, *cells in rows_of("price")}
    lines = [f"| {name} | {price[name][0]} | {others(price[name][1])} |" for name in WORK]
    names, values = (rows_of("generalisation", first) for first in ("method", "one per feature"))
    vector = dict(zip(names, values, strict=True))
    wins, ties, losses = vector["W / T / L"].split(" / ")
    return [
        "| whole fit, five folds | in plain fits | others take, times ours |",
        "|---|---|---|",
        *lines,
        "",
        "One penalty per feature, on 18 public tables of regression in four variants each: the",
        f"test error is {vector['all']} of that of one penalty (geometric mean; {wins} are better,",
        f"{ties} alike, {losses} worse), {vector['noise']} where columns of noise were added and",
        f"{vector['raw']} on the tables as they are. `python -m benchmarks.price` and",
        "`python -m benchmarks.generalisation` measure these.",
    ]


def others(cell):
    """``RidgeCV, 20 9.92`` in words."""
    parts = re.findall(r"(\w+), (\d+) (?:\((.+?)\) )?([\d.]+)", cell)
    return ", ".join(
        f"{name} with {n} value{'s' * (n != '1')}{f' ({how})' if how else ''}: {float(times):.1f}"
        for name, n, how, times in parts
    )


def rows_of(page, name=None):
    """Rows of the first table of a page that a benchmark has written, or the one of that name."""
    table = (ROOT / "docs" / f"{page}.inc").read_text("utf-8").split(".. list-table::")[1]
    rows = [
        [cell.strip() for cell in re.split(r"^     - ", row.split("\n\n")[0], flags=re.MULTILINE)]
        for row in re.split(r"^   \* - ", table, flags=re.MULTILINE)[1:]
    ]
    return rows if name is None else next(row for row in rows if row[0] == name)


def picture():
    """The README's first block for eight choices of patients, and what one search has learned."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    block = SHOWN.search(README.read_text("utf-8"))[1]
    scores, penalties = [], None
    for seed in range(8):
        found = {"__name__": "readme"}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(block.replace("random_state=0", f"random_state={seed}"), found)
        test = found["X_test"], found["y_test"]
        scores.append([found[name].score(*test) for name in ("grid", "search")])
        if penalties is None:
            penalties = found["search"].feature_regularization_
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    columns = np.arange(1, len(penalties) + 1)
    for part, color, label in (
        (slice(10), "C0", "the ten features"),
        (slice(10, None), "0.6", "a hundred columns of noise"),
    ):
        left.plot(columns[part], penalties[part], "o", color=color, ms=4, label=label)
    left.set(yscale="log", xlabel="column", ylabel="penalty", title="what the search has learned")
    left.legend(frameon=False, loc="lower right")
    for pair in scores:
        right.plot([0, 1], pair, "o-", color="C0", ms=5, lw=1)
    right.set(xlim=(-0.3, 1.3), ylabel="r2", title="patients that no search has seen")
    right.set_xticks([0, 1], ["GridSearchCV,\none penalty", "HypergradSearchCV,\none per feature"])
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
