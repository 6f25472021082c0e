"""Starts of searches: ``Continuous(init=...)``, and ``as_start`` of an earlier search."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.strategies.run_candidate import _enumerated
from sklearn_hypergrad.spaces import LevelAndDeviations
from sklearn_hypergrad.spaces.continuous import level_of

# Some of the searches end after few iterations.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
NAMES = [f"x{number}" for number in range(12)]


@pytest.fixture(scope="module")
def noisy():
    """Two features among ten of noise, as a frame."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 12))
    return pd.DataFrame(X, columns=NAMES), X[:, 0] * 3 - X[:, 1] + rng.normal(size=120)


def both(model, keys, X, y, **options):
    """A search, and one that starts where it has ended; the first key has a value per feature."""
    per = options.pop("per", None)

    def search(starts):
        ranges = {
            key: Continuous(per=None if number else per, init=starts.get(key))
            for number, key in enumerate(keys)
        }
        return HypergradSearchCV(model, ranges, **options).fit(X, y)

    first = search({})
    # As somebody would who has written it to a file.
    return first, search(json.loads(json.dumps(first.as_start())))


@pytest.mark.parametrize(
    ("model", "keys", "per"),
    [
        (Ridge(), ["alpha"], None),
        (Lasso(), ["alpha"], None),
        (KernelRidge(kernel="rbf"), ["alpha", "gamma"], None),
        (linear_model.Ridge(), ["alpha"], "feature"),
    ],
    ids=["one value", "kinks", "two values", "a value per feature"],
)
def test_a_start_at_the_optimum_saves_half_of_the_evaluations(noisy, model, keys, per):
    first, second = both(model, keys, *noisy, per=per)
    assert second.n_iter_ <= first.n_iter_ / 2
    # Both end within the tolerance of the search.
    assert second.best_score_ == pytest.approx(first.best_score_, rel=1e-4)
    for key in keys:
        value, again = first.as_start()[key], second.as_start()[key]
        assert np.asarray(level_of(again)) == pytest.approx(level_of(value), rel=0.1)


def test_a_start_far_away_is_only_a_start(noisy):
    X, y = noisy
    best = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
    far = HypergradSearchCV(Ridge(), {"alpha": Continuous(init=1e4)}).fit(X, y)
    assert far.best_score_ == pytest.approx(best.best_score_, rel=1e-6)


def test_a_start_stays_within_bounds(noisy):
    X, y = noisy
    X = X.to_numpy()
    ranges = {"alpha": Continuous(1, 3, init=3, per=None), "fit_intercept": [True, False]}
    search = HypergradSearchCV(Ridge(), ranges).fit(X, y)
    assert all(1 <= value <= 3 for value in search.history_["value"] if value != 1.0)


STARTS = {
    "feature": ({"per": "feature"}, NAMES),
    "group": ({"per": "group", "groups": list("aaabbbcccddd")}, list("abcd")),
    "coefficient": ({"per": "coefficient"}, NAMES),
}


@pytest.mark.parametrize("per", STARTS)
def test_starts_have_the_names_of_entries(noisy, per):
    arguments, names = STARTS[per]
    ranges = {"alpha": Continuous(**arguments)}
    search = HypergradSearchCV(linear_model.Ridge(), ranges, max_iter=3, cv=3)
    start = search.fit(*noisy).as_start()["alpha"]
    assert list(start) == names
    again = HypergradSearchCV(
        linear_model.Ridge(), {"alpha": Continuous(init=start, **arguments)}, max_iter=1, cv=3
    ).fit(*noisy)
    assert again.hyperparameters_["start"].tolist() == list(start.values())


def test_features_without_names_and_transformers(noisy):
    X, y = noisy
    search = HypergradSearchCV(
        linear_model.Ridge(), {"alpha": Continuous(per="feature")}, max_iter=2, cv=3
    ).fit(X.to_numpy(), y)
    start = search.as_start()["alpha"]
    assert start == search.best_params_["alpha"].tolist()
    parts = ColumnTransformer(
        [("first", StandardScaler(), NAMES[:5]), ("rest", StandardScaler(), NAMES[5:])]
    )
    ranges = {"ridge__alpha": Continuous(per="transformer")}
    search = HypergradSearchCV(make_pipeline(parts, Ridge()), ranges, max_iter=2, cv=3).fit(X, y)
    assert list(search.as_start()["ridge__alpha"]) == ["first", "rest"]


def test_only_what_was_searched_has_a_start(noisy):
    X, y = noisy
    mixed = {"alpha": [0.1, 10.0], "fit_intercept": [True, False]}
    assert set(HypergradSearchCV(Ridge(), mixed).fit(X, y).as_start()) == {"alpha"}
    listed = HypergradSearchCV(Ridge(), {"fit_intercept": [True, False]}).fit(X, y)
    assert listed.as_start() == {}
    with pytest.raises(NotFittedError):
        HypergradSearchCV(Ridge(), mixed).as_start()


