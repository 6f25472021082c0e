"""The elastic net penalty as a function of its strength and of the share of its L1 part."""

import numpy as np


class ElasticNetPenalty:
    """``strength * (ratio sum |w| + (1 - ratio) / 2 sum w^2)``.

    Parameters
    ----------
    name : str
        Name of the hyperparameter that sets the strength.
    own : dict of str -> float
        The values of ``name`` and of "l1_ratio", for those of them that are not tuned.
    inverse : bool, default=False
        Whether the hyperparameter is the inverse of the strength, as the ``C`` of
        LogisticRegression: ``C loss + |w|`` has the minimiser of ``loss + |w| / C``.
    """

    def __init__(self, name, own, *, inverse=False):
        self.name, self.own, self.inverse = name, own, inverse

    def strengths(self, h):
        """Factors of ``sum |w|`` and of ``1/2 sum w^2``."""
        total, ratio = self._values(h)
        total = 1 / total if self.inverse else total
        return ratio * total, (1 - ratio) * total

    def strength(self, h):
        """The factor of ``1/2 sum w^2``, as the L2Penalty returns it."""
        return np.full((1, 1), self.strengths(h)[1])

    def cross_vjp(self, h, of_l1, of_l2):
        """Derivatives of ``l1 of_l1 + l2 of_l2`` in the hyperparameters, in a dict like ``h``."""
        return {name: l1 * of_l1 + l2 * of_l2 for name, (l1, l2) in self._slopes(h).items()}

    def cross_jvp(self, h, u):
        """Derivatives of both factors along ``u``, a dict like ``h``."""
        slopes = self._slopes(h)
        return tuple(sum(slopes[name][part] * float(u[name]) for name in u) for part in (0, 1))

    def _slopes(self, h):
        """Derivatives of both factors in each hyperparameter."""
        total, ratio = self._values(h)
        of_total = -1 / total**2 if self.inverse else 1.0
        total = 1 / total if self.inverse else total
        slopes = {
            self.name: (ratio * of_total, (1 - ratio) * of_total),
            "l1_ratio": (total, -total),
        }
        return {name: slopes[name] for name in h}

    def _values(self, h):
        known = self.own | h
        return float(known[self.name]), float(known["l1_ratio"])
