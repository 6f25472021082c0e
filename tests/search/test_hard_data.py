"""Validation losses on data that are hard for floating point, against solutions in long double.

The reference solvers below share no code with the package: ridge regression by a QR decomposition
of the rows and the roots of the penalties, logistic regression by Newton's method on such
decompositions. They work with 64 bits of mantissa, so that all digits of a double are right.
"""

import collections
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneOut, StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives as objectives
from sklearn_hypergrad.tuning.objective import Objective

LONG = np.longdouble
pytestmark = pytest.mark.skipif(
    np.finfo(LONG).eps > 2e-19, reason="long double has no more digits than double here"
)
EPS = np.finfo(float).eps
TOL = 1e-12
N, N_TRAIN = 30, 20
SPLITS = list(KFold(3, shuffle=True, random_state=0).split(np.empty(N)))
FORMS = {"dense": np.asarray, "sparse": sparse.csr_array}
MSE, LOG_LOSS = "neg_mean_squared_error", "neg_log_loss"


def defect(reason, raises=AssertionError):
    """Marks what should hold and does not."""
    return pytest.mark.xfail(strict=True, raises=raises, reason=reason)


UNCENTRED = defect("sparse X are not centred, not even columns without zeros: offset**2 * eps")
SPECTRAL = defect("Spectral: small eigenvalues have the rounding error of the largest, or are 0")


# Reference solutions.


def triangle(A, b):
    """R and the first rows of Q'b of the QR decomposition of A, by Householder's reflections."""
    M = np.column_stack([A, b]).astype(LONG)
    n = A.shape[1]
    for j in range(n):
        v = M[j:, j].copy()
        v[0] += np.copysign(np.sqrt(v @ v), v[0])
        square = v @ v
        if square > 0:
            M[j:, j:] -= np.outer(v * (2 / square), v @ M[j:, j:])
    return M[:n, :n], M[:n, n]


def backward(R, b):
    w = np.zeros_like(b)
    for j in reversed(range(len(b))):
        w[j] = (b[j] - R[j, j + 1 :] @ w[j + 1 :]) / R[j, j]
    return w


def forward(L, b):
    w = np.zeros_like(b)
    for j in range(len(b)):
        w[j] = (b[j] - L[j, :j] @ w[:j]) / L[j, j]
    return w


def long(X):
    return (X.toarray() if sparse.issparse(X) else np.asarray(X)).astype(LONG)


def ridge_loss(X, y, alpha, split, intercept=True, of=np.square):
    """Mean loss of the residuals on the held-out part."""
    X, y, (train, test) = long(X), long(y), split
    if intercept:
        X, y = X - X[train].mean(axis=0), y - y[train].mean()
    strengths = np.broadcast_to(np.asarray(alpha, dtype=LONG), X.shape[1])
    rows = np.vstack([X[train], np.diag(np.sqrt(strengths))])
    w = backward(*triangle(rows, np.r_[y[train], 0 * strengths]))
    return np.mean(of(y[test] - X[test] @ w))


def log_loss(y, z):
    return np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - y * z


def logistic_loss(X, y, C, split, intercept=True):
    """Mean log loss on the held-out part, the classes being 0 and 1."""
    X, y, (train, test) = long(X), long(y), split
    strengths = np.broadcast_to(1 / np.asarray(C, dtype=LONG), X.shape[1])
    if intercept:
        X = np.column_stack([X - X[train].mean(axis=0), np.ones(len(y), LONG)])
        strengths = np.r_[strengths, 0]
    A, t, w = X[train], y[train], np.zeros(X.shape[1], LONG)

    def objective(w):
        return np.sum(log_loss(t, A @ w)) + strengths @ w**2 / 2

    for _ in range(200):
        probability = 1 / (1 + np.exp(-A @ w))
        gradient = A.T @ (probability - t) + strengths * w
        curvature = np.maximum(probability * (1 - probability), LONG(1e-300))
        rows = np.vstack([np.sqrt(curvature)[:, None] * A, np.diag(np.sqrt(strengths))])
        R, _ = triangle(rows, np.zeros(len(rows)))
        step = backward(R, forward(R.T, gradient))
        decrement, length = gradient @ step, LONG(1)
        if decrement < 1e-26:
            return np.mean(log_loss(y[test], X[test] @ (w - step)))
        while decrement > 1e-12 and objective(w - length * step) > objective(w):
            length /= 2
        w = w - length * step
    raise AssertionError("the reference did not converge")


def multinomial_loss(X, y, C, split):
    """Mean log loss on the held-out part of three classes, with intercepts.

    The Hessian is in double, which is enough for a gradient in long double to vanish. A shift of
    all intercepts changes nothing, so the last of them is zero.
    """
    X, (train, test) = long(X), split
    X = np.column_stack([X - X[train].mean(axis=0), np.ones(len(y), LONG)])
    T, p = np.eye(3)[y].astype(LONG), X.shape[1]
    strengths = np.tile(np.r_[np.full(p - 1, 1 / LONG(C)), 0], 3)
    W, free, A = np.zeros((3, p), LONG), np.arange(3 * p - 1), X[train]
    for _ in range(100):
        P = np.exp(A @ W.T)
        P /= P.sum(axis=1, keepdims=True)
        gradient = ((P - T[train]).T @ A).ravel() + strengths * W.ravel()
        curvature = P[:, :, None] * np.eye(3) - P[:, :, None] * P[:, None, :]
        blocks = np.einsum("ikl,ia,ib->kalb", *(Z.astype(float) for Z in (curvature, A, A)))
        H = blocks.reshape(3 * p, 3 * p) + np.diag(strengths.astype(float))
        step = np.linalg.solve(H[np.ix_(free, free)], gradient[free].astype(float))
        W.ravel()[free] -= step
        if gradient[free] @ step < 1e-28:
            Z = X[test] @ W.T
            return np.mean(np.log(np.exp(Z).sum(axis=1)) - np.sum(T[test] * Z, axis=1))
    raise AssertionError("the reference did not converge")


