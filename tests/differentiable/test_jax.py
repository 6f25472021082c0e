"""Models of one's own in jax.numpy: as in autograd.numpy, compiled once, and never out of date."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    DifferentiableTransformer,
    Hyperparameter,
    flat,
)
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Implicit, Online, RealTime
from sklearn_hypergrad.training import Momentum

jax = pytest.importorskip("jax")
jax_derivatives = pytest.importorskip("sklearn_hypergrad.problems.autograd.jax_derivatives")
jnp = jax.numpy
ANY = Continuous()
PENALTY = Hyperparameter(regularizes=1, per=("feature", "coefficient", "sample"))
# Compiling takes seconds: continuous integration has a stage for these. Searches of few steps say
# that they have not converged.
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning"),
]


class Robust(DifferentiableRegressor):
    """As in conftest.py; which language it is in, its first call shows."""

    hyperparameters = {"alpha": PENALTY, "width": Hyperparameter()}

    def __init__(self, alpha=0.1, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": jnp.zeros(X.shape[1]), "intercept": 0.0}

    def forward(self, w, X, h):
        return jnp.dot(X, w["coef"]) + w["intercept"]

    def loss(self, y, z, h):
        return h["width"] ** 2 * (jnp.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return 0.5 * jnp.sum(h["alpha"] * w["coef"] ** 2)


class TwoLayers(DifferentiableClassifier):
    """As in conftest.py; trained, with the loss of the package."""

    backend = "jax"
    hyperparameters = {"alpha": PENALTY, "sample_weight": PENALTY}
    dynamics = Momentum()

    def __init__(
        self,
        alpha=1e-3,
        sample_weight=1.0,
        learning_rate_init=0.2,
        momentum=0.5,
        n_steps=6,
        batch_size=16,
    ):
        self.alpha = alpha
        self.sample_weight = sample_weight
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps
        self.batch_size = batch_size

    def initial(self, X, y, rng):
        shapes = {"W": (X.shape[1], 5), "V": (5, *y.shape[1:])}
        return {name: rng.normal(size=shape) / shape[0] for name, shape in shapes.items()}

    def forward(self, w, X, h):
        return jnp.dot(jnp.tanh(jnp.dot(X, w["W"])), w["V"])

    def penalty(self, w, h):
        return 0.5 * jnp.sum(h["alpha"] * flat(w) ** 2)


class TwoLayersInAutograd(TwoLayers):
    """The same in autograd."""

    backend = "autograd"

    def forward(self, w, X, h):
        return anp.dot(anp.tanh(anp.dot(X, w["W"])), w["V"])

    def penalty(self, w, h):
        return 0.5 * anp.sum(h["alpha"] * flat(w) ** 2)


def search_of(model, grid, **options):
    return HypergradSearchCV(model, grid, **{"cv": KFold(3), "max_iter": 3, **options})


@pytest.fixture
def kept(monkeypatch):
    """What is compiled from now on."""
    kept = jax_derivatives.Recent(jax_derivatives.MOST_FUNCTIONS)
    monkeypatch.setattr(jax_derivatives, "COMPILED", kept)
    return kept


def n_traces(kept):
    """How often each function was compiled, of each kind."""
    counts = [dict(compiled.n_traces) for compiled in kept.values()]
    return [count for count in counts if count]


def assert_same(ours, theirs, rtol=1e-9):
    assert ours.best_params_.keys() == theirs.best_params_.keys()
    for name, value in theirs.best_params_.items():
        assert_allclose(ours.best_params_[name], value, rtol=rtol)
    assert_allclose(ours.best_score_, theirs.best_score_, rtol=rtol)
    assert (ours.best_estimator_.backend_, theirs.best_estimator_.backend_) == ("jax", "autograd")


# Batches and held-out parts have one size each: one compilation serves folds, evaluations, rows
# that are judged and the refit.
def test_everything_is_compiled_once(classes, kept):
    grid = {"alpha": ANY, "learning_rate_init": Continuous(per="layer")}
    options = {"scoring": "neg_log_loss"}
    search = search_of(TwoLayers(), grid, **options).fit(*classes(3))
    expected = [{"gradient": 1, "pull": 1}, {"evaluate": 1}, {"gradients": 1}]
    assert sorted(map(str, n_traces(kept))) == sorted(map(str, expected))
    again = clone(search).fit(*classes(3))
    assert sorted(map(str, n_traces(kept))) == sorted(map(str, expected))
    assert_array_equal(
        again.best_params_["learning_rate_init"], search.best_params_["learning_rate_init"]
    )
    assert_same(search, search_of(TwoLayersInAutograd(), grid, **options).fit(*classes(3)))


def test_a_minimised_model_is_detected_and_compiled_for_folds_and_refit(models, numbers, kept):
    grid = {"alpha": ANY, "width": ANY}
    search = search_of(Robust(), grid).fit(*numbers)
    assert {"gradient": 2, "hvp": 2, "cross_vjp": 1} in n_traces(kept)
    assert_same(search, search_of(models.Robust(), grid).fit(*numbers), 1e-5)


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (Robust(), {"alpha": Continuous(per="feature"), "width": ANY}),
        pytest.param(TwoLayers(), {"alpha": ANY, "momentum": Continuous(per="step")}),
        pytest.param(TwoLayers(), {"alpha": Continuous(per="coefficient")}),
    ],
)
def test_hypergradients(model, grid, numbers, classes):
    data = numbers if isinstance(model, Robust) else classes(2)
    search = search_of(model, grid, cv=2)
    assert check_hypergradient(search, *data, n_points=1).max() < 1e-6


def test_weights_of_samples(classes, kept):
    """Rows of hyperparameters that are as many as samples go with the rows of a batch."""
    grid = {"sample_weight": Continuous(per="sample")}
    options = {"cv": ShuffleSplit(1, random_state=0), "scoring": "neg_log_loss"}
    ours, theirs = (
        search_of(model(), grid, refit=False, **options).fit(*classes(3))
        for model in (TwoLayers, TwoLayersInAutograd)
    )
    weights = [search.best_params_["sample_weight"] for search in (ours, theirs)]
    assert_allclose(*weights, rtol=1e-9)
    assert np.ptp(weights[0]) > 0


@pytest.mark.parametrize(
    "method",
    [Online(), Online(gauss_newton=True), RealTime()],
    ids=repr,
)
def test_tuned_while_it_trains(method, classes):
    options = {"hypergradient": method, "scoring": "neg_log_loss", "cv": 2, "max_iter": 2}
    ours, theirs = (
        search_of(model(), {"alpha": ANY}, **options).fit(*classes(3))
        for model in (TwoLayers, TwoLayersInAutograd)
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("options", [{"gauss_newton": True}, {"solver": "neumann"}])
def test_inverse_hessians(models, numbers, options):
    method = Implicit(**options)
    ours, theirs = (
        search_of(model(), {"alpha": ANY}, hypergradient=method).fit(*numbers)
        for model in (Robust, models.Robust)
    )
    assert_same(ours, theirs, 1e-5)


def own_loss(y, prediction):
    return jnp.mean(jnp.log(jnp.cosh(y - prediction)))


def own_loss_of_classes(y, prediction, sample_weight):
    chosen = prediction[jnp.arange(len(y)), y]
    return -jnp.sum(sample_weight * jnp.log(chosen)) / jnp.sum(sample_weight)


def test_own_validation_losses(numbers, classes):
    """Of any model; the log loss as one's own is the log loss."""
    search = HypergradSearchCV(Ridge(), {"alpha": ANY}, cv=3, validation_loss=own_loss)
    assert check_hypergradient(search, *numbers, n_points=1).max() < 1e-6
    found = [
        search_of(TwoLayers(), {"alpha": ANY}, scoring="neg_log_loss", validation_loss=loss)
        .fit(*classes(3))
        .best_params_["alpha"]
        for loss in ("auto", own_loss_of_classes)
    ]
    assert_allclose(*found, rtol=1e-9)


