"""Hyperparameters that move while training runs."""

import dataclasses
import re
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.hypergradients import Forward, Implicit, Online, RealTime
from sklearn_hypergrad.hypergradients.online.series import EVERY, N_TERMS, Series
from sklearn_hypergrad.linalg import CG, Identity, InverseHessian, Neumann, Solved, SolveStatus
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import (
    STATUSES,
    VALIDATION_LOSSES,
    GramRidge,
    L2Penalty,
    Linearization,
    Network,
    NetworkProblem,
    PredictionLoss,
    Status,
)
from sklearn_hypergrad.training import (
    Adam,
    Diverged,
    GradientDescent,
    Listed,
    Momentum,
    Nesterov,
    RMSprop,
    Training,
)

DYNAMICS = [Momentum(), Momentum(averaged=True), Nesterov(), Adam(0.1), RMSprop(0.1)]
EXACT = Online(CG(tol=1e-13), 1)
METHODS = [Online(n_steps=4), Online("identity", 4), EXACT, RealTime(4, discount=0.5)]
# On the training loss only, as all methods reach it.
ALPHA = np.linspace(0.05, 0.3, 3 * 4 + 4 * 2)
each_method = pytest.mark.parametrize("method", METHODS, ids=repr)


def begun(case, method, h=None):
    """A session of the network, with the hyperparameters."""
    h = {"alpha": ALPHA} if h is None else h
    case.training.settings.update({n: v for n, v in case.h.items() if n not in h})
    return method.begin(case.training, h, 3), h


def weights(session):
    return session.w.copy()


def blow_up(session, outer):
    for _ in range(40):
        session.advance({"alpha": 1e30 * ALPHA}, outer)


# Against what they are made of.


@pytest.fixture
def ridge(make_block):
    """Training of ridge regression on three splits, its outer objective, and the problem."""
    block = make_block(weighted=True)
    problem = GramRidge(block, L2Penalty("h"), fit_intercept=True)
    h = {"h": np.array(2.0)}
    training = GradientDescent(2000, momentum=0.9).training(problem, h)
    return training, PredictionLoss(problem, block, VALIDATION_LOSSES["squared_error"]), problem, h


def exact(ridge):
    _, outer, problem, h = ridge
    return Implicit().evaluate(problem, outer, h, None, 1e-12)


def assert_close(actual, expected, rtol):
    assert_allclose(actual.values, expected.values, rtol=rtol)
    assert actual.gradient.keys() == expected.gradient.keys()
    for name, part in expected.gradient.items():
        assert np.abs(part).max() > 0
        assert_allclose(actual.gradient[name], part, rtol=rtol)


def test_at_a_minimum_it_is_implicit_differentiation(ridge):
    training, outer, _, h = ridge
    session = Online(CG(tol=1e-13)).begin(training, h, 1)
    evaluation = session.advance(h, outer)
    assert session.t == session.n_steps == 2000
    assert evaluation.statuses == (Status.CONVERGED, Status.CONVERGED)
    assert_close(evaluation, exact(ridge), 1e-8)
    wrong = dataclasses.replace(evaluation, gradient={"h": 1.001 * evaluation.gradient["h"]})
    with pytest.raises(AssertionError):
        assert_close(wrong, exact(ridge), 1e-8)


@pytest.mark.parametrize(
    ("inverse", "rtol"), [("cg", 1e-2), (CG(tol=1e-13), 1e-8), (Neumann(3000), 1e-5)], ids=repr
)
def test_solvers_agree_at_a_minimum(ridge, inverse, rtol):
    training, outer, _, h = ridge
    evaluation = Online(inverse).begin(training, h, 1).advance(h, outer)
    assert_close(evaluation, exact(ridge), rtol)


def test_the_series_is_nearer_than_its_first_term(ridge):
    training, outer, _, h = ridge
    slopes = [
        Online(inverse).begin(training, h, 1).advance(h, outer).gradient["h"]
        for inverse in ("neumann", Neumann(1))
    ]
    series, first = np.abs(slopes / exact(ridge).gradient["h"] - 1)
    assert series < 0.5 * first


def dense(product, n):
    return np.array([product(unit) for unit in np.eye(n)]).T