# What is compared with them.


def search_for(kind, per=None, *, intercept=True, splits=None, **options):
    """The search of a kind of model, over all values, on splits that are those of ``cv``."""
    key = "C" if kind == "logistic" else "alpha"
    family = {
        ("ridge", None): plain.Ridge,
        ("ridge", "feature"): Ridge,
        ("classifier", None): plain.RidgeClassifier,
        ("logistic", None): plain.LogisticRegression,
        ("logistic", "feature"): LogisticRegression,
    }[kind, per]
    scoring = {"ridge": MSE, "classifier": "accuracy", "logistic": LOG_LOSS}[kind]
    splits = SPLITS if splits is None else splits
    grid = {key: Continuous(1e-20, 1e20, per=per)}
    options = {"scoring": scoring, "cv": splits, **options}
    if per:
        options["search_cv"] = splits
    return HypergradSearchCV(family(fit_intercept=intercept), grid, **options)


def records(search, X, y, values):
    """The search's evaluations at some values of its hyperparameter."""
    with np.errstate(all="ignore"):
        (objective,) = objectives(search, X, y)
        objective.tol = TOL
        name = objective.space.dimensions[0].name
        found = [objective.record(objective.space.to_theta({name: value})) for value in values]
    for record, value in zip(found, values, strict=True):
        assert_allclose(record.h[name], value, rtol=1e-12)
    return found


def losses(search, X, y, values):
    return np.array([record.losses for record in records(search, X, y, values)])


def references(loss, X, y, values, splits=SPLITS, **options):
    return np.array([[loss(X, y, value, split, **options) for split in splits] for value in values])


def error(found, expected):
    """The largest relative error."""
    return float(np.max(np.abs(found / expected - 1)))


def check(found, expected, rtol):
    assert found.shape == expected.shape
    assert error(found, expected) < rtol


def spread(per, values, p, *, decades=1):
    """Vectors of penalties, with the values in their middle."""
    if per is None:
        return list(values)
    return [value * np.logspace(-decades, decades, p) for value in values]


def features(p, seed=0, n=N):
    """Features of at most 11 binary digits, to which offsets can be added without rounding."""
    return np.round(1024 * np.random.default_rng(seed).normal(size=(n, p))) / 1024


def target(X, seed=1, noise=1.0):
    rng = np.random.default_rng(seed)
    y = X @ rng.normal(size=X.shape[1]) + noise * rng.normal(size=len(X))
    return np.round(1024 * y) / 1024


def classes(X, seed=2):
    y = X[:, 0] + np.random.default_rng(seed).logistic(size=len(X))
    return (y > np.median(y)).astype(int)


def with_columns(*columns):
    return np.column_stack([features(4), *columns])


X4 = features(4)
TALL = {
    "plain": X4,
    "constant": with_columns(np.full(N, 100.0)),
    "duplicated": with_columns(X4[:, :2], X4[:, 0]),
    "zero": with_columns(np.zeros(N)),
    "constant and zero": with_columns(np.zeros(N), np.ones(N), np.ones(N)),
}
# Of the sizes of a training part and of all data, and around them.
SQUARE = {f"p={p}": features(p) for p in (N_TRAIN - 1, N_TRAIN, N_TRAIN + 1, N, 45)}
BESIDE = {f"p={N_TRAIN - 1}", f"p={N}"}
ALPHAS = 10.0 ** np.arange(-12, 13, 3)
CS = [1e-12, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e12]


@pytest.mark.parametrize("wrong", [1 + 1e-6, 1 - 1e-6])
def test_a_wrong_loss_is_rejected(wrong):
    X, y = X4, target(X4)
    found = losses(search_for("ridge"), X, y, ALPHAS)
    expected = references(ridge_loss, X, y, ALPHAS)
    check(found, expected, 1e-9)
    found[3, 1] *= wrong
    for rtol in (1e-9, 9e-7):
        with pytest.raises(AssertionError):
            check(found, expected, rtol)


@pytest.mark.parametrize("wrong", [1 + 1e-6, 1 - 1e-6])
def test_losses_of_wrong_values_are_rejected(wrong):
    """What the losses depend on shows in them."""
    X, y = X4, target(X4)
    expected = references(ridge_loss, X, y, [1.0])
    with pytest.raises(AssertionError):
        check(losses(search_for("ridge"), X, y, [wrong]), expected, 1e-9)
    with pytest.raises(AssertionError):
        check(losses(search_for("ridge"), X, wrong * y, [1.0]), expected, 1e-9)
    expected = references(logistic_loss, X, classes(X), [1.0])
    with pytest.raises(AssertionError):
        check(losses(search_for("logistic"), X, classes(X), [wrong]), expected, 1e-9)


def test_the_references_are_what_they_claim():
    """Against the normal equations in double, and with gradients that vanish."""
    X, y = X4, target(X4)
    train, test = SPLITS[0]
    Z, t = X[train] - X[train].mean(axis=0), y[train] - y[train].mean()
    w = np.linalg.solve(Z.T @ Z + 2 * np.eye(4), Z.T @ t)
    residual = y[test] - y[train].mean() - (X[test] - X[train].mean(axis=0)) @ w
    assert_allclose(float(ridge_loss(X, y, 2.0, SPLITS[0])), np.mean(residual**2), rtol=1e-13)
    for loss, labels in (
        (logistic_loss, classes(X)),
        (multinomial_loss, np.arange(N) % 3),
    ):
        model = plain.LogisticRegression(C=2.0, tol=1e-10, solver="newton-cg", max_iter=1000)
        proba = model.fit(X[train], labels[train]).predict_proba(X[test])
        expected = -np.log(proba[np.arange(len(test)), labels[test]]).mean()
        assert_allclose(float(loss(X, labels, 2.0, SPLITS[0])), expected, rtol=1e-9)


