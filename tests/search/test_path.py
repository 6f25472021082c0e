"""One value of a model that predicts for many values at the price of one."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.adapters import Fitted, Hyperparameter, Model, RegressorFamily, family
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.inspection import (
    ConvergenceDisplay,
    CurveDisplay,
    PathsDisplay,
    nested_score,
)
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.search.strategies.predicted_scores import PredictedScores

CV = StratifiedKFold(3, shuffle=True, random_state=0)
LDA = LinearDiscriminantAnalysis(solver="lsqr")
ANY = {"shrinkage": Continuous()}
TEN = {"shrinkage": np.linspace(0, 1, 10).tolist()}
IRIS = load_iris(return_X_y=True)


def searched(grid=ANY, data=IRIS, **options):
    options = {"scoring": "neg_log_loss", "cv": CV, **options}
    return HypergradSearchCV(LDA, grid, **options).fit(*data)


class Wave(RegressorMixin, BaseEstimator):
    """Predicts a wave of its hyperparameter; targets are zero."""

    def __init__(self, s=1.0):
        self.s = s

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), wave(self.s))


def wave(s):
    """Nine minima, of which that near 0.36 is the lowest."""
    return 2.0 - np.cos(17 * np.pi * s) + (s - 0.36) ** 2


class WaveModel(Model):
    def levels(self):
        return {"s": 0.5}

    def path(self, values):
        for s in values:
            yield np.full((sum(map(len, self.data.tests)), 1), wave(s))

    def fit(self, h, start, tol):
        s, (z,) = h["s"], self.path([h["s"]])
        slope = 17 * np.pi * np.sin(17 * np.pi * s) + 2 * (s - 0.36)
        return Fitted(z, lambda g: Pulled({"s": np.sum(g) * slope}))


class WaveFamily(RegressorFamily):
    estimator_class = Wave
    hyperparameters = {"s": Hyperparameter(1, scale="linear", limits=(0.0, 1.0))}

    def model(self, estimator, data, entries, seed):
        return WaveModel(data)


@family.register
def _(estimator: Wave):
    return WaveFamily()


def test_the_lowest_of_many_minima_is_polished():
    search = HypergradSearchCV(Wave(), {"s": Continuous()}, cv=2, scoring="neg_mean_squared_error")
    search.fit(np.zeros((6, 1)), np.zeros(6))
    values = np.linspace(0, 1, 200001)
    assert search.best_params_["s"] == pytest.approx(values[wave(values).argmin()], abs=1e-4)
    assert search.n_iter_ < 12


@pytest.mark.parametrize(
    ("load", "scoring"),
    [(load_iris, "neg_log_loss"), (load_wine, "accuracy"), (load_iris, "neg_brier_score")],
)
def test_it_is_not_worse_than_ten_listed_values(load, scoring):
    data = load(return_X_y=True)
    grid = GridSearchCV(LDA, TEN, cv=CV, scoring=scoring).fit(*data)
    search = searched(TEN, data, scoring=scoring)
    assert search.best_score_ >= grid.best_score_ - 1e-12
    assert search.n_iter_ < 12


HUNDRED = np.logspace(-9, 3, 100).tolist()
BAYES = {
    "quadratic": (QuadraticDiscriminantAnalysis(), {"reg_param": np.linspace(0, 1, 100).tolist()}),
    "gaussian": (GaussianNB(), {"var_smoothing": HUNDRED}),
    "multinomial": (MultinomialNB(), {"alpha": HUNDRED}),
    "complement": (ComplementNB(norm=True), {"alpha": HUNDRED}),
    "bernoulli": (BernoulliNB(binarize=5), {"alpha": HUNDRED}),
    "categorical": (CategoricalNB(min_categories=5), {"alpha": HUNDRED}),
}


# Only the grid searches take long: one data set and one model are enough for every day.
EVERY_DAY = [("gaussian", load_wine)]
ALL = list(itertools.product(BAYES, [load_wine, load_digits, load_breast_cancer]))


# QuadraticDiscriminantAnalysis refuses small values on digits.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "load"),
    [pytest.param(*case, marks=() if case in EVERY_DAY else pytest.mark.thorough) for case in ALL],
)
@pytest.mark.thorough
def test_it_is_not_worse_than_a_hundred_listed_values(name, load):
    (estimator, values), (X, y) = BAYES[name], load(return_X_y=True)
    if name == "categorical":
        X = np.digitize(X, np.quantile(X, [0.2, 0.4, 0.6, 0.8]))
    if name != "quadratic":
        X, y = X[:600], y[:600]
    scores, options = ["neg_log_loss", "accuracy"], {"cv": CV, "refit": False}
    grid = GridSearchCV(estimator, values, scoring=scores, **options).fit(X, y)
    for scoring in scores:
        search = HypergradSearchCV(estimator, values, scoring=scoring, **options).fit(X, y)
        best = np.nanmax(grid.cv_results_[f"mean_test_{scoring}"])
        assert search.best_score_ >= best - 1e-6 * abs(best)
        assert "closed form" in search.hypergradient_
        if scoring == "neg_log_loss":
            assert -search.best_score_ == pytest.approx(search.history_["loss"].min(), rel=1e-6)


def test_places_of_the_path_that_are_listed_are_polished():
    """On a logarithmic scale listed values are places of the path, up to rounding."""
    listed = np.logspace(-2, 2, 100).tolist()
    options = {"cv": CV, "scoring": "neg_log_loss"}
    search = HypergradSearchCV(MultinomialNB(), {"alpha": listed}, **options)
    search.fit(*load_digits(return_X_y=True))
    apart = np.abs(np.log(search.best_params_["alpha"] / np.array(listed)))
    assert search.best_params_["alpha"] == 100.0 or apart.min() > 1e-6


def test_the_best_score_is_minus_the_loss():
    search = searched()
    assert -search.best_score_ == pytest.approx(search.history_["loss"].min(), rel=1e-9)
    assert check_hypergradient(search, *IRIS).max() < 1e-6
    assert "in closed form" in str(search.report())
    assert "over shrinkage=0:" in str(search.report())


def test_an_end_that_is_a_value_is_no_problem():
    """Without shrinkage, which scikit-learn takes too, nothing is wrong."""
    search = searched(data=load_wine(return_X_y=True))
    assert search.best_params_["shrinkage"] == 0.0
    assert "end of range" in str(search.report())


def test_a_bound_of_the_user_is_told():
    with pytest.warns(match="at bound. Widen"):
        search = searched({"shrinkage": Continuous(0.5, 1)})
    assert search.best_params_["shrinkage"] == 0.5


def test_a_score_without_gradient_judges_many_values(monkeypatch):
    judged = []
    score = PredictedScores.score

    def counted(self, h):
        judged.append(float(h["shrinkage"]))
        return score(self, h)

    monkeypatch.setattr(PredictedScores, "score", counted)
    search = searched(scoring="accuracy")
    assert search.validation_loss_ == "log_loss"
    assert 20 <= len(set(judged)) <= 22
    assert {0.0, 1.0} < set(judged)
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


def test_one_standard_error():
    assert (
        searched(selection="one_se").best_params_["shrinkage"]
        > 2 * (searched().best_params_["shrinkage"])
    )


def test_a_logarithmic_scale_is_taken():
    search = searched({"shrinkage": Continuous(1e-4, 1, scale="log")})
    assert search.best_score_ == pytest.approx(searched().best_score_, rel=1e-6)


def test_other_values_are_enumerated():
    search = searched({"shrinkage": [None, "auto", 0.1]})
    assert list(search.cv_results_["param_shrinkage"]) == [None, "auto", 0.1]


@pytest.mark.thorough
def test_what_looks_at_a_search_knows_it():
    pipeline = make_pipeline(StandardScaler(), LDA)
    ranges = {"lineardiscriminantanalysis__shrinkage": [0.01, 1.0]}
    search = HypergradSearchCV(pipeline, ranges, cv=CV, scoring="neg_log_loss").fit(*IRIS)
    assert CurveDisplay.from_search(search, *IRIS).figure_ is not None
    for display in (ConvergenceDisplay, PathsDisplay):
        assert display.from_search(search).figure_ is not None
    plt.close("all")
    search = searched(cv=2)
    assert {"search", "default", "grid"} <= set(str(nested_score(search, *IRIS, cv=2)).split())


def test_points_that_are_solved_together_have_the_same_solutions(monkeypatch):
    search = HypergradSearchCV(LDA, ANY, scoring="accuracy", cv=CV)
    (objective,) = build_objectives(search, *IRIS)
    points = [{"shrinkage": value} for value in (0.1, 0.5, 0.9)]

    def predictions():
        return [[fitted.z for _, fitted in objective.solutions(h)] for h in points]

    apart = predictions()
    objective.solve_together(points)
    model = type(objective.terms[0])
    monkeypatch.setattr(model, "train", lambda *args: pytest.fail("solved once more"))
    np.testing.assert_allclose(predictions(), apart, rtol=1e-9)
    monkeypatch.undo()
    objective.forget_starts()
    np.testing.assert_array_equal(predictions(), apart)


def test_rows_of_wide_classes_are_made_of_solutions(monkeypatch):
    """A check on few rows has enough of them for a covariance matrix."""
    rng, seen = np.random.default_rng(0), []
    X, y = rng.normal(size=(2000, 80)), np.arange(2000) % 2
    fit = QuadraticDiscriminantAnalysis.fit

    def counted(self, X, y):
        seen.append(len(X))
        return fit(self, X, y)

    monkeypatch.setattr(QuadraticDiscriminantAnalysis, "fit", counted)
    grid = {"reg_param": [0.1, 0.9]}
    search = HypergradSearchCV(QuadraticDiscriminantAnalysis(), grid, scoring="neg_log_loss", cv=2)
    search.fit(X, y)
    # The check and the refit, besides one on four rows that tells what the estimator divides by.
    assert [n for n in seen if n > 4] == [160, 2000]
