"""Searches that descend a function of the user, or the loss that the model itself declares."""

import pickle

import autograd.numpy as np
import pytest
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, neural_network
from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    Hyperparameter,
)
from sklearn_hypergrad.inspection import CurveDisplay, check_hypergradient

RANGE = Continuous(0.1, 10.0)
VECTOR = Continuous(per="feature")
EXACT = {"tol": 1e-9, "max_iter": 2000}


class Linear:
    """A linear model with an L2 penalty."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}

    def forward(self, w, X, h):
        return X @ w["coef"] + w["intercept"]

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * np.sum(w["coef"] ** 2)


class SmoothMedian(Linear, DifferentiableRegressor):
    """Its loss depends on a hyperparameter, too."""

    hyperparameters = {**Linear.hyperparameters, "width": Hyperparameter()}

    def __init__(self, alpha=1.0, width=1.0):
        self.alpha = alpha
        self.width = width

    def loss(self, y, z, h):
        return np.sqrt((y - z) ** 2 + h["width"] ** 2)


class Classes(Linear, DifferentiableClassifier):
    multi_class = False


def tilted(y, prediction):
    """A smooth pinball loss, which is larger for errors to one side."""
    error = y - prediction
    return np.mean(0.4 * error + 0.5 * np.sqrt(error**2 + 0.01))


def correlation(y, prediction):
    """Minus the correlation: of no sample alone, and negative."""
    z = prediction - np.mean(prediction)
    return -np.mean(z * (y - np.mean(y))) / np.std(y) / np.sqrt(np.mean(z**2))


def focal(y, probabilities):
    own = probabilities[np.arange(len(y)), y]
    return -np.mean((1 - own) ** 2 * np.log(own))


def margins(y, decisions):
    return np.mean(np.logaddexp(0.0, 1 - y * decisions))


def numbers(load):
    X, y = load("diabetes")
    return X[:60, :4], y[:60] / 150


def two(load):
    X, y = numbers(load)
    return X, np.array(["no", "yes"])[(y > np.median(y)).astype(int)]


def three(load):
    X, y = numbers(load)
    return X, np.digitize(y, np.quantile(y, [0.3, 0.7]))


SCALED = make_pipeline(StandardScaler(), Ridge())
MLP = {"activation": "tanh", "n_steps": 5, "random_state": 0}
SEARCHES = {
    "ridge": (Ridge(), {"alpha": RANGE}, tilted, numbers),
    "pipeline": (
        SCALED,
        {"ridge__alpha": RANGE},
        tilted,
        numbers,
    ),
    "vector": (linear_model.Ridge(), {"alpha": VECTOR}, correlation, numbers),
    "logistic": (LogisticRegression(**EXACT), {"C": RANGE}, focal, two),
    "multinomial": (LogisticRegression(**EXACT), {"C": RANGE}, focal, three),
    "codes": (RidgeClassifier(), {"alpha": RANGE}, margins, two),
    "several codes": (RidgeClassifier(), {"alpha": RANGE}, margins, three),
    "log link": (PoissonRegressor(), {"alpha": RANGE}, tilted, numbers),
    "kernel": (KernelRidge(kernel="rbf"), {"alpha": RANGE, "gamma": RANGE}, tilted, numbers),
    "discriminant": (
        LinearDiscriminantAnalysis(solver="lsqr"),
        {"shrinkage": Continuous(0.1, 0.9)},
        focal,
        three,
    ),
    "bayes": (GaussianNB(), {"var_smoothing": Continuous(0.1, 10)}, focal, three),
    "own model": (SmoothMedian(), {"alpha": RANGE, "width": RANGE}, tilted, numbers),
    "network": (neural_network.MLPClassifier((3,), **MLP), {"alpha": RANGE}, focal, three),
    "own loss": (SmoothMedian(), {"alpha": RANGE, "width": RANGE}, "own", numbers),
    "own loss of classes": (Classes(), {"alpha": RANGE}, "own", two),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_gradients_agree_with_differences(data, name):
    model, grid, loss, load = SEARCHES[name]
    search = HypergradSearchCV(model, grid, validation_loss=loss, cv=2)
    assert check_hypergradient(search, *load(data), n_points=2).max() < 1e-6


@pytest.mark.parametrize("name", ["ridge", "multinomial", "network", "own loss"])
@pytest.mark.filterwarnings("ignore:.*at bound:sklearn_hypergrad.HypergradWarning")
def test_the_search_ends_where_the_loss_is_small(data, name):
    model, grid, loss, load = SEARCHES[name]
    search = HypergradSearchCV(model, grid, validation_loss=loss, cv=2, max_iter=10)
    search.fit(*load(data))
    assert min(search.history_["loss"]) < 0.999 * max(search.history_["loss"])
    assert search.validation_loss_ == ("SmoothMedian.loss" if loss == "own" else loss.__name__)


OWN = {
    "squared_error": (Ridge(), "alpha", numbers),
    "log_loss": (LogisticRegression(), "C", two),
    "coded_squared_error": (RidgeClassifier(), "alpha", two),
    "poisson_deviance": (PoissonRegressor(), "alpha", numbers),
    "tweedie_deviance": (TweedieRegressor(power=1.5), "alpha", numbers),
}


@pytest.mark.filterwarnings("ignore:.*at bound:sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize("name", OWN)
def test_own_losses_of_families(data, name):
    model, key, load = OWN[name]
    X, y = load(data)
    search = HypergradSearchCV(model, {key: RANGE}, validation_loss="own", cv=2).fit(X, y)
    assert search.validation_loss_ == name
    if name == "log_loss":
        # It is the asked score, too: nothing is left to judge.
        search.set_params(scoring="neg_log_loss").fit(X, y)
        assert len(search.cv_results_["params"]) == 1


def test_a_vector_of_the_mean_of_squares_is_that_of_the_squared_error(data):
    """One value for all is the same; the vector starts with the same slope of its likelihood."""
    X, y = numbers(data)
    y = y + 2 * np.std(y) * np.random.default_rng(0).normal(size=len(y))

    def squared(y, prediction):
        return np.mean((y - prediction) ** 2)

    guards = [
        HypergradSearchCV(
            linear_model.Ridge(),
            {"alpha": VECTOR},
            validation_loss=loss,
            cv=2,
            guard=True,
            shrinkage=0.0,
            max_iter=5,
        )
        .fit(X, y)
        .guard_
        for loss in (squared, "squared_error")
    ]
    assert guards[0].common_loss == pytest.approx(guards[1].common_loss, rel=1e-5)
    assert guards[0].vector_loss == pytest.approx(guards[1].vector_loss, rel=0.02)


def weighted(y, prediction, sample_weight):
    return np.sum(sample_weight * (y - prediction) ** 2) / np.sum(sample_weight)


def test_weights_of_the_score(data):
    X, y = numbers(data)
    weight = np.linspace(0, 2, len(y))
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 1e3]}, validation_loss=tilted)
    with pytest.raises(ValueError, match=r"tilted\(y, prediction, sample_weight\)"):
        search.fit(X, y, sample_weight=weight)
    search.set_params(validation_loss=weighted).fit(X, y, sample_weight=weight)
    named = clone(search).set_params(validation_loss="squared_error")
    named.fit(X, y, sample_weight=weight)
    own, known = (s.cv_results_["params"][0]["alpha"] for s in (search, named))
    assert own == pytest.approx(known, rel=1e-4)


def test_a_search_with_a_function_is_pickled_and_looked_at(data):
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 1e3]}, validation_loss=tilted, cv=2)
    search = pickle.loads(pickle.dumps(search.fit(*numbers(data))))
    assert search.validation_loss is tilted
    assert "tilted on 2 splits of cv" in str(search.report())
    assert "tilted" in CurveDisplay.from_search(search).label


def nowhere(y, prediction):
    return np.mean(np.log(-1 - np.abs(prediction)))


def squares(y, prediction):
    return (y - prediction) ** 2


REFUSED = {
    "nan": (Ridge(), "alpha", {"validation_loss": nowhere}, ValueError, "derivative are finite"),
    "nan, own": (SmoothMedian(), "alpha", {"validation_loss": nowhere}, ValueError, "are finite"),
    "array": (SmoothMedian(), "alpha", {"validation_loss": squares}, TypeError, "Sum or average"),
    "loo": (
        Ridge(),
        "alpha",
        {"validation_loss": tilted, "search_cv": "loo"},
        ValueError,
        "search_cv='loo' descends the closed form of the squared error, not",
    ),
    "no own": (
        LinearDiscriminantAnalysis(solver="lsqr"),
        "shrinkage",
        {"validation_loss": "own"},
        ValueError,
        "minimises no sum of losses of samples",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_teach(data, name):
    model, key, options, error, message = REFUSED[name]
    X, y = (three if key == "shrinkage" else numbers)(data)
    with pytest.raises(error, match=message):
        HypergradSearchCV(model, {key: [0.1, 0.5]}, **options).fit(X, y)
