"""GaussianProcessRegressor, scored by cross-validation.

The mean prediction of a Gaussian process with the kernel k and noise of the variance alpha is ::

    f(x) = k(x, X) (K + alpha I)^-1 y

with the kernel K of the training rows and targets y, which ``normalize_y`` centres and scales.
``alpha`` and the parameters of the kernel are tuned, through the derivatives that kernels of
scikit-learn have; RBF and Matern may have a length scale for each feature. The kernel of all rows
is computed once for all splits. Where a fit maximises the marginal likelihood, it would overwrite
what is tuned: such configurations are refused.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    Kernel,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
)

from sklearn_hypergrad.adapters.base import Hyperparameter, RegressorFamily, family
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.by_feature.gamma import VECTOR_GAMMA
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.problems.kernel.kernel_systems import KernelSystems, rows_used_once
from sklearn_hypergrad.problems.kernel.process_kernels import by_log_length, by_row
from sklearn_hypergrad.problems.split_data import variances

# Rows of a training and a held-out part together, as for KernelRidge.
MAX_ROWS = 5000
# Where scans are centred: noise relative to the variance of a row, and length scales relative to
# the root of the sum of the variances of all features. The same as for KernelRidge, whose
# gamma = 0.3 / sum is 1 / (2 length_scale^2).
NOISE, LENGTH = 0.1, (1 / 0.6) ** 0.5
# Smallest alpha: the default of scikit-learn.
SMALLEST = 1e-10
# Values of nu for which the Matern kernel has a derivative in closed form.
CLOSED_NU = (0.5, 1.5, 2.5, np.inf)
PREFIX = "kernel__"
# Bounds of parameters that have a derivative; they limit nothing here.
FREE = (1e-5, 1e5)
# Length scales of these may differ between features. Log-ratios of gamma = 1 / (2 length_scale^2)
# are twice as large: this is the shrinkage of one gamma for each feature.
STRETCHED = RBF | Matern
LENGTHS = Hyperparameter(per=VECTOR_GAMMA.per, shrinkage=2 * VECTOR_GAMMA.shrinkage)


class TunedKernel:
    """A kernel of scikit-learn as a function of some of its parameters.

    Parameters
    ----------
    kernel : Kernel
    entries : dict of str -> ndarray or None
        Its parameters by name. For length scales of all features, the index of the entry that
        belongs to each feature.
    """

    def __init__(self, kernel, entries):
        self._entries = {n: np.ravel(index) for n, index in entries.items() if index is not None}
        bounds = {name: "fixed" for name in kernel.get_params() if name.endswith("_bounds")}
        bounds |= {f"{name}_bounds": FREE for name in entries if name not in self._entries}
        self._kernel = clone(kernel).set_params(**bounds)

    def settings(self, h):
        """The values of ``h`` as the kernel takes them: a number, or one for each feature."""
        return {
            name: np.ravel(value)[self._entries[name]] if np.ndim(value) else float(value)
            for name, value in h.items()
        }

    def at(self, h):
        """The kernel with the values of ``h``."""
        return clone(self._kernel).set_params(**self.settings(h))

    def slopes_in_lengths(self, X, h, V):
        """``{name: derivative of sum_ij V_ij k(x_i, x_j)}`` for the length scales of features."""
        kernel, slopes = self.at(h), {}
        for name, index in self._entries.items():
            *path, _ = name.split("__")
            each = by_log_length(kernel, path, X, V)
            summed = np.bincount(index, each, minlength=np.size(h[name]))
            slopes[name] = summed.reshape(np.shape(h[name])) / h[name]
        return slopes

    def slopes(self, X, h):
        """``(K, slopes)`` of all rows of X: the kernel, and its derivative in each other number."""
        kernel = self.at(h)
        K, gradient = kernel(X, eval_gradient=True)
        # Derivatives are in logarithms, in the order of the hyperparameters that are not fixed.
        names = [each.name for each in kernel.hyperparameters if not each.fixed]
        parts = zip(names, np.moveaxis(gradient, 2, 0), strict=True)
        return K, {name: (part, float(h[name])) for name, part in parts}


class GaussianProcessModel(Model):
    """``(K + alpha I) c = y`` for every split; all splits share ``K``.

    Parameters
    ----------
    estimator : GaussianProcessRegressor
        With the hyperparameters that are not tuned.
    data : SplitData
    entries : dict of str -> ndarray or None
        The hyperparameters that are tuned, as for :meth:`Family.model`.
    """

    shares_rows = True

    def __init__(self, estimator, data, entries):
        super().__init__(data)
        self._names = list(entries)
        self._alpha = estimator.alpha
        kernel, tuned = kernel_of(estimator), of_kernel(entries)
        self._kernel = TunedKernel(kernel, tuned)
        # Noise of a kernel is that of a row, which must not be held out from itself.
        once = rows_used_once(data)
        self._X = once.X.astype(np.float64, copy=False)
        labels = [data.y[train] for train in data.trains]
        self._centres, self._scales = zip(*(_units(estimator, y) for y in labels), strict=True)
        targets = [
            (y - centre) / scale
            for y, centre, scale in zip(labels, self._centres, self._scales, strict=True)
        ]
        self._systems = KernelSystems(once, targets)
        self._levels = {name: _level(kernel, name, data.X) for name in tuned}

    def levels(self):
        variance = float(np.mean(self._kernel.at(self._levels).diag(self._X)))
        usual = {PREFIX + name: level for name, level in self._levels.items()}
        usual["alpha"] = NOISE * variance
        return {name: usual[name] for name in self._names}

    def fit(self, h, start, tol):
        K, slopes = self._kernel.slopes(self._X, of_kernel(h))
        solution = self._solved(K, h)

        def pullback(g):
            of_alpha, (A, B) = solution.pull(g * self._by_row(self._scales))
            gradient = {"alpha": of_alpha}
            for name, (part, value) in slopes.items():
                gradient[PREFIX + name] = np.sum(A * (part @ B)) / value
            lengths = self._kernel.slopes_in_lengths(self._X, of_kernel(h), A @ B.T)
            gradient |= {PREFIX + name: slope for name, slope in lengths.items()}
            return Pulled({n: gradient[n] for n in self._names}, n_solves=self.n_splits)

        return self._fitted(solution, pullback)

    def train(self, h, start, tol):
        return self._fitted(self._solved(self._kernel.at(of_kernel(h))(self._X), h), None)

    def _solved(self, K, h):
        return self._systems.solve(K, h.get("alpha", self._alpha))

    def _fitted(self, solution, pullback):
        z = solution.z * self._by_row(self._scales) + self._by_row(self._centres)
        return Fitted(z, pullback, n_solves=self.n_splits, w=solution)

    def x_vjp(self, h, fitted, g):
        A, B = fitted.w.pull(g * self._by_row(self._scales))[1]
        found = by_row(self._kernel.at(of_kernel(h)), self._X, A @ B.T)
        # Copies of rows count as these.
        return found.reshape(-1, *self.data.X.shape).sum(axis=0)

    def settings(self, h):
        """Parameters for ``set_params`` from hyperparameters."""
        inside = self._kernel.settings(of_kernel(h))
        settings = {PREFIX + name: value for name, value in inside.items()}
        return settings | {name: float(h[name]) for name in h if name not in settings}

    def _by_row(self, values):
        """Values of each split as those of its held-out rows."""
        sizes = [len(test) for test in self.data.tests]
        return np.repeat(np.array(values), sizes, axis=0)


def of_kernel(h):
    """The parameters of the kernel in ``h``, by their names there."""
    return {n.removeprefix(PREFIX): value for n, value in h.items() if n.startswith(PREFIX)}


def kernel_of(estimator):
    """The kernel of an estimator, or what stands for None."""
    return ConstantKernel() * RBF() if estimator.kernel is None else estimator.kernel


def _units(estimator, y):
    """Means and standard deviations that the targets of a training part are normalised by."""
    if not estimator.normalize_y:
        return np.zeros(y.shape[1]), np.ones(y.shape[1])
    scale = y.std(axis=0)
    # That of a constant is rounding.
    scale[scale < 10 * np.finfo(float).eps] = 1.0
    return y.mean(axis=0), scale


def _level(kernel, name, X):
    """The centre of a scan of a parameter of the kernel."""
    path, _, leaf = name.rpartition("__")
    part = kernel.get_params()[path] if path else kernel
    if leaf == "length_scale" and isinstance(part, RBF | RationalQuadratic):
        return LENGTH * float(np.sqrt(variances(X).sum() or 1.0))
    if leaf == "noise_level":
        return NOISE
    own = np.ravel(getattr(part, leaf)).astype(float)
    return float(np.exp(np.mean(np.log(own)))) if np.all(own > 0) else 1.0


def _declared(kernel, parameter):
    """The Hyperparameter that a parameter of the kernel is."""
    path, _, leaf = parameter.name.rpartition("__")
    part = kernel.get_params()[path] if path else kernel
    if leaf == "length_scale" and isinstance(part, STRETCHED):
        return LENGTHS
    return Hyperparameter(regularizes=int(leaf == "noise_level"))


class GaussianProcessFamily(RegressorFamily):
    """GaussianProcessRegressor, whose hyperparameters are those of its kernel.

    Parameters
    ----------
    estimator : GaussianProcessRegressor
    """

    estimator_class = GaussianProcessRegressor
    conditions = (
        "and the parameters of the kernel, such as ``kernel__length_scale``, of RBF and Matern for "
        "each feature if asked: with ``optimizer=None``, or with bounds that are all ``'fixed'``; "
        "at most 5,000 rows"
    )
    nested = ("kernel",)
    minimises = "squared_error"
    differentiates_rows = True

    def __init__(self, estimator):
        self.hyperparameters = {
            "alpha": Hyperparameter(regularizes=1, limits=(SMALLEST, np.inf), closed=True)
        }
        for each in getattr(kernel_of(estimator), "hyperparameters", ()):
            if each.value_type == "numeric":
                self.hyperparameters[PREFIX + each.name] = _declared(kernel_of(estimator), each)

    def configuration_obstacle(self, estimator):
        if not isinstance(estimator.kernel, Kernel | None):
            return "its kernel is none of sklearn.gaussian_process.kernels"
        if np.ndim(estimator.alpha):
            return "alpha is an array"
        if estimator.optimizer is not None and kernel_of(estimator).n_dims:
            return (
                "a fit would overwrite parameters of the kernel by those of the largest marginal "
                "likelihood. Give optimizer=None, or bounds='fixed' to all of them"
            )
        return None

    def unused(self, estimator, name):
        if estimator.kernel is None and name != "alpha":
            return "kernel=None has no parameters that can be set: give it the kernel that is meant"
        part = estimator.get_params().get(name.rpartition("__")[0])
        if isinstance(part, PairwiseKernel):
            return "the derivatives of PairwiseKernel are differences. KernelRidge has exact ones"
        if isinstance(part, Matern) and part.nu not in CLOSED_NU:
            return (
                f"derivatives of Matern are differences with nu={part.nu}, but not with 1.5 or 2.5"
            )
        return None

    def own_value(self, estimator, name, data):
        return estimator.get_params()[name]

    def vector_shape(self, per, n_features, n_outputs):
        return (n_features,)

    def model(self, estimator, data, entries, seed):
        n_rows = data.X.shape[0]
        if issparse(data.X):
            raise TypeError("GaussianProcessRegressor takes no sparse X")
        if any(np.any(weight != 1) for weight in data.weights):
            raise ValueError("GaussianProcessRegressor takes no sample_weight")
        if n_rows > MAX_ROWS:
            raise ValueError(
                f"GaussianProcessRegressor factorises a matrix of the size of its rows, and "
                f"{n_rows} rows are too many: at most {MAX_ROWS}"
            )
        return GaussianProcessModel(estimator, data, entries)

    def install(self, estimator, model, fitted, h):
        data = model.data
        settings = model.settings(h)
        # A fit makes two factors, and finding what it keeps beside the solution one of them.
        for train in data.trains:
            own = clone(estimator).set_params(**settings)
            yield own.fit(data.X[train], data.labels[train])


@family.register
def _(estimator: GaussianProcessRegressor):
    return GaussianProcessFamily(estimator)
