"""Is one gamma per feature in a kernel better on new data than one gamma, and what does it cost?

``python -m benchmarks.kernel_vectors [--data DIR] [--only NAMES] [--rounds N]``. Every set with at
most 2,000 rows is cut at random, ``--rounds`` times: at most 300 rows to search on, with five
folds, and the others, which no search sees. Features are standardised by the pipeline, targets that
are numbers on the rows to search on. Each cut is searched with one gamma, with one per feature
without a guard, and with the guard that is the default; all other hyperparameters are searched
together with it. Errors on unseen rows (squared, or the share of wrong classes plus one in a
hundred) are compared with those of one gamma: better or worse is by more than one in 200. Times are
of one process. Prints a line for every cut, and a table.
"""

import dataclasses
import time

import numpy as np
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cases import list_table, measured_cases
from benchmarks.family_cases import sets
from sklearn_hypergrad import Continuous, HypergradSearchCV, kernel_ridge, svm
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives

MOST_ROWS = 300
EQUAL = 0.005
# Where no row is wrong, a ratio of shares says nothing.
OFFSET = 0.01
# Steps in theta that make points of an objective new ones, and how many are timed.
NEARBY, N_TIMED = 1e-6, 5
CASES = {
    "KernelRidge": (kernel_ridge.KernelRidge(kernel="rbf"), ("alpha",), "numbers"),
    "SVR": (svm.SVR(), ("C", "epsilon"), "numbers"),
    "SVC": (svm.SVC(), ("C",), "two classes"),
}
COLUMNS = (
    "sets",
    "error without guard",
    "better, equal, worse; worst",
    "error with guard",
    "better, equal, worse; worst",
    "vectors kept",
    "time without and with guard",
    "an evaluation",
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One cut of one set: errors and times relative to one gamma."""

    data: str
    free: float
    guarded: float
    kept: bool
    time_free: float
    time_guarded: float
    evaluation: float


def search(case, per, **options):
    """An unfitted search."""
    estimator, others, _ = case
    pipeline = make_pipeline(StandardScaler(), estimator)
    place = pipeline.steps[-1][0]
    ranges = {f"{place}__{name}": Continuous() for name in others}
    return HypergradSearchCV(
        pipeline, ranges | {f"{place}__gamma": Continuous(per=per)}, cv=5, **options
    )


def parts(kind, X, y, seed):
    """``(X to search on, X unseen, y to search on, y unseen)``."""
    classes = y if kind == "two classes" else None
    size = min(MOST_ROWS, 3 * len(y) // 4)
    X = X[:, X.std(axis=0) > 0]
    X, unseen, y, y_unseen = train_test_split(
        X, y, train_size=size, random_state=seed, stratify=classes
    )
    if classes is not None:
        return X, unseen, y, y_unseen
    return X, unseen, (y - y.mean()) / y.std(), (y_unseen - y.mean()) / y.std()


def outcome(case, data, X, y, seed):
    """The Outcome of one cut."""
    X, unseen, y, y_unseen = parts(case[-1], X, y, seed)
    made = [
        search(case, None),
        search(case, "feature", guard=False),
        search(case, "feature"),
    ]
    errors, seconds = [], []
    for each in made:
        began = time.process_time()
        each.fit(X, y)
        seconds.append(time.process_time() - began)
        z = each.predict(unseen)
        numbers = case[-1] == "numbers"
        errors.append(np.mean((z - y_unseen) ** 2) if numbers else np.mean(z != y_unseen) + OFFSET)
    guard = getattr(made[2], "guard_", None)
    return Outcome(
        data,
        errors[1] / errors[0],
        errors[2] / errors[0],
        guard is not None and guard.kept,
        seconds[1] / seconds[0],
        seconds[2] / seconds[0],
        price(made[0], made[1], X, y),
    )


def price(common, free, X, y):
    """CPU time of an evaluation of the vector relative to a ``cross_val_score``."""
    (objective,) = build_objectives(free, X, y)
    h = {
        d.name: free.best_params_[f"{common.estimator.steps[-1][0]}__{d.name}"]
        for d in objective.space.dimensions
    }
    theta, times = objective.space.to_theta(h), []
    for number in range(N_TIMED):
        began = time.process_time()
        objective(theta + NEARBY * number)
        between = time.process_time()
        cross_val_score(common.best_estimator_, X, y, cv=5)
        times.append((between - began, time.process_time() - between))
    evaluations, scores = np.median(times, axis=0)
    return evaluations / scores


def row(name, make, rounds):
    """The row of a model: name and columns, as text."""
    case, folder = make()
    outcomes, names = [], []
    for data, X, y in sets(case[-1], folder):
        names.append(data)
        for seed in range(rounds):
            outcomes.append(outcome(case, data, X, y, seed))
            print(*dataclasses.astuple(outcomes[-1]), sep="\t", flush=True)
    free, guarded = ([getattr(each, what) for each in outcomes] for what in ("free", "guarded"))
    times = [
        np.median([getattr(o, f"time_{what}") for o in outcomes]) for what in ("free", "guarded")
    ]
    prices = np.quantile([each.evaluation for each in outcomes], [0.1, 0.5, 0.9])
    return (
        name,
        str(len(names)),
        *_compared(free),
        *_compared(guarded),
        f"{sum(each.kept for each in outcomes)} of {len(outcomes)}",
        f"{times[0]:.1f}, {times[1]:.1f}",
        f"{prices[1]:.2f} ({prices[0]:.2f} to {prices[2]:.2f})",
    )


def _compared(ratios):
    """Geometric mean, and counts with the worst ratio, as text."""
    ratios = np.array(ratios)
    better, worse = np.sum(ratios < 1 - EQUAL), np.sum(ratios > 1 + EQUAL)
    counts = f"{better}, {len(ratios) - better - worse}, {worse}; {ratios.max():.2f}"
    return f"{np.exp(np.mean(np.log(ratios))):.3f}", counts


def cases(folder):
    """``{name: function that makes the case}``."""
    return {name: lambda case=case: (case, folder) for name, case in CASES.items()}


def main():
    rows, _ = measured_cases(__doc__, cases, row, rounds=4)
    print(list_table(("", *COLUMNS), rows, widths="13 6 10 15 10 15 10 11 10"))


if __name__ == "__main__":
    main()
