"""Rows and refits that start at solutions of the search, against fits from the beginning."""

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid, cross_val_score
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler, TargetEncoder

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import Family, base, family
from sklearn_hypergrad.adapters.logistic import LogisticFamily
from sklearn_hypergrad.adapters.ridge import RidgeFamily
from sklearn_hypergrad.search.results.candidate_result import SearchedResult
from sklearn_hypergrad.search.results.warm_refit import WarmRefit
from sklearn_hypergrad.search.strategies import closed_form_rows, solved_rows, warm_rows
from sklearn_hypergrad.search.strategies.predicted_scores import PredictedScores

RANGE = [1e-2, 1e2]
# Estimators, the hyperparameter and the kind of targets.
CLOSED = {
    "ridge": (Ridge(), "alpha", "numbers"),
    "two targets": (Ridge(), "alpha", "two"),
    "no intercept": (Ridge(fit_intercept=False), "alpha", "numbers"),
    "classifier": (RidgeClassifier(class_weight="balanced"), "alpha", "three"),
    "kernel": (KernelRidge(kernel="rbf"), "gamma", "numbers"),
    "discriminant": (LinearDiscriminantAnalysis(solver="lsqr"), "shrinkage", "three"),
    "bayes": (GaussianNB(), "var_smoothing", "three"),
    "bayes of ones": (BernoulliNB(), "alpha", "two classes"),
}
# Of models that are like others, only what is behind scalers, where more has to be right.
SIMILAR = dict.fromkeys(
    ["two targets", "no intercept", "discriminant", "bayes of ones"], ["scaled", "wide"]
)
WARM = {
    "lbfgs": (LogisticRegression(max_iter=10_000), "C", "two classes"),
    "three classes": (LogisticRegression(max_iter=10_000), "C", "three"),
    "no intercept": (LogisticRegression(fit_intercept=False, max_iter=10_000), "C", "two classes"),
    "newton-cg": (LogisticRegression(solver="newton-cg", class_weight="balanced"), "C", "three"),
    "newton-cholesky": (LogisticRegression(solver="newton-cholesky"), "C", "two classes"),
    "poisson": (PoissonRegressor(max_iter=10_000), "alpha", "counts"),
    "lasso": (Lasso(max_iter=100_000), "alpha", "numbers"),
    "elastic net": (ElasticNet(max_iter=100_000), "alpha", "two"),
}
# Fits of wide data take long: one solver is enough for every day.
EVERY_DAY = {
    "three classes": ["scaled"],
    "no intercept": ["scaled"],
    "newton-cg": ["alone"],
    "newton-cholesky": ["scaled"],
    "poisson": ["scaled"],
    "lasso": ["alone"],
    "elastic net": ["alone"],
}
EXACT = LogisticRegression(solver="newton-cholesky", tol=1e-10), "C", "three"
BEFORE = {
    "alone": (),
    "scaled": (StandardScaler(),),
    # More features than rows, which are not the same up to scales in all splits.
    "wide": (PolynomialFeatures(3, include_bias=False), StandardScaler()),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 8)) * np.geomspace(1, 10, 8) + 3
    signal = (X - 3) @ rng.normal(size=8) / 5
    noisy = signal + rng.normal(size=120)
    targets = {
        "numbers": noisy,
        "two": np.c_[noisy, rng.normal(size=120)],
        "two classes": np.where(noisy > 0, "yes", "no"),
        "three": np.digitize(noisy, [-1, 1]) * 2,
        "counts": rng.poisson(np.exp(0.3 * signal)),
    }
    return X, targets


def searched(case, before, data, **options):
    """A fitted search, and its X and y."""
    final, name, kind = case
    X, y = data[0], data[1][kind]
    model = make_pipeline(*BEFORE[before], clone(final)) if BEFORE[before] else clone(final)
    key = f"{type(final).__name__.lower()}__{name}" if BEFORE[before] else name
    listed = [0.1, 0.9] if name == "shrinkage" else RANGE
    search = HypergradSearchCV(model, {key: listed}, cv=3, **options)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=ConvergenceWarning)
        return search.fit(X, y), X, y