# Degenerate columns and sizes.


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", TALL)
def test_ridge_with_degenerate_columns(name, per, intercept):
    """All digits from penalties of 1e-13 to 1e13."""
    X, y = TALL[name], target(X4)
    values = spread(per, ALPHAS, X.shape[1])
    expected = references(ridge_loss, X, y, values, intercept=intercept)
    for form in FORMS.values():
        found = losses(search_for("ridge", per, intercept=intercept), form(X), y, values)
        check(found, expected, 1e-10)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("name", SQUARE)
def test_ridge_around_square_training_parts(name, intercept):
    """Interpolation: what is left are condition numbers of random square matrices."""
    X, y = SQUARE[name], target(X4)
    expected = references(ridge_loss, X, y, ALPHAS, intercept=intercept)
    for form in FORMS.values():
        found = losses(search_for("ridge", intercept=intercept), form(X), y, ALPHAS)
        check(found, expected, 1e-8)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("name", SQUARE)
def test_penalties_per_feature_around_square_training_parts(name, intercept):
    """Gram matrices without full rank have a rounding error that penalties must exceed."""
    X, y = SQUARE[name], target(X4)
    alphas = ALPHAS[ALPHAS > 1e-7]
    values = spread("feature", alphas, X.shape[1])
    search = search_for("ridge", "feature", intercept=intercept)
    expected = references(ridge_loss, X, y, values, intercept=intercept)
    for form in FORMS.values():
        found = losses(search, form(X), y, values)
        for alpha, one, other in zip(alphas, found, expected, strict=True):
            check(one, other, 1e-9 + 1e3 * EPS / alpha)


@pytest.mark.parametrize("name", [*TALL, "p=20", "p=45"])
def test_ridge_classifier(name):
    X, y = {**TALL, **SQUARE}[name], classes(X4)
    found = losses(search_for("classifier"), X, np.array(["a", "b"])[y], ALPHAS)
    check(found, references(ridge_loss, X, 2 * y - 1, ALPHAS), 1e-8)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", TALL)
def test_logistic_regression_with_degenerate_columns(name, per, intercept):
    X, y = TALL[name], classes(X4)
    values = spread(per, CS, X.shape[1])
    expected = references(logistic_loss, X, y, values, intercept=intercept)
    for form in FORMS.values():
        found = losses(search_for("logistic", per, intercept=intercept), form(X), y, values)
        check(found, expected, 1e-9)


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.thorough) if n in BESIDE else n for n in SQUARE]
)
def test_logistic_regression_around_square_training_parts(name, per):
    """Any classes can be separated there."""
    X, y = SQUARE[name], classes(X4)
    values = spread(per, [1e-6, 1e3], X.shape[1])
    expected = references(logistic_loss, X, y, values)
    for form in FORMS.values():
        found = losses(search_for("logistic", per), form(X), y, values)
        check(found, expected, 1e-8)


@pytest.mark.parametrize("name", TALL)
def test_three_classes(name):
    X, y = TALL[name], np.digitize(X4[:, 0] + features(1, seed=5)[:, 0], [-0.5, 0.7])
    values = [1e-3, 1.0, 1e2]
    expected = references(multinomial_loss, X, y, values)
    for form in FORMS.values():
        found = losses(search_for("logistic"), form(X), y, values)
        check(found, expected, 1e-9)


# Offsets.

OFFSETS = [1e2, 1e4, 1e6, 1e8]


def fitted_losses(model, X, y):
    """Those of scikit-learn's own fits."""
    fits = [clone(model).fit(X[train], y[train]).predict(X[test]) for train, test in SPLITS]
    return np.array(
        [np.mean((long(y)[test] - fit) ** 2) for (_, test), fit in zip(SPLITS, fits, strict=True)]
    )


@pytest.mark.parametrize("shift", [0.0, 1e8])
@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("offset", [0.0, *OFFSETS])
def test_ridge_with_offsets(offset, per, shift):
    """All digits whatever the offsets of features and target; fits of scikit-learn lose some."""
    X, y = X4, target(X4)
    values = spread(per, [1e-6, 1e-2, 1.0, 1e2, 1e6], 4)
    expected = references(ridge_loss, X, y, values)
    found = losses(search_for("ridge", per), X + offset, y + shift, values)
    check(found, expected, 1e-12)
    if offset + shift >= 1e4:
        fits = [fitted_losses(Ridge(value), X + offset, y + shift) for value in values]
        assert error(found, expected) < error(np.array(fits), expected)


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize(
    ("kind", "loss", "rtol"), [("ridge", ridge_loss, 1e-12), ("logistic", logistic_loss, 1e-9)]
)
def test_wide_data_with_offsets(kind, loss, rtol, per):
    X, y = features(40), target(X4) if kind == "ridge" else classes(X4)
    values = spread(per, [1e-3, 1.0, 1e3], 40)
    expected = references(loss, X, y, values)
    for offset in OFFSETS:
        check(losses(search_for(kind, per), X + offset, y, values), expected, rtol)


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_absolute_errors_with_offsets(offset, per):
    """Predictions from data that are not centred have the rounding error of the offset."""
    X, y = X4, target(X4)
    values = spread(per, [1e-3, 1.0, 1e3], 4)
    search = search_for("ridge", per, scoring="neg_mean_absolute_error")
    found = losses(search, X + offset, y + offset, values)
    expected = references(ridge_loss, X, y, values, of=np.abs)
    check(found, expected, 1e-12 + 10 * EPS * offset)


