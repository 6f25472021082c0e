"""The evidence is the likelihood of the targets under a Gaussian, and its gradient is exact."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from one_part import SHAPES, block_of
from scipy import sparse, stats

from sklearn_hypergrad.problems import DualRidge, Evidence, GramRidge, L2Penalty
from sklearn_hypergrad.problems.ridge import dual_ridge

pytestmark = pytest.mark.portable
FORMS = [GramRidge, DualRidge]


def evidence_of(block, form, *, fit_intercept=True, entries=None):
    n_features = block.X.shape[1]
    entries = np.arange(n_features)[:, None] if entries is None else entries
    penalty = L2Penalty("alpha", entries=entries)
    problem = form(block, penalty, fit_intercept=fit_intercept)
    n_samples = np.count_nonzero(block.weights[0])
    return Evidence(problem, penalty, n_samples, fit_intercept=fit_intercept)


def direct(block, alpha, *, fit_intercept):
    """Minus the log density of contrasts of the targets, at the best variance of the noise."""
    used = block.weights[0] > 0
    X, weight = sparse.csr_array(block.X).toarray()[used], block.weights[0][used]
    X = X if block.scales is None else X * block.scales[:, 0]
    covariance = np.diag(1 / weight) + X / alpha @ X.T
    y = block.y[used, 0]
    if fit_intercept:
        # Contrasts: directions in which the intercept does not act.
        contrasts = np.linalg.svd(np.ones((1, len(y))))[2][1:]
        covariance, y = contrasts @ covariance @ contrasts.T, contrasts @ y
    variance = y @ np.linalg.solve(covariance, y) / len(y)
    density = stats.multivariate_normal(np.zeros(len(y)), variance * covariance)
    return -density.logpdf(y)


OPTIONS = [{}, {"thin": True}, {"weighted": True}, {"scaled": True}, {"thin": 1, "scaled": 1}]


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_density_of_a_gaussian(form, shape, options, fit_intercept):
    block, rng = block_of(shape, **options), np.random.default_rng(1)
    evidence = evidence_of(block, form, fit_intercept=fit_intercept)
    points = np.exp(rng.uniform(-3, 3, (3, block.X.shape[1])))
    ours = [evidence({"alpha": alpha})[0] for alpha in points]
    theirs = [direct(block, alpha, fit_intercept=fit_intercept) for alpha in points]
    # Both up to a constant.
    assert_allclose(np.diff(ours), np.diff(theirs), rtol=1e-9)


@pytest.mark.parametrize("entries", [None, "groups"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMS)
def test_its_gradient_is_exact(five_point, form, shape, options, entries):
    block, rng = block_of(shape, **options), np.random.default_rng(1)
    n_features = block.X.shape[1]
    entries = None if entries is None else np.arange(n_features)[:, None] % 3
    evidence = evidence_of(block, form, entries=entries)
    theta = rng.uniform(-3, 3, n_features if entries is None else 3)
    direction = rng.normal(size=len(theta))

    def along(step):
        return evidence({"alpha": np.exp(theta + step * direction)})[0]

    _, slopes = evidence({"alpha": np.exp(theta)})
    slope = (slopes["alpha"] * np.exp(theta)) @ direction
    expected = five_point(along, 1e-2)
    assert slope == pytest.approx(expected, rel=1e-6)
    # The comparison tells a gradient that is 0.1 % off from the right one.
    assert 1.001 * slope != pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_both_forms_agree_at_extreme_strengths(shape):
    block = block_of(shape)
    first, second = (evidence_of(block, form) for form in FORMS)
    n_features = block.X.shape[1]
    for exponents in (np.full(n_features, 12.0), np.resize([-6.0, 0.0, 9.0], n_features)):
        h = {"alpha": 10**exponents}
        (value, slopes), (other, others) = first(h), second(h)
        assert value == pytest.approx(other, rel=1e-8)
        ours, theirs = slopes["alpha"] * h["alpha"], others["alpha"] * h["alpha"]
        assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_products_are_the_same_in_pieces(monkeypatch, options, fit_intercept):
    block, h = block_of("wide", **options), {"alpha": np.logspace(-1, 1, 15)}
    evidence = evidence_of(block, DualRidge, fit_intercept=fit_intercept)
    value, slopes = evidence(h)
    monkeypatch.setattr(dual_ridge, "COLUMNS", 2)
    again, others = evidence(h)
    assert again == value
    assert_allclose(others["alpha"], slopes["alpha"], rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_exact_fits_keep_their_digits(form):
    """A misfit far below the sum of squares is no difference of large numbers."""
    block = block_of("tall")
    exact = dataclasses.replace(block, y=1e4 + block.X @ np.ones((4, 1)))
    h = {"alpha": np.full(4, 1e-7)}
    value = evidence_of(exact, form)(h)[0]
    far = direct(dataclasses.replace(exact, y=exact.y - 1e4), h["alpha"], fit_intercept=True)
    near = direct(block, h["alpha"], fit_intercept=True) - evidence_of(block, form)(h)[0]
    assert value + near == pytest.approx(far, abs=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_target_prefers_strong_penalties(form):
    block = block_of("tall")
    constant = dataclasses.replace(block, y=np.full_like(block.y, 3.0))
    value, slopes = evidence_of(constant, form)({"alpha": np.ones(4)})
    assert np.isfinite(value)
    assert (slopes["alpha"] < 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_weights_of_all_rows_move_the_strengths_only(form):
    block = block_of("wide", weighted=True)
    doubled = dataclasses.replace(block, weights=[2 * block.weights[0]])
    alpha = np.exp(np.random.default_rng(2).normal(size=15))
    _, slopes = evidence_of(block, form)({"alpha": alpha})
    _, others = evidence_of(doubled, form)({"alpha": 2 * alpha})
    assert_allclose(2 * others["alpha"], slopes["alpha"], rtol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMS)
def test_targets_that_share_the_strengths_are_added(form, shape):
    block = block_of(shape, weighted=True)
    y = np.column_stack([block.y[:, 0], np.random.default_rng(3).normal(size=len(block.y))])
    h = {"alpha": np.exp(np.random.default_rng(2).normal(size=block.X.shape[1]))}
    value, slopes = evidence_of(dataclasses.replace(block, y=y), form)(h)
    alone = [
        evidence_of(dataclasses.replace(block, y=y[:, [target]]), form)(h) for target in (0, 1)
    ]
    assert value == pytest.approx(sum(each for each, _ in alone), rel=1e-12)
    assert_allclose(slopes["alpha"], sum(each["alpha"] for _, each in alone), rtol=1e-10)
