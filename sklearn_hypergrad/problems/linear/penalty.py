"""The L2 penalty as a function of its hyperparameter, and effective degrees of freedom."""

import numpy as np

# Largest number of weights for which the diagonal of the inverse Hessian is computed exactly, with
# one solve for each weight. Chosen by hand, as a bound of the cost.
MAX_EXACT = 500
# Number of random vectors of its estimate beyond (Hutchinson 1990). Chosen by hand: errors fall
# with the root of this number, and the cost of a solve for each grows with it.
N_PROBES = 32


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
    """

    def __init__(self, name, *, inverse=False, entries=None):
        self.name = name
        self.inverse = inverse
        self._entries = entries

    @property
    def uniform(self):
        """Whether all features of an output share a penalty."""
        return self._entries is None or self._entries.shape[0] == 1

    def strength(self, h):
        """Penalty strengths, broadcasting to (n_features, n_outputs)."""
        values = self._spread(h[self.name], h)
        return 1 / values if self.inverse else values

    def cross_vjp(self, h, product):
        """Derivative of ``sum_jk strength_jk product_jk`` in the hyperparameter, in a dict."""
        slopes = product * self._slope(h)
        if self._entries is None:
            sums = slopes.sum(axis=0 if np.size(h[self.name]) > 1 else None)
            return {self.name: np.reshape(sums, np.shape(h[self.name]))}
        entries = np.broadcast_to(self._entries, product.shape)
        sums = np.bincount(entries.ravel(), slopes.ravel(), minlength=np.size(h[self.name]))
        return {self.name: sums.reshape(np.shape(h[self.name]))}

    def cross_jvp(self, h, u):
        """Derivative of the strengths along ``u``."""
        return self._spread(u[self.name], h) * self._slope(h)

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
    diagonal = np.zeros(solution.w.shape)
    for probe in probes:
        probe = probe.reshape(diagonal.shape)
        diagonal += share * probe * solution.inverse_hvp(probe, None)[0]
    return np.clip(1 - strength * problem.penalised(diagonal), 0, 1)
