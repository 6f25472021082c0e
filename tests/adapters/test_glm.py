"""Models with a log link: what the table of families does not ask."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.inspection.measures import measure_of
from sklearn_hypergrad.tuning.objective import FINE

# scikit-learn's default solver stops early where alpha is small: best scores are compared where it
# does not.
EXACT = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 300}
OWN = {
    "d2_poisson_deviance": PoissonRegressor(**EXACT),
    "d2_gamma_deviance": GammaRegressor(**EXACT),
    "d2_tweedie_deviance": TweedieRegressor(power=1.3, **EXACT),
}


def column(load, name):
    """One feature of a data set, which is positive, from the others."""
    found = load()
    number = list(found.feature_names).index(name)
    return np.delete(found.data, number, axis=1), found.data[:, number]


SETS = {
    "diabetes": lambda: load_diabetes(return_X_y=True),
    "wine": lambda: column(load_wine, "proline"),
    "breast cancer": lambda: column(load_breast_cancer, "mean smoothness"),
}


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("diabetes", PoissonRegressor),
        ("diabetes", GammaRegressor),
        ("wine", PoissonRegressor),
        ("breast cancer", GammaRegressor),
    ],
)
def test_no_value_of_a_grid_scores_better(name, cls):
    X, y = SETS[name]()
    pipeline = make_pipeline(StandardScaler(), cls(**EXACT))
    param_grid = {f"{cls.__name__.lower()}__alpha": np.logspace(-4, 2, 10)}
    search = HypergradSearchCV(pipeline, param_grid, cv=3).fit(X, y)
    grid = GridSearchCV(pipeline, param_grid, cv=3).fit(X, y)
    # A best value on a bound is the same one.
    assert search.best_score_ >= grid.best_score_ - 1e-9
    assert len(search.cv_results_["params"]) == 1


@pytest.mark.parametrize("name", OWN)
def test_the_own_score_is_descended(name):
    X, y = load_diabetes(return_X_y=True)
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    search = HypergradSearchCV(OWN[name], {"alpha": Continuous()}, cv=3)
    search.fit(X, y, sample_weight=weight)
    assert search.validation_loss_ == name
    finest = search.history_["inner_tol"] == np.min(search.history_["inner_tol"])
    losses = np.asarray(search.history_["loss"])[finest]
    assert_allclose(1 - losses.min(), search.best_score_, rtol=1e-6)
    assert check_hypergradient(search, X, y, n_points=2, step=3e-3).max() < 1e-6
    scorer = check_scoring(OWN[name])
    measure = measure_of(scorer, OWN[name])
    assert (measure.name, measure.label, measure.offset) == (name, "1 - D²", 1.0)


# scikit-learn's score is not finite there.
@pytest.mark.filterwarnings("ignore")
def test_where_held_out_targets_are_constant_their_deviance_is_descended():
    X, y = np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 5 + 1.0
    y[:8] = 3.0
    for cls, loss in (
        (PoissonRegressor, "poisson_deviance"),
        (GammaRegressor, "gamma_deviance"),
        (TweedieRegressor, "squared_error"),
    ):
        params = {"power": 1.5} if cls is TweedieRegressor else {}
        search = HypergradSearchCV(cls(**params), {"alpha": [0.1, 1]}, cv=3).fit(X, y)
        assert search.validation_loss_ == loss


@pytest.mark.parametrize(
    ("estimator", "y"),
    [
        (PoissonRegressor(), np.arange(12.0) % 3 - 1),
        (GammaRegressor(), np.arange(12.0) % 3),
        (TweedieRegressor(power=1.5), np.arange(12.0) % 3 - 1),
    ],
)
def test_targets_out_of_range_are_reported_by_scikit_learn(estimator, y):
    X = np.random.default_rng(0).normal(size=(12, 2))
    search = HypergradSearchCV(estimator, {"alpha": [0.1, 1]}, cv=2)
    with pytest.raises(ValueError, match="out of the valid range of the loss"):
        search.fit(X, y)


@pytest.mark.parametrize(
    ("y", "reason"),
    [
        (np.ones((12, 2)), "several columns"),
        (np.arange(12.0) - 1, "has the value -1, which is out of the range"),
        (np.zeros(12), "are zero"),
    ],
)
def test_targets_without_a_model(rows, y, reason):
    (row,) = [row for row in rows if row.name == "poisson"]
    half = np.arange(12)[:6]
    with pytest.raises(ValueError, match=reason):
        row.models(X=np.ones((12, 2)), y=y, splits=[(half, half + 6)])


def test_another_loss_is_another_model():
    class Other(PoissonRegressor):
        def _get_loss(self, xp=None, device=None):
            return GammaRegressor()._get_loss()

    obstacle = family(Other()).obstacle(Other())
    assert obstacle == "Other overrides PoissonRegressor._get_loss"


def test_another_score_is_not_taken_for_d2():
    class Other(PoissonRegressor):
        def score(self, X, y, sample_weight=None):
            return 0.0

    assert family(Other()).score_loss(Other()) is None


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_the_tolerance_does_not_depend_on_the_unit(rows, tol, unit):
    """Counts of any mean are solved in few steps, and as exactly as is asked for."""
    (row,) = [row for row in rows if row.name == "poisson, large counts"]
    X, y = row.data()
    # Penalties stand against losses, which are in the unit of the counts.
    h = {"alpha": unit * row.h["alpha"]}
    (model,) = row.models(y=unit * y)
    exact = model.fit(h, None, tol)
    rough = model.fit(h, None, FINE)
    assert_allclose(rough.z, exact.z, rtol=1e-6)
    assert rough.n_solves <= 8 * model.data.n_splits
    assert_allclose(exact.z / unit, row.models()[0].fit(row.h, None, tol).z, rtol=1e-9)


def test_the_derivative_does_not_depend_on_where_the_fit_starts(rows, tol):
    (row,) = [row for row in rows if row.name == "gamma"]
    (model,) = row.models()
    g = np.ones_like(model.fit(row.h, None, tol).z)
    far = model.fit({"alpha": 1e6}, None, tol)
    found = model.fit(row.h, far.pullback(g).state, tol).pullback(g).gradient["alpha"]
    assert_allclose(found, model.fit(row.h, None, tol).pullback(g).gradient["alpha"], rtol=1e-9)