@pytest.mark.parametrize(
    "offset", [1e2, 1e4, *[pytest.param(offset, marks=UNCENTRED) for offset in (1e6, 1e8)]]
)
@pytest.mark.parametrize("p", [4, 45])
@pytest.mark.parametrize("per", [None, "feature"])
def test_sparse_ridge_with_offsets(offset, p, per):
    """Up to the rounding error of squares of the offset, while that is small."""
    X, y = features(p), target(X4)
    values = spread(per, [1e-3, 1.0, 1e2], p)
    found = records(search_for("ridge", per), sparse.csr_array(X + offset), y, values)
    expected = references(ridge_loss, X, y, values)
    for record, row in zip(found, expected, strict=True):
        check(record.losses, row, min(100 * EPS * offset**2, 1e-5))


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_logistic_regression_with_offsets(offset, per):
    """All digits, where fits of scikit-learn stop early."""
    X, y = X4, classes(X4)
    values = spread(per, [1e-6, 1e-3, 1.0, 1e3, 1e6], 4)
    found = losses(search_for("logistic", per), X + offset, y, values)
    check(found, references(logistic_loss, X, y, values), 1e-9)


@pytest.mark.parametrize(
    ("p", "per", "offset"),
    [
        *[(4, None, offset) for offset in (1e2, 1e4)],
        # Many steps are tried there.
        *[pytest.param(4, None, offset, marks=pytest.mark.thorough) for offset in (1e6, 1e8)],
        (4, "feature", 1e4),
        *[(45, None, offset) for offset in OFFSETS[:2]],
        *[pytest.param(45, None, offset, marks=UNCENTRED) for offset in OFFSETS[2:]],
    ],
)
def test_sparse_logistic_regression_with_offsets(p, per, offset):
    """Not all digits, but where more than a few are lost, the evaluation says so."""
    X, y = features(p), classes(X4)
    values = spread(per, [1e-3, 1.0], p)
    found = records(search_for("logistic", per), sparse.csr_array(X + offset), y, values)
    expected = references(logistic_loss, X, y, values)
    for record, row in zip(found, expected, strict=True):
        solved = set(record.statuses) == {Status.CONVERGED}
        check(record.losses, row, 1e-7 if solved else 1e-2)


def test_a_search_does_not_notice_offsets():
    X, y = X4, target(X4, noise=3)
    grid = {"alpha": np.logspace(-3, 3, 7)}
    search = HypergradSearchCV(plain.Ridge(), grid, scoring=MSE, cv=SPLITS)
    alone = search.fit(X, y).best_params_["alpha"]
    for shift in OFFSETS:
        moved = clone(search).fit(X + shift, y + shift)
        assert moved.best_params_["alpha"] == pytest.approx(alone, rel=1e-6)
        history = min(moved.history_["loss"])
        assert moved.best_score_ == pytest.approx(-history, rel=1e-6)


# Whether the solver itself notices that it has stopped too early depends on its rounding.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_that_offsets_spoil_are_noticed():
    """The search has found the best value; the solver of scikit-learn stops before its model."""
    X, y, splits = separable()
    grid = {"C": np.logspace(-3, 3, 7)}
    search = HypergradSearchCV(plain.LogisticRegression(), grid, scoring=LOG_LOSS, cv=splits)
    alone = search.fit(X, y).best_params_["C"]
    with pytest.warns(HypergradWarning, match="the converged model .* Raise max_iter or lower tol"):
        search.fit(X + 1e4, y)
    assert search.best_params_["C"] == pytest.approx(alone, rel=1e-6)


# Condition numbers.


def rotated(decades):
    """Features with a condition number, none of whose columns are small."""
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(n, 4)))[0] for n in (N, 4))
    return 10 * left @ np.diag(np.logspace(0, -decades, 4)) @ right.T


@pytest.mark.parametrize("per", [None, "feature"])
def test_ridge_with_a_condition_number_of_1e10(per):
    """Errors are those of the Gram matrix over the penalty."""
    X, y = rotated(10), target(X4)
    values = spread(per, ALPHAS[1:], 4)
    expected = references(ridge_loss, X, y, values)
    for form in FORMS.values():
        found = losses(search_for("ridge", per), form(X), y, values)
        for alpha, one, other in zip(ALPHAS[1:], found, expected, strict=True):
            check(one, other, 1e-10 + 100 * EPS / alpha)


@SPECTRAL
def test_a_condition_number_of_1e10_with_a_penalty_of_1e_12():
    X, y = rotated(10), target(X4)
    expected = references(ridge_loss, X, y, [1e-12])
    check(losses(search_for("ridge"), X, y, [1e-12]), expected, 1e-5)


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
def test_fits_of_scikit_learn_can_do_all_of_this():
    """Its default solver is a Cholesky decomposition, which does not notice scales."""
    y = target(X4)
    cases = [(rotated(10), [1e-12], 1e-5), *[(scaled(d), ALPHAS, 1e-8) for d in (3, 4, 5)]]
    for X, alphas, rtol in cases:
        fits = np.array([fitted_losses(plain.Ridge(alpha), X, y) for alpha in alphas])
        check(fits, references(ridge_loss, X, y, alphas), rtol)


