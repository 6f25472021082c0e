"""Linear models whose loss is quadratic in pieces: rows are in one of a few pieces each.

Newton's method solves them exactly once the pieces stay the same, and its last factor
differentiates the solution.
"""

import abc

import numpy as np

from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Implicit, Pulled, WarmStart
from sklearn_hypergrad.problems import Design, InnerSolution
from sklearn_hypergrad.problems.outer.held_out import held_out_rows

# Smaller side of the largest data: that of the matrices which are factorised. Measured: a search of
# LinearSVC on texts, 2,000 rows of 24,000 words, takes as long as a grid of ten values.
MAX_SIDE = 2000
SIZES = f"at most {MAX_SIDE:,} rows or {MAX_SIDE:,} features"


class PiecewiseModel(Model):
    """A model of all splits whose problem is solved exactly.

    Parameters
    ----------
    estimator : estimator
        With the hyperparameters that are not tuned.
    data : SplitData
    t : ndarray of shape (n_samples, n_splits, n_outputs)
        Training weights.
    names : collection of str
        The hyperparameters that are tuned.
    problem : object
        It has ``adjoint`` and ``predictions``, as
        :class:`~sklearn_hypergrad.problems.IntervalProblem`. Its solutions have a ``point`` with
        weights ``u``, a column for every split and output, and ``status`` and ``n_steps``.
    """

    per_column = True
    iterative = False
    method = Implicit()

    def __init__(self, estimator, data, t, names, problem):
        super().__init__(data)
        self._own, self._names, self._t = estimator, frozenset(names), t
        self.problem = problem
        self._where = held_out_rows(data)

    @abc.abstractmethod
    def solved(self, h, start):
        """The solution of the problem at hyperparameters; ``start`` is another one, or None."""

    @abc.abstractmethod
    def slopes(self, h, solution, V, moved):
        """``{name: function that returns a derivative of sum G z}``, of V and E V of an adjoint."""

    @abc.abstractmethod
    def slopes_in_rows(self, h, solution, G):
        """Derivatives of ``sum G z`` in X, for G of shape (n_samples, n_splits * n_outputs)."""

    def value(self, h, name):
        """The value of a hyperparameter, the estimator's own one if it is not tuned."""
        return float(h.get(name, getattr(self._own, name)))

    def spread(self):
        """Mean over features of their weighted sums of squares about the mean."""
        intercept, scales = self._own.fit_intercept, self.data.scales
        design = Design(self.data.X, fit_intercept=intercept, scales=scales)
        return design.spreads(self._t).mean()

    def fit(self, h, start, tol):
        solution = self.solved(h, None if start is None else start.solution.memory)
        return self._fitted(h, solution, solution.n_steps)

    def known(self, h, state, tol, *, predicted=True):
        return self._fitted(h, state.solution.memory, 0)

    def _fitted(self, h, solution, n_steps):
        """The Fitted of a solution that was found in some steps."""

        def pullback(g):
            V, moved = self.problem.adjoint(solution, self._of_all_rows(g))
            slopes = self.slopes(h, solution, V, moved)
            gradient = {name: slope() for name, slope in slopes.items() if name in self._names}
            return Pulled(gradient, n_solves=V.shape[1])

        u, status = solution.point.u, solution.status
        z = self.problem.predictions(solution).reshape(self._t.shape)[self._where]
        n_solves = n_steps * u.shape[1]
        state = WarmStart(InnerSolution(u, None, status, n_solves, memory=solution), None)
        return Fitted(z, pullback, state, (status,), n_solves, u)

    def x_vjp(self, h, fitted, g):
        return self.slopes_in_rows(h, fitted.state.solution.memory, self._of_all_rows(g))

    def _of_all_rows(self, g):
        """A gradient in the predictions of held-out rows as one in those of all rows."""
        G = np.zeros(self._t.shape)
        G[self._where] = g
        return G.reshape(len(G), -1)


def check_sizes(data):
    """Raise ValueError for data with too many rows and features."""
    n_samples, n_features = data.X.shape
    if min(n_samples, n_features) > MAX_SIDE:
        raise ValueError(
            f"a matrix of the size of rows or features is factorised, and {n_samples} x "
            f"{n_features} is too large for that: at most {MAX_SIDE} of either"
        )


def check_one_target(data):
    """Raise ValueError for several targets."""
    if data.y.shape[1] > 1:
        raise ValueError("y has several columns")