def test_a_validation_loss_without_derivative(numbers):
    def wrong(y, prediction):
        return jnp.mean(jnp.round(prediction) != y)

    search = HypergradSearchCV(Ridge(), {"alpha": ANY}, validation_loss=wrong)
    with pytest.raises(TypeError, match=r"has no derivative .* autograd.numpy or jax.numpy"):
        search.fit(*numbers)


def test_predictions_are_in_double_precision(models, numbers):
    """And pickled models need no problem of their own."""
    X, y = numbers
    ours, theirs = (model().fit(X, y) for model in (Robust, models.Robust))
    for model in (ours, clone(ours).fit(X, y), pickle.loads(pickle.dumps(ours))):
        assert model.predict(X).dtype == np.float64
        assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-8)
    assert type(ours.weights_["coef"]) is np.ndarray
    assert_allclose(ours.predict(X), X @ ours.weights_["coef"] + ours.weights_["intercept"])


class Scaled(Robust):
    """Has a parameter that cannot be tuned, and an attribute."""

    offset = 0.0

    def __init__(self, alpha=0.1, width=1.0, factor=1.0):
        super().__init__(alpha, width)
        self.factor = factor

    def forward(self, w, X, h):
        return self.factor * super().forward(w, X, h) + self.offset


# Compiled functions keep what they have read; so what they read is part of their name.
def test_attributes_are_never_out_of_date(numbers, monkeypatch):
    X, y = numbers

    def coef(factor):
        return Scaled(factor=factor).fit(X, y).weights_

    assert_allclose(coef(1.0)["coef"], Robust().fit(X, y).weights_["coef"], rtol=1e-6)
    tenth = Scaled(factor=0.1, alpha=1e-3).fit(X, y)
    assert_allclose(0.1 * tenth.weights_["coef"], coef(1.0)["coef"], rtol=1e-6)
    before = coef(1.0)["intercept"]
    monkeypatch.setattr(Scaled, "offset", 1.0)
    assert_allclose(coef(1.0)["intercept"], before - 1, rtol=1e-6)
    fitted = Robust().fit(X, y)
    monkeypatch.setattr(Robust, "forward", lambda self, w, X, h: 2.0 * (X @ w["coef"]))
    assert_allclose(fitted.predict(X), 2 * X @ fitted.weights_["coef"])