def scaled(decades):
    return X4 * np.logspace(-decades, decades, 4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("per", "decades"),
    [
        *[(None, decades) for decades in (1, 2, 3, 4, 5)],
        ("feature", 2),
        ("feature", 5),
    ],
)
def test_ridge_with_features_of_very_different_scales(per, decades, form):
    """Rows and columns of a Gram matrix can be scaled: nothing need be lost, as in Cholesky's."""
    X, y = scaled(decades), target(X4)
    values = spread(per, ALPHAS, 4)
    found = losses(search_for("ridge", per), FORMS[form](X), y, values)
    check(found, references(ridge_loss, X, y, values), 1e-8)


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("decades", [4, 5])
def test_a_search_with_features_of_very_different_scales(decades):
    X, y = scaled(decades), X4.sum(axis=1) + 0.1 * features(1, seed=7)[:, 0]
    grid = {"alpha": np.logspace(-12, 3, 16)}
    expected = GridSearchCV(plain.Ridge(), grid, scoring=MSE, cv=SPLITS).fit(X, y)
    search = HypergradSearchCV(plain.Ridge(), grid, scoring=MSE, cv=SPLITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypergradWarning)
        search.fit(X, y)
    assert search.best_score_ >= expected.best_score_ * (1 + 1e-6)


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("make", [rotated, scaled])
def test_ill_conditioned_logistic_regression(make, per):
    X, y = make({rotated: 10, scaled: 5}[make]), classes(X4)
    values = spread(per, [1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e6], 4)
    expected = references(logistic_loss, X, y, values)
    for form in FORMS.values():
        found = losses(search_for("logistic", per), form(X), y, values)
        check(found, expected, 1e-8)


# No noise.


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("noise", [0.0, 1e-8])
def test_targets_without_noise(noise, per):
    """Mean squared errors down to 1e-26: residuals have the rounding error of the target."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, 4))
    y = X @ np.arange(1.0, 5.0) + noise * rng.normal(size=N)
    values = spread(per, ALPHAS, 4)
    expected = references(ridge_loss, X, y, values)
    atol = 20 * EPS * np.sqrt(np.mean(y**2))
    for form in FORMS.values():
        found = losses(search_for("ridge", per), form(X), y, values)
        assert np.all(expected[0] < 1e-12)
        assert_allclose(np.sqrt(found), np.sqrt(expected).astype(float), rtol=1e-10, atol=atol)
        # Relative errors, where residuals are larger than their rounding error.
        check(found[2:], expected[2:], 1e-6)
        with pytest.raises(AssertionError):
            check((1 + 1e-6) * found[2:], expected[2:], 9e-7)


@defect("fits are compared with losses that are rounding errors")
def test_rounding_errors_of_fits_are_no_lack_of_convergence():
    search = HypergradSearchCV(plain.Ridge(), {"alpha": np.logspace(-12, 3, 16)}, scoring=MSE, cv=3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Whether one data set shows it is a matter of rounding.
        for seed in range(20):
            X = np.random.default_rng(seed).normal(size=(48, 6))
            search.fit(X, X @ np.arange(1.0, 7.0))
            assert not any("Raise max_iter" in str(warning.message) for warning in caught)


# Classes that can be separated.


def separable(margin=0.0):
    X = X4.copy()
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    X[:, 0] += margin * (2 * y - 1)
    return X, y, list(StratifiedKFold(3).split(X, y))


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("margin", [0.0, 6.0])
def test_separable_classes(margin, per):
    """Losses grow or vanish with C, down to 1e-10: an absolute error of the tolerance is seen."""
    X, y, splits = separable(margin)
    values = spread(per, [1e-3, 1.0, 1e3, 1e6, 1e9], 4)
    search = search_for("logistic", per, splits=splits)
    expected = references(logistic_loss, X, y, values, splits)
    for form in FORMS.values():
        found = losses(search, form(X), y, values)
        check(found[:3], expected[:3], 1e-8)
        check(found[3:], expected[3:], 1e-5 if margin else 1e-7)


@pytest.mark.parametrize("margin", [0.0, 6.0])
def test_searches_on_separable_classes_end(margin):
    """Inside if held-out rows are on the wrong side, else at the largest C, and say so."""
    X, y, splits = separable(margin)
    model = plain.LogisticRegression(solver="newton-cholesky", tol=1e-8)
    search = HypergradSearchCV(model, {"C": Continuous()}, scoring=LOG_LOSS, cv=splits)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    (status,) = search.hyperparameters_["status"]
    assert np.isfinite(search.history_["loss"]).all()
    assert np.isfinite(search.best_score_)
    if margin:
        assert status == "limit"
        assert {w.category for w in caught} == {HypergradWarning}
        assert "limit. The model gets better without end" in str(caught[0].message)
    else:
        assert status == "interior"
        assert not caught
        at_end = references(logistic_loss, X, y, [search.best_params_["C"]], splits).mean()
        assert search.best_score_ == pytest.approx(-float(at_end), rel=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_a_list_of_huge_values_of_c():
    X, y, splits = separable()
    model = plain.LogisticRegression(solver="newton-cholesky", tol=1e-8)
    grid, options = {"C": np.logspace(-3, 12, 6)}, {"scoring": LOG_LOSS, "cv": splits}
    expected = GridSearchCV(model, grid, **options).fit(X, y)
    search = HypergradSearchCV(model, grid, **options).fit(X, y)
    assert search.best_score_ >= expected.best_score_ - 1e-6
    assert list(search.hyperparameters_["status"]) == ["interior"]


# Hypergradients.


def slope(loss, X, y, value, direction, splits=SPLITS):
    """Derivative of the mean reference loss along a direction of log values: five points."""

    def mean(step):
        moved = np.asarray(value, dtype=LONG) * np.exp(step * np.asarray(direction, dtype=LONG))
        return references(loss, X, y, [moved], splits).mean()

    step = LONG("1e-3")
    near, far = mean(step) - mean(-step), mean(2 * step) - mean(-2 * step)
    return float((8 * near - far) / (12 * step))


def check_slopes(found, expected, rtol, wrong=1.0):
    for (record, direction), slope in zip(found, expected, strict=True):
        assert abs(wrong * record.gradient @ direction - slope) < rtol * abs(slope)


GRADIENT_CASES = {
    "plain": X4,
    "duplicated": TALL["duplicated"],
    "zero": TALL["zero"],
    "square": features(N_TRAIN),
    "wide": features(45),
    "scaled": scaled(2),
}


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", GRADIENT_CASES)
def test_hypergradients_of_ridge(name, per):
    """Along a direction, to 1e-8 of the derivative itself."""
    X, y = GRADIENT_CASES[name], target(X4)
    values = spread(per, [1e-3, 1.0, 1e3], X.shape[1])
    direction = np.random.default_rng(4).uniform(0.5, 1, X.shape[1] if per else 1)
    expected = [slope(ridge_loss, X, y, value, direction) for value in values]
    for form in FORMS.values():
        found = records(search_for("ridge", per), form(X), y, values)
        found = [(record, direction) for record in found]
        check_slopes(found, expected, 1e-8)
        for wrong in (1 + 1e-6, 1 - 1e-6):
            with pytest.raises(AssertionError):
                check_slopes(found, expected, 1e-8, wrong)


@pytest.mark.parametrize("offset", [0.0, 1e8])
@pytest.mark.parametrize("per", [None, "feature"])
def test_hypergradients_on_separable_classes(per, offset):
    """At values of C between those that prescribe the loss, and with an offset as without."""
    X, y, splits = separable()
    values = spread(per, [1e-2, 1.0, 1e2], 4)
    direction = np.random.default_rng(4).uniform(0.5, 1, 4 if per else 1)
    expected = [slope(logistic_loss, X, y, value, direction, splits) for value in values]
    found = records(search_for("logistic", per, splits=splits), X + offset, y, values)
    found = [(record, direction) for record in found]
    check_slopes(found, expected, 1e-7)
    for wrong in (1 + 1e-6, 1 - 1e-6):
        with pytest.raises(AssertionError):
            check_slopes(found, expected, 1e-7, wrong)


# Splits without a class, and with one row only: what GridSearchCV makes of them.


def observed(search, X, y):
    """``(split scores, warnings)`` of a fit, or its error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            search.fit(X, y)
        except ValueError as error:
            return type(error), str(error)
    said = [(w.category, str(w.message).splitlines()[:1]) for w in caught]
    scores = {
        name: column
        for name, column in search.cv_results_.items()
        if name.startswith("split") and name.endswith("test_score")
    }
    return scores, collections.Counter((kind, *line) for kind, line in said)


