"""LinearSVR with the squared epsilon-insensitive loss.

The estimator minimises, over coefficients w and an intercept b, ::

    C sum_i s_i max(0, |y_i - x_i w - b| - epsilon)^2  +  (||w||^2 + (b / c)^2) / 2

with sample weights s and c the ``intercept_scaling``: the intercept is the weight of a column of
this number, and penalised like the others. ``C`` and ``epsilon`` are tuned. The loss is quadratic
as long as the rows beyond epsilon stay the same, so Newton's method solves it exactly, and its last
factor differentiates it. The loss without the square is refused: it has no curvature.
"""

import numpy as np
from sklearn.base import clone
from sklearn.svm import LinearSVR

from sklearn_hypergrad.adapters.base import Hyperparameter, LinearFamily, RegressorFamily, family
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Implicit, Pulled
from sklearn_hypergrad.problems import Design, IntervalProblem
from sklearn_hypergrad.problems.outer.held_out import held_out_rows

# Where a scan of epsilon is centred, in standard deviations of the target. Measured on 14 data
# sets: the best values were below 0.001 on nine of them, and 0.1 to 0.4 on five.
EPSILON = 0.1
# Smaller side of the largest data: the side of the matrix that is factorised. Chosen by hand, as
# for ridge regression: on one core a factor takes about 0.1 s, and an evaluation some per split.
MAX_SIDE = 2500
SIZES = f"at most {MAX_SIDE:,} rows or {MAX_SIDE:,} features"


class LinearSVMModel(Model):
    """Linear models with squared distances of predictions to intervals as losses.

    Parameters
    ----------
    estimator : LinearSVR
        With the hyperparameters that are not tuned.
    data : SplitData
    t : ndarray of shape (n_samples, n_splits, n_outputs)
        Training weights.
    names : collection of str
        The hyperparameters that are tuned.
    """

    # Every row that becomes active bends the predictions a little. Measured on 14 data sets:
    # searches as of a smooth model ended at most 5e-6, relative, above the lowest of 300 points.
    smooth = True
    per_column = True
    iterative = False
    method = Implicit()

    def __init__(self, estimator, data, t, names):
        super().__init__(data)
        self._own, self._names, self._t = estimator, frozenset(names), t
        scaling = float(estimator.intercept_scaling) if estimator.fit_intercept else 0.0
        self.problem = IntervalProblem(data.X, t, scaling)
        self._where = held_out_rows(data)

    def levels(self):
        design = Design(self.data.X, fit_intercept=self._own.fit_intercept)
        spread = 2 * design.spreads(self._t).mean()
        levels = {"C": 1 / spread if spread else spread}
        levels["epsilon"] = EPSILON * np.std(self.data.y)
        return {name: levels[name] for name in self._names}

    def interval(self, h):
        """The ends of the intervals, of shape (n_samples, n_problems or 1)."""
        epsilon = self._value(h, "epsilon")
        return self.data.y - epsilon, self.data.y + epsilon

    def fit(self, h, start, tol):
        problem, C = self.problem, self._value(h, "C")
        solution = problem.solve(*self.interval(h), C, start)

        def pullback(g):
            V, moved = problem.adjoint(solution, self._spread(g))
            gradient = {}
            if "C" in self._names:
                gradient["C"] = problem.slope_in_strength(solution, V, C)
            if "epsilon" in self._names:
                slopes = problem.slopes_in_ends(solution, moved, C)
                gradient["epsilon"] = np.vdot(slopes, np.sign(solution.point.outside))
            return Pulled(gradient, n_solves=V.shape[1])

        z = solution.point.z.reshape(self._t.shape)[self._where]
        n_solves = solution.n_steps * solution.point.u.shape[1]
        return Fitted(z, pullback, solution, (solution.status,), n_solves, solution.point.u)

    def x_vjp(self, h, fitted, g):
        return self.problem.slopes_in_rows(fitted.state, self._spread(g), self._value(h, "C"))

    def _value(self, h, name):
        return float(h.get(name, getattr(self._own, name)))

    def _spread(self, g):
        """A gradient in the predictions of held-out rows as one in those of all rows."""
        G = np.zeros(self._t.shape)
        G[self._where] = g
        return G.reshape(len(G), -1)


def check_size(data):
    """Raise ValueError for data with too many rows and columns."""
    if min(data.X.shape) > MAX_SIDE:
        raise ValueError(
            f"a matrix of the size of rows or features is factorised, and {data.X.shape[0]} x "
            f"{data.X.shape[1]} is too large for that: at most {MAX_SIDE} of either"
        )


class LinearSVRFamily(RegressorFamily, LinearFamily):
    """``C sum max(0, |y - z| - epsilon)^2 + ||w||^2 / 2``, the intercept penalised."""

    estimator_class = LinearSVR
    hyperparameters = {"C": Hyperparameter(regularizes=-1), "epsilon": Hyperparameter()}
    largest_matrix = MAX_SIDE
    conditions = f"``loss='squared_epsilon_insensitive'``; {SIZES}"

    def configuration_obstacle(self, estimator):
        if estimator.loss != "squared_epsilon_insensitive":
            return (
                f"loss={estimator.loss!r} has no curvature, so that its solution has no useful "
                f"derivative; loss='squared_epsilon_insensitive' is searched"
            )
        return None

    def model(self, estimator, data, entries, seed):
        if data.y.shape[1] > 1:
            raise ValueError("y has several columns")
        check_size(data)
        return LinearSVMModel(estimator, data, data.row_weights()[:, :, None], entries)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_ = coef[0]
        fitted.intercept_ = intercept if estimator.fit_intercept else 0.0
        fitted.n_features_in_ = coef.shape[1]
        return fitted


@family.register
def _(estimator: LinearSVR):
    return LinearSVRFamily()
