"""KernelRidge, of scikit-learn and of ``kernel_ridge``.

The estimator minimises, over functions f of the space of a kernel k, ::

    sum_i s_i (y_i - f(x_i))^2  +  alpha ||f||_k^2

with sample weights s, so that ``f(x) = k(x, X) (K + alpha S^-1)^-1 y`` with the kernel K of the
training rows and S their weights. ``alpha`` is tuned for kernels with a name, ``gamma`` and
``coef0`` for the kernels that have them; the KernelRidge of this package has a ``gamma`` for each
feature, too. Products or distances of all rows are computed once, and splits index the kernel.
Every split takes one factorisation, which the pullback uses again. Leave-one-out losses have a
closed form. Kernels that are functions, and precomputed ones, are refused: they cannot be
differentiated.
"""

import numpy as np
from sklearn import kernel_ridge as sklearn_kernel_ridge
from sklearn.base import clone

from sklearn_hypergrad import kernel_ridge
from sklearn_hypergrad.adapters.base import (
    SOLUTIONS,
    GammaPerFeature,
    Hyperparameter,
    KernelFamily,
    RegressorFamily,
    family,
)
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.problems.kernel.kernel_systems import KernelSystems
from sklearn_hypergrad.problems.kernel.left_out_rows import LeftOutRows
from sklearn_hypergrad.problems.kernel.pairwise_kernel import PairwiseKernel
from sklearn_hypergrad.threads import cached_property

# Rows of a training and a held-out part together. Factors of 5000 rows take a second per split
# and evaluation, and a kernel of so many 200 MB.
MAX_ROWS = 5000
# Where scans are centred, relative to the diagonal of the kernel and the inverse spread of data.
# Measured on 12 regression data sets: best values were 1e-4 to 0.6 and 0.001 to 1.
ALPHA, GAMMA = 0.1, 0.3
# The same for coef0, which products of the usual gamma are added to: the default of scikit-learn.
COEF0 = 1.0
# Smallest alpha: below, rounding errors of the system show in predictions.
SMALLEST = 1e-10


class KernelRidgeModel(Model):
    """``(K + alpha I) c = y`` for every split; all splits share ``K``.

    Parameters
    ----------
    estimator : KernelRidge
        With the hyperparameters that are not tuned.
    data : SplitData
    entries : dict of str -> ndarray or None
        The hyperparameters that are tuned, as for :meth:`Family.model`.
    own : dict
        ``gamma`` and ``coef0`` of the estimator, as numbers, if they are not tuned.
    """

    shares_rows = True

    def __init__(self, estimator, data, entries, own):
        super().__init__(data)
        self._alpha, self._names = float(estimator.alpha), frozenset(entries)
        self._kernel = PairwiseKernel(
            estimator.kernel,
            data.X,
            degree=estimator.degree,
            entries=entries.get("gamma"),
            **own,
        )
        tuned = self._names & set(self._kernel.names)
        usual = {"gamma": GAMMA / self._kernel.pairs.spread(), "coef0": COEF0}
        self._levels = {name: usual[name] for name in tuned}
        at = self._kernel.at(self._levels)
        self._levels["alpha"] = ALPHA * (abs(np.mean(np.diagonal(at.K))) or 1.0)
        self._fixed = None if tuned else at

    @cached_property
    def _systems(self):
        return KernelSystems(self.data)

    def _solved(self, K, alpha):
        return self._systems.solve(K, alpha)

    def levels(self):
        return {name: self._levels[name] for name in self._names}

    def fit(self, h, start, tol):
        at = self._at(h)
        solution = self._solved(at.K, float(h.get("alpha", self._alpha)))

        def pullback(g):
            of_alpha, W = solution.pull(g)
            gradient = {"alpha": of_alpha} | at.slopes(W, self._names)
            return Pulled({n: gradient[n] for n in self._names}, n_solves=self.n_splits)

        return Fitted(solution.z, pullback, n_solves=self.n_splits, w=(at, solution))

    def x_vjp(self, h, fitted, g):
        at, solution = fitted.w
        return at.x_vjp(solution.pull(g)[1])

    def _at(self, h):
        return self._kernel.at(h) if self._fixed is None else self._fixed


