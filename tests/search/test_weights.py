"""A row of weight w counts as that row w times, in every objective."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.metrics import get_scorer, make_scorer, mean_squared_error
from sklearn.model_selection import PredefinedSplit, RepeatedKFold

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import CurveDisplay
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives

N, P = 60, 6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, P))
SIGNAL = 2 * X[:, 0] + RNG.normal(size=N)
WEIGHT = RNG.integers(0, 4, N)
FOLDS = np.arange(N) % 4
ROWS = np.repeat(np.arange(N), WEIGHT)


def halves(folds):
    """The same halves of rows, whether these are weighted or repeated."""
    return [
        (np.flatnonzero(np.isin(folds, part)), np.flatnonzero(~np.isin(folds, part)))
        for part in ([0, 1], [2, 3], [0, 2], [1, 3])
    ]


class Fixed:
    """Halves of rows by their folds."""

    def __init__(self, folds):
        self.folds = folds

    def get_n_splits(self, X=None, y=None, groups=None):
        return 4

    def split(self, X, y=None, groups=None):
        return halves(self.folds)


def searched(model, per, search_cv, scoring, folds):
    name = "alpha" if isinstance(model, Ridge) else "C"
    search_cv = Fixed(folds) if search_cv == "halves" else search_cv
    return HypergradSearchCV(
        model,
        {name: Continuous(per=per)},
        scoring=scoring,
        cv=PredefinedSplit(folds),
        search_cv=search_cv,
        max_iter=6,
    )


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(
    ("kind", "search_cv", "per"),
    [
        *itertools.product(["ridge", "logistic"], ["cv", "halves"], [None, "feature"]),
        ("ridge", "evidence", "feature"),
    ],
)
def test_a_weight_is_a_number_of_rows(kind, search_cv, per):
    with config_context(enable_metadata_routing=True):
        if kind == "ridge":
            model = Ridge().set_fit_request(sample_weight=True)
            scorer = make_scorer(mean_squared_error, greater_is_better=False)
            scorer, y = scorer.set_score_request(sample_weight=True), SIGNAL
        else:
            model = LogisticRegression().set_fit_request(sample_weight=True)
            scorer = get_scorer("neg_log_loss").set_score_request(sample_weight=True)
            y = SIGNAL + 2 * np.random.default_rng(2).normal(size=N) > 0
        weighted = searched(model, per, search_cv, scorer, FOLDS)
        repeated = searched(model, per, search_cv, scorer, FOLDS[ROWS])
        (one,) = build_objectives(weighted, X, y, sample_weight=WEIGHT)
        (other,) = build_objectives(repeated, X[ROWS], y[ROWS], sample_weight=np.ones(len(ROWS)))
        theta = np.log(np.random.default_rng(1).uniform(1, 9, size=one.space.size))
        one.tol = other.tol = 1e-10
        (value, slope), (expected, gradient) = one(theta), other(theta)
        # Minus the log evidence of weighted rows differs by a constant.
        assert value == pytest.approx(expected, rel=1e-7)
        assert_allclose(slope, gradient, rtol=1e-5, atol=1e-8 * np.abs(gradient).max())
        weighted.fit(X, y, sample_weight=WEIGHT)
        repeated.fit(X[ROWS], y[ROWS], sample_weight=np.ones(len(ROWS)))
        (key,) = weighted.best_params_
        found, same = weighted.best_params_[key], repeated.best_params_[key]
        assert_allclose(np.log(found), np.log(same), atol=2e-2)


def test_repeated_folds_do_not_narrow_the_interval():
    pytest.importorskip("matplotlib").use("Agg")
    widths = []
    for n_repeats in (2, 12):
        cv = RepeatedKFold(n_splits=4, n_repeats=n_repeats, random_state=0)
        search = HypergradSearchCV(Ridge(), {"alpha": Continuous()}, cv=cv).fit(X, SIGNAL)
        display = CurveDisplay.from_search(search)
        widths.append(np.log(display.interval_[1] / display.interval_[0]))
        assert display.overlap == pytest.approx(1 / 3)
    # Without a correction it would be less than half as wide.
    assert widths[1] > 0.7 * widths[0]