@pytest.mark.parametrize("gauss_newton", [False, True])
@pytest.mark.parametrize("dynamics", DYNAMICS[:3], ids=repr)
def test_the_hypergradient_is_that_of_the_formula(network_run, dynamics, gauss_newton):
    # Without hidden layers the Hessian is positive semi-definite.
    case = network_run(dynamics, hidden=(4,) if gauss_newton else ())
    alpha = np.linspace(0.5, 1, sum(n_in * n_out for n_in, n_out in case.network.shapes))
    session, h = begun(case, Online(CG(tol=1e-13), 4, gauss_newton), {"alpha": alpha, **case.data})
    session.advance(h, case.outer)
    evaluation = session.advance(h, case.outer)
    w = weights(session)
    linearization = case.training.run(h).linearize(w, 8)
    product = linearization.gauss_newton if gauss_newton else lambda v: linearization.push(v, {})
    values, grad_w, _ = case.outer(w, h)
    # Biases of the outputs may move together.
    adjoint = np.linalg.pinv(dense(product, w.size), rcond=1e-8, hermitian=True) @ grad_w
    cross = linearization.pull(-adjoint)[1]
    assert_array_equal(evaluation.values, values)
    assert evaluation.statuses[1] is Status.CONVERGED
    for name in h:
        assert_allclose(evaluation.gradient[name], cross[name], rtol=1e-6, atol=1e-9)
        with pytest.raises(AssertionError):
            assert_allclose(1.001 * evaluation.gradient[name], cross[name], rtol=1e-6, atol=1e-9)


def test_identity_leaves_the_inverse_out(network_run):
    case = network_run()
    session, h = begun(case, Online("identity", 4))
    evaluation = session.advance(h, case.outer)
    w = weights(session)
    slope = case.training.problem.penalty.cross(ALPHA, w, case.outer(w, h)[1])
    assert_allclose(evaluation.gradient["alpha"], -slope, rtol=1e-12)


def test_gauss_newton_products_of_networks(network_run, five_point):
    """They are J' L'' J: of the derivatives J of the outputs, by differences."""
    case = network_run()
    w, problem = case.training.problem.initial({}), case.training.problem
    h = {"alpha": ALPHA}
    X = problem.inputs(h, slice(None))
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, w.size))
    Ju, Jv = (five_point(lambda s, d=d: case.network.outputs(w + s * d, X), 1e-3) for d in (u, v))
    loss = case.network.loss
    curved = loss.hvp(loss.factor(None, case.network.outputs(w, X)), Jv) / len(X)
    penalty = problem.penalty.cross(ALPHA, u, v) @ ALPHA
    product = problem.linearize(w, h, None).gauss_newton(v)
    assert_allclose(u @ product, np.sum(Ju * curved) + penalty, rtol=1e-8)


def test_a_problem_without_gauss_newton_products_says_so():
    class Plain(Linearization):
        def pull(self, v):
            return v, {}

        def push(self, v, u):
            return v

    with pytest.raises(ValueError, match="no Gauss-Newton products. Leave gauss_newton=False"):
        Plain().gauss_newton(np.ones(2))
    assert Plain().cross(np.ones(2)) == {}


