"""Leave-one-out and evidence of ridge regression together, as a function of one penalty."""

import dataclasses

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import issparse

from sklearn_hypergrad.problems.ridge.evidence import LEAST

# Weakest penalties that are looked at, relative to the smallest and to the largest eigenvalue: the
# larger of both. Reason: below the first nothing changes, and left-out residuals are quotients that
# lose as many digits as the penalty is below the largest. The strongest one, relative to that:
# beyond, nothing is left of the coefficients.
UNNOTICED, LOST, ALL = 1e-3, 1e-10, 1e4
# Penalties per decade at which a minimum is looked for. Chosen by hand: the criterion is a sum of
# smooth steps, each of which takes about a decade.
PER_DECADE = 2
# Accuracy of the logarithm of the minimum: that of a search, 1e-3, and a digit more.
ACCURACY = 1e-4
# Largest number of residuals that are computed at once. Chosen by hand: 8 MiB.
MOST_AT_ONCE = 2**20
# Smallest share of a row that its own fit leaves over. Reason: rounding.
LEAST_LEFT = 1e-12


@dataclasses.dataclass(frozen=True)
class StableMinimum:
    """A minimum of a StableCriterion.

    Attributes
    ----------
    strength : float
    dof : float
        Effective degrees of freedom there.
    """

    strength: float
    dof: float


