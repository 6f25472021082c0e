"""GridSearchCV and HypergradSearchCV with the class name as the only change."""

from pathlib import Path

from sklearn.model_selection import GridSearchCV, cross_val_score

from benchmarks.cases import list_table
from benchmarks.jobs import jobs, parse_data_folder, print_table, quiet
from sklearn_hypergrad import HypergradSearchCV

PAGE = Path(__file__).parents[1] / "docs" / "parity.inc"


def main():
    """Print ``best_score_`` of both, the difference, and the error of ``best_score_``."""
    quiet()
    header = "data", "model", "score", "GridSearchCV", "HypergradSearchCV", "gain", "reproduced to"
    folder = parse_data_folder()
    rows = [*map(_row, jobs(folder))]
    print_table(header, rows)
    if folder is not None:
        PAGE.write_text(
            list_table(header[:6], [row[:6] for row in rows], widths="16 20 24 14 18 12"),
            encoding="utf-8",
        )


def _row(job):
    name, X, y, estimator, grid, scoring = job
    old = GridSearchCV(estimator, grid, scoring=scoring).fit(X, y)
    new = HypergradSearchCV(estimator, grid, scoring=scoring).fit(X, y)
    again = cross_val_score(new.best_estimator_, X, y, scoring=scoring).mean()
    return (
        name,
        type(estimator[-1]).__name__,
        scoring,
        f"{old.best_score_:.6f}",
        f"{new.best_score_:.6f}",
        f"{new.best_score_ - old.best_score_:+.1e}",
        f"{abs(new.best_score_ - again):.0e}",
    )


if __name__ == "__main__":
    main()
