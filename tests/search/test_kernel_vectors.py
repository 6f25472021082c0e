"""One gamma per feature inside a kernel, alone or beside values that have no vector."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient, svm
from sklearn_hypergrad.adapters import Hyperparameter
from sklearn_hypergrad.adapters.kernel_ridge import VectorKernelRidgeFamily
from sklearn_hypergrad.inspection import HeldOutDisplay, nested_score
from sklearn_hypergrad.kernel_ridge import KernelRidge
from sklearn_hypergrad.search.objective import prepared_candidate
from sklearn_hypergrad.tuning import Objective

PER_FEATURE = {"alpha": Continuous(), "gamma": Continuous(per="feature")}
GROUPS = {"alpha": Continuous(), "gamma": Continuous(per="group", groups=list("aabb"))}
CV = KFold(3)


def problem(n_samples=60, seed=0):
    """Of four features the first two matter."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    y = np.sin(3 * X[:, 0]) + np.sin(2 * X[:, 1])
    return X, y + 0.2 * rng.normal(size=n_samples)


def search_of(grid=PER_FEATURE, **options):
    return HypergradSearchCV(KernelRidge(kernel="rbf"), grid, cv=CV, **options)


@pytest.fixture(scope="module")
def unguarded():
    return search_of(guard=False).fit(*problem())


@pytest.fixture(scope="module")
def guarded():
    return search_of().fit(*problem())


def test_rows_are_the_vector_and_the_best_with_one_gamma(unguarded):
    vector, common = unguarded.cv_results_["params"]
    assert vector["gamma"].shape == common["gamma"].shape == (4,)
    assert type(vector["alpha"]) is type(common["alpha"]) is float
    alone = search_of({"alpha": Continuous(), "gamma": Continuous()}).fit(*problem())
    assert_array_equal(common["gamma"], alone.best_params_["gamma"])
    assert common["alpha"] == alone.best_params_["alpha"]
    scores = unguarded.cv_results_["mean_test_score"]
    assert scores[1] == pytest.approx(alone.best_score_, rel=1e-9)
    assert scores[0] > scores[1] + 0.1


def test_rows_are_scores_of_real_fits(unguarded):
    X, y = problem()
    results = unguarded.cv_results_
    for row, score in zip(results["params"], results["mean_test_score"], strict=True):
        model = clone(unguarded.estimator).set_params(**row)
        assert cross_val_score(model, X, y, cv=CV).mean() == pytest.approx(score, abs=1e-12)


def test_irrelevant_features_lose_their_gamma_and_predictions_gain(unguarded):
    gamma = unguarded.best_params_["gamma"]
    assert min(gamma[:2]) > 5 * max(gamma[2:])
    X, y = problem(300, seed=1)
    common = clone(unguarded.estimator).set_params(**unguarded.cv_results_["params"][1])
    errors = [np.mean((y - m.predict(X)) ** 2) for m in (unguarded, common.fit(*problem()))]
    assert errors[0] < 0.5 * errors[1]


def test_the_order_of_the_grid_does_not_matter(unguarded):
    turned = search_of(dict(reversed(PER_FEATURE.items())), guard=False).fit(*problem())
    assert_allclose(turned.best_params_["gamma"], unguarded.best_params_["gamma"], rtol=1e-6)
    assert list(turned.hyperparameters_["name"])[-1] == "alpha"


def test_the_table_has_a_row_for_each_value(unguarded):
    table = unguarded.hyperparameters_
    assert list(table["name"]) == ["alpha", *(f"gamma[{number}]" for number in range(4))]
    statuses = list(table["status"])
    assert statuses[0] == "interior"
    assert statuses[1] == statuses[2] == "above pool"
    assert set(statuses[3:]) <= {"pooled", "below pool", "dropped"}
    assert_array_equal(table["value"][1:], unguarded.best_params_["gamma"])
    common = unguarded.cv_results_["params"][1]
    assert_array_equal(table["start"], [common["alpha"], *common["gamma"]])
    assert not hasattr(unguarded, "feature_regularization_")


def test_the_vector_alone_and_groups():
    X, y = problem()
    alone = search_of({"gamma": Continuous(per="feature")}, guard=False).fit(X, y)
    assert alone.best_params_.keys() == {"gamma"}
    assert alone.best_params_["gamma"][0] > 5 * max(alone.best_params_["gamma"][2:])
    grouped = search_of(GROUPS, guard=False).fit(X, y)
    gamma = grouped.best_params_["gamma"]
    assert gamma[0] == gamma[1] > 5 * gamma[2] == 5 * gamma[3]