def last(search):
    """The final step of the best estimator."""
    best = search.best_estimator_
    return best[-1] if hasattr(best, "steps") else best


def assert_close(case, before, data, tol, **options):
    """Scores and predictions of rows from solutions are those of fits from the beginning."""
    warm, X, y = searched(case, before, data, **options)
    cold, _, _ = searched(case, before, data, judge="cold", **options)
    assert warm._costs.n_solved == len(warm.cv_results_["params"])
    assert cold._costs.n_solved == 0
    assert warm.cv_results_["params"] == cold.cv_results_["params"]
    for name in (n for n in warm.cv_results_ if n.startswith("split")):
        assert_allclose(warm.cv_results_[name], cold.cv_results_[name], rtol=tol, atol=tol)
    own, other = last(warm), last(cold)
    assert own.get_params() == other.get_params()
    assert vars(own).keys() == vars(other).keys()
    if getattr(own, "n_iter_", None) is not None:
        assert np.min(own.n_iter_) >= min(1, np.min(other.n_iter_))
        assert np.shape(own.n_iter_) == np.shape(other.n_iter_)
    predict = "predict_proba" if hasattr(own, "predict_proba") else "predict"
    found, expected = (getattr(s.best_estimator_, predict)(X) for s in (warm, cold))
    assert_allclose(found, expected, rtol=tol, atol=tol * np.ptp(expected))
    if not isinstance(warm.scoring, list):
        honest = cross_val_score(cold.best_estimator_, X, y, cv=3, scoring=warm.scoring)
        assert cold.best_score_ == honest.mean()


def cases(models, every_day):
    """Models with what is before them; those that are not for every day are thorough."""
    for name, before in product(models, BEFORE):
        marks = () if before in every_day.get(name, BEFORE) else pytest.mark.thorough
        yield pytest.param(name, before, marks=marks)


@pytest.mark.parametrize(("name", "before"), [*cases(CLOSED, SIMILAR)])
def test_closed_forms_are_not_fitted_again(name, before, data):
    assert_close(CLOSED[name], before, data, 1e-6)


# A hundred times smaller, the tolerance of a solver allows a hundred times less: its optimum is
# quadratic, so scores differ by less.
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(("name", "before"), [*cases(WARM, EVERY_DAY)])
def test_iterative_fits_start_at_solutions(name, before, data):
    final, key, kind = WARM[name]
    scoring = {} if kind in ("counts", "numbers", "two") else {"scoring": "neg_log_loss"}
    for tol, allowed in ((final.tol, 3e-2), (final.tol / 100, 3e-4), (1e-10, 1e-6)):
        case = clone(final).set_params(tol=tol), key, kind
        assert_close(case, before, data, allowed, **scoring)


@pytest.mark.parametrize("shown", [True, False])
def test_a_solution_is_not_left(shown, data, monkeypatch):
    """Fits that start there make no step; from the beginning there is one fit, of one split.

    Where users see no more than test scores, one split shows that the others make none.
    """
    iterations, fit = [], LogisticRegression.fit

    def counted(self, X, y, sample_weight=None):
        fit(self, X, y, sample_weight)
        iterations.append((self.warm_start, int(self.n_iter_[0])))
        return self

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    monkeypatch.setattr(LogisticFamily, "methods", ())
    options = {"scoring": "neg_log_loss", "return_train_score": shown}
    search, _, _ = searched(WARM["lbfgs"], "scaled", data, **options)
    n_warm = 4 if shown else 2
    assert sorted(start for start, _ in iterations) == [False, *[True] * n_warm]
    assert all(n_iter == 0 for start, n_iter in iterations if start)
    assert last(search).warm_start is False


class Sees:
    """A scorer that looks at the pipeline and at X."""

    def __call__(self, estimator, X, y):
        assert len(X) == len(y)
        return np.mean(estimator.predict(X) == y) + 0.01 * np.mean(estimator[0].mean_)


