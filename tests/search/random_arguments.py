"""Random arguments of a search: grids of values and ranges, scores, splits and the rest."""

import numpy as np
from random_data import CLASSES, chance, pick
from sklearn.metrics import make_scorer, mean_absolute_percentage_error, mean_squared_error
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from sklearn_hypergrad import Continuous

# What GridSearchCV tries where a Continuous has no bounds.
DECADES = np.logspace(-3, 3, 7)
# Hyperparameters between 0 and 1.
FRACTIONS = {"shrinkage", "reg_param"}
# Most settings of one grid: GridSearchCV takes most of the time.
MOST_SETTINGS = 12


# Grids.


def draw_grids(rng, final, names, prefix, beside):
    """``(param_grid, param_grid of GridSearchCV)``: names of one or more hyperparameters."""
    n_grids = pick(rng, [1, 2], [8, 1])
    chosen = [_draw_grid(rng, final, names, prefix, beside) for _ in range(n_grids)]
    grids, listed = map(list, zip(*chosen, strict=True))
    return (grids[0], listed[0]) if n_grids == 1 else (grids, listed)


def _draw_grid(rng, final, names, prefix, beside):
    several = len(names) > 1 and chance(rng, 0.4)
    chosen = names if several else (pick(rng, names, [3] + [1] * (len(names) - 1)),)
    longest = 3 if several or beside else 9
    grid, listed = {}, {}
    for name in chosen:
        grid[prefix + name], listed[prefix + name] = _values(rng, final, name, longest)
    n_settings = np.prod([len(values) for values in listed.values()])
    for name, values in beside.items():
        if n_settings * len(values) <= MOST_SETTINGS:
            n_settings *= len(values)
            grid[name] = listed[name] = values
    if chance(rng, 0.2):
        grid = dict(reversed(grid.items()))
    return grid, listed


def _values(rng, final, name, longest):
    """``(values, values of GridSearchCV)`` of one hyperparameter."""
    if name == "n_neighbors":
        values = [1, 3, 5][: rng.integers(1, 4)]
        return values, values
    if chance(rng, 0.3):
        return _continuous(rng, final, name)
    # Most lists are short, since GridSearchCV takes most of the time.
    values = _list(rng, name, int(rng.integers(1, longest + 1, size=2).min()))
    return values, values


def _continuous(rng, final, name):
    fraction = name in FRACTIONS
    takes_vectors = type(final).__module__.startswith("sklearn_hypergrad.linear_model")
    per = pick(rng, [None, "feature", "coefficient"], [2, 3, 1]) if takes_vectors else None
    ends = rng.uniform(0.02, 0.98, 2) if fraction else 10 ** rng.uniform(-5, 5, 2)
    low, high = sorted(ends.tolist())
    kinds = {
        "free": (Continuous(per=per), np.linspace(0.1, 0.9, 7) if fraction else DECADES),
        "bounds": (Continuous(low, high, per=per), np.geomspace(low, high, 5)),
        "low": (Continuous(low, per=per), np.geomspace(low, 0.99 if fraction else low * 1e6, 5)),
        "high": (Continuous(high=high, per=per), np.geomspace(high / 1e6, high, 5)),
    }
    if per is None:
        linear = Continuous(low, high, scale="linear")
        kinds["linear"] = linear, np.linspace(low, high, 5)
    continuous, listed = kinds[pick(rng, list(kinds))]
    return (continuous if chance(rng, 0.6) else [continuous]), listed.tolist()


def _list(rng, name, n_values):
    """Numbers, unsorted now and then, with zero, infinity, ties and integers among them."""
    if name in FRACTIONS:
        values = rng.uniform(0, 1, n_values).tolist()
        odd = pick(rng, [None, 0.0, 1.0, 0, 1, "auto", None], [4, 1, 1, 1, 1, 1, 1])
    else:
        center, spread = rng.uniform(-3, 3), pick(rng, [0.3, 2.0, 5.0], [1, 3, 1])
        if name == "learning_rate_init":
            center, spread = -2, 1
        values = (10 ** rng.uniform(center - spread, center + spread, n_values)).tolist()
        odd = pick(rng, [None, 0.0, 0, np.inf, -1.0, "text"], [16, 4, 2, 2, 0.4, 0.4])
    if chance(rng, 0.3):
        values = [max(1, round(value)) if value < 1e9 else value for value in values]
    if chance(rng, 0.5):
        values.sort()
    if chance(rng, 0.15):
        values = [values[int(i)] for i in rng.integers(n_values, size=n_values)]
    if odd is not None:
        values[rng.integers(n_values)] = odd
    if all(isinstance(value, int | float) for value in values) and chance(rng, 0.2):
        return np.array(values)
    return tuple(values) if chance(rng, 0.1) else values


# Scores.


def bias(estimator, X, y):
    """Minus the distance of the means: a score without gradient that is often tied or zero."""
    predicted = np.asarray(estimator.predict(X))
    if predicted.dtype.kind not in "fi":
        return float(np.mean(predicted == np.asarray(y)))
    return -float(abs(np.mean(predicted) - np.mean(np.asarray(y))))


def nothing(estimator, X, y):
    """No number for any setting."""
    return np.nan


def sometimes_nothing(estimator, X, y):
    """No number on every second held-out part, by its size and target."""
    return np.nan if len(y) % 2 else bias(estimator, X, y)


def raises(estimator, X, y):
    """A scorer with a mistake in it."""
    raise KeyError("a mistake in a scorer")


def several(estimator, X, y):
    """Two scores in a dict."""
    return {"first": bias(estimator, X, y), "second": 0.5}


