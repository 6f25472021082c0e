"""Nystroem: features of a kernel, from some of the training rows.

With the kernel K of all rows with the basis rows B, and ``K_B`` of these with each other, it is ::

    X' = K N    with    N = f(K_B),   f(s) = sign(s) / sqrt(max(|s|, 1e-12))

where f acts on eigenvalues. The basis is drawn once for a split, as scikit-learn's own fit does.
"""

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.utils import check_random_state

from sklearn_hypergrad import kernel_approximation
from sklearn_hypergrad.problems.kernel.pairwise_kernel import PairwiseKernel
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    seeded,
    transformer,
)
from sklearn_hypergrad.transformers.named_kernels import (
    GammaPerFeature,
    NamedKernelFamily,
    usual_values,
)

# Smallest eigenvalue, as in scikit-learn's fit.
SMALLEST = 1e-12
DEGREE = 3


class NystroemFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : Nystroem
    rows : Rows
    entries : dict of str -> ndarray or None
    seed : int
    own : dict
        ``gamma`` and ``coef0`` of the estimator: numbers, or a gamma for each feature.
    """

    def __init__(self, estimator, rows, entries, seed, own):
        # A fit takes longer than the draw, for a kernel that is of no use here.
        random = check_random_state(seeded(estimator, seed).random_state)
        self._basis = random.permutation(rows.n_train)[: estimator.n_components]
        self._names = list(entries)
        degree = DEGREE if estimator.degree is None else estimator.degree
        self._settings = {"degree": degree, "others": self._basis} | own
        self._settings["entries"] = entries.get("gamma")
        self._kind, self._X = estimator.kernel, rows.X
        self._kernel = self._kernel_of(rows.X)

    def _kernel_of(self, X):
        return PairwiseKernel(self._kind, X, **self._settings)

    def levels(self):
        return usual_values(self._kernel.pairs, self._names)

    def at(self, h, X):
        kernel = self._kernel if X is self._X else self._kernel_of(X)
        at = kernel.at(h)
        root = InverseRoot(at.K[self._basis])

        def pull(G, through):
            W = G @ root.N
            W[self._basis] += root.pull(at.K.T @ G)
            return at.slopes(W, self._names), at.x_vjp(W) if through else None

        return Transformed(at.K @ root.N, pull)


# Derivation. For N = V f(s) V' the derivative is dN = V (F o V' dK V) V' with the divided
# differences F_ij = (f(s_i) - f(s_j)) / (s_i - s_j), and f'(s_i) where the two are equal.
class InverseRoot:
    """The inverse square root of a symmetric matrix, with its derivative.

    Parameters
    ----------
    K : ndarray of shape (n, n)

    Attributes
    ----------
    N : ndarray of shape (n, n)
    """

    def __init__(self, K):
        self._s, self._V = np.linalg.eigh(K)
        # |s| r^2 = 1 where s is not clipped.
        self._r = 1 / np.sqrt(np.maximum(np.abs(self._s), SMALLEST))
        self._f = np.where(self._s < 0, -1.0, 1.0) * self._r
        self.N = (self._V * self._f) @ self._V.T

    def pull(self, G):
        """Derivatives of ``sum_ij G_ij N_ij`` in the entries of K, which is symmetric."""
        V = self._V
        return V @ (self._divided() * (V.T @ (0.5 * (G + G.T)) @ V)) @ V.T

    def _divided(self):
        s, r, f = self._s, self._r, self._f
        # Of one sign, and not clipped, they are -(r_i r_j)^2 / (r_i + r_j), which loses no digits.
        side = np.where(np.abs(s) > SMALLEST, np.sign(s), 0)
        smooth = -((r[:, None] * r) ** 2) / (r[:, None] + r)
        gap = s[:, None] - s
        other = np.divide(f[:, None] - f, gap, out=np.zeros_like(gap), where=gap != 0)
        return np.where(side[:, None] * side > 0, smooth, other)


class NystroemFamily(NamedKernelFamily):
    """Nystroem of scikit-learn, with kernels that have a name."""

    estimator_class = Nystroem
    vector_class = kernel_approximation.Nystroem
    conditions = "kernels with a name, without ``kernel_params``"

    def configuration_obstacle(self, estimator, names, moving):
        obstacle = super().configuration_obstacle(estimator, names, moving)
        if obstacle is None and estimator.kernel_params:
            return "Nystroem has kernel_params: give gamma, coef0 and degree by their names"
        return obstacle

    def features(self, estimator, rows, entries, seed):
        own = self.own_values(estimator, rows.X)
        return NystroemFeatures(estimator, rows, entries, seed, own)


class VectorNystroemFamily(GammaPerFeature, NystroemFamily):
    """Nystroem of ``kernel_approximation``: gamma may be one value per feature."""

    estimator_class = kernel_approximation.Nystroem


@transformer.register
def _(estimator: kernel_approximation.Nystroem):
    return VectorNystroemFamily(estimator)


@transformer.register
def _(estimator: Nystroem):
    return NystroemFamily(estimator)
