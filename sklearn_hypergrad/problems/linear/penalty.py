"""The L2 penalty as a function of its hyperparameter, and effective degrees of freedom."""

import dataclasses

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems.split_data import spreads_of
from sklearn_hypergrad.threads import cached_property

# Largest number of weights for which the diagonal of the inverse Hessian is computed exactly, with
# one solve for each weight. Chosen by hand, as a bound of the cost.
MAX_EXACT = 500
# Number of random vectors of its estimate beyond (Hutchinson 1990). Chosen by hand: errors fall
# with the root of this number, and the cost of a solve for each grows with it.
N_PROBES = 32
# Strengths that stand for zero and infinity, in units of the sum of squares of the feature: the
# solution is that of projecting free features out, and of leaving dropped ones out, up to these
# shares. Chosen by hand. A system of the size of the rows has a condition number of one over the
# first, so that its solutions keep eight digits; more is neither asked for nor needed.
FREE, DROPPED = 1e-8, 1e20


@dataclasses.dataclass(frozen=True)
class Entries:
    """Which entry of a hyperparameter penalises each coefficient, and which are held.

    Attributes
    ----------
    index : ndarray of int
        As ``entries`` of an L2Penalty.
    held : ndarray of shape (n_features, 1) or (n_features, n_outputs)
        Strengths that are held, 0 or infinite; nan where they are those of the hyperparameter.
    """

    index: np.ndarray
    held: np.ndarray

    @property
    def is_free(self):
        """Whether features have no penalty, of shape (n_features,)."""
        return (self.held == 0).any(axis=1)

    def strengths(self, data):
        """Positive and finite strengths that stand for those held; nan for the others.

        Parameters
        ----------
        data : SplitData
        """
        known = ~np.isnan(self.held).all(axis=1)
        spreads = np.ones(len(known))
        spreads[known] = spreads_of(data, np.flatnonzero(known))
        # A feature that is constant here has no scale: any strength will do.
        spreads[spreads == 0] = 1.0
        held = np.where(self.held == 0, FREE, np.where(np.isinf(self.held), DROPPED, np.nan))
        return held * spreads[:, None]


def free_directions(entries, data, *, center):
    """Number of directions of the columns that have no penalty, in the training rows.

    Parameters
    ----------
    entries : ndarray of int, Entries or None
    data : SplitData
        One split.
    center : bool
        Whether there is an intercept.
    """
    if not isinstance(entries, Entries) or not entries.is_free.any():
        return 0
    (weights,) = data.row_weights().T
    X = data.X[:, np.flatnonzero(entries.is_free)][weights > 0]
    X = X.toarray() if issparse(X) else X
    X = X - X.mean(axis=0) if center else X
    lengths = np.linalg.norm(X, axis=0)
    return int(np.linalg.matrix_rank(X / np.where(lengths > 0, lengths, 1.0)))


