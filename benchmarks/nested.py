"""Both searches inside cross_val_score: what they are worth on data they have not seen."""

from pathlib import Path

from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score

from benchmarks.cases import list_table
from benchmarks.jobs import jobs, parse_data_folder, print_table, quiet
from sklearn_hypergrad import HypergradSearchCV

PAGE = Path(__file__).parents[1] / "docs" / "nested.inc"


def main():
    """Print the mean outer score of both and on how many outer splits each is better."""
    quiet()
    header = "data", "model", "score", "GridSearchCV", "HypergradSearchCV", "better / equal / worse"
    folder = parse_data_folder()
    rows = [*map(_row, jobs(folder))]
    print_table(header, rows)
    if folder is not None:
        PAGE.write_text(list_table(header, rows, widths="16 20 24 14 18 22"), encoding="utf-8")


def _row(job):
    name, X, y, estimator, grid, scoring = job
    splitter = StratifiedKFold if is_classifier(estimator) else KFold
    outer = splitter(5, shuffle=True, random_state=0)
    old, new = (
        cross_val_score(search(estimator, grid, scoring=scoring), X, y, cv=outer, scoring=scoring)
        for search in (GridSearchCV, HypergradSearchCV)
    )
    return (
        name,
        type(estimator[-1]).__name__,
        scoring,
        f"{old.mean():.4f}",
        f"{new.mean():.4f}",
        f"{(new > old).sum()} / {(new == old).sum()} / {(new < old).sum()}",
    )


if __name__ == "__main__":
    main()
