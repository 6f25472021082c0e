"""Ridge with penalties per feature and per coefficient against the normal equations."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import issparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad.linear_model import Ridge, RidgeClassifier

PER_FEATURE = {
    "positive": np.array([0.1, 1.0, 10.0, 3.0, 0.5, 100.0]),
    "zeros": np.array([0.0, 1.0, 10.0, 0.0, 0.5, 100.0]),
    "infinite": np.array([np.inf, 1.0, 10.0, 3.0, np.inf, 100.0]),
    "both": np.array([0.0, np.inf, 10.0, 3.0, np.inf, 0.0]),
    "unpenalised": np.zeros(6),
    "wide": np.logspace(-6, 6, 6),
    "all infinite": np.full(6, np.inf),
}
PER_COEFFICIENT = {
    "positive": np.geomspace(0.1, 100, 18).reshape(3, 6),
    "zeros": np.array([PER_FEATURE["zeros"], PER_FEATURE["positive"], PER_FEATURE["zeros"][::-1]]),
    "infinite": np.array([PER_FEATURE["infinite"], np.full(6, np.inf), np.ones(6)]),
    "both": np.array([PER_FEATURE["both"], np.full(6, np.inf), np.arange(6.0)]),
}
# The solvers of scikit-learn that are exact, and those that get there with a small tolerance.
DENSE = ["auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga"]
SPARSE = ["auto", "lsqr", "sparse_cg", "sag"]


def closed_form(X, y, alpha, fit_intercept, weights=None):
    """One target: the minimiser, from the normal equations of the centred data."""
    X = X.toarray() if issparse(X) else X
    s = np.ones(len(y)) if weights is None else weights
    x_mean, y_mean = np.average(X, axis=0, weights=s), np.average(y, weights=s)
    if not fit_intercept:
        x_mean, y_mean = 0 * x_mean, 0.0
    kept = np.isfinite(alpha)
    Z = (X - x_mean)[:, kept]
    coef = np.zeros(len(alpha))
    coef[kept] = np.linalg.solve(
        Z.T @ (s[:, None] * Z) + np.diag(alpha[kept]), Z.T @ (s * (y - y_mean))
    )
    return coef, y_mean - x_mean @ coef


def assert_solved(model, X, y, alpha, weights=None, rtol=1e-6):
    """``alpha`` of shape (1, n_features) or (n_targets, n_features)."""
    y = y.reshape(len(y), -1)
    k, p = y.shape[1], X.shape[1]
    alpha = np.broadcast_to(alpha, (k, p))
    columns = zip(y.T, alpha, strict=True)
    solved = [closed_form(X, t, a, model.fit_intercept, weights) for t, a in columns]
    coef, intercept = np.array([c for c, _ in solved]), np.array([b for _, b in solved])
    found = np.reshape(model.coef_, (k, p))
    scale = np.abs(coef).max() + np.abs(intercept).max()
    np.testing.assert_allclose(found, coef, rtol=0, atol=rtol * scale)
    np.testing.assert_allclose(
        np.broadcast_to(model.intercept_, k), intercept, rtol=0, atol=rtol * scale
    )
    assert np.all(found[np.isinf(alpha)] == 0)


@pytest.mark.portable
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kind", PER_FEATURE)
@pytest.mark.parametrize("sparse", [False, True])
def test_per_feature(features, targets, weights, sparse, kind, fit_intercept, weighted):
    X, y, s = features(sparse), targets(), weights(weighted)
    alpha = PER_FEATURE[kind]
    model = Ridge(alpha, fit_intercept=fit_intercept, tol=1e-12).fit(X, y, s)
    assert_solved(model, X, y, alpha[None], s, rtol=1e-9)
    assert model.coef_.shape == (6,)
    assert np.ndim(model.intercept_) == 0
    assert model.predict(X).shape == (60,)


@pytest.mark.parametrize("kind", ["positive", "both"])
@pytest.mark.parametrize(
    ("solver", "sparse"),
    [*((solver, False) for solver in DENSE), *((solver, True) for solver in SPARSE)],
)
def test_solvers(features, targets, weights, solver, sparse, kind):
    X, y, s, alpha = features(sparse), targets(), weights(), PER_FEATURE[kind]
    model = Ridge(alpha, solver=solver, tol=1e-13, max_iter=200_000, random_state=0).fit(X, y, s)
    assert_solved(model, X, y, alpha[None], s)
    plain = linear_model.Ridge(solver=solver, tol=1e-13, max_iter=200_000).fit(X, y)
    assert model.solver_ == ("newton" if kind == "both" else plain.solver_)


@pytest.mark.parametrize("solver", ["cholesky", "svd"])
def test_sparse_data_are_refused_where_the_solver_does(features, targets, solver):
    with pytest.raises(TypeError, match="dense data is required"):
        Ridge(PER_FEATURE["both"], solver=solver).fit(features(True), targets())


@pytest.mark.parametrize("solver", ["cholesky", "svd", "lsqr", "sparse_cg", "sag"])
def test_wide_penalties_stop_no_solver_early(features, targets, solver):
    X, y, alpha = features(), targets(), PER_FEATURE["wide"]
    model = Ridge(alpha, solver=solver).fit(X, y)
    assert_solved(model, X, y, alpha[None], rtol=1e-9)


@pytest.mark.portable
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kind", PER_FEATURE)
@pytest.mark.parametrize("k", [1, 3, 6])
def test_per_feature_of_several_targets(features, targets, k, kind, fit_intercept):
    X, y, alpha = features(), targets(k), PER_FEATURE[kind][None]
    model = Ridge(alpha.tolist(), fit_intercept=fit_intercept).fit(X, y)
    assert_solved(model, X, y, alpha, rtol=1e-9)
    plain = Ridge(fit_intercept=fit_intercept).fit(X, y)
    assert model.coef_.shape == plain.coef_.shape
    assert np.shape(model.intercept_) == np.shape(plain.intercept_)
    assert model.predict(X).shape == plain.predict(X).shape


@pytest.mark.parametrize("solver", ["auto", "lsqr"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kind", PER_COEFFICIENT)
@pytest.mark.parametrize("sparse", [False, True])
def test_per_coefficient(features, targets, weights, sparse, kind, fit_intercept, solver):
    X, y, s, alpha = features(sparse), targets(3), weights(), PER_COEFFICIENT[kind]
    model = Ridge(alpha, fit_intercept=fit_intercept, solver=solver, tol=1e-13).fit(X, y, s)
    assert_solved(model, X, y, alpha, s)
    assert model.n_iter_ is None or model.n_iter_.shape == (3,)


def test_infinite_penalty_per_target(features, targets):
    alpha = np.array([1.0, np.inf, 0.0])
    model = Ridge(alpha).fit(features(), targets(3))
    assert_solved(model, features(), targets(3), np.repeat(alpha[:, None], 6, axis=1))


def test_a_wrong_solution_is_rejected(features, targets):
    X, y, alpha = features(), targets(), PER_FEATURE["positive"]
    model = Ridge(alpha).fit(X, y)
    model.coef_ = 1.001 * model.coef_
    with pytest.raises(AssertionError):
        assert_solved(model, X, y, alpha[None])


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_positive(features, targets, k, fit_intercept):
    """The conditions of optimality under the constraint."""
    X, y = features(), targets(k)
    alpha = np.array([[0.5, np.inf, 10.0, 3.0, 0.5, 2.0]])
    model = Ridge(
        alpha if k else alpha[0], positive=True, fit_intercept=fit_intercept, tol=1e-12
    ).fit(X, y)
    coef = model.coef_.reshape(-1, 6)
    residual = (model.predict(X) - y).reshape(60, -1)
    finite = np.isfinite(alpha[0])
    gradient = (X.T @ residual).T[:, finite] + alpha[:, finite] * coef[:, finite]
    assert np.all(coef >= 0)
    assert np.any(coef[:, finite] == 0)
    assert np.all(coef[:, ~finite] == 0)
    assert np.all(gradient > -1e-3)
    np.testing.assert_allclose(gradient[coef[:, finite] > 0], 0, atol=1e-3)


@pytest.mark.parametrize("alpha", [[1, 2, 0, 4, 5, 6], [[1, 2, 0, 4, 5, np.inf]]])
def test_positive_needs_penalties(features, targets, alpha):
    with pytest.raises(ValueError, match=r"alpha\[0, 2\] is 0, but with positive=True"):
        Ridge(alpha, positive=True).fit(features(), targets())


def test_positive_with_wide_penalties_is_warned_of(features, targets):
    with pytest.warns(ConvergenceWarning, match="differ by a factor of 10000 at most"):
        Ridge(PER_FEATURE["wide"], positive=True).fit(features(), targets())


@pytest.mark.portable
@pytest.mark.parametrize("solver", ["auto", "svd", "lsqr"])
def test_extreme_penalties(features, targets, solver):
    """Numbers next to 0 and infinity are as good as these."""
    extreme = np.array([1e-300, 1e300, 1.0, 5e-324, 1.7e308, 2.0])
    limit = np.array([0.0, np.inf, 1.0, 0.0, np.inf, 2.0])
    model = Ridge(extreme, solver=solver).fit(features(), targets())
    assert_solved(model, features(), targets(), extreme[None])
    expected = Ridge(limit).fit(features(), targets()).coef_
    np.testing.assert_allclose(model.coef_, expected, atol=1e-9)


def test_lbfgs_is_for_positive_coefficients(features, targets):
    for kind in ("positive", "zeros"):
        with pytest.raises(ValueError, match="'lbfgs' solver|solver='lbfgs'"):
            Ridge(PER_FEATURE[kind], solver="lbfgs").fit(features(), targets())


@pytest.mark.portable
@pytest.mark.parametrize("kind", ["positive", "both"])
def test_collinear_features(features, targets, kind):
    """Those without penalty have many minimisers, all with the same predictions."""
    X, y = features(), targets()
    doubled, alpha = np.hstack([X, X]), np.tile(PER_FEATURE[kind], 2)
    model = Ridge(alpha).fit(doubled, y)
    half = Ridge(PER_FEATURE[kind] / 2).fit(X, y)
    np.testing.assert_allclose(model.predict(doubled), half.predict(X), rtol=1e-6)


def test_more_features_than_rows(features, targets):
    X, y, alpha = features()[:4], targets()[:4], PER_FEATURE["both"]
    assert_solved(Ridge(alpha).fit(X, y), X, y, alpha[None])


@pytest.mark.parametrize("kind", ["positive", "both", "wide"])
def test_floats_of_half_the_size_stay(features, targets, kind):
    X, y = features(), targets()
    single = Ridge(PER_FEATURE[kind]).fit(X.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, Ridge(PER_FEATURE[kind]).fit(X, y).coef_, atol=1e-4)


def test_integers(targets):
    X = np.random.default_rng(0).integers(5, size=(60, 6))
    model = Ridge(PER_FEATURE["both"]).fit(X, targets())
    assert_solved(model, X.astype(float), targets(), PER_FEATURE["both"][None])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"a": 3.0}])
@pytest.mark.parametrize("kind", ["positive", "both"])
@pytest.mark.parametrize(("n_classes", "per"), [(2, "feature"), (3, "feature"), (3, "coefficient")])
def test_classifier(features, labels, weights, n_classes, per, kind, class_weight, weighted):
    X, y, s = features(), labels(n_classes), weights(weighted)
    alpha = PER_COEFFICIENT[kind] if per == "coefficient" else PER_FEATURE[kind][None]
    model = RidgeClassifier(alpha, class_weight=class_weight).fit(X, y, s)
    classes, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    counted = {"balanced": 60 / (n_classes * counts), "dict": np.where(classes == "a", 3.0, 1.0)}
    kind_of = "dict" if isinstance(class_weight, dict) else class_weight
    factor = counted.get(kind_of, np.ones(n_classes))
    coded = 2.0 * (y[:, None] == (classes[1:] if n_classes == 2 else classes)) - 1
    assert_solved(model, X, coded, alpha, factor[codes] * (1 if s is None else s))
    plain = RidgeClassifier().fit(X, y)
    assert model.coef_.shape == plain.coef_.shape
    assert model.intercept_.shape == plain.intercept_.shape
    np.testing.assert_array_equal(model.classes_, classes)
    scores = model.decision_function(X)
    best = (scores > 0).astype(int) if n_classes == 2 else scores.argmax(axis=1)
    np.testing.assert_array_equal(model.predict(X), classes[best])


def test_classifier_with_a_vector_of_two_classes(features, labels):
    """One-dimensional for one target, as in Ridge; two rows are one for each target."""
    X, y, alpha = features(), labels(2), PER_FEATURE["both"]
    one, two = (RidgeClassifier(a).fit(X, y) for a in (alpha, alpha[None]))
    np.testing.assert_array_equal(one.coef_, two.coef_)


@pytest.mark.parametrize("kind", ["positive", "both"])
def test_classifier_of_several_labels(features, targets, kind):
    X, alpha = features(), PER_COEFFICIENT[kind]
    y = (targets(3) > 3).astype(int)
    model = RidgeClassifier(alpha).fit(X, y)
    assert_solved(model, X, 2.0 * y - 1, alpha)
    assert model.predict(X).shape == y.shape


def test_a_solution_that_was_not_found_is_warned_of(features, targets, monkeypatch):
    from sklearn_hypergrad.problems.linear import newton

    monkeypatch.setattr(newton, "MAX_NEWTON", 1)
    with pytest.warns(ConvergenceWarning, match="StandardScaler"):
        Ridge(PER_FEATURE["both"]).fit(features(), targets())


def test_rows_without_weight_play_no_part(features, targets, weights):
    X, y, s = features(), targets(), weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("positive", "both"):
            whole = Ridge(PER_FEATURE[kind]).fit(X, y, s)
            part = Ridge(PER_FEATURE[kind]).fit(X[s > 0], y[s > 0], s[s > 0])
            np.testing.assert_allclose(whole.coef_, part.coef_, atol=1e-9)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_many_targets_on_wide_data_share_the_kernels_of_groups(
    monkeypatch, weighted, fit_intercept
):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(15, 40)) + 1, rng.normal(size=(15, 4)) + 3
    weight = rng.uniform(0.5, 2, 15) if weighted else None
    alpha = np.exp(rng.normal(size=(4, 3)))[:, np.arange(40) % 3]
    alpha[3] = alpha[1]
    expected = [
        Ridge(a, fit_intercept=fit_intercept).fit(X, target, weight)
        for a, target in zip(alpha, y.T, strict=True)
    ]
    # Nothing is left to scikit-learn.
    monkeypatch.setattr(linear_model.Ridge, "fit", None)
    model = Ridge(alpha, fit_intercept=fit_intercept).fit(X, y, weight)
    assert_allclose(model.coef_, [each.coef_ for each in expected], rtol=1e-9)
    assert_allclose(model.intercept_, [each.intercept_ for each in expected], atol=1e-12)
    assert model.solver_ == "cholesky"
    assert model.n_iter_ is None