def test_the_optimum_satisfies_the_conditions_of_the_l1_penalty():
    X, y = problem(seed=1)
    options = {"scoring": "neg_mean_squared_error", "tol": 1e-6, "max_iter": 500}
    search = search_of(guard=False, search_cv=CV, **options).fit(X, y)
    table, loss = search.hyperparameters_, -search.best_score_
    slope = np.asarray(table["gradient"]) * 0.5 * len(y) / loss
    status = np.asarray(table["status"])
    assert abs(slope[0]) < 1e-2
    assert abs(slope[1:].sum()) < 1e-2
    assert "pooled" in status
    assert np.abs(slope[status == "pooled"]).max() <= 1 + 1e-3
    assert_allclose(slope[status == "above pool"], -1, rtol=1e-2)
    assert_allclose(slope[status == "below pool"], 1, rtol=1e-2)


@pytest.mark.parametrize("grid", [PER_FEATURE, GROUPS])
def test_hypergradients_are_right(grid):
    assert check_hypergradient(search_of(grid), *problem(40), n_points=2).max() < 1e-6


def test_bounds_hold_for_the_level_and_for_the_values_beside_it():
    grid = {"alpha": Continuous(0.5, 2.0), "gamma": Continuous(low=0.5, per="feature")}
    with pytest.warns(match="alpha=0.5 .*at bound"):
        search = search_of(grid, guard=False).fit(*problem())
    table = search.hyperparameters_
    value, status = np.asarray(table["value"]), np.asarray(table["status"])
    assert value[0] == pytest.approx(0.5)
    assert value[status == "at bound"].min() >= 0.5 * (1 - 1e-9)


def test_vectors_inside_kernels_have_a_guard(guarded, unguarded):
    assert guarded.guard_.kept
    assert guarded.guard_.n_evaluations > guarded.n_iter_
    assert_array_equal(guarded.best_params_["gamma"], unguarded.best_params_["gamma"])
    assert not hasattr(unguarded, "guard_")
    report = str(guarded.report())
    assert f"its searches took {guarded.guard_.n_evaluations} of all" in report
    assert f"with guard=False the search takes {guarded.n_iter_} evaluations" in report
    assert "Guard " not in str(unguarded.report())


@pytest.mark.thorough
def test_a_guard_that_is_asked_for_is_the_same(guarded):
    asked = search_of(guard=True).fit(*problem())
    assert asked.guard_ == guarded.guard_
    assert "guard=False" not in str(asked.report())


def test_what_the_guard_does_not_keep_is_no_row():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 4)), rng.normal(size=40)
    search = search_of(shrinkage=0).fit(X, y)
    assert not search.guard_.kept
    (row,) = search.cv_results_["params"]
    assert np.ptp(row["gamma"]) == 0
    assert "kept one value for all" in str(search.report())
    assert set(search.hyperparameters_["status"][1:]) == {"pooled"}


def test_where_there_is_no_guard(monkeypatch):
    X, y = problem(40)
    splits = list(CV.split(X))
    assert not hasattr(search_of(tol=0.1).set_params(cv=splits).fit(X, y), "guard_")
    monkeypatch.setattr(prepared_candidate, "FEWEST_UNGUARDED", 40)
    search = search_of(tol=0.1).fit(X, y)
    assert not hasattr(search, "guard_")
    # Neither the default nor what is switched off is said to do nothing.
    assert not any("guard" in remark for remark in search.remarks_)
    plain = search_of({"gamma": Continuous()}, guard=False).fit(X, y)
    assert not any("guard" in remark for remark in plain.remarks_)
    asked = search_of({"gamma": Continuous(per="feature")}, guard=True, shrinkage=1e6).fit(X, y)
    assert any("guard=True does nothing here" in remark for remark in asked.remarks_)


def test_the_guard_is_a_parameter():
    search = search_of()
    assert search.get_params()["guard"] == "auto"
    assert clone(search.set_params(guard=True)).guard is True
    with pytest.raises(ValueError, match="The 'guard' parameter"):
        search.set_params(guard="always").fit(*problem(20))


