"""RBFSampler: random Fourier features of the Gaussian kernel.

With numbers A that are drawn from a normal distribution, and b from a uniform one, it is ::

    X' = sqrt(2 / n_components) cos(sqrt(2 gamma) X A + b)

where A and b are drawn once for a split, by scikit-learn's own fit.
"""

import numpy as np
from sklearn.kernel_approximation import RBFSampler

from sklearn_hypergrad.problems.kernel.pair_sums import SquaredDistances
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    seeded,
    transformer,
)

# Where scans are centred, relative to the inverse spread of the data: as for KernelRidge.
GAMMA = 0.3


class FourierFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : RBFSampler
    rows : Rows
    names : collection of str
    seed : int
    """

    def __init__(self, estimator, rows, names, seed):
        fitted = seeded(estimator, seed).set_params(gamma=0.5).fit(rows.train)
        # Those of gamma = 1/2 are the numbers that were drawn.
        self._A, self._b = fitted.random_weights_, fitted.random_offset_
        self._size, self._names = np.sqrt(2 / estimator.n_components), names
        self._own, self._n_train = estimator.gamma, rows.n_train
        self._X, self._projected = rows.X, self._project(rows.X)

    def _project(self, X):
        return np.asarray(X @ self._A)

    def levels(self):
        if not self._names:
            return {}
        return {"gamma": GAMMA / SquaredDistances(self._X).spread()}

    def at(self, h, X):
        P = self._projected if X is self._X else self._project(X)
        fixed = None if self._names else scale_of(self._own, X[: self._n_train])
        gamma = float(h["gamma"]) if fixed is None else fixed
        root = np.sqrt(2 * gamma)
        phase = root * P + self._b

        def pull(G, through):
            S = -self._size * np.sin(phase) * G
            gradient = {"gamma": np.vdot(S, P) / root} if self._names else {}
            return gradient, root * (S @ self._A.T) if through else None

        return Transformed(self._size * np.cos(phase), pull)


def scale_of(own, X):
    """The gamma of an RBFSampler: a number, or "scale"."""
    if own != "scale":
        return own
    variance = X.multiply(X).mean() - X.mean() ** 2 if hasattr(X, "multiply") else X.var()
    return 1 / (X.shape[1] * variance) if variance else 1.0


class RBFSamplerFamily(TransformerFamily):
    """RBFSampler of scikit-learn."""

    estimator_class = RBFSampler
    hyperparameters = {"gamma": Hyperparameter()}

    def configuration_obstacle(self, estimator, names, moving):
        if moving and not names and estimator.gamma == "scale":
            return (
                "gamma='scale' of RBFSampler follows rows that move: give it a number, or tune it"
            )
        return None

    def own_value(self, estimator, name, X):
        return scale_of(estimator.gamma, X)

    def features(self, estimator, rows, names, seed):
        return FourierFeatures(estimator, rows, names, seed)


@transformer.register
def _(estimator: RBFSampler):
    return RBFSamplerFamily()