class TwoPenalties(DifferentiableRegressor):
    """Ridge regression with a penalty for each half of the features."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}

    def __init__(self, alpha=(1.0, 1.0)):
        self.alpha = alpha

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1])}

    def forward(self, w, X, h):
        return X @ w["coef"]

    def loss(self, y, z, h):
        return (y - z) ** 2

    def penalty(self, w, h):
        half = len(w["coef"]) // 2
        squares = w["coef"] ** 2
        return h["alpha"][0] * squares[:half].sum() + h["alpha"][1] * squares[half:].sum()


def test_arrays_of_own_models_start_from_arrays(noisy):
    X, y = noisy[0].to_numpy(), noisy[1]
    ranges = {"alpha": Continuous(init=[2.0, 3.0])}
    search = HypergradSearchCV(TwoPenalties(), ranges, cv=3, max_iter=2).fit(X, y)
    assert search.hyperparameters_["start"].tolist() == [2.0, 3.0]
    assert np.shape(search.as_start()["alpha"]) == (2,)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"init": [1, 2]}, r"init has the shape \(2,\), and alpha has one value: give a number"),
        ({"init": {"x0": 1.0}}, "init names 'x0'.*they have none"),
        ({"per": "feature", "init": [1, 2]}, r"values of shape \(12,\): give one of shape \(12,\)"),
        ({"per": "feature", "init": {"y": 1}}, r"init names 'y', which is no.*they are \['x0', "),
        ({"per": "feature", "init": [-1.0] * 12}, "positive values, got init=-1.0. Leave init out"),
    ],
    ids=str,
)
def test_starts_of_another_shape_are_refused(noisy, arguments, match):
    with pytest.raises(ValueError, match=match):
        HypergradSearchCV(linear_model.Ridge(), {"alpha": Continuous(**arguments)}).fit(*noisy)


def test_names_that_are_missing_start_at_the_level(noisy):
    """As in a part of the rows, whose words are not those of all."""
    init = {"x0": 0.5, "x1": 3.0, "x2": 3.0, "of another part": 7.0}
    ranges = {"alpha": Continuous(per="feature", init=init)}
    search = HypergradSearchCV(linear_model.Ridge(), ranges, cv=3, max_iter=1).fit(*noisy)
    assert search.hyperparameters_["start"].tolist() == [0.5] + [3.0] * 11


@pytest.mark.parametrize(
    ("init", "level"),
    [(2, 2), ((1.0, 2.0, 2.0), 2), ({"a": 1, "b": 5, "c": 9}, 5), (((1, 2), (2, 4)), 2)],
)
def test_the_level_is_the_most_frequent_value(init, level):
    assert level_of(Continuous(init=init).init) == level


def test_a_vector_with_a_pool_is_split_where_it_is():
    def absolute(x):
        return x, np.ones_like(x)

    splitting = LevelAndDeviations(5, (-9, 9), absolute)
    theta = np.array([1.0, 1.0, 3.5, -2.0, 1.0])
    z = splitting.start(theta)
    assert z[0] == 1.0
    np.testing.assert_array_equal(splitting.theta(z), theta)
    assert splitting.penalty(z) == 2.5 + 3.0
    # Beyond a bound the level is on it; entries of the pool stay there, as they did.
    held = LevelAndDeviations(5, (2, 9), absolute)
    np.testing.assert_array_equal(held.theta(held.start(theta)), [2.0, 2.0, 3.5, -2.0, 2.0])


def test_the_guard_leaves_starts_out(noisy, monkeypatch):
    """A start may know the rows that the guard judges on."""
    inside, seen = PreparedCandidate.inside, []

    def kept(self, *args):
        seen.append(inside(self, *args))
        return seen[-1]

    monkeypatch.setattr(PreparedCandidate, "inside", kept)
    init = dict(zip(NAMES, [0.1, *[5.0] * 11], strict=True))
    ranges = {"alpha": Continuous(per="feature", init=init)}
    HypergradSearchCV(linear_model.Ridge(), ranges, cv=3, guard=True, max_iter=2).fit(*noisy)
    assert [span.continuous.init for each in seen for span in each.ranges] == [None] * 3


def test_a_vector_that_cannot_be_searched_is_one_row_at_the_level_of_its_start():
    ranges = {"alpha": Continuous(per="feature", init=[2.0, 3.0, 3.0])}
    (candidate,) = expand(ranges, linear_model.Ridge())
    (row,) = _enumerated(candidate, "why").rows
    assert row == {"alpha": 3.0}


def test_an_init_is_plain_and_stays_as_it_is(tmp_path, noisy):
    values = np.array([1.0, 2.0])
    continuous = Continuous(per="feature", init=values)
    values[0] = 9.0
    assert continuous.init == (1.0, 2.0)
    assert continuous == Continuous(per="feature", init=[1, 2])
    assert hash(continuous) == hash(Continuous(per="feature"))
    named = {"x0": 1.0, "x1": 2.0}
    continuous = Continuous(per="feature", init=named)
    named["x0"] = 9.0
    assert continuous.init == {"x0": 1.0, "x1": 2.0}
    ranges = {"alpha": continuous}
    search = HypergradSearchCV(linear_model.Ridge(), ranges, max_iter=1, checkpoint=tmp_path)
    assert search.fit(*noisy).best_params_


@pytest.mark.parametrize(("bad", "error"), [(["1"], TypeError), ([np.nan], ValueError)])
def test_entries_of_init_are_numbers(bad, error):
    for init in (bad, {"a": bad[0]}):
        with pytest.raises(error, match=r"Continuous\(init=...\) must be"):
            Continuous(per="feature", init=init)


def test_rows_of_logistic_regression_start_there_too(data):
    X, y = data("breast_cancer")
    model = LogisticRegression(max_iter=1000)
    first, second = both(model, ["C"], X, y, scoring="neg_log_loss", cv=3)
    assert second.n_iter_ < first.n_iter_
    assert second.best_score_ == pytest.approx(first.best_score_, rel=1e-4)
