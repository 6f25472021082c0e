"""Ridge and RidgeClassifier, of scikit-learn and of ``linear_model``.

The estimators minimise, over coefficients w and unpenalised intercepts b, ::

    sum_i s_i ||y_i - x_i w - b||^2  +  alpha ||w||^2

with sample weights s; RidgeClassifier does so for classes coded as -1 and 1. ``alpha`` is tuned; a
vector of them multiplies the squares of single coefficients. They are solved and differentiated in
closed form, from Gram matrices of features or kernels of rows, whichever is cheaper; data with too
many rows and features for that are solved by conjugate gradients. Leave-one-out losses have a
closed form, too. ``positive=True`` is refused: its solution has constraints.
"""

import dataclasses

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_sample_weight

from sklearn_hypergrad import linear_model
from sklearn_hypergrad.adapters.base import (
    FITS,
    NO_EVIDENCE,
    NOT_STABLE,
    SOLUTIONS,
    VECTORS,
    ClassifierFamily,
    Hyperparameter,
    LinearFamily,
    RegressorFamily,
    family,
    in_row_space,
    is_wide,
    member_of,
    only,
)
from sklearn_hypergrad.adapters.model import LinearModel
from sklearn_hypergrad.hypergradients import Evaluation
from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import (
    DualRidge,
    Evidence,
    GramRidge,
    KernelRidge,
    L2Penalty,
    LeaveOneOutLoss,
    LinearProblem,
    QuadraticLoss,
    RidgeProblem,
    StableCriterion,
    Status,
    free_directions,
    hat_trace,
)
from sklearn_hypergrad.problems.outer.held_out import on_held_out
from sklearn_hypergrad.problems.ridge.target_losses import KnownTargets, TargetLosses

# Solvers of scikit-learn that stop at a tolerance.
ITERATIVE = ("lsqr", "sparse_cg", "sag", "saga")
# Largest Gram matrix (or kernel for one penalty) that is decomposed. Measured: this takes about 4 s
# on one core and 50 MB per split, once; beyond, iterations over the data are cheaper.
MAX_GRAM = 2500
# Largest number of rows whose kernel is formed anew for every vector of penalties. Chosen by hand:
# it needs Cholesky factors only, which were measured to be 17 to 60 times cheaper than
# eigendecompositions, and 200 MB.
MAX_KERNEL = 5000
# Largest number of weights that are computed at once, for several penalties. Chosen by hand: 2**20
# doubles are 8 MiB, and products of that size use all that a processor can do.
MOST_AT_ONCE = 2**20