@pytest.mark.parametrize("case", [CLOSED["classifier"], EXACT])
def test_scorers_get_pipelines(case, data):
    assert_close(case, "scaled", data, 1e-6, scoring=Sees())


class FromFirst(TransformerMixin, BaseEstimator):
    """Moves the origin to the first row, and scales nothing."""

    def fit(self, X, y=None):
        self.origin_ = X[0]
        return self

    def transform(self, X):
        return X - self.origin_


@pytest.mark.parametrize("final", [Ridge(), PoissonRegressor(tol=1e-10, max_iter=10_000)])
def test_scorers_get_the_origin_of_each_split(final, data):
    # Differences of such numbers are exact: then all splits have the scale 1.
    X, y = np.round(4 * data[0]) / 4, data[1]["counts"]
    key = f"{type(final).__name__.lower()}__alpha"
    warm, cold = (
        HypergradSearchCV(make_pipeline(FromFirst(), final), {key: RANGE}, cv=3, judge=judge)
        .set_params(scoring=lambda estimator, X, y: estimator.score(X, y))
        .fit(X, y)
        for judge in ("warm", "cold")
    )
    assert warm._costs.n_solved
    for name in (n for n in warm.cv_results_ if n.startswith("split")):
        assert_allclose(warm.cv_results_[name], cold.cv_results_[name], atol=1e-6)


@pytest.mark.parametrize("final", [Ridge(), EXACT[0]])
def test_training_scores_are_of_transformed_rows(final, data):
    """What ``fit_transform`` returns is something else for a TargetEncoder."""
    X, y = np.digitize(data[0], [0, 3, 6]), np.asarray(data[1]["three"] > 0, dtype=int)
    model = make_pipeline(TargetEncoder(cv=KFold(3)), final)
    name = "alpha" if isinstance(final, Ridge) else "C"
    grid = {f"{type(final).__name__.lower()}__{name}": RANGE}
    warm, cold = (
        HypergradSearchCV(model, grid, cv=3, judge=judge, return_train_score=True).fit(X, y)
        for judge in ("warm", "cold")
    )
    assert warm._costs.n_solved
    for column in ("mean_train_score", "mean_test_score"):
        assert_allclose(warm.cv_results_[column], cold.cv_results_[column], rtol=1e-6)


def test_the_check_is_not_overwritten(data):
    X, y = pair(data)
    search = HypergradSearchCV(Ridge(copy_X=False), {"alpha": RANGE}, cv=3).fit(X.copy(), y)
    assert search._costs.n_solved


@pytest.mark.parametrize("form", ["masks", "lists"])
def test_parts_of_splits_may_be_masks_or_lists(form, data):
    parts = [[np.flatnonzero(np.arange(120) % 3 == k) for k in (a, b)] for a, b in [(0, 1), (2, 0)]]
    if form == "masks":
        parts = [[np.isin(np.arange(120), rows) for rows in split] for split in parts]
    else:
        parts = [[rows.tolist() for rows in split] for split in parts]
    search = HypergradSearchCV(Ridge(), {"alpha": RANGE}, cv=parts).fit(*pair(data))
    honest = cross_val_score(search.best_estimator_, *pair(data), cv=parts)
    assert search._costs.n_solved
    assert_allclose(search.best_score_, honest.mean(), rtol=1e-10)


@pytest.mark.parametrize("case", [CLOSED["classifier"], EXACT])
def test_several_metrics_and_training_scores(case, data):
    options = {"scoring": ["accuracy", "balanced_accuracy"], "refit": "accuracy"}
    assert_close(case, "scaled", data, 1e-6, return_train_score=True, **options)


