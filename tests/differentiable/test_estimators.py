"""Models of one's own as scikit-learn estimators."""

import pickle

import autograd.numpy as anp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from sklearn_hypergrad.differentiable import Hyperparameter
from sklearn_hypergrad.training import Adam


# What scikit-learn's check of targets that are not finite warns of before it raises.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("Robust", {}),
        pytest.param("RidgeLike", {}, marks=pytest.mark.thorough),
        pytest.param("Softmax", {}, marks=pytest.mark.thorough),
        ("TwoLayers", {"n_steps": 20, "batch_size": None}),
        pytest.param(
            "WithAdam",
            {"n_steps": 40, "learning_rate_init": 0.2, "random_state": 0},
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_estimator_checks(models, name, params):
    check_estimator(getattr(models, name)(**params), on_skip=None)


def test_the_objective_is_that_of_ridge(models, numbers):
    X, y = numbers
    weight = np.random.default_rng(0).uniform(0, 2, len(y))
    model = models.RidgeLike(alpha=0.3, shift=0.0).fit(X, y, sample_weight=weight)
    ridge = Ridge(0.3 * weight.sum()).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.weights_[0], ridge.coef_, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_objective_is_that_of_logistic_regression(models, classes, n_classes):
    X, y = classes(n_classes)
    y = np.array(["a", "b", "c"])[y]
    model = models.Softmax(alpha=0.3).fit(X, y)
    logistic = LogisticRegression(C=1 / (0.3 * len(y)), tol=1e-10, max_iter=1000).fit(X, y)
    for method in ("predict_proba", "predict"):
        ours, theirs = getattr(model, method)(X), getattr(logistic, method)(X)
        if method == "predict":
            assert (ours == theirs).all()
        else:
            np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert model.classes_.tolist() == logistic.classes_.tolist()
    assert model.score(X, y) == logistic.score(X, y)
    assert model.decision_function(X).shape == logistic.decision_function(X).shape


def test_several_targets(models, numbers):
    X, y = numbers
    model = models.RidgeLike(shift=0.0).fit(X, np.column_stack([y, -2 * y]))
    one = models.RidgeLike(shift=0.0).fit(X, y)
    np.testing.assert_allclose(model.predict(X), one.predict(X)[:, None] * [1, -2], atol=1e-5)


def test_clone_and_pickle(models, numbers):
    X, y = numbers
    model = models.Robust(alpha=np.array([0.1, 0.2, 0.3, 0.4])).fit(X, y)
    assert clone(model).alpha.tolist() == [0.1, 0.2, 0.3, 0.4]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert cross_val_score(model, X, y).shape == (5,)


def test_seeds(models, classes):
    X, y = classes()
    fits = [models.WithAdam(random_state=seed).fit(X, y).weights_["W"] for seed in (0, 0, 1)]
    assert (fits[0] == fits[1]).all()
    assert (fits[0] != fits[2]).any()


def test_predictions_are_those_of_the_fit(models, numbers):
    X, y = numbers
    model = models.RidgeLike().fit(X, y)
    before = model.predict(X)
    np.testing.assert_array_equal(model.set_params(shift=3.0).predict(X), before)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def outputs(self, w, X, h):
    return (X @ w["coef"])[:, None]


def losses(self, y, z, h):
    return ((z - y) ** 2).mean()


def listed(self, w, X, h):
    return [x @ w["coef"] for x in X]


def boxed(self, w, X, h):
    return np.array([np.sum(x * w["coef"]) for x in X])


def nothing(self, *args):
    return None


def many(self, w, h):
    return h["alpha"] * w["coef"] ** 2


def misspelt(self, w, h):
    return h["alhpa"] * np.sum(w["coef"] ** 2)


def rooted(self, w, h):
    return h["alpha"] * anp.sqrt(anp.sum(w["coef"] ** 2))


def declared(hyperparameter):
    return {"hyperparameters": {"alpha": hyperparameter, "width": Hyperparameter()}}


NAMED = {"hyperparameters": {"beta": Hyperparameter()}}


@pytest.mark.parametrize(
    ("body", "params", "error", "text"),
    [
        (NAMED, {}, TypeError, "Own has the hyperparameter 'beta', but its constructor has no"),
        ({"forward": outputs}, {}, ValueError, r"forward returned an array of shape \(60, 1\)"),
        ({"loss": losses}, {}, ValueError, r"Own.loss returned an array of shape \(\), and"),
        ({}, {"alpha": -1}, ValueError, "Own.alpha is -1.0, but it must be between 0.0 and inf"),
        ({}, {"alpha": [1, 1, np.nan, 1]}, ValueError, r"Own.alpha\[2\] is nan"),
        ({"forward": listed}, {}, TypeError, "Own.forward returned a list in place of an array"),
        ({"loss": nothing}, {}, TypeError, "Own.loss returned None"),
        ({"penalty": nothing}, {}, TypeError, "Own.penalty returned None"),
        ({"penalty": many}, {}, ValueError, r"Own.penalty returned an array of shape \(4,\)"),
        ({"penalty": misspelt}, {}, KeyError, "h has no 'alhpa', only 'alpha', 'width'"),
        ({"forward": boxed}, {}, TypeError, "import autograd.numpy as np"),
        ({"initial": nothing}, {}, TypeError, "Own.initial returned None"),
        ({"penalty": rooted}, {}, ValueError, "roots and logarithms have no derivative at zero"),
        ({"hyperparameters": ["alpha"]}, {}, TypeError, "must be a dict from names"),
        (declared(Hyperparameter), {}, TypeError, r"\['alpha'\] must be a Hyperparameter\(\), got"),
        ({}, {"alpha": None}, ValueError, "Own.alpha must be a number or an array of numbers"),
        ({}, {"alpha": "much"}, ValueError, "Own.alpha must be a number or an array of numbers"),
        ({}, {"width": [[1, 2], [3, -4]]}, ValueError, r"Own.width\[1, 1\] is -4.0"),
    ],
)
def test_what_is_wrong_is_said(models, numbers, body, params, error, text):
    own = type("Own", (models.Robust,), body)
    with pytest.raises(error, match=text):
        own(**params).fit(*numbers)


def infinite(self, y, z, h):
    return np.inf * (1 + z[:, 0] ** 2)


@pytest.mark.parametrize(
    ("body", "params", "error", "text"),
    [
        ({"dynamics": Adam()}, {}, TypeError, "has no parameters beta_1, beta_2. Give __init__"),
        ({"dynamics": Adam}, {}, TypeError, "Own.dynamics must be None or an instance"),
        ({"dynamics": "adam"}, {}, TypeError, "Own.dynamics must be None or an instance"),
        ({}, {"n_steps": 0}, ValueError, "Own.n_steps must be an integer of at least 1, got 0"),
        ({}, {"n_steps": None}, ValueError, "Own.n_steps must be an integer"),
        (
            {},
            {"batch_size": 2.5},
            ValueError,
            "Own.batch_size must be an integer of at least 1, or",
        ),
        ({"loss": infinite}, {}, ValueError, "loss of Own is inf at its initial weights"),
    ],
)
def test_what_is_wrong_with_training_is_said(models, classes, body, params, error, text):
    own = type("Own", (models.TwoLayers,), body)
    with pytest.raises(error, match=text):
        own(**params).fit(*classes(3))


def test_two_classes_only(models, classes):
    own = type("Own", (models.Softmax,), {"multi_class": False})
    assert not own().__sklearn_tags__().classifier_tags.multi_class
    assert own().fit(*classes(2)).predict_proba(classes(2)[0]).shape[1] == 2
    with pytest.raises(ValueError, match="Only binary classification is supported.*multi_class"):
        own().fit(*classes(3))


def test_a_start_that_is_not_weighted(models, numbers):
    """Weights of samples and repeated samples are the same, wherever descent begins."""
    X, y = numbers
    body = {"initial": lambda self, X, y, rng: {"coef": np.ones(4), "intercept": np.mean(y)}}
    own = type("Own", (models.Robust,), body)
    times = np.arange(len(y)) % 3
    weighted = own().fit(X, y, sample_weight=times)
    repeated = own().fit(X.repeat(times, axis=0), y.repeat(times))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7)


def test_training_that_diverges(models, classes):
    with pytest.raises(ValueError, match="Use a smaller learning rate"):
        models.TwoLayers(learning_rate_init=1e9, alpha=1e3).fit(*classes())


def test_a_loss_that_is_not_minimised(models, numbers):
    X, y = numbers
    unbounded = type("Own", (models.Robust,), {"penalty": lambda self, w, h: -sum(w["coef"])})
    with pytest.warns(ConvergenceWarning, match="The loss of Own was not minimised"):
        unbounded().fit(1e-9 * X, y)


def test_weights_of_samples(models, numbers):
    X, y = numbers
    model = models.Robust().fit(X, y, sample_weight=np.arange(60) < 40)
    np.testing.assert_allclose(model.predict(X), models.Robust().fit(X[:40], y[:40]).predict(X))
