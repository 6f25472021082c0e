"""Derivatives of scikit-learn's kernels of Gaussian processes in rows and in length scales.

The kernels themselves have derivatives in their parameters only, and those in one length scale per
feature are as many matrices. For weights V of all pairs of rows the functions return derivatives of
``sum_ij V_ij k(x_i, x_j)``. Kernels of distances are functions of D, the squared distances of rows
divided by their length scales.
"""

import numpy as np
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Exponentiation,
    ExpSineSquared,
    Matern,
    Product,
    RationalQuadratic,
    Sum,
    WhiteKernel,
)

from sklearn_hypergrad.problems.kernel.pair_sums import Products, SquaredDistances


def by_row(kernel, X, V):
    """The derivative in X, of its shape.

    Parameters
    ----------
    kernel : Kernel
    X : ndarray of shape (n_rows, n_features)
    V : ndarray of shape (n_rows, n_rows)

    Raises
    ------
    TypeError
        If a part of the kernel is of a class whose derivatives are not known.
    """
    if isinstance(kernel, ConstantKernel | WhiteKernel):
        return np.zeros(X.shape)
    if isinstance(kernel, Sum):
        return by_row(kernel.k1, X, V) + by_row(kernel.k2, X, V)
    if isinstance(kernel, Product):
        return by_row(kernel.k1, X, V * kernel.k2(X)) + by_row(kernel.k2, X, V * kernel.k1(X))
    if isinstance(kernel, Exponentiation):
        power = kernel.exponent
        return by_row(kernel.kernel, X, V * power * kernel.kernel(X) ** (power - 1))
    if isinstance(kernel, DotProduct):
        return Products(X).by_row(V)
    slope = SLOPES.get(type(kernel))
    if slope is None:
        raise TypeError(f"{type(kernel).__name__} has no derivatives in its rows.")
    pairs = SquaredDistances(X / kernel.length_scale)
    return pairs.by_row(V * slope(kernel, pairs.total)) / kernel.length_scale


# A kernel of x / l does not change if x and l are multiplied by the same: its derivative in the
# logarithm of l is minus x times that in x. It depends on differences of rows only, so that these
# may be taken about their mean, which saves digits.
def by_log_length(kernel, path, X, V):
    """The derivative in the logarithms of the length scales of all features.

    Parameters
    ----------
    kernel : Kernel
    path : sequence of str
        Names that lead from the kernel to the RBF or Matern which has the length scales.
    X : ndarray of shape (n_rows, n_features)
    V : ndarray of shape (n_rows, n_rows)

    Returns
    -------
    ndarray of shape (n_features,)
    """
    if not path:
        X = X - X.mean(axis=0)
        return -np.sum(X * by_row(kernel, X, V), axis=0)
    name, *rest = path
    part = getattr(kernel, name)
    if isinstance(kernel, Product):
        V = V * (kernel.k2 if name == "k1" else kernel.k1)(X)
    elif isinstance(kernel, Exponentiation):
        V = V * kernel.exponent * part(X) ** (kernel.exponent - 1)
    return by_log_length(part, rest, X, V)


# Derivatives of k in D.


def _rbf(kernel, D):
    return -0.5 * np.exp(-0.5 * D)


def _rational_quadratic(kernel, D):
    return -0.5 * (1 + D / (2 * kernel.alpha)) ** (-kernel.alpha - 1)


# k = exp(-d), (1 + d) exp(-d) and (1 + d + d^2 / 3) exp(-d), with d^2 = 2 nu D, so that its
# derivative in D is nu / d times that in d.
def _matern(kernel, D):
    if kernel.nu == np.inf:
        return _rbf(kernel, D)
    d = np.sqrt(2 * kernel.nu * D)
    if kernel.nu == 0.5:
        return -0.5 * np.exp(-d) / np.where(d == 0, np.inf, d)
    if kernel.nu == 1.5:
        return -1.5 * np.exp(-d)
    if kernel.nu == 2.5:
        return -2.5 / 3 * (1 + d) * np.exp(-d)
    raise TypeError(f"Matern has no derivatives in its rows with nu={kernel.nu}.")


# k = exp(-2 sin(a)^2 / l^2) with a = pi l sqrt(D) / p, since D is that of rows divided by l.
def _exp_sine_squared(kernel, D):
    length, scale = kernel.length_scale, np.pi * kernel.length_scale / kernel.periodicity
    a = scale * np.sqrt(D)
    value = np.exp(-2 * np.sin(a) ** 2 / length**2)
    return -value * np.sin(2 * a) / np.where(a == 0, np.inf, a) * (scale / length) ** 2


SLOPES = {
    RBF: _rbf,
    Matern: _matern,
    RationalQuadratic: _rational_quadratic,
    ExpSineSquared: _exp_sine_squared,
}