@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
@pytest.mark.parametrize("n_steps", [1, 3, 4, 12])
def test_in_real_time_it_is_forward_mode(network_run, assert_agree, dynamics, n_steps):
    case = network_run(dynamics)
    expected, (session, h) = case.evaluate(Forward()), begun(case, RealTime(n_steps), case.h)
    for _ in range(12 // n_steps):
        evaluation = session.advance(h, case.outer)
    assert session.t == 12
    assert_agree(evaluation, expected, 1e-10)
    assert_array_equal(evaluation.w, expected.w)
    wrong = {n: 1.001 * part for n, part in evaluation.gradient.items()}
    with pytest.raises(AssertionError):
        assert_agree(dataclasses.replace(evaluation, gradient=wrong), expected, 1e-10)


def test_tangents_go_on_across_updates(network_run, five_point):
    """A shift of all values that were used moves the loss as the hypergradient says."""
    case = network_run()
    factors = [1.0, 0.8, 1.3]

    def shifted(shift, name):
        session, _ = begun(case, RealTime(4), case.h)
        for factor in factors:
            h = {n: factor * value for n, value in case.h.items()}
            evaluation = session.advance({**h, name: h[name] + shift}, case.outer)
        return evaluation

    for name in case.h:
        expected = five_point(lambda s, name=name: shifted(s, name).values.sum(), 1e-4)
        assert_allclose(shifted(0.0, name).gradient[name], expected, rtol=1e-7)


@pytest.mark.parametrize("discount", [0.0, 0.6])
def test_discounted_steps_count_less(network_run, five_point, discount):
    """A shift that is smaller the longer ago moves the loss as the hypergradient says."""
    case = network_run()
    method = RealTime(4, discount=discount)

    def shifted(shift, name):
        session, h = begun(case, method, case.h)
        for age in (2, 1, 0):
            moved = {**h, name: h[name] + discount**age * shift}
            evaluation = session.advance(moved, case.outer)
        return evaluation

    for name in case.h:
        expected = five_point(lambda s, name=name: shifted(s, name).values.sum(), 1e-4)
        assert_allclose(shifted(0.0, name).gradient[name], expected, rtol=1e-7)
    with pytest.raises(AssertionError):
        assert_allclose(1.001 * shifted(0.0, name).gradient[name], expected, rtol=1e-7)


@pytest.mark.parametrize("discount", [-0.1, 1.1, np.nan])
def test_discounts_are_from_0_to_1(discount):
    with pytest.raises(ValueError, match="discount must be a number from 0 to 1"):
        RealTime(discount=discount)


# Sessions.


@pytest.mark.parametrize("tuned", ["data", "alpha"])
@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
@each_method
def test_training_is_that_of_a_run(network_run, dynamics, method, tuned):
    case = network_run(dynamics, (2,))
    if isinstance(method, RealTime) and tuned == "data":
        method, case.data = RealTime(4), {"sample_weight": case.data["sample_weight"]}
    session, h = begun(case, method, case.data if tuned == "data" else None)
    start = case.training.problem.initial({})
    assert_array_equal(session.w, start)
    run = case.training.run(h)
    for t, _, after, _ in run.walk():
        if (t + 1) % session.n_steps == 0:
            evaluation = session.advance(h, case.outer)
            assert_array_equal(evaluation.w, after.w)
            assert_array_equal(evaluation.values, case.outer(after.w, h)[0])
    assert_array_equal(case.training.problem.initial({}), start)


@each_method
def test_what_was_saved_is_restored_as_often_as_needed(network_run, method):
    case = network_run(Adam(0.1))
    session, h = begun(case, method)
    for _ in range(2):
        session.advance(h, case.outer)
    saved = session.save()
    first = session.advance(h, case.outer)
    w = weights(session)
    for factor in (3.0, 1.0):
        session.advance({"alpha": factor * ALPHA}, case.outer)
        session.restore(saved)
        assert session.t == 2 * session.n_steps
        again = session.advance(h, case.outer)
        assert_array_equal(again.values, first.values)
        assert_array_equal(again.gradient["alpha"], first.gradient["alpha"])
        assert_array_equal(weights(session), w)
        session.restore(saved)


def test_the_scale_of_a_series_is_restored(network_run):
    case = network_run()
    session, h = begun(case, Online(n_steps=1))
    for _ in range(EVERY - 1):
        session.advance(h, case.outer)
    saved = session.save()
    first = session.advance(h, case.outer).gradient["alpha"]
    session.restore(saved)
    # At the second of these a scale is found, for another curvature.
    for _ in range(2):
        session.advance({"alpha": 10 * ALPHA}, case.outer)
    session.restore(saved)
    assert_array_equal(session.advance(h, case.outer).gradient["alpha"], first)


@each_method
def test_the_start_of_a_problem_stays(network_run, method, monkeypatch):
    case = network_run()
    # Some problems have one copy of it, and hand that out.
    problem, start = case.training.problem, case.training.problem.initial({})
    monkeypatch.setattr(problem, "initial", lambda h: start)
    before = start.copy()
    session, h = begun(case, method)
    session.advance(h, case.outer)
    assert_array_equal(start, before)


@each_method
def test_after_divergence_the_session_can_be_restored(network_run, method):
    case = network_run()
    session, h = begun(case, method)
    session.advance(h, case.outer)
    saved, w = session.save(), weights(session)
    with pytest.raises(Diverged, match="Use a smaller learning rate or momentum"):
        blow_up(session, case.outer)
    session.restore(saved)
    assert_array_equal(session.w, w)
    assert np.isfinite(session.advance(h, case.outer).values).all()


def test_divergence_of_the_last_step_names_it(network_run):
    case = network_run()
    session, h = begun(case, RealTime(1), {"learning_rate_init": np.array(np.inf)})
    with pytest.raises(Diverged, match="not finite after step 0 of 12"):
        session.advance(h, case.outer)


@each_method
def test_training_may_go_on_for_longer_than_was_asked_for(network_run, method):
    case = network_run()
    session, h = begun(case, method)
    for _ in range(20):
        values = session.advance(h, case.outer).values
    assert session.t == 20 * session.n_steps > 12 or method is EXACT
    assert np.isfinite(values).all()
    with pytest.raises(Diverged, match=r"at step \d+\. Use a smaller"):
        blow_up(session, case.outer)


# Of 100, from one to the next of so many outer steps.
STEPS = {1: 100, 7: 14, 50: 2, 51: 2, 66: 2, 67: 1, 99: 1, 200: 1, 1000: 1}


def test_steps_between_updates_make_one_training(network_run):
    training = network_run(n_steps=100).training
    h = {"alpha": np.array(0.1)}
    training.settings.update({"learning_rate_init": 0.1, "momentum": 0.5})
    for method in (Online(), RealTime()):
        assert [method.begin(training, h, n).n_steps for n in STEPS] == [*STEPS.values()]
    assert Online(n_steps=3).begin(training, h, 50).n_steps == 3


class Ended(InverseHessian):
    """The identity, which says that it has ended in some way."""

    def __init__(self, status):
        self.status = status

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        return Solved(right.copy(), 3, 0.5, self.status)


@pytest.mark.parametrize("status", SolveStatus)
def test_what_a_solver_reports_is_passed_on(network_run, status):
    session, h = begun(case := network_run(), Online(Ended(status)))
    evaluation = session.advance(h, case.outer)
    assert evaluation.statuses == (Status.CONVERGED, STATUSES[status])
    assert (evaluation.linear_iterations, evaluation.linear_residual) == (3, 0.5)


def test_weights_of_a_session_are_read_only(network_run):
    session, h = begun(network_run(), Online())
    with pytest.raises(ValueError, match="read-only"):
        session.w[0] = 0.0


@each_method
def test_costs_are_counted_and_inputs_stay(network_run, method):
    case = network_run()
    session, h = begun(case, method)
    evaluation = session.advance(h, case.outer)
    assert evaluation.n_solves > session.n_steps
    assert_array_equal(h["alpha"], ALPHA)
    kept = evaluation.gradient["alpha"].copy()
    session.advance(h, case.outer)
    assert_array_equal(evaluation.gradient["alpha"], kept)


def test_gradients_of_a_series_are_counted(network_run):
    case = network_run()
    session, h = begun(case, Online(n_steps=4))
    counts = [session.advance(h, case.outer).n_solves for _ in range(EVERY + 1)]
    assert max(counts[1:-1]) <= 4 + 2 + 2 * (N_TERMS - 1)
    # 30 products find the scale, at first and after some steps.
    assert counts[0] >= 4 + 2 + 2 * 30
    assert counts[-1] >= 4 + 2 + 2 * 30


@each_method
def test_shapes_and_single_precision(network_run, method):
    for alpha in (np.array(0.1), np.array([0.1, 0.2]), np.array([[0.1, 0.2]]), ALPHA):
        found = []
        for dtype in (np.float64, np.float32):
            case = network_run(dtype=dtype)
            session, h = begun(case, method, {"alpha": alpha.astype(dtype)})
            for _ in range(3):
                evaluation = session.advance(h, case.outer)
            assert np.shape(evaluation.gradient["alpha"]) == alpha.shape
            assert session.w.dtype == dtype
            found.append(evaluation.gradient["alpha"])
        assert_allclose(found[1], found[0], rtol=2e-3, atol=1e-4 * np.abs(found[0]).max())


@each_method
def test_what_the_outer_objective_knows_is_tuned(network_run, method):
    case = network_run()

    def outer(w, h):
        values, grad_w, _ = case.outer(w, h)
        direct = {"gamma": 2 * h["gamma"], "alpha": 1.0}
        return values + h["gamma"] ** 2 + h["alpha"].sum(), grad_w, direct

    h = {"alpha": ALPHA, "gamma": np.array(0.5)}
    gradient = begun(case, method, h)[0].advance(h, outer).gradient
    assert gradient["gamma"] == 1.0
    alone = begun(case, method)[0].advance({"alpha": ALPHA}, case.outer).gradient
    assert_allclose(gradient["alpha"], 1 + alone["alpha"], rtol=1e-12)


# Series.


def test_a_series_has_the_terms_of_neumann():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(8, 8))
    H, right = A @ A.T, rng.normal(size=8)
    series = Series()
    series.prepare(H.__matmul__, right)
    solved = series.solve(H.__matmul__, right)
    scale = 1 / (1.1 * np.linalg.eigvalsh(H)[-1])
    expected = Neumann(N_TERMS, scale).solve(H.__matmul__, right)
    # The largest eigenvalue is found from below.
    assert_allclose(solved.x, expected.x, rtol=0.05)
    assert solved.status is SolveStatus.DONE


