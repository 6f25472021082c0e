"""What must hold for a random case: the same errors as GridSearchCV, and nothing worse than it."""

import contextlib
import copy
import dataclasses
import math
import pickle
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
from random_arguments import SMOOTH, several
from random_models import RARE
from sklearn.model_selection import GridSearchCV

import sklearn_hypergrad
from sklearn_hypergrad import Continuous, HypergradSearchCV

PACKAGE = str(Path(sklearn_hypergrad.__file__).parent)
# How much worse than GridSearchCV a score may be: relative to the loss that is descended, which a
# search calls flat up to that, and to the worst listed score, for data that are fitted perfectly.
WORSE, ROUNDING = 1e-6, 1e-12
# Words of remarks that explain a worse score. Where a loss is flat, labels depend on rounding.
EXPLANATIONS = (
    "flat",
    "not converged",
    "the fits score",
    "not finite",
    "random_state",
    "scorer",
    "diverge",
    "nan",
    "undefined",
)
# Endings of the names of hyperparameters that may be 0.
SHARES = "shrinkage", "reg_param"
# Beginnings of errors that refuse a Continuous, which GridSearchCV does not have.
REFUSALS = ("Cannot tune", "Parameter grid for")
# In the error that refuses scores of classes for models of numbers: those of GridSearchCV are nan.
OF_CLASSES = "compares classes, and"


@dataclasses.dataclass(frozen=True)
class Failure:
    """What does not hold: its kind, the same for all cases, and what was seen."""

    kind: str
    text: str

    def __str__(self):
        return f"[{self.kind}] {self.text}"


@dataclasses.dataclass
class Outcome:
    """A fitted search or its error, and the warnings that come from inside the package."""

    search: object = None
    error: BaseException | None = None
    inside: list = dataclasses.field(default_factory=list)


def failures_of(case):
    """The Failures of a case; an empty list if all is well."""
    return compare(case, run(case, GridSearchCV), run(case, HypergradSearchCV))


def run(case, search_class):
    outcome = Outcome()
    with watched(outcome.inside):
        try:
            outcome.search = case.call(search_class)
        except Exception as error:
            outcome.error = error
    return outcome


def compare(case, grid, ours):
    """The Failures, given the Outcomes of both searches."""
    found = []
    if ours.error is not None or grid.error is not None:
        found += _of_errors(case, grid.error, ours.error)
    else:
        with watched(ours.inside):
            for check in CHECKS:
                found += _checked(check, case, grid.search, ours.search)
    return found + [Failure("warning", text) for text in dict.fromkeys(ours.inside)]


def _checked(check, *args):
    try:
        return check(*args)
    except Exception as error:
        return [Failure(f"error in {check.__name__.strip('_')}", told(error))]


# Warnings from inside the package.


@contextlib.contextmanager
def watched(inside):
    """Note warnings of numbers and of the future whose innermost caller is in the package."""

    def show(message, category, *args, **kwargs):
        if issubclass(category, RuntimeWarning | FutureWarning | DeprecationWarning):
            place = _caller(sys._getframe(1))
            if place is not None:
                inside.append(f"{category.__name__} at {place}: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


def _caller(frame):
    """``file:line`` of the frame that warns, past those of numpy and scipy; None if elsewhere."""
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE):
            return f"{name[len(PACKAGE) + 1 :]}:{frame.f_lineno}"
        library = any(f"/{part}/" in name for part in ("numpy", "scipy", "autograd", "warnings"))
        if not library and not name.endswith(("warnings.py", "random_checks.py")):
            return None
        frame = frame.f_back
    return None


# Errors.


