"""Transformers of one's own, as scikit-learn estimators and in searches."""

import pickle

import autograd.numpy as np
import numpy
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from sklearn_hypergrad import (
    Continuous,
    HypergradSearchCV,
    check_hypergradient,
    kernel_approximation,
)
from sklearn_hypergrad.differentiable import DifferentiableTransformer, Hyperparameter
from sklearn_hypergrad.exceptions import HypergradWarning


class Bent(DifferentiableTransformer):
    """Deviations from the mean, bent."""

    hyperparameters = {"width": Hyperparameter(per=("feature",))}

    def __init__(self, width=1.5):
        self.width = width

    def learn(self, X, y, rng):
        return {"mean": np.mean(X, axis=0)}

    def forward(self, state, X, h):
        return h["width"] * np.tanh((X - state["mean"]) / h["width"])


class Mixed(DifferentiableTransformer):
    """Ranks among training values, mixed with these values."""

    hyperparameters = {"share": Hyperparameter(scale="logit")}

    def __init__(self, share=0.1):
        self.share = share

    def learn(self, X, y, rng):
        return numpy.sort(X, axis=0)

    def forward(self, ordered, X, h):
        pairs = zip(ordered.T, X.T, strict=True)
        ranks = numpy.stack([numpy.searchsorted(*each) for each in pairs], axis=1)
        return h["share"] * ranks / len(ordered) + (1 - h["share"]) * X


class Drawn(DifferentiableTransformer):
    """Random features."""

    hyperparameters = {"gamma": Hyperparameter()}

    def __init__(self, gamma=0.1, random_state=None):
        self.gamma = gamma
        self.random_state = random_state

    def learn(self, X, y, rng):
        return rng.normal(size=(X.shape[1], 6))

    def forward(self, A, X, h):
        return np.cos(h["gamma"] * (X @ A))


def test_estimator_checks():
    check_estimator(Bent(), on_skip=None)


def test_rows_are_those_of_the_fit(numbers):
    X, y = numbers
    bent = Bent(0.5).fit(X[:40], y[:40])
    expected = 0.5 * np.tanh((X - X[:40].mean(axis=0)) / 0.5)
    assert_allclose(bent.transform(X), expected)
    assert_array_equal(bent.set_params(width=3.0).transform(X), bent.transform(X))
    assert_array_equal(pickle.loads(pickle.dumps(bent)).transform(X), bent.transform(X))
    with pytest.raises(NotFittedError):
        clone(bent).transform(X)


def test_targets_are_learned_from(numbers):
    own = type("Own", (Bent,), {"learn": lambda self, X, y, rng: {"mean": y @ X / len(y)}})
    X, y = numbers
    assert_allclose(own().fit(X, y).state_["mean"], y @ X / len(y))


def test_seeds(numbers):
    X, _ = numbers
    draws = [Drawn(random_state=seed).fit(X).state_ for seed in (0, 0, 1)]
    assert_array_equal(draws[0], draws[1])
    assert not np.any(draws[0] == draws[2])
    assert_array_equal(Bent().fit(X).transform(X), Bent().fit(X).transform(X))


def test_names_of_columns(numbers):
    X, _ = numbers
    assert Drawn().fit(X).get_feature_names_out().tolist() == [f"drawn{i}" for i in range(6)]
    own = type("Own", (OneToOneFeatureMixin, Bent), {"__init__": Bent.__init__})
    assert own().fit(X).get_feature_names_out().tolist() == ["x0", "x1", "x2", "x3"]


def flat(self, state, X, h):
    return h["width"] * X[:, 0]


def listed(self, state, X, h):
    return list(h["width"] * X)


def boxed(self, state, X, h):
    return numpy.array([[object()]])


def misspelt(self, state, X, h):
    return h["breadth"] * X


@pytest.mark.parametrize(
    ("body", "params", "error", "text"),
    [
        ({"forward": flat}, {}, ValueError, r"Own.forward returned an array of shape \(1,\), and"),
        ({"forward": listed}, {}, TypeError, "Own.forward returned a list in place of an array"),
        ({"forward": boxed}, {}, TypeError, "Own.forward returned an array of objects"),
        ({"forward": misspelt}, {}, KeyError, "h has no 'breadth', only 'width'. Declare it"),
        ({}, {"width": -1.0}, ValueError, "Own.width is -1.0, but it must be between 0.0 and inf"),
        ({}, {"width": "wide"}, ValueError, "Own.width must be a number or an array of numbers"),
        ({"hyperparameters": {"other": Hyperparameter()}}, {}, TypeError, "parameter of that name"),
        ({"hyperparameters": ["width"]}, {}, TypeError, "must be a dict from names"),
    ],
)
def test_what_is_wrong_is_said(numbers, body, params, error, text):
    own = type("Own", (Bent,), body)
    with pytest.raises(error, match=text):
        own(**params).fit(*numbers)


def search_of(*steps, **ranges):
    return HypergradSearchCV(make_pipeline(*steps), ranges, cv=3)


