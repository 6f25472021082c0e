import itertools

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, make_vjp
from autograd.scipy.special import logsumexp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import Network, NetworkProblem, glorot
from sklearn_hypergrad.problems.network.activations import ACTIVATIONS

N_SAMPLES, N_FEATURES = 9, 4
HIDDEN = {0: (), 1: (5,), 2: (5, 3), 3: (3, 5, 2)}
ROWS = {"all": None, "slice": slice(2, 7), "index": np.array([7, 0, 3, 5])}
# Loss, outputs, and the same loss written down for autograd, summed or averaged over outputs.
LOSSES = {
    "squared": (HalfSquaredError(), 1, lambda y, z: anp.mean((z - y) ** 2, axis=1) / 2),
    "squared, 3 outputs": (HalfSquaredError(), 3, lambda y, z: anp.mean((z - y) ** 2, axis=1) / 2),
    "logistic": (LogisticLoss(), 1, lambda y, z: anp.sum(anp.logaddexp(0, z) - y * z, axis=1)),
    "multilabel": (LogisticLoss(), 3, lambda y, z: anp.sum(anp.logaddexp(0, z) - y * z, axis=1)),
    "multinomial": (
        MultinomialLoss(),
        3,
        lambda y, z: logsumexp(z, axis=1) - anp.sum(y * z, axis=1),
    ),
}
FORMULAS = {
    "identity": lambda z: z,
    "relu": lambda z: anp.maximum(z, 0),
    "tanh": anp.tanh,
    "logistic": lambda z: 1 / (1 + anp.exp(-z)),
}
ALPHAS = ("none", "scalar", "layer", "coefficient")
# What is a hyperparameter besides alpha, and whether samples are weighted where that is not.
DATA = {
    "plain": ((), False),
    "weighted": ((), True),
    "tuned X": (("X",), True),
    "tuned data": (("sample_weight", "X"), False),
}


def targets(loss, rng, n_outputs):
    if isinstance(loss, HalfSquaredError):
        return rng.normal(size=(N_SAMPLES, n_outputs))
    if isinstance(loss, MultinomialLoss):
        return np.eye(n_outputs)[rng.integers(n_outputs, size=N_SAMPLES)]
    return rng.integers(2, size=(N_SAMPLES, n_outputs)).astype(float)


class Case:
    """A problem, a point, and directions in the weights and the hyperparameters."""

    def __init__(self, activation="tanh", loss="multinomial", depth=2, alpha="layer", data="plain"):
        rng = np.random.default_rng(0)
        function, n_outputs, self.formula = LOSSES[loss]
        self.activation = FORMULAS[activation]
        self.network = Network((N_FEATURES, *HIDDEN[depth], n_outputs), activation, function)
        self.X = rng.normal(size=(N_SAMPLES, N_FEATURES))
        self.y = targets(function, rng, n_outputs)
        tuned, weighted = DATA[data]
        self.sample_weight = rng.uniform(0.5, 2, N_SAMPLES) if weighted else None
        n_layers, n_coefs = depth + 1, sum(a * b for a, b in self.network.shapes)
        shape = {"scalar": (), "layer": (n_layers,), "coefficient": (n_coefs,)}
        self.h = {"alpha": rng.uniform(0.1, 2, shape[alpha])} if alpha in shape else {}
        others = {"sample_weight": rng.uniform(0.5, 2, N_SAMPLES), "X": self.X + 0.5}
        self.h |= {name: others[name] for name in tuned}
        self.start = rng.normal(size=self.network.n_weights)
        self.w = rng.normal(size=self.network.n_weights)
        self.v = rng.normal(size=self.network.n_weights)
        self.u = {name: rng.normal(size=np.shape(value)) for name, value in self.h.items()}

    def problem(self, dtype=np.float64, wrap=np.asarray):
        network = self.network
        sizes = network.shapes[0][0], *(n_out for _, n_out in network.shapes)
        names = {kind: name for name, kind in ACTIVATIONS.items()}
        network = Network(sizes, names[type(network.activation)], network.loss, dtype)
        X = wrap(self.X)
        return NetworkProblem(network, X, self.y, self.sample_weight, start=self.start)

    def objective(self, w, h, rows):
        """The docstring's loss, for autograd."""
        rows = slice(None) if rows is None else rows
        X, s = h.get("X", self.X)[rows], np.ones(N_SAMPLES)
        if "sample_weight" in h:
            factors = h["sample_weight"][rows] / len(X)
        else:
            s = (s if self.sample_weight is None else self.sample_weight)[rows]
            factors = s / s.sum()
        start, squares = 0, []
        for layer, (n_in, n_out) in enumerate(self.network.shapes):
            X = self.activation(X) if layer else X
            W, b = w[start : start + n_in * n_out], w[start + n_in * n_out :][:n_out]
            X = X @ W.reshape(n_in, n_out) + b
            squares.append(W**2)
            start += (n_in + 1) * n_out
        return anp.sum(factors * self.formula(self.y[rows], X)) + self._penalty(squares, h)

    def _penalty(self, squares, h):
        if "alpha" not in h:
            return 0.0
        if np.ndim(h["alpha"]) and len(h["alpha"]) == len(squares):
            squares = [anp.sum(part) for part in squares]
            return anp.sum(h["alpha"] * anp.array(squares)) / 2
        return anp.sum(h["alpha"] * anp.concatenate(squares)) / 2

    def pack(self, w, h):
        return np.concatenate([w, *(np.ravel(h[name]) for name in self.h)])

    def unpack(self, t):
        w, start, h = t[: len(self.w)], len(self.w), {}
        for name, value in self.h.items():
            h[name] = t[start : start + np.size(value)].reshape(np.shape(value))
            start += np.size(value)
        return w, h

    def expected(self, rows):
        """Value, gradient, pull and push by autograd."""

        def objective(t):
            return self.objective(*self.unpack(t), rows)

        # The Hessian in weights and hyperparameters together is symmetric.
        point = self.pack(self.w, self.h)
        product, gradient = make_vjp(grad(objective))(point)
        still = {name: np.zeros(np.shape(value)) for name, value in self.h.items()}
        pull = self.unpack(product(self.pack(self.v, still)))
        push, _ = self.unpack(product(self.pack(self.v, self.u)))
        return objective(point), self.unpack(gradient)[0], pull, push


