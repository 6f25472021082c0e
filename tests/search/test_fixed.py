"""Penalties that are fixed at zero or infinity while the others are searched."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import linear_model as plain
from sklearn.compose import make_column_transformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.inspection import PenaltiesDisplay
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn_hypergrad.problems import DualRidge, Entries, Evidence, GramRidge, L2Penalty, SplitData
from sklearn_hypergrad.problems.linear.penalty import free_directions

MSE = "neg_mean_squared_error"
RNG = np.random.default_rng(0)
INF = np.inf


def frame(n_samples, n_features, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_samples, n_features))).add_prefix("f")
    X["age"] = rng.normal(size=n_samples) + X["f0"]
    X["bad"] = rng.normal(size=n_samples)
    return X, (X["f0"] + 3 * X["age"] + X["bad"] + rng.normal(size=n_samples)).rename("y")


def log_evidence(X, y, alpha, free):
    """That of y and X with free columns, and their mean, projected out; up to a constant."""
    U = np.column_stack([np.ones(len(y)), free])
    basis = np.linalg.qr(U)[0][:, : np.linalg.matrix_rank(U)]
    X, y, m = X - basis @ (basis.T @ X), y - basis @ (basis.T @ y), len(y) - basis.shape[1]
    covariance = np.eye(len(y)) + X / alpha @ X.T
    misfit = y @ np.linalg.solve(covariance, y)
    return -0.5 * (m * np.log(misfit) + np.linalg.slogdet(covariance)[1])


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("form", [GramRidge, DualRidge])
@pytest.mark.parametrize("twice", [False, True])
def test_the_evidence_is_that_without_free_columns(form, twice, thin):
    rng = np.random.default_rng(1)
    X, y, alpha = rng.normal(size=(12, 7)), rng.normal(size=(12, 1)), rng.uniform(1, 9, size=7)
    # Columns that depend on each other take one direction.
    X[:, 6] = X[:, 5] if twice else X[:, 6]
    X[np.abs(X) < 0.3 * thin] = 0
    rows, held = np.arange(12), np.array([np.nan] * 4 + [INF, 0.0, 0.0])[:, None]
    data = SplitData(
        X=sparse.csr_array(X) if thin else X,
        y=y,
        trains=[rows],
        tests=[rows],
        weights=[np.ones(12)],
        score_weight=np.ones(12),
    )
    entries = Entries(np.arange(7)[:, None], held)
    penalty = L2Penalty.of("alpha", entries, data)
    n_free = free_directions(entries, data, center=True)
    assert n_free == 2 - twice
    problem = form(data, penalty, fit_intercept=True)
    evidence = Evidence(problem, penalty, 12, n_free, fit_intercept=True)

    def expected(alpha):
        return -log_evidence(X[:, :4], y[:, 0], alpha[:4], X[:, 5:])

    value, slopes = evidence({"alpha": alpha})
    assert value == pytest.approx(expected(alpha), rel=1e-6)
    steps = 1e-4 * np.eye(7)
    differences = [(expected(alpha + s) - expected(alpha - s)) / 2e-4 for s in steps]
    assert_allclose(slopes["alpha"], differences, rtol=1e-5, atol=1e-7)
    assert not np.allclose(1.001 * slopes["alpha"], differences, rtol=1e-5, atol=1e-7)
    solution = problem.solve({"alpha": alpha}, None, 1e-8)
    exact = Ridge(np.where(np.isnan(held[:, 0]), alpha, held[:, 0])).fit(X, y[:, 0])
    assert_allclose(problem.predict(solution.w)[:, 0, 0] + 0, exact.predict(X), atol=1e-6)


@pytest.mark.parametrize("search_cv", ["evidence", "cv", "halves", "loo"])
@pytest.mark.parametrize("n_features", [4, 60])
def test_ridge_with_confounders(n_features, search_cv):
    X, y = frame(40, n_features)
    continuous = Continuous(per="feature", fixed={"age": 0, n_features + 1: INF})
    pipeline = make_pipeline(StandardScaler(), Ridge())
    options = {"search_cv": search_cv, "scoring": MSE, "cv": 4, "tol": 3e-2}
    search = HypergradSearchCV(pipeline, {"ridge__alpha": continuous}, **options)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search.fit(X, y)
    alpha = search.best_params_["ridge__alpha"]
    assert_array_equal(alpha[-2:], [0, INF])
    assert np.all((alpha[:-2] > 0) & (alpha[:-2] < INF))
    assert_array_equal(search.feature_regularization_[-2:], [0, INF])
    coef = search.best_estimator_[-1].coef_
    assert coef[-1] == 0
    assert abs(coef[-2]) > 1
    scores = cross_val_score(search.best_estimator_, X, y, scoring=MSE, cv=4)
    assert search.best_score_ == pytest.approx(scores.mean())
    losses = search.history_.query("splits == 'cv'")["loss"]
    assert search_cv == "loo" or losses.min() == pytest.approx(-scores.mean(), rel=1e-6)
    table = search.hyperparameters_
    assert list(table["status"][-2:]) == ["fixed", "fixed"]
    assert_array_equal(table["value"][-2:], [0, INF])
    assert_allclose(table["effective_dof"][-2:], [1, 0], atol=1e-6)
    assert "2 fixed" in str(search.report())


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(
    ("model", "n_features"),
    [
        (LogisticRegression(max_iter=1000), 4),
        (LogisticRegression(max_iter=1000), 60),
        (RidgeClassifier(), 4),
    ],
)
def test_classifiers_with_confounders(model, n_features):
    X, y = frame(40, n_features)
    y = y + 4 * np.random.default_rng(2).normal(size=len(y)) > 0
    logistic = isinstance(model, LogisticRegression)
    name, free, dropped = ("C", INF, 0.0) if logistic else ("alpha", 0.0, INF)
    model.set_params(**{name: np.array([1.0] * n_features + [free, dropped])})
    options = {"search_cv": "cv", "cv": 3, "max_iter": 4}
    search = HypergradSearchCV(model, {name: Continuous(per="feature")}, **options)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search.fit(X, y)
    assert_array_equal(search.best_params_[name][..., -2:].ravel(), [free, dropped])
    assert_array_equal(search.feature_regularization_[-2:], [0, INF])
    coef = search.best_estimator_.coef_.ravel()
    assert coef[-1] == 0
    assert abs(coef[-2]) > 0.1


def test_own_zeros_are_those_that_are_named():
    X, y = frame(40, 5)
    named = {"age": 0.0, "bad": INF, None: 1.0}
    per, options = {"per": "feature"}, {"search_cv": "cv", "cv": 3}
    searches = [
        HypergradSearchCV(Ridge(alpha=alpha), {"alpha": Continuous(**per, fixed=fixed)}, **options)
        for alpha, fixed in (
            (1.0, {"age": 0, "bad": INF}),
            (named, None),
            (list(named.values())[2:] * 5 + [0.0, INF], None),
            (named, {"age": 0}),
        )
    ]
    first, *others = (search.fit(X, y).best_params_["alpha"] for search in searches)
    for other in others:
        # Another own value is another point of the scan.
        assert_allclose(other, first, rtol=1e-4)


def test_one_value_for_all_others_is_the_best_of_a_line():
    X, y = frame(40, 6)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(fixed={"age": 0})}, cv=4, scoring=MSE)
    search.fit(X, y)
    assert search.best_params_["alpha"]["age"] == 0
    alpha = search.best_params_["alpha"][None]

    def loss(alpha):
        vector = np.array([alpha] * 6 + [0.0, alpha])
        return -cross_val_score(Ridge(vector), X, y, cv=4, scoring=MSE).mean()

    assert loss(alpha) == pytest.approx(-search.best_score_)
    assert loss(alpha) < min(loss(0.9 * alpha), loss(1.1 * alpha))


@pytest.mark.parametrize("per", ["group", "column", "coefficient"])
def test_every_layout(per):
    X, y = frame(40, 4)
    groups = {"f0": "a", "age": "a", "bad": "b"} if per == "group" else None
    fixed = Continuous(per=per, groups=groups, fixed={"age": 0, "bad": INF})
    Y = np.column_stack([y, np.sin(y)]) if per == "coefficient" else y
    options = {"search_cv": "cv", "cv": 3, "max_iter": 5, "guard": per == "group"}
    search = HypergradSearchCV(Ridge(), {"alpha": fixed}, **options).fit(X, Y)
    coef = np.atleast_2d(search.best_estimator_.coef_)
    assert np.all((coef[:, -1] == 0) & (coef[:, -2] != 0))
    assert list(search.hyperparameters_["status"]).count("fixed") == {"group": 1, "column": 2}.get(
        per, 4
    )


def test_features_that_come_and_go_beside_confounders():
    X, y = frame(60, 2)
    X["kind"] = np.where(np.arange(60) < 2, "rare", np.resize(["x", "y"], 60))
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encode = make_column_transformer(
        (encoder, ["kind"]), remainder="passthrough", verbose_feature_names_out=False
    )
    pipeline = make_pipeline(encode, Ridge()).set_output(transform="pandas")
    continuous = Continuous(per="column", fixed={"kind": 0})
    search = HypergradSearchCV(pipeline, {"ridge__alpha": continuous}, guard=True, cv=3).fit(X, y)
    alpha = search.best_params_["ridge__alpha"]
    assert [alpha[f"kind_{name}"] for name in ("rare", "x", "y")] == [0, 0, 0]
    assert alpha["age"] > 0


@pytest.mark.parametrize(
    ("continuous", "alpha", "match"),
    [
        (Continuous(per="feature", fixed={"agee": 0}), 1.0, "fixed names 'agee'.*age, bad, f0"),
        (Continuous(per="feature", fixed={9: 0}), 1.0, "fixed names 9"),
        (
            Continuous(per="feature", fixed=dict.fromkeys(range(5), 0)),
            1.0,
            "none is left to search",
        ),
        (Continuous(per="target", fixed={"age": 0}), 1.0, "fixed is for penalties of features"),
    ],
)
def test_what_cannot_be_fixed_is_refused(continuous, alpha, match):
    X, y = frame(20, 3)
    with pytest.raises(ValueError, match=match):
        HypergradSearchCV(Ridge(alpha=alpha), {"alpha": continuous}).fit(X, y.to_frame())


def test_as_many_free_features_as_rows_are_refused():
    X, y = frame(8, 9)
    fixed = dict.fromkeys(range(7), 0)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature", fixed=fixed)}, cv=2)
    with pytest.raises(ValueError, match="7 features without a penalty fit 8 rows exactly"):
        search.fit(X, y)


def test_models_of_scikit_learn_are_refused_with_a_remedy():
    X, y = frame(20, 3)
    with pytest.raises(ValueError, match=r"sklearn_hypergrad\.linear_model\.Ridge"):
        HypergradSearchCV(plain.Ridge(), {"alpha": Continuous(fixed={"age": 0})}).fit(X, y)


def test_pictures_count_what_is_fixed():
    pytest.importorskip("matplotlib").use("Agg")
    X, y = frame(40, 6)
    continuous = Continuous(per="feature", fixed={"age": 0, "bad": INF})
    search = HypergradSearchCV(Ridge(), {"alpha": continuous}, search_cv="cv", cv=3).fit(X, y)
    display = PenaltiesDisplay.from_search(search, top=3)
    assert display.kinds_[-2:] == ["fixed", "fixed"]
    assert not {6, 7} & set(display.shown_)
    assert "2 more are fixed" in display.ax_.get_title(loc="left")
    assert PenaltiesDisplay.from_search(search, image_shape=(2, 4)).images_


def test_features_that_are_fixed_are_kept_or_dropped():
    X, y = frame(40, 3)
    continuous = Continuous(
        per="group", groups={"f0": "a", "age": "a"}, fixed={"age": 0, "bad": INF}
    )
    search = HypergradSearchCV(Ridge(), {"alpha": continuous}, search_cv="cv", cv=3).fit(X, y)
    assert list(search.get_features("unpenalised")) == ["age"]
    assert list(search.get_features("dropped")) == ["bad"]
    assert list(search.get_features()) == ["f0", "f1", "f2", "age"]
