"""One penalty for each group of features and each target."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model as plain
from sklearn.model_selection import cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.inspection import PenaltiesDisplay
from sklearn_hypergrad.linalg import CG
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives

MSE = "neg_mean_squared_error"


def bands(n_samples=60, n_features=6):
    """Half of the features matter for the first target, the other half for the second."""
    rng = np.random.default_rng(0)
    X, half = rng.normal(size=(n_samples, n_features)), n_features // 2
    first, second = X[:, :half].sum(axis=1), X[:, half:].sum(axis=1)
    return X, np.column_stack([first, second]) + rng.normal(size=(n_samples, 2))


def search_for(continuous, **options):
    options = {"search_cv": "cv", "cv": 3, "scoring": MSE, **options}
    return HypergradSearchCV(Ridge(), {"alpha": continuous}, **options)


def grouped(n_features):
    groups = np.repeat(["a", "b"], n_features // 2).tolist()
    return Continuous(per=("group", "target"), groups=groups)


class Wrong(Implicit):
    def evaluate(self, *args):
        evaluation = super().evaluate(*args)
        for name in evaluation.gradient:
            evaluation.gradient[name] = 1.001 * evaluation.gradient[name]
        return evaluation


@pytest.mark.parametrize("n_features", [6, 100])
@pytest.mark.parametrize("search_cv", ["cv", "halves"])
def test_hypergradients_are_exact_and_wrong_ones_are_rejected(n_features, search_cv):
    X, y = bands(n_features=n_features)
    search = search_for(grouped(n_features), search_cv=search_cv)
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search = search.set_params(hypergradient=Wrong())
    assert check_hypergradient(search, X, y, n_points=1).max() > 5e-4


def test_conjugate_gradients_have_the_same_gradient():
    X, y = bands()
    theta = np.log([3.0, 20.0, 50.0, 2.0])
    gradients = []
    for method in (None, Implicit(CG(tol=1e-12))):
        (objective,) = build_objectives(search_for(grouped(6), hypergradient=method), X, y)
        gradients.append(objective(theta)[1])
    assert_allclose(gradients[1], gradients[0], rtol=1e-7)


@pytest.mark.parametrize("n_features", [6, 100])
def test_each_target_has_the_penalties_of_a_search_of_its_own(n_features):
    X, y = bands(n_features=n_features)
    options = {"shrinkage": 0, "tol": 1e-6, "max_iter": 300}
    search = search_for(grouped(n_features), **options).fit(X, y)
    found = search.best_params_["alpha"]
    assert found.shape == (2, n_features)
    per_group = Continuous(per="group", groups=grouped(n_features).groups)
    losses = []
    for target in range(2):
        alone = search_for(per_group, **options).fit(X, y[:, target])
        losses.append(-alone.best_score_)
        near = -cross_val_score(Ridge(found[target]), X, y[:, target], cv=3, scoring=MSE).mean()
        # Where features outnumber rows there are several minima, and either search may have a lower
        # one; that of all targets is lower on average.
        assert near <= losses[-1] * (1 + 1e-3) or n_features > len(X)
    assert -search.best_score_ <= np.mean(losses) * (1 + 1e-3)
    assert list(search.hyperparameters_["name"]) == [
        f"alpha[{target}, {label}]" for target in range(2) for label in "ab"
    ]


def test_per_feature_and_target_is_per_coefficient():
    X, y = bands()
    found, expected = (
        search_for(Continuous(per=per), max_iter=30).fit(X, y).best_params_["alpha"]
        for per in (("feature", "target"), "coefficient")
    )
    assert found.shape == (2, 6)
    assert_array_equal(found, expected)


def test_groups_by_name_and_pictures():
    pytest.importorskip("matplotlib").use("Agg")
    X, y = bands()
    frame = pd.DataFrame(X, columns=list("uvwxyz"))
    groups = dict.fromkeys("uvw", "first")
    continuous = Continuous(per=("group", "target"), groups=groups, fixed={"z": 0})
    search = search_for(continuous, shrinkage=0).fit(frame, y)
    alpha = search.best_params_["alpha"]
    assert set(alpha) == {*"uvwz", None}
    assert alpha["u"].shape == (2,)
    assert alpha[None].shape == (2,)
    assert alpha["z"] == 0
    assert search.feature_regularization_.shape == (2, 6)
    names = PenaltiesDisplay.from_search(search).names
    assert names[0] == "first, target 0"


def test_equal_penalties_are_fitted_at_once(monkeypatch):
    X, y = bands()
    y = np.column_stack([y, y[:, ::-1]])
    alpha = np.array([[1.0] * 6, [2.0] * 6, [2.0] * 6, [1.0] * 6]) * np.arange(1, 7)
    expected = np.stack([Ridge(a).fit(X, t).coef_ for a, t in zip(alpha, y.T, strict=True)])
    made = []
    right = plain.Ridge.fit
    monkeypatch.setattr(plain.Ridge, "fit", lambda *a, **k: made.append(1) or right(*a, **k))
    model = Ridge(alpha).fit(X, y)
    assert len(made) == 2
    assert_allclose(model.coef_, expected, rtol=1e-10)
    assert model.intercept_.shape == (4,)


@pytest.mark.parametrize(
    ("model", "y", "match"),
    [
        (Ridge(), bands()[1][:, 0], "needs y of shape"),
        (LogisticRegression(), bands()[1][:, 0] > 0, "has no value per"),
    ],
)
def test_what_has_no_targets_is_refused(model, y, match):
    name = "alpha" if isinstance(model, Ridge) else "C"
    search = HypergradSearchCV(model, {name: grouped(6)})
    with pytest.raises(ValueError, match=match):
        search.fit(bands()[0], y)
