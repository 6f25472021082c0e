"""Which samples each step of a training run sees: replayable, forwards and backwards."""

import numbers

import numpy as np
from sklearn.utils import check_random_state


def seed_of(random_state):
    """The seed of a training: a number is its own, anything else draws one."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


class Epochs:
    """Batches of equal size from a seeded stream of permutations of the samples.

    Every epoch sees each sample once. If the batch size does not divide the number of samples, a
    batch takes the rest of one epoch and the first samples of the next: a shorter batch would be
    noisier than the others, with the same learning rate. The permutation of an epoch depends on the
    seed and the number of the epoch only, so that the batch of any step is available at any time.

    Parameters
    ----------
    n_samples : int
    batch_size : int
        At least ``n_samples`` is all samples at every step, in their order.
    seed : int
    """

    def __init__(self, n_samples, batch_size, seed):
        self._n_samples, self._batch_size, self._seed = n_samples, batch_size, seed
        self._orders = {}

    def rows(self, t):
        """Rows of the batch at step ``t``; None is all."""
        if self._batch_size >= self._n_samples:
            return None
        epoch, first = divmod(t * self._batch_size, self._n_samples)
        stop = first + self._batch_size
        rows = self._order(epoch)[first:stop]
        if stop <= self._n_samples:
            return rows
        return np.concatenate([rows, self._order(epoch + 1)[: stop - self._n_samples]])

    def _order(self, epoch):
        # Steps come one after the other, forwards or backwards.
        if epoch not in self._orders:
            near = (epoch - 1, epoch + 1)
            self._orders = {e: order for e, order in self._orders.items() if e in near}
            random = np.random.default_rng((self._seed, epoch))
            self._orders[epoch] = random.permutation(self._n_samples)
        return self._orders[epoch]


class Among:
    """Batches of some of the samples.

    Parameters
    ----------
    samples : ndarray of int
        Row numbers of these samples.
    batches : object
        Batches of rows 0 to ``len(samples) - 1``, which are looked up in ``samples``.
    """

    def __init__(self, samples, batches):
        self._samples, self._batches = samples, batches

    def rows(self, t):
        """Rows of the batch at step ``t``."""
        rows = self._batches.rows(t)
        return self._samples if rows is None else self._samples[rows]


class Listed:
    """Given batches, one after the other and again from the first.

    Parameters
    ----------
    batches : sequence of (ndarray of int, slice or None)
    """

    def __init__(self, batches):
        self._batches = list(batches)

    def rows(self, t):
        """Rows of the batch at step ``t``; None is all."""
        return self._batches[t % len(self._batches)]
