"""AdditiveChi2Sampler: features of the additive chi-squared kernel, each of one entry.

With the interval L between samples, an entry x becomes the real and imaginary parts of ::

    z_j = (2 x L / cosh(pi j L))^(1/2) x^(i j L)

for j from 1 to ``sample_steps - 1``, behind ``z_0 = (x L)^(1/2)``, and zeros where x is zero.
Nothing is drawn or fitted.
"""

import numpy as np
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.kernel_approximation import AdditiveChi2Sampler

from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    transformer,
)

# scikit-learn's own intervals for these steps.
USUAL = {1: 0.8, 2: 0.5, 3: 0.4}
# Where scans are centred for more steps.
INTERVAL = 0.3


class ChiSquareFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : AdditiveChi2Sampler
    rows : Rows
    names : collection of str
    own : float or None
        ``sample_interval`` of the estimator.
    """

    def __init__(self, estimator, rows, names, own):
        # It refuses negative entries, and steps without an interval.
        estimator.set_params(**dict.fromkeys(names, 1.0)).fit(rows.X)
        self._steps, self._names, self._own = estimator.sample_steps, names, own

    def levels(self):
        return dict.fromkeys(self._names, USUAL.get(self._steps, INTERVAL))

    def at(self, h, X):
        interval = float(h.get("sample_interval", self._own))
        if X.min() < 0:
            raise np.linalg.LinAlgError(
                f"rows of AdditiveChi2Sampler must not be negative, and have {X.min():g}"
            )
        pattern = X.nonzero()
        x = np.asarray(X[pattern]).ravel()
        found = [feature(x, interval, j) for j in range(self._steps)]

        def spread(values):
            if issparse(X):
                return csr_matrix((values, pattern), X.shape)
            left = np.zeros(X.shape)
            left[pattern] = values
            return left

        def pull(G, through):
            G = [part[pattern] for part in np.split(G, 2 * self._steps - 1, axis=1)]
            pairs = zip(G[1::2], G[2::2], strict=True)
            # The real part of the conjugate times z is the sum over both parts.
            bars = [G[0], *(of_cos - 1j * of_sin for of_cos, of_sin in pairs)]
            products = [bar * z for bar, z in zip(bars, found, strict=True)]
            gradient = dict.fromkeys(self._names, 0.0)
            x_bar = np.zeros(len(x))
            for j, product in enumerate(products):
                for name in self._names:
                    gradient[name] += np.sum(np.real(product * rate(x, interval, j)))
                x_bar += np.real(product * (0.5 + 1j * j * interval)) / x
            X_bar = np.zeros(X.shape)
            X_bar[pattern] = x_bar
            return gradient, X_bar if through else None

        parts = [spread(part) for z in found for part in parts_of(z)]
        return Transformed(hstack(parts, "csr") if issparse(X) else np.hstack(parts), pull)


def feature(x, interval, j):
    """``z_j`` of positive entries, which is real for j = 0."""
    if j == 0:
        return np.sqrt(x * interval)
    # Not cosh, which overflows.
    decay = np.exp(-np.pi * j * interval)
    size = np.sqrt(4 * x * interval * decay / (1 + decay**2))
    return size * np.exp(1j * j * interval * np.log(x))


def rate(x, interval, j):
    """The derivative of ``log z_j`` in the interval."""
    decay = 0.5 * np.pi * j * np.tanh(np.pi * j * interval)
    return 0.5 / interval - decay + 1j * j * np.log(x)


def parts_of(z):
    """Its real and imaginary parts, if it has both."""
    return (z.real, z.imag) if np.iscomplexobj(z) else (z,)


class AdditiveChi2SamplerFamily(TransformerFamily):
    """AdditiveChi2Sampler of scikit-learn."""

    estimator_class = AdditiveChi2Sampler
    hyperparameters = {"sample_interval": Hyperparameter()}

    def own_value(self, estimator, name, X):
        own = estimator.sample_interval
        return USUAL.get(estimator.sample_steps) if own is None else own

    def features(self, estimator, rows, entries, seed):
        own = self.own_value(estimator, "sample_interval", rows.X)
        return ChiSquareFeatures(estimator, rows, list(entries), own)


@transformer.register
def _(estimator: AdditiveChi2Sampler):
    return AdditiveChi2SamplerFamily()
