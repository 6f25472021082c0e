"""Searches for hyperparameters of networks on data of every kind."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import neural_network
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

# Epochs are few on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"
)

SCALARS = {
    "alpha": Continuous(),
    "learning_rate_init": Continuous(),
    "momentum": Continuous(),
    "init_scale": Continuous(),
}
SCHEDULES = {
    "learning_rate_init": Continuous(per=("step", "layer")),
    "alpha": Continuous(per="layer"),
    "momentum": [0.5, 0.99],
}
REPLAYED = {"alpha": Continuous(), "learning_rate_init": Continuous()}
SMALL = {"hidden_layer_sizes": 4, "activation": "tanh", "random_state": 0}


def network(regression=False, **params):
    cls = MLPRegressor if regression else MLPClassifier
    return cls(**{**SMALL, "n_steps": 12, "learning_rate_init": 0.05, **params})


def replayed(regression=False, **params):
    cls = neural_network.MLPRegressor if regression else neural_network.MLPClassifier
    few = {"max_iter": 6, "batch_size": 30, "learning_rate_init": 0.02}
    return cls(**{**SMALL, **few, **params})


def search_of(model, grid=SCHEDULES, **options):
    return HypergradSearchCV(model, grid, **{"cv": 3, "max_iter": 3, **options})


@pytest.fixture
def some(data):
    """``some(name)``: the first samples of a data set in random order."""

    def load(name, n_samples=90):
        X, y = data(name)
        rows = np.random.default_rng(0).permutation(len(y))[:n_samples]
        y = (y - y.mean()) / y.std() if name == "diabetes" else y
        return X[rows], y[rows]

    return load


def assert_honest(search, X, y):
    """The loss fell, and the best score is that of scikit-learn's cross-validation."""
    loss = np.asarray(search.history_["loss"])
    assert loss.min() < loss[0]
    honest = cross_val_score(search.best_estimator_, X, y, cv=3, scoring=search.scoring)
    assert search.best_score_ == pytest.approx(honest.mean(), abs=1e-12)
    return loss.min()


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("scoring", ["neg_log_loss", "neg_brier_score"])
@pytest.mark.parametrize("make", [network, replayed])
def test_scores_with_gradient_are_what_is_descended(some, make, name, scoring):
    X, y = some(name)
    grid = SCHEDULES if make is network else REPLAYED
    search = search_of(make(), grid, scoring=scoring).fit(X, y)
    assert search.best_score_ == pytest.approx(-assert_honest(search, X, y), abs=1e-9)
    assert search.validation_loss_ == scoring.removeprefix("neg_")
    assert len(search.cv_results_["params"]) == 2


@pytest.mark.portable
@pytest.mark.parametrize("scoring", [None, "accuracy", "balanced_accuracy", "roc_auc_ovr"])
def test_scores_without_gradient(some, scoring):
    X, y = some("wine")
    search = search_of(network(), scoring=scoring).fit(X, y)
    assert_honest(search, X, y)
    balanced = scoring == "balanced_accuracy"
    assert search.validation_loss_ == ("balanced_log_loss" if balanced else "log_loss")
    assert len(search.cv_results_["params"]) <= 3


@pytest.mark.parametrize(
    ("scoring", "offset"),
    [
        (None, 1),
        ("neg_mean_squared_error", 0),
        ("neg_root_mean_squared_error", 0),
        ("neg_mean_absolute_error", 0),
    ],
)
@pytest.mark.parametrize("n_targets", [1, 2])
@pytest.mark.parametrize("make", [network, replayed])
def test_numbers(some, make, n_targets, scoring, offset):
    X, y = some("diabetes")
    y = y if n_targets == 1 else np.c_[y, X[:, 0] - y]
    grid = SCHEDULES if make is network else REPLAYED
    search = search_of(make(regression=True), grid, scoring=scoring).fit(X, y)
    assert search.best_score_ == pytest.approx(offset - assert_honest(search, X, y), abs=1e-9)


@pytest.mark.parametrize("make", [network, replayed])
@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc"])
@pytest.mark.thorough
def test_several_labels(some, make, scoring):
    X, y = some("wine")
    labels = np.c_[y == 0, y == 2, X[:, 0] > 0].astype(int)
    grid = SCHEDULES if make is network else REPLAYED
    search = search_of(make(), grid, scoring=scoring).fit(X, labels)
    assert_honest(search, X, labels)
    # The mean over labels of the log loss of each.
    row = search.cv_results_["params"][0]
    losses = []
    for train, test in KFold(3).split(X):
        p = make(**row).fit(X[train], labels[train]).predict_proba(X[test])
        losses.append(-np.log(np.where(labels[test], p, 1 - p)).mean())
    assert min(search.history_["loss"]) == pytest.approx(np.mean(losses), abs=1e-9)


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one:UserWarning")
def test_scikit_learns_log_loss_of_labels_is_another_one(some):
    X, y = some("wine")
    labels = np.c_[y == 0, y == 2].astype(int)
    search = search_of(network(), scoring="neg_log_loss").fit(X, labels)
    assert_honest(search, X, labels)
    assert -search.best_score_ != pytest.approx(min(search.history_["loss"]), rel=1e-2)


