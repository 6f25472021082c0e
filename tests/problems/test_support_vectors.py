"""Support vector machines: their conditions, scikit-learn's fits, and differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import LinAlgError
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC, SVR, NuSVC, NuSVR

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.problems.kernel.machines import Machine
from sklearn_hypergrad.problems.kernel.support_vectors import SupportVectors

pytestmark = pytest.mark.portable
MACHINES = {
    "SVC": (SVC, Machine(classifies=True, by_nu=False), {"C": 1.5}),
    "NuSVC": (NuSVC, Machine(classifies=True, by_nu=True), {"nu": 0.45}),
    "SVR": (SVR, Machine(classifies=False, by_nu=False), {"C": 1.5, "epsilon": 0.2}),
    "NuSVR": (NuSVR, Machine(classifies=False, by_nu=True), {"nu": 0.4, "C": 1.5}),
}
N, TRAIN = 60, np.arange(45)


def problem(name, *, weighted=True, seed=0):
    """``(class, machine, X, y, weight, h)``; rows from 45 on are held out."""
    cls, machine, h = MACHINES[name]
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    y = X[:, 0] + np.sin(2 * X[:, 1]) + 0.5 * rng.normal(size=N)
    y = np.where(y > 0.2, 1.0, -1.0) if machine.classifies else y
    weight = np.zeros(N)
    weight[TRAIN] = rng.uniform(0.5, 1.5, len(TRAIN)) if weighted else 1.0
    return cls, machine, X, y, weight, h


def predicted(model, K):
    method = "decision_function" if hasattr(model, "decision_function") else "predict"
    return getattr(model, method)(K)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("name", MACHINES)
def test_predictions_are_those_of_scikit_learn(name, weighted):
    cls, machine, X, y, weight, h = problem(name, weighted=weighted)
    K = rbf_kernel(X, gamma=0.4)
    found = SupportVectors(machine, K, y, weight, h)
    model = cls(kernel="precomputed", tol=1e-9, **h)
    model.fit(K[np.ix_(TRAIN, TRAIN)], y[TRAIN], sample_weight=weight[TRAIN])
    assert found.status is Status.CONVERGED
    assert_allclose(found.z, predicted(model, K[:, TRAIN]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MACHINES)
def test_derivatives_agree_with_differences(name, five_point):
    _, machine, X, y, weight, h = problem(name)
    g = np.zeros(N)
    g[45:] = np.random.default_rng(1).normal(size=15)
    direction = np.random.default_rng(2).normal(size=(N, N))
    direction = direction + direction.T
    K = rbf_kernel(X, gamma=0.4)
    found = SupportVectors(machine, K, y, weight, h)
    A, gradient = found.pull(g, K @ g)
    assert set(gradient) == set(h)

    def moved(name):
        def of(step):
            at = {**h, name: h[name] * np.exp(step)}
            return g @ SupportVectors(machine, K, y, weight, at).z

        return of

    for own in h:
        assert_allclose(gradient[own] * h[own], five_point(moved(own), 1e-4), rtol=1e-6)
    slope = five_point(
        lambda s: g @ SupportVectors(machine, K + s * direction, y, weight, h).z, 1e-6
    )
    assert_allclose(A @ direction @ found.beta, slope, rtol=1e-6)


def test_equal_classes_with_a_small_C_have_no_free_vector(five_point):
    """The intercept is then in the middle of an interval, whose ends are two rows."""
    _, machine, X, y, weight, _ = problem("SVC", weighted=False)
    y[TRAIN] = np.where(np.argsort(np.argsort(y[TRAIN] + 1e-3 * X[TRAIN, 0])) < 22, -1.0, 1.0)
    weight[0] = 0.0 if y[0] > 0 else 1.0
    first = TRAIN[y[TRAIN] > 0][0]
    weight[first] = 0.0
    K, g = rbf_kernel(X, gamma=0.4), np.r_[np.zeros(45), np.linspace(-1, 2, 15)]
    assert weight @ y == 0
    found = SupportVectors(machine, K, y, weight, {"C": 1e-3})
    inside = weight > 0
    model = SVC(C=1e-3, kernel="precomputed", tol=1e-9).fit(K[np.ix_(inside, inside)], y[inside])
    assert np.all(np.abs(found.beta[inside]) == 1e-3)
    assert_allclose(found.z, predicted(model, K[:, inside]), rtol=1e-6)
    A, gradient = found.pull(g, K @ g)
    slope = five_point(
        lambda s: g @ SupportVectors(machine, K, y, weight, {"C": 1e-3 * np.exp(s)}).z, 1e-3
    )
    assert_allclose(gradient["C"] * 1e-3, slope, rtol=1e-8)
    direction = X @ X.T
    slope = five_point(
        lambda s: g @ SupportVectors(machine, K + s * direction, y, weight, {"C": 1e-3}).z, 1e-3
    )
    assert_allclose(A @ direction @ found.beta, slope, rtol=1e-6)


@pytest.mark.parametrize("name", MACHINES)
def test_a_row_twice_is_a_weight_of_two(name):
    _, machine, X, y, weight, h = problem(name)
    twice = np.r_[np.arange(N), TRAIN[:10]]
    halves = weight[twice].copy()
    halves[TRAIN[:10]] /= 2
    halves[N:] /= 2
    K = rbf_kernel(X, gamma=0.4)
    expected = SupportVectors(machine, K, y, weight, h)
    found = SupportVectors(machine, K[np.ix_(twice, twice)], y[twice], halves, h)
    assert_allclose(found.z[:N], expected.z, rtol=1e-8, atol=1e-10)


def test_conditions_hold_where_libsvm_has_not_arrived():
    """With a large C and a flat kernel, in single precision, libsvm finds another machine."""
    _, machine, X, y, weight, _ = problem("SVC")
    K, C = rbf_kernel(X, gamma=1e-3), 1e6
    found = SupportVectors(machine, K, y, weight, {"C": C})
    margin, a = (y * found.z)[TRAIN], (y * found.beta)[TRAIN]
    caps = C * weight[TRAIN]
    assert found.status is Status.CONVERGED
    assert np.all((a >= -1e-8 * caps) & (a <= (1 + 1e-8) * caps))
    free = (a > 1e-8 * caps) & (a < (1 - 1e-8) * caps)
    assert_allclose(margin[free], 1, rtol=1e-7)
    assert np.all(margin[a <= 1e-8 * caps] > 1 - 1e-6)
    assert np.all(margin[a >= (1 - 1e-8) * caps] < 1 + 1e-6)


@pytest.mark.parametrize("C", [1e-6, 1e-9])
def test_tiny_decision_values_are_as_exact_relative_to_each_other(C):
    """With a small C the same rows are at their bound, and beta is proportional to C."""
    _, machine, X, y, weight, _ = problem("SVC")
    K = rbf_kernel(X, gamma=0.4)
    usual, tiny = (SupportVectors(machine, K, y, weight, {"C": c}) for c in (1e-3, C))
    assert_allclose(tiny.beta / C, usual.beta / 1e-3, atol=1e-5)


def test_units_of_numbers_do_not_matter():
    _, machine, X, y, weight, h = problem("SVR")
    K = rbf_kernel(X, gamma=0.4)
    expected = SupportVectors(machine, K, y, weight, h).z
    for unit in (1e-6, 1e6):
        scaled = {name: unit * value for name, value in h.items()}
        found = SupportVectors(machine, K, unit * y, weight, scaled).z
        assert_allclose(found / unit, expected, rtol=1e-9)


def test_a_nu_without_a_machine():
    _, machine, X, y, weight, _ = problem("NuSVC")
    with pytest.raises(LinAlgError, match="infeasible"):
        SupportVectors(machine, rbf_kernel(X), y, weight, {"nu": 0.99})


def test_a_large_nu_leaves_no_tube():
    _, machine, X, y, weight, _ = problem("NuSVR")
    K, g = rbf_kernel(X, gamma=0.4), np.ones(N)
    found = SupportVectors(machine, K, y, weight, {"nu": 0.99, "C": 50.0})
    _, gradient = found.pull(g, K @ g)
    plain = SupportVectors(MACHINES["SVR"][1], K, y, weight, {"C": 50.0, "epsilon": 0.0})
    assert found.r == gradient["nu"] == 0
    assert_allclose(found.z, plain.z, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("name", MACHINES)
def test_rough_predictions_are_those_of_a_fit(name, weighted):
    cls, machine, X, y, weight, h = problem(name, weighted=weighted)
    K = rbf_kernel(X, gamma=0.4)
    beta, b, n_steps = machine.rough(K, y, weight, h, 1e-3)
    model = cls(kernel="precomputed", tol=1e-3, **h)
    model.fit(K[np.ix_(TRAIN, TRAIN)], y[TRAIN], sample_weight=weight[TRAIN])
    assert_allclose(K @ beta + b, predicted(model, K[:, TRAIN]), rtol=1e-9, atol=1e-9)
    assert 0 < n_steps < 30 * N


def test_rough_solutions_that_take_many_steps_are_given_up():
    _, machine, X, y, weight, _ = problem("SVC")
    K = rbf_kernel(X, gamma=0.01)
    with pytest.raises(LinAlgError, match="more than 30 steps per row"):
        machine.rough(K, y, weight, {"C": 1e6}, 1e-3)
