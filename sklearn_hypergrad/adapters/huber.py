"""HuberRegressor.

The estimator minimises, over coefficients w, an intercept b and a scale sigma, ::

    sum_i s_i (sigma + sigma rho((y_i - x_i w - b) / sigma))  +  alpha ||w||^2

with sample weights s and Huber's ``rho(e) = e^2`` up to epsilon, and linear beyond. ``alpha`` and
``epsilon`` are tuned. All of w, b and sigma are found by Newton's method, whose last factor
differentiates them. Near epsilon = 1 the scale goes to zero: smaller ones than 1.05 are enumerated.
"""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import HuberRegressor

from sklearn_hypergrad.adapters.base import (
    Hyperparameter,
    LinearFamily,
    RegressorFamily,
    family,
    narrowed,
)
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Implicit, Pulled, WarmStart
from sklearn_hypergrad.problems import Design, HuberProblem, InnerSolution
from sklearn_hypergrad.problems.outer.held_out import held_out_rows

# Smallest epsilon that is searched. Reason: with n rows and p features the scale may be zero where
# epsilon^2 (n - p - 1) < n, for which this is enough if n is eleven times as large as p.
NARROWEST = 1.05
# Where a scan of epsilon is centred: the value of the estimator, with 95 % of the efficiency of
# least squares for normal errors (Huber 1981).
USUAL = 1.35
# Features, or rows if these are fewer, up to which a matrix of their size is factorised. Chosen by
# hand, as for ridge regression: a factor takes about 0.1 s on one core.
MAX_SIDE = 2500


class HuberModel(Model):
    """Huber's loss with a scale, of all splits.

    Parameters
    ----------
    estimator : HuberRegressor
        With the hyperparameters that are not tuned.
    data : SplitData
    names : collection of str
        The hyperparameters that are tuned.
    """

    per_column = True
    iterative = False
    method = Implicit()
    # Where a row becomes an outlier, predictions bend, and they do so more often the smaller
    # epsilon is.
    smooth = False

    def __init__(self, estimator, data, names):
        super().__init__(data)
        self._own, self._names, self._t = estimator, frozenset(names), data.row_weights()
        intercept = estimator.fit_intercept
        self.problem = HuberProblem(data.X, data.y[:, 0], self._t, fit_intercept=intercept)
        self._where = held_out_rows(data)

    def levels(self):
        design = Design(self.data.X, fit_intercept=self._own.fit_intercept)
        alpha = design.spreads(self._t[:, :, None]).mean() / (np.std(self.data.y) or 1.0)
        levels = {"alpha": alpha, "epsilon": USUAL}
        return {name: levels[name] for name in self._names}

    def fit(self, h, start, tol):
        start = None if start is None else start.solution.memory
        solution = self.problem.solve(self._value(h, "alpha"), self._value(h, "epsilon"), start)
        return self._fitted(solution)

    def known(self, h, state, tol, *, predicted=True):
        return self._fitted(state.solution.memory)

    def _fitted(self, solution):
        """The Fitted of a HuberSolution."""
        problem, u, status = self.problem, solution.point.u, solution.status

        def pullback(g):
            V, moved = problem.adjoint(solution, self._spread(g))
            gradient = {}
            if "alpha" in self._names:
                gradient["alpha"] = problem.slope_in_penalty(solution, V)
            if "epsilon" in self._names:
                gradient["epsilon"] = problem.slope_in_width(solution, V, moved)
            return Pulled(gradient, n_solves=self.n_splits)

        z = solution.point.z[self._where][:, None]
        n_solves = solution.n_steps * self.n_splits
        state = WarmStart(InnerSolution(u, None, status, n_solves, memory=solution), None)
        return Fitted(z, pullback, state, (status,), n_solves, u)

    def x_vjp(self, h, fitted, g):
        return self.problem.slopes_in_rows(fitted.state.solution.memory, self._spread(g))

    def _value(self, h, name):
        return float(h.get(name, getattr(self._own, name)))

    def _spread(self, g):
        """A gradient in the predictions of held-out rows as one in those of all rows."""
        G = np.zeros(self._t.shape)
        G[self._where] = g[:, 0]
        return G


class HuberFamily(RegressorFamily, LinearFamily):
    """``sum (sigma + sigma rho(r / sigma)) + alpha ||w||^2``."""

    estimator_class = HuberRegressor
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1),
        "epsilon": Hyperparameter(scale="linear", limits=(NARROWEST, np.inf), closed=True),
    }
    largest_matrix = MAX_SIDE
    conditions = f"``epsilon`` from {NARROWEST}; at most {MAX_SIDE:,} rows or {MAX_SIDE:,} features"

    def model(self, estimator, data, entries, seed):
        if data.y.shape[1] > 1:
            raise ValueError("y has several columns")
        if "epsilon" not in entries and not estimator.epsilon >= NARROWEST:
            raise ValueError(
                f"epsilon={estimator.epsilon!r} may leave no scale but zero, and is searched from "
                f"{NARROWEST}"
            )
        if min(data.X.shape) > MAX_SIDE:
            raise ValueError(
                f"a matrix of the size of rows or features is factorised, and {data.X.shape[0]} x "
                f"{data.X.shape[1]} is too large for that: at most {MAX_SIDE} of either"
            )
        data = narrowed(data, center=estimator.fit_intercept, most=MAX_SIDE)
        return HuberModel(estimator, data, entries)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_, fitted.intercept_ = coef[0], intercept[0]
        fitted.n_features_in_ = coef.shape[1]
        return fitted


@family.register
def _(estimator: HuberRegressor):
    return HuberFamily()