def test_names_of_classes_do_not_matter(some):
    X, y = some("wine")
    search = search_of(network(), scoring="neg_log_loss").fit(X, y)
    named = search_of(network(), scoring="neg_log_loss").fit(X, np.array(["u", "v", "w"])[y])
    assert named.best_score_ == search.best_score_
    assert set(named.predict(X)) <= {"u", "v", "w"}


@pytest.mark.parametrize(
    ("make", "container"),
    [(network, sparse.csr_array), (replayed, sparse.csc_matrix), (network, sparse.coo_array)],
)
def test_sparse_data_give_the_same_as_dense(some, make, container):
    X, y = some("wine")
    X = np.where(np.abs(X) < 0.5, 0, X)
    grid = SCHEDULES if make is network else REPLAYED
    search = search_of(make(), grid, scoring="neg_log_loss", max_iter=2)
    dense, thin = clone(search).fit(X, y), search.fit(container(X), y)
    assert thin.best_score_ == pytest.approx(dense.best_score_, rel=1e-9)
    assert_allclose(thin.history_["loss"], dense.history_["loss"], rtol=1e-9)


@pytest.mark.parametrize("make", [network, replayed])
def test_float32_stays_so(some, make):
    X, y = some("wine")
    grid = SCHEDULES if make is network else REPLAYED
    search = search_of(make(), grid, scoring="neg_log_loss").fit(X.astype(np.float32), y)
    assert search.best_score_ == pytest.approx(-min(search.history_["loss"]), rel=1e-4)
    assert search.best_estimator_.coefs_[0].dtype == np.float32


@pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning")
@pytest.mark.parametrize("make", [network, replayed])
@pytest.mark.parametrize("regression", [False, True])
def test_weights_count_as_rows_do(some, make, regression):
    """Rows of weight 2 in one batch are rows that are there twice."""
    X, y = some("diabetes" if regression else "wine", 60)
    weight = np.random.default_rng(0).integers(1, 3, 60).astype(float)
    # One batch of all samples, in which their order does not count.
    model, grid = make(regression, batch_size=100), SCALARS if make is network else REPLAYED
    twice = np.repeat(np.arange(60), weight.astype(int))
    cv = [(np.arange(30, 60), np.arange(30))]
    cv_twice = [(np.flatnonzero(twice >= 30), np.flatnonzero(twice < 30))]
    scoring = "neg_mean_squared_error" if regression else "neg_log_loss"
    weighted = search_of(model, grid, cv=cv, scoring=scoring).fit(X, y, sample_weight=weight)
    repeated = search_of(model, grid, cv=cv_twice, scoring=scoring).fit(X[twice], y[twice])
    weighted, repeated = (np.asarray(s.history_["loss"]) for s in (weighted, repeated))
    assert_allclose(weighted, repeated, rtol=1e-6)


@pytest.mark.parametrize("make", [network, replayed])
def test_frames_in_pipelines_with_categories(some, make):
    pandas = pytest.importorskip("pandas")
    X, y = some("wine")
    frame = pandas.DataFrame(X[:, :4], columns=list("abcd")).assign(kind=list("uvw") * 30)
    columns = make_column_transformer((StandardScaler(), list("abcd")), (OneHotEncoder(), ["kind"]))
    model = make_pipeline(columns, make())
    grid = SCHEDULES if make is network else REPLAYED
    grid = {f"mlpclassifier__{name}": values for name, values in grid.items()}
    classes = pandas.Series(y).map({0: "x", 1: "y", 2: "z"})
    search = search_of(model, grid, scoring="neg_log_loss").fit(frame, classes)
    assert search.best_score_ == pytest.approx(-assert_honest(search, frame, classes), abs=1e-9)
    names = {name.partition("[")[0] for name in search.hyperparameters_["name"]}
    assert names == set(grid)


def test_the_found_schedule_fits_the_whole_data(some):
    X, y = some("wine")
    search = search_of(network()).fit(X, y)
    rates = search.best_params_["learning_rate_init"]
    assert rates.shape == (12, 2)
    again = network(**search.best_params_).fit(X, y)
    assert_array_equal(again.coefs_[0], search.best_estimator_.coefs_[0])


@pytest.mark.parametrize(
    ("name", "per", "n_steps", "shape"),
    [
        ("init_scale", "layer", 2, (2,)),
        ("learning_rate_init", "layer", 2, (1, 2)),
        ("learning_rate_init", "step", 2, (2, 1)),
        ("alpha", "coefficient", 55, (1, 55)),
        ("alpha", "step", 55, (55, 1)),
        ("momentum", "step", 55, (55,)),
    ],
)
def test_lengths_that_may_mean_two_things(name, per, n_steps, shape):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 10)), rng.normal(size=40)
    model = MLPRegressor((5,), n_steps=n_steps, random_state=0)
    search = HypergradSearchCV(model, {name: Continuous(per=per)}, cv=2, max_iter=2).fit(X, y)
    assert np.shape(search.best_params_[name]) == shape
    assert np.isfinite(search.best_score_)


def test_a_penalty_for_each_matrix_is_no_schedule():
    X, y = np.ones((20, 10)), np.arange(20.0)
    model = MLPRegressor((5,), n_steps=55, alpha=[np.ones((10, 5)), np.ones((5, 1))])
    assert len(model.fit(X, y).coefs_) == 2
