"""LogisticRegression with penalties per feature and per coefficient: the documented objective."""

import numpy as np
import pytest
from scipy.sparse import issparse
from scipy.special import softmax
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad.linear_model import LogisticRegression

PER_FEATURE = {
    "positive": np.array([10.0, 1.0, 0.1, 0.3, 2.0, 0.01]),
    "unpenalised": np.array([np.inf, 1.0, 0.1, np.inf, 2.0, 0.01]),
    "dropped": np.array([0.0, 1.0, 0.1, 0.3, 0.0, 0.01]),
    "both": np.array([np.inf, 0.0, 0.1, 0.3, 0.0, np.inf]),
    "wide": np.logspace(-6, 6, 6),
    "all dropped": np.zeros(6),
}
PER_COEFFICIENT = {
    "positive": np.geomspace(0.01, 10, 18).reshape(3, 6),
    "unpenalised": np.array([PER_FEATURE["unpenalised"], PER_FEATURE["positive"], np.ones(6)]),
    "dropped": np.array([PER_FEATURE["dropped"], np.zeros(6), PER_FEATURE["dropped"]]),
    "both": np.array([PER_FEATURE["both"], PER_FEATURE["positive"], PER_FEATURE["both"][::-1]]),
    "equal rows": np.tile(PER_FEATURE["positive"], (3, 1)),
}
SOLVERS = ["lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"]


def gradients(model, X, y, C, weights=None):
    """Of the documented objective in the coefficients that are not dropped, and the intercepts."""
    X = X.toarray() if issparse(X) else X
    s = np.ones(len(y)) if weights is None else weights
    coded = (y[:, None] == model.classes_).astype(float)
    z = X @ model.coef_.T + model.intercept_
    probability = softmax(np.hstack([0 * z, z]) if z.shape[1] == 1 else z, axis=1)
    residual = s[:, None] * (probability - coded)[:, -z.shape[1] :]
    C = np.broadcast_to(C, model.coef_.shape)
    kept = C > 0
    return (residual.T @ X)[kept] + model.coef_[kept] / C[kept], residual.sum(axis=0)


def assert_solved(model, X, y, C, weights=None, tol=1e-7):
    of_coef, of_intercept = gradients(model, X, y, C, weights)
    np.testing.assert_allclose(of_coef, 0, atol=tol)
    if model.fit_intercept:
        np.testing.assert_allclose(of_intercept, 0, atol=tol)
    else:
        assert np.all(model.intercept_ == 0)
    assert np.all(model.coef_[np.broadcast_to(C, model.coef_.shape) == 0] == 0)


def tight(C, solver="newton-cholesky", **params):
    return LogisticRegression(C=C, solver=solver, tol=1e-10, max_iter=100_000, **params)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kind", PER_FEATURE)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_per_feature(features, labels, weights, n_classes, sparse, kind, fit_intercept, weighted):
    X, y, s, C = features(sparse), labels(n_classes), weights(weighted), PER_FEATURE[kind]
    model = tight(C, fit_intercept=fit_intercept).fit(X, y, s)
    assert_solved(model, X, y, C, s)
    n_rows = 1 if n_classes == 2 else n_classes
    assert model.coef_.shape == (n_rows, 6)
    assert model.intercept_.shape == (n_rows,)
    assert model.n_iter_.shape == (1,)
    assert model.n_iter_.dtype == np.int32


