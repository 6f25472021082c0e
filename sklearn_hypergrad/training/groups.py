"""Parameter groups: consecutive stretches of the flat weights, as the layers of a network."""

import numpy as np


class Groups:
    """What values per group mean for single weights, and back.

    Parameters
    ----------
    sizes : tuple of int
        Numbers of weights of the groups.
    """

    def __init__(self, sizes):
        self.sizes = tuple(sizes)
        stops = np.cumsum((0, *self.sizes))
        self.slices = [slice(*ends) for ends in zip(stops[:-1], stops[1:], strict=True)]

    def spread(self, value, dtype):
        """A number as it is, and so what all groups share; else values as one per weight."""
        if np.ndim(value) == 0:
            return value
        if np.all(value == value[0]):
            return float(value[0])
        spread = np.empty(sum(self.sizes), dtype)
        for part, number in zip(self.slices, value, strict=True):
            spread[part] = number
        return spread

    def dots(self, x, y):
        """Scalar products of two arrays like the weights, per group."""
        return np.array([np.dot(x[part], y[part]) for part in self.slices])