def check_rows(model, grid, X, y, kind=HypergradSearchCV, **options):
    """The search's rows are those of a GridSearchCV on the values it has found."""
    search = kind(model, grid, judge="cold", **options)
    scores, said = observed(search, X, y)
    rows = [{key: [value] for key, value in row.items()} for row in search.cv_results_["params"]]
    expected, also = observed(GridSearchCV(model, rows, **options), X, y)
    assert scores.keys() == expected.keys()
    for name, column in scores.items():
        assert_array_equal(column, expected[name])
    assert said == also
    return search


class Wrong(HypergradSearchCV):
    """Its scores are wrong by a factor."""

    def fit(self, X, y):
        super().fit(X, y)
        for column in self.cv_results_:
            if column.startswith("split"):
                self.cv_results_[column] = self.cv_results_[column] * (1 + 1e-6)
        return self


def test_wrong_rows_are_rejected():
    arguments = plain.Ridge(), {"alpha": [0.1, 1.0, 10.0]}, X4, target(X4)
    check_rows(*arguments, scoring=MSE)
    with pytest.raises(AssertionError):
        check_rows(*arguments, kind=Wrong, scoring=MSE)


@pytest.fixture(scope="module")
def sorted_classes():
    """``X``, two and three classes in blocks, and splits that leave one out of a training part."""
    X, two, three = features(3, n=24), np.repeat([0, 1], 12), np.repeat([0, 1, 2], 8)
    halves = [(np.arange(12), np.arange(12, 24)), (np.arange(6, 24), np.arange(6))]
    return X, {"two": (two, halves), "three": (three, KFold(3))}


MODELS = {
    "logistic": (plain.LogisticRegression(), {"C": [0.1, 1.0, 10.0]}),
    "classifier": (plain.RidgeClassifier(), {"alpha": [0.1, 1.0, 10.0]}),
}


@pytest.mark.parametrize("error_score", [np.nan, "raise"])
@pytest.mark.parametrize(
    ("model", "scoring"),
    [("logistic", LOG_LOSS), ("logistic", "accuracy"), ("classifier", "accuracy")],
)
@pytest.mark.parametrize("n_classes", ["two", "three"])
def test_a_class_missing_in_a_training_part(sorted_classes, n_classes, model, scoring, error_score):
    """The same rows, the same warnings, or the same error."""
    X, (y, cv) = sorted_classes[0], sorted_classes[1][n_classes]
    model, grid = MODELS[model]
    options = {"cv": cv, "scoring": scoring, "error_score": error_score}
    grid_search, search = (
        kind(model, grid, **options) for kind in (GridSearchCV, HypergradSearchCV)
    )
    expected, found = observed(grid_search, X, y), observed(search, X, y)
    if isinstance(expected[0], type):
        assert found == expected
        assert error_score == "raise"
        return
    assert found[1] == expected[1]
    for name, column in expected[0].items():
        assert_array_equal(found[0][name], column)
    assert search.best_params_ == grid_search.best_params_
    assert_array_equal(search.best_score_, grid_search.best_score_)
    assert "is missing from the training part of split 0" in search.hypergradient_


