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
from sklearn_hypergrad.adapters.piecewise import (
    MAX_SIDE,
    SIZES,
    PiecewiseModel,
    check_one_target,
    check_sizes,
)
from sklearn_hypergrad.problems import HuberProblem

# Smallest epsilon that is searched. Reason: with n rows and p features the scale may be zero where
# epsilon^2 (n - p - 1) < n, for which this is enough if n is eleven times as large as p.
NARROWEST = 1.05
# Where a scan of epsilon is centred: the value of the estimator, with 95 % of the efficiency of
# least squares for normal errors (Huber 1981).
USUAL = 1.35


class HuberModel(PiecewiseModel):
    """Huber's loss with a scale, of all splits."""

    # Where a row becomes an outlier, predictions bend, and they do so more often the smaller
    # epsilon is. A fit of all splits takes as long as one of scikit-learn's, or less.
    smooth, cheap = False, True
    smooth_while = "no row becomes an outlier"

    def __init__(self, estimator, data, names):
        t, intercept = data.row_weights(), estimator.fit_intercept
        problem = HuberProblem(data.X, data.y[:, 0], t, fit_intercept=intercept, scales=data.scales)
        super().__init__(estimator, data, t[:, :, None], names, problem)

    def levels(self):
        levels = {"alpha": self.spread() / (np.std(self.data.y) or 1.0), "epsilon": USUAL}
        return {name: levels[name] for name in self._names}

    def solved(self, h, start):
        return self.problem.solve(self.value(h, "alpha"), self.value(h, "epsilon"), start)

    def slopes(self, h, solution, V, moved):
        return {
            "alpha": lambda: self.problem.slope_in_penalty(solution, V),
            "epsilon": lambda: self.problem.slope_in_width(solution, V, moved),
        }

    def slopes_in_rows(self, h, solution, G):
        return self.problem.slopes_in_rows(solution, G)

    def x_vjp_in(self, h, fitted, g, columns, X=None):
        alpha = self.value(h, "alpha")
        if X is None or not alpha:
            return super().x_vjp_in(h, fitted, g, columns, X)
        known = fitted.state.solution.memory, self._of_all_rows(g)
        return self.problem.slopes_in_wide_rows(*known, X[:, columns], alpha)


class HuberFamily(RegressorFamily, LinearFamily):
    """``sum (sigma + sigma rho(r / sigma)) + alpha ||w||^2``."""

    estimator_class = HuberRegressor
    hyperparameters = {
        "alpha": Hyperparameter(regularizes=1),
        "epsilon": Hyperparameter(scale="linear", limits=(NARROWEST, np.inf), closed=True),
    }
    largest_matrix = MAX_SIDE
    knows_scales = True
    conditions = f"``epsilon`` from {NARROWEST}; {SIZES}"

    def model(self, estimator, data, entries, seed):
        check_one_target(data)
        check_sizes(data)
        if "epsilon" not in entries and not estimator.epsilon >= NARROWEST:
            raise ValueError(
                f"epsilon={estimator.epsilon!r} may leave no scale but zero, and is searched from "
                f"{NARROWEST}"
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
