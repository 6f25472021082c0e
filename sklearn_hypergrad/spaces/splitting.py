"""What the optimizer of a vector moves: a common level and deviations from it."""

import numpy as np

MOST_DEVIATION = 8.0


class LevelAndDeviations:
    """``theta = level + up - down`` with an L1 penalty on the deviations ``up - down``.

    ``z = (level, up, down)`` with ``up, down >= 0`` makes the penalty smooth, and a minimum has
    exact zeros in it: entries that stay at the common level. The level is not penalised.

    Parameters
    ----------
    size : int
        Entries of theta.
    level_bounds : tuple of float
        Lower and upper bound of the level.
    shrinkage : float
        Weight of the penalty.
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
        return z[0] + self.deviations(z)

    def deviations(self, z):
        """Of every entry from the level; in a minimum at most one of ``up, down`` is not zero."""
        return z[1 : 1 + self.size] - z[1 + self.size :]

    def penalty(self, z):
        return self.shrinkage * z[1:].sum()

    def pullback(self, gradient):
        """Gradient in z of a function of theta plus the penalty."""
        return np.concatenate(
            [[gradient.sum()], gradient + self.shrinkage, self.shrinkage - gradient]
        )


class Unsplit:
    """``z = theta``: entries that share nothing, as LevelAndDeviations without an L1 penalty.

    Parameters
    ----------
    bounds : ndarray of shape (size, 2)
    """

    most = np.inf
    level_bounds = None

    def __init__(self, bounds):
        self.bounds = np.asarray(bounds, dtype=float)

    def start(self, level):
        """The z with all entries at the level, those beyond their bounds on them."""
        return np.clip(np.full(len(self.bounds), level), *self.bounds.T)

    def theta(self, z):
        return z

    def deviations(self, z):
        """None: there is no common level."""

    def penalty(self, z):
        return 0.0

    def pullback(self, gradient):
        return gradient
