"""The largest curvature of a matrix that is known by its products."""

import numpy as np

from sklearn_hypergrad.linalg.systems import inner

# Number of products, and the factor on the norm that they find: derived below.
N_ITER = 30
MARGIN = 1.1


# Power iteration finds the norm from below. For n weights and k iterations from a random start the
# expected relative error is at most 0.871 log(n) / (k - 1) (Kuczynski, Wozniakowski 1992): 0.42 for
# a million weights, usually far less. A step of 1 / bound, in plain descent or in a Neumann series,
# converges as long as the norm is below twice the bound: with the margin, where at least 0.46 of it
# has been found.
def curvature_bound(hvp, like, axis=None):
    """The norm of a symmetric matrix, by power iteration, times ``MARGIN``.

    Parameters
    ----------
    hvp : callable
        Product of the matrix with an array.
    like : ndarray
        An array of the shape and type of the arrays that ``hvp`` takes.
    axis : int, default=None
        Axis that counts independent systems; None is one system.

    Returns
    -------
    bound : ndarray
        One for each system, shaped to broadcast with ``like``. It is the same at every call: the
        start is drawn with a fixed seed.
    """
    v = np.random.default_rng(0).standard_normal(like.shape).astype(like.dtype, copy=False)
    unit = np.empty_like(v)
    for _ in range(N_ITER):
        v = hvp(np.divide(v, _positive(_norm(v, axis)), out=unit))
    return MARGIN * _norm(v, axis)


def _norm(v, axis):
    return np.sqrt(inner(v, v, axis))


def _positive(norm):
    """The norm, or 1 where it is zero."""
    return np.where(norm > 0, norm, np.ones_like(norm))
