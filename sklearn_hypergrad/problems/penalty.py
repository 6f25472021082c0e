"""The L2 penalty as a function of the hyperparameter that sets it."""

import numpy as np


class L2Penalty:
    """``strength / 2 * ||w||^2`` with ``strength`` set by the hyperparameter ``name``.

    Parameters
    ----------
    name : str
        Key of the hyperparameter in ``h``. Its array broadcasts against the last axis of ``w``
        (outputs), so a scalar penalises all weights alike and ``(n_outputs,)`` each output.
    inverse : bool, default=False
        Whether the hyperparameter is the inverse of the strength, as the ``C`` of
        LogisticRegression: ``C loss + ||w||^2 / 2`` has the minimiser of ``loss + ||w||^2 / (2
        C)``.
    """

    def __init__(self, name, *, inverse=False):
        self.name = name
        self.inverse = inverse

    def strength(self, h):
        """Penalty strength, shaped like the hyperparameter."""
        return 1 / h[self.name] if self.inverse else h[self.name]

    def cross_vjp(self, w, h, v):
        """``v`` times the derivative of ``strength * w`` in the hyperparameter."""
        product = v * w
        leading = tuple(range(product.ndim - np.ndim(h[self.name])))
        return {self.name: product.sum(axis=leading) * self._slope(h)}

    def cross_jvp(self, w, h, u):
        """Derivative of ``strength * w`` along ``u``."""
        return u[self.name] * self._slope(h) * w

    def _slope(self, h):
        return -1 / h[self.name] ** 2 if self.inverse else 1.0
