import types

import autograd.numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression

from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    Hyperparameter,
    flat,
)
from sklearn_hypergrad.training import Adam, Momentum

PENALTY = Hyperparameter(regularizes=1, per=("feature", "coefficient", "sample"))


class Robust(DifferentiableRegressor):
    """Linear regression with the pseudo-Huber loss."""

    hyperparameters = {"alpha": PENALTY, "width": Hyperparameter()}

    def __init__(self, alpha=0.1, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}

    def forward(self, w, X, h):
        return np.dot(X, w["coef"]) + w["intercept"]

    def loss(self, y, z, h):
        return h["width"] ** 2 * (np.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return 0.5 * np.sum(h["alpha"] * w["coef"] ** 2)


class RidgeLike(DifferentiableRegressor):
    """Least squares of several targets, with a penalty of any shape of the coefficients."""

    hyperparameters = {"alpha": PENALTY, "shift": Hyperparameter(scale="linear", limits=(-9, 9))}
    multi_output = True

    def __init__(self, alpha=0.1, shift=0.5):
        self.alpha = alpha
        self.shift = shift

    def initial(self, X, y, rng):
        return [np.zeros((X.shape[1], *y.shape[1:])), np.zeros(y.shape[1:])]

    def forward(self, w, X, h):
        # Outputs depend on a hyperparameter directly, too.
        bent = 0.1 * h["shift"] * np.tanh(X[:, :1])
        return np.dot(X, w[0]) + w[1] + (bent if np.ndim(w[1]) else bent[:, 0])

    def penalty(self, w, h):
        return 0.5 * np.sum(h["alpha"] * (w[0] - 0.1 * h["shift"]) ** 2)


class Softmax(DifferentiableClassifier):
    """Logistic regression of two or more classes."""

    hyperparameters = {"alpha": PENALTY}

    def __init__(self, alpha=0.1):
        self.alpha = alpha

    def initial(self, X, y, rng):
        return np.zeros((X.shape[1] + 1, *y.shape[1:]))

    def forward(self, w, X, h):
        return np.dot(X, w[:-1]) + w[-1]

    def penalty(self, w, h):
        strength = h["alpha"]
        if np.ndim(strength) and strength.size == flat(w).size:
            return 0.5 * np.sum(strength * flat(w) ** 2)
        return 0.5 * np.sum((strength * w[:-1].T ** 2).T)


class TwoLayers(DifferentiableClassifier):
    """A network that is trained for some steps."""

    hyperparameters = {"alpha": PENALTY}
    dynamics = Momentum()

    def __init__(self, alpha=1e-3, learning_rate_init=0.2, momentum=0.5, n_steps=20, batch_size=16):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps
        self.batch_size = batch_size

    def initial(self, X, y, rng):
        shapes = {"W": (X.shape[1], 5), "V": (5, *y.shape[1:])}
        return {name: rng.normal(size=shape) / shape[0] for name, shape in shapes.items()}

    def forward(self, w, X, h):
        return np.dot(np.tanh(np.dot(X, w["W"])), w["V"])

    def penalty(self, w, h):
        return 0.5 * np.sum(h["alpha"] * flat(w) ** 2)


class WithAdam(TwoLayers):
    """The same, with other dynamics and a seed."""

    dynamics = Adam()

    def __init__(
        self,
        alpha=1e-3,
        learning_rate_init=0.05,
        beta_1=0.9,
        beta_2=0.99,
        n_steps=20,
        batch_size=None,
        random_state=None,
    ):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.random_state = random_state


@pytest.fixture
def models():
    """The classes of models."""
    return types.SimpleNamespace(
        Robust=Robust, RidgeLike=RidgeLike, Softmax=Softmax, TwoLayers=TwoLayers, WithAdam=WithAdam
    )


@pytest.fixture
def numbers():
    """``(X, y)`` of a regression."""
    X, y = make_regression(60, 4, n_informative=3, noise=20.0, random_state=0)
    return X, y / y.std()


@pytest.fixture
def classes():
    """``classes(n)``: ``(X, y)`` with n classes."""

    def make(n_classes=3):
        return make_classification(
            60, 4, n_informative=3, n_redundant=0, n_classes=n_classes, flip_y=0.2, random_state=0
        )

    return make
