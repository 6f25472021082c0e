"""Penalties per feature as one penalty of scaled features."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.sparsefuncs import inplace_column_scale

# Scaling by penalties that differ makes the problem as badly conditioned as they do: beyond this
# ratio iterative solvers stop far from the solution and direct ones lose digits, some of them
# without a warning.
WIDEST = {"iterative": 1e4, "direct": 1e12}


def scalable(strengths, kind="iterative"):
    """Whether a solver of that kind finds the solution after a scaling."""
    finite = strengths[np.isfinite(strengths)]
    if len(finite) == 0:
        return True
    return finite.min() > 0 and finite.max() / WIDEST[kind] <= finite.min()


# With u_j = w_j / f_j and f_j = sqrt(r / a_j), for any r > 0,
#     X w = (X diag(f)) u    and    sum_j a_j w_j^2 = r sum_j u_j^2,
# so that u is what a model with the one penalty r has on the columns X_j f_j. An infinite a_j has
# f_j = 0: its column is zero, and so is w_j.
class Scaling:
    """The substitution that turns penalties per feature into one number.

    Parameters
    ----------
    strengths : ndarray of shape (n_features,)
        Positive, or infinite for features to leave out.

    Attributes
    ----------
    reference : float
        The one penalty: the geometric mean of the finite ones.
    """

    def __init__(self, strengths):
        self._kept = kept_columns(np.isfinite(strengths))
        finite = strengths[np.isfinite(strengths)]
        self.reference = _geometric_mean(finite) if len(finite) else 1.0
        self._factors = np.sqrt(self.reference / strengths[self._kept])

    def features(self, X):
        """The scaled columns that stay, a copy in float64 for what the scaling costs in digits."""
        if issparse(X):
            scaled = X[:, self._kept].astype(np.float64)
            inplace_column_scale(scaled, self._factors)
            return scaled
        scaled = np.compress(self._kept, X, axis=1).astype(np.float64, copy=False)
        scaled *= self._factors
        return scaled

    def scaled(self, coef):
        """Coefficients of the scaled columns, for those of all features on the last axis."""
        kept = coef[..., self._kept]
        return np.divide(kept, self._factors, out=np.zeros_like(kept), where=self._factors > 0)

    def coefficients(self, coef):
        """Coefficients of all features, for those of the scaled columns on the last axis."""
        return spread(coef * self._factors, self._kept)


def _geometric_mean(values):
    """Relative to the lowest, so that the mean of equal numbers is exactly that number."""
    lowest = values.min()
    return float(lowest * np.exp(np.mean(np.log(values) - np.log(lowest))))


def kept_columns(wanted):
    """``wanted``, but at least the first column: a model is fitted to one or more."""
    kept = wanted.copy()
    kept[0] |= not wanted.any()
    return kept


def spread(coef, kept):
    """Coefficients of all columns, with exact zeros where they were not kept."""
    full = np.zeros((*coef.shape[:-1], len(kept)), dtype=coef.dtype)
    full[..., kept] = coef
    return full