@pytest.mark.parametrize(
    ("step", "name", "value"),
    [
        (Bent(), "bent__width", Continuous()),
        (Bent(), "bent__width", [0.1, 10.0]),
        (Mixed(), "mixed__share", Continuous()),
        (Drawn(random_state=3), "drawn__gamma", [0.01, 1.0]),
    ],
)
def test_it_is_searched_with_the_model(numbers, step, name, value):
    X, y = numbers
    search = search_of(step, Ridge(), **{name: value, "ridge__alpha": Continuous()}).fit(X, y)
    assert "enumerated" not in search.hypergradient_
    scores = cross_val_score(search.best_estimator_, X, y, cv=3)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-9)
    assert_allclose(1 - min(search.history_["loss"]), search.best_score_, rtol=1e-7)
    assert check_hypergradient(search, X, y, n_points=2).max() < 1e-6
    # It starts from the value that the estimator has, which is a row, too.
    if isinstance(value, Continuous):
        own = step.get_params()[name.partition("__")[2]]
        assert own in [params[name] for params in search.cv_results_["params"]]
        assert (
            search.best_score_ >= cross_val_score(make_pipeline(step, Ridge()), X, y, cv=3).mean()
        )


WIDTHS = np.array([1.0, 2.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("width", "value"), [(WIDTHS, Continuous()), (1.0, Continuous(per="feature"))]
)
def test_arrays_are_searched(numbers, width, value):
    X, y = numbers
    search = search_of(Bent(width), Ridge(), bent__width=value).set_params(max_iter=3)
    with pytest.warns(HypergradWarning, match="not converged"):
        search.fit(X, y)
    best = search.best_params_["bent__width"]
    assert best.shape == (4,)
    assert len(set(best)) == 4
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6


def test_arrays_are_searched_inside_of_a_wrapper(numbers):
    X, y = numbers
    model = TransformedTargetRegressor(make_pipeline(Bent(WIDTHS), Ridge()))
    model.set_params(func=np.sinh, inverse_func=np.arcsinh)
    grid = {"regressor__bent__width": Continuous()}
    search = HypergradSearchCV(model, grid, cv=3, max_iter=2)
    with pytest.warns(HypergradWarning, match="not converged"):
        search.fit(X, y)
    assert len(set(search.best_params_["regressor__bent__width"])) == 4
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6


def test_one_gamma_for_each_feature_before_own_values(numbers):
    X, y = numbers
    sampler = kernel_approximation.RBFSampler(gamma=0.1, n_components=5, random_state=0)
    grid = {"rbfsampler__gamma": Continuous(per="feature"), "bent__width": Continuous()}
    search = search_of(sampler, Bent(), Ridge(), **grid).set_params(max_iter=2)
    with pytest.warns(HypergradWarning, match="not converged"):
        search.fit(X, y)
    assert len(set(search.best_params_["rbfsampler__gamma"])) == 4
    grid["rbfsampler__gamma"] = Continuous(per="group", groups=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="own values knows no 'group' for gamma of RBFSampler"):
        search.set_params(param_grid=grid).fit(X, y)


def test_classes(classes):
    X, y = classes(3)
    grid = {"bent__width": Continuous(), "logisticregression__C": [0.1, 10.0]}
    model = make_pipeline(Bent(), StandardScaler(), LogisticRegression(tol=1e-8))
    search = HypergradSearchCV(model, grid, cv=3, scoring="neg_log_loss").fit(X, y)
    assert_allclose(-min(search.history_["loss"]), search.best_score_, rtol=1e-5)


def test_behind_a_step_that_is_tuned_what_is_learned_moves(numbers):
    X, y = numbers
    search = search_of(
        RBFSampler(n_components=5, random_state=0), Bent(), Ridge(), rbfsampler__gamma=[0.01, 1.0]
    ).fit(X, y)
    assert "enumerated" not in search.hypergradient_
    assert check_hypergradient(search, X, y, n_points=2).max() < 1e-6


def of_self(self, state, X, h):
    return self.width * X


def of_numpy(self, state, X, h):
    return numpy.asarray(h["width"] * X).astype(float)


def of_unknown(self, state, X, h):
    return X * np.nanmedian(h["width"] * np.ones(3))


@pytest.mark.parametrize(
    ("forward", "text"),
    [
        (of_self, r"does not depend on h\['width'\], so .* Read it from h, not from self.width"),
        (of_numpy, "forward of Own: Autograd cannot differentiate .* Write it with autograd.numpy"),
        (of_unknown, "forward of Own: VJP of nanmedian"),
    ],
)
def test_what_has_no_derivative_is_enumerated_with_the_reason(numbers, forward, text):
    own = type("Own", (Bent,), {"forward": forward})
    search = search_of(own(), Ridge(), own__width=[0.1, 1.0]).fit(*numbers)
    assert [params["own__width"] for params in search.cv_results_["params"]] == [0.1, 1.0]
    assert "was enumerated, not searched" in search.hypergradient_
    with pytest.warns(HypergradWarning, match=text):
        search_of(own(), Ridge(), own__width=Continuous()).fit(*numbers)


def test_what_is_learned_by_numpy_must_not_move(numbers):
    own = type("Own", (Bent,), {"learn": lambda self, X, y, rng: {"mean": numpy.median(X, axis=0)}})
    sampler = RBFSampler(n_components=5, random_state=0)
    search = search_of(sampler, own(), Ridge(), rbfsampler__gamma=[0.1, 1.0]).fit(*numbers)
    text = "Own stands behind a step that is tuned, and has no derivatives in the rows that enter"
    assert text in search.hypergradient_
    first = search_of(own(), sampler, Ridge(), own__width=[0.1, 1.0]).fit(*numbers)
    assert "enumerated" not in first.hypergradient_


def test_sparse_rows_are_refused(numbers):
    search = search_of(FunctionTransformer(csr_matrix), Bent(), Ridge(), bent__width=[0.1, 1.0])
    with pytest.raises(ValueError, match="Sparse data was passed for X"):
        search.fit(*numbers)