@pytest.mark.parametrize(
    ("model", "scoring"),
    [
        ("logistic", LOG_LOSS),
        ("logistic", "neg_brier_score"),
        ("logistic", "accuracy"),
        ("classifier", "accuracy"),
        ("classifier", "balanced_accuracy"),
    ],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_class_missing_in_a_held_out_part(sorted_classes, n_classes, model, scoring):
    """The loss of a split is defined, and is searched with, where a score may not be."""
    X, y = sorted_classes[0], np.arange(24) % n_classes
    one_less = np.flatnonzero(y > 0)[:6]
    rest = np.setdiff1d(np.arange(24), one_less)
    cv = [(rest, one_less), (np.arange(12), np.arange(12, 24))]
    model, grid = MODELS[model]
    search = check_rows(model, grid, X, y, cv=cv, scoring=scoring)
    assert np.isfinite(search.history_["loss"]).all()
    assert not search.hypergradient_.startswith("enumerated")


@pytest.mark.parametrize("scoring", [LOG_LOSS, "neg_brier_score"])
@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize(
    ("model", "grid"),
    [MODELS["logistic"], (GaussianNB(), {"var_smoothing": [1e-2, 1.0]})],
    ids=["logistic", "bayes"],
)
def test_scores_of_solutions_are_undefined_where_those_of_fits_are(model, grid, split, scoring):
    X, y = features(3, n=24), np.arange(24) % 3
    one_less = np.flatnonzero(y > 0)[:6]
    cv = [(np.arange(12), np.arange(12, 24))]
    cv.insert(split, (np.setdiff1d(np.arange(24), one_less), one_less))
    search = HypergradSearchCV(model, grid, cv=cv, scoring=scoring)
    scores, said = observed(search, X, y)
    assert np.isnan(scores[f"split{split}_test_score"]).all()
    assert np.isfinite(scores[f"split{1 - split}_test_score"]).all()
    assert any("Scoring failed" in text for _, text in said)


def test_a_class_missing_in_a_held_out_part_is_raised_on_request(sorted_classes):
    X, y = sorted_classes[0], np.arange(24) % 2
    cv = [(np.arange(12), np.flatnonzero(y))]
    options = {"cv": cv, "scoring": LOG_LOSS, "error_score": "raise"}
    expected, found = (
        observed(kind(*MODELS["logistic"], **options), X, y)
        for kind in (GridSearchCV, HypergradSearchCV)
    )
    assert expected[0] is ValueError
    assert found == expected


@pytest.mark.parametrize("per", [None, "feature"])
def test_held_out_parts_of_one_row(per):
    X, y = X4, target(X4)
    splits = list(LeaveOneOut().split(X))
    values = spread(per, [1e-6, 1.0, 1e6], 4)
    expected = references(ridge_loss, X, y, values, splits)
    found = losses(search_for("ridge", per, splits=splits), X, y, values)
    # Single residuals may be small.
    assert_allclose(np.sqrt(found), np.sqrt(expected).astype(float), rtol=0, atol=1e-12)
    y = classes(X4)
    found = losses(search_for("logistic", per, splits=splits), X, y, values[1:2])
    check(found, references(logistic_loss, X, y, values[1:2], splits), 1e-8)


def closed_form(X, y, values, per):
    """The leave-one-out loss from one fit, and from references that are trained on all other rows.

    A leverage of nearly one, as penalties towards zero make it for data with as many features as
    rows, loses digits.
    """
    splits = list(LeaveOneOut().split(X))
    search = search_for("ridge", per, splits=splits).set_params(search_cv="loo")
    expected = references(ridge_loss, X, y, values, splits).mean(axis=1)
    return lambda shift, form: (
        np.array([record.value for record in records(search, form(X + shift), y, values)]),
        expected,
    )


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", ["plain", "duplicated", "constant and zero", "n - 1", "n", "wide"])
def test_leave_one_out_in_closed_form(name, per):
    X = {**TALL, "n - 1": features(N - 1), "n": features(N), "wide": features(35)}[name]
    alphas = ALPHAS[::2] if name in TALL else ALPHAS[2:5]
    compared = closed_form(X, target(X4), spread(per, alphas, X.shape[1]), per)
    for form in FORMS.values():
        for alpha, one, other in zip(alphas, *compared(0, form), strict=True):
            check(one, other, 1e-12 if name in TALL else 1e-10 + 1e3 * EPS / alpha)


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("offset", OFFSETS)
def test_leave_one_out_in_closed_form_with_offsets(offset, per):
    values = spread(per, [1e-3, 1.0, 1e3], 4)
    check(
        *closed_form(X4, target(X4), values, per)(offset, np.asarray),
        1e-12 + 10 * EPS * offset,
    )


@pytest.mark.parametrize(
    "scoring",
    [MSE, "r2", pytest.param(None, marks=pytest.mark.thorough), "neg_median_absolute_error"],
)
def test_leave_one_out_of_ridge_is_scored_as_grid_search_does(scoring):
    """With an undefined score the squared error is searched with; all scores are nan."""
    X, y = X4[:12], target(X4[:12], noise=3)
    grid = {"alpha": [0.1, 1.0, 10.0]}
    search = check_rows(plain.Ridge(), grid, X, y, cv=LeaveOneOut(), scoring=scoring)
    assert np.isnan(search.best_score_) == (scoring in ("r2", None))
    assert search.validation_loss_ == "squared_error"
    alone = HypergradSearchCV(plain.Ridge(), grid, cv=LeaveOneOut(), scoring=MSE).fit(X, y)
    if scoring != "neg_median_absolute_error":
        assert search.best_params_ == alone.best_params_


@pytest.mark.parametrize("scoring", [LOG_LOSS, "accuracy"])
@pytest.mark.parametrize("model", MODELS)
def test_leave_one_out_of_classifiers_is_scored_as_grid_search_does(model, scoring):
    if model == "classifier" and scoring == LOG_LOSS:
        pytest.skip("it has no probabilities")
    check_rows(*MODELS[model], X4[:10], classes(X4[:10]), cv=LeaveOneOut(), scoring=scoring)


# Types of numbers and containers.

THIN = np.where(np.abs(X4) < 0.5, 0, X4)
CONTAINERS = {
    "float32": X4.astype(np.float32),
    "float16": X4.astype(np.float16),
    "int": np.round(10 * X4).astype(int),
    "uint8": np.clip(np.round(40 * X4 + 128), 0, 255).astype(np.uint8),
    "int8": np.clip(np.round(40 * X4), -128, 127).astype(np.int8),
    "bool": X4 > 0,
    "big endian": X4.astype(">f8"),
    "csc": sparse.csc_array(THIN),
    "coo": sparse.coo_matrix(THIN),
    "coo with duplicates": sparse.coo_array(
        (np.full(2 * N, 0.5), (np.repeat(np.arange(N), 2), np.repeat(np.arange(N) % 4, 2))),
        shape=(N, 4),
    ),
    "float32 csr": sparse.csr_array(THIN.astype(np.float32)),
    "int csc": sparse.csc_array(np.round(10 * X4).astype(int)),
    "bool csr": sparse.csr_array(X4 > 0),
}
ESSENTIAL = ["float32", "int", "bool", "csc", "coo"]
FITS = {
    "ridge": (plain.Ridge(), "alpha", MSE),
    "classifier": (plain.RidgeClassifier(), "alpha", "accuracy"),
    "logistic": (plain.LogisticRegression(tol=1e-10, max_iter=1000), "C", LOG_LOSS),
}


@pytest.mark.parametrize("per", [None, "feature"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_losses_do_not_depend_on_types(name, per):
    """They are those of the same numbers in double, to all digits even of float32 and float16."""
    X, y = CONTAINERS[name], target(X4)
    values = spread(per, [1e-3, 1.0, 1e3], 4)
    found = losses(search_for("ridge", per), X, y, values)
    check(found, references(ridge_loss, X, y, values), 1e-11)
    y = classes(X4)
    found = losses(search_for("logistic", per), X, y, values[:2])
    check(found, references(logistic_loss, X, y, values[:2]), 1e-9)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *[("ridge", name) for name in CONTAINERS],
        *[(kind, name) for kind in ("classifier", "logistic") for name in ESSENTIAL],
    ],
)
def test_the_best_estimator_is_that_of_grid_search(kind, name):
    """Bit by bit, and of the same type."""
    X, (model, key, scoring) = CONTAINERS[name], FITS[kind]
    y = target(X4) if kind == "ridge" else classes(X4)
    grid = {key: np.logspace(-3, 3, 7)}
    search = HypergradSearchCV(model, grid, scoring=scoring, cv=SPLITS, judge="cold").fit(X, y)
    one = {key: [search.best_params_[key]]}
    expected = GridSearchCV(model, one, scoring=scoring, cv=SPLITS).fit(X, y)
    assert search.best_score_ == expected.best_score_
    for fitted in ("coef_", "intercept_"):
        found, right = (getattr(s.best_estimator_, fitted) for s in (search, expected))
        assert np.asarray(found).dtype == np.asarray(right).dtype
        assert_array_equal(found, right)
    assert type(search.best_estimator_) is type(model)


# In single precision some versions of SciPy's L-BFGS cannot make a last step.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_float32_gives_the_search_of_float64(kind):
    model, key, scoring = FITS[kind]
    rng = np.random.default_rng(6)
    X = rng.normal(size=(N, 4))
    y = target(X, noise=3) if kind == "ridge" else classes(X)
    search = HypergradSearchCV(
        model, {key: np.logspace(-3, 3, 7)}, scoring=scoring, cv=SPLITS, tol=1e-6
    )
    double, single = (clone(search).fit(X.astype(t), y) for t in (np.float64, np.float32))
    assert single.best_params_[key] == pytest.approx(double.best_params_[key], rel=1e-5)
    assert single.best_score_ == pytest.approx(double.best_score_, rel=1e-5)
    assert single.best_estimator_.coef_.dtype == np.float32
    # A fit in single precision may take a step less.
    assert_allclose(single.best_estimator_.coef_, double.best_estimator_.coef_, rtol=1e-3)


# Searches without bounds on sparse data that have offsets.


@pytest.mark.parametrize("year", [2020, 10_000])
def test_a_vector_on_sparse_data_with_a_year_is_that_on_dense_data(year):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(48, 6))
    y = X @ np.arange(1.0, 7.0) / 3 + rng.normal(size=48)
    X[:, 0] += year
    grid = {"alpha": Continuous(per="feature")}
    dense, thin = (
        HypergradSearchCV(Ridge(), grid, scoring=MSE, cv=3).fit(form(X), y)
        for form in FORMS.values()
    )
    assert thin.best_score_ == pytest.approx(dense.best_score_, rel=1e-3)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_sparse_constant_features():
    X = sparse.csr_array(np.full((48, 3), 1e4 + 0.1))
    y = np.random.default_rng(0).normal(size=48)
    search = HypergradSearchCV(plain.Ridge(), {"alpha": Continuous()}, scoring=MSE, cv=3).fit(X, y)
    assert list(search.hyperparameters_["status"]) == ["flat"]


def test_features_whose_squares_overflow():
    """As with a list: no fit succeeds, and the error says so."""
    X, y = 1e160 * X4, target(X4)
    expected = observed(GridSearchCV(plain.Ridge(), {"alpha": [1.0]}), X, y)
    found = observed(HypergradSearchCV(plain.Ridge(), {"alpha": Continuous()}), X, y)
    assert expected[0] is found[0] is ValueError
    assert "All the 5 fits failed" in expected[1]
    assert "All the 5 fits failed" in found[1]


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_features_whose_squares_underflow(monkeypatch):
    """The search ends, wherever that is."""
    evaluate, calls = Objective._evaluate, []

    def counted(self, theta):
        calls.append(theta)
        assert len(calls) < 500
        return evaluate(self, theta)

    monkeypatch.setattr(Objective, "_evaluate", counted)
    search = HypergradSearchCV(plain.Ridge(), {"alpha": Continuous()}, scoring=MSE, cv=SPLITS)
    assert np.isfinite(search.fit(1e-160 * X4, target(X4)).best_score_)