class LeftOutKernelRidgeModel(KernelRidgeModel):
    """Predictions of each row by a fit to all others, in closed form.

    Its data are one split, whose training and held-out part are all rows.
    """

    def _solved(self, K, alpha):
        (weight,) = self.data.weights
        return LeftOutRows(K, alpha, self.data.y, np.sqrt(weight)[:, None])

    def judged_by(self, validation_loss):
        return super().judged_by(VALIDATION_LOSSES["squared_error"])


class KernelRidgeFamily(KernelFamily, RegressorFamily):
    """``||y - K c||^2 + alpha c' K c`` with the kernel of an estimator.

    Parameters
    ----------
    estimator : KernelRidge
    """

    estimator_class = sklearn_kernel_ridge.KernelRidge
    vector_class = kernel_ridge.KernelRidge
    conditions = (
        "any kernel with a name but ``'precomputed'``, ``gamma`` and ``coef0`` if it has them; at "
        "most 5,000 rows"
    )
    methods = (*RegressorFamily.methods, "_get_kernel")
    minimises = "squared_error"

    def __init__(self, estimator):
        alpha = Hyperparameter(regularizes=1, limits=(SMALLEST, np.inf))
        self.hyperparameters = {"alpha": alpha} | self.of_kernel(estimator)

    def configuration_obstacle(self, estimator):
        obstacle = super().configuration_obstacle(estimator)
        if obstacle is None and np.ndim(estimator.alpha):
            return "alpha is an array"
        return obstacle

    def own_value(self, estimator, name, data):
        own = getattr(estimator, name)
        usual = name == "gamma" and own is None and estimator.kernel != "chi2"
        return 1 / data.X.shape[1] if usual else own

    def rows_from(self, estimator):
        return SOLUTIONS

    def model(self, estimator, data, entries, seed):
        return self._model(KernelRidgeModel, estimator, data, entries)

    def left_out_model(self, estimator, data, entries):
        return self._model(LeftOutKernelRidgeModel, estimator, data, entries)

    def _model(self, make, estimator, data, entries):
        n_rows = data.X.shape[0]
        if n_rows > MAX_ROWS:
            raise ValueError(
                f"KernelRidge factorises a matrix of the size of its rows, and {n_rows} rows are "
                f"too many: at most {MAX_ROWS}"
            )
        fixed = {"gamma", "coef0"} - set(entries)
        own = {name: self.own_number(estimator, name, data) for name in fixed}
        return make(estimator, data, entries, own)

    def own_number(self, estimator, name, data):
        """A parameter of the kernel that is not tuned."""
        gamma = name == "gamma"
        own = self.own_gamma(estimator, data) if gamma else self.own_value(estimator, name, data)
        if own is None:
            raise ValueError(f"kernel={estimator.kernel!r} has no {name} of its own")
        return own

    def install(self, estimator, model, fitted, h):
        single, data = np.ndim(model.data.labels) == 1, model.data
        at, solution = fitted.w
        settings, installed = self.settings(h, at), []
        for train, coef in zip(data.trains, solution.coefs, strict=True):
            own = clone(estimator).set_params(**settings)
            own.dual_coef_ = coef[:, 0] if single else coef
            own.X_fit_, own.n_features_in_ = data.X[train], data.X.shape[1]
            installed.append(own)
        return installed


class VectorKernelRidgeFamily(GammaPerFeature, KernelRidgeFamily):
    """KernelRidge of ``kernel_ridge``: gamma may be one value per feature."""

    estimator_class = kernel_ridge.KernelRidge


@family.register
def _(estimator: kernel_ridge.KernelRidge):
    return VectorKernelRidgeFamily(estimator)


@family.register
def _(estimator: sklearn_kernel_ridge.KernelRidge):
    return KernelRidgeFamily(estimator)
