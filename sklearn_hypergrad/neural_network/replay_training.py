"""Training runs in epochs, slowed down and ended by the training loss as scikit-learn does it."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.training import Run, Training

# The schedule learning_rate="adaptive" of scikit-learn: the number that the rate is divided by, and
# the rate at which training ends.
SLOWER = 5.0
SLOWEST = 1e-6


@dataclasses.dataclass(frozen=True)
class Course:
    """The epochs of a training: how many at most, how fast, and what ends them.

    Attributes
    ----------
    lengths : tuple of int
        Samples in each batch of an epoch.
    max_epochs : int
    tol : float
        By how much the loss of an epoch has to be below the lowest before.
    patience : float
        Epochs in a row that may fail to be; after one more, training has stalled.
    schedule : {"constant", "invscaling", "adaptive"}
        Of the learning rate. Where training stalls, it ends; the adaptive one first slows down.
    power_t : float
        How fast "invscaling" falls, with the number of samples seen.
    """

    lengths: tuple
    max_epochs: int
    tol: float
    patience: float
    schedule: str = "constant"
    power_t: float = 0.5

    @property
    def n_samples(self):
        return sum(self.lengths)

    @property
    def depends_on_loss(self):
        """Whether training can stall before the end of its last epoch but one.

        The first epoch cannot fail.
        """
        return self.patience + 2 < self.max_epochs

    def paces(self):
        """Factors of the learning rate in all epochs, as long as training does not stall."""
        if self.schedule != "invscaling":
            return np.ones(self.max_epochs)
        return (1.0 + self.n_samples * np.arange(self.max_epochs)) ** -self.power_t

    def ends(self, rate):
        """Whether training ends where it stalls at a learning rate."""
        return self.schedule != "adaptive" or np.max(rate) <= SLOWEST


class Watch:
    """Looks for stalled training.

    Parameters
    ----------
    tol, patience : float
        As in :class:`Course`.
    """

    def __init__(self, tol, patience):
        self._tol, self._patience = tol, patience
        self._lowest, self._failed = np.inf, 0

    def stalled(self, loss):
        """Whether training has stalled with an epoch of this loss; then counts anew."""
        self._failed = self._failed + 1 if loss > self._lowest - self._tol else 0
        self._lowest = min(self._lowest, loss)
        if self._failed <= self._patience:
            return False
        self._failed = 0
        return True


@dataclasses.dataclass(frozen=True)
class ReplayedTraining(Training):
    """A training whose number of steps, and whose pace, may follow from its hyperparameters.

    Both are found by training once before the run, if the loss can change them at all. The run then
    holds them fixed: its hypergradient is exact wherever a small change of the hyperparameters
    does not move the epoch at which training stalls.

    Attributes
    ----------
    course : Course
        Whose epochs make up ``n_steps``, the most there may be.
    sample_weight : ndarray of shape (n_samples,)
        By whose sum in a batch alpha is divided.
    paces : ndarray of shape (n_epochs,) or None
        Factors of the learning rate; None is to be found for every run.
    """

    course: Course = dataclasses.field(kw_only=True)
    sample_weight: Any = dataclasses.field(kw_only=True)
    paces: Any = dataclasses.field(default=None, kw_only=True)

    def run(self, h):
        return ReplayedRun(self, h, self._paces(h) if self.paces is None else self.paces)

    def settled(self, h):
        paces = self._paces(h)
        n_steps = len(paces) * len(self.course.lengths)
        return dataclasses.replace(self, n_steps=n_steps, paces=paces)

    def _paces(self, h):
        paces = self.course.paces()
        return self._rehearsed(h, paces) if self.course.depends_on_loss else paces

    def _rehearsed(self, h, paces):
        """The paces of the epochs that training with ``h`` takes."""
        # The run reads the paces as it goes: those to come can still be changed.
        run = ReplayedRun(self, h, paces)
        watch, state = Watch(self.course.tol, self.course.patience), run.start()
        for epoch in range(self.course.max_epochs):
            state, loss, rate = self._epoch(run, state, epoch)
            if watch.stalled(loss):
                if self.course.ends(rate):
                    return paces[: epoch + 1]
                paces[epoch + 1 :] /= SLOWER
        return paces

    def _epoch(self, run, state, epoch):
        """The state after an epoch, the loss on the way and the learning rate."""
        total, lengths = 0.0, self.course.lengths
        first = epoch * len(lengths)
        steps = run.walk(state, first, first + len(lengths))
        for length, (_, _, after, linearization) in zip(lengths, steps, strict=True):
            total += linearization.value * length
            state = after
        return state, total / self.course.n_samples, run.rates(first)["learning_rate_init"]


class ReplayedRun(Run):
    """A run whose learning rate has a factor in every epoch, and whose alpha one in every batch.

    Parameters
    ----------
    training : ReplayedTraining
    h : dict
    paces : ndarray of shape (n_epochs,)
        Factors of the learning rate.
    """

    def __init__(self, training, h, paces):
        self._paces, self._per_epoch = paces, len(training.course.lengths)
        self._sample_weight = training.sample_weight
        self._factors = {"learning_rate_init": self._pace, "alpha": self._share}
        n_steps = len(paces) * self._per_epoch
        super().__init__(dataclasses.replace(training, n_steps=n_steps), h)

    def _pace(self, t):
        # Training that is tuned while it runs may go on beyond the last epoch.
        return float(self._paces[min(t // self._per_epoch, len(self._paces) - 1)])

    def _share(self, t):
        return 1 / float(self._sample_weight[self._batches.rows(t)].sum())

    def _schedule(self, name):
        schedule = super()._schedule(name)
        factor = self._factors.get(name)
        return schedule if factor is None else Factored(schedule, factor)


class Factored:
    """A schedule times a factor that is not tuned.

    Parameters
    ----------
    schedule : Schedule or Whole
    factor : callable
        From steps to floats.
    """

    def __init__(self, schedule, factor):
        self._schedule, self._factor = schedule, factor
        self.shape, self.varies = schedule.shape, schedule.varies
        self.zeros, self.shaped = schedule.zeros, schedule.shaped

    def at(self, t):
        return self._schedule.at(t) * self._factor(t)

    def add(self, total, t, slope):
        self._schedule.add(total, t, slope * self._factor(t))

    def direction(self, index, t):
        moved = self._schedule.direction(index, t)
        return None if moved is None else moved * self._factor(t)