# Derivation. With Z the weighted and centred rows in orthogonal coordinates, Z'Z = diag(d), targets
# t, and w = Z't / (d + a), residuals r = t - Z w have the derivative Z (a w / (d + a)) in log a.
# Leverages l_i = average_i + sum_j z_ij^2 / (d_j + a) have -sum_j a z_ij^2 / (d_j + a)^2. The
# left-out residuals are e_i = r_i / (1 - l_i). The misfit Q = |r|^2 + a |w|^2 is at its minimum in
# w, so that its derivative is a |w|^2; it is a sum of squares, and loses no digits.
class StableCriterion:
    """Half leave-one-out error and half evidence, in nats, as a function of one penalty.

    The value at a strength a is the sum over targets of ::

        1/2 (n/2 log sum_i e_i^2)  +  1/2 (m/2 log Q + 1/2 sum_j log(1 + d_j / a))

    with e_i the residual of row i in a fit of the others, times the root of its weight, Q the
    misfit (see Evidence), d_j the eigenvalues of Z'Z, n the sum of the weights of rows, and m = n,
    less one for an intercept. Nothing is drawn, and the models are about as large as the refit.

    One decomposition of the smaller side of X serves all penalties.

    Parameters
    ----------
    data : SplitData
        One split, whose training part is all rows.
    fit_intercept : bool
    """

    def __init__(self, data, *, fit_intercept):
        (weights,) = data.row_weights().T
        used = weights > 0
        weights = weights[used]
        root = np.sqrt(weights)[:, None]
        X = data.X[used].toarray() if issparse(data.X) else data.X[used]
        y, self._average = data.y[used], np.zeros(len(weights))
        if fit_intercept:
            self._average = weights / weights.sum()
            X, y = X - self._average @ X, y - self._average @ y
        if data.scales is not None:
            X = X * data.scales[:, 0]
        self._Z, self.eigenvalues = _orthogonal(root * X)
        self._squares = self._Z**2
        self._targets = root * y
        self._cross = self._Z.T @ self._targets
        self._n_samples = weights.sum()
        self._n_contrasts = self._n_samples - fit_intercept

    def __call__(self, strengths):
        """``(values, slopes)`` at some strengths; slopes are derivatives in their logarithms.

        Parameters
        ----------
        strengths : ndarray of shape (n_many,)

        Returns
        -------
        values, slopes : ndarray of shape (n_many,)
        """
        most = max(1, MOST_AT_ONCE // self._targets.size)
        parts = [self._at(strengths[i : i + most]) for i in range(0, len(strengths), most)]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def _at(self, strengths):
        # Axes: rows or coordinates, strengths, targets.
        a, d = strengths[:, None], self.eigenvalues[:, None, None]
        w = self._cross[:, None, :] / (d + a)
        shrunk = a * w / (d + a)
        residuals = self._targets[:, None, :] - self._product(w)
        inverses = 1 / (self.eigenvalues[:, None] + strengths)
        left = 1 - self._average[:, None] - self._squares @ inverses
        left = np.maximum(left, LEAST_LEFT)[:, :, None]
        grows = (self._squares @ (strengths * inverses**2))[:, :, None]
        errors = residuals / left
        slopes = (self._product(shrunk) - errors * grows) / left
        left_out = np.maximum((errors**2).sum(axis=0), LEAST)
        value = 0.5 * self._n_samples * np.log(left_out)
        slope = self._n_samples * (errors * slopes).sum(axis=0) / left_out
        penalty = a * (w**2).sum(axis=0)
        misfit = np.maximum((residuals**2).sum(axis=0) + penalty, LEAST)
        value += 0.5 * self._n_contrasts * np.log(misfit)
        slope += 0.5 * self._n_contrasts * penalty / misfit
        value += 0.5 * np.log1p(d / a).sum(axis=0)
        slope -= 0.5 * (d / (d + a)).sum(axis=0)
        return 0.5 * value.sum(axis=1), 0.5 * slope.sum(axis=1)

    def _product(self, w):
        return (self._Z @ w.reshape(len(w), -1)).reshape(-1, *w.shape[1:])

    def dof(self, strength):
        """Effective degrees of freedom: the trace of the hat matrix without the intercept."""
        return float(np.sum(self.eigenvalues / (self.eigenvalues + strength)))

    def minimum(self, low, high):
        """The StableMinimum between two strengths; None if the criterion is constant."""
        scanned = self.scan(low, high)
        return None if scanned is None else self.polish(*scanned)

    def scan(self, low, high):
        """Look at strengths half a decade apart.

        Parameters
        ----------
        low, high : float

        Returns
        -------
        lowest, other : float
            The best of them, and the one on the side to which the slope falls there: the minimum
            is between them. They are equal if it is at an end.

        None if the criterion is constant.
        """
        if not self.eigenvalues.size or not np.ptp(self._targets, axis=0).any():
            return None
        least, most = self.eigenvalues.min(), self.eigenvalues.max()
        ends = np.clip([max(UNNOTICED * least, LOST * most), ALL * most], low, high)
        places = np.geomspace(*ends, 2 + int(PER_DECADE * np.log10(ends[1] / ends[0])))
        values, slopes = self(places)
        best = int(np.argmin(values))
        other = best + (1 if slopes[best] < 0 else -1)
        turns = 0 <= other < len(places) and slopes[best] * slopes[other] < 0
        return places[best], places[other if turns else best]

    def polish(self, lowest, other):
        """The StableMinimum between two strengths that ``scan`` has returned."""
        strength = lowest
        if lowest != other:
            bracket = np.log(sorted([lowest, other]))
            strength = np.exp(brentq(self._slope, *bracket, xtol=ACCURACY))
        return StableMinimum(float(strength), self.dof(strength))

    def _slope(self, theta):
        return self(np.exp([theta]))[1][0]


def _orthogonal(X):
    """``(Z, d)`` with ``Z Z' = X X'`` and ``Z'Z = diag(d)``, without directions of rounding."""
    wide = X.shape[0] < X.shape[1]
    d, vectors = np.linalg.eigh(X @ X.T if wide else X.T @ X)
    # The tolerance of the numerical rank, as in numpy.linalg.matrix_rank.
    kept = d > len(d) * np.finfo(float).eps * d.max(initial=0.0)
    d, vectors = d[kept], vectors[:, kept]
    return (vectors * np.sqrt(d) if wide else X @ vectors), d