class FromSelf(Robust):
    def penalty(self, w, h):
        return 0.5 * self.alpha * jnp.sum(w["coef"] ** 2)


class Branching(Robust):
    def penalty(self, w, h):
        return jnp.sum(w["coef"] ** 2) if h["alpha"] > 1 else 0.0


class Drawing(Robust):
    def forward(self, w, X, h):
        return super().forward(w, X, h) * (np.random.default_rng().random(len(X)) > 0.5)


class Mixed(Robust):
    backend = "jax"

    def penalty(self, w, h):
        return jnp.sum(h["alpha"] * anp.tanh(w["coef"]) ** 2)


class MixedUp(Robust):
    backend = "autograd"


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (FromSelf, r"FromSelf reads self.alpha, which JAX would keep .* Read h\['alpha'\]"),
        (Branching, r"branches in Python .* Write jnp.where"),
        (Drawing, r"draws random numbers, draw them in initial\(\)"),
        (Mixed, "calls numpy or autograd.numpy .* or set backend='autograd'"),
        (MixedUp, "is written with jax.numpy, .* Set backend='jax'"),
    ],
)
def test_what_is_wrong_is_said(model, text, numbers):
    with pytest.raises(TypeError, match=text):
        model().fit(*numbers)
    with pytest.raises(TypeError, match=text):
        search_of(model(), {"alpha": ANY}, error_score="raise").fit(*numbers)


def test_an_unknown_backend(numbers):
    class Unknown(Robust):
        backend = "torch"

    with pytest.raises(
        ValueError, match="backend must be 'auto', 'autograd' or 'jax', got 'torch'"
    ):
        Unknown().fit(*numbers)


def test_what_is_not_read_cannot_be_tuned(numbers):
    class Unread(Robust):
        def loss(self, y, z, h):
            return (z - y) ** 2 + jnp.where(h["width"] > 0, 1.0, 0.0)

    with pytest.raises(ValueError, match=r"Cannot tune 'width': neither forward nor loss"):
        search_of(Unread(), {"width": ANY}).fit(*numbers)


def test_workers_and_candidates(numbers):
    """Workers find the same: threads, as other processes cannot import this module."""
    grid = {"alpha": ANY, "factor": [1.0, 0.5]}
    with parallel_config("threading"):
        found = [
            search_of(Scaled(), grid, n_jobs=n_jobs, max_iter=2).fit(*numbers).best_params_
            for n_jobs in (None, 2)
        ]
    assert found[0] == found[1]


class Bent(DifferentiableTransformer):
    """Deviations from the mean, bent."""

    hyperparameters = {"width": Hyperparameter(per=("feature",)), "unread": Hyperparameter()}

    def __init__(self, width=1.5, unread=1.0):
        self.width = width
        self.unread = unread

    def learn(self, X, y, rng):
        return {"mean": jnp.mean(X, axis=0)}

    def forward(self, state, X, h):
        return h["width"] * jnp.tanh((X - state["mean"]) / h["width"])


class BentTwice(Bent):
    backend = "jax"


def test_steps_before_a_model(numbers):
    """Alone, and behind a step that is tuned: then what it has learned moves with its rows."""
    X, y = numbers
    rows = Bent().fit(X).transform(X)
    assert (type(rows), rows.dtype) == (np.ndarray, np.float64)
    assert_allclose(rows, 1.5 * np.tanh((X - X.mean(axis=0)) / 1.5), atol=1e-14)
    pipeline = make_pipeline(Bent(), BentTwice(), Ridge())
    grid = {"bent__width": Continuous(per="feature"), "benttwice__width": ANY, "ridge__alpha": ANY}
    search = search_of(pipeline, grid)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search = search_of(make_pipeline(Bent(), Ridge()), {"bent__unread": ANY})
    assert r"does not depend on h['unread']" in refusal(search, X, y)


def refusal(search, X, y):
    """The warning about what is enumerated in place of a search."""
    with pytest.warns(HypergradWarning) as warned:
        search.fit(X, y)
    return str(warned[0].message)


def test_estimator_checks():
    check_estimator(Robust(), on_skip=None)
