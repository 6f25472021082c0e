"""Data cleaning: the set of weights, the gradient, what is found, and the estimator around it."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, KFold, PredefinedSplit, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_hypergrad import HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.data_cleaning import DataCleaner
from sklearn_hypergrad.data_cleaning import cleaner as cleaner_module
from sklearn_hypergrad.data_cleaning.weights import ProjectedAdam, projection
from sklearn_hypergrad.hypergradients import Implicit, Reverse, Truncated
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.neural_network.targets import coded_classes
from sklearn_hypergrad.neural_network.training import network_training
from sklearn_hypergrad.problems import MeanLoss
from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.tuning import Objective, ProblemTerm

N_NOISY, N_CLEAN = 400, 400


def softmax(n_steps=50, **params):
    """A linear model, quickly trained on all rows."""
    params = {"alpha": 0.0, "init_scale": 0.0, "batch_size": 10**6, **params}
    return MLPClassifier((), n_steps=n_steps, **params)


def quick(estimator=None, **params):
    """A cleaner with few and long steps."""
    params = {"learning_rate": 0.1, "max_iter": 12, **params}
    return DataCleaner(softmax() if estimator is None else estimator, **params)


class Digits:
    """Rows with 30 % wrong labels, clean ones, and others."""

    def __init__(self):
        X, y = load_digits(return_X_y=True)
        rng = np.random.default_rng(0)
        order, ends = rng.permutation(len(y)), (N_NOISY, N_NOISY + N_CLEAN)
        X, y = X[order] / 16, y[order]
        self.X, self.X_clean, self.X_test = np.split(X, ends)
        self.y, self.y_clean, self.y_test = np.split(y, ends)
        self.y_true = self.y.copy()
        self.wrong = rng.uniform(size=N_NOISY) < 0.3
        self.y[self.wrong] = (self.y[self.wrong] + rng.integers(1, 10, self.wrong.sum())) % 10

    @property
    def given(self):
        return self.X, self.y, self.X_clean, self.y_clean

    @property
    def joined(self):
        """All rows, and the split that says which are clean."""
        split = PredefinedSplit(np.repeat([-1, 0], [N_NOISY, N_CLEAN]))
        return np.vstack(self.given[::2]), np.concatenate(self.given[1::2]), split


@pytest.fixture(scope="module")
def digits():
    return Digits()


@pytest.fixture(scope="module")
def fitted(digits):
    return quick().fit(*digits.given)


def brief(**params):
    """A cleaner that has flagged rows after a few steps, where it matters that these are equal."""
    return quick(**{"learning_rate": 0.4, "max_iter": 4, **params})


@pytest.fixture(scope="module")
def briefly_fitted(digits):
    return brief().fit(*digits.given)


def test_projection_is_the_nearest_point():
    rng = np.random.default_rng(0)
    for _ in range(30):
        z, budget = rng.normal(0.4, 0.7, size=6), rng.uniform(0.2, 5)
        found = projection(z, budget)
        nearest = minimize(
            lambda x, z: (0.5 * np.sum((x - z) ** 2), x - z),
            np.full(6, min(1, budget / 6)),
            args=(z,),
            jac=True,
            method="SLSQP",
            bounds=[(0, 1)] * 6,
            constraints={"type": "ineq", "fun": lambda x, z, b=budget: b - x.sum(), "args": (z,)},
            options={"ftol": 1e-14, "maxiter": 300},
        ).x
        np.testing.assert_allclose(found, nearest, atol=1e-6)
        assert found.sum() <= budget * (1 + 1e-12)


def test_projection_of_ties_and_corners():
    np.testing.assert_allclose(projection(np.full(4, 7.0), 1.0), 0.25)
    np.testing.assert_array_equal(projection(np.array([5.0, 3.0, -1.0]), 2.0), [1, 1, 0])
    np.testing.assert_array_equal(projection(np.array([-5.0, -3.0]), 2.0), [0, 0])
    # Scaling what was clipped is no projection.
    z = np.array([0.9, 0.5, 0.1])
    np.testing.assert_allclose(projection(z, 1.0), [0.7, 0.3, 0.0])


def test_descent_returns_what_had_the_smallest_value():
    points, values = [], [3.0, 1.0, 2.0, 5.0]

    def fun(weights):
        points.append(weights.copy())
        return values[len(points) - 1], np.array([1.0, -1.0, 0.5])

    bounds = np.array([[0.0, 1.0]] * 3)
    end = ProjectedAdam(2.0, 0.1).minimize(fun, np.full(3, 0.5), bounds, tol=0, max_iter=4)
    np.testing.assert_array_equal(end.z, points[1])
    np.testing.assert_allclose(points[1], [0.4, 0.6, 0.4])
    assert len(points) == 4


@pytest.mark.parametrize("estimator", [softmax(8), MLPClassifier(4, "tanh", n_steps=12)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_in_sample_weights(five_point, estimator, n_classes):
    rng = np.random.default_rng(1)
    X, labels = rng.normal(size=(24, 5)), np.arange(24) % n_classes
    targets, _ = coded_classes(labels)
    estimator = clone(estimator).set_params(batch_size=9 if estimator.hidden_layer_sizes else 24)
    training = network_training(estimator, X, targets, None, 0)
    outer = MeanLoss(training.problem.network, X[::-1] + 0.3, targets.values)
    space = Space([Dimension("sample_weight", (24,), "linear", 0.0, 2.0, 1.0)])
    objective = Objective(space, [ProblemTerm(training, outer, Reverse())])
    weights, direction = rng.uniform(0.1, 0.9, size=24), rng.normal(size=24)
    expected = five_point(lambda step: objective(weights + step * direction)[0], 1e-3)
    found = objective(weights)[1] @ direction
    assert found == pytest.approx(expected, rel=1e-7)
    assert 1.001 * found != pytest.approx(expected, rel=1e-7)


def test_wrong_labels_are_found(digits, fitted):
    flagged, wrong = fitted.flagged_, digits.wrong
    assert flagged.dtype == bool
    assert wrong[flagged].mean() > 0.85
    assert flagged[wrong].mean() > 0.85
    np.testing.assert_array_equal(flagged, fitted.sample_weight_ < 1e-3)
    first = fitted.ranking_[: wrong.sum()]
    assert wrong[first].mean() > 0.85
    # Those that are flagged are not in any order, but in that of the harm they would do.
    assert wrong[first[:40]].all()
    np.testing.assert_array_equal(np.sort(fitted.ranking_), np.arange(N_NOISY))
    assert (np.diff(fitted.sample_weight_[fitted.ranking_]) >= 0).all()


def test_weights_are_those_of_the_smallest_loss(digits, fitted):
    assert len(fitted.loss_curve_) == fitted.n_iter_ == 12
    assert min(fitted.loss_curve_) < 0.7 * fitted.loss_curve_[0]
    longer = quick(max_iter=8, learning_rate=3.0).fit(*digits.given)
    best = int(np.argmin(longer.loss_curve_))
    shorter = quick(max_iter=best + 1, learning_rate=3.0).fit(*digits.given)
    np.testing.assert_array_equal(longer.sample_weight_, shorter.sample_weight_)


def test_cleaned_model_is_better_than_the_noisy_one(digits, fitted):
    X, y, _ = digits.joined
    noisy = softmax().fit(X, y).score(digits.X_test, digits.y_test)
    assert fitted.score(digits.X_test, digits.y_test) > noisy + 0.01


def test_final_model_is_that_of_the_weights(digits, briefly_fitted):
    X, y, split = digits.joined
    cleaner, own = briefly_fitted, briefly_fitted.sample_weight_
    weights = np.concatenate([own, np.full(N_CLEAN, own.max())])
    expected = softmax().fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(cleaner.estimator_.coefs_[0], expected.coefs_[0])
    # The same rows, given in one piece.
    other = brief(cv=split).fit(X, y)
    np.testing.assert_array_equal(other.sample_weight_, weights)
    np.testing.assert_array_equal(other.ranking_, cleaner.ranking_)
    assert not other.flagged_[N_NOISY:].any()
    np.testing.assert_array_equal(other.predict_proba(X), cleaner.predict_proba(X))


def test_rows_of_a_split_keep_their_places(digits, briefly_fitted):
    X, y, split = digits.joined
    order = np.random.default_rng(2).permutation(len(y))
    mixed = brief(cv=PredefinedSplit(split.test_fold[order])).fit(X[order], y[order])
    assert mixed.flagged_.sum() > 0
    own = order < N_NOISY
    same = mixed.flagged_[own] == briefly_fitted.flagged_[order[own]]
    assert same.mean() > 0.98


@pytest.mark.parametrize("budget", [20.0, 299.5])
def test_budgets_are_kept(digits, briefly_fitted, budget):
    cleaner = brief(budget=budget).fit(*digits.given)
    # The first training is the same: equal weights with a mean of one.
    assert cleaner.loss_curve_[0] == pytest.approx(briefly_fitted.loss_curve_[0], rel=1e-9)
    assert cleaner.sample_weight_.sum() <= budget * (1 + 1e-9)
    assert cleaner.sample_weight_.min() >= 0
    assert cleaner.sample_weight_.max() <= 1
    assert digits.wrong[cleaner.flagged_].mean() > 0.5


def test_clean_rows_have_the_largest_weight(digits):
    X, y, split = digits.joined
    cleaner = quick(budget=20, max_iter=3, cv=split).fit(X, y)
    largest = cleaner.sample_weight_[:N_NOISY].max()
    assert largest < 0.9
    np.testing.assert_array_equal(cleaner.sample_weight_[N_NOISY:], largest)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_random_state_is_that_of_the_network(digits):
    first, same, other = (
        quick(MLPClassifier(5, n_steps=5, random_state=seed), max_iter=2).fit(*digits.given)
        for seed in (0, 0, 1)
    )
    assert first.loss_curve_ == same.loss_curve_
    assert first.loss_curve_[0] != other.loss_curve_[0]


def test_budgets_above_all_rows_are_none(digits, briefly_fitted):
    cleaner = brief(budget=10 * N_NOISY).fit(*digits.given)
    np.testing.assert_array_equal(cleaner.sample_weight_, briefly_fitted.sample_weight_)


def test_names_of_classes_do_not_matter(digits, briefly_fitted):
    names = np.array([f"digit {i}" for i in range(10)])
    X, y, X_clean, y_clean = digits.given
    named = brief().fit(X, names[y], X_clean, names[y_clean])
    np.testing.assert_array_equal(named.sample_weight_, briefly_fitted.sample_weight_)
    np.testing.assert_array_equal(named.classes_, names)
    np.testing.assert_array_equal(named.predict(X), names[briefly_fitted.predict(X)])


def test_two_classes(digits):
    true, y_clean = digits.y_true == 0, digits.y_clean == 0
    flipped = np.random.default_rng(0).uniform(size=N_NOISY) < 0.2
    cleaner = quick().fit(digits.X, true ^ flipped, digits.X_clean, y_clean)
    assert cleaner.predict_proba(digits.X).shape == (N_NOISY, 2)
    assert flipped[cleaner.ranking_[: flipped.sum()]].mean() > 0.9


def test_kinds_of_data(digits, briefly_fitted):
    X, y, X_clean, y_clean = digits.given
    of_sparse = brief().fit(sparse.csr_matrix(X), y, sparse.csr_array(X_clean), y_clean)
    np.testing.assert_allclose(of_sparse.sample_weight_, briefly_fitted.sample_weight_, atol=1e-8)
    of_single = brief().fit(X.astype(np.float32), y, X_clean, y_clean)
    assert of_single.estimator_.coefs_[0].dtype == np.float32
    np.testing.assert_array_equal(of_single.flagged_, briefly_fitted.flagged_)
    names = [f"pixel {i}" for i in range(64)]
    frames = [pd.DataFrame(part, columns=names) for part in (X, X_clean)]
    of_frames = brief().fit(frames[0], pd.Series(y), frames[1], pd.Series(y_clean))
    np.testing.assert_array_equal(of_frames.sample_weight_, briefly_fitted.sample_weight_)
    assert of_frames.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="feature names"):
        brief().fit(frames[0], y, frames[1][names[::-1]], y_clean)


def test_clone_pickle_and_unchanged_inputs(digits, briefly_fitted):
    arrays = [part.copy() for part in digits.given]
    for array in arrays:
        array.setflags(write=False)
    model = softmax()
    cleaner = brief(estimator=model).fit(*arrays)
    assert not hasattr(model, "coefs_")
    for other in (cleaner, clone(cleaner).fit(*arrays), pickle.loads(pickle.dumps(cleaner))):
        np.testing.assert_array_equal(other.sample_weight_, briefly_fitted.sample_weight_)
        np.testing.assert_array_equal(other.predict(digits.X), briefly_fitted.predict(digits.X))


def test_networks_and_other_ways_back(digits):
    network = MLPClassifier(20, "tanh", n_steps=60, batch_size=100, random_state=0)
    cleaner = quick(network, hypergradient=Truncated(15)).fit(*digits.given)
    assert digits.wrong[cleaner.flagged_].mean() > 0.7
    assert digits.wrong[cleaner.ranking_[:20]].mean() > 0.8


def test_the_default_is_a_softmax_regression_from_zero(digits):
    cleaner = DataCleaner(max_iter=1, learning_rate=2.0)
    with pytest.warns(HypergradWarning):
        cleaner.fit(*digits.given)
    expected = softmax(100).fit(*digits.joined[:2])
    np.testing.assert_array_equal(cleaner.estimator_.coefs_[0], expected.coefs_[0])


def test_the_default_is_penalised_while_weights_are_sought(digits):
    options = {"max_iter": 2, "learning_rate": 1.0}
    cleaner = DataCleaner(**options).fit(*digits.given)
    penalised = DataCleaner(softmax(100, alpha=0.03), **options).fit(*digits.given)
    np.testing.assert_array_equal(cleaner.sample_weight_, penalised.sample_weight_)
    free = DataCleaner(softmax(100), **options).fit(*digits.given)
    assert abs(free.loss_curve_[0] / cleaner.loss_curve_[0] - 1) > 1e-2


def test_rows_are_flagged_below_the_threshold(digits, briefly_fitted, monkeypatch):
    monkeypatch.setattr(cleaner_module, "THRESHOLD", 0.5)
    weights = briefly_fitted.sample_weight_
    assert np.any((weights > 0) & (weights < 0.5))
    np.testing.assert_array_equal(brief().fit(*digits.given).flagged_, weights < 0.5)


@pytest.mark.parametrize(
    ("final", "has", "lacks"),
    [
        (RandomForestClassifier(20, random_state=0), "predict_proba", "decision_function"),
        (LogisticRegression(), "decision_function", None),
        (LinearSVC(), "decision_function", "predict_proba"),
    ],
)
def test_final_models(digits, final, has, lacks):
    cleaner = brief(final_estimator=final)
    assert hasattr(cleaner, has)
    cleaner.fit(*digits.given)
    assert type(cleaner.estimator_) is type(final)
    assert getattr(cleaner, has)(digits.X).shape == (N_NOISY, 10)
    assert lacks is None or not hasattr(cleaner, lacks)
    assert cleaner.score(digits.X_test, digits.y_test) > 0.8
    with pytest.raises(ValueError, match="takes no sample_weight"):
        quick(final_estimator=KNeighborsClassifier()).fit(*digits.given)
    with pytest.raises(ValueError, match=r"final_estimator=Ridge\(\) is no classifier"):
        quick(final_estimator=Ridge()).fit(*digits.given)


@pytest.mark.parametrize(
    "final",
    [
        HypergradSearchCV(LogisticRegression(), {"C": [0.1, 10.0]}, cv=2),
        GridSearchCV(make_pipeline(StandardScaler(), LinearSVC()), {}, cv=2),
        make_pipeline(StandardScaler(), RidgeClassifier()),
    ],
)
def test_final_models_pass_the_weights_on(digits, final):
    cleaner = brief(final_estimator=final).fit(*digits.given)
    assert type(cleaner.estimator_) is type(final)
    assert cleaner.score(digits.X_test, digits.y_test) > 0.7


@pytest.mark.parametrize(
    ("final", "message"),
    [
        (GridSearchCV(KNeighborsClassifier(), {}), "takes no sample_weight"),
        (make_pipeline(StandardScaler(), KNeighborsClassifier()), "takes no sample_weight"),
        (GridSearchCV(LogisticRegression(), {}, refit=False), "Leave refit=True"),
    ],
)
def test_final_models_that_cannot_be_weighted_or_predict(digits, final, message):
    with pytest.raises(ValueError, match=message):
        quick(final_estimator=final).fit(*digits.given)


def test_pipelines(digits):
    X, y, split = digits.joined
    piped = make_pipeline(StandardScaler(), brief(cv=split)).fit(X, y)
    assert digits.wrong[piped[-1].ranking_[:40]].mean() > 0.9


def test_what_says_which_rows_are_clean(digits):
    X, y, split = digits.joined
    with pytest.raises(ValueError, match="which rows are clean.*It got none of them"):
        quick().fit(X, y)
    with pytest.raises(ValueError, match="It got both"):
        quick(cv=split).fit(*digits.given)
    with pytest.raises(ValueError, match="belong together"):
        quick().fit(X, y, X)
    for cv in (3, KFold(2), PredefinedSplit(np.arange(len(y)) % 2)):
        with pytest.raises(ValueError, match="exactly one.*tuned on that very row"):
            quick(cv=cv).fit(X, y)
    with pytest.raises(ValueError, match="All rows are clean"):
        quick(cv=[(np.array([], int), np.arange(len(y)))]).fit(X, y)
    half = np.arange(len(y)) % 2 == 0
    for parts in ((half, half), (np.arange(400), np.arange(399, len(y))), ([0, 1], [2, 3])):
        split = [tuple(np.flatnonzero(p) if p is half else np.asarray(p) for p in parts)]
        with pytest.raises(ValueError, match=r"must have each of the 800 rows once"):
            quick(cv=split).fit(X, y)


def test_errors_name_what_is_wrong(digits):
    X, y, X_clean, y_clean = digits.given
    some = y_clean < 8
    with pytest.raises(ValueError, match="no clean rows of class 8, 9"):
        quick().fit(X, y, X_clean[some], y_clean[some])
    with pytest.raises(ValueError, match="Mix of label input types"):
        quick().fit(X, y, X_clean, y_clean.astype(str))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        quick().fit(X, y, X_clean, y_clean[1:])
    with pytest.raises(ValueError, match="64 features"):
        quick().fit(X, y, X_clean[:, 1:], y_clean)
    with pytest.raises(ValueError, match="1 class only"):
        quick().fit(X, np.ones(N_NOISY), X_clean, np.ones(N_CLEAN))
    with pytest.raises(ValueError, match="smaller learning rate"):
        quick(softmax(200, learning_rate_init=1e308)).fit(*digits.given)
    with pytest.raises(ValueError, match="Input y_clean contains NaN"):
        quick().fit(X, y.astype(float), X_clean, np.where(some, y_clean, np.nan))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        quick().fit(X, y, X_clean, y_clean + 0.5)
    for wrong in ({"activation": "step"}, {"n_steps": 0}, {"batch_size": 0}, {"alpha": -1.0}):
        with pytest.raises(ValueError, match=f"'{next(iter(wrong))}' parameter of MLPClassifier"):
            quick(softmax().set_params(**wrong)).fit(*digits.given)
    # A budget is no share of the rows.
    for wrong in (
        {"budget": 0},
        {"budget": 0.5},
        {"max_iter": 0},
        {"estimator": LogisticRegression()},
        {"hypergradient": Implicit()},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            quick().set_params(**wrong).fit(*digits.given)
    with pytest.raises(NotFittedError):
        quick().predict(X)


def test_warnings_name_a_remedy(digits):
    with pytest.warns(HypergradWarning, match="no row can be flagged") as caught:
        quick(max_iter=3).fit(*digits.given)
    assert [each.filename for each in caught] == [__file__]
    X, y, X_clean, y_clean = digits.given
    with pytest.warns(HypergradWarning, match="No step lowered the loss"):
        quick(softmax(learning_rate_init=0.0)).fit(X, y, X_clean, y_clean)


def test_useless_rows_train_nothing():
    """If every weight ends at zero, the final model is that of the clean rows."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = (2.0 * y - 1)[:, None] + 0.1 * rng.normal(size=(60, 3))
    cleaner = quick(softmax(60)).fit(X[:30], 1 - y[:30], X[30:], y[30:])
    assert cleaner.flagged_.all()
    expected = softmax(60).fit(X[30:], y[30:])
    np.testing.assert_allclose(cleaner.estimator_.coefs_[0], expected.coefs_[0])


@parametrize_with_checks(
    [
        quick(
            MLPClassifier((), init_scale=0.0, batch_size=10**6, n_steps=5),
            learning_rate=1.0,
            max_iter=2,
            cv=StratifiedShuffleSplit(1, test_size=0.5, random_state=0),
        )
    ]
)
@pytest.mark.filterwarnings("ignore:No step lowered the loss")
def test_estimator_checks(estimator, check):
    check(estimator)
