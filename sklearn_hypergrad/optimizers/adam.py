"""Adam, for hyperparameters of training runs: gradients of very different sizes, and some noise."""

import numpy as np

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# A gradient this many times as long as those before it has exploded.
EXPLODED = 100
# Share of the path, at its end, that is averaged under noise, and in which hardly anything may be
# gained of what was gained before.
LAST = 0.25
HARDLY = 0.01
# The length of steps at the end, relative to that at the start.
SLOWEST = 0.1
TINY = 1e-300
REJECTED = (
    "{} steps were taken back and halved, because the gradient exploded or training diverged there."
    " Give learning rate and momentum smaller upper bounds, or start from smaller ones."
)


class Adam(Optimizer):
    """Steps of bounded length along the running mean of the gradient (Kingma, Ba 2015).

    A step to a point whose value is not finite, or whose gradient is a hundred times as long as
    those before it, is taken back and halved, and so are those that follow: above some learning
    rate training is chaotic, and its gradient says nothing of the way down (Maclaurin, Duvenaud,
    Adams 2015, section 4). Steps shorten to a tenth along the way.

    Parameters
    ----------
    learning_rate : float, default=0.2
        Longest step of any entry of z; on a logarithmic scale 0.2 is twenty per cent.
    decays : tuple of two float, default=(0.9, 0.99)
        Of the running means of the gradient and of its square.
    noisy : bool, default=None
        Whether values are noisy, so that the smallest is a matter of luck: then the result is the
        mean over the last quarter of the path instead of the best point. None is what the search
        says: whether it draws initial weights and batches anew at every evaluation.
    """

    def __init__(self, learning_rate=0.2, decays=(0.9, 0.99), *, noisy=None):
        self.learning_rate = learning_rate
        self.decays = decays
        self.noisy = noisy

    def __repr__(self):
        noisy = "" if self.noisy is None else f", noisy={self.noisy}"
        return f"Adam(learning_rate={self.learning_rate}{noisy})"

    def told(self, noisy):
        """The same, with ``noisy`` where that is open."""
        return Adam(self.learning_rate, self.decays, noisy=noisy) if self.noisy is None else self

    def minimize(self, fun, z0, bounds, *, tol, max_iter):
        low, high = np.asarray(bounds, dtype=float).T
        z, path, moments = np.clip(z0, low, high), Path(), Moments(self.decays)
        length, still = self.learning_rate, False
        for n in range(max_iter):
            value, gradient = fun(z)
            if path.rejects(value, gradient):
                if not path.points:
                    return Minimum(z, False, "the validation loss is not finite at the start")
                length *= 0.5
                z = 0.5 * (path.points[-1] + z)
                continue
            path.add(z, value, gradient)
            rate = length * (1 - (1 - SLOWEST) * n / max_iter)
            step = np.clip(rate * moments.direction(gradient), -rate, rate)
            moved = np.clip(z - step, low, high)
            still = np.max(np.abs(moved - z), initial=0.0) <= tol
            if still:
                # Steps that were halved until they are short say nothing of a minimum.
                still = rate > tol
                break
            z = moved
        return self._minimum(path, still, max_iter)

    def _minimum(self, path, still, max_iter):
        last = max(1, round(LAST * len(path.points)))
        z = np.mean(path.points[-last:], axis=0) if self.noisy else path.best
        reason = "steps shorter than tol" if still else f"max_iter={max_iter} steps of Adam"
        warning = REJECTED.format(path.n_rejected) if path.n_rejected else ""
        return Minimum(z, bool(still) or path.settled(last), reason, warning)


class Path:
    """Points that were accepted, in their order.

    Attributes
    ----------
    points : list of ndarray
    n_rejected : int
    """

    def __init__(self):
        self.points, self._values, self._lengths = [], [], []
        self.n_rejected = 0

    def rejects(self, value, gradient):
        """Whether a point cannot be used."""
        usual = np.median(self._lengths[-10:]) if self._lengths else np.inf
        length = np.linalg.norm(gradient)
        exploded = not np.isfinite(length) or length > EXPLODED * max(usual, TINY)
        rejected = not np.isfinite(value) or bool(exploded)
        self.n_rejected += rejected
        return rejected

    def add(self, z, value, gradient):
        self.points.append(z)
        self._values.append(value)
        self._lengths.append(float(np.linalg.norm(gradient)))

    @property
    def best(self):
        return self.points[int(np.argmin(self._values))]

    def settled(self, last):
        """Whether the last points have gained hardly anything."""
        before = self._values[:-last]
        if not before:
            return False
        gained = self._values[0] - min(self._values)
        return bool(min(before) - min(self._values) <= HARDLY * gained)


class Moments:
    """Running means of a gradient and its square, corrected for their start at zero."""

    def __init__(self, decays):
        self._decays, self._means, self._n = decays, [0.0, 0.0], 0

    def direction(self, gradient):
        """The mean gradient in units of its root mean square."""
        self._n += 1
        for i, (decay, power) in enumerate(zip(self._decays, (gradient, gradient**2), strict=True)):
            self._means[i] = decay * self._means[i] + (1 - decay) * power
        mean, square = (
            m / (1 - decay**self._n) for m, decay in zip(self._means, self._decays, strict=True)
        )
        return mean / np.sqrt(np.maximum(square, TINY))
