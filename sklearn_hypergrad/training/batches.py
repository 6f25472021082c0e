"""Which samples each step of a training run sees: replayable, forwards and backwards."""

import numpy as np


class Epochs:
    """Batches of a seeded stream of permutations: every epoch sees each sample once.

    The last batch of an epoch is shorter where the batch size does not divide the number of
    samples. The permutation of an epoch depends on the seed and its number alone, so that any step
    can be asked for at any time.

    Parameters
    ----------
    n_samples : int
    batch_size : int
        At least ``n_samples`` is all samples at every step, in their order.
    seed : int
    """

    def __init__(self, n_samples, batch_size, seed):
        self._n_samples = n_samples
        self._batch_size = min(batch_size, n_samples)
        self._seed = seed
        self._per_epoch = -(-n_samples // self._batch_size)
        self._epoch, self._order = None, None

    def rows(self, t):
        """Rows of the batch at step ``t``; None is all."""
        if self._per_epoch == 1:
            return None
        epoch, batch = divmod(t, self._per_epoch)
        if epoch != self._epoch:
            self._order = np.random.default_rng((self._seed, epoch)).permutation(self._n_samples)
            self._epoch = epoch
        return self._order[batch * self._batch_size : (batch + 1) * self._batch_size]


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
