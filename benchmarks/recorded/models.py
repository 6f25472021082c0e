"""Pipelines, and models that are written with autograd."""

import autograd.numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    Hyperparameter,
)
from sklearn_hypergrad.training import Adam, Momentum

PENALTY = Hyperparameter(regularizes=1, per=("feature",))


def scaled(model):
    """The model behind a scaler; its step is called "model"."""
    return Pipeline([("scale", StandardScaler()), ("model", model)])


def behind(*steps):
    """A pipeline of steps called "step0", ... and at last "model"."""
    names = [f"step{number}" for number in range(len(steps) - 1)]
    return Pipeline(list(zip([*names, "model"], steps, strict=True)))


class Robust(DifferentiableRegressor):
    """Linear regression with a loss that is squared near zero and linear beyond."""

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


class Towards(DifferentiableRegressor):
    """Least squares whose coefficients are drawn towards a number of any sign."""

    hyperparameters = {
        "alpha": PENALTY,
        "centre": Hyperparameter(scale="linear", limits=(-9, 9)),
        "sample_weight": Hyperparameter(per=("sample",), start=1.0),
    }
    multi_output = True

    def __init__(self, alpha=0.1, centre=0.5, sample_weight=1.0):
        self.alpha = alpha
        self.centre = centre
        self.sample_weight = sample_weight

    def initial(self, X, y, rng):
        return [np.zeros((X.shape[1], *y.shape[1:])), np.zeros(y.shape[1:])]

    def forward(self, w, X, h):
        return np.dot(X, w[0]) + w[1]

    def penalty(self, w, h):
        return 0.5 * np.sum(h["alpha"] * (w[0] - h["centre"]) ** 2)


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
        return 0.5 * np.sum(h["alpha"] * w[:-1].T ** 2)


class TwoLayers(DifferentiableClassifier):
    """A network that is trained by momentum."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    dynamics = Momentum()

    def __init__(self, alpha=1e-3, learning_rate_init=0.2, momentum=0.5, n_steps=20, batch_size=32):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps
        self.batch_size = batch_size

    def initial(self, X, y, rng):
        return [rng.normal(size=(X.shape[1], 5)) / 4, rng.normal(size=(5, *y.shape[1:])) / 3]

    def forward(self, w, X, h):
        return np.dot(np.tanh(np.dot(X, w[0])), w[1])

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * (np.sum(w[0] ** 2) + np.sum(w[1] ** 2))


class WithAdam(TwoLayers):
    """The same, trained by Adam."""

    dynamics = Adam()

    def __init__(
        self,
        alpha=1e-3,
        learning_rate_init=0.05,
        beta_1=0.9,
        beta_2=0.99,
        n_steps=20,
        batch_size=32,
        random_state=0,
    ):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.random_state = random_state
