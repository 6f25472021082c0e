"""The kernels that have a name in scikit-learn, of all rows of some data.

Each is a function of products or distances and of its hyperparameters, ::

    k(x, z) = f(s)    with    s = sum_d gamma_d phi(x_d, z_d) + coef0

where ``gamma`` is one number or one per feature, and only some kernels have ``coef0``. What does
not depend on hyperparameters is computed once: products or distances for one ``gamma``, and X
itself for several.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.problems.kernel.pair_sums import (
    ChiSquares,
    Cosines,
    Distances,
    PairSum,
    Products,
    SquaredDistances,
)
from sklearn_hypergrad.problems.kernel.scratch import MOST_NUMBERS, Scratch
from sklearn_hypergrad.problems.split_data import chunks

# Exponents below this one are multiplied out. Measured: cubes take a sixth of the time that powers
# of floats take, eighth powers a quarter.
MOST_FACTORS = 8
# Entries of the rows whose derivatives are summed at a time. Chosen by hand: 512 kB.
CACHED = 2**16


def _identity(s, degree, *, symmetric):
    return s, lambda W, rows: W


def _negative(s, degree, *, symmetric):
    return -s, lambda W, rows: np.negative(W, out=W)


def _exponential(s, degree, *, symmetric):
    K = _applied(lambda part: np.exp(np.negative(part, out=part), out=part), s, symmetric)
    return K, lambda W, rows: np.negative(np.multiply(W, K[rows], out=W), out=W)


def _tanh(s, degree, *, symmetric):
    K = _applied(lambda part: np.tanh(part, out=part), s, symmetric)
    return K, lambda W, rows: np.multiply(W, 1 - K[rows] ** 2, out=W)


def _applied(function, s, symmetric):
    """Apply a function in place: to one triangle of a symmetric matrix, which is then copied."""
    if not symmetric:
        function(s)
        return s
    for rows in chunks(len(s), len(s), CACHED):
        part = s[rows, : rows.stop]
        function(part)
        s[: rows.start, rows] = part[:, : rows.start].T
    return s


def _power(s, degree, *, symmetric):
    slope = _raised(s, degree - 1)
    # Below one it is infinite at zero.
    K = slope * s if degree >= 1 else s**degree
    slope *= degree
    return K, lambda W, rows: np.multiply(W, slope[rows], out=W)


def _raised(s, exponent):
    """``s**exponent``, by products where it is a small integer."""
    if exponent not in range(1, MOST_FACTORS):
        return s**exponent
    result = s.copy()
    for _ in range(int(exponent) - 1):
        result *= s
    return result


@dataclasses.dataclass(frozen=True)
class KernelForm:
    """How a kernel depends on its rows and on its hyperparameters.

    Attributes
    ----------
    pairs : type
        The PairSum.
    function : callable
        ``function(s, degree, symmetric=...) -> (K, slope)``: the kernel, which may be written over
        ``s``, and a function ``slope(W, rows)`` that multiplies rows in place by the derivative in
        ``s``.
    names : tuple of str
        The hyperparameters that scikit-learn's kernel takes.
    """

    pairs: type[PairSum]
    function: Callable
    names: tuple[str, ...] = ()


POLYNOMIAL = KernelForm(Products, _power, ("gamma", "coef0"))
KERNELS = {
    "linear": KernelForm(Products, _identity),
    "poly": POLYNOMIAL,
    "polynomial": POLYNOMIAL,
    "sigmoid": KernelForm(Products, _tanh, ("gamma", "coef0")),
    "rbf": KernelForm(SquaredDistances, _exponential, ("gamma",)),
    "laplacian": KernelForm(Distances, _exponential, ("gamma",)),
    "chi2": KernelForm(ChiSquares, _exponential, ("gamma",)),
    "additive_chi2": KernelForm(ChiSquares, _negative),
    "cosine": KernelForm(Cosines, _identity),
}


class PairwiseKernel:
    """A kernel of all rows of some data, as a function of its hyperparameters.

    Parameters
    ----------
    name : str
        A key of ``KERNELS``: the names of scikit-learn.
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    gamma : float or ndarray of shape (n_features,), default=1.0
        Used where ``at`` is given none.
    coef0 : float, default=0.0
        The same.
    degree : float, default=3
        Degree of polynomials.
    entries : ndarray of int of n_features elements, default=None
        For a ``gamma`` with several values that ``at`` is given: index of the one of each feature.
        None is a value for every feature.
    others : ndarray of int of shape (n_columns,), default=None
        The rows of X that the kernel is taken with; None is all of them.

    Attributes
    ----------
    names : tuple of str
        The hyperparameters that the kernel depends on.
    pairs : PairSum
        The products or distances of the rows.
    """

    def __init__(self, name, X, *, gamma=1.0, coef0=0.0, degree=3, entries=None, others=None):
        form = KERNELS[name]
        self.names, self.degree = form.names, degree
        self.function = functools.partial(form.function, symmetric=others is None)
        self.pairs = form.pairs(X, others)
        self.scratch = Scratch()
        # Scans change other hyperparameters first.
        self._last = None, None
        own = {"gamma": gamma, "coef0": coef0}
        self._own = {name: own[name] for name in form.names}
        self._entries = None if entries is None else np.ravel(entries)

    def at(self, h):
        """The KernelMatrix at hyperparameters ``h``; those that are missing are the own ones."""
        values = {name: h.get(name, own) for name, own in self._own.items()}
        arrays = [np.asarray(value, dtype=float) for value in values.values()]
        key = [(array.shape, array.tobytes()) for array in arrays]
        known, last = self._last
        if key == known:
            return last
        found = KernelMatrix(self, self._entries if np.ndim(h.get("gamma", 0)) else None, **values)
        if found.K.size <= MOST_NUMBERS:
            self._last = key, found
        return found


class KernelMatrix:
    """A kernel of all rows at one setting of its hyperparameters.

    Parameters
    ----------
    kernel : PairwiseKernel
    entries : ndarray of int of shape (n_features,) or None
        Index of the entry of ``gamma`` that belongs to each feature; None if each has its own.
    gamma : float or ndarray, default=1.0
    coef0 : float, default=0.0

    Attributes
    ----------
    K : ndarray of shape (n_rows, n_columns)
        Not to be changed.
    gamma : ndarray of shape () or (n_features,)
        One number, or that of each feature.
    """

    def __init__(self, kernel, entries=None, gamma=1.0, coef0=0.0):
        # Not the kernel itself, which may keep this matrix.
        self._names, self._pairs, self._scratch = kernel.names, kernel.pairs, kernel.scratch
        self._entries, self._shape = entries, np.shape(gamma)
        self.gamma = np.asarray(gamma, dtype=float)
        if entries is not None:
            self.gamma = np.ravel(self.gamma)[entries]
        fixed = "gamma" not in kernel.names
        s = kernel.pairs.total if fixed else kernel.pairs.weighted(self.gamma)
        if "coef0" in kernel.names:
            s += float(coef0)
        self.K, self._slope = kernel.function(s, kernel.degree)

    # With V = W o f'(s): the derivative in coef0 is the sum of V, in one gamma sum V o s without
    # its weights, in the gamma of a feature sum_ij V_ij phi(x_id, x_jd).
    def slopes(self, W, names=None):
        """Derivatives of ``sum_ij W_ij K_ij``.

        Parameters
        ----------
        W : ndarray of shape (n_rows, n_columns), or tuple of two of k columns each
            Weights, or A and B with ``W = A B'``.
        names : collection of str, default=None
            Hyperparameters; None is all of the kernel.

        Returns
        -------
        dict of str -> float or ndarray
            Shaped like the hyperparameters.
        """
        wanted = [name for name in self._names if names is None or name in names]
        if not wanted:
            return {}
        per_feature, (n_rows, n_columns) = self.gamma.ndim and "gamma" in wanted, self.K.shape
        found = dict.fromkeys(wanted, 0.0)
        # Products with X need all rows; else some rows after the other stay in the cache.
        for rows in chunks(n_rows, n_columns, self.K.size if per_feature else CACHED):
            V = self._scratch.take((rows.stop - rows.start, n_columns))
            V = self._weights(W, V, rows)
            for name in wanted:
                found[name] += self._slope_in(name, V, rows)
            self._scratch.give_back(V)
        return found

    def _slope_in(self, name, V, rows):
        if name == "coef0":
            return V.sum()
        return self._by_entry(V) if self.gamma.ndim else np.vdot(V, self._pairs.total[rows])

    def _by_entry(self, V):
        slopes = self._pairs.by_weight(V)
        if self._entries is None:
            return slopes
        size = int(np.prod(self._shape))
        return np.bincount(self._entries, slopes, minlength=size).reshape(self._shape)

    def x_vjp(self, W):
        """Derivatives of ``sum_ij W_ij K_ij`` in X, of its shape and dense; ``W`` as above."""
        return self.gamma * self._pairs.by_row(
            self._weights(W, np.empty(self.K.shape), slice(None))
        )

    def _weights(self, W, out, rows):
        """Some rows of the weights of ``s``, written into an array."""
        if isinstance(W, tuple):
            np.matmul(W[0][rows], W[1].T, out=out)
        else:
            out[...] = W[rows]
        return self._slope(out, rows)
