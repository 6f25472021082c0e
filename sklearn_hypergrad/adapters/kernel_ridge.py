"""KernelRidge.

The estimator minimises, over functions f of the space of a kernel k, ::

    sum_i s_i (y_i - f(x_i))^2  +  alpha ||f||_k^2

with sample weights s, so that ``f(x) = k(x, X) (K + alpha S^-1)^-1 y`` with the kernel K of the
training rows and S their weights. ``alpha`` is tuned for kernels with a name, and ``gamma`` for the
kernels ``exp(-gamma distance)``. Distances of all rows are computed once, and splits index them.
Every split takes one Cholesky factorisation, which the pullback uses again. Kernels that are
functions, and precomputed ones, are refused: they cannot be differentiated.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import euclidean_distances, manhattan_distances, pairwise_kernels

from sklearn_hypergrad.adapters.base import SOLUTIONS, Hyperparameter, RegressorFamily, family
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.problems.outer.held_out import held_out_rows

# Rows of a training and a held-out part together. Factors of 5000 rows take a second per split
# and evaluation, and a kernel of so many 200 MB.
MAX_ROWS = 5000
# Kernels ``exp(-gamma * distance)``, and their distances.
DISTANCES = {
    "rbf": lambda X: euclidean_distances(X, squared=True),
    "laplacian": manhattan_distances,
}
# Where scans are centred, relative to the diagonal of the kernel and the inverse spread of data.
# Measured on 12 regression data sets: best values were 1e-4 to 0.6 and 0.001 to 1.
ALPHA, GAMMA = 0.1, 0.3
# Smallest alpha: below, rounding errors of the system show in predictions.
SMALLEST = 1e-10
# Kernels of scikit-learn that take no gamma.
WITHOUT_GAMMA = ("linear", "cosine", "additive_chi2")


class KernelRidgeModel(Model):
    """``(K + alpha I) c = y`` for every split, by Cholesky factors; all splits share ``K``.

    With training weights ``S^2`` it is ``(S K S + alpha I) u = S y`` and ``c = S u``.

    Parameters
    ----------
    estimator : KernelRidge
        With the hyperparameters that are not tuned.
    data : SplitData
    names : collection of str
        The hyperparameters that are tuned.
    """

    shares_rows = True

    def __init__(self, estimator, data, names):
        super().__init__(data)
        self._alpha, self._names = float(estimator.alpha), frozenset(names)
        X = data.X.astype(np.float64, copy=False)
        self._kernel = self._distances = None
        if "gamma" in self._names:
            self._distances = DISTANCES[estimator.kernel](X)
        else:
            self._kernel = _kernel(estimator, X)
        self._levels = {"alpha": ALPHA}
        if self._kernel is not None:
            self._levels["alpha"] *= _size(self._kernel)
        if self._distances is not None:
            self._levels["gamma"] = GAMMA / _spread(X, estimator.kernel)
        self._roots = [np.sqrt(weight)[:, None] for weight in data.weights]
        self._rows, self._splits = held_out_rows(data)

    def levels(self):
        return {name: self._levels[name] for name in self._names}

    def fit(self, h, start, tol):
        data, alpha = self.data, float(h.get("alpha", self._alpha))
        K = self._kernel
        if K is None:
            K = np.exp(-float(h["gamma"]) * self._distances)
        factors, scaled, coefs = [], [], []
        for train, root in zip(data.trains, self._roots, strict=True):
            factor = _factor(K, train, root, alpha)
            factors.append(factor)
            scaled.append(cho_solve(factor, root * data.y[train], check_finite=False))
            coefs.append(root * scaled[-1])
        # All splits in one product: a column per split and output.
        spread = self._columns(coefs)
        z = self._by_split(K @ spread)[self._rows, self._splits]

        def pullback(g):
            held_out = np.zeros((len(K), data.n_splits, data.y.shape[1]))
            held_out[self._rows, self._splits] = g
            pulled = self._by_split(K @ held_out.reshape(len(K), -1))
            adjoints = []
            of_alpha = 0.0
            for i, (train, root) in enumerate(zip(data.trains, self._roots, strict=True)):
                adjoint = cho_solve(factors[i], root * pulled[train, i], check_finite=False)
                of_alpha -= np.sum(adjoint * scaled[i])
                adjoints.append(root * adjoint)
            gradient = {"alpha": of_alpha}
            if self._distances is not None:
                # K changes by -K * distances, in held-out rows and in the system.
                slope = (K * self._distances) @ spread
                outer = self._columns(adjoints) - held_out.reshape(len(K), -1)
                gradient["gamma"] = np.sum(outer * slope)
            return Pulled({n: gradient[n] for n in self._names}, n_solves=data.n_splits)

        return Fitted(z, pullback, n_solves=data.n_splits, w=coefs)

    def _columns(self, parts):
        """Coefficients of all rows, a column per split and output; a row may be drawn twice."""
        n_rows, n_outputs = self.data.y.shape
        columns = np.zeros((n_rows, self.data.n_splits, n_outputs))
        for i, (train, part) in enumerate(zip(self.data.trains, parts, strict=True)):
            np.add.at(columns[:, i], train, part)
        return columns.reshape(n_rows, -1)

    def _by_split(self, columns):
        return columns.reshape(len(columns), self.data.n_splits, -1)


def _kernel(estimator, X):
    """The kernel of all rows, as ``fit`` of the estimator has it."""
    settings = {name: getattr(estimator, name) for name in ("gamma", "degree", "coef0")}
    return pairwise_kernels(X, metric=estimator.kernel, filter_params=True, **settings)


def _factor(K, train, root, alpha):
    """The Cholesky factor of the system of one split."""
    system = K[np.ix_(train, train)]
    if np.any(root != 1):
        system *= root * root.T
    system[np.diag_indices_from(system)] += alpha
    # Symmetric, so its transpose is the same, in the order that LAPACK overwrites.
    return cho_factor(system.T, lower=True, overwrite_a=True, check_finite=False)


def _size(K):
    """Mean of the diagonal of a kernel, the scale of its penalty."""
    return float(np.mean(np.diagonal(K))) or 1.0


def _spread(X, kernel):
    """Sum over features of the variance, or of the deviation for distances that are not squared."""
    mean = np.asarray(X.mean(axis=0)).ravel()
    square = X.multiply(X) if issparse(X) else X**2
    variances = np.maximum(np.asarray(square.mean(axis=0)).ravel() - mean**2, 0)
    return float(np.sum(variances if kernel == "rbf" else np.sqrt(variances))) or 1.0


class KernelRidgeFamily(RegressorFamily):
    """``||y - K c||^2 + alpha c' K c``, ``K = exp(-gamma * distance)`` or another kernel."""

    estimator_class = KernelRidge
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1, limits=(SMALLEST, np.inf)),
        "gamma": Hyperparameter(),
    }
    conditions = (
        "``gamma`` of ``kernel='rbf'`` and ``'laplacian'``, ``alpha`` of any kernel with a name "
        "but ``'precomputed'``; at most 5,000 rows"
    )
    methods = (*RegressorFamily.methods, "_get_kernel")
    minimises = "squared_error"

    def configuration_obstacle(self, estimator):
        if callable(estimator.kernel):
            return "its kernel is a function"
        if estimator.kernel == "precomputed":
            return "kernel='precomputed' has no rows from which splits could share a kernel"
        if np.ndim(estimator.alpha):
            return "alpha is an array"
        return None

    def unused(self, estimator, name):
        if name != "gamma" or estimator.kernel in DISTANCES:
            return None
        kernel = estimator.kernel if isinstance(estimator.kernel, str) else "callable"
        if kernel in WITHOUT_GAMMA:
            return f"KernelRidge has no gamma with kernel={kernel!r}"
        return f"gamma is differentiated for kernel='rbf' and 'laplacian', not for {kernel!r}"

    def own_value(self, estimator, name, data):
        own = getattr(estimator, name)
        return 1 / data.X.shape[1] if name == "gamma" and own is None else own

    def rows_from(self, estimator):
        return SOLUTIONS

    def model(self, estimator, data, entries, seed):
        n_rows = data.X.shape[0]
        if n_rows > MAX_ROWS:
            raise ValueError(
                f"KernelRidge factorises a matrix of the size of its rows, and {n_rows} rows are "
                f"too many: at most {MAX_ROWS}"
            )
        return KernelRidgeModel(estimator, data, entries)

    def install(self, estimator, model, fitted, h):
        single, data = np.ndim(model.data.labels) == 1, model.data
        installed = []
        for train, coef in zip(data.trains, fitted.w, strict=True):
            own = clone(estimator).set_params(**{name: float(value) for name, value in h.items()})
            own.dual_coef_ = coef[:, 0] if single else coef
            own.X_fit_, own.n_features_in_ = data.X[train], data.X.shape[1]
            installed.append(own)
        return installed


@family.register
def _(estimator: KernelRidge):
    return KernelRidgeFamily()
