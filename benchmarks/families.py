"""Every family against GridSearchCV on the grid that people give it: time, score and unseen data.

``python -m benchmarks.families [--data DIR] [--only NAMES] [--rounds N]``. The class name is the
only change: both searches get the same estimator, the same lists and five folds. Every set with at
most 2,000 rows is cut into three quarters to search on and a quarter that neither search sees; the
features are standardised before the search, or raw and behind a StandardScaler. Both searches have
one BLAS thread and run in turn; medians of their CPU times are compared. A ``best_score_`` is equal
to the grid's if they differ by at most one in a million of the spread of the grid's scores, a score
on unseen data if it does by at most one in a thousand. ``results/families.csv`` has a line for
every set; ``--only`` replaces those of some families. With ``--data`` the table of all of them,
``docs/families.inc``, is written.
"""

import csv
import dataclasses
import time
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.cases import list_table, measured_cases
from benchmarks.family_cases import CASES, sets
from sklearn_hypergrad import HypergradSearchCV

HERE = Path(__file__).parent
PAGE, LINES = HERE.parent / "docs" / "families.inc", HERE / "results" / "families.csv"
# Seconds after which a contender runs only once more.
PATIENCE = 4.0
EQUAL, ALIKE = 1e-6, 1e-3
FORMS = "standardised", "behind a scaler"
COLUMNS = (
    "grid",
    "sets",
    "time, grid over ours",
    "time behind a scaler",
    "``best_score_``: higher, equal, lower",
    "unseen rows: better, equal, worse",
)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Both searches of one data set in one form."""

    family: str
    data: str
    form: str
    time_ratio: float
    evaluations: int
    grid_score: float
    our_score: float
    spread: float
    grid_unseen: float
    our_unseen: float

    @property
    def found(self):
        """1, 0 or -1: whether our ``best_score_`` is higher."""
        return _sign(self.our_score - self.grid_score, EQUAL * self.spread)

    @property
    def unseen(self):
        """The same for the score on unseen rows."""
        return _sign(self.our_unseen - self.grid_unseen, ALIKE * abs(self.grid_unseen))


def _sign(gain, least):
    return int(np.sign(gain)) if abs(gain) > least else 0


def searches(case, form):
    """``{name: unfitted search}``."""
    estimator, grid = case.estimator, case.grid
    if form == FORMS[1]:
        estimator = make_pipeline(StandardScaler(), estimator)
        place = estimator.steps[-1][0]
        grid = {f"{place}__{name}": values for name, values in grid.items()}
    options = {"scoring": case.scoring, "cv": 5}
    return {
        "grid": GridSearchCV(estimator, grid, **options),
        "ours": HypergradSearchCV(estimator, grid, **options),
    }


def parts(case, form, X, y):
    """``(X to search on, X unseen, y to search on, y unseen)``."""
    labels = y if case.kind.endswith("classes") else None
    X, X_unseen, y, y_unseen = train_test_split(X, y, random_state=0, stratify=labels)
    if form == FORMS[0] and case.kind != "counts":
        varies = X.std(axis=0) > 0
        scaler = StandardScaler().fit(X[:, varies])
        X, X_unseen = scaler.transform(X[:, varies]), scaler.transform(X_unseen[:, varies])
    return X, X_unseen, y, y_unseen


def in_turn(make, X, y, rounds, patience=np.inf):
    """Median CPU times of searches that are fitted in turn, and the last fitted ones, by name.

    Parameters
    ----------
    make : callable
        Returns the unfitted searches by name.
    X, y : ndarray
    rounds : int
    patience : float
        CPU seconds after which one is not fitted again.
    """
    seconds, fitted = {}, {}
    for _ in range(rounds):
        for name, search in make().items():
            own = seconds.setdefault(name, [])
            if sum(own) < patience:
                began = time.process_time()
                fitted[name] = search.fit(X, y)
                own.append(time.process_time() - began)
    return {name: np.median(own) for name, own in seconds.items()}, fitted


def compared(family, case, data, form, X, y, rounds):
    """The Outcome of one data set."""
    X, X_unseen, y, y_unseen = parts(case, form, X, y)
    seconds, fitted = in_turn(lambda: searches(case, form), X, y, rounds, PATIENCE)
    grid, ours = fitted["grid"], fitted["ours"]
    scores = grid.cv_results_["mean_test_score"]
    return Outcome(
        family,
        data,
        form,
        float(seconds["grid"] / seconds["ours"]),
        ours.n_iter_,
        grid.best_score_,
        ours.best_score_,
        float(np.nanmax(scores) - np.nanmin(scores)),
        grid.score(X_unseen, y_unseen),
        ours.score(X_unseen, y_unseen),
    )


def row(family, make, rounds):
    """Measure a family, and store its lines; the row of the table, as text."""
    case, folder = make()
    forms = FORMS[:1] if case.kind == "counts" else FORMS
    outcomes = []
    for data, X, y in sets(case.kind, folder):
        for form in forms:
            outcomes.append(compared(family, case, data, form, X, y, rounds))
            print(*dataclasses.astuple(outcomes[-1]), sep="\t", flush=True)
    if folder is not None:
        store(outcomes)
    return summary(family, outcomes)


def summary(family, outcomes):
    """The row of a family: name and columns, as text."""
    counts = " x ".join(str(len(values)) for values in CASES[family].grid.values())
    return cells(family, counts, outcomes)


def cells(name, counts, outcomes):
    """A name, how many values there are, and what the outcomes say, as text."""
    n_sets = len({outcome.data for outcome in outcomes})
    ratios = [_ratios(outcomes, form) for form in FORMS]
    found, unseen = (_counts(getattr(o, what) for o in outcomes) for what in ("found", "unseen"))
    return name, counts, str(n_sets), *ratios, found, unseen


def _ratios(outcomes, form):
    """Median and range of the ratios of times."""
    ratios = [outcome.time_ratio for outcome in outcomes if outcome.form == form]
    if not ratios:
        return ""
    return f"{np.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


def _counts(signs):
    signs = list(signs)
    return ", ".join(str(signs.count(sign)) for sign in (1, 0, -1))


def stored():
    """The Outcomes in the table of all sets."""
    if not LINES.exists():
        return []
    types = {field.name: field.type for field in dataclasses.fields(Outcome)}
    with LINES.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return [Outcome(**{name: types[name](line[name]) for name in types}) for line in lines]


def store(outcomes):
    """Replace the lines of a family in the table of all sets."""
    order = list(CASES)
    kept = [each for each in stored() if each.family != outcomes[0].family]
    kept = sorted([*kept, *outcomes], key=lambda each: order.index(each.family))
    with LINES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in dataclasses.fields(Outcome))
        for each in kept:
            values = dataclasses.astuple(each)
            writer.writerow(f"{v:.7g}" if isinstance(v, float) else v for v in values)


def cases(folder):
    """``{name: function that makes the Case}``."""
    return {name: lambda case=case: (case, folder) for name, case in CASES.items()}


def main():
    measured_cases(__doc__, cases, row, rounds=3)
    known = stored()
    families = [name for name in CASES if any(each.family == name for each in known)]
    rows = [summary(name, [each for each in known if each.family == name]) for name in families]
    page = list_table(("", *COLUMNS), rows, widths="22 10 6 16 16 15 15")
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
