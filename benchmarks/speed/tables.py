"""Tables of results; the documentation says how to read them."""

import csv
import dataclasses
import io

import pandas as pd

from benchmarks.speed.ratios import Results, exponents, memory_ratios


@dataclasses.dataclass(frozen=True)
class Table:
    """Cells of text."""

    title: str
    header: tuple
    rows: list

    def markdown(self):
        lines = [f"\n## {self.title}\n", _line(self.header), "|" + "---|" * len(self.header)]
        return "\n".join([*lines, *map(_line, self.rows)])

    def rst(self):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *self.rows])
        cells = "\n".join(f"   {line}" for line in text.getvalue().splitlines())
        return f".. csv-table:: {self.title}\n   :header-rows: 1\n\n{cells}\n"


def _line(cells):
    return f"| {' | '.join(cells)} |"


def costs(title, rows):
    """What our search costs, in units of fits."""
    results = Results(rows)
    tasks = [task for task in results.tasks if results.has(task, "search")]
    return Table(
        title,
        ("", "whole fit", "one fit", "whole / one fit", "whole / K+1 fits")
        + ("whole / GridSearchCV, 1 value", "search", "bookkeeping", "threads"),
        [_cost(results, task) for task in tasks],
    )


def _cost(results, task):
    whole = results.best(task, "whole fit")
    return (
        task,
        _time(whole["seconds"]),
        _time(results.seconds(task, "one fit")),
        _ratio(results.ratio(task, "whole fit", "one fit")),
        _ratio(results.ratio(task, "whole fit", "K+1 fits")),
        _ratio(results.ratio(task, "whole fit", "GridSearchCV, 1 value")),
        _time(results.part(task, "search")),
        _time(results.part(task, "bookkeeping")),
        f"{whole['threads']:.0f}",
    )


def peers(title, rows):
    """How much longer others take, and whether they find something better."""
    results = Results(rows)
    cells = [
        _peer(results, task, peer)
        for task in results.tasks
        if results.has(task, "search")
        for peer in results.peers(task)
    ]
    header = "", "peer", "time", "time / whole fit", "loss", "loss of ours"
    header += "of what", "loss on new data", "of ours", "threads"
    cells += [(task, peer, note, *["-"] * 7) for task, peer, note in results.missing()]
    unused = [number for number in range(len(header)) if {c[number] for c in cells} == {"-"}]
    header, *cells = (_without(unused, row) for row in (header, *cells))
    return Table(
        title,
        header,
        cells,
    )


def _without(unused, cells):
    return tuple(cell for number, cell in enumerate(cells) if number not in unused)


def _peer(results, task, peer):
    theirs, whole = results.best(task, peer), results.best(task, "whole fit")
    return (
        task,
        ", ".join(filter(None, [peer, theirs["variant"]])),
        _time(theirs["seconds"]) + (" (n=1)" if theirs["runs"] == 1 else ""),
        _ratio(results.ratio(task, peer, "whole fit")),
        _loss(theirs, "loss"),
        _loss(whole, "loss"),
        theirs["loss_name"],
        _loss(theirs, "new_loss"),
        _loss(whole, "new_loss"),
        f"{theirs['threads']:.0f}",
    )


def hypergradients(title, rows):
    """One evaluation of loss and gradient against fits."""
    results = Results(rows)
    tasks = [task for task in results.tasks if results.has(task, "hypergradient")]
    return Table(
        title,
        ("", "one hypergradient", "5 fits", "hypergradient / 5 fits", "solver of the fits")
        + ("preparation", "threads: hypergradient, fits"),
        [_hypergradient(results, task) for task in tasks],
    )


def _hypergradient(results, task):
    own, fits = results.best(task, "hypergradient"), results.best(task, "K fits")
    return (
        task.removesuffix(", one hypergradient"),
        _time(own["seconds"]),
        _time(fits["seconds"]),
        _ratio(own["seconds"] / fits["seconds"]),
        fits["variant"],
        _time(results.seconds(task, "preparation")),
        f"{own['threads']:.0f}, {fits['threads']:.0f}",
    )


def growth(title, rows):
    """Fitted exponents."""
    largest = rows.groupby(["model", "against"], sort=False)["size"].max()
    return Table(
        title,
        ("model", "against", "up to", "exponent"),
        [
            (model, against, f"{largest[model, against]:,}", f"{exponent:.2f}")
            for (model, against), exponent in exponents(rows).items()
        ],
    )


def memory(title, rows):
    """Peak memory in units of the data."""
    ratios = memory_ratios(rows)
    notes = rows.fillna({"note": ""}).set_index(["task", "contender"])["note"]
    sizes = rows.drop_duplicates("task").set_index("task")["data_bytes"]
    return Table(
        title,
        ("", "size of X", *ratios.columns),
        [
            (
                task,
                f"{sizes[task] / 2**20:.3g} MiB",
                *(
                    notes[task, name] if pd.isna(value) else f"{value:.2f}"
                    for name, value in values.items()
                ),
            )
            for task, values in ratios.iterrows()
        ],
    )


def _loss(row, name):
    return "-" if pd.isna(row.get(name)) else f"{row[name]:.6f}"


def _time(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def _ratio(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