@pytest.mark.parametrize("case", [CLOSED["ridge"], WARM["lbfgs"]])
def test_sample_weights(case, data):
    (final, name, kind), weight = case, np.random.default_rng(1).uniform(size=120)
    found = []
    for judge in ("warm", "cold"):
        model = clone(final).set_params(**({"tol": 1e-10} if hasattr(final, "solver") else {}))
        search = HypergradSearchCV(model, {name: RANGE}, cv=3, judge=judge)
        found.append(search.fit(data[0], data[1][kind], sample_weight=weight))
    assert_allclose(*[s.best_score_ for s in found], rtol=1e-8)
    assert_allclose(*[s.best_estimator_.coef_ for s in found], rtol=1e-4)


@pytest.mark.parametrize(("factor", "trusted"), [(1 + 1e-8, True), (1 + 2e-6, False)])
def test_scores_of_the_search_are_confirmed_by_one_split(data, monkeypatch, factor, trusted):
    scores_of = SearchedResult.scores_of

    def wrong(self, position):
        scores = scores_of(self, position)
        return None if scores is None else factor * scores

    monkeypatch.setattr(SearchedResult, "scores_of", wrong)
    search = HypergradSearchCV(Ridge(), {"alpha": RANGE}, cv=3).fit(*pair(data))
    honest = cross_val_score(search.best_estimator_, *pair(data), cv=3)
    found = np.array([search.cv_results_[f"split{split}_test_score"][0] for split in range(3)])
    assert_allclose(found, honest * [1, *[factor if trusted else 1] * 2], rtol=1e-10)


