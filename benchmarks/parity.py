"""GridSearchCV and HypergradSearchCV with the class name as the only change."""

from sklearn.model_selection import GridSearchCV, cross_val_score

from benchmarks.jobs import jobs, parse_data_folder, print_table, quiet
from sklearn_hypergrad import HypergradSearchCV


def main():
    """Print ``best_score_`` of both, the difference, and the error of ``best_score_``."""
    quiet()
    header = "data", "model", "score", "GridSearchCV", "HypergradSearchCV", "gain", "reproduced to"
    print_table(header, map(_row, jobs(parse_data_folder())))


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
