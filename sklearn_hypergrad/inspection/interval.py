"""The loss between evaluated points, and how far from its optimum it cannot be told apart."""

import dataclasses

import numpy as np
from scipy.interpolate import PchipInterpolator

from sklearn_hypergrad.inspection.cubics import curve

# Points at which the curve is drawn, and to which the interval is found.
FINE = 2001


@dataclasses.dataclass(frozen=True)
class FineCurve:
    """A loss over one hyperparameter at many points.

    Attributes
    ----------
    theta : ndarray of shape (n_points,)
        On the scale of the search.
    mean : ndarray of shape (n_points,)
        Over splits.
    deviations : ndarray of shape (n_points, n_splits)
        Of the splits from it.
    overlap : float
        As for :func:`~sklearn_hypergrad.tuning.objective.standard_error`.
    """

    theta: np.ndarray
    mean: np.ndarray
    deviations: np.ndarray
    overlap: float = 0.0

    @property
    def best(self):
        """Where the mean is lowest, as an index."""
        return int(np.argmin(self.mean))

    @property
    def errors(self):
        """One standard error of the mean at every point, with two splits at least."""
        return _standard_errors(self.deviations, self.overlap)

    @property
    def ends(self):
        """Thetas of the first and last point about the best one within one standard error of it.

        The error is that of the difference to the best point, split by split.
        """
        best, mean = self.best, self.mean
        error = _standard_errors(self.deviations - self.deviations[best], self.overlap)
        outside = np.flatnonzero(mean - mean[best] > error)
        below, above = outside[outside < best], outside[outside > best]
        first = below[-1] + 1 if len(below) else 0
        last = above[0] - 1 if len(above) else len(mean) - 1
        return self.theta[[first, last]]


def fine_curve(theta, losses, slopes, overlap=0.0):
    """The FineCurve through evaluated points.

    Parameters
    ----------
    theta : ndarray of shape (n_points,)
        In increasing order.
    losses : ndarray of shape (n_points, n_splits)
    slopes : ndarray of shape (n_points,)
        Absolute derivatives of the mean, nan where not known. Those of splits are not known:
        deviations are interpolated by their values alone.
    overlap : float, default=0.0
        As for FineCurve.
    """
    mean = losses.mean(axis=1)
    at = np.union1d(np.linspace(theta[0], theta[-1], FINE), theta)
    deviations = np.broadcast_to(losses[0] - mean[0], (len(at), losses.shape[1]))
    if len(theta) > 1:
        deviations = PchipInterpolator(theta, losses - mean[:, None])(at)
    return FineCurve(at, curve(theta, mean, slopes)(at), deviations, overlap)


def _standard_errors(losses, overlap):
    return losses.std(axis=1, ddof=1) * np.sqrt(1 / losses.shape[1] + overlap)