def test_a_series_of_a_matrix_that_is_not_positive_ends():
    H, right = np.diag([1.0, -2.0]), np.array([0.1, 1.0])
    series = Series()
    series.prepare(H.__matmul__, right)
    solved = series.solve(H.__matmul__, right)
    assert solved.status is SolveStatus.DIVERGED
    assert solved.n_iter < N_TERMS - 1
    assert np.abs(solved.x).max() < 1


def test_a_series_of_nothing_is_finite():
    series, right = Series(), np.ones(3)
    series.prepare(np.zeros_like, right)
    assert_array_equal(series.solve(np.zeros_like, right).x, 10 * right)


# Searching.


def penalties_learned(network_run, method, n_outer):
    """Validation losses along a descent of all log penalties, and without it."""
    case = network_run(n_steps=300, hidden=(20,), batch_size=20)
    n = case.training.problem.penalty.cross(np.ones(999), *2 * [np.zeros(3 * 20 + 20 * 2 + 22)])
    h, losses = {"alpha": np.full(n.size, 1e-3)}, []
    case.training.settings.update({"learning_rate_init": 0.3, "momentum": 0.5})
    session, square = method.begin(case.training, h, n_outer), 0.0
    for i in range(1, n_outer + 1):
        evaluation = session.advance(h, case.outer)
        losses.append(evaluation.values[0])
        slope = evaluation.gradient["alpha"] * h["alpha"]
        square = 0.9 * square + 0.1 * slope**2
        step = 0.3 * slope / np.sqrt(square / (1 - 0.9**i) + 1e-16)
        h = {"alpha": np.clip(h["alpha"] * np.exp(-step), 1e-6, 2.0)}
    untuned = case.training.run({"alpha": np.full(n.size, 1e-3)}).final().w
    return losses, case.outer(untuned, h)[0][0]


