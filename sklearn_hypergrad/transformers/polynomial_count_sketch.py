"""PolynomialCountSketch: sums of hashed features, whose convolution is that of a polynomial kernel.

With matrices S of zeros and one 1 or -1 in each row, one for each of ``degree`` factors, it is ::

    X' = ifft(prod_d fft(Y S_d))    with    Y = (gamma^(1/2) X, coef0^(1/2))

where the hashes S are drawn once for a split, by scikit-learn's own fit.
"""

import numpy as np
from scipy.fft import irfft, rfft
from scipy.sparse import csr_array, issparse
from sklearn.kernel_approximation import PolynomialCountSketch

from sklearn_hypergrad.problems.kernel.pair_sums import Products
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    seeded,
    transformer,
)
from sklearn_hypergrad.transformers.named_kernels import usual_values


class SketchFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : PolynomialCountSketch
    rows : Rows
    names : collection of str
    seed : int
    """

    def __init__(self, estimator, rows, names, seed):
        drawing = seeded(estimator, seed)
        if "coef0" in names:
            # Without coef0 there are hashes for one feature less.
            drawing.set_params(coef0=1.0)
        fitted = drawing.fit(rows.train)
        self._size, n_features = estimator.n_components, rows.X.shape[1]
        hashes = [
            csr_array((sign.astype(float), (np.arange(len(sign)), place)), (len(sign), self._size))
            for place, sign in zip(fitted.indexHash_, fitted.bitHash_, strict=True)
        ]
        self._hashes = [S[:n_features] for S in hashes]
        self._constants = [S[n_features:].sum(axis=0) for S in hashes]
        self._own = {"gamma": estimator.gamma, "coef0": estimator.coef0}
        self._names, self._X = names, rows.X
        self._sums = self._hashed(rows.X)

    def _hashed(self, X):
        """``X S_d`` for each d."""
        return [S.toarray() if issparse(S) else S for S in (X @ S for S in self._hashes)]

    def levels(self):
        return usual_values(Products(self._X), self._names) if self._names else {}

    # The derivative in one sketch is what is transformed back from the transform of G times the
    # conjugates of the others.
    def at(self, h, X):
        sums = self._sums if X is self._X else self._hashed(X)
        values = self._own | dict(h)
        root, of_one = np.sqrt(float(values["gamma"])), np.sqrt(float(values["coef0"]))
        pairs = zip(sums, self._constants, strict=True)
        factors = [rfft(root * each + of_one * constant) for each, constant in pairs]

        def pull(G, through):
            slopes, of_G = {"gamma": 0.0, "coef0": 0.0}, rfft(G)
            X_bar = np.zeros(X.shape) if through else None
            for number, (S, constant, each) in enumerate(
                zip(self._hashes, self._constants, sums, strict=True)
            ):
                others = _product(factors[:number] + factors[number + 1 :], of_G)
                of_sketch = irfft(others, self._size)
                if "gamma" in self._names:
                    slopes["gamma"] += np.vdot(of_sketch, each) / (2 * root)
                if "coef0" in self._names:
                    slopes["coef0"] += np.sum(of_sketch @ constant) / (2 * of_one)
                if through:
                    X_bar += root * (S @ of_sketch.T).T
            return {name: slopes[name] for name in self._names}, X_bar

        return Transformed(irfft(_product(factors), self._size), pull)


def _product(factors, first=None):
    """The product of transforms, conjugate where a first one is given, which is not."""
    if first is None:
        return np.prod(factors, axis=0)
    for each in factors:
        first = first * np.conj(each)
    return first


class PolynomialCountSketchFamily(TransformerFamily):
    """PolynomialCountSketch of scikit-learn."""

    estimator_class = PolynomialCountSketch
    hyperparameters = {"gamma": Hyperparameter(), "coef0": Hyperparameter()}

    def configuration_obstacle(self, estimator, names, moving):
        if "coef0" not in names and estimator.coef0 < 0:
            return f"PolynomialCountSketch takes the root of coef0, which is {estimator.coef0:g}"
        return None

    def features(self, estimator, rows, entries, seed):
        return SketchFeatures(estimator, rows, list(entries), seed)


@transformer.register
def _(estimator: PolynomialCountSketch):
    return PolynomialCountSketchFamily()
