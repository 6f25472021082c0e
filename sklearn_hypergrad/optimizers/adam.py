"""Adam, for hyperparameters of training runs, whose gradients differ in size and may be noisy."""

import numpy as np

from sklearn_hypergrad.optimizers.base import Minimum, Optimizer

# Ratio to the usual length (the median of the last ten) above which a gradient has exploded. Chosen
# by hand: gradients of chaotic training grow by many orders of magnitude, ordinary ones vary by a
# factor of ten.
EXPLODED = 100
# Share of the steps, at the end, whose points are averaged under noise (as in Polyak, Juditsky
# 1992), and whose gain decides about convergence: at most HARDLY of the gain of all steps. Chosen
# by hand: a quarter of 50 steps averages a dozen points.
LAST = 0.25
HARDLY = 0.01
# Length of the last steps, relative to the first. Chosen by hand: shorter steps at the end settle,
# and a tenth of 0.2 still corrects two per cent per step.
SLOWEST = 0.1
# Smallest square of a gradient, so that an entry without gradient is not divided by zero.
TINY = 1e-300
REJECTED = (
    "{} steps were taken back and halved, because the gradient exploded or training diverged there."
    " Give learning rate and momentum smaller upper bounds, or start from smaller ones."
)


class Adam(Optimizer):
    """Steps of bounded length along the running mean of the gradient (Kingma, Ba 2015).

    A step to a point whose value is not finite, or whose gradient is a hundred times as long as
    usual, is taken back and halved, and all later steps are halved, too: above some learning rate
    training is chaotic, and its gradient does not point downhill (Maclaurin, Duvenaud, Adams 2015,
    section 4). The length of steps decreases linearly to a tenth.

    Parameters
    ----------
    learning_rate : float, default=0.2
        Longest step of any entry of z. On a logarithmic scale 0.2 is twenty per cent: 50 steps
        cross four decades, and single steps stay small. Chosen by hand.
    decays : tuple of two float, default=(0.9, 0.99)
        Decay rates of the running means of the gradient and of its square. The second is below the
        0.999 of Kingma, Ba (2015), whose mean would be longer than a search of 50 steps.
    noisy : bool, default=None
        Whether values are noisy, so that the smallest is a matter of luck. If so, the result is the
        mean over the points of the last quarter of ``max_iter`` instead of the best point, or the
        last point if steps ended before. None: the search decides; values are noisy if it draws
        initial weights and batches anew at every evaluation.
    """

    needs_smooth = False
    accepts_noise = True

    def __init__(
        self,
        learning_rate: float = 0.2,
        decays: tuple[float, float] = (0.9, 0.99),
        *,
        noisy: bool | None = None,
    ):
        self.learning_rate = learning_rate
        self.decays = decays
        self.noisy = noisy

    def __repr__(self):
        noisy = "" if self.noisy is None else f", noisy={self.noisy}"
        return f"Adam(learning_rate={self.learning_rate}{noisy})"

    def n_evaluations(self, max_iter):
        return max_iter

    def minimize(self, fun, z0, bounds, *, tol, max_iter, likelihood=False, noisy=False):
        noisy = noisy if self.noisy is None else self.noisy
        low, high = np.asarray(bounds, dtype=float).T
        z, moments = np.clip(z0, low, high), RunningMoments(self.decays)
        take_back = getattr(fun, "take_back", None)
        path = Path(max_iter - max(1, round(LAST * max_iter)) if noisy else None)
        length, still = self.learning_rate, False
        for n in range(max_iter):
            value, gradient = fun(z)
            if path.rejects(value, gradient):
                if path.last is None:
                    return Minimum(z, False, "the validation loss is not finite at the start")
                if take_back is not None:
                    take_back()
                length *= 0.5
                z = 0.5 * (path.last + z)
                continue
            path.add(n, z, value)
            rate = length * (1 - (1 - SLOWEST) * n / max_iter)
            # Vectors may be long: the step is computed in place.
            moved = moments.direction(gradient)
            moved *= rate
            np.clip(moved, -rate, rate, out=moved)
            np.subtract(z, moved, out=moved)
            np.clip(moved, low, high, out=moved)
            # If values depend on earlier calls, training goes on although z stands still.
            still = take_back is None and np.max(np.abs(moved - z), initial=0.0) <= tol
            if still:
                # Steps that are short because they were halved are no sign of a minimum.
                still = rate > tol
                break
            z = moved
        return self._minimum(path, still, max_iter)

    def _minimum(self, path, still, max_iter):
        reason = "steps shorter than tol" if still else f"max_iter={max_iter} steps of Adam"
        warning = REJECTED.format(path.n_rejected) if path.n_rejected else ""
        return Minimum(path.result, bool(still) or path.settled, reason, warning)


