"""What is kept of the evaluations of ``tune``: the best weights, and the way there."""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.spaces import nested

BEST, LAST = "best", "last"
# Number of entries of hyperparameters that the path holds; beyond, every second point is dropped,
# again and again. Chosen by hand: 64 MiB in double precision, as in ``history_`` of a search.
MOST_ENTRIES = 2**23


@dataclasses.dataclass(frozen=True)
class Point:
    """One evaluation, as callbacks get it.

    Attributes
    ----------
    number : int
        Of the evaluation, from 0 on.
    h : dict
        Hyperparameters, nested as they were given.
    w : nested structure or None
        Trained weights. They may change with the next evaluation: copy what is kept. None if there
        are none, because training diverged.
    value : float
        The outer objective, the mean of ``values``; infinite if it is not finite.
    values : ndarray of shape (n_splits,)
        What the outer objective returned.
    statuses : tuple of Status
        How it went; their values are remedies.
    seconds : float
        Duration of the evaluation.
    """

    number: int
    h: dict
    w: object
    value: float
    values: np.ndarray
    statuses: tuple[Status, ...]
    seconds: float


class SeenOuter:
    """An outer objective that remembers the weights it was called with.

    Parameters
    ----------
    outer : callable
        ``outer(w, h) -> (values, gradient in w, dict of direct gradients in h)``.

    Attributes
    ----------
    w : ndarray or None
        The weights of the last call.
    """

    def __init__(self, outer):
        self._outer, self.w = outer, None

    def __call__(self, w, h):
        self.w = w
        return self._outer(w, h)


class Trail:
    """A listener that keeps the best weights, or the last, and the way there.

    Parameters
    ----------
    outer : SeenOuter
        The outer objective of the evaluations.
    shaped : callable
        ``shaped(w)`` are weights as users know them.
    keep : {"best", "last"}
    callback : callable or None
        ``callback(point)`` is called after every evaluation.

    Attributes
    ----------
    values : list of float
        The outer objective of every evaluation.
    statuses : list of tuple of Status
    path : list of (dict or None)
        Hyperparameters of every evaluation, nested; None where they were dropped.
    kept : int or None
        The number of the evaluation whose weights are kept.
    h, w : object
        Its hyperparameters and a copy of its weights.
    error : str
        Why the last evaluation is not finite; or "".
    """

    def __init__(self, outer, shaped, keep, callback):
        self._outer, self._shaped, self._keep, self._callback = outer, shaped, keep, callback
        self._rank, self._every = None, 1
        self.values, self.statuses, self.path = [], [], []
        self.kept = self.h = self.w = None
        self.error = ""

    def __call__(self, stage, record, settings):
        number, h = len(self.values), nested({n: value[()] for n, value in record.h.items()})
        self.values.append(record.value)
        self.statuses.append(record.statuses)
        self._add(number, h, record.theta.size)
        self.error = record.error
        finite = bool(np.isfinite(record.value))
        if finite and self._is_better(record):
            self._rank = _rank(record)
            self.kept, self.h = number, h
            self.w = self._shaped(np.array(self._outer.w))
        if self._callback is not None:
            w = self._shaped(self._outer.w) if finite else None
            more = record.losses, record.statuses, record.seconds
            self._callback(Point(number, h, w, record.value, *more))

    def _is_better(self, record):
        return self._keep == LAST or self._rank is None or _rank(record) < self._rank

    def _add(self, number, h, size):
        self.path.append(h if number % self._every == 0 else None)
        while size * sum(h is not None for h in self.path) > MOST_ENTRIES and number > self._every:
            self._every *= 2
            self.path = [h if i % self._every == 0 else None for i, h in enumerate(self.path)]


def _rank(record):
    """Values of training problems that were not solved come last."""
    return not record.usable, record.value
