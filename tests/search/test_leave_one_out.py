"""Leave-one-out in closed form is the loss of real fits, for every form of ridge problems."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model as plain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model

SHAPES = {"tall": (14, 4), "wide": (9, 15)}
GROUPS = [0, 1, 2]


def problem(shape, target, *, thin):
    rng = np.random.default_rng(0)
    n_samples, n_features = SHAPES[shape]
    X = rng.normal(size=(n_samples, n_features)) + 1.0
    signal = X[:, 0] - X[:, 1] + rng.normal(size=n_samples)
    if thin:
        X[rng.uniform(size=X.shape) < 0.8] = 0
    ranks = np.argsort(np.argsort(signal))
    targets = {
        "one": signal,
        "two": np.column_stack([signal, np.sin(signal)]),
        "classes": ranks * 3 // n_samples,
    }
    return X, targets[target], rng.uniform(0.5, 2, n_samples)


def left_out(model, X, y, weight, score_weight):
    """The weighted mean squared error over rows, of fits without each of them."""
    rows, codes = np.arange(len(y)), y
    if isinstance(model, plain.RidgeClassifier):
        codes = 2.0 * (y[:, None] == np.unique(y)) - 1
    errors = []
    for row in rows:
        train = rows[rows != row]
        model.fit(X[train], y[train], sample_weight=weight[train])
        respond = getattr(model, "decision_function", model.predict)
        errors.append(np.mean((respond(X[[row]]) - codes[row]) ** 2))
    return np.average(errors, weights=score_weight)


def hat_trace(X, target, weight, strength, fit_intercept):
    """Effective degrees of freedom of all outputs; they share the strengths of one row."""
    n_outputs = {"one": 1, "two": 2, "classes": 3}[target]
    Z = X - np.average(X, axis=0, weights=weight) * fit_intercept
    gram = Z.T @ (weight[:, None] * Z)
    strengths = np.broadcast_to(strength, (n_outputs, X.shape[1]))
    return sum(np.trace(np.linalg.solve(gram + np.diag(own), gram)) for own in strengths)


def of_shape(value, per, y, n_features):
    """A value of the search as the parameter of the model."""
    if per == "group":
        value = np.take(value, np.resize(GROUPS, n_features))
    several = np.ndim(y) == 2 or len(np.unique(y)) == 3
    return np.reshape(value, (1, n_features)) if several and per in ("feature", "group") else value


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("target", ["one", "two", "classes"])
@pytest.mark.parametrize("per", [None, "feature", "group", "coefficient", "target"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.thorough
def test_the_loss_is_that_of_real_fits(shape, thin, target, per, fit_intercept, scaled):
    per = None if per == "target" and target != "two" else per
    X, y, weight = problem(shape, target, thin=thin)
    name = "RidgeClassifier" if target == "classes" else "Ridge"
    package = plain if per in (None, "target") else linear_model
    final = getattr(package, name)(fit_intercept=fit_intercept, tol=1e-12)
    scaler = StandardScaler(with_mean=not thin)
    prefix = f"{name.lower()}__" * scaled
    groups = np.resize(GROUPS, X.shape[1]) if per == "group" else None
    search = HypergradSearchCV(
        make_pipeline(scaler, final) if scaled else final,
        {f"{prefix}alpha": Continuous(0.1, 50, per=per, groups=groups)},
        search_cv="loo",
        cv=2,
        max_iter=3,
    )
    data = sparse.csr_array(X) if thin else X
    search.fit(data, y, **{f"{prefix}sample_weight": weight})
    # Weights of a step of a pipeline are for its training only; scalers see all rows.
    Z, judged = (scaler.fit_transform(X), np.ones(len(y))) if scaled else (X, weight)
    history = search.history_[search.history_["splits"] == "search_cv"]
    for value, loss in history[["value", "loss"]].iloc[[0, -1]].itertuples(index=False):
        final.set_params(alpha=of_shape(value, per, y, X.shape[1]))
        assert loss == pytest.approx(left_out(final, Z, y, weight, judged), rel=1e-6)
    if per is not None:
        expected = hat_trace(Z, target, weight, search.feature_regularization_, fit_intercept)
        assert search.effective_dof_ == pytest.approx(expected, rel=1e-6)