class RidgeModel(LinearModel):
    """Ridge regression in the form that is cheapest for the sizes of the data."""

    def outer_of(self, validation_loss):
        # Squared errors follow from sums over rows, which are computed once.
        squared = isinstance(validation_loss.pointwise, HalfSquaredError)
        if squared and isinstance(self.problem, GramRidge):
            return QuadraticLoss(self.problem, self.data, validation_loss)
        return super().outer_of(validation_loss)

    def evaluate_many(self, several, starts):
        squared = isinstance(self.outer, QuadraticLoss) and is_exact(self.method)
        if not (squared and self.problem.penalty.uniform):
            return [None] * len(several)
        numbers, found = self.n_splits * self.data.X.shape[1] * self.data.y.shape[1], []
        most = max(1, MOST_AT_ONCE // max(1, numbers))
        for start in range(0, len(several), most):
            found += self._evaluated(several[start : start + most])
        return found

    def _evaluated(self, several):
        """Evaluations at several hyperparameters, or as many times None."""
        penalty, n_outputs = self.problem.penalty, self.data.y.shape[1]
        strengths = np.concatenate([penalty.strength(h) for h in several])
        if strengths.shape[1] < n_outputs:
            strengths = np.repeat(strengths, n_outputs, axis=1)
        values, slopes = self.outer.at_minimisers(strengths)
        if values is None:
            return [None] * len(several)
        return [
            self._closed(own, penalty.cross_vjp(h, slope[None]))
            for own, slope, h in zip(values, slopes, several, strict=True)
        ]

    def evaluate(self, h, start, tol, **options):
        (known,) = self.evaluate_many([h], [start])
        if known is not None:
            return known
        if self.knows_targets:
            return self._of_targets(h, start)
        if (found := self._split_by_split(h)) is not None:
            return found
        held_out = self.problem.held_out(h) if self._is_shared() else None
        if held_out is None:
            return super().evaluate(h, start, tol, **options)
        z, pullback = held_out
        values, g = self.outer.held_out(z)
        return self._closed(values, pullback(g))

    def _split_by_split(self, h):
        """The Evaluation of many targets, which needs no weights; None where that does not pay."""
        if not self._has_groups:
            return None
        values, slopes = [], 0.0
        splits = self.problem.group_kernels.split_by_split(self.problem.group_strengths(h))
        for part, (z, pullback) in zip(self.data.in_batches(1), splits, strict=True):
            value, g = on_held_out(part, self.validation_loss)(z)
            values, slopes = [*values, *value], slopes + pullback(g)
        return self._closed(np.array(values), self.problem.of_groups(h, slopes))

    @property
    def knows_targets(self):
        separable = getattr(getattr(self.outer, "held_out", None), "is_separable", False)
        squared = separable and isinstance(self.validation_loss.pointwise, HalfSquaredError)
        return squared and self._has_groups

    @property
    def uses_starts(self):
        return super().uses_starts or self.knows_targets

    def start_at(self, array):
        if not self.knows_targets:
            return super().start_at(array)
        return KnownTargets(array, (len(array) - self.n_splits) // 2)

    def _of_targets(self, h, start):
        """The Evaluation of many targets, of which ``start`` may know some."""
        problem, n_targets = self.problem, self.data.y.shape[1]
        start = start if isinstance(start, KnownTargets) else None
        known = self._target_losses().at(problem.group_strengths(h), start)
        gradient = problem.of_groups(h, known.slopes / n_targets)
        return dataclasses.replace(
            self._closed(known.values.mean(axis=1), gradient),
            warm_start=known,
            of_targets=known.values,
        )

    def curvature(self, h, targets):
        problem = self.problem
        strengths = problem.group_strengths(h)[:, targets]
        return problem.of_entries(h, self._target_losses().curvature(strengths, targets))

    def _target_losses(self):
        return TargetLosses(self.problem.group_kernels, self.data, self.validation_loss)

    @property
    def _has_groups(self):
        """Whether kernels of groups of features serve all targets."""
        grouped = isinstance(self.problem, DualRidge) and self.problem.has_groups
        return grouped and is_exact(self.method)

    def _solution(self, h, start, tol):
        # Losses of targets are no start of a solution.
        return super()._solution(h, None if isinstance(start, KnownTargets) else start, tol)

    def effective_dof(self, h):
        if not isinstance(self.problem, GramRidge | KernelRidge):
            return None
        trace = self.problem.hat_trace(float(self.problem.penalty.strength(h)[0, 0]))
        return None if trace is None else self.data.y.shape[1] * trace

    def _closed(self, values, gradient):
        """The Evaluation of losses in closed form."""
        return Evaluation(values, gradient, None, (Status.CONVERGED,) * 2, self.n_splits)

    def _is_shared(self):
        """Whether predictions may come without weights, differentiated in closed form."""
        return isinstance(self.problem, KernelRidge) and is_exact(self.method)


class LeftOutRidgeModel(RidgeModel):
    """Ridge regression on all rows, judged by its leave-one-out error in closed form.

    Parameters
    ----------
    problem : RidgeProblem
    data : SplitData
        One split, whose training and held-out part are all rows.
    fit_intercept : bool
    """

    def __init__(self, problem, data, *, fit_intercept):
        super().__init__(problem, data)
        self._fit_intercept = fit_intercept

    def outer_of(self, validation_loss):
        return LeaveOneOutLoss(
            self.problem, self.data, self.problem.penalty, fit_intercept=self._fit_intercept
        )


class RidgeFamily(RegressorFamily, LinearFamily):
    """Ridge: ``||y - X w - b||^2 + alpha ||w||^2``, the same objective for every solver."""

    # Shrinkage 1 in nats: measured for vectors on 60 regression and 32 classification data sets,
    # where 0.7 to 1.4 did about equally well.
    estimator_class = Ridge
    vector_class = linear_model.Ridge
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1, per=("target", "transformer"), shrinkage=1.0)
    }
    conditions = "not with ``positive=True``"
    largest_matrix = max(MAX_GRAM, MAX_KERNEL)
    minimises = "squared_error"
    knows_scales = True

    def configuration_obstacle(self, estimator):
        if estimator.positive:
            return "positive=True adds constraints"
        if estimator.solver == "lbfgs":
            return "solver='lbfgs' is for positive=True only"
        return None

    def rows_from(self, estimator):
        # Other classes of this family may have no choice of a solver.
        return FITS if getattr(estimator, "solver", None) in ITERATIVE else SOLUTIONS

    def model(self, estimator, data, entries, seed):
        return RidgeModel(_problem(estimator, data, entries), data)

    def left_out_model(self, estimator, data, entries):
        # Leverages are computed from coefficients, so a kernel form does not do.
        if _penalty(entries, data).uniform and is_wide(data, MAX_GRAM):
            data = in_row_space(data, center=estimator.fit_intercept)
        problem = _problem(estimator, data, entries)
        if not isinstance(problem, RidgeProblem):
            raise ValueError(
                f"search_cv='loo' factorises a matrix of the size of rows or features, and "
                f"{data.X.shape[0]} x {data.X.shape[1]} is too large for that"
            )
        return LeftOutRidgeModel(problem, data, fit_intercept=estimator.fit_intercept)

    def evidence_obstacle(self, estimator, data):
        wide, (n_rows, n_features) = _dual_pays(data), data.X.shape
        if (n_rows if wide else n_features) > (MAX_KERNEL if wide else MAX_GRAM):
            return (
                f"search_cv='evidence' factorises a matrix of the size of rows or features, and "
                f"{n_rows} x {n_features} is too large for that. Leave search_cv='auto'."
            )
        return None

    def evidence(self, estimator, data, entries, n_samples):
        penalty, make = _penalty(entries, data), DualRidge if _dual_pays(data) else GramRidge
        problem = make(data, penalty, fit_intercept=estimator.fit_intercept)
        free = free_directions(only(entries)[1], data, center=estimator.fit_intercept)
        return Evidence(problem, penalty, n_samples, free, fit_intercept=estimator.fit_intercept)

    @property
    def knows_dof(self):
        """Whether models are those of this class; subclasses may minimise something else."""
        return type(self).model is RidgeFamily.model

    def effective_dof(self, fitted, data, h):
        if min(data.X.shape) > MAX_GRAM:
            return None
        (strength,) = map(float, h.values())
        return data.y.shape[1] * hat_trace(data, strength, fit_intercept=fitted.fit_intercept)

    def stable_obstacle(self, estimator):
        return None if self.knows_dof else NOT_STABLE.format(type(estimator).__name__)

    def stable_criterion(self, estimator, data):
        return StableCriterion(data, fit_intercept=estimator.fit_intercept)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        single = labels.ndim == 1
        fitted.coef_ = coef[0] if single else coef
        fitted.intercept_ = intercept[0] if single else intercept
        fitted.n_features_in_ = coef.shape[1]
        return fitted