class L2Penalty:
    """``1/2 sum_jk strength_jk w_jk^2`` with strengths set by the hyperparameter ``name``.

    Parameters
    ----------
    name : str
        Key of the hyperparameter in ``h``.
    inverse : bool, default=False
        Whether the hyperparameter is the inverse of the strength, as the ``C`` of
        LogisticRegression: ``C loss + ||w||^2 / 2`` has the minimiser of ``loss + ||w||^2 / (2
        C)``.
    entries : ndarray of int, default=None
        Index of the entry of the flattened hyperparameter that penalises each coefficient;
        broadcasts to (n_features, n_outputs). None is one value for all, or one for each output.
    held : ndarray of shape (n_features, 1) or (n_features, n_outputs), default=None
        Strengths that do not depend on the hyperparameter, positive and finite; nan where they do.
        None if all do.
    free : ndarray of bool of shape (n_features,), default=None
        Features whose held strength stands for none; None if there are none.

    Attributes
    ----------
    free : ndarray of bool or None
    """

    def __init__(self, name, *, inverse=False, entries=None, held=None, free=None):
        self.name = name
        self.inverse = inverse
        self.free = free
        self._entries = entries
        self._held = held

    @classmethod
    def of(cls, name, entries, data, *, inverse=False):
        """The penalty of a model of some data.

        Parameters
        ----------
        name : str
        entries : ndarray of int, Entries or None
        data : SplitData
        inverse : bool, default=False
        """
        if not isinstance(entries, Entries):
            return cls(name, inverse=inverse, entries=entries)
        held = entries.strengths(data)
        free = entries.is_free if entries.is_free.any() else None
        return cls(name, inverse=inverse, entries=entries.index, held=held, free=free)

    @property
    def uniform(self):
        """Whether all features of an output share a penalty."""
        return self._entries is None or self._entries.shape[0] == 1

    @cached_property
    def groups(self):
        """The number of the group of each feature; features of a group have equal strengths.

        None where the hyperparameter or what is held has a value for each feature.
        """
        if self._entries is None or len(self._entries) == 1:
            return None
        # Held strengths are those of each feature by itself.
        if self._held is not None and not self._searched[:, 0].all():
            return None
        first = self._entries[:, 0]
        _, places, numbers = np.unique(first, return_index=True, return_inverse=True)
        return numbers if np.array_equal(self._entries, self._entries[places][numbers]) else None

    @property
    def entries(self):
        """The index of the entry of each coefficient, or None."""
        return self._entries

    def of_features(self, features):
        """The same penalty of some features, none of them held."""
        return L2Penalty(self.name, inverse=self.inverse, entries=self._entries[features])

    @property
    def holds(self):
        """Whether some strengths are held."""
        return self._held is not None

    def strength(self, h):
        """Penalty strengths, broadcasting to (n_features, n_outputs)."""
        values = self._spread(h[self.name], h)
        strength = 1 / values if self.inverse else values
        return strength if self._held is None else np.where(self._searched, strength, self._held)

    @property
    def _searched(self):
        return np.isnan(self._held)

    def cross_vjp(self, h, product):
        """Derivative of ``sum_jk strength_jk product_jk`` in the hyperparameter, in a dict."""
        slopes = product * self._slope(h)
        if self._held is not None:
            slopes = np.where(self._searched, slopes, 0.0)
        if self._entries is None:
            sums = slopes.sum(axis=0 if np.size(h[self.name]) > 1 else None)
            return {self.name: np.reshape(sums, np.shape(h[self.name]))}
        entries = np.broadcast_to(self._entries, product.shape)
        sums = np.bincount(entries.ravel(), slopes.ravel(), minlength=np.size(h[self.name]))
        return {self.name: sums.reshape(np.shape(h[self.name]))}

    def cross_jvp(self, h, u):
        """Derivative of the strengths along ``u``."""
        change = self._spread(u[self.name], h) * self._slope(h)
        return change if self._held is None else np.where(self._searched, change, 0.0)

    def _slope(self, h):
        return -(self.strength(h) ** 2) if self.inverse else 1.0

    def _spread(self, values, h):
        if self._entries is None:
            return np.reshape(values, (1, -1))
        return np.ravel(values)[self._entries]


def effective_dof(problem, solution, strength):
    """Effective degrees of freedom of every coefficient, of shape (n_features, n_outputs).

    They are ``1 - strength_j (H^-1)_jj``, between 0 (dropped) and 1 (unpenalised). With
    H = X'X + strength their sum is the trace of the hat matrix (Hastie, Tibshirani, Friedman, "The
    Elements of Statistical Learning", 2009, equation 3.50), in general that of ``H^-1`` times the
    Hessian without penalty. Intercepts are not counted. For more than 500 weights the diagonal is
    estimated with 32 random vectors of signs (Hutchinson 1990).

    Parameters
    ----------
    problem : InnerProblem
        A linear problem of one split.
    solution : InnerSolution
        Its solution, with the inverse Hessian.
    strength : ndarray, broadcasting to (n_features, n_outputs)
        Penalty strengths.

    Returns
    -------
    ndarray of shape (n_features, n_outputs)
    """
    size = solution.w.size
    if size <= MAX_EXACT:
        probes, share = np.eye(size), 1.0
    else:
        rng = np.random.default_rng(0)
        probes, share = rng.choice([-1.0, 1.0], size=(N_PROBES, size)), 1 / N_PROBES
    inverse = problem.inverse_of_any(solution.inverse_hvp, strength)
    diagonal = np.zeros(solution.w.shape)
    for probe in probes:
        probe = probe.reshape(diagonal.shape)
        diagonal += share * probe * inverse(probe, None)[0]
    return np.clip(1 - strength * problem.penalised(diagonal), 0, 1)
