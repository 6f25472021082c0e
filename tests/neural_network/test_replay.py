import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible
from sklearn_hypergrad.neural_network.replay import refusal, replay

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_SAMPLES, N_FEATURES, SEED = 43, 5, 3
TARGETS = ("binary", "multiclass", "multilabel", "regression", "3 outputs")
SOLVERS = {
    "nesterov": {"solver": "sgd", "learning_rate_init": 0.1},
    "momentum": {"solver": "sgd", "learning_rate_init": 0.1, "nesterovs_momentum": False},
    "adam": {"solver": "adam", "learning_rate_init": 0.02, "beta_2": 0.98, "epsilon": 1e-6},
}
# With a tol out of reach every epoch after the first one fails: the fourth one stalls.
HOPELESS = {"tol": 1e3, "n_iter_no_change": 2}
SCHEDULES = {
    "constant": {},
    "invscaling": {"learning_rate": "invscaling", "power_t": 0.3},
    "adaptive": {"learning_rate": "adaptive", **HOPELESS},
}


def targets(kind, rng):
    """What scikit-learn is fitted to, and the same as it codes it."""
    if kind == "binary":
        y = rng.integers(2, size=N_SAMPLES)
        return y, y[:, None].astype(float)
    if kind == "multiclass":
        y = rng.integers(3, size=N_SAMPLES)
        return y, np.eye(3)[y]
    if kind == "multilabel":
        y = rng.integers(2, size=(N_SAMPLES, 3))
        return y, y.astype(float)
    y = rng.normal(size=(N_SAMPLES, 1 if kind == "regression" else 3))
    return y.squeeze(), y


class Case:
    """Data and a model."""

    def __init__(self, kind="multiclass", *, weighted=False, **settings):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(N_SAMPLES, N_FEATURES))
        self.y, self.coded = targets(kind, rng)
        self.sample_weight = rng.uniform(0.2, 3, N_SAMPLES) if weighted else None
        self.multilabel = kind == "multilabel"
        network = MLPRegressor if kind in ("regression", "3 outputs") else MLPClassifier
        defaults = {"hidden_layer_sizes": (6, 4), "activation": "tanh", "alpha": 0.3}
        defaults |= {"batch_size": 12, "max_iter": 6, "random_state": SEED}
        self.model = network(**{**defaults, **settings})

    def fitted(self, **h):
        model = clone(self.model).set_params(**h)
        return model.fit(self.X, self.y, sample_weight=self.sample_weight)

    def replayed(self, random_state=SEED):
        data = self.X, self.coded, self.sample_weight
        return replay(self.model, *data, random_state, multilabel=self.multilabel)

    def agree(self, atol=1e-8):
        """Asserts the same weights after the same number of epochs."""
        model, run = self.fitted(), self.replayed().run({})
        n_batches = -(-N_SAMPLES // model.batch_size)
        assert run.n_steps == model.n_iter_ * n_batches
        assert_allclose(run.final().w, flat(model), rtol=0, atol=atol)
        return model


def flat(model):
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    return np.concatenate([part.ravel() for pair in pairs for part in pair])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("activation", "weighted"),
    [("tanh", False), ("relu", False), ("relu", True), ("logistic", True), ("identity", True)],
)
@pytest.mark.parametrize("kind", TARGETS)
def test_same_weights(kind, activation, weighted, solver):
    Case(kind, weighted=weighted, activation=activation, **SOLVERS[solver]).agree()


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [5, 12, N_SAMPLES])
def test_same_schedules_and_batches(batch_size, shuffle, solver, schedule):
    settings = {**SOLVERS[solver], **SCHEDULES[schedule]}
    Case(batch_size=batch_size, shuffle=shuffle, **settings).agree()


@pytest.mark.parametrize("hidden", [(), 7, [3], (3, 4, 5)])
def test_same_layers(hidden):
    Case(hidden_layer_sizes=hidden).agree()


@pytest.mark.parametrize(("activation", "solver"), [("tanh", "nesterov"), ("relu", "adam")])
def test_same_weights_on_digits(activation, solver):
    X, y = (part[::3] for part in load_digits(return_X_y=True))
    model = MLPClassifier((20,), activation=activation, solver=SOLVERS[solver]["solver"])
    model.set_params(nesterovs_momentum=solver == "nesterov", max_iter=20, random_state=0)
    run = replay(model, X / 16, np.eye(10)[y], random_state=0).run({})
    assert_allclose(run.final().w, flat(model.fit(X / 16, y)), rtol=0, atol=1e-8)


@pytest.mark.filterwarnings("ignore:Got `batch_size`:UserWarning")
@pytest.mark.parametrize("batch_size", [1, "auto", 500])
def test_batches_of_one_and_of_all_samples(batch_size):
    case = Case(batch_size=batch_size)
    assert_allclose(case.replayed().run({}).final().w, flat(case.fitted()), rtol=0, atol=1e-8)


def test_sparse_and_single_precision():
    case = Case("regression", weighted=True, solver="sgd")
    case.X = csr_matrix(case.X)
    case.agree()
    case.X = case.X.astype(np.float32)
    assert case.replayed().run({}).final().w.dtype == np.float32
    case.agree(1e-4)
    case.model.set_params(solver="adam")
    case.agree(1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["binary", "multilabel", "3 outputs"])
