"""Models of one's own whose training draws: dropout, and disturbed inputs of a learned strength."""

import autograd.numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.training import Momentum

X, y = load_diabetes(return_X_y=True)
X, y = scale(X)[:60, :4], scale(y)[:60]


class Dropped(DifferentiableRegressor):
    """A small network whose inputs are disturbed and whose units drop out while it is trained."""

    dynamics = Momentum()
    hyperparameters = {"noise": Hyperparameter()}

    def __init__(self, noise=0.3, learning_rate_init=0.1, momentum=0.5, n_steps=12, random_state=0):
        self.noise = noise
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.random_state = random_state
        self.n_steps = n_steps
        self.batch_size = 10

    def initial(self, X, y, rng):
        return [rng.normal(size=(X.shape[1], 3)), rng.normal(size=3)]

    def forward(self, w, X, h):
        return np.tanh(X @ w[0]) @ w[1]

    def training_forward(self, w, X, h, t, rng):
        disturbed = X + h["noise"] * rng.normal(size=X.shape)
        kept = rng.random(size=3) > 0.3 * (t < 6)
        return (np.tanh(disturbed @ w[0]) * kept) @ w[1]


class Minimised(Dropped):
    dynamics = None


def searched(method):
    ranges = {"noise": Continuous(1e-2, 10)}
    search = HypergradSearchCV(Dropped(), ranges, cv=2, max_iter=3, hypergradient=method)
    return search.fit(X, y)


def test_training_draws_and_prediction_does_not():
    model = Dropped().fit(X, y)
    assert_array_equal(model.predict(X), Dropped().fit(X, y).predict(X))
    assert np.abs(model.predict(X) - Dropped(random_state=1).fit(X, y).predict(X)).max() > 1e-3
    assert np.abs(model.predict(X) - Dropped(noise=0.5).fit(X, y).predict(X)).max() > 1e-3
    assert_array_equal(model.predict(X), model.forward(model.weights_, X, {"noise": 0.3}))


def test_the_strength_of_the_noise_is_tuned_by_every_method():
    searches = [searched(method) for method in ("reverse", "forward", "reversible")]
    assert len(set(searches[0].history_["loss"])) > 1
    for search in searches[1:]:
        assert_allclose(search.history_["loss"], searches[0].history_["loss"], rtol=1e-6)
    assert check_hypergradient(searches[0], X, y, n_points=2).max() < 1e-6


def test_a_model_that_is_minimised_must_not_draw():
    with pytest.raises(TypeError, match="training_forward is for a model that is trained"):
        Minimised().fit(X, y)