class Path:
    """The accepted points of a run: the best one or the mean, and lengths of gradients.

    Parameters
    ----------
    first : int or None
        Step from which on points are averaged; None keeps the best point instead.

    Attributes
    ----------
    last : ndarray or None
        The last accepted point.
    n_rejected : int
        Number of rejected points.
    """

    def __init__(self, first):
        self._first, self._kept, self._n_averaged = first, None, 0
        self._values, self._lengths, self._length = [], [], 0.0
        self.last, self.n_rejected = None, 0

    def rejects(self, value, gradient):
        """Whether a point must be rejected: its value is not finite, or its gradient explodes."""
        # Ignore zero gradients (a momentum has one at step 0) in the usual length.
        known = [length for length in self._lengths if length > 0][-10:]
        usual = np.median(known) if known else np.inf
        self._length = float(np.linalg.norm(gradient))
        exploded = not np.isfinite(self._length) or self._length > EXPLODED * usual
        rejected = not np.isfinite(value) or bool(exploded)
        self.n_rejected += rejected
        return rejected

    def add(self, n, z, value):
        """Accept the point that ``rejects`` was called for last, at step ``n``."""
        if self._first is None:
            if not self._values or value < min(self._values):
                self._kept = z
        elif n >= self._first:
            self._n_averaged += 1
            # Update of the running mean.
            kept = z if self._kept is None else self._kept
            self._kept = kept + (z - kept) / self._n_averaged
        self.last = z
        self._values.append(value)
        self._lengths.append(self._length)

    @property
    def result(self):
        """The best point, or the mean under noise."""
        return self.last if self._kept is None else self._kept

    @property
    def settled(self):
        """Whether the last quarter of the points gained at most 1 % of the whole gain."""
        before = self._values[: -max(1, round(LAST * len(self._values)))]
        if not before:
            return False
        gained = self._values[0] - min(self._values)
        return bool(min(before) - min(self._values) <= HARDLY * gained)


class RunningMoments:
    """Running means of a gradient and its square, corrected for their start at zero.

    See Kingma, Ba (2015), algorithm 1.

    Parameters
    ----------
    decays : tuple of two float
        Decay rates of the two means.
    """

    def __init__(self, decays):
        self._decays, self._means, self._n = decays, None, 0

    def direction(self, gradient):
        """The mean gradient divided by its root mean square, in a new array."""
        if self._means is None:
            self._means = np.zeros_like(gradient), np.zeros_like(gradient)
        self._n += 1
        scratch = np.empty_like(gradient)
        for i, (mean, decay) in enumerate(zip(self._means, self._decays, strict=True)):
            np.multiply(gradient, 1.0 if i == 0 else gradient, out=scratch)
            scratch *= 1 - decay
            mean *= decay
            mean += scratch
        (mean, square), (first, second) = self._means, (1 - d**self._n for d in self._decays)
        direction = np.divide(square, second, out=scratch)
        np.maximum(direction, TINY, out=direction)
        np.sqrt(direction, out=direction)
        return np.divide(mean / first, direction, out=direction)
