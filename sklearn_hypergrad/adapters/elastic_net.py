"""Lasso, ElasticNet, LassoLars, MultiTaskLasso and MultiTaskElasticNet.

The estimators minimise, over coefficients w and an unpenalised intercept b, ::

    1 / (2 sum_i s_i)  *  sum_i s_i (y_i - x_i w - b)^2
        +  alpha * l1_ratio * |w|_1  +  alpha * (1 - l1_ratio) / 2 * ||w||^2

with sample weights s; Lasso and LassoLars have the ratio 1. With several outputs each is fitted for
itself, but by the two MultiTask classes: there the norms of all weights of a feature take the place
of absolute values, and a feature serves all outputs or none.

``alpha`` and ``l1_ratio`` are tuned. The penalty stands against a mean over rows, so that its best
value depends on their number. Models are solved exactly, by an exchange of their support, which
takes one to ten small linear systems from a solution nearby; most estimators stop a coordinate
descent at a tolerance. Losses have kinks where a weight becomes zero, so scans are dense.
``positive=True`` is refused: its solution has constraints.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LassoLars,
    MultiTaskElasticNet,
    MultiTaskLasso,
)

from sklearn_hypergrad.adapters.base import (
    EXACT,
    L1_RATIO,
    SOLUTIONS,
    Hyperparameter,
    LinearFamily,
    RegressorFamily,
    family,
)
from sklearn_hypergrad.adapters.model import SparseLinearModel
from sklearn_hypergrad.hypergradients import Evaluation, WarmStart
from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import (
    ElasticNetPenalty,
    ElasticNetProblem,
    InnerSolution,
    MultiTaskProblem,
    QuadraticLoss,
    Status,
)


class LeastSquaresModel(SparseLinearModel):
    """Least squares with an elastic net penalty, whose problem has exact solutions."""

    cheap = True
    penalty_scale = "mean"
    # Solutions are exact, but from zero the weights enter one after the other. Measured: from a
    # solution nearby it takes a quarter of the systems.
    uses_starts = True

    def outer_of(self, validation_loss):
        # Squared errors follow from sums over rows, which are computed once.
        squared = isinstance(validation_loss.pointwise, HalfSquaredError)
        if squared and self.problem.held_out is not None:
            return QuadraticLoss(self.problem, self.data, validation_loss)
        return super().outer_of(validation_loss)

    def evaluate_many(self, several, starts):
        quadratic = isinstance(self.outer, QuadraticLoss) and is_exact(self.method)
        if not (quadratic and self.problem.together):
            return [None] * len(several)
        known = None not in starts
        start = np.concatenate([s.solution.w for s in starts], axis=2) if known else None
        w, pull = self.problem.minimisers(several, start)
        values, g = (None, None) if w is None else self.outer.of_many(w)
        if values is None:
            return [None] * len(several)
        each = zip(values, pull(g), np.split(w, len(several), axis=2), strict=True)
        return [self._evaluation(*found) for found in each]

    def _evaluation(self, values, gradient, w):
        """The Evaluation at a minimum."""
        statuses = (Status.CONVERGED,) * 2
        start = WarmStart(InnerSolution(w, None, Status.CONVERGED, 0), None)
        return Evaluation(values, gradient, start, statuses, self.n_splits)


class TasksModel(LeastSquaresModel):
    """The same with outputs that share their features, which takes as long as fits."""

    cheap, costs_a_fit = False, True


class ElasticNetFamily(RegressorFamily, LinearFamily):
    """ElasticNet: ``alpha`` and ``l1_ratio``."""

    estimator_class = ElasticNet
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1),
        "l1_ratio": L1_RATIO,
    }
    knows_scales = True
    methods = (*LinearFamily.methods, "path")
    conditions = "not with ``positive=True``"

    problem_class, model_class = ElasticNetProblem, LeastSquaresModel

    def configuration_obstacle(self, estimator):
        return "positive=True adds constraints" if getattr(estimator, "positive", False) else None

    def rows_from(self, estimator):
        return EXACT

    def ratio(self, estimator):
        """The share of the L1 penalty that an estimator has."""
        return getattr(estimator, "l1_ratio", 1.0)

    def model(self, estimator, data, entries, seed):
        ratio = self.ratio(estimator)
        penalty = ElasticNetPenalty("alpha", {"alpha": estimator.alpha, "l1_ratio": ratio})
        problem = self.problem_class(data, penalty, fit_intercept=estimator.fit_intercept)
        return self.model_class(problem, data, ratio)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        single = labels.ndim == 1
        fitted.coef_ = coef[0] if single else np.asfortranarray(coef)
        fitted.intercept_ = intercept[0] if single else intercept
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class LassoFamily(ElasticNetFamily):
    """Lasso: the same with ``l1_ratio=1``."""

    estimator_class = Lasso
    hyperparameters = {"alpha": ElasticNetFamily.hyperparameters["alpha"]}


class DenseFamily(ElasticNetFamily):
    """Estimators that take no sparse X."""

    def model(self, estimator, data, entries, seed):
        if issparse(data.X):
            raise TypeError(f"{type(estimator).__name__} takes no sparse X")
        return super().model(estimator, data, entries, seed)


class LassoLarsFamily(DenseFamily):
    """LassoLars: the Lasso, whose own fit is exact."""

    estimator_class = LassoLars
    hyperparameters = LassoFamily.hyperparameters
    methods = LinearFamily.methods
    conditions = "not with ``positive=True`` or ``jitter``"

    def configuration_obstacle(self, estimator):
        if estimator.jitter is not None:
            return "jitter adds noise to the targets"
        return super().configuration_obstacle(estimator)

    def rows_from(self, estimator):
        return SOLUTIONS


class MultiTaskFamily(DenseFamily):
    """MultiTaskElasticNet: several outputs with the same features."""

    estimator_class = MultiTaskElasticNet
    methods = LinearFamily.methods
    conditions = ""
    problem_class, model_class = MultiTaskProblem, TasksModel

    def model(self, estimator, data, entries, seed):
        if np.ndim(data.labels) == 1:
            raise ValueError("y has one column that is no matrix; ElasticNet and Lasso take it")
        return super().model(estimator, data, entries, seed)


class MultiTaskLassoFamily(MultiTaskFamily):
    """MultiTaskLasso: the same with ``l1_ratio=1``."""

    estimator_class = MultiTaskLasso
    hyperparameters = LassoFamily.hyperparameters


@family.register
def _(estimator: ElasticNet):
    return ElasticNetFamily()


@family.register
def _(estimator: Lasso):
    return LassoFamily()


@family.register
def _(estimator: LassoLars):
    return LassoLarsFamily()


@family.register
def _(estimator: MultiTaskElasticNet):
    return MultiTaskFamily()


@family.register
def _(estimator: MultiTaskLasso):
    return MultiTaskLassoFamily()
