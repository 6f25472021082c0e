"""Many targets with penalties per group: each target has steps of its own."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_checkpoint import bits
from test_interrupts import After

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.linear_model import Ridge
from sklearn_hypergrad.optimizers import LBFGS
from sklearn_hypergrad.optimizers.block_newton import BlockNewton
from sklearn_hypergrad.problems.ridge.target_losses import TargetLosses
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives

# Some of these searches end before they have converged.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
N_SAMPLES, N_FEATURES, N_TARGETS, N_GROUPS = 40, 60, 6, 3
GROUPS = (np.arange(N_FEATURES) % N_GROUPS).tolist()


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    shares = rng.dirichlet(np.full(N_GROUPS, 0.5), size=N_TARGETS)[:, GROUPS].T
    coef = rng.normal(size=shares.shape) * np.sqrt(shares)
    return X, X @ coef + 3 * rng.normal(size=(N_SAMPLES, N_TARGETS))


def search_for(**options):
    continuous = Continuous(per=("group", "target"), groups=GROUPS)
    return HypergradSearchCV(Ridge(), {"alpha": continuous}, **options)


@pytest.fixture
def steps(monkeypatch):
    """Numbers of targets of all evaluations that are not known already."""
    numbers, compute = [], TargetLosses._computed

    def computed(self, strengths, targets):
        numbers.append(len(targets))
        return compute(self, strengths, targets)

    monkeypatch.setattr(TargetLosses, "_computed", computed)
    return numbers


def nats_of(search, X, y):
    """What a search has minimised, at its result."""
    (objective,) = build_objectives(search, X, y)
    alpha = search.best_params_["alpha"][:, :N_GROUPS]
    theta = np.log(alpha).ravel()
    values, counts = np.unique(theta, return_counts=True)
    level = values[counts.argmax()]
    value = 0.5 * len(X) * N_TARGETS * np.log(objective(theta)[0])
    return value + np.abs(theta - level).sum()


def test_they_end_as_low_as_all_entries_together(drawn, steps):
    found = search_for(cv=3).fit(*drawn)
    n_alone = sum(steps)
    del steps[:]
    together = search_for(cv=3, optimizer=LBFGS()).fit(*drawn)
    assert nats_of(found, *drawn) <= nats_of(together, *drawn) + 0.1
    assert n_alone < 0.7 * sum(steps)
    assert "converged" in str(found.report())
    assert set(found.hyperparameters_["status"]) >= {"pooled"}


def test_without_shrinkage_bounds_are_those_of_the_range(drawn):
    continuous = Continuous(1.0, 30.0, per=("group", "target"), groups=GROUPS)
    options = {"cv": 3, "shrinkage": 0, "search_cv": "cv"}
    search = HypergradSearchCV(Ridge(), {"alpha": continuous}, **options).fit(*drawn)
    alpha = search.best_params_["alpha"]
    assert alpha.min() == 1.0
    assert alpha.max() == pytest.approx(30.0)
    assert "at bound" in set(search.hyperparameters_["status"])


def test_objectives_know_second_derivatives_of_each_target(drawn, five_point):
    (objective,) = build_objectives(search_for(cv=3, search_cv="cv"), *drawn)
    assert objective.knows_targets
    theta = np.random.default_rng(1).normal(size=N_TARGETS * N_GROUPS) + 3
    direction, some = np.random.default_rng(2).normal(size=theta.shape), np.array([0, 4])
    found = objective.curvature(theta, some) @ direction.reshape(N_TARGETS, -1)[some, :, None]

    def along(step):
        gradient = objective.record(theta + step * direction).gradient
        return N_TARGETS * gradient.reshape(N_TARGETS, -1)[some]

    expected = five_point(along, 1e-3)
    assert_allclose(found[:, :, 0], expected, rtol=1e-5)
    assert np.all(np.abs(1.001 * found[:, :, 0] / expected - 1) > 5e-4)


def test_features_that_every_split_scales_have_kernels_of_groups_too(drawn):
    X, y = np.tile(drawn[0], 2), drawn[1]
    continuous = Continuous(per=("group", "target"), groups=2 * GROUPS)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": continuous}, cv=2, search_cv="cv")
    X = X * np.geomspace(0.1, 10, 2 * N_FEATURES)
    (objective,) = build_objectives(search, X, y)
    assert objective.knows_targets
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6


def test_interrupted_and_stopped_searches_have_a_result(drawn):
    for n in (14, 17):
        search = search_for(cv=2).set_callbacks(After(n))
        search.fit(*drawn)
        assert search.best_params_["alpha"].shape == (N_TARGETS, N_FEATURES)
        assert "interrupted" in search.stopping_reason_


def test_interrupted_second_derivatives_leave_a_result(drawn, monkeypatch):
    def curvature(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(TargetLosses, "curvature", curvature)
    search = search_for(cv=2).fit(*drawn)
    assert "interrupted" in search.stopping_reason_


def test_searches_go_on_after_a_checkpoint(drawn, steps, tmp_path):
    whole = search_for(cv=2, checkpoint=tmp_path / "whole").fit(*drawn)
    n_computed = sum(steps)
    search_for(cv=2, checkpoint=tmp_path / "other").set_callbacks(After(15)).fit(*drawn)
    search = search_for(cv=2, checkpoint=tmp_path / "other").fit(*drawn)
    assert bits(search) == bits(whole)
    del steps[:]
    plain = search_for(cv=2).fit(*drawn)
    assert n_computed == sum(steps)
    assert_allclose(plain.best_params_["alpha"], whole.best_params_["alpha"], rtol=1e-2)


def test_other_cases_are_descended_together(drawn, monkeypatch):
    X, y = drawn
    monkeypatch.setattr(BlockNewton, "minimize", None)
    few = Continuous(per=("group", "target"), groups=GROUPS[:6])
    for grid, features, options in (
        ({"alpha": few}, slice(6), {}),
        ({"alpha": Continuous(per="group", groups=GROUPS)}, slice(None), {}),
        (
            {"alpha": Continuous(per=("group", "target"), groups=GROUPS)},
            slice(None),
            {"scoring": "neg_mean_absolute_error"},
        ),
    ):
        search = HypergradSearchCV(Ridge(), grid, cv=2, max_iter=1, **options)
        assert search.fit(X[:, features], y).n_iter_ > 1