def _penalty(entries, data):
    name, index = only(entries)
    return L2Penalty.of(name, index, data)


def _problem(estimator, data, entries):
    """The inner problem in the form that is cheapest for these sizes."""
    penalty = _penalty(entries, data)
    n_samples, n_features = data.X.shape
    if penalty.uniform and data.scales is None:
        wide, kernel, most = n_features > n_samples, KernelRidge, MAX_GRAM
    else:
        wide, kernel, most = _dual_pays(data), DualRidge, MAX_KERNEL
    make = LinearProblem
    if wide and n_samples <= most:
        make = kernel
    elif n_features <= MAX_GRAM:
        make = GramRidge
    more = (HalfSquaredError(),) if make is LinearProblem else ()
    return make(data, penalty, *more, fit_intercept=estimator.fit_intercept)


def _dual_pays(data):
    """Whether kernels of rows take fewer multiplications than Gram matrices of features.

    Per split and evaluation: a share of the kernel, a Cholesky factor (a third of a cube), and four
    products with X; against the factor of a Gram matrix.
    """
    n_samples, n_features = data.X.shape
    n_train = max(len(train) for train in data.trains)
    products = 4 * n_samples * n_features
    kernel = n_samples**2 * n_features / data.n_splits + n_train**3 / 3 + products
    return kernel < n_features**3 / 3


