"""Degrees of freedom of ridge regression with one penalty for all features."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import factor, inverse_of_triangle
from sklearn_hypergrad.problems.linear.centred_splits import GramMatrices, origin_of
from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows, row_kernel


# With Z the weighted and centred rows, the trace of Z (Z'Z + a)^-1 Z' is sum_j d_j / (d_j + a) for
# the eigenvalues d of Z'Z or, apart from zeros, of ZZ'. So it is the side of the smaller of both
# matrices minus the trace of (I + matrix / a)^-1.
def hat_trace(data, strength, *, fit_intercept):
    """The trace of the hat matrix, without the intercept.

    It is also that of any convex loss with one output whose second derivatives are the weights: the
    intercept is eliminated by centring the rows with these weights.

    Parameters
    ----------
    data : SplitData
        One split.
    strength : float
        The penalty of all features.
    fit_intercept : bool

    Returns
    -------
    float
    """
    data = dataclasses.replace(data, y=data.y[:, :1])
    n_rows, n_features = data.X.shape
    if n_features <= n_rows:
        gram = GramMatrices(data, fit_intercept=fit_intercept).gram[0]
    else:
        origin, _ = origin_of(data, fit_intercept)
        rows = TrainingRows(data.row_weights(), fit_intercept=fit_intercept)
        (used,) = rows.numbers
        X = data.X[used] if data.scales is None else data.own(data.X[used], 0)
        gram = rows.kernel(0, row_kernel(X, origin))
    return trace_of(gram, strength)


def trace_of(gram, strength):
    """The trace of ``gram (gram + strength)^-1``."""
    left = inverse_of_triangle(factor(gram / strength, 1.0))
    return len(gram) - float(np.einsum("ij,ij->", left, left))
