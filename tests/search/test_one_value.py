"""One penalty: its degrees of freedom, and the value of leave-one-out and evidence together."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge as VectorRidge

RANGE = Continuous()


def leveraged(seed=11):
    """Few rows, of which one lies far away from the others and is no part of the signal."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(40, 6))
    X[0] *= 30
    y = 0.5 * X[:, 0] + X[:, 1] + rng.normal(size=40)
    y[0] = 0
    return X, y


def traces(estimator, X, n_outputs=1):
    """Trace of the hat matrix without the intercept: predictions are linear in the targets."""
    unit = clone(estimator).fit(X, np.eye(len(X)))
    return n_outputs * (np.trace(unit.predict(X)) - 1)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize(
    "before", [(), (StandardScaler(),), (StandardScaler(), PCA(3))], ids=["alone", "scaler", "pca"]
)
@pytest.mark.parametrize("n_features", [6, 60])
def test_degrees_of_freedom_are_the_trace_of_the_hat_matrix(n_features, before, n_outputs):
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(40, n_features)), rng.normal(size=(40, n_outputs))
    y = np.squeeze(X[:, :1] + X[:, 1:2] + noise)
    pipeline = make_pipeline(*before, Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": RANGE}).fit(X, y)
    best = clone(pipeline).set_params(**search.best_params_)
    assert search.effective_dof_ == pytest.approx(traces(best, X, n_outputs), rel=1e-8)
    assert list(search.hyperparameters_["effective_dof"]) == [search.effective_dof_]
    assert search.best_estimator_[-1].coef_.shape[-1] == (3 if len(before) == 2 else n_features)


def hessian_trace(X, curvature, alpha):
    """The same of a loss whose second derivatives are these."""
    X1 = np.column_stack([X, np.ones(len(X))])
    hessian = X1.T @ (curvature[:, None] * X1)
    penalty = np.diag([alpha] * X.shape[1] + [0])
    return np.trace(np.linalg.solve(hessian + penalty, hessian)) - 1


@pytest.mark.parametrize("n_features", [4, 60])
def test_degrees_of_freedom_of_classifiers(n_features):
    rng = np.random.default_rng(0)
    X, weight = rng.normal(size=(50, n_features)), rng.uniform(0.5, 2, 50)
    y = X[:, 0] + rng.normal(size=50) > 0
    model = LogisticRegression(tol=1e-8)
    search = HypergradSearchCV(model, {"C": RANGE}).fit(X, y, sample_weight=weight)
    p = search.predict_proba(X)[:, 1]
    expected = hessian_trace(X, weight * p * (1 - p), 1 / search.best_params_["C"])
    assert search.effective_dof_ == pytest.approx(expected, rel=1e-4)
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": RANGE}).fit(X, y)
    expected = hessian_trace(X, np.ones(50), search.best_params_["alpha"])
    assert search.effective_dof_ == pytest.approx(expected, rel=1e-8)


def test_degrees_of_freedom_of_three_classes(data):
    X, y = data("wine")
    search = HypergradSearchCV(LogisticRegression(tol=1e-8), {"C": RANGE}).fit(X, y)
    X1 = np.column_stack([X, np.ones(len(X))])
    P, p = search.predict_proba(X), X1.shape[1]
    blocks = np.einsum("ik,kl->ikl", P, np.eye(3)) - np.einsum("ik,il->ikl", P, P)
    hessian = np.einsum("ij,ikl,im->kjlm", X1, blocks, X1).reshape(3 * p, 3 * p)
    penalty = np.diag(np.tile([1 / search.best_params_["C"]] * 13 + [0], 3))
    # A constant that is added to all intercepts changes nothing.
    used = np.trace(np.linalg.pinv(hessian + penalty) @ hessian) - 2
    assert search.effective_dof_ == pytest.approx(used, rel=1e-4)


def test_where_they_are_not_known():
    X, y = leveraged()
    grid = {"alpha": RANGE}
    assert not hasattr(HypergradSearchCV(Ridge(), grid, refit=False).fit(X, y), "effective_dof_")
    pipeline, grid = make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": RANGE}
    search = HypergradSearchCV(pipeline, grid, judge="cold").fit(X, y)
    assert not hasattr(search, "effective_dof_")
    assert np.isnan(search.hyperparameters_["effective_dof"][0])


def criterion(estimator, alpha, X, y):
    """Leave-one-out by fits, and the log evidence of the features of all rows."""
    model = clone(estimator).set_params(ridge__alpha=alpha)
    # Steps before the model are those of all rows.
    Z, rows = model[:-1].fit_transform(X), np.arange(len(y))
    fits = [clone(model[-1]).fit(Z[rows != row], y[rows != row]) for row in rows]
    left = [target - fit.predict(z[None])[0] for fit, z, target in zip(fits, Z, y, strict=True)]
    covariance = np.eye(len(y)) + (Z - Z.mean(axis=0)) @ (Z - Z.mean(axis=0)).T / alpha
    t, m = y - y.mean(), len(y) - 1
    evidence = 0.5 * m * np.log(t @ np.linalg.solve(covariance, t))
    evidence += 0.5 * np.linalg.slogdet(covariance)[1]
    return 0.25 * len(y) * np.log(np.square(left).sum()) + 0.5 * evidence


def test_the_stable_value_is_the_minimum_of_both():
    X, y = leveraged()
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": RANGE}, selection="stable").fit(X, y)
    found = search.best_params_["ridge__alpha"]
    assert list(search.hyperparameters_["status"]) == ["stable"]
    assert "leave-one-out and evidence" in search.stopping_reason_
    values = [criterion(pipeline, found * np.exp(step), X, y) for step in (-0.05, 0, 0.05)]
    assert values[1] < min(values[0], values[2])
    others = found / 30, found * 30
    assert values[1] < min(criterion(pipeline, alpha, X, y) for alpha in others)
    # The optimum on the splits stays in the history, and another draw changes nothing.
    best = HypergradSearchCV(pipeline, {"ridge__alpha": RANGE}).fit(X, y)
    assert min(search.history_["loss"]) == min(best.history_["loss"])
    again = clone(search).set_params(cv=KFold(5, shuffle=True, random_state=1)).fit(X, y)
    assert again.best_params_["ridge__alpha"] == found


def test_values_that_are_far_apart_are_told():
    X, y = leveraged()
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": RANGE})
    stable = clone(search).set_params(selection="stable").fit(X, y)
    ratio = search.fit(X, y).best_params_["ridge__alpha"] / stable.best_params_["ridge__alpha"]
    assert ratio > 10
    (told,) = [remark for remark in search.remarks_ if "leave-one-out" in remark]
    assert f"{ratio:.0f} times as large" in told
    assert f"{stable.best_params_['ridge__alpha']:.3g}" in told
    assert f"{search.effective_dof_:.1f} and {stable.effective_dof_:.1f} degrees" in told
    assert told in str(search.report())
    # Splitters that know something of the rows are not questioned.
    grouped = clone(search).set_params(cv=GroupKFold(5)).fit(X, y, groups=np.arange(40) // 4)
    for other in (stable, grouped):
        assert not any("leave-one-out" in remark for remark in other.remarks_)


def test_values_that_agree_are_no_remark():
    rng = np.random.default_rng(1)
    X, noise = rng.normal(size=(100, 6)), rng.normal(size=100)
    search, stable = (
        HypergradSearchCV(Ridge(), {"alpha": RANGE}, selection=name) for name in ("best", "stable")
    )
    assert search.fit(X, X[:, 0] + noise).remarks_ == []
    # Both values are far apart here, and nothing is left of the coefficients at either of them.
    values = [each.fit(X, noise).best_params_["alpha"] for each in (search, stable)]
    assert values[0] > 10 * values[1] > 1e4
    assert not any("leave-one-out" in remark for remark in search.remarks_)


def test_its_bounds_hold(data):
    X, y = data("diabetes")
    grid = {"alpha": [1e-3, 1e-2]}
    search = HypergradSearchCV(Ridge(), grid, selection="stable").fit(X, y)
    assert search.best_params_["alpha"] == pytest.approx(1e-2)


@pytest.mark.parametrize(
    ("model", "grid", "told"),
    [
        (VectorRidge(), {"alpha": Continuous(per="feature")}, "a vector is searched"),
        (LogisticRegression(), {"C": RANGE}, "not for LogisticRegression"),
        (RidgeClassifier(), {"alpha": RANGE}, "not for RidgeClassifier"),
    ],
)
def test_what_has_no_stable_value_is_refused(model, grid, told):
    X, y = leveraged()
    y = y if isinstance(model, VectorRidge) else y > 0
    with pytest.raises(ValueError, match=f"selection='stable' does not apply here: .*{told}"):
        HypergradSearchCV(model, grid, selection="stable").fit(X, y)
