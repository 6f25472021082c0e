"""KernelRidge: what the table of families does not show."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, check_hypergradient
from sklearn_hypergrad.adapters import family, kernel_ridge
from sklearn_hypergrad.adapters.kernel_ridge import KernelRidgeModel
from sklearn_hypergrad.hypergradients import Pulled

BOTH = {"alpha": [1e-2, 1.0], "gamma": [1e-2, 0.5]}


def model_of(block, kernel="rbf", names=("alpha", "gamma"), **params):
    estimator = KernelRidge(kernel=kernel, **params)
    return family(estimator).model(estimator, block, dict.fromkeys(names), 0)


@pytest.mark.parametrize("splits", ["kfold", "overlapping", "bootstrap"])
@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
@pytest.mark.parametrize("thin", [False, True])
def test_the_pullback_is_exact(make_block, five_point, splits, kernel, thin):
    """Of weighted rows, some of which are drawn several times, and several outputs."""
    block = make_block(splits=splits, weighted=True, thin=thin, n_outputs=2)
    model, h = model_of(block, kernel), {"alpha": 0.4, "gamma": 0.15}
    fitted = model.fit(h, None, 0)
    g = np.random.default_rng(1).normal(size=fitted.z.shape)
    gradient = fitted.pullback(g).gradient
    for name in h:
        differences = five_point(
            lambda t, name=name: np.sum(g * model.fit(h | {name: h[name] * np.exp(t)}, 0, 0).z),
            2e-3,
        )
        assert_allclose(h[name] * gradient[name], differences, rtol=1e-9)


def test_predictions_of_weighted_rows_are_those_of_fits(make_block):
    block = make_block(splits="bootstrap", weighted=True)
    h, estimator = {"alpha": 0.4, "gamma": 0.15}, KernelRidge(kernel="rbf")
    model = model_of(block)
    fitted = model.fit(h, None, 0)
    installed = family(estimator).install(estimator, model, fitted, h)
    expected = []
    for train, test, weight, own in zip(
        block.trains, block.tests, block.weights, installed, strict=True
    ):
        fit = KernelRidge(kernel="rbf", **h).fit(block.X[train], block.y[train], weight)
        expected.append(fit.predict(block.X[test]))
        assert_allclose(own.predict(block.X[test]).ravel(), expected[-1].ravel(), rtol=1e-9)
    assert_allclose(fitted.z, np.concatenate(expected), rtol=1e-9)


def test_a_kernel_that_does_not_change_is_formed_once(make_block, monkeypatch):
    formed = []
    pairwise = kernel_ridge.pairwise_kernels
    monkeypatch.setattr(
        kernel_ridge,
        "pairwise_kernels",
        lambda X, **params: formed.append(1) or pairwise(X, **params),
    )
    model = model_of(make_block(), "poly", ["alpha"])
    for alpha in (0.1, 1.0):
        model.fit({"alpha": alpha}, None, 0)
    assert formed == [1]
    assert list(model.levels()) == ["alpha"]


def test_a_gradient_that_is_wrong_by_a_thousandth_is_seen(data, monkeypatch):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="rbf"), BOTH, cv=3)
    assert check_hypergradient(search, X[:80], y[:80], n_points=2, step=1e-2).max() < 1e-6
    fit = KernelRidgeModel.fit

    def wrong(self, *args):
        fitted = fit(self, *args)
        pulled = fitted.pullback

        def pullback(g):
            return Pulled({n: 1.001 * value for n, value in pulled(g).gradient.items()})

        object.__setattr__(fitted, "pullback", pullback)
        return fitted

    monkeypatch.setattr(KernelRidgeModel, "fit", wrong)
    assert check_hypergradient(search, X[:80], y[:80], n_points=2, step=1e-2).min() > 5e-4


def test_no_gamma_is_one_over_the_number_of_features(data):
    X, y = data("diabetes")
    pipeline = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf"))
    ranges = {f"kernelridge__{name}": values for name, values in BOTH.items()}
    search = HypergradSearchCV(pipeline, ranges, cv=KFold(3)).fit(X[:90], y[:90] / 100)
    assert "over alpha=1, gamma=0.1:" in str(search.report())


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        ("linear", "KernelRidge has no gamma with kernel='linear'"),
        ("poly", "gamma is differentiated for kernel='rbf' and 'laplacian', not for 'poly'"),
    ],
)
def test_gamma_of_other_kernels_is_enumerated(data, kernel, reason):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel=kernel), BOTH, cv=2).fit(X[:60], y[:60])
    assert reason in search.hypergradient_
    assert list(search.cv_results_["param_gamma"]) == BOTH["gamma"]
    refused = HypergradSearchCV(KernelRidge(kernel=kernel), {"gamma": Continuous()})
    with pytest.raises(ValueError, match=reason):
        refused.fit(X[:60], y[:60])


def test_a_precomputed_kernel_is_enumerated(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="precomputed"), {"alpha": [0.1, 1]}, cv=2)
    assert "has no rows" in search.fit(X[:60] @ X[:60].T, y[:60]).hypergradient_


def test_too_many_rows_are_enumerated(data, monkeypatch):
    monkeypatch.setattr(kernel_ridge, "MAX_ROWS", 50)
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="rbf"), BOTH, cv=2)
    assert "60 rows are too many: at most 50" in search.fit(X[:60], y[:60]).hypergradient_
    assert len(search.cv_results_["params"]) == 4
    with pytest.warns(HypergradWarning, match="too many"):
        search.set_params(param_grid={"alpha": Continuous()}).fit(X[:60], y[:60])


def test_an_alpha_below_the_smallest_is_refused(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(), {"alpha": Continuous(1e-12, 1)})
    with pytest.raises(ValueError, match="values above 1e-10, got low=1e-12"):
        search.fit(X[:60], y[:60])