def assert_close(actual, expected, rtol=1e-10):
    """Close relative to the largest entry."""
    assert np.shape(actual) == np.shape(expected)
    assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max() + 1e-300)


def assert_same(linearization, case, expected, rtol=1e-10):
    value, gradient, (product, cross), push = expected
    assert_allclose(linearization.value, value, rtol=rtol)
    assert_close(linearization.gradient, gradient, rtol)
    pulled, pulled_cross = linearization.pull(case.v)
    assert_close(pulled, product, rtol)
    assert pulled_cross.keys() == cross.keys()
    for name in cross:
        assert_close(pulled_cross[name], cross[name], rtol)
    assert_close(linearization.push(case.v, case.u), push, rtol)


@pytest.mark.parametrize("depth", HIDDEN)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", FORMULAS)
def test_autograd_agrees(activation, loss, depth):
    # Half of these for each depth: those of even and those of odd sums of positions.
    pairs = list(itertools.product(DATA, ALPHAS))
    for i, (data, alpha) in enumerate(pairs):
        if (i // len(ALPHAS) + i % len(ALPHAS) + depth) % 2:
            continue
        case, rows = Case(activation, loss, depth, alpha, data), list(ROWS.values())[i % 3]
        linearization = case.problem().linearize(case.w, case.h, rows)
        assert_same(linearization, case, case.expected(rows))


@pytest.mark.portable
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("depth", HIDDEN)
def test_push_is_the_transpose_of_pull(depth, alpha, data):
    case = Case("logistic", "multinomial", depth, alpha, data)
    linearization = case.problem().linearize(case.w, case.h, ROWS["index"])
    other = np.random.default_rng(1).normal(size=case.w.shape)
    product, cross = linearization.pull(other)
    expected = product @ case.v + sum(np.sum(cross[name] * case.u[name]) for name in cross)
    assert_allclose(linearization.push(case.v, case.u) @ other, expected, rtol=1e-12)
    assert_allclose(linearization.push(case.v, {}), linearization.pull(case.v)[0], rtol=1e-14)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("depth", HIDDEN)
def test_cross_is_that_of_pull(depth, alpha, data):
    case = Case("tanh", "multinomial", depth, alpha, data)
    linearization = case.problem().linearize(case.w, case.h, ROWS["index"])
    alone, (_, cross) = linearization.cross(case.v), linearization.pull(case.v)
    assert alone.keys() == cross.keys() == case.h.keys()
    for name in cross:
        assert_array_equal(alone[name], cross[name])


@pytest.mark.parametrize("depth", [0, 2])
def test_penalties_of_coefficients_are_applied_piece_by_piece(depth, monkeypatch):
    monkeypatch.setattr("sklearn_hypergrad.problems.network.network_problem.PIECE", 3)
    case = Case("tanh", "multinomial", depth, "coefficient", "plain")
    linearization = case.problem().linearize(case.w, case.h, None)
    assert_same(linearization, case, case.expected(None))


@pytest.mark.parametrize("part", ["value", "gradient", "pull", "cross", "push"])
def test_a_small_error_is_seen(part):
    case = Case("relu", "logistic", 2, "layer", "tuned data")
    linearization = case.problem().linearize(case.w, case.h, None)
    value, gradient, (product, cross), push = case.expected(None)
    wrong = {
        "value": (1.001 * value, gradient, (product, cross), push),
        "gradient": (value, 1.001 * gradient, (product, cross), push),
        "pull": (value, gradient, (1.001 * product, cross), push),
        "cross": (value, gradient, (product, cross | {"X": 1.001 * cross["X"]}), push),
        "push": (value, gradient, (product, cross), 1.001 * push),
    }
    with pytest.raises(AssertionError):
        assert_same(linearization, case, wrong[part])
    with pytest.raises(AssertionError):
        assert_same(linearization, case, wrong[part], rtol=1e-5)


@pytest.mark.parametrize(("data", "alpha"), list(zip(DATA, ALPHAS, strict=True)))
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", FORMULAS)
def test_single_precision_stays(activation, loss, data, alpha):
    case = Case(activation, loss, 2, alpha, data)
    problem, w, v = case.problem(np.float32), case.w.astype(np.float32), case.v.astype(np.float32)
    linearization = problem.linearize(w, case.h, ROWS["slice"])
    product, cross = linearization.pull(v)
    arrays = linearization.gradient, product, linearization.push(v, case.u), *cross.values()
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    case.v = v
    double = case.problem().linearize(w.astype(float), case.h, ROWS["slice"])
    v = v.astype(float)
    expected = double.value, double.gradient, double.pull(v), double.push(v, case.u)
    assert_same(linearization, case, expected, rtol=2e-5)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_sparse_is_dense(kind, dtype, rows):
    case = Case(alpha="coefficient", data="weighted")
    case.X[case.X < 0.3] = 0
    w, v = case.w.astype(dtype), case.v.astype(dtype)
    problems = case.problem(dtype), case.problem(dtype, kind)
    dense, thin = (problem.linearize(w, case.h, rows) for problem in problems)
    rtol = 10 * np.finfo(dtype).eps
    assert_close(thin.gradient, dense.gradient, rtol)
    assert_close(thin.pull(v)[0], dense.pull(v)[0], rtol)
    assert_close(thin.push(v, case.u), dense.push(v, case.u), rtol)
    network, X = problems[0].network, case.X.astype(dtype)
    assert network.outputs(w, kind(X)).dtype == dtype
    assert_close(network.outputs(w, kind(X)), network.outputs(w, X), rtol)


def test_rows_that_come_twice_count_twice():
    case = Case(data="tuned data")
    problem, rows = case.problem(), np.array([1, 4, 1])
    _, cross = problem.linearize(case.w, case.h, rows).pull(case.v)
    for name, array in cross.items():
        if name != "alpha":
            parts = [problem.linearize(case.w, case.h, [i]).pull(case.v)[1][name] for i in rows]
            assert_close(array, np.mean(parts, axis=0))


@pytest.mark.parametrize("depth", HIDDEN)
def test_predictions_pull_back(depth, five_point):
    case = Case("logistic", "squared, 3 outputs", depth)
    z, pullback = case.network.predictions(case.w, case.X)
    assert_array_equal(z, case.network.outputs(case.w, case.X))
    dz = np.random.default_rng(1).normal(size=z.shape)

    def along(step):
        return np.sum(dz * case.network.outputs(case.w + step * case.v, case.X))

    assert_allclose(pullback(dz) @ case.v, five_point(along, 1e-3), rtol=1e-8)


def test_layers_are_views():
    case = Case(depth=2)
    layers = case.network.layers(case.w)
    assert [(W.shape, b.shape) for W, b in layers] == [
        ((4, 5), (5,)),
        ((5, 3), (3,)),
        ((3, 3), (3,)),
    ]
    assert all(np.shares_memory(a, case.w) for pair in layers for a in pair)
    assert_array_equal(np.concatenate([a.ravel() for pair in layers for a in pair]), case.w)
    assert case.network.group_sizes == tuple(W.size + b.size for W, b in layers)


def test_what_is_handed_in_or_out_stays():
    case = Case(alpha="coefficient", data="tuned data")
    given = [case.w, case.v, case.X, case.y, case.start, *case.h.values(), *case.u.values()]
    problem = case.problem()
    linearization = problem.linearize(case.w, case.h, None)
    product, cross = linearization.pull(case.v)
    z, pullback = case.network.predictions(case.w, case.X)
    results = [linearization.gradient, product, *cross.values(), z, pullback(z)]
    before = [array.copy() for array in (*given, *results)]
    linearization.push(case.v, case.u)
    linearization.pull(case.v)
    pullback(z)
    problem.initial({"init_scale": 2.0})[:] = 0
    problem.initial({})[:] = 0
    assert all(map(np.array_equal, before, (*given, *results)))


@pytest.mark.parametrize("scale", [None, np.array(0.7), np.array([0.5, 2.0, 3.0])])
def test_start_weights_scale(scale):
    case = Case()
    problem, h = case.problem(), {} if scale is None else {"init_scale": scale}
    layers = np.repeat(np.broadcast_to(1.0 if scale is None else scale, 3), problem.group_sizes)
    assert_close(problem.initial(h), layers * case.start)
    u = {name: np.random.default_rng(1).normal(size=value.shape) for name, value in h.items()}
    pulled, pushed = problem.initial_vjp(h, case.v), problem.initial_jvp(h, u)
    assert {name: np.shape(value) for name, value in pulled.items()} == {
        name: value.shape for name, value in h.items()
    }
    if scale is None:
        assert pushed is None
        return
    assert_allclose(pushed @ case.v, np.sum(pulled["init_scale"] * u["init_scale"]), rtol=1e-12)
    moved = problem.initial({name: h[name] + u[name] for name in h})
    assert_allclose(pushed, moved - problem.initial(h), rtol=1e-12, atol=1e-14)


def one_step(estimator, X, y, **options):
    """The weights of scikit-learn after one step of gradient descent on everything, flat."""
    estimator.set_params(solver="sgd", momentum=0, random_state=3, batch_size=len(X), **options)
    classes = np.arange(max(int(y.max()) + 1, np.size(y[0])))
    known = {"classes": classes} if is_classifier(estimator) else {}
    estimator.partial_fit(X, y, **known)
    pairs = zip(estimator.coefs_, estimator.intercepts_, strict=True)
    return np.concatenate([array.ravel() for pair in pairs for array in pair])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", FORMULAS)
def test_start_weights_are_those_of_scikit_learn(activation, dtype):
    case = Case(activation)
    network = Network((N_FEATURES, 5, 3, 3), activation, MultinomialLoss(), dtype)
    start = glorot(network, np.random.RandomState(3))
    estimator = MLPClassifier(hidden_layer_sizes=(5, 3), activation=activation)
    y = np.arange(N_SAMPLES) % 3
    expected = one_step(estimator, case.X.astype(dtype), y, learning_rate_init=1e-300)
    assert start.dtype == dtype
    assert_array_equal(start, expected)


@pytest.mark.portable
@pytest.mark.parametrize("activation", FORMULAS)
@pytest.mark.parametrize("loss", ["squared", "squared, 3 outputs", "multilabel", "multinomial"])
def test_gradient_is_that_of_scikit_learn(loss, activation):
    case = Case(activation, loss, 2)
    kind = MLPRegressor if "squared" in loss else MLPClassifier
    y = case.y.argmax(axis=1) if loss == "multinomial" else np.squeeze(case.y)
    estimator = kind(hidden_layer_sizes=(5, 3), activation=activation, alpha=0.7)
    stepped = one_step(estimator, case.X, y, learning_rate_init=0.1)
    start = glorot(case.network, np.random.RandomState(3))
    # Scikit-learn descends the sum over outputs of the squared errors of which it reports the mean,
    # and divides the penalty by the size of the batch.
    scale = case.network.loss_scale
    h = {"alpha": scale * 0.7 / N_SAMPLES}
    gradient = case.problem().linearize(start, h, None).gradient / scale
    assert_close(start - 0.1 * gradient, stepped, rtol=1e-13)
