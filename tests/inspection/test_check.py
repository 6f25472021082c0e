"""Hypergradients of searches against finite differences, and the checker against a wrong one."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.hypergradients import Implicit

REGRESSION = [
    "r2",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_poisson_deviance",
    "neg_mean_gamma_deviance",
]
CLASSIFICATION = ["neg_log_loss", "neg_brier_score", "accuracy", "balanced_accuracy"]
FAMILIES = {
    "ridge": (Ridge, "alpha", REGRESSION, [None]),
    "ridge classifier": (
        RidgeClassifier,
        "alpha",
        ["accuracy", "balanced_accuracy"],
        [None, "balanced"],
    ),
    "binary": (LogisticRegression, "C", CLASSIFICATION, [None, "balanced", {0: 1, 1: 3}]),
    "multinomial": (LogisticRegression, "C", CLASSIFICATION, [None, "balanced"]),
}
CASES = [
    (name, scoring, class_weight, intercept, weighted, thin, wide)
    for name, (_, _, scorings, class_weights) in FAMILIES.items()
    for scoring, class_weight in itertools.product(scorings, class_weights)
    for intercept, weighted, thin, wide in itertools.product([True, False], repeat=4)
    # Without an intercept predictions shrink to zero, where deviances are infinite.
    if name != "ridge" or intercept or "deviance" not in scoring
]


def problem(name, wide, thin):
    rng = np.random.default_rng(0)
    n_samples, n_features = (30, 50) if wide else (60, 8)
    X = rng.normal(size=(n_samples, n_features)) + 0.3
    if thin:
        X *= rng.uniform(size=X.shape) < 0.4
    signal = X @ rng.normal(size=n_features) / np.sqrt(n_features) + rng.normal(size=n_samples)
    if name == "ridge":
        # Positive, and so far from zero that every prediction is too: deviances are finite.
        y = signal - signal.min() + 30
    else:
        n_classes = 3 if name == "multinomial" else 2
        y = np.argsort(np.argsort(signal)) * n_classes // n_samples
    return sparse.csr_array(X) if thin else X, y, rng.uniform(0.5, 2, n_samples)


@pytest.mark.product
@pytest.mark.parametrize(
    ("name", "scoring", "class_weight", "intercept", "weighted", "thin", "wide"), CASES
)
def test_agrees_with_finite_differences(
    name, scoring, class_weight, intercept, weighted, thin, wide
):
    make, key, _, _ = FAMILIES[name]
    model = make(fit_intercept=intercept)
    if class_weight is not None:
        model.set_params(class_weight=class_weight)
    X, y, weight = problem(name, wide, thin)
    search = HypergradSearchCV(model, {key: Continuous(1e-1, 1e2)}, scoring=scoring, cv=3)
    step = 1e-5 if scoring == "neg_mean_absolute_error" else 1e-2
    params = {"sample_weight": weight} if weighted else {}
    errors = check_hypergradient(search, X, y, n_points=2, step=step, **params)
    assert errors.max() < 1e-6


class Wrong(Implicit):
    """A hypergradient that is wrong by 0.1 %."""

    def evaluate(self, *args):
        evaluation = super().evaluate(*args)
        gradient = {name: 1.001 * value for name, value in evaluation.gradient.items()}
        return dataclasses.replace(evaluation, gradient=gradient)


@pytest.mark.parametrize("model", [Ridge(), LogisticRegression()])
def test_rejects_a_gradient_that_is_wrong_by_a_thousandth(data, model):
    X, y = data("diabetes")
    key = "alpha" if isinstance(model, Ridge) else "C"
    y = y if key == "alpha" else y > 140
    search = HypergradSearchCV(model, {key: [1e-2, 1e2]}, hypergradient=Wrong())
    assert check_hypergradient(search, X, y) == pytest.approx(1e-3, rel=1e-2)


def test_pipelines_several_ranges_and_targets(data):
    X, y = data("diabetes")
    pipeline = make_pipeline(StandardScaler(), Ridge())
    grid = [{"ridge__alpha": [0.1, 10]}, {"ridge__alpha": Continuous(per="target")}]
    search = HypergradSearchCV(pipeline, grid)
    errors = check_hypergradient(search, X, np.c_[y, y**2 / 100], n_points=3)
    assert errors.shape == (2, 3)
    assert errors.max() < 1e-6
    assert not hasattr(search, "history_")


def test_nothing_to_check():
    X, y = np.ones((10, 2)), np.arange(10.0)
    with pytest.raises(ValueError, match="No range of param_grid can be searched"):
        check_hypergradient(HypergradSearchCV(Ridge(), {"alpha": [1.0]}), X, y)
