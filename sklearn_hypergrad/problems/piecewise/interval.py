"""Linear models that penalise the squared distance of a prediction to an interval.

With training weights t, every problem minimises over its weights u ::

    C sum_i t_i dist(e_i u, [low_i, high_i])^2  +  ||u||^2 / 2

The squared epsilon-insensitive loss has the interval ``[y - epsilon, y + epsilon]``, the squared
hinge loss ``[1, inf)`` or ``(-inf, -1]``. Rows outside of their interval are active. As long as
these are the same the objective is quadratic, and a step of Newton's method ends at its minimum.
"""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.piecewise.active_rows import hessians_of
from sklearn_hypergrad.problems.piecewise.features import Features
from sklearn_hypergrad.problems.piecewise.newton import newton


@dataclasses.dataclass(frozen=True)
class Point:
    """Weights of all problems, and what follows from them.

    Attributes
    ----------
    u : ndarray of shape (n_weights, n_problems)
    z : ndarray of shape (n_samples, n_problems)
        Predictions of all rows.
    outside : ndarray like ``z``
        Signed distances of the predictions from their intervals.
    lost : ndarray like ``z``
        The same times training weights: zero for rows that are not active.
    value : ndarray of shape (n_problems,)
        The objectives.
    """

    u: np.ndarray
    z: np.ndarray
    outside: np.ndarray
    lost: np.ndarray
    value: np.ndarray


@dataclasses.dataclass(frozen=True)
class IntervalSolution:
    """The solutions of all problems, and a start for the next ones.

    Attributes
    ----------
    point : Point
    hessians : list of Active
    status : Status
    n_steps : int
        Number of steps, of the problem that took most.
    """

    point: Point
    hessians: list
    status: Status
    n_steps: int

    @property
    def size(self):
        """Number of floats in it."""
        return self.point.u.size + 3 * self.point.z.size + sum(own.size for own in self.hessians)


class IntervalProblem:
    """Problems of all splits and outputs, which share their features.

    ``u`` has a column for every problem: all outputs of the first split, then those of the next.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    t : ndarray of shape (n_samples, n_splits, n_outputs)
        Training weights: zero for rows that a split does not train on.
    intercept_scaling : float
        The number in the column of the intercept; zero for none.
    scales, offsets : ndarray of shape (n_features, n_splits), default=None
        The features of a split are X times its scales, plus its offsets. None is one, and zero.
    """

    def __init__(self, X, t, intercept_scaling, scales=None, offsets=None):
        self._features = Features(X, intercept_scaling, t.shape[2], scales, offsets)
        self._t, self._shape = t.reshape(len(t), -1), t.shape[1:]
        self._hessians = hessians_of(self._features, self._t)

    def solve(self, low, high, C, start=None):
        """Minimise.

        Parameters
        ----------
        low, high : ndarray, broadcasting to (n_samples, n_problems)
            The intervals.
        C : float
        start : IntervalSolution, default=None

        Returns
        -------
        IntervalSolution
        """
        at = functools.partial(self._point, low=low, high=high, C=C)
        hessians = None
        if start is None:
            n_weights, n_problems = self._features.shared.shape[1], self._t.shape[1]
            point = at(np.zeros((n_weights, n_problems)), np.zeros(self._t.shape))
        else:
            point, hessians = at(start.point.u, start.point.z), start.hessians
        step_at, line = functools.partial(self._step, C=C), functools.partial(self._line, at)
        return IntervalSolution(*newton(point, hessians, step_at, line))

    def predictions(self, solution):
        """Predictions of all rows, a column for every problem."""
        return solution.point.z

    def coefficients(self, u):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""
        coef, intercept = self._features.coefficients(u)
        return coef.reshape(*self._shape, -1), intercept.reshape(self._shape)

    # The gradient of an objective is 2 C E' (t r) + u with the signed distances r, which change by
    # the features times the weights, or against the ends of the intervals. With V = H^-1 E' G, the
    # derivative of sum G z is -V' d(gradient), that is
    #     -2 V' E' (t r) = V' u / C   in C,
    #     2 C (E V)' (t d)            for ends that move by d,
    #     -2 C t_i (r_i V + (e_i V) u)  in a row e_i, where it is active, and G_i u where it is held
    #                                   out.
    def adjoint(self, solution, G):
        """``(V, E V)`` with ``V = H^-1 E' G``, for G of shape (n_samples, n_problems)."""
        V = self._hessians.solve(solution.hessians, self._features.pull(G))
        return V, self._features.product(V)

    def slope_in_strength(self, solution, V, C):
        """The derivative of ``sum G z`` in C."""
        return np.vdot(V, solution.point.u) / C

    def slopes_in_ends(self, solution, moved, C):
        """Derivatives in the end of the interval that each row is beyond, like predictions."""
        return 2 * C * self._t * (solution.point.lost != 0) * moved

    def slopes_in_rows(self, solution, G, C):
        """Derivatives of ``sum G z`` in X, of the shape of X."""
        (V, moved), point = self.adjoint(solution, G), solution.point
        (u, _), (v, _) = (self._features.coefficients(own) for own in (point.u, V))
        return (G - self.slopes_in_ends(solution, moved, C)) @ u - 2 * C * point.lost @ v

    def _point(self, u, z, *, low, high, C):
        outside = z - np.clip(z, low, high)
        lost = self._t * outside
        value = C * np.einsum("ik,ik->k", lost, outside) + 0.5 * np.einsum("jk,jk->k", u, u)
        return Point(u, z, outside, lost, value)

    def _step(self, point, hessians, *, C):
        """The gradient, the step of Newton's method, and what is known of Hessians."""
        hessians = self._hessians.at(point.lost != 0, 2 * C, hessians)
        gradient = 2 * C * self._features.pull(point.lost) + point.u
        return gradient, self._hessians.solve(hessians, gradient), hessians

    def _line(self, at, point, step):
        """The function from lengths of a step to Points."""
        change = self._features.product(point.u - step) - point.z
        return lambda length: at(point.u - length * step, point.z + length * change)