def test_tol_ends_training_at_the_same_epoch(kind, solver):
    settings = {"max_iter": 300, "tol": 1e-3, "n_iter_no_change": 3, **SOLVERS[solver]}
    model = Case(kind, weighted=True, **settings).agree()
    assert 10 < model.n_iter_ < 300


def test_adaptive_rate_slows_down_until_it_ends():
    settings = {"learning_rate": "adaptive", "max_iter": 300, "tol": 1e-3, "n_iter_no_change": 2}
    model = Case(**SOLVERS["nesterov"], **settings).agree()
    assert model._optimizer.learning_rate <= 1e-6
    assert model.n_iter_ < 300


@pytest.mark.parametrize("patience", [3, 4, 5, np.inf])
def test_training_that_stalls_close_to_its_last_epoch(patience):
    Case(tol=1e3, n_iter_no_change=patience).agree()


def test_ends_by_losses_as_they_are_reported():
    # Probabilities underflow: the loss falls on, but not the one of probabilities kept above 1e-16.
    case = Case("binary", solver="sgd", hidden_layer_sizes=(), learning_rate_init=1e-7, alpha=0.0)
    case.model.set_params(max_iter=30, tol=1.0, n_iter_no_change=2)
    case.X *= 1000
    start = case.replayed().run({}).start().w[:N_FEATURES]
    case.y = (case.X @ start < 0).astype(int)
    case.coded = case.y[:, None].astype(float)
    assert case.agree().n_iter_ < 30


@pytest.mark.parametrize(
    ("settings", "h", "random_state"),
    [({}, {}, SEED + 1), ({}, {"alpha": 0.3003}, SEED), ({"learning_rate_init": 0.0011}, {}, SEED)],
)
def test_what_differs_is_told_apart(settings, h, random_state):
    case = Case()
    weights = flat(case.fitted(**settings))
    found = case.replayed(random_state).run(h).final().w
    assert np.max(np.abs(found - weights)) > 1e-7


def test_hyperparameters_take_the_place_of_the_models():
    h = {"alpha": 0.7, "learning_rate_init": 0.05, "momentum": 0.6}
    case = Case(solver="sgd", max_iter=200, tol=1e-3, n_iter_no_change=2)
    model, run = case.fitted(**h), case.replayed().run(h)
    assert run.n_steps == 4 * model.n_iter_ != case.replayed().run({}).n_steps
    assert_allclose(run.final().w, flat(model), rtol=0, atol=1e-8)


def test_runs_repeat_and_leave_the_random_state_alone():
    case, random_state = Case(), np.random.RandomState(SEED)
    training = case.replayed(random_state)
    assert_array_equal(training.run({}).final().w, training.run({}).final().w)
    assert_array_equal(training.run({}).final().w, case.replayed(SEED).run({}).final().w)
    assert random_state.uniform() == np.random.RandomState(SEED).uniform()


def outer(w, h):
    """An outer objective with a gradient that differs in every weight."""
    c = np.cos(np.arange(len(w)))
    return np.array([c @ w + 0.5 * w @ w]), c + w, {}


def refitted(case, h, name):
    """Derivative of the outer objective in one hyperparameter, from refits of scikit-learn."""
    step = 1e-3 * h[name]
    sums = [
        factor * outer(flat(case.fitted(**{**h, name: h[name] + shift * step})), h)[0][0]
        for shift, factor in ((-2, 1), (-1, -8), (1, 8), (2, -1))
    ]
    return sum(sums) / (12 * step)


@pytest.mark.parametrize("schedule", [*SCHEDULES, "ended"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["multiclass", "3 outputs"])
def test_hypergradient_is_that_of_refits(kind, solver, schedule):
    fixed = {"tol": 0.0, "n_iter_no_change": 1000}
    settings = {**fixed, **SOLVERS[solver], **SCHEDULES.get(schedule, HOPELESS)}
    case = Case(kind, weighted=True, **settings)
    h = {"alpha": 0.4, "learning_rate_init": 0.03}
    h |= {"beta_1": 0.8} if solver == "adam" else {"momentum": 0.7}
    methods = [Reverse(), Forward()] + [Reversible()] * (solver != "nesterov")
    expected = {name: refitted(case, h, name) for name in h}
    for method in methods:
        found = method.evaluate(case.replayed(), outer, h, None, 1e-6).gradient
        for name, derivative in expected.items():
            assert_allclose(found[name], derivative, rtol=1e-5, err_msg=f"{method} {name}")


class Own(MLPRegressor):
    pass


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (MLPClassifier(), None),
        (MLPRegressor(solver="sgd", learning_rate="adaptive"), None),
        (MLPClassifier(solver="lbfgs"), "solver='lbfgs'"),
        (MLPClassifier(early_stopping=True), "early_stopping=True"),
        (MLPRegressor(warm_start=True), "warm_start=True"),
        (MLPRegressor(loss="poisson"), "loss='poisson'"),
        (Own(), "Own is neither"),
    ],
)
def test_refusal(model, reason):
    found = refusal(model)
    assert found is None if reason is None else reason in found
