"""Least squares with an L1 and an L2 penalty, of all splits."""

import numpy as np

from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.linear.centred_splits import CentredDesign
from sklearn_hypergrad.problems.sparse.minimisers import minimisers
from sklearn_hypergrad.problems.sparse.training_sums import TrainingSums


class ElasticNetProblem(CentredDesign, InnerProblem):
    """Least squares with an L1 and an L2 penalty, solved exactly.

    Inner objective, for each split and output, with training weights t of the sum T, and the means
    of the training part subtracted where there is an intercept: ::

        1 / (2 T) sum_i t_i (y_i - x_i w)^2  +  alpha (r |w|_1  +  (1 - r) / 2 ||w||^2)

    with r the ``l1_ratio``. ``w`` has shape (n_splits, n_features, n_outputs). Most of its entries
    may be zero; the minimum is differentiable while those that are not, and their signs, stay. So
    derivatives are those on the support, and zero elsewhere.

    Parameters
    ----------
    data : SplitData
        The data of the splits, with or without scales.
    penalty : ElasticNetPenalty
    fit_intercept : bool
    """

    iterative = False
    linear_in_weights = True
    split_axis = 0
    loss = HalfSquaredError()
    _minimisers = staticmethod(minimisers)

    def __init__(self, data, penalty, *, fit_intercept):
        sums = TrainingSums.of(data, fit_intercept=fit_intercept)
        super().__init__(*sums.design)
        self.penalty, self._grams, self._cross = penalty, sums.grams, sums.cross
        self._minimise = self._minimisers(sums.grams, sums.cross)
        self._divisors = sums.totals[:, None, None]
        self.held_out = sums.held_out

    @property
    def largest(self):
        """The smallest L1 penalty that leaves no weight, as a mean over splits and outputs."""
        return float(self._norms(self._cross).max(axis=1).mean())

    def start(self):
        return np.zeros_like(self._cross)

    def solve(self, h, warm_start, tol):
        l1, l2 = self.penalty.strengths(h)
        start = None if warm_start is None else warm_start.w
        found = self._minimise(np.array([l1]), np.array([l2]), start)
        status = Status.CONVERGED if found.converged else Status.INNER_NOT_CONVERGED

        def inverse_hvp(v, start):
            return found.solve(v), Status.CONVERGED

        return InnerSolution(found.w, inverse_hvp, status, found.n_systems)

    @property
    def together(self):
        """Whether ``minimisers`` are cheaper than one by one."""
        return self._minimise.together

    def minimisers(self, several, start=None):
        """Minima at several hyperparameters.

        Parameters
        ----------
        several : list of dict
        start : ndarray, default=None
            Minima nearby, shaped like ``w``; None is zero.

        Returns
        -------
        w : ndarray of shape (n_splits, n_features, n_many * n_outputs)
            All outputs for the first ones, then those for the next ones.
        pull : callable
            ``pull(g)``, for ``g`` shaped like ``w``, are the derivatives of ``sum g w`` in each of
            them: a list of dict.

        Both are None if a minimum was not found.
        """
        penalties = np.array([self.penalty.strengths(h) for h in several])
        found = self._minimise(*penalties.T, start)
        if not found.converged:
            return None, None

        def pull(g):
            minima = (np.split(each, len(several), axis=2) for each in (found.w, found.solve(-g)))
            return [self.cross_vjp(w, h, v) for h, w, v in zip(several, *minima, strict=True)]

        return found.w, pull

    # The subgradient that is zero: on the support, where w has signs.
    def gradient(self, w, h):
        l1, l2 = self.penalty.strengths(h)
        slope = self._gram_times(w) - self._cross + l2 * w + l1 * self._directions(w)
        return np.where(self._norms(w) > 0, slope, 0.0)

    def hvp(self, w, h, v):
        l1, l2 = self.penalty.strengths(h)
        inside = self._norms(w) > 0
        curved = self._gram_times(np.where(inside, v, 0.0)) + l2 * v + l1 * self._turned(w, v)
        return np.where(inside, curved, v)

    def cross_vjp(self, w, h, v):
        return self.penalty.cross_vjp(h, np.vdot(v, self._directions(w)), np.vdot(v, w))

    def cross_jvp(self, w, h, u):
        l1, l2 = self.penalty.cross_jvp(h, u)
        return l1 * self._directions(w) + l2 * w

    def adjoint_coefficients(self, v, h, G):
        return super().adjoint_coefficients(v / self._divisors, h, G)

    def weights(self, coef, intercept):
        """Weights of coefficients, where splits have no scales of their own."""
        return coef.transpose(0, 2, 1)

    # What the first penalty is a norm of: a weight here, all outputs of a feature in a subclass.
    def _norms(self, w):
        """The norms that it is the sum of."""
        return np.abs(w)

    def _directions(self, w):
        """Derivatives of the norms where they are not zero, and zero elsewhere."""
        return np.sign(w)

    def _turned(self, w, v):
        """Derivatives of the directions along ``v``."""
        return np.zeros_like(v)

    def _gram_times(self, v):
        """Products of the Gram matrices with ``v``, which may be zero in many places."""
        found = np.empty_like(v)
        for split, output in np.ndindex(len(v), v.shape[2]):
            own = v[split, :, output]
            support = np.flatnonzero(own)
            found[split, :, output] = self._grams[split].times(support, own[support])
        return found
