"""Both searches inside cross_val_score: what they are worth on data they have not seen."""

from sklearn.base import is_classifier
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score

from benchmarks.jobs import jobs, parse_data_folder, print_table, quiet
from sklearn_hypergrad import HypergradSearchCV


def main():
    """Print the mean outer score of both and on how many outer splits each is better."""
    quiet()
    header = "data", "model", "score", "GridSearchCV", "HypergradSearchCV", "better / equal / worse"
    print_table(header, map(_row, jobs(parse_data_folder())))


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
