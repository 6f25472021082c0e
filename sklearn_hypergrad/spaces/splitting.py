"""Coordinates of a vector for its optimizer: a common level and deviations from it."""

import numpy as np

# Largest deviation of an entry from its level. Measured as part of the recipe for vectors: a ratio
# of exp(8), about 3000, practically drops a feature or leaves it unpenalised.
MOST_DEVIATION = 8.0


class LevelAndDeviations:
    """``theta = level + up - down`` with an L1 penalty on the deviations ``up - down``.

    With ``z = (level, up, down)`` and ``up, down >= 0`` the penalty is smooth, and minima have
    exact zeros: entries that stay at the common level. The level is not penalised.

    Parameters
    ----------
    size : int
        Number of entries of theta.
    level_bounds : tuple of float
        Lower and upper bound of the level.
    shrinkage : float
        Weight of the L1 penalty.
    most : float, default=8
        Largest deviation: a ratio of exp(8), about 3000, on a logarithmic scale.
    """

    def __init__(self, size, level_bounds, shrinkage, *, most=MOST_DEVIATION):
        self.size = size
        self.level_bounds = level_bounds
        self.shrinkage = shrinkage
        self.most = most

    @property
    def bounds(self):
        """Bounds of z, of shape ``(1 + 2 size, 2)``."""
        return np.array([self.level_bounds] + 2 * self.size * [(0.0, self.most)])

    def start(self, level):
        """The z without deviations; a level beyond its bounds starts on them."""
        z = np.zeros(1 + 2 * self.size)
        z[0] = np.clip(level, *self.level_bounds)
        return z

    def theta(self, z):
        """The theta of z, of shape (size,)."""
        return z[0] + self.deviations(z)

    def deviations(self, z):
        """Deviations of entries from the level; at a minimum ``up`` or ``down`` is zero."""
        return z[1 : 1 + self.size] - z[1 + self.size :]

    def penalty(self, z):
        """The L1 penalty, a float."""
        return self.shrinkage * z[1:].sum()

    def pullback(self, gradient):
        """Gradient in z of a function of theta plus the penalty."""
        return np.concatenate(
            [[gradient.sum()], gradient + self.shrinkage, self.shrinkage - gradient]
        )


class Unsplit:
    """``z = theta``: entries without a common level, with the interface of LevelAndDeviations.

    Parameters
    ----------
    bounds : ndarray of shape (size, 2)
        Bounds of theta.
    """

    most = np.inf
    level_bounds = None

    def __init__(self, bounds):
        self.bounds = np.asarray(bounds, dtype=float)

    def start(self, level):
        """The z with all entries at the level, clipped to their bounds."""
        return np.clip(np.full(len(self.bounds), level), *self.bounds.T)

    def theta(self, z):
        """The same array."""
        return z

    def deviations(self, z):
        """None: there is no common level."""

    def penalty(self, z):
        """Zero."""
        return 0.0

    def pullback(self, gradient):
        """The same gradient."""
        return gradient