SMOOTH = {
    "r2": "r2",
    "neg_mean_squared_error": "squared_error",
    "neg_root_mean_squared_error": "root_squared_error",
    "neg_mean_absolute_error": "absolute_error",
    "neg_mean_poisson_deviance": "poisson_deviance",
    "neg_mean_gamma_deviance": "gamma_deviance",
    "neg_log_loss": "log_loss",
    "neg_brier_score": "brier_score",
}
REAL = ["r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "neg_mean_absolute_error"]
REAL_ROUGH = ["neg_median_absolute_error", "neg_max_error", "explained_variance"]
OWN_METRICS = [
    make_scorer(mean_squared_error, greater_is_better=False),
    make_scorer(mean_absolute_percentage_error, greater_is_better=False),
]
LABELS_ROUGH = ["accuracy", "balanced_accuracy", "f1_macro", "matthews_corrcoef", "roc_auc"]
CALLABLES = [bias, nothing, sometimes_nothing, raises]


def _names(task, probabilities):
    """``(names with a gradient, names without)`` of scores that go with a task."""
    if task in CLASSES:
        return (["neg_log_loss", "neg_brier_score"] if probabilities else []), LABELS_ROUGH
    if task == "positive":
        return [*REAL, "neg_mean_poisson_deviance", "neg_mean_gamma_deviance"], REAL_ROUGH
    return REAL, [*REAL_ROUGH[:1], *REAL_ROUGH[2:]] if task == "outputs" else REAL_ROUGH


def draw_scoring(rng, task, final):
    """``(scoring, refit)``."""
    smooth, rough = _names(task, hasattr(final, "predict_proba"))
    # Every fit fails the same way: rare.
    if chance(rng, 0.02):
        return pick(rng, ["unknown", "accuracy" if task not in CLASSES else "r2", []]), True
    kind = pick(rng, ["none", "smooth", "rough", "callable", "several"], [8, 6, 5, 2, 2])
    if kind == "none" or (kind == "smooth" and not smooth):
        return None, _refit(rng)
    if kind == "smooth":
        return pick(rng, smooth), _refit(rng)
    if kind == "rough":
        own = OWN_METRICS if task not in CLASSES else []
        return pick(rng, [*rough, *own]), _refit(rng)
    if kind == "callable":
        return pick(rng, CALLABLES, [4, 1, 2, 1]), _refit(rng)
    return _several_metrics(rng, [*smooth, *rough])


def _several_metrics(rng, names):
    if chance(rng, 0.2):
        return several, pick(rng, ["first", False, best_row], [4, 1, 1])
    one, two = (str(name) for name in rng.choice(names, size=2, replace=False))
    forms = {"list": [one, two], "tuple": (one, two), "dict": {one: one, two: two, "bias": bias}}
    refit = pick(rng, [one, two, False, best_row, True, "unknown"], [4, 4, 1, 1, 0.3, 0.3])
    return forms[pick(rng, list(forms))], refit


def best_row(cv_results):
    """A callable for ``refit``: the best row of the first metric."""
    name = next(name for name in cv_results if name.startswith("mean_test_"))
    return int(np.argmax(np.nan_to_num(cv_results[name], nan=-np.inf)))


def _refit(rng):
    return pick(rng, [True, False, best_row], [10, 1, 1])


# Splits.


class Indices:
    """Makes a list of splits, or an iterator over it."""

    def __init__(self, splits, kind):
        self.splits, self.kind = splits, kind

    def __call__(self):
        return iter(self.splits) if self.kind == "iterator" else list(self.splits)

    def __repr__(self):
        sizes = [f"{np.shape(train)}/{np.shape(test)}" for train, test in self.splits]
        return f"{self.kind} of splits {', '.join(sizes)}"


def draw_cv(rng, n_rows, task):
    """``(cv or Indices, whether groups are needed)``."""
    kinds = {
        "number": lambda: pick(rng, [2, 3, 4], [3, 2, 1]),
        "none": lambda: None,
        "folds": lambda: KFold(pick(rng, [2, 3])),
        "shuffled": lambda: KFold(3, shuffle=True, random_state=0),
        "stratified": lambda: StratifiedKFold(3),
        "repeated": lambda: RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
        "random": lambda: ShuffleSplit(2, test_size=0.3, random_state=0),
        "time": lambda: TimeSeriesSplit(2),
        "one": lambda: LeaveOneOut() if n_rows < 16 else 3,
        "groups": lambda: pick(rng, [GroupKFold(2), LeaveOneGroupOut()]),
        "predefined": lambda: PredefinedSplit(np.arange(n_rows) % 3 - 1),
        "indices": lambda: _indices(rng, n_rows),
        "too many": lambda: n_rows + 1,
    }
    odds = [8, 0.6, 1, 2, 1 if task in CLASSES else 0.2, 0.6, 2, 1, 0.5, 2, 1, 2, 0.2]
    kind = pick(rng, list(kinds), odds)
    return kinds[kind](), kind == "groups"


def _indices(rng, n_rows):
    order = rng.permutation(n_rows)
    third = n_rows // 3
    splits = [(order[third:], order[:third]), (order[: 2 * third], order[2 * third :])]
    if chance(rng, 0.3):
        splits = [
            tuple(np.isin(np.arange(n_rows), part) for part in (train, test))
            for train, test in splits
        ]
    return Indices(splits, pick(rng, ["list", "iterator"]))


# The rest.


def draw_options(rng):
    """Arguments that GridSearchCV has, too."""
    options = {}
    error_score = pick(rng, [None, "raise", 0.0, -1e3], [14, 4, 1, 1])
    if error_score is not None:
        options["error_score"] = error_score
    if chance(rng, 0.1):
        options["return_train_score"] = True
    return options
