"""Standard errors over splits, plain and corrected for their overlap."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, LeaveOneOut, RepeatedKFold, ShuffleSplit

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.problems.split_data import mean_over_rows, overlap_of
from sklearn_hypergrad.tuning.objective import standard_error


def splits_of(splitter, n=60):
    return list(splitter.split(np.empty((n, 1))))


@pytest.mark.parametrize(
    ("splitter", "expected"),
    [
        (KFold(5), 0),
        (LeaveOneOut(), 0),
        (RepeatedKFold(n_splits=5, n_repeats=2, random_state=0), 1 / 4),
        (RepeatedKFold(n_splits=2, n_repeats=3, random_state=0), 1),
        (ShuffleSplit(4, test_size=0.4, random_state=0), 24 / 36),
        (ShuffleSplit(1, test_size=0.4, random_state=0), 0),
    ],
)
def test_overlap_is_that_of_rows_held_out_more_than_once(splitter, expected):
    splits = splits_of(splitter)
    assert overlap_of(splits) == pytest.approx(expected)
    masks = [[np.isin(np.arange(60), part) for part in split] for split in splits]
    assert overlap_of(masks) == pytest.approx(expected)


def test_leave_one_out_has_no_splits():
    assert overlap_of([]) == 0


def test_repeating_the_same_splits_does_not_make_a_mean_much_better_known():
    """The plain error goes to zero with the number of repetitions, the corrected one does not."""
    values = np.random.default_rng(0).normal(size=10)
    assert standard_error(values) == pytest.approx(values.std(ddof=1) / np.sqrt(10))
    often = np.tile(values, 1000)
    assert standard_error(often) < 0.02 * values.std()
    assert standard_error(often, 1.0) == pytest.approx(values.std(), rel=1e-3)
    assert np.isnan(standard_error([1.0], 0.5))


def gained(search):
    return str(search.report()).partition("Gained")[2].partition("Stopped")[0]


def losses_at(search, value, splits):
    """Losses of the splits at the last evaluation of a value."""
    history = search.history_[search.history_["splits"] == splits]
    (*_, row) = (i for i, v in enumerate(history["value"]) if np.allclose(v, value, rtol=1e-9))
    columns = [c for c in history if c.startswith("split") and c.endswith("_loss")]
    return np.array(history[columns])[row]


def test_gains_over_repeated_folds_are_corrected(data):
    X, y = data("diabetes")
    cv = RepeatedKFold(n_splits=4, n_repeats=3, random_state=0)
    search = HypergradSearchCV(Ridge(alpha=3), {"alpha": [1e-3, 1e3]}, cv=cv).fit(X, y)
    before, after = (losses_at(search, at, "cv") for at in (3, search.best_params_["alpha"]))
    # Parts of 442 rows in four are 110 or 111.
    error = np.sqrt((1 / 12 + 1 / 3) * np.var(before - after, ddof=1))
    text = gained(search)
    assert text.rstrip().endswith("(one standard error, corrected for overlapping splits)")
    assert float(text.partition("+/- ")[2].split()[0]) == pytest.approx(error, rel=0.05)


def test_gains_of_a_vector_over_halves_are_corrected(data):
    X, y = data("diabetes")
    X = np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 20))])
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(linear_model.Ridge(), grid, search_cv="halves")
    one, vector = gained(search.fit(X, y)).rstrip().split("\n")
    assert one.endswith("(one standard error)")
    assert vector.endswith("(one standard error, corrected for overlapping splits)")
    pair = (search.cv_results_["params"][row]["alpha"] for row in (1, 0))
    before, after = (losses_at(search, value, "search_cv") for value in pair)
    error = np.sqrt((1 / 20 + 1) * np.var(before - after, ddof=1))
    assert float(vector.partition("+/- ")[2].split()[0]) == pytest.approx(error, rel=0.05)


def test_one_standard_error_over_random_splits_is_corrected(data):
    X, y = data("diabetes")
    cv = ShuffleSplit(10, test_size=0.5, random_state=0)
    grid = {"alpha": Continuous()}
    search = HypergradSearchCV(Ridge(), grid, cv=cv, selection="one_se").fit(X, y)
    history = search.history_[search.history_["purpose"] == "search"]
    best = history[history["inner_tol"] == history["inner_tol"].min()]
    best = best.sort_values("loss").iloc[0]
    losses = np.array([best[f"split{k}_loss"] for k in range(10)])
    limit = losses.mean() + np.sqrt((1 / 10 + 1) * losses.var(ddof=1))
    found = losses_at(search, search.best_params_["alpha"], "cv").mean()
    assert found == pytest.approx(limit, rel=1e-3)


def test_a_guard_counts_a_sample_once_however_often_it_is_held_out():
    rng = np.random.default_rng(0)
    difference, weight, rows = rng.normal(size=30), rng.uniform(size=30), rng.permutation(30)
    once = mean_over_rows(difference, weight, rows)
    twice = mean_over_rows(*(np.tile(v, 2) for v in (difference, weight, rows)))
    assert twice == pytest.approx(once)
    assert once[0] == pytest.approx(np.average(difference, weights=weight))
