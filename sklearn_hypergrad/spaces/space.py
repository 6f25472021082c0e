"""The optimizer's vector theta and the hyperparameters it stands for."""

import dataclasses
import math

import numpy as np
from scipy.special import expit, logit


class Linear:
    """``hyperparameter = theta``."""

    name = "linear"

    def to_theta(self, value):
        return np.asarray(value, dtype=float)

    def to_constrained(self, theta):
        return np.asarray(theta, dtype=float)

    def derivative(self, value):
        """Derivative of the hyperparameter with respect to theta."""
        return np.ones_like(value)


class Log:
    """``hyperparameter = exp(theta)``: a step multiplies, and the hyperparameter stays positive."""

    name = "log"

    def to_theta(self, value):
        return np.log(value)

    def to_constrained(self, theta):
        return np.exp(theta)

    def derivative(self, value):
        """Derivative of the hyperparameter with respect to theta."""
        return value


class Logit:
    """``hyperparameter = 1 / (1 + exp(-theta))``: it stays between 0 and 1.

    Near 1 a step multiplies the distance from 1, which is what counts for a momentum.
    """

    name = "logit"

    def to_theta(self, value):
        return logit(value)

    def to_constrained(self, theta):
        return expit(theta)

    def derivative(self, value):
        """Derivative of the hyperparameter with respect to theta."""
        return value * (1 - value)


TRANSFORMS = {transform.name: transform for transform in (Linear(), Log(), Logit())}


@dataclasses.dataclass(frozen=True)
class Dimension:
    """One hyperparameter of any shape, with bounds in natural units.

    Attributes
    ----------
    name : str
        Its key in ``h``.
    shape : tuple of int
        ``()`` for a scalar.
    scale : {"log", "linear"}
        How theta maps to it.
    low, high : float
        Bounds of every entry.
    start : float or ndarray of its shape
        Where a search for it may begin.
    """

    name: str
    shape: tuple
    scale: str
    low: float
    high: float
    start: float | np.ndarray

    @property
    def transform(self):
        return TRANSFORMS[self.scale]

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def starts(self):
        """Where the search for every entry may begin."""
        return np.broadcast_to(self.start, self.shape).ravel()

    @property
    def bounds(self):
        """``(low, high)`` of an entry in theta."""
        return tuple(float(self.transform.to_theta(value)) for value in (self.low, self.high))

    def to_constrained(self, theta):
        """Entries in natural units: exactly a bound for its theta, and never beyond it."""
        low, high = self.bounds
        value = np.clip(self.transform.to_constrained(theta), self.low, self.high)
        return np.where(theta <= low, self.low, np.where(theta >= high, self.high, value))

    def derivative(self, theta):
        """Of ``to_constrained``: zero beyond a bound, where the value stays on it."""
        low, high = self.bounds
        slope = self.transform.derivative(self.to_constrained(theta))
        return np.where((theta < low) | (theta > high), 0.0, slope)


class Space:
    """Flat, unconstrained ``theta`` <-> dict of hyperparameters in natural units.

    The only place where the chain rule of a transform is applied.
    """

    def __init__(self, dimensions):
        self.dimensions = tuple(dimensions)
        self.size = sum(dimension.size for dimension in self.dimensions)

    @property
    def bounds(self):
        """Bounds in theta, of shape ``(size, 2)``."""
        return np.array([d.bounds for d in self.dimensions for _ in range(d.size)])

    def to_h(self, theta):
        """Hyperparameters in natural units; each has its dimension's shape."""
        return {d.name: d.to_constrained(part).reshape(d.shape) for d, part in self._parts(theta)}

    def to_theta(self, h):
        """Inverse of ``to_h``; a scalar stands for all entries of a vector."""
        return np.concatenate(
            [
                np.broadcast_to(d.transform.to_theta(h[d.name]), d.shape).ravel()
                for d in self.dimensions
            ]
        )

    def holding(self, h):
        """The same with bounds that some hyperparameters are within."""
        return Space(
            dataclasses.replace(
                d,
                low=min(d.low, float(np.min(h[d.name]))),
                high=max(d.high, float(np.max(h[d.name]))),
            )
            for d in self.dimensions
        )

    def pullback(self, theta, gradients):
        """Gradient in theta from gradients shaped like the hyperparameters."""
        return np.concatenate(
            [np.ravel(gradients[d.name]) * d.derivative(part) for d, part in self._parts(theta)]
        )

    def _parts(self, theta):
        stops = np.cumsum([d.size for d in self.dimensions])
        return zip(self.dimensions, np.split(np.asarray(theta), stops[:-1]), strict=True)