class RidgeClassifierFamily(ClassifierFamily, RidgeFamily):
    """RidgeClassifier: ridge regression on classes coded as -1 and 1."""

    estimator_class = RidgeClassifier
    vector_class = linear_model.RidgeClassifier
    hyperparameters = {"alpha": Hyperparameter(regularizes=1, per=("transformer",), shrinkage=1.0)}
    takes = "codes"
    multilabel = True
    minimises = "coded_squared_error"

    def evidence_obstacle(self, estimator, data):
        # Codes of classes are no Gaussian targets.
        return NO_EVIDENCE.format(type(estimator).__name__)

    def stable_obstacle(self, estimator):
        return NOT_STABLE.format(type(estimator).__name__)

    def encode(self, labels):
        return 2.0 * member_of(labels) - 1

    def training_weight(self, estimator, labels, weight):
        if estimator.class_weight is None:
            return weight
        return weight * compute_sample_weight(estimator.class_weight, labels)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_, fitted.intercept_ = coef, intercept
        fitted._label_binarizer = LabelBinarizer(neg_label=-1, pos_label=1).fit(labels)
        fitted.classes_ = fitted._label_binarizer.classes_
        fitted.n_features_in_ = coef.shape[1]
        return fitted


def vector_shape(per, n_features, n_outputs):
    """Shape of alpha; with several targets it has two axes, as one axis means one per target."""
    if n_outputs == 1:
        return (n_features,)
    return (1, n_features) if per == "feature" else (n_outputs, n_features)


class VectorRidgeFamily(RidgeFamily):
    """Ridge of ``linear_model``: alpha may be one value per target, feature or coefficient."""

    estimator_class = linear_model.Ridge
    hyperparameters = {
        "alpha": Hyperparameter(
            regularizes=1,
            per=("target", *VECTORS, ("feature", "target"), ("group", "target")),
            shrinkage=1.0,
        )
    }
    vector_shape = staticmethod(vector_shape)


class VectorRidgeClassifierFamily(RidgeClassifierFamily):
    """RidgeClassifier of ``linear_model``: alpha may be one value per feature or coefficient."""

    estimator_class = linear_model.RidgeClassifier
    hyperparameters = {"alpha": Hyperparameter(regularizes=1, per=VECTORS, shrinkage=1.0)}
    vector_shape = staticmethod(vector_shape)


@family.register
def _(estimator: linear_model.Ridge):
    return VectorRidgeFamily()


@family.register
def _(estimator: linear_model.RidgeClassifier):
    return VectorRidgeClassifierFamily()


@family.register
def _(estimator: Ridge):
    return RidgeFamily()


@family.register
def _(estimator: RidgeClassifier):
    return RidgeClassifierFamily()
