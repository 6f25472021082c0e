"""Hyperparameters of steps before the model, searched together with its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad import kernel_approximation as own
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.search.candidates.expand import expand

FEATURES = {"n_components": 15, "random_state": 0}
RIDGE = make_pipeline(StandardScaler(), Nystroem(**FEATURES), Ridge())
BOTH = {"nystroem__gamma": [1e-3, 1.0], "ridge__alpha": [1e-3, 1e2]}


@pytest.fixture
def regression(data):
    X, y = data("diabetes")
    return X[:120], y[:120]


@pytest.fixture
def classes(data):
    X, y = data("breast_cancer")
    return X[:120], y[:120]


def test_it_is_not_above_a_grid_and_rows_are_fits(regression):
    grid = {"nystroem__gamma": np.logspace(-3, 0, 5), "ridge__alpha": np.logspace(-3, 2, 5)}
    search = HypergradSearchCV(RIDGE, BOTH, cv=3, judge="cold").fit(*regression)
    reference = GridSearchCV(RIDGE, grid, cv=3).fit(*regression)
    assert search.best_score_ >= reference.best_score_
    judged = cross_val_score(clone(RIDGE).set_params(**search.best_params_), *regression, cv=3)
    assert_allclose(search.best_score_, judged.mean(), rtol=1e-12)
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-8)
    assert check_hypergradient(search, *regression).max() < 1e-6
    for name in BOTH:
        assert name in str(search.report())
        assert name in list(search.hyperparameters_["name"])


def test_a_nested_pipeline_is_the_same(regression):
    inner = make_pipeline(Nystroem(**FEATURES), Ridge())
    nested = Pipeline([("scale", StandardScaler()), ("inner", inner)])
    names = {name: f"inner__{name}" for name in BOTH}
    found = HypergradSearchCV(nested, {names[n]: BOTH[n] for n in BOTH}, cv=3).fit(*regression)
    expected = HypergradSearchCV(RIDGE, BOTH, cv=3).fit(*regression)
    for name, inside in names.items():
        assert_allclose(found.best_params_[inside], expected.best_params_[name], rtol=1e-8)


def test_a_penalty_that_is_not_tuned_is_that_of_the_model(regression):
    model = clone(RIDGE).set_params(ridge__alpha=0.3)
    search = HypergradSearchCV(model, {"nystroem__gamma": Continuous()}, cv=3).fit(*regression)
    assert list(search.best_params_) == ["nystroem__gamma"]
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-8)


@pytest.mark.parametrize("scoring", [None, "accuracy", "roc_auc"])
@pytest.mark.parametrize("model", [LogisticRegression(max_iter=1000), LinearSVC()])
@pytest.mark.thorough
def test_scores_without_a_gradient_judge_what_was_visited(model, scoring, classes):
    pipeline = make_pipeline(StandardScaler(), Nystroem(**FEATURES), model)
    name = f"{type(model).__name__.lower()}__C"
    grid = {"nystroem__gamma": [1e-3, 1.0], name: [1e-2, 1e2]}
    search = HypergradSearchCV(pipeline, grid, scoring=scoring, cv=3).fit(*classes)
    assert not [remark for remark in search.remarks_ if "could not judge" in str(remark)]
    middle = clone(pipeline).set_params(**{"nystroem__gamma": 0.03, name: 1.0})
    scores = cross_val_score(middle, *classes, scoring=scoring, cv=3)
    assert search.best_score_ >= scores.mean() - 0.01


def test_a_scan_does_not_believe_weights_of_other_rows(classes):
    logistic = LogisticRegression(solver="newton-cholesky", tol=1e-8)
    model = make_pipeline(StandardScaler(), Nystroem(**FEATURES), logistic)
    grid = {"nystroem__gamma": [1e-4, 1.0], "logisticregression__C": [1e-2, 1e5]}
    search = HypergradSearchCV(model, grid, scoring="neg_log_loss", cv=3).fit(*classes)
    scanned = search.history_[search.history_["gradient_norm"].isna()]
    assert len(scanned) > 10
    # Weak penalties separate classes, and the same weights miss those of other rows by far.
    weak = [values["logisticregression__C"] > 100 for values in scanned["value"]]
    assert scanned["loss"][np.logical_not(weak)].max() < 1


def test_weights_reach_the_model(regression):
    X, y = regression
    weight = np.arange(len(y)) % 3 + 0.5
    search = HypergradSearchCV(RIDGE, BOTH, cv=3).fit(X, y, ridge__sample_weight=weight)
    plain = HypergradSearchCV(RIDGE, BOTH, cv=3).fit(X, y)
    assert "enumerated" not in search.hypergradient_
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-8)
    assert abs(search.best_score_ - plain.best_score_) > 1e-4


def test_sparse_rows_are_the_same_as_dense_ones(regression):
    X, y = regression
    X = np.where(np.abs(X) < 0.03, 0, X)
    for step in (Nystroem(**FEATURES), RBFSampler(**FEATURES)):
        pipeline = Pipeline([("step", step), ("ridge", Ridge())])
        grid = {"step__gamma": [1e-1, 1e2], "ridge__alpha": [1e-3, 1e2]}
        search = HypergradSearchCV(pipeline, grid, cv=3)
        dense = clone(search).fit(X, y).best_score_
        assert_allclose(search.fit(sparse.csr_array(X), y).best_score_, dense, rtol=1e-6)


def test_values_that_are_no_numbers_are_enumerated_beside(regression):
    grid = {**BOTH, "nystroem__kernel": ["rbf", "linear"]}
    search = HypergradSearchCV(RIDGE, grid, cv=3).fit(*regression)
    kernels = [params["nystroem__kernel"] for params in search.cv_results_["params"]]
    assert set(kernels) == {"rbf", "linear"}
    assert "Nystroem has no gamma with kernel='linear'" in search.hypergradient_


def test_a_network_trains_on_rows_that_move(regression):
    X, y = regression
    network = MLPRegressor(hidden_layer_sizes=(4,), n_steps=20, random_state=0)
    model = make_pipeline(StandardScaler(), Nystroem(**FEATURES), network)
    grid = {"nystroem__gamma": [1e-2, 1.0], "mlpregressor__alpha": Continuous()}
    search = HypergradSearchCV(model, grid, cv=3, max_iter=3).fit(X, y / 100)
    assert "Reverse" in search.hypergradient_
    assert "because MLPRegressor is trained" in search.hypergradient_
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-6)


@pytest.mark.parametrize("method", ["forward", "online"])
def test_methods_that_would_follow_every_entry_of_the_rows_are_refused(method, regression):
    network = MLPRegressor(hidden_layer_sizes=(4,), n_steps=20, random_state=0)
    model = make_pipeline(Nystroem(**FEATURES), network)
    search = HypergradSearchCV(model, {"nystroem__gamma": Continuous()}, hypergradient=method)
    with pytest.raises(ValueError, match=r"rows that MLPRegressor is trained on move .*'reverse'"):
        search.fit(*regression)


def test_a_gamma_per_feature_leaves_noise_out(regression):
    X, y = regression
    rng = np.random.default_rng(0)
    X = np.column_stack([X[:, [2, 8]] / X[:, [2, 8]].std(axis=0), rng.normal(size=(len(y), 2))])
    y = np.sin(2 * X[:, 0]) + np.cos(2 * X[:, 1]) + 0.3 * rng.normal(size=len(y))
    model = make_pipeline(own.Nystroem(n_components=30, random_state=0), Ridge())
    grid = {"nystroem__gamma": Continuous(per="feature"), "ridge__alpha": Continuous()}
    search = HypergradSearchCV(model, grid, cv=3, guard=False).fit(X, y)
    gamma = search.best_params_["nystroem__gamma"]
    assert gamma.shape == (4,)
    assert gamma[:2].min() > 3 * gamma[2:].max()


def test_a_step_without_a_seed_is_named(regression):
    model = make_pipeline(StandardScaler(), Nystroem(n_components=4), Ridge())
    with pytest.warns(match="nystroem without a seed: every fit draws anew"):
        HypergradSearchCV(model, BOTH, cv=3).fit(*regression)


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((Nystroem(), PCA(2), Ridge()), "PCA stands behind a step that is tuned"),
        ((Nystroem(), RandomForestRegressor()), "before RandomForestRegressor, which is not diff"),
        (
            (Nystroem(), LinearDiscriminantAnalysis(solver="lsqr")),
            "LinearDiscriminantAnalysis has no derivatives in the rows",
        ),
        ((Nystroem(), Ridge(positive=True)), "in Ridge, positive=True adds constraints"),
        ((Nystroem(kernel=np.dot), Ridge()), "the kernel of Nystroem is a function"),
        ((Nystroem(kernel_params={"gamma": 1}), Ridge()), "Nystroem has kernel_params"),
        (
            (Nystroem(), RBFSampler(gamma="scale"), Ridge()),
            "gamma='scale' of RBFSampler follows rows that move",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_any_fit(steps, reason):
    with pytest.raises(ValueError, match=reason):
        expand({"nystroem__gamma": Continuous()}, make_pipeline(*steps))


def test_a_list_of_it_is_enumerated_and_the_penalty_is_searched(regression):
    model = make_pipeline(Nystroem(**FEATURES), PCA(5), Ridge())
    grid = {"nystroem__gamma": [0.1, 1.0], "ridge__alpha": [1e-3, 1e2]}
    search = HypergradSearchCV(model, grid, cv=3).fit(*regression)
    assert {params["nystroem__gamma"] for params in search.cv_results_["params"]} == {0.1, 1.0}
    assert "ridge__alpha: Implicit()" in search.hypergradient_
    assert "nystroem__gamma: PCA stands behind" in search.hypergradient_


def test_only_own_classes_take_vectors(regression):
    search = HypergradSearchCV(RIDGE, {"nystroem__gamma": Continuous(per="feature")})
    with pytest.raises(ValueError, match=r"Use the Nystroem .* sklearn_hypergrad\.kernel_approx"):
        search.fit(*regression)