@pytest.mark.parametrize(
    "method", [Online(), Online("identity"), Online(Neumann(30), gauss_newton=True)], ids=repr
)
@pytest.mark.thorough
def test_penalties_of_every_coefficient_are_learned_on_the_way(network_run, method):
    losses, untuned = penalties_learned(network_run, method, 60)
    # Without penalties the few samples are learned by heart.
    assert untuned > 3
    assert losses[-1] < 0.3 * untuned


# Refusals.


RATES = re.escape("hypergradient='real_time', or 'reverse'")


@pytest.mark.parametrize("name", ["learning_rate_init", "momentum"])
def test_rates_are_refused_with_an_alternative(network_run, name):
    case = network_run()
    with pytest.raises(ValueError, match=rf"Cannot tune '{name}' with Online\(\): .*{RATES}"):
        begun(case, Online(), {name: case.h[name], "alpha": ALPHA})


@pytest.mark.parametrize("method", [Online(), RealTime()], ids=repr)
def test_starts_are_refused_with_an_alternative(network_run, method):
    with pytest.raises(ValueError, match=r"Cannot tune 'init_scale' with .*'reverse'"):
        begun(network_run(), method, {"init_scale": np.array(0.5), "alpha": ALPHA})


@pytest.mark.parametrize("tuned", [True, False])
@pytest.mark.parametrize("method", [Online(), RealTime()], ids=repr)
def test_schedules_are_refused_with_an_alternative(network_run, method, tuned):
    case = network_run()
    schedule = {"momentum": np.full(12, 0.5)}
    case.h |= {} if tuned else schedule
    h = {"alpha": np.full((12, 1), 0.1)} if tuned else None
    name = "alpha" if tuned else "momentum"
    with pytest.raises(ValueError, match=rf"'{name}' has a value for every step.*'reverse'"):
        begun(case, method, h)