def told(error):
    """Type and first line of an error, and the last place of the package in its traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if frame.filename.startswith(PACKAGE)]
    place = f" at {places[-1].filename[len(PACKAGE) + 1 :]}:{places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{place}: {str(error)[:160]!r}"


def _of_errors(case, expected, error):
    # A search looks past values at which a covariance matrix is singular.
    if error is None and isinstance(expected, np.linalg.LinAlgError):
        return []
    if error is None:
        kind = "GridSearchCV raises, this does not" if not case.ranges else "only GridSearchCV"
        return [Failure(kind, told(expected))] if not case.ranges else []
    if isinstance(error, ValueError) and OF_CLASSES in str(error):
        return []
    refused = bool(case.ranges) and isinstance(error, ValueError)
    if refused and (expected is not None or str(error).startswith(REFUSALS)):
        return []
    if expected is None:
        return [Failure("raises, GridSearchCV does not", told(error))]
    if isinstance(error, type(expected)):
        return []
    return [Failure("raises another error", f"{told(error)}; GridSearchCV: {told(expected)}")]


# Scores.


def _metric(case):
    """The name in ``cv_results_`` of the score that decides, or None."""
    refit, scoring = case.options["refit"], case.options["scoring"]
    if isinstance(refit, str):
        return refit
    single = scoring is None or isinstance(scoring, str) or callable(scoring)
    return "score" if single and scoring is not several else None


def claims(case, ours):
    """Whether the best score must not be below that of GridSearchCV."""
    metric = _metric(case)
    if metric is None:
        return False
    network = case.family.endswith("network")
    if not case.ranges and not network:
        return True
    # Several ranges, and those of own models, are followed from a start.
    joint = any(sum(key in case.searched for key in grid) > 1 for grid in case.grids)
    vector = any(span.per is not None for span in case.ranges)
    if case.ranges and (joint or vector or case.family in RARE):
        return False
    # Where no listed value is judged, a score must be the loss that is descended.
    asked = (case.options["scoring"] or "r2") if metric == "score" else metric
    descended = getattr(ours, "validation_loss_", None)
    return SMOOTH.get(str(asked)) == descended is not None


def _not_worse(case, grid, ours):
    if not claims(case, ours):
        return []
    column = f"mean_test_{_metric(case)}"
    scores, own_scores = grid.cv_results_[column], ours.cv_results_[column]
    known = scores[np.isfinite(scores)]
    if not known.size:
        return _first_of_no_scores(case, grid, ours)
    best = known.max()
    mine = np.nanmax(own_scores) if np.isfinite(own_scores).any() else -math.inf
    # The loss of r2 is 1 - r2.
    loss = max(abs(best), abs(1 - best)) if case.options["scoring"] in (None, "r2") else abs(best)
    if best - mine <= WORSE * loss + ROUNDING * np.abs(known).max():
        return []
    index = int(np.nanargmax(np.where(np.isfinite(scores), scores, -np.inf)))
    text = (
        f"{column} {mine:.8g} of {ours.cv_results_['params']}, GridSearchCV {best:.8g} of "
        f"{grid.cv_results_['params'][index]}"
    )
    reasons = [r for r in ours.remarks_ if any(word in r for word in EXPLANATIONS)]
    if reasons:
        return [Failure("note: worse, with a remark", f"{text}; {reasons}")]
    return [Failure("worse", f"{text}; remarks {ours.remarks_}")]


def _first_of_no_scores(case, grid, ours):
    """Without any score the first listed setting is the best one, or a remark says that."""
    if case.ranges or not hasattr(grid, "best_params_"):
        return []
    if _same(grid.best_params_, ours.best_params_):
        return []
    if any("nan" in remark for remark in ours.remarks_):
        return []
    text = f"{ours.best_params_}, GridSearchCV {grid.best_params_}"
    return [Failure("another setting without scores", text)]


def _same(one, other):
    return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)


def _equal(one, other):
    if one is other or type(one) is type(other) and hasattr(one, "get_params"):
        return True
    return np.shape(one) == np.shape(other) and bool(np.all(np.asarray(one == other)))


# Settings.


def _settings_are_listed(case, grid, ours):
    """Every row has values of one of the grids, or values inside of its ranges."""
    rows = ours.cv_results_["params"]
    wrong = [row for row in rows if not any(_inside(row, given) for given in case.grids)]
    best = getattr(ours, "best_params_", rows[0])
    wrong += [best] * (not any(_same(best, row) for row in rows))
    return [Failure("setting outside the grid", f"{row} of {case.grid}") for row in wrong[:1]]


def _inside(row, given):
    return row.keys() == given.keys() and all(_within(row[k], given[k], k) for k in row)


def _within(value, given, key):
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], Continuous):
        given = given[0]
    if isinstance(given, Continuous):
        if isinstance(value, str) or value is None:
            return False
        if np.ndim(value) > 0 or given.per is not None:
            return given.per is not None and bool(np.all(np.asarray(value) >= 0))
        low = -math.inf if given.low is None else given.low
        high = math.inf if given.high is None else given.high
        return low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
    if any(_equal(value, each) for each in given):
        return True
    if not all(isinstance(each, int | float | np.number) for each in [value, *given]):
        return False
    # A share may be 0; any other 0 is a setting of its own.
    limits = (0, 1) if key.endswith(SHARES) else (5e-324, 1e308)
    valid = [each for each in given if limits[0] <= each <= limits[1]]
    return len(set(valid)) > 1 and min(valid) * (1 - 1e-12) <= value <= max(valid) * (1 + 1e-12)


def _results_are_complete(case, grid, ours):
    results, found = ours.cv_results_, []
    if results.keys() != grid.cv_results_.keys():
        difference = sorted(results.keys() ^ grid.cv_results_.keys())
        found.append(Failure("other columns", f"{difference}"))
    n_rows = len(results["params"])
    short = [name for name, column in results.items() if len(column) != n_rows]
    found += [Failure("columns of other lengths", f"{short}")] * bool(short)
    if hasattr(grid, "best_index_") != hasattr(ours, "best_index_"):
        found.append(Failure("best_index_", f"{hasattr(ours, 'best_index_')}, unlike GridSearchCV"))
    metric = _metric(case)
    if metric is not None and not callable(case.options["refit"]) and hasattr(ours, "best_index_"):
        ranks = results[f"rank_test_{metric}"]
        if ours.best_index_ != ranks.argmin():
            found.append(Failure("best row is not of rank 1", f"{ours.best_index_} of {ranks}"))
    if ours.n_iter_ < 1:
        found.append(Failure("n_iter_", f"{ours.n_iter_}"))
    return found


def _order_is_that_of_the_list(case, grid, ours):
    """Listed rows without a range are in GridSearchCV's order; values beside a range, too."""
    rows, listed = ours.cv_results_["params"], grid.cv_results_["params"]
    if hasattr(ours, "history_"):
        return _order_beside_a_range(case, rows)
    if case.ranges:
        return []
    if len(rows) == len(listed) and all(map(_same, rows, listed)):
        return []
    return [Failure("order of enumerated settings", f"{rows}, GridSearchCV {listed}")]


