"""The memory of an objective: results of an earlier run, found again by their history."""

import hashlib

import numpy as np

# Bytes of a digest. Chosen by hand: two of 2**32 different ones are equal once in 2**64 times.
SIZE = 16


class Memory:
    """Results of one objective, of an earlier run and of this one.

    Warm starts make a result depend, in its last digits, on what was computed before. So it is
    found by its whole history: the identity of the objective, and all that was asked for until
    then, in order.

    Parameters
    ----------
    journal : Journal
        It has ``get(key)``, which returns None for unknown keys, and ``append(key, entry)``.
    identity : bytes
        It is different for any two objectives that use the journal.
    """

    def __init__(self, journal, identity):
        self._journal, self._history = journal, identity

    def recall(self, asked, compute, starts, theta):
        """The result of an earlier run, else ``compute()``, which is then written.

        Parameters
        ----------
        asked : tuple of (str, ndarray, float)
            Name of the computation, point, and inner tolerance.
        compute : callable
            It returns plain data: numbers, text and arrays of floats, in lists and dicts.
        starts : PlainStarts
            The warm starts, which are stored and restored together with the result.
        theta : ndarray
            The place of the starts.

        Returns
        -------
        object
            Plain data.
        """
        name, point, tol = asked
        asked = repr((name, float(tol), np.shape(point))).encode() + np.asarray(point).tobytes()
        self._history = hashlib.blake2b(self._history + asked, digest_size=SIZE).digest()
        key = self._history.hex()
        known = self._journal.get(key)
        if known is not None:
            starts.restore(theta, known["starts"])
            return known["result"]
        starts.take()
        result = compute()
        self._journal.append(key, {"result": result, "starts": starts.take()})
        return result
