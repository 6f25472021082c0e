"""LinearSVC and LinearSVR with squared losses.

The estimators minimise, over coefficients w and an intercept b, ::

    C sum_i s_i loss(y_i, x_i w + b)  +  (||w||^2 + (b / c)^2) / 2

with the loss ``max(0, 1 - y z)^2`` of LinearSVC, for classes coded as -1 and 1, and the loss
``max(0, |y - z| - epsilon)^2`` of LinearSVR. s are sample weights (times class weights), and c is
the ``intercept_scaling``: the intercept is the weight of a column of this number, penalised like
the others. Of several classes each has a problem of its own, against the rest. ``C`` and
``epsilon`` are tuned. The losses are quadratic as long as the rows beyond the margin stay the same,
so Newton's method solves them exactly, and its last factor differentiates the solution. Losses
without the square are refused: they have no curvature.
"""

import abc

import numpy as np
from sklearn.base import clone
from sklearn.svm import LinearSVC, LinearSVR
from sklearn.utils import compute_class_weight

from sklearn_hypergrad.adapters.base import (
    Hyperparameter,
    LinearFamily,
    MarginFamily,
    RegressorFamily,
    family,
    member_of,
)
from sklearn_hypergrad.adapters.piecewise import (
    MAX_SIDE,
    SIZES,
    PiecewiseModel,
    check_one_target,
    check_sizes,
)
from sklearn_hypergrad.problems import IntervalProblem

# Where a scan of epsilon is centred, in standard deviations of the target. Measured on 14 data
# sets: the best values were below 0.001 on nine of them, and 0.1 to 0.4 on five.
EPSILON = 0.1


class LinearSVMModel(PiecewiseModel):
    """Squared distances of predictions to intervals as losses."""

    # Every row that becomes active bends the predictions a little. Measured on 14 data sets:
    # searches as of a smooth model ended at most 5e-6, relative, above the lowest of 300 points.
    smooth = True
    smooth_while = "the same rows are beyond the margin"

    def __init__(self, estimator, data, t, names):
        scaling = float(estimator.intercept_scaling) if estimator.fit_intercept else 0.0
        problem = IntervalProblem(data.X, t, scaling, data.scales, data.offsets)
        super().__init__(estimator, data, t, names, problem)

    def levels(self):
        spread = 2 * self.spread()
        levels = {"C": 1 / spread if spread else spread}
        levels["epsilon"] = EPSILON * np.std(self.data.y)
        return {name: levels[name] for name in self._names}

    @abc.abstractmethod
    def interval(self, h):
        """The ends of the intervals, of shape (n_samples, n_problems or 1)."""

    def solved(self, h, start):
        return self.problem.solve(*self.interval(h), self.value(h, "C"), start)

    def slopes(self, h, solution, V, moved):
        problem, C, outside = self.problem, self.value(h, "C"), solution.point.outside
        return {
            "C": lambda: problem.slope_in_strength(solution, V, C),
            "epsilon": lambda: np.vdot(
                problem.slopes_in_ends(solution, moved, C), np.sign(outside)
            ),
        }

    def slopes_in_rows(self, h, solution, G):
        return self.problem.slopes_in_rows(solution, G, self.value(h, "C"))


class LinearSVRModel(LinearSVMModel):
    """Intervals of the width ``2 epsilon`` around the targets."""

    # A fit of all splits takes half as long as one of liblinear. Along epsilon losses are rugged.
    cheap = True

    def interval(self, h):
        epsilon = self.value(h, "epsilon")
        return self.data.y - epsilon, self.data.y + epsilon


class LinearSVCModel(LinearSVMModel):
    """Predictions are to be at least 1 for members of a class, and at most -1 for the others."""

    def interval(self, h):
        y = np.tile(self.data.y, self.n_splits)
        return np.where(y > 0, 1.0, -np.inf), np.where(y > 0, np.inf, -1.0)


def no_curvature(estimator, squared):
    """Why a loss other than the squared one cannot be differentiated, or None."""
    if estimator.loss == squared:
        return None
    return (
        f"loss={estimator.loss!r} has no curvature, so that its solution has no useful derivative; "
        f"loss={squared!r} is searched"
    )


class LinearSVRFamily(RegressorFamily, LinearFamily):
    """``C sum max(0, |y - z| - epsilon)^2 + ||w||^2 / 2``, the intercept penalised."""

    estimator_class = LinearSVR
    hyperparameters = {"C": Hyperparameter(regularizes=-1), "epsilon": Hyperparameter()}
    largest_matrix = MAX_SIDE
    knows_scales = needs_offsets = True
    conditions = f"``loss='squared_epsilon_insensitive'``; {SIZES}"

    def configuration_obstacle(self, estimator):
        return no_curvature(estimator, "squared_epsilon_insensitive")

    def model(self, estimator, data, entries, seed):
        check_one_target(data)
        check_sizes(data)
        return LinearSVRModel(estimator, data, data.row_weights()[:, :, None], entries)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_ = coef[0]
        fitted.intercept_ = intercept if estimator.fit_intercept else 0.0
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class LinearSVCFamily(MarginFamily, LinearFamily):
    """``C sum max(0, 1 - y z)^2 + ||w||^2 / 2`` for each class, the intercept penalised."""

    estimator_class = LinearSVC
    hyperparameters = {"C": Hyperparameter(regularizes=-1)}
    largest_matrix = MAX_SIDE
    knows_scales = needs_offsets = True
    conditions = f"``loss='squared_hinge'``, ``penalty='l2'``, ``multi_class='ovr'``; {SIZES}"

    def configuration_obstacle(self, estimator):
        if estimator.multi_class != "ovr":
            return (
                f"multi_class={estimator.multi_class!r} trains all classes as one problem; "
                f"multi_class='ovr' is searched"
            )
        if estimator.penalty != "l2":
            return (
                f"penalty={estimator.penalty!r} is not differentiated; penalty='l2' is searched, "
                f"and so is LogisticRegression with l1_ratio=1, which drops features, too"
            )
        return no_curvature(estimator, "squared_hinge")

    def model(self, estimator, data, entries, seed):
        check_sizes(data)
        return LinearSVCModel(estimator, data, class_weights(estimator, data), entries)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_ = coef
        fitted.intercept_ = intercept if estimator.fit_intercept else 0.0
        fitted.classes_ = np.unique(labels)
        fitted.n_features_in_ = coef.shape[1]
        return fitted


# As in liblinear: of two classes each has its weight. Of several, the weight of a class counts in
# its own problem, for its members; the others have the weight 1 there.
def class_weights(estimator, data):
    """Training weights of shape (n_samples, n_splits, n_outputs)."""
    if estimator.class_weight is None:
        return np.repeat(data.row_weights()[:, :, None], data.y.shape[1], axis=2)
    classes, codes = np.unique(data.labels, return_inverse=True)
    factors = [
        compute_class_weight(
            estimator.class_weight, classes=classes, y=data.labels[train], sample_weight=weight
        )
        for train, weight in zip(data.trains, data.weights, strict=True)
    ]
    own = [of_class[codes][:, None] for of_class in factors]
    if len(classes) > 2:
        own = [np.where(member_of(data.labels), each, 1.0) for each in own]
    return data.row_weights()[:, :, None] * np.stack(own, axis=1)


@family.register
def _(estimator: LinearSVC):
    return LinearSVCFamily()


@family.register
def _(estimator: LinearSVR):
    return LinearSVRFamily()