@pytest.mark.parametrize(("n_features", "n_installed"), [(8, 0), (80, 2)])
def test_the_fit_of_a_small_part_needs_no_solutions(data, monkeypatch, n_features, n_installed):
    X, y = np.tile(data[0], (1, n_features // 8)), data[1]["numbers"]
    monkeypatch.setattr(closed_form_rows, "SMALL", 80 * 8)
    installed, install = [], RidgeFamily.install

    def counted(self, *args):
        installed.append(args)
        return install(self, *args)

    monkeypatch.setattr(RidgeFamily, "install", counted)
    search = HypergradSearchCV(Ridge(), {"alpha": RANGE}, cv=3).fit(X, y)
    assert search._costs.n_solved == 1
    # Of a larger part few rows are fitted, and solved.
    assert len(installed) == n_installed
    score = cross_val_score(search.best_estimator_, X, y, cv=3).mean()
    assert search.best_score_ == pytest.approx(score, rel=1e-6)
    assert search.cv_results_["mean_fit_time"][0] > 0


def test_sparse_rows(data):
    X, y = csr_matrix(data[0] * (data[0] > 3)), data[1]["two classes"]
    model, options = LogisticRegression(tol=1e-8, max_iter=10_000), {"scoring": "neg_log_loss"}
    found = [
        HypergradSearchCV(model, {"C": RANGE}, cv=3, judge=judge, **options).fit(X, y)
        for judge in ("warm", "cold")
    ]
    assert_allclose(*[s.best_score_ for s in found], rtol=1e-6)
    assert_allclose(*[s.best_estimator_.coef_ for s in found], rtol=1e-4)


class Shrunk(Ridge):
    """Its fits are not those of its model: coefficients are off by a share."""

    share = 2e-3

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.coef_ = self.coef_ * (1 + self.share)
        return self


class ShrunkFamily(RidgeFamily):
    estimator_class = Shrunk


@family.register
def _(estimator: Shrunk):
    return ShrunkFamily()


def test_scales_need_estimators_for_the_features_of_each_split(data, monkeypatch):
    monkeypatch.setattr(Shrunk, "share", 0)
    monkeypatch.setattr(ShrunkFamily, "install_behind", Family.install_behind, raising=False)
    model, (X, y) = make_pipeline(StandardScaler(), Shrunk()), pair(data)
    search = HypergradSearchCV(model, {"shrunk__alpha": RANGE}, cv=3)
    search.set_params(scoring=lambda estimator, X, y: estimator.score(X, y)).fit(X, y)
    assert search.best_score_ == cross_val_score(search.best_estimator_, X, y, cv=3).mean()
    assert any("ShrunkFamily, which knows scales, has no" in line for line in search.remarks_)


@pytest.mark.parametrize("n_features", [8, 600])
@pytest.mark.parametrize(("share", "differs"), [(0, False), (1e-4, False), (2e-3, True)])
def test_another_model_is_noticed_on_few_rows(data, monkeypatch, share, differs, n_features):
    monkeypatch.setattr(Shrunk, "share", share)
    X = np.tile(data[0] - 3, (1, n_features // 8))
    search = HypergradSearchCV(Shrunk(), {"alpha": RANGE}, cv=3).fit(X, data[1]["numbers"])
    said = [line for line in search.remarks_ if "rows are fits from the beginning" in line]
    assert bool(said) == differs
    if differs:
        assert "alpha: rows are fits from the beginning, not from solutions" in said[0]
        assert "rows predictions of Shrunk differ from them by 0.002" in said[0]
        score = cross_val_score(search.best_estimator_, X, data[1]["numbers"], cv=3).mean()
        assert search.best_score_ == score


def test_exact_solutions_are_not_fitted_again(data, monkeypatch):
    """From the beginning there is one fit, of one split; a long refit starts at its solution."""
    fits, fit = [], Lasso.fit

    def counted(self, X, y, sample_weight=None, check_input=True):
        fit(self, X, y, sample_weight, check_input)
        fits.append((self.warm_start, self.n_iter_))
        return self

    monkeypatch.setattr(Lasso, "fit", counted)
    case = Lasso(tol=1e-8, max_iter=100_000), "alpha", "numbers"
    search, X, y = searched(case, "alone", data, refit=False)
    assert [warm for warm, _ in fits] == [False]
    searched(case, "alone", data)
    assert not any(warm for warm, _ in fits)
    monkeypatch.setattr(warm_rows, "FEW_PASSES", 0)
    search, X, y = searched(case, "alone", data)
    ((_, cold), (warm, n_iter)) = fits[3:]
    assert warm
    assert n_iter <= 2 < cold
    honest = cross_val_score(search.best_estimator_, X, y, cv=3)
    assert_allclose([search.cv_results_[f"split{k}_test_score"][0] for k in range(3)], honest)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_coordinate_descent_that_stops_early_is_noticed(data):
    X, y = data[0], data[1]["numbers"]
    search = HypergradSearchCV(Lasso(tol=0.3, max_iter=10_000), {"alpha": RANGE}, cv=3).fit(X, y)
    (said,) = [line for line in search.remarks_ if "where the solver of scikit-learn ends" in line]
    assert "the score of the first split is 0." in said
    assert "at the minimum" in said
    score = cross_val_score(search.best_estimator_, X, y, cv=3).mean()
    assert search.best_score_ == score


@pytest.mark.parametrize(("tol", "told"), [(1e-4, False), (0.1, True)])
def test_fits_that_end_elsewhere_are_told_of_where_splits_differ_by_more(tol, told):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 6)) @ rng.normal(size=(6, 6))
    y = X @ np.ones(6) + rng.normal(size=120) * np.repeat([1, 4, 30], 40)
    search = HypergradSearchCV(Lasso(tol=tol), {"alpha": RANGE}, cv=3).fit(X, y)
    assert search._costs.n_solved == len(search.cv_results_["params"])
    said = [line for line in search.remarks_ if "those of GridSearchCV do not" in line]
    assert len(said) == told
    first = search.cv_results_["split0_test_score"][search.best_index_]
    train = np.arange(40, 120)
    cold = Lasso(tol=tol, **search.best_params_).fit(X[train], y[train]).score(X[:40], y[:40])
    assert all(f"{cold:.6g}" in line and f"{first:.6g}" in line for line in said)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_a_solver_that_does_not_arrive_is_noticed(data):
    X, y = data[0], data[1]["two classes"]
    search = HypergradSearchCV(LogisticRegression(max_iter=2), {"C": RANGE}, cv=3)
    with pytest.warns(ConvergenceWarning) as caught:
        search.fit(X, y)
    # Of all splits, and of the refit: as GridSearchCV.
    assert sum(issubclass(w.category, ConvergenceWarning) for w in caught) >= 3 + 1
    assert any("does not converge from the beginning" in line for line in search.remarks_)
    with pytest.warns(ConvergenceWarning):
        score = cross_val_score(search.best_estimator_, X, y, cv=3).mean()
    assert search.best_score_ == score


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "again"), [("array", 0), ("sparse", 0), ("frame", 1), ("integers", 1), ("scaled", 1)]
)
def test_a_check_that_does_not_arrive_is_the_first_fit_of_the_row(data, monkeypatch, kind, again):
    """Where it was made on the data themselves."""
    make = {"sparse": csr_matrix, "frame": pd.DataFrame, "integers": lambda X: X.astype(int)}
    X, y = make.get(kind, np.asarray)(data[0]), data[1]["two classes"]
    fits, fit = [], LogisticRegression.fit

    def counted(self, X, y, **params):
        fits.append(self.warm_start)
        return fit(self, X, y, **params)

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    model, name = LogisticRegression(max_iter=2), "C"
    if kind == "scaled":
        model, name = make_pipeline(StandardScaler(), model), "logisticregression__C"
    search = HypergradSearchCV(model, {name: RANGE}, cv=3, return_train_score=True).fit(X, y)
    assert fits.count(False) == 3 * len(search.cv_results_["params"]) + 1 + again
    rows = GridSearchCV(
        model,
        [{n: [v] for n, v in row.items()} for row in search.cv_results_["params"]],
        cv=3,
        return_train_score=True,
    ).fit(X, y)
    for key in ("split0_test_score", "split2_test_score", "mean_train_score", "rank_test_score"):
        assert np.array_equal(search.cv_results_[key], rows.cv_results_[key])
    assert np.all(search.cv_results_["mean_fit_time"] > 0)


