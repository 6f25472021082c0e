"""Coordinates of theta for its optimizer: for a vector, a common level and deviations from it."""

import numpy as np

# Largest deviation of an entry from its level. Measured as part of the recipe for vectors: a ratio
# of exp(8), about 3000, practically drops a feature or leaves it unpenalised.
MOST_DEVIATION = 8.0


# Penalties ``f`` of deviations x >= 0: each is ``penalty(x) -> (f(x), f'(x))``, with f(0) = 0 and
# the slope ``weight`` at zero. So entries leave the pool by the same rule whatever the penalty; the
# concave ones shrink those less that have left it.
def l1(x, weight):
    """``weight x``."""
    return weight * x, np.full_like(x, weight)


def log_penalty(x, weight, knee):
    """``weight knee log(1 + x / knee)``, whose slope has halved at the knee."""
    return weight * knee * np.log1p(x / knee), weight / (1 + x / knee)


def minimax_concave(x, weight, reach):
    """``weight (x - x^2 / (2 reach))`` up to ``reach``, and constant beyond (Zhang 2010, MCP)."""
    inside = np.minimum(x, reach)
    return weight * (inside - inside**2 / (2 * reach)), weight * (1 - inside / reach)


class LevelAndDeviations:
    """``theta = level + up - down`` with a penalty on the deviations ``up - down``.

    With ``z = (level, up, down)`` and ``up, down >= 0`` the penalty is smooth, and minima have
    exact zeros: entries that stay at the common level. The level is not penalised.

    Parameters
    ----------
    size : int
        Number of entries of theta.
    level_bounds : tuple of float
        Lower and upper bound of the level.
    penalty : callable
        ``penalty(x) -> (values, slopes)`` of deviations ``x >= 0``.
    most : float, default=8
        Largest deviation: a ratio of exp(8), about 3000, on a logarithmic scale.

    References
    ----------
    Zhang 2010, "Nearly unbiased variable selection under minimax concave penalty".
    """

    def __init__(self, size, level_bounds, penalty, *, most=MOST_DEVIATION):
        self.size = size
        self.level_bounds = level_bounds
        self.most = most
        self._penalty = penalty

    @property
    def bounds(self):
        """Bounds of z, of shape ``(1 + 2 size, 2)``."""
        return np.array([self.level_bounds] + 2 * self.size * [(0.0, self.most)])

    def start(self, theta):
        """The z of a theta: its level is the most frequent entry, or else the median.

        A level beyond its bounds starts on them, and so does a deviation.
        """
        values, counts = np.unique(theta, return_counts=True)
        most = values[counts == counts.max()]
        level = np.clip(most[len(most) // 2], *self.level_bounds)
        apart = np.where(theta == most[len(most) // 2], 0.0, theta - level)
        up, down = np.clip([apart, -apart], 0.0, self.most)
        return np.concatenate([[level], up, down])

    def theta(self, z):
        """The theta of z, of shape (size,)."""
        return z[0] + self.deviations(z)

    def deviations(self, z):
        """Deviations of entries from the level; at a minimum ``up`` or ``down`` is zero."""
        return z[1 : 1 + self.size] - z[1 + self.size :]

    def parts(self, z):
        """``(level, deviations)`` of z."""
        return z[0], self.deviations(z)

    def joined(self, level, deviations):
        """The z of these parts."""
        up, down = np.maximum(deviations, 0.0), np.maximum(-deviations, 0.0)
        return np.concatenate([[level], up, down])

    @property
    def bounds_of_deviations(self):
        """Smallest and largest deviations, of shape (2, size)."""
        return np.repeat([[-self.most], [self.most]], self.size, axis=1)

    def penalty(self, z):
        """The penalty, a float."""
        return self._penalty(z[1:])[0].sum()

    def pullback(self, gradient, z):
        """Gradient in z of a function of theta plus the penalty, from that in theta."""
        _, slopes = self._penalty(z[1:])
        up, down = slopes[: self.size], slopes[self.size :]
        return np.concatenate([[gradient.sum()], gradient + up, down - gradient])


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

    def start(self, theta):
        """The same array, clipped to the bounds."""
        return np.clip(theta, *self.bounds.T)

    def theta(self, z):
        """The same array."""
        return z

    def deviations(self, z):
        """None: there is no common level."""

    def parts(self, z):
        """``(level, deviations)`` with a level of zero."""
        return 0.0, z

    def joined(self, level, deviations):
        """The z of these parts."""
        return deviations

    @property
    def bounds_of_deviations(self):
        """Smallest and largest deviations from zero, of shape (2, size)."""
        return self.bounds.T

    def penalty(self, z):
        """Zero."""
        return 0.0

    def pullback(self, gradient, z):
        """The same gradient."""
        return gradient


class Beside:
    """``z = (z of a vector, other entries of theta)``: only the vector is split.

    Parameters
    ----------
    splitting : LevelAndDeviations or Unsplit
        The splitting of the vector.
    part : ndarray of bool of shape (size,)
        The entries of theta that belong to the vector.
    bounds : ndarray of shape (size, 2)
        Bounds of theta.

    Attributes
    ----------
    splitting : LevelAndDeviations or Unsplit
    """

    def __init__(self, splitting, part, bounds):
        self.splitting, self._part = splitting, part
        self._others = np.asarray(bounds, dtype=float)[~part]
        self.most, self.level_bounds = splitting.most, splitting.level_bounds

    @property
    def bounds(self):
        """Bounds of z, of shape (size of z, 2)."""
        return np.concatenate([self.splitting.bounds, self._others])

    def start(self, theta):
        """The z of a theta, clipped to the bounds; the entries of the vector are equal."""
        others = np.clip(theta[~self._part], *self._others.T)
        return np.concatenate([self.splitting.start(theta[self._part]), others])

    def theta(self, z):
        """The theta of z, of shape (size,)."""
        own, others = self._parts(z)
        theta = np.empty(len(self._part))
        theta[self._part], theta[~self._part] = self.splitting.theta(own), others
        return theta

    def deviations(self, z):
        """Deviations of entries of the vector from their level; None without one."""
        return self.splitting.deviations(self._parts(z)[0])

    def penalty(self, z):
        """The penalty on the vector, a float."""
        return self.splitting.penalty(self._parts(z)[0])

    def pullback(self, gradient, z):
        """Gradient in z of a function of theta plus the penalty, from that in theta."""
        own = self.splitting.pullback(gradient[self._part], self._parts(z)[0])
        return np.concatenate([own, gradient[~self._part]])

    def _parts(self, z):
        """The z of the vector, and the other entries."""
        size = len(z) - len(self._others)
        return z[:size], z[size:]
