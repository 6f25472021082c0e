"""Lasso and ElasticNet, MultiTaskLasso and MultiTaskElasticNet, and LassoLars.

The estimators minimise, over coefficients w and an unpenalised intercept b, ::

    1 / (2 sum_i s_i)  *  sum_i s_i (y_i - x_i w - b)^2
        +  alpha * l1_ratio * |w|_1  +  alpha * (1 - l1_ratio) / 2 * ||w||^2

with sample weights s; Lasso has the ratio 1. ``alpha`` and ``l1_ratio`` are tuned. The penalty
stands against a mean over rows, so that its best value depends on their number. Models are solved
exactly, by an exchange of their support, which takes one to ten small linear systems from a
solution nearby; estimators stop their coordinate descent at a tolerance. Losses have kinks where a
weight becomes zero, so scans are dense. ``positive=True`` is refused: its solution has constraints.
"""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import ElasticNet, Lasso

from sklearn_hypergrad.adapters.base import (
    EXACT,
    Hyperparameter,
    LinearFamily,
    RegressorFamily,
    family,
)
from sklearn_hypergrad.adapters.model import LinearModel
from sklearn_hypergrad.hypergradients import Evaluation, Implicit, WarmStart
from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import ElasticNetProblem, InnerSolution, QuadraticLoss, Status

# Centre of a scan, relative to the smallest alpha that leaves no weight.
LEVEL = 1e-2
# Smallest l1_ratio that is searched; a smaller one is fitted as it is listed.
SMALLEST_RATIO = 1e-3


class SparseLinearModel(LinearModel):
    """A linear model with an L1 penalty, whose weights may be zero."""

    smooth, cheap = False, True
    penalty_scale = "mean"
    uses_starts = True

    def __init__(self, problem, data, ratio):
        super().__init__(problem, data)
        self._ratio = ratio

    @property
    def slow_when_weak(self):
        n_samples, n_features = self.data.X.shape
        return n_features > n_samples

    def levels(self):
        ratio = max(self._ratio, SMALLEST_RATIO)
        return {"alpha": LEVEL * self.problem.largest / ratio, "l1_ratio": 0.5}

    def differentiated(self, method):
        if method is None or isinstance(method, Implicit):
            return super().differentiated(method)
        raise ValueError(
            f"Cannot differentiate {type(self).__name__} with {method!r}. This is because descent "
            f"does not arrive at weights that are zero. Use hypergradient='auto'."
        )

    def outer_of(self, validation_loss):
        # Squared errors follow from sums over rows, which are computed once.
        squared = isinstance(validation_loss.pointwise, HalfSquaredError)
        if squared and self.problem.held_out is not None:
            return QuadraticLoss(self.problem, self.data, validation_loss)
        return super().outer_of(validation_loss)

    def evaluate_many(self, several):
        quadratic = isinstance(self.outer, QuadraticLoss) and is_exact(self.method)
        if not (quadratic and self.problem.together):
            return [None] * len(several)
        w, pull = self.problem.minimisers(several)
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


class ElasticNetFamily(RegressorFamily, LinearFamily):
    """ElasticNet: ``alpha`` and ``l1_ratio``."""

    estimator_class = ElasticNet
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1),
        "l1_ratio": Hyperparameter(scale="linear", limits=(SMALLEST_RATIO, 1.0), closed=True),
    }
    knows_scales = True
    methods = (*LinearFamily.methods, "path")
    conditions = "not with ``positive=True``"

    def configuration_obstacle(self, estimator):
        return "positive=True adds constraints" if estimator.positive else None

    def rows_from(self, estimator):
        return EXACT

    def model(self, estimator, data, entries, seed):
        fixed = {"alpha": estimator.alpha, "l1_ratio": estimator.l1_ratio}
        problem = ElasticNetProblem(data, fixed, fit_intercept=estimator.fit_intercept)
        return SparseLinearModel(problem, data, estimator.l1_ratio)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        single = labels.ndim == 1
        fitted.coef_ = coef[0] if single else coef
        fitted.intercept_ = intercept[0] if single else intercept
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class LassoFamily(ElasticNetFamily):
    """Lasso: the same with ``l1_ratio=1``."""

    estimator_class = Lasso
    hyperparameters = {"alpha": ElasticNetFamily.hyperparameters["alpha"]}


@family.register
def _(estimator: ElasticNet):
    return ElasticNetFamily()


@family.register
def _(estimator: Lasso):
    return LassoFamily()
