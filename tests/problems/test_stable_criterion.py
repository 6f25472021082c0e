"""Leave-one-out and evidence of one penalty are those of fits without each row, and a density."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from one_part import SHAPES, block_of
from scipy import sparse, stats
from sklearn.linear_model import Ridge

from sklearn_hypergrad.problems import StableCriterion, hat_trace

pytestmark = pytest.mark.portable
OPTIONS = [{}, {"thin": True}, {"weighted": True}, {"scaled": True}, {"n_targets": 2}]
STRENGTHS = np.array([0.05, 2.0, 90.0])


def rows_of(block):
    """Dense features, targets and weights of the rows that count."""
    used = block.weights[0] > 0
    X = sparse.csr_array(block.X).toarray()[used]
    X = X if block.scales is None else X * block.scales[:, 0]
    return X, block.y[used], block.weights[0][used]


def direct(block, alpha, fit_intercept):
    """The criterion by as many fits as rows, and by the density of contrasts of the targets."""
    X, y, weight = rows_of(block)
    n_samples, total = len(y), weight.sum()
    value = 0.0
    left = np.zeros_like(y)
    for row in range(n_samples):
        others = np.arange(n_samples) != row
        model = Ridge(alpha=alpha, fit_intercept=fit_intercept, solver="svd")
        model.fit(X[others], y[others], sample_weight=weight[others])
        left[row] = y[row] - model.predict(X[[row]])[0]
    value += 0.25 * total * np.log(weight @ left**2).sum()
    covariance = np.diag(1 / weight) + X @ X.T / alpha
    contrasts = np.eye(n_samples)
    if fit_intercept:
        contrasts = np.linalg.svd(np.ones((1, n_samples)))[2][1:]
    covariance = contrasts @ covariance @ contrasts.T
    # A row of weight w counts as w rows, which a density of all rows does not do.
    m = total - fit_intercept
    for target in (contrasts @ y).T:
        density = stats.multivariate_normal(np.zeros(len(target)), covariance)
        misfit = target @ np.linalg.solve(covariance, target)
        log_volume = -2 * density.logpdf(np.zeros(len(target)))
        value += 0.25 * (m * np.log(misfit) + log_volume)
    return value


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_leave_one_out_and_a_gaussian_density(shape, options, fit_intercept):
    block = block_of(shape, **options)
    ours, _ = StableCriterion(block, fit_intercept=fit_intercept)(STRENGTHS)
    theirs = [direct(block, alpha, fit_intercept) for alpha in STRENGTHS]
    # Both up to a constant.
    assert_allclose(np.diff(ours), np.diff(theirs), rtol=1e-8)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_its_slopes_are_exact(five_point, shape, options):
    criterion = StableCriterion(block_of(shape, **options), fit_intercept=True)
    _, slopes = criterion(STRENGTHS)
    expected = five_point(lambda step: criterion(STRENGTHS * np.exp(step))[0], 1e-2)
    assert_allclose(slopes, expected, rtol=1e-6)
    # The comparison tells slopes that are 0.1 % off from the right ones.
    assert not np.allclose(1.001 * slopes, expected, rtol=5e-4)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_its_degrees_of_freedom_are_the_trace_of_the_hat_matrix(shape, options):
    block = block_of(shape, **options)
    X, _, weight = rows_of(block)
    Z = np.sqrt(weight)[:, None] * (X - np.average(X, axis=0, weights=weight))
    expected = np.trace(Z @ np.linalg.solve(Z.T @ Z + 3 * np.eye(Z.shape[1]), Z.T))
    assert StableCriterion(block, fit_intercept=True).dof(3.0) == pytest.approx(expected)
    assert hat_trace(block, 3.0, fit_intercept=True) == pytest.approx(expected)


def test_the_minimum_is_the_lowest_within_its_ends():
    criterion = StableCriterion(block_of("tall"), fit_intercept=True)
    minimum = criterion.minimum(0, np.inf)
    near = minimum.strength * np.exp([0.0, -0.01, 0.01])
    values, _ = criterion(near)
    assert values[0] < values[1:].min()
    assert values[0] <= criterion(np.geomspace(1e-6, 1e6, 500))[0].min()
    assert criterion.minimum(0, minimum.strength / 2).strength == minimum.strength / 2
    constant = dataclasses.replace(block_of("tall"), y=np.ones((14, 1)))
    assert StableCriterion(constant, fit_intercept=True).minimum(0, np.inf) is None