def test_too_many_entries_in_real_time_are_refused(network_run):
    case = network_run(hidden=(40,))
    h = {"alpha": np.full(5 * 40, 0.1)}
    with pytest.raises(ValueError, match=r"Cannot tune 200 entries with RealTime\(\).*'online'"):
        begun(case, RealTime(), h)
    begun(case, Online(), h)


@each_method
def test_what_nothing_depends_on_is_named(network_run, method):
    h = {"alpha": ALPHA, "gamma": np.array(0.5)}
    session, h = begun(case := network_run(), method, h)
    with pytest.raises(ValueError, match="Cannot tune 'gamma' with .*neither training nor the"):
        session.advance(h, case.outer)


def test_parameters_are_checked():
    for method in (Online, RealTime):
        for n_steps in (0, 2.5, "3"):
            with pytest.raises(ValueError, match=f"n_steps must be an integer .* got {n_steps!r}"):
                method(n_steps=n_steps)
        assert method(n_steps=np.int64(3)).n_steps == 3
    with pytest.raises(ValueError, match="solver must be 'neumann', 'identity', 'cg' or an Inv"):
        Online("newton")


def test_reprs():
    methods = Online(), Online("cg", 5, gauss_newton=True), Online(Identity()), RealTime(7)
    assert " ".join(map(repr, (*methods, RealTime()))) == (
        "Online() Online(solver='cg', n_steps=5, gauss_newton=True) Online(solver=Identity()) "
        "RealTime(n_steps=7) RealTime()"
    )


@pytest.mark.parametrize("batches", [[None], [np.arange(5), None]], ids=["all", "some"])
def test_the_batch_is_that_of_the_next_step(network_run, batches):
    case = network_run()
    case.training = dataclasses.replace(case.training, batches=Listed(batches))
    session, h = begun(case, Online("identity", 1), case.data)
    for t in range(1, 4):
        gradient = session.advance(h, case.outer).gradient["sample_weight"]
        n_rows = 20 if batches[t % len(batches)] is None else 5
        assert np.count_nonzero(gradient) == n_rows


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "method", [Online("identity", 3), Online("neumann", 3), Online("neumann", 3, True)], ids=repr
)
def test_memory_is_a_few_times_that_of_the_weights(method, dtype):
    """With a penalty for every coefficient, and an outer optimizer that keeps one array more."""
    rng = np.random.default_rng(0)
    network = Network((400, 250, 10), "tanh", MultinomialLoss(), dtype)
    X, y = rng.normal(size=(40, 400)).astype(dtype), np.eye(10, dtype=dtype)[np.arange(40) % 10]
    start = (0.05 * rng.normal(size=network.n_weights)).astype(dtype)
    problem = NetworkProblem(network, X, y, start=start)
    settings = {"learning_rate_init": 0.01, "momentum": 0.9}
    batches = Listed([slice(0, 10), slice(10, 20)])
    training = Training(problem, Momentum(), batches, 9, settings)

    def outer(w, h):
        z, pullback = network.predictions(w, X[20:])
        return np.zeros(1), pullback(network.loss.gradient(y[20:], z)), {}

    tracemalloc.start()
    h = {"alpha": np.full(400 * 250 + 250 * 10, 1e-3, dtype)}
    square, session = np.zeros_like(h["alpha"]), method.begin(training, h, 3)
    for _ in range(3):
        gradient = session.advance(h, outer).gradient["alpha"]
        square += gradient
        del gradient
    peak = tracemalloc.get_traced_memory()[1] / start.nbytes
    tracemalloc.stop()
    # The weights, velocities, penalties and that array make four.
    assert 4 < peak < 8