def _order_beside_a_range(case, rows):
    """One list with values that no range has: it is in the place of its first value that has."""
    if len(case.grids) > 1 or len(case.grid) > 1:
        return []
    ((key, given),) = case.grid.items()
    if isinstance(given, Continuous) or any(not isinstance(v, int | float) for v in given):
        return []
    if key.endswith(SHARES):
        return []
    valid = [0 < value < math.inf for value in given]
    if all(valid) or not any(valid):
        return []
    first = valid.index(True)
    expected = [
        "range" if ok else value
        for index, (value, ok) in enumerate(zip(given, valid, strict=True))
        if not ok or index == first
    ]
    seen = [row[key] if not 0 < row[key] < math.inf else "range" for row in rows]
    seen = [each for i, each in enumerate(seen) if each != "range" or each not in seen[:i]]
    if seen == expected:
        return []
    return [Failure("order of values beside a range", f"{seen} of {list(given)}")]


# What follows a fit.


def _works_afterwards(case, grid, ours):
    """Reports, pictures of the report, pickles, predictions."""
    text = str(ours.report())
    if "HypergradSearchCV" not in text:
        return [Failure("report", text[:100])]
    ours.report()._repr_html_()
    again = pickle.loads(pickle.dumps(ours))
    if hasattr(ours, "best_params_") and not _same(again.best_params_, ours.best_params_):
        return [Failure("pickle", f"{again.best_params_}, not {ours.best_params_}")]
    if hasattr(grid, "best_estimator_") != hasattr(ours, "best_estimator_"):
        return [Failure("best_estimator_", f"{hasattr(ours, 'best_estimator_')}")]
    return _predicts(case, grid, ours, again) if hasattr(ours, "best_estimator_") else []


def _predicts(case, grid, ours, again):
    # KernelRidge has a kernel of its own for the very object that it was fitted with.
    X = copy.deepcopy(case.data.X)
    try:
        expected = grid.predict(X)
    # Some estimators cannot predict after a fit of one class, or with priors of other classes.
    except (IndexError, ValueError):
        return []
    predicted, repeated = ours.predict(X), again.predict(X)
    if np.shape(predicted) != np.shape(expected):
        return [Failure("predictions", f"{np.shape(predicted)}, not {np.shape(expected)}")]
    same = _close if np.asarray(predicted).dtype.kind == "f" else np.array_equal
    return [] if same(predicted, repeated) else [Failure("pickle", "predicts something else")]


def _close(one, other):
    """Up to rounding: kernels of the processor may depend on where an array lies in memory."""
    largest = np.abs(one).max(initial=0, where=np.isfinite(one))
    return np.allclose(one, other, rtol=1e-6, atol=1e-9 * largest, equal_nan=True)


CHECKS = (
    _not_worse,
    _settings_are_listed,
    _results_are_complete,
    _order_is_that_of_the_list,
    _works_afterwards,
)