def test_a_check_that_fails_with_its_warning_is_no_fit(data):
    X, y = data[0], data[1]["two classes"]
    for kind in (GridSearchCV, HypergradSearchCV):
        search = kind(LogisticRegression(max_iter=2), {"C": RANGE}, cv=3)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            with pytest.raises(ValueError, match="fits failed"):
                search.fit(X, y)


def test_a_refit_that_does_not_arrive_is_noticed(data):
    """It starts at the mean of the splits if data are wide."""
    X, y = data[0][:6], data[1]["two classes"][:6]
    final = LogisticRegression(max_iter=3)
    refit = WarmRefit("C", np.zeros((1, 8)), np.zeros(1), family(final), {"C": 1.0})
    with pytest.warns(ConvergenceWarning):
        found, seen = refit.fit(final, X, y)
    with pytest.warns(ConvergenceWarning):
        expected = clone(found).fit(X, y)
    assert_allclose(found.coef_, expected.coef_)
    assert seen.X is X


@pytest.mark.parametrize("rare", [(2,), (2, 3, 4)])
def test_the_refit_starts_at_splits_with_all_categories(data, monkeypatch, rare):
    """If there is one."""
    codes, y = np.arange(120) % 2, data[1]["two classes"]
    codes[[119, 0, 60][: len(rare)]] = rare
    X = np.column_stack([data[0], codes])
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), [8]), remainder=StandardScaler()
    )
    model = make_pipeline(columns, LogisticRegression(tol=1e-8))
    starts, fit = [], LogisticRegression.fit

    def noted(self, X, y, **params):
        starts.append((len(y), self.warm_start))
        return fit(self, X, y, **params)

    monkeypatch.setattr(LogisticRegression, "fit", noted)
    search = HypergradSearchCV(model, {"logisticregression__C": RANGE}, cv=KFold(3)).fit(X, y)
    assert starts[-1] == (120, len(rare) == 1)
    expected = clone(search.best_estimator_).fit(X, y)
    assert_allclose(search.best_estimator_[-1].coef_, expected[-1].coef_, rtol=1e-4, atol=1e-6)


