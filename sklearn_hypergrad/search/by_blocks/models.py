"""Models of rows in parts."""

import copy

import numpy as np

from sklearn_hypergrad.adapters.model import Fitted, LinearModel
from sklearn_hypergrad.adapters.ridge import RidgeModel
from sklearn_hypergrad.hypergradients import Evaluation
from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.problems.rows.rows_linear import HeldOutSums
from sklearn_hypergrad.problems.rows.rows_ridge import RowsQuadraticLoss
from sklearn_hypergrad.search.by_blocks.refusals import refused

# Largest number of doubles in the solutions that are remembered. Chosen by hand: 128 MiB.
MOST = 2**24
# Difference of logarithms that is rounding.
ROUNDED = 1e-12


class _OfRows:
    """What models of rows have in common: solutions without predictions, one method."""

    def differentiated(self, method):
        if method is None or is_exact(method):
            return self
        why = "their solutions are differentiated with what they were solved with"
        raise refused(f"hypergradient={method!r}", why, "Leave hypergradient='auto'")

    def train(self, h, start, tol):
        return self.solve(h, start, tol)

    def known(self, h, state, tol, *, predicted=True):
        solution = state.solution
        return Fitted(None, None, state, (solution.status,), 0, solution.w)


class Solved:
    """Weights of the last solutions, which passes have found: rows are made of them."""

    def __init__(self):
        self._known = {}

    def keep(self, h, w):
        """Remember weights; the oldest ones are dropped."""
        key = _key(h)
        self._known.pop(key, None)
        self._known[key] = w
        while len(self._known) > 1 and sum(each.size for each in self._known.values()) > MOST:
            del self._known[next(iter(self._known))]

    def at(self, h):
        """The weights at hyperparameters, or None."""
        return self._known.get(_key(h))


def _key(h):
    """One point, whether its values come as one or as many times the same, up to rounding."""
    values = np.concatenate([np.ravel(value) for value in h.values()])
    values = values[:1] if np.ptp(np.log(values)) < ROUNDED else values
    return tuple(np.round(np.log(values), 10))


class RowsRidgeModel(_OfRows, RidgeModel):
    """Ridge regression from the sums of buckets.

    Parameters
    ----------
    problem : RowsRidge
    data : RowsData
    """

    def outer_of(self, validation_loss):
        return RowsQuadraticLoss(self.problem, validation_loss)


class RowsLinearModel(_OfRows, LinearModel):
    """A linear model whose losses are sums over parts.

    Parameters
    ----------
    problem : RowsLinear
    data : RowsData
    solved : Solved
        Where weights are remembered.
    """

    def __init__(self, problem, data, solved):
        super().__init__(problem, data)
        self._solved = solved

    def judged_by(self, validation_loss):
        model = copy.copy(self)
        several = self.data.n_outputs > 1 and validation_loss.pointwise_multi is not None
        own = validation_loss.pointwise_multi if several else validation_loss.pointwise
        model.problem = self.problem.judged_by(own)
        model.validation_loss, model.outer = validation_loss, HeldOutSums(validation_loss)
        return model

    def evaluate(self, h, start, tol, **options):
        fitted = self.method.fit(self.problem, h, start, tol)
        self._solved.keep(h, fitted.w)
        values, gradient = self.outer(fitted.state.solution.memory.state)
        pulled = fitted.pull(gradient)
        return Evaluation.of(values, pulled.gradient, fitted, pulled)