@pytest.mark.parametrize("kind", ["positive", "both"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers(features, labels, weights, solver, sparse, n_classes, kind):
    X, y, s, C = features(sparse), labels(n_classes), weights(), PER_FEATURE[kind]
    model = tight(C, solver=solver, random_state=0).fit(X, y, s)
    assert_solved(model, X, y, C, s, tol=1e-4 if kind == "positive" else 1e-7)


@pytest.mark.parametrize("dual", [False, True])
@pytest.mark.parametrize("kind", ["positive", "both"])
def test_liblinear_without_intercept(features, labels, kind, dual):
    X, y, C = features(), labels(2), PER_FEATURE[kind]
    model = tight(C, solver="liblinear", fit_intercept=False, dual=dual, random_state=0).fit(X, y)
    assert_solved(model, X, y, C, tol=1e-4)
    assert model.intercept_.shape == (1,)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("kind", PER_COEFFICIENT)
@pytest.mark.parametrize("sparse", [False, True])
def test_per_coefficient(features, labels, weights, sparse, kind, fit_intercept):
    X, y, s, C = features(sparse), labels(3), weights(), PER_COEFFICIENT[kind]
    model = tight(C.tolist(), fit_intercept=fit_intercept).fit(X, y, s)
    assert_solved(model, X, y, C, s)


def test_per_coefficient_of_two_classes_is_per_feature(features, labels):
    X, y, C = features(), labels(2), PER_FEATURE["both"]
    one, two = (LogisticRegression(C=values).fit(X, y) for values in (C, C[None]))
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_per_feature_when_shapes_coincide(features, labels):
    X, y, C = features()[:, :3], labels(3), np.array([10.0, 1.0, 0.01])
    assert_solved(tight(C).fit(X, y), X, y, C)


@pytest.mark.parametrize("kind", ["positive", "both"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("class_weight", ["balanced", {"a": 3.0}])
def test_class_weight(features, labels, weights, class_weight, n_classes, kind):
    X, y, s, C = features(), labels(n_classes), weights(), PER_FEATURE[kind]
    model = tight(C, class_weight=class_weight).fit(X, y, s)
    classes, codes = np.unique(y, return_inverse=True)
    sums = np.bincount(codes, s)
    balanced = class_weight == "balanced"
    factor = s.sum() / (n_classes * sums) if balanced else np.where(classes == "a", 3.0, 1.0)
    assert_solved(model, X, y, C, s * factor[codes])


@pytest.mark.portable
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_wide_penalties_converge(features, labels, solver):
    """With scikit-learn's own settings, under which scaled features would not."""
    for n_classes in (2, 3):
        X, y, C = features(), labels(n_classes), PER_FEATURE["wide"]
        assert_solved(LogisticRegression(C=C, solver=solver).fit(X, y), X, y, C)


@pytest.mark.portable
def test_extreme_penalties(features, labels):
    extreme = np.array([1e300, 1e-300, 1.0, 1.7e308, 5e-324, 2.0])
    limit = np.array([np.inf, 0.0, 1.0, np.inf, 0.0, 2.0])
    for n_classes in (2, 3):
        y = labels(n_classes)
        model = LogisticRegression(C=extreme).fit(features(), y)
        expected = LogisticRegression(C=limit).fit(features(), y).coef_
        np.testing.assert_allclose(model.coef_, expected, atol=1e-7)


def test_intercept_only_is_the_share_of_the_classes(features, labels):
    for n_classes in (2, 3):
        y = labels(n_classes)
        model = tight(np.zeros(6)).fit(features(), y)
        shares = np.unique(y, return_counts=True)[1] / 60
        np.testing.assert_allclose(model.predict_proba(features()), np.tile(shares, (60, 1)))
        assert np.all(model.coef_ == 0)


def test_a_wrong_solution_is_rejected(features, labels):
    X, y = features(), labels(3)
    for C in (PER_FEATURE["positive"], PER_COEFFICIENT["both"]):
        model = tight(C).fit(X, y)
        model.coef_ = 1.001 * model.coef_
        with pytest.raises(AssertionError):
            assert_solved(model, X, y, C)


@pytest.mark.portable
@pytest.mark.parametrize("n_classes", [2, 3])
def test_collinear_features_without_penalty(features, labels, n_classes):
    X, y = features(), labels(n_classes)
    twice = np.hstack([X, X[:, :2]])
    C = np.array([np.inf, np.inf, 1.0, 0.0, 1.0, 1.0, np.inf, np.inf])
    assert_solved(LogisticRegression(C=C).fit(twice, y), twice, y, C)


def test_collinear_features_partly_dropped(features, labels):
    X, y = features(), labels(3)
    twice = np.hstack([X, X[:, :2]])
    C = np.full((3, 8), np.inf)
    C[0, 1] = C[2, 7] = 0
    C[1] = 1.0
    assert_solved(LogisticRegression(C=C).fit(twice, y), twice, y, C, tol=1e-5)


@pytest.mark.portable
def test_classes_that_can_be_separated_without_penalty():
    """There is no minimum: the coefficients grow until the classes are certain."""
    X = np.linspace(-1, 1, 20)[:, None] * [1.0, 0.0]
    y = X[:, 0] > 0
    model = LogisticRegression(C=[np.inf, 1.0]).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], y, atol=1e-6)


def test_warm_start(features, labels):
    """Without iterations the scaled start is returned, scaled back."""
    X, y, C = features(), labels(3), PER_FEATURE["dropped"]
    model = tight(C, warm_start=True).fit(X, y)
    coef, intercept = model.coef_, model.intercept_
    model.set_params(max_iter=1, tol=1e-4).fit(X, y)
    np.testing.assert_allclose(model.coef_, coef, rtol=1e-6)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-6)
    cold = LogisticRegression(C=C, max_iter=1)
    with pytest.warns(ConvergenceWarning):
        cold.fit(X, y)
    assert np.abs(cold.coef_ - coef).max() > 0.01


@pytest.mark.parametrize("kind", ["positive", "both"])
def test_floats_of_half_the_size_stay(features, labels, kind):
    X, y, C = features(), labels(3), PER_FEATURE[kind]
    single = LogisticRegression(C=C).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.intercept_.dtype == np.float32
    np.testing.assert_allclose(single.coef_, tight(C).fit(X, y).coef_, atol=1e-2)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"l1_ratio": 1.0, "solver": "saga"}, "the L2 penalty only.*l1_ratio=1.0"),
        ({"l1_ratio": 0.5, "solver": "saga"}, "the L2 penalty only"),
        ({"penalty": "l1", "solver": "saga"}, "the L2 penalty only.*penalty='l1'"),
        ({"penalty": None}, "the L2 penalty only.*penalty=None"),
        ({"solver": "liblinear"}, "solver='liblinear' penalises it"),
        ({"dual": True}, "dual=False"),
    ],
)
def test_other_models_are_refused(features, labels, params, reason):
    for kind in ("positive", "both"):
        with pytest.raises(ValueError, match=reason):
            LogisticRegression(C=PER_FEATURE[kind], **params).fit(features(), labels(2))


def test_liblinear_is_for_two_classes(features, labels):
    model = LogisticRegression(C=PER_FEATURE["both"], solver="liblinear", fit_intercept=False)
    with pytest.raises(ValueError, match="two classes"):
        model.fit(features(), labels(3))


def test_one_class_is_refused(features):
    with pytest.raises(ValueError, match="y has 1 class only, 1, but"):
        LogisticRegression(C=PER_FEATURE["both"]).fit(features(), np.ones(60, dtype=int))


def test_the_old_names_of_the_l2_penalty(features, labels):
    C = PER_FEATURE["positive"]
    expected = linear_model.LogisticRegression(C=1.0).fit(features() * np.sqrt(C), labels(3))
    for params in ({"penalty": "l2"}, {"l1_ratio": None}):
        with pytest.warns(FutureWarning, match="deprecated"):
            model = LogisticRegression(C=C, **params).fit(features(), labels(3))
        np.testing.assert_allclose(model.coef_, expected.coef_ * np.sqrt(C), atol=1e-2)
