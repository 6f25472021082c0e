"""SkewedChi2Sampler: random Fourier features of the skewed chi-squared kernel.

With numbers A and b that are drawn once for a split, by scikit-learn's own fit, it is ::

    X' = sqrt(2 / n_components) cos(log(X + skewedness) A + b)

so that all entries of X must be above -skewedness.
"""

import numpy as np
from sklearn.kernel_approximation import SkewedChi2Sampler

from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)

# A search ends where the smallest entry is nearer to -skewedness than the mean, by this factor:
# there its logarithm goes to minus infinity, and features oscillate. Chosen by hand.
NEAREST = 1e-3


class SkewedFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : SkewedChi2Sampler
    rows : Rows
    names : collection of str
    seed : int
    """

    def __init__(self, estimator, rows, names, seed):
        fitted = rows.fitted(estimator, seed)
        self._A, self._b = fitted.random_weights_, fitted.random_offset_
        self._size, self._names = np.sqrt(2 / estimator.n_components), names
        self._own, self._X, self._moving = estimator.skewedness, rows.X, rows.moving

    def levels(self):
        if not self._names:
            return {}
        # Above the limit by as much as the mean is above the smallest entry.
        return {"skewedness": float(self._X.mean() - 2 * self._least) or 1.0}

    @property
    def _least(self):
        return min(self._X.min(), 0.0)

    def limits(self):
        least = self._least
        # The limit of rows that move is not known.
        if least == 0 or self._moving or not self._names:
            return {}
        return {"skewedness": (float(NEAREST * (self._X.mean() - least) - least), np.inf)}

    def at(self, h, X):
        shift = float(h.get("skewedness", self._own))
        shifted = X + shift
        if not shifted.min() > 0:
            raise np.linalg.LinAlgError(
                f"skewedness={shift:g} must be above {-X.min():g}, since rows have entries down to "
                f"{X.min():g}"
            )
        phase = np.log(shifted) @ self._A + self._b

        def pull(G, through):
            X_bar = (-self._size * np.sin(phase) * G) @ self._A.T / shifted
            gradient = {"skewedness": X_bar.sum()} if self._names else {}
            return gradient, X_bar if through else None

        return Transformed(self._size * np.cos(phase), pull)


class SkewedChi2SamplerFamily(TransformerFamily):
    """SkewedChi2Sampler of scikit-learn."""

    estimator_class = SkewedChi2Sampler
    hyperparameters = {"skewedness": Hyperparameter()}

    def features(self, estimator, rows, entries, seed):
        return SkewedFeatures(estimator, rows, list(entries), seed)


@transformer.register
def _(estimator: SkewedChi2Sampler):
    return SkewedChi2SamplerFamily()
