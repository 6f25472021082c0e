import numpy as np
import pytest

from sklearn_hypergrad.problems import Linearization, TrainableProblem
from sklearn_hypergrad.training import Epochs, Momentum, Training

N_SAMPLES = 8
SETTINGS = {
    "learning_rate_init": 0.25,
    "momentum": 0.75,
    "beta_1": 0.75,
    "beta_2": 0.875,
    "decay": 0.875,
}


class Bowl(TrainableProblem):
    """``mean_i sqrt(1 + (a_i w - b_i)^2) + 1/2 sum_j alpha_j w_j^2``, with two groups of weights.

    "alpha" is one number, or one for each group, and may differ between steps; "init_scale" is one
    number.
    """

    n_samples = N_SAMPLES
    scheduled = {"alpha": (2,)}

    def __init__(self, size):
        rng = np.random.default_rng(0)
        self.A = rng.normal(size=(N_SAMPLES, size)) / np.sqrt(size)
        self.b = rng.normal(size=N_SAMPLES)
        self.origin = rng.normal(size=size)
        self.group_sizes = (2, size - 2)

    def initial(self, h):
        return h.get("init_scale", 1.0) * self.origin

    def initial_vjp(self, h, v):
        return {"init_scale": self.origin @ v} if "init_scale" in h else {}

    def initial_jvp(self, h, u):
        return u["init_scale"] * self.origin if "init_scale" in u else None

    def linearize(self, w, h, rows):
        rows = slice(None) if rows is None else rows
        return Point(self, w, h, self.A[rows], self.b[rows])

    def per_weight(self, alpha):
        return np.repeat(alpha, self.group_sizes) if np.ndim(alpha) else alpha


class Point(Linearization):
    def __init__(self, problem, w, h, A, b):
        self._problem, self._w, self._A = problem, w, A / np.sqrt(len(b))
        self._alpha = h.get("alpha")
        self._ridge = problem.per_weight(0.0 if self._alpha is None else self._alpha)
        r = A @ w - b
        self._q = np.sqrt(1 + r**2)
        self.value = float(np.mean(self._q) + 0.5 * np.sum(self._ridge * w**2))
        self.gradient = A.T @ (r / self._q) / len(b) + self._ridge * w

    def pull(self, v):
        product = self._A.T @ (self._A @ v / self._q**3) + self._ridge * v
        if self._alpha is None:
            return product, {}
        parts = np.add.reduceat(self._w * v, (0, self._problem.group_sizes[0]))
        return product, {"alpha": parts if np.ndim(self._alpha) else parts.sum()}

    def push(self, v, u):
        product, _ = self.pull(v)
        return product + self._problem.per_weight(u["alpha"]) * self._w if "alpha" in u else product


@pytest.fixture
def bowl():
    """``bowl(size)``: a training problem with that many weights, two of them a group."""
    return Bowl


@pytest.fixture
def make_training():
    """``make_training(dynamics, n_steps, ...)``: of a bowl, on batches of three."""

    def make(dynamics=None, n_steps=12, *, size=5, problem=None, batch_size=3, **settings):
        dynamics = dynamics or Momentum()
        known = {name: SETTINGS[name] for name in dynamics.names} | {"alpha": 0.1}
        batches = Epochs(N_SAMPLES, batch_size, seed=2)
        return Training(problem or Bowl(size), dynamics, batches, n_steps, {**known, **settings})

    return make
