"""Training problems that autograd differentiates, against those by closed forms."""

import autograd.numpy as anp
import numpy as np
import pytest
from autograd.scipy.special import logsumexp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import AutogradTraining, GaussNewton, Network, NetworkProblem

RNG = np.random.default_rng(0)
N_SAMPLES = 20
X, Y = RNG.normal(size=(N_SAMPLES, 3)), np.eye(2)[RNG.integers(2, size=N_SAMPLES)]
ROWS = {"all": None, "slice": slice(2, 7), "index": np.array([7, 0, 3, 5])}
NETWORK = Network((3, 4, 2), "tanh", MultinomialLoss(), float)
START = RNG.normal(size=NETWORK.n_weights)
H = {"alpha": np.array([0.1, 0.2]), "X": X + 0.1, "sample_weight": RNG.uniform(0.5, 2, N_SAMPLES)}


def chosen(array, rows):
    return array if rows is None else array[rows]


def outputs(w, h, rows):
    (W, b), (V, c) = w
    return anp.tanh(chosen(h["X"], rows) @ W + b) @ V + c


def loss_of_outputs(z, h, rows):
    losses = logsumexp(z, axis=1) - anp.sum(chosen(Y, rows) * z, axis=1)
    return anp.mean(chosen(h["sample_weight"], rows) * losses)


def penalty(w, h, rows):
    return 0.5 * sum(alpha * anp.sum(W**2) for alpha, (W, _) in zip(h["alpha"], w, strict=True))


def loss(w, h, rows):
    return loss_of_outputs(outputs(w, h, rows), h, rows) + penalty(w, h, rows)


def training(**options):
    """The training of a network, layers in a list of pairs, as the network keeps them."""
    pairs = [tuple(pair) for pair in NETWORK.layers(START)]
    return AutogradTraining(loss, pairs, n_samples=N_SAMPLES, scheduled={"alpha": (2,)}, **options)


@pytest.fixture
def both():
    """``both(rows)``: linearizations by closed forms and by autograd."""

    def make(rows):
        closed = NetworkProblem(NETWORK, X, Y, start=START)
        return tuple(problem.linearize(START, H, rows) for problem in (closed, training()))

    return make


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_linearizations_are_the_closed_forms(both, rows):
    expected, actual = both(rows)
    v = np.random.default_rng(1).normal(size=START.size)
    u = {name: np.random.default_rng(2).normal(size=np.shape(x)) for name, x in H.items()}
    assert_allclose(actual.value, expected.value, rtol=1e-12)
    assert_allclose(actual.gradient, expected.gradient, atol=1e-13)
    (product, cross), (expected_product, expected_cross) = actual.pull(v), expected.pull(v)
    assert_allclose(product, expected_product, atol=1e-13)
    assert cross.keys() == expected_cross.keys()
    for name, part in expected_cross.items():
        assert_allclose(cross[name], part, atol=1e-13)
        assert_array_equal(actual.cross(v)[name], cross[name])
    for moved in ({}, {"alpha": u["alpha"]}, {"X": u["X"]}, u):
        assert_allclose(actual.push(v, moved), expected.push(v, moved), atol=1e-12)
    assert actual.nbytes == 0


def test_gauss_newton_of_a_batch(both):
    product = GaussNewton(outputs, loss_of_outputs, penalty)
    rows, v = ROWS["index"], np.random.default_rng(1).normal(size=START.size)
    linearization = training(gauss_newton=product).linearize(START, H, rows)
    expected = NetworkProblem(NETWORK, X, Y, start=START).linearize(START, H, rows).gauss_newton(v)
    assert_allclose(linearization.gauss_newton(v), expected, atol=1e-13)
    # What is given without a point of its own is called for every product.
    plain = training(gauss_newton=lambda *arguments: product(*arguments))
    assert_array_equal(
        plain.linearize(START, H, rows).gauss_newton(v), linearization.gauss_newton(v)
    )
    with pytest.raises(ValueError, match="gauss_newton=GaussNewton"):
        both(rows)[1].gauss_newton(v)


def test_what_is_asked_for_once_is_not_held(both):
    _, linearization = both(None)
    held = set(vars(linearization))
    linearization.pull(START)
    linearization.cross(START)
    assert set(vars(linearization)) == held


@pytest.mark.parametrize("scale", [None, 0.5, np.array([2.0, 0.5])], ids=["none", "one", "groups"])
def test_the_start(scale):
    problem = training()
    assert problem.group_sizes == (16, 10)
    h = {} if scale is None else {"init_scale": scale}
    factors = np.repeat(np.broadcast_to(1.0 if scale is None else scale, 2), problem.group_sizes)
    assert_array_equal(problem.initial(h), factors * START)
    v = np.random.default_rng(0).normal(size=START.size)
    pulled = problem.initial_vjp(h, v)
    if scale is None:
        assert pulled == {}
        assert problem.initial_jvp(h, {"alpha": 1.0}) is None
        return
    u = {"init_scale": np.random.default_rng(1).normal(size=np.shape(scale))}
    pushed = problem.initial_jvp(h, u)
    assert_allclose(np.sum(pulled["init_scale"] * u["init_scale"]), pushed @ v, rtol=1e-12)
    assert np.shape(pulled["init_scale"]) == np.shape(scale)
    changed = problem.initial({"init_scale": scale + u["init_scale"]}) - problem.initial(h)
    assert_allclose(pushed, changed, atol=1e-14)


def test_groups_are_the_parts_at_the_top():
    start = {"b": np.ones(3), "a": [np.ones((2, 2)), 1.0], "none": np.ones((0, 4))}
    problem = AutogradTraining(lambda w, h, rows: anp.sum(w["b"]), start)
    assert problem.group_sizes == (5, 3)
    assert AutogradTraining(lambda w, h, rows: anp.sum(w), np.ones((3, 2))).group_sizes == (6,)
