"""Gauss-Newton products: explicit Jacobians, linear models, where the Hessian is not positive."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.linalg import CG, SolveStatus
from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import (
    DualRidge,
    GramRidge,
    KernelRidge,
    L2Penalty,
    Linearization,
    LinearProblem,
    Network,
    NetworkProblem,
)
from sklearn_hypergrad.training import GradientDescent

LOSSES = {
    "squared": (HalfSquaredError(), 1),
    "squared, 3 outputs": (HalfSquaredError(), 3),
    "logistic": (LogisticLoss(), 1),
    "multinomial": (MultinomialLoss(), 3),
}
ALPHAS = {"scalar": np.array(0.3), "layer": np.array([0.1, 0.2, 0.4])}
H = {"h": np.array(2.0)}


class Case:
    """A small network at a random point."""

    def __init__(self, loss="multinomial", activation="tanh", alpha="scalar", hidden=(4, 3)):
        rng = np.random.default_rng(0)
        function, n_outputs = LOSSES[loss]
        self.network = Network((3, *hidden, n_outputs), activation, function)
        self.X = rng.normal(size=(8, 3))
        if loss == "multinomial":
            y = np.eye(3)[rng.integers(3, size=8)]
        else:
            y = rng.integers(2, size=(8, n_outputs)).astype(float)
        self.s = rng.uniform(0.5, 2, 8)
        self.w = rng.normal(size=self.network.n_weights)
        self.problem = NetworkProblem(self.network, self.X, y, self.s, start=self.w)
        self.h = {"alpha": ALPHAS[alpha]} if alpha else {}
        self.linearization = self.problem.linearize(self.w, self.h, None)

    def dense(self, product):
        return np.array([product(unit) for unit in np.eye(self.w.size)])

    def hessian(self):
        return self.dense(lambda v: self.linearization.push(v, {}))

    def explicit(self):
        """``J' L J`` with a Jacobian formed column by column, plus the penalty."""
        z, pullback = self.network.predictions(self.w, self.X)
        units = np.eye(z.size).reshape(-1, *z.shape)
        J = np.array([pullback(unit) for unit in units])
        loss = self.network.loss
        factor = loss.factor(None, z)
        shares = (self.s * self.network.loss_scale / self.s.sum())[:, None]
        L = np.array([(shares * loss.hvp(factor, unit)).ravel() for unit in units])
        penalty = np.zeros(self.w.size)
        if self.h:
            self.problem.penalty.add(self.h["alpha"], np.ones(self.w.size), out=penalty)
        return J.T @ L @ J + np.diag(penalty)


@pytest.mark.parametrize("alpha", ["scalar", "layer", None])
@pytest.mark.parametrize("activation", ["tanh", "relu", "logistic", "identity"])
@pytest.mark.parametrize("loss", LOSSES)
def test_networks_agree_with_an_explicit_jacobian(loss, activation, alpha):
    case = Case(loss, activation, alpha)
    actual, expected = case.dense(case.linearization.gauss_newton), case.explicit()
    assert_allclose(actual, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())
    assert np.abs(actual - case.hessian()).max() > 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("loss", LOSSES)
def test_it_is_positive_where_the_hessian_is_not(loss):
    case = Case(loss)
    lowest = [
        np.linalg.eigvalsh(matrix)[0]
        for matrix in (case.hessian(), case.dense(case.linearization.gauss_newton))
    ]
    assert lowest[0] < -1e-2
    assert lowest[1] > -1e-12


def test_cg_notices_the_difference():
    case = Case()
    right = np.random.default_rng(1).normal(size=case.w.size)
    exact = CG().solve(lambda v: case.linearization.push(v, {}), right)
    positive = CG().solve(case.linearization.gauss_newton, right)
    assert exact.status is SolveStatus.NEGATIVE_CURVATURE
    # A shift of all outputs changes nothing, and biases are not penalised.
    assert positive.status is SolveStatus.UNDETERMINED


@pytest.mark.parametrize("loss", LOSSES)
def test_networks_without_hidden_layers_have_their_hessian(loss):
    case = Case(loss, hidden=(), alpha="scalar")
    assert_allclose(case.dense(case.linearization.gauss_newton), case.hessian(), atol=1e-13)


@pytest.mark.parametrize("kind", ["regression", "logistic", "gram", "dual", "kernel"])
def test_linear_models_have_their_hessian(make_block, kind):
    block = make_block("binary" if kind == "logistic" else "regression", weighted=True)
    closed = {"gram": GramRidge, "dual": DualRidge, "kernel": KernelRidge}
    if kind in closed:
        problem = closed[kind](block, L2Penalty("h"), fit_intercept=True)
    else:
        loss = LogisticLoss() if kind == "logistic" else HalfSquaredError()
        problem = LinearProblem(block, L2Penalty("h"), loss, fit_intercept=True)
    rng = np.random.default_rng(0)
    w, v = (rng.normal(size=problem.start().shape) for _ in range(2))
    expected = problem.hvp(w, H, v)
    assert problem.linear_in_weights
    assert_array_equal(problem.gauss_newton(w, H, v), expected)
    for gauss_newton in (False, True):
        product = problem.products(w, H, gauss_newton=gauss_newton)
        assert_allclose(product(v), expected, rtol=1e-12)
    # Splits do not mix: what moves in one of them changes nothing in the others.
    alone = np.zeros_like(v)
    first = (slice(None),) * problem.split_axis + (0,)
    alone[first] = v[first]
    product = problem.hvp(w, H, alone)
    assert_allclose(product[first], expected[first], rtol=1e-12)
    product[first] = 0
    assert_array_equal(product, 0)
    # As descent sees it, in flat weights.
    descended = GradientDescent().training(problem, H).problem.linearize(w.ravel(), H, None)
    assert_array_equal(descended.gauss_newton(v.ravel()), expected.ravel())


class Bare(Linearization):
    def pull(self, v):
        return v, {}

    def push(self, v, u):
        return v


def test_problems_without_these_products_say_so():
    with pytest.raises(ValueError, match="Bare has no Gauss-Newton products"):
        Bare().gauss_newton(np.ones(2))
