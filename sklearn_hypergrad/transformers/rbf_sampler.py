"""RBFSampler: random Fourier features of the Gaussian kernel.

With numbers A that are drawn from a normal distribution, and b from a uniform one, it is ::

    X' = sqrt(2 / n_components) cos(sqrt(2 gamma) X A + b)

where A and b are drawn once for a split, by scikit-learn's own fit.
"""

import numpy as np
from sklearn.kernel_approximation import RBFSampler

from sklearn_hypergrad import kernel_approximation
from sklearn_hypergrad.problems.kernel.pair_sums import SquaredDistances, column_products
from sklearn_hypergrad.problems.split_data import variance_of_entries
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.threads import cached_property
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    seeded,
    transformer,
)
from sklearn_hypergrad.transformers.named_kernels import GammaPerFeature, usual_values


class FourierFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : RBFSampler
    rows : Rows
    entries : dict of str -> ndarray or None
    seed : int
    own : float or ndarray of shape (n_features,)
        The gamma of the estimator.
    """

    def __init__(self, estimator, rows, entries, seed, own):
        fitted = seeded(estimator, seed).set_params(gamma=0.5).fit(rows.train)
        # Those of gamma = 1/2 are the numbers that were drawn.
        self._A, self._b = fitted.random_weights_, fitted.random_offset_
        self._size, self._own = np.sqrt(2 / estimator.n_components), own
        self._names, self._entries = list(entries), entries.get("gamma")
        self._X = rows.X

    @cached_property
    def _projected(self):
        return np.asarray(self._X @ self._A)

    def levels(self):
        return usual_values(SquaredDistances(self._X), self._names) if self._names else {}

    def at(self, h, X):
        gamma = np.asarray(h.get("gamma", self._own), dtype=float)
        shape = gamma.shape
        if shape and self._entries is not None:
            gamma = np.ravel(gamma)[np.ravel(self._entries)]
        root = np.sqrt(2 * gamma)
        A = root[:, None] * self._A if shape else root * self._A
        # One gamma changes no product of rows.
        P = root * self._projected if not shape and X is self._X else np.asarray(X @ A)
        phase = P + self._b

        def pull(G, through):
            S = -self._size * np.sin(phase) * G
            # P is linear in the root of gamma.
            slopes = np.vdot(S, P) if not shape else column_products(X, S @ A.T)
            slopes = np.divide(slopes, 2 * gamma, out=np.zeros_like(gamma), where=gamma > 0)
            if shape and self._entries is not None:
                size = int(np.prod(shape))
                slopes = np.bincount(np.ravel(self._entries), slopes, size).reshape(shape)
            gradient = {"gamma": slopes} if self._names else {}
            return gradient, S @ A.T if through else None

        return Transformed(self._size * np.cos(phase), pull)


def scale_of(own, X):
    """The gamma of an RBFSampler: a number, or "scale"."""
    if own != "scale":
        return own
    variance = variance_of_entries(X)
    return 1 / (X.shape[1] * variance) if variance else 1.0


class RBFSamplerFamily(TransformerFamily):
    """RBFSampler of scikit-learn."""

    estimator_class = RBFSampler
    vector_class = kernel_approximation.RBFSampler
    hyperparameters = {"gamma": Hyperparameter()}

    def configuration_obstacle(self, estimator, names, moving):
        if moving and not names and estimator.gamma == "scale":
            return (
                "gamma='scale' of RBFSampler follows rows that move: give it a number, or tune it"
            )
        return None

    def own_value(self, estimator, name, X):
        return scale_of(estimator.gamma, X)

    def features(self, estimator, rows, entries, seed):
        own = self.own_value(estimator, "gamma", rows.train)
        return FourierFeatures(estimator, rows, entries, seed, own)


class VectorRBFSamplerFamily(GammaPerFeature, RBFSamplerFamily):
    """RBFSampler of ``kernel_approximation``: gamma may be one value per feature."""

    estimator_class = kernel_approximation.RBFSampler
    hyperparameters = {"gamma": GammaPerFeature.gamma}


@transformer.register
def _(estimator: kernel_approximation.RBFSampler):
    return VectorRBFSamplerFamily()


@transformer.register
def _(estimator: RBFSampler):
    return RBFSamplerFamily()