def test_one_standard_error_moves_what_regularises(unguarded):
    search = search_of(guard=False, selection="one_se").fit(*problem())
    assert search.best_params_["alpha"] > 1.5 * unguarded.best_params_["alpha"]
    assert_allclose(search.best_params_["gamma"], unguarded.best_params_["gamma"], rtol=1e-9)
    assert "one standard error" in set(search.hyperparameters_["status"])


# The scan of one value for all, its descent, the vector.
@pytest.mark.parametrize("n_evaluations", [5, 30, 45])
def test_an_interrupt_keeps_the_best_so_far(n_evaluations, monkeypatch):
    calls = []
    evaluate = Objective._evaluate

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == n_evaluations:
            raise KeyboardInterrupt
        return evaluate(self, *args)

    monkeypatch.setattr(Objective, "_evaluate", interrupted)
    with pytest.warns(match="The search was stopped"):
        search = search_of().fit(*problem())
    assert "interrupted after " in search.stopping_reason_
    assert np.isfinite(search.best_score_)
    assert search.best_params_["gamma"].shape == (4,)


@pytest.mark.parametrize(
    ("model", "names", "scoring"),
    [
        (svm.SVC(), ("C",), "accuracy"),
        pytest.param(svm.SVC(), ("C",), "roc_auc", marks=pytest.mark.thorough),
        pytest.param(svm.SVR(), ("C", "epsilon"), "r2", marks=pytest.mark.thorough),
    ],
)
def test_support_vector_machines(model, names, scoring):
    X, y = problem(120)
    y = (y > 0).astype(int) if isinstance(model, svm.SVC) else y
    grid = {name: Continuous() for name in (*names, "gamma")}
    options = {"scoring": scoring, "cv": 3}
    common = HypergradSearchCV(model, grid, **options).fit(X, y)
    grid["gamma"] = Continuous(per="feature")
    search = HypergradSearchCV(model, grid, guard=False, **options).fit(X, y)
    assert search.best_score_ >= common.best_score_ + 0.02
    gamma = search.best_params_["gamma"]
    assert min(gamma[:2]) > max(gamma[2:])
    # Whatever the vector does, the result is that of a search for one gamma at least.
    pooled = HypergradSearchCV(model, grid, shrinkage=1e6, **options).fit(X, y)
    assert pooled.best_score_ >= common.best_score_ - 1e-9
    assert all(np.ptp(row["gamma"]) == 0 for row in pooled.cv_results_["params"])


def test_two_vectors_are_refused(monkeypatch):
    several = {name: Hyperparameter(per=("feature",)) for name in ("gamma", "coef0")}
    monkeypatch.setattr(VectorKernelRidgeFamily, "__init__", lambda self, estimator: None)
    monkeypatch.setattr(VectorKernelRidgeFamily, "hyperparameters", several, raising=False)
    grid = {name: Continuous(per="feature") for name in several}
    search = search_of(grid).set_params(estimator=KernelRidge(kernel="poly"))
    with pytest.raises(ValueError, match="gamma and coef0 are to have several values each"):
        search.fit(*problem(20))


def test_groups_of_named_features():
    pandas = pytest.importorskip("pandas")
    X, y = problem()
    frame = pandas.DataFrame(X, columns=list("abcd"))
    grid = {"alpha": Continuous(), "gamma": Continuous(per="group", groups={"a": 1, "b": 1})}
    search = search_of(grid, guard=False).fit(frame, y)
    gamma = search.best_params_["gamma"]
    assert gamma["a"] == gamma["b"] > 5 * gamma[None]
    by_place = search_of(GROUPS, guard=False).fit(X, y)
    assert_allclose(search.predict(frame), by_place.predict(X), rtol=1e-6)


def test_groups_are_drawn():
    X, y = problem()
    search = search_of(GROUPS, guard=False, tol=0.1).fit(X, y)
    display = HeldOutDisplay.from_search(search, X, y, *problem(seed=1))
    assert np.isfinite(display.held_out_losses).all()
    plt.close("all")


@pytest.mark.thorough
# Three iterations are not enough.
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_a_guarded_search_is_repeated_in_folds():
    X, y = problem(45)
    result = nested_score(search_of(max_iter=3), X, y, cv=2)
    assert all(np.isfinite(scores).all() for scores in result.scores.values())