def test_errors_of_scorers_are_those_of_grid_search(data):
    def fails(estimator, X, y):
        raise ValueError("no score")

    search = HypergradSearchCV(Ridge(), {"alpha": RANGE}, scoring=fails, error_score="raise")
    with pytest.raises(ValueError, match="no score"):
        search.fit(data[0], data[1]["numbers"])


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("train_scores", [False, True])
def test_messages_change_no_row(data, train_scores, several):
    names = ["neg_log_loss", "accuracy"]
    options = {"scoring": names, "refit": names[0]} if several else {"scoring": names[0]}
    options["return_train_score"] = train_scores
    found = [searched(WARM["lbfgs"], "scaled", data, verbose=n, **options)[0] for n in (0, 2)]
    assert found[0].cv_results_.keys() == found[1].cv_results_.keys()
    for name, column in found[0].cv_results_.items():
        if "time" in name:
            continue
        if "score" in name:
            # Lines show scores of the scorer; without them the losses of the search are the scores.
            assert_allclose(column, found[1].cv_results_[name], rtol=1e-12)
        else:
            np.testing.assert_array_equal(column, found[1].cv_results_[name])


@pytest.mark.parametrize("tol", [1e-4, 1e-14])
def test_unchanged_solutions_are_scored_once_where_the_loss_is_the_score(data, tol, monkeypatch):
    """To a tiny tolerance the solver goes on from each solution, and each is scored."""
    scored, score = [], solved_rows.compute_score
    monkeypatch.setattr(solved_rows, "compute_score", lambda *a: (scored.append(a), score(*a))[1])
    final, key, kind = WARM["lbfgs"]
    case = clone(final).set_params(tol=tol), key, kind
    assert_close(case, "alone", data, max(1e-6, 300 * tol), scoring="neg_log_loss")
    # One more is the fit from the beginning that confirms the row.
    assert len(scored) == {1e-4: 2, 1e-14: 4}[tol]


@pytest.mark.parametrize("factor", [1, 1 - 1e-3])
@pytest.mark.parametrize("kind", ["two classes", "three"])
@pytest.mark.parametrize("tol", [1e-4, 1e-14])
def test_classes_beyond_doubt_are_scored_once_for_all_splits(data, tol, kind, factor, monkeypatch):
    scored, score = [], solved_rows.compute_score
    certain = PredictedScores.certain_of_splits
    monkeypatch.setattr(solved_rows, "compute_score", lambda *a: (scored.append(a), score(*a))[1])
    monkeypatch.setattr(
        PredictedScores, "certain_of_splits", lambda *a: factor * np.asarray(certain(*a))
    )
    X, y = data[0], data[1][kind]
    model = LogisticRegression(tol=tol, max_iter=10_000)
    search = HypergradSearchCV(model, {"C": RANGE}, scoring="accuracy", cv=3).fit(X, y)
    rows = search.cv_results_["params"]
    # One more is the fit from the beginning. Scores that the first split denies are not used.
    once = tol == 1e-4 and factor == 1
    assert len(scored) == len(rows) * (1 if once else 3) + 1
    exact = LogisticRegression(tol=1e-10, max_iter=10_000)
    for number, params in enumerate(rows):
        expected = cross_val_score(exact.set_params(**params), X, y, cv=3)
        found = [search.cv_results_[f"split{split}_test_score"][number] for split in range(3)]
        np.testing.assert_array_equal(found, expected)


