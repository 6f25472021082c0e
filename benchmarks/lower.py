"""Where a grid has the higher ``best_score_``: both points once more, solved to the end.

``python -m benchmarks.lower --data DIR [--only NAMES]``. For each line of ``results/families.csv``
with a lower score than the grid's, both searches run again. Then the solver of the search, which
goes on until it has converged, solves the point of the grid and ours. If ours has the higher score
then, the grid's was one of fits that had stopped early; if not, the search has missed a minimum.
Without ``--only`` it writes ``docs/lower.inc``.
"""

import argparse
import warnings
from pathlib import Path

from benchmarks.cases import list_table
from benchmarks.families import FORMS, parts, searches, stored
from benchmarks.family_cases import CASES, sets
from benchmarks.speed.clock import blas_threads
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.tuning import FINE

PAGE = Path(__file__).parents[1] / "docs" / "lower.inc"
HEADER = (
    "grid and data",
    "fits: grid",
    "fits: ours",
    "converged: grid",
    "converged: ours",
    "converged, ours less grid's",
)
TEXT = """\
Of {n_lines} lines of that table {n_lower} have a lower ``best_score_`` than the grid's. Here are
all of them, by ``python -m benchmarks.lower``. "Fits" are the scores of scikit-learn's fits, by
which both searches choose. "Converged" are those of the same two points, solved until nothing
changes. {verdict}

"""
NONE = """\
Ours is at least as high in each line: the grid has the higher scores because fits have stopped
early."""
SOME = "In {n} lines ours is lower then, too: the search has missed a minimum."
# Relative difference of converged scores that is rounding.
ROUNDING = 1e-9


def converged(objectives, params):
    """The score of a point if all of its problems are solved to the end."""
    values = {name.rpartition("__")[2]: float(value) for name, value in params.items()}
    # A listed zero is a candidate of its own, without this value in its objective.
    (objective,) = (
        each
        for each in objectives
        if {_leaf(d) for d in each.space.dimensions} == {n for n, v in values.items() if v}
    )
    objective.tol = FINE
    h = {d.name: values[_leaf(d)] for d in objective.space.dimensions}
    loss = objective.terms[0].validation_loss
    return loss.offset - objective.record(objective.space.to_theta(h)).value


def _leaf(dimension):
    return dimension.name.rpartition("__")[2]


def row(line, folder):
    """Cells, and our converged score less that of the grid; None if ours is not lower any more."""
    case = CASES[line.family]
    X, y = next((X, y) for name, X, y in sets(case.kind, folder) if name == line.data)
    X, _, y, _ = parts(case, line.form, X, y)
    grid, ours = (search.fit(X, y) for search in searches(case, line.form).values())
    if ours.best_score_ >= grid.best_score_:
        return None
    objectives = build_objectives(ours, X, y)
    exact = [converged(objectives, search.best_params_) for search in (grid, ours)]
    gain = exact[1] - exact[0]
    gain = 0.0 if abs(gain) <= ROUNDING * abs(exact[0]) else gain
    where = f"{line.family}: {line.data}{', raw' if line.form == FORMS[1] else ''}"
    scores = (f"{score:.7f}" for score in (grid.best_score_, ours.best_score_, *exact))
    return (where, *scores, f"{gain:.1e}"), gain


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="", help="part of the names of families")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    lines, rows = stored(), []
    with blas_threads(1):
        for line in lines:
            found = None
            if line.found < 0 and arguments.only in line.family:
                found = row(line, arguments.data)
            if found is not None:
                rows.append(found)
                print(" | ".join(found[0]), flush=True)
    if not arguments.only:
        n_missed = sum(gain < 0 for _, gain in rows)
        verdict = SOME.format(n=n_missed) if n_missed else NONE
        text = TEXT.format(n_lines=len(lines), n_lower=len(rows), verdict=verdict)
        table = list_table(HEADER, [cells for cells, _ in rows], "30 14 14 14 14 14")
        PAGE.write_text(text + table, encoding="utf-8")


if __name__ == "__main__":
    main()