def test_lines_of_splits_are_printed(data, capsys):
    grid = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=3, verbose=3).fit(*pair(data))
    expected = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[CV")]
    assert len(expected) == 3 == grid.n_splits_
    HypergradSearchCV(Ridge(), {"alpha": RANGE}, cv=3, verbose=3).fit(*pair(data))
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[CV")]
    assert [line.split()[:3] for line in lines] == [line.split()[:3] for line in expected]


def pair(data):
    return data[0], data[1]["numbers"]


GRIDS = {
    "one list": {"ridge__alpha": [10.0, 0.1, 1.0]},
    "beside zero": {"ridge__alpha": [10, 0, 1, 0.1]},
    "two lists": {"ridge__alpha": [10.0, 0.1, 1.0], "polynomialfeatures__degree": [2, 1]},
    "several grids": [
        {"ridge__alpha": [1.0, 0.1], "ridge__fit_intercept": [True, False]},
        {"ridge__fit_intercept": [True]},
        {"ridge__alpha": [3.0, 30.0]},
    ],
}


@pytest.mark.parametrize("name", GRIDS)
def test_listed_rows_are_those_of_grid_search(name, data):
    model = make_pipeline(PolynomialFeatures(), Ridge())
    grid = GridSearchCV(model, GRIDS[name], cv=3).fit(*pair(data))
    search = HypergradSearchCV(model, GRIDS[name], cv=3, rows="listed").fit(*pair(data))
    listed = list(ParameterGrid(GRIDS[name]))
    assert search.cv_results_["params"][: len(listed)] == listed
    for column in (c for c in grid.cv_results_ if "test_score" in c and "rank" not in c):
        found = search.cv_results_[column][: len(listed)]
        assert_allclose(found, grid.cv_results_[column], rtol=1e-8, atol=1e-12)
    assert search.best_score_ >= grid.best_score_ - 1e-8
    few = HypergradSearchCV(model, GRIDS[name], cv=3).fit(*pair(data))
    assert few.best_params_ == search.best_params_


def test_refit_chooses_from_listed_rows(data):
    values = np.geomspace(1e-3, 1e3, 7)

    def simplest(results):
        scores = results["mean_test_score"][: len(values)]
        errors = results["std_test_score"][: len(values)] / np.sqrt(3)
        best = np.argmax(scores)
        return int(np.flatnonzero(scores >= scores[best] - errors[best])[-1])

    options = {"cv": 3, "refit": simplest}
    grid = GridSearchCV(Ridge(), {"alpha": values}, **options).fit(*pair(data))
    search = HypergradSearchCV(Ridge(), {"alpha": values}, rows="listed", **options)
    assert search.fit(*pair(data)).best_params_ == grid.best_params_


def test_listed_rows_would_override_one_standard_error(data):
    search = HypergradSearchCV(Ridge(), {"alpha": RANGE}, rows="listed", selection="one_se")
    with pytest.raises(ValueError, match="leaves out rows that would override its choice"):
        search.fit(*pair(data))


def test_columns_of_names(data):
    """Features with names, of which a transformer takes some."""
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(data[0], columns=list("abcdefgh"))
    model = make_pipeline(
        make_column_transformer((StandardScaler(), list("abc")), remainder="passthrough"),
        LogisticRegression(tol=1e-8, solver="newton-cholesky"),
    )
    found = [
        HypergradSearchCV(model, {"logisticregression__C": Continuous()}, cv=3, judge=judge)
        .set_params(scoring=lambda estimator, X, y: estimator.score(X[list("abcdefgh")], y))
        .fit(X, data[1]["two classes"])
        for judge in ("warm", "cold")
    ]
    assert found[0].best_score_ == found[1].best_score_
    assert found[0]._costs.n_solved
    assert_allclose(*[s.best_estimator_[-1].coef_ for s in found], rtol=1e-3)


def test_the_refit_of_wide_data_decomposes_no_kernel(data, monkeypatch):
    calls, decomposed = [], base.to_row_space

    def counted(X, *, center):
        calls.append(X.shape)
        return decomposed(X, center=center)

    monkeypatch.setattr(base, "to_row_space", counted)
    X = np.random.default_rng(0).normal(size=(120, 150))
    search = HypergradSearchCV(LogisticRegression(max_iter=1000), {"C": RANGE}, cv=3)
    search.set_params(scoring="neg_log_loss").fit(X, data[1]["two classes"])
    assert calls == [X.shape]
    assert search._costs.n_solved == 1
