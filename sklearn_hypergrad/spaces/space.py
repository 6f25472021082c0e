"""Spaces: the map between the optimizer's vector theta and hyperparameters in natural units."""

import dataclasses
import itertools
import math

import numpy as np
from scipy.special import expit, logit

from sklearn_hypergrad.threads import cached_property


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

    def bend(self, value):
        """The second derivative, relative to the first."""
        return np.zeros_like(value)


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

    def bend(self, value):
        """The second derivative, relative to the first."""
        return np.ones_like(value)


class Logit:
    """``hyperparameter = 1 / (1 + exp(-theta))``: it stays between 0 and 1.

    Near 1 a step multiplies the distance from 1, on which the effect of a momentum depends.
    """

    name = "logit"

    def to_theta(self, value):
        return logit(value)

    def to_constrained(self, theta):
        return expit(theta)

    def derivative(self, value):
        """Derivative of the hyperparameter with respect to theta."""
        return value * (1 - value)

    def bend(self, value):
        """The second derivative, relative to the first."""
        return 1 - 2 * value


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
    scale : {"log", "logit", "linear"}
        The transform from theta.
    low, high : float
        Bounds of every entry, in natural units.
    start : float or ndarray of its shape
        Start of a search, in natural units.
    of_data : tuple of two bool, default=(False, False)
        Whether low and high are what the data or the estimator allow, and not a choice.
    """

    name: str
    shape: tuple
    scale: str
    low: float
    high: float
    start: float | np.ndarray
    of_data: tuple[bool, bool] = (False, False)

    @property
    def transform(self):
        """The transform of its scale."""
        return TRANSFORMS[self.scale]

    @property
    def size(self):
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def starts(self):
        """Starts of all entries, of shape (size,)."""
        return np.broadcast_to(self.start, self.shape).ravel()

    @cached_property
    def bounds(self):
        """Bounds ``(low, high)`` of an entry, in theta."""
        return tuple(float(self.transform.to_theta(value)) for value in (self.low, self.high))

    def to_constrained(self, theta):
        """Entries in natural units from theta; at and beyond a bound of theta exactly the bound."""
        low, high = self.bounds
        value = np.minimum(np.maximum(self.transform.to_constrained(theta), self.low), self.high)
        value[theta >= high], value[theta <= low] = self.high, self.low
        return value

    def derivative(self, theta):
        """Derivative of ``to_constrained``: zero beyond a bound, where the value is constant."""
        low, high = self.bounds
        inside = np.minimum(np.maximum(theta, low), high)
        slope = self.transform.derivative(self.transform.to_constrained(inside))
        return np.where(inside == theta, slope, 0.0)


class Space:
    """The map between a flat vector ``theta`` and a dict of hyperparameters in natural units.

    The chain rule of transforms is applied here and nowhere else.

    Parameters
    ----------
    dimensions : iterable of Dimension
        The hyperparameters, in the order of their entries in theta.

    Attributes
    ----------
    dimensions : tuple of Dimension
    size : int
        Length of theta.
    """

    def __init__(self, dimensions):
        self.dimensions = tuple(dimensions)
        stops = np.cumsum([0, *(dimension.size for dimension in self.dimensions)]).tolist()
        self._entries = [slice(*ends) for ends in itertools.pairwise(stops)]
        self.size = stops[-1]

    @cached_property
    def bounds(self):
        """Bounds in theta, of shape ``(size, 2)``; read-only."""
        bounds = np.array([d.bounds for d in self.dimensions for _ in range(d.size)])
        bounds.flags.writeable = False
        return bounds

    def to_h(self, theta):
        """Dict of hyperparameters in natural units, each of the shape of its dimension."""
        return {d.name: d.to_constrained(part).reshape(d.shape) for d, part in self._parts(theta)}

    def to_theta(self, h):
        """The theta of hyperparameters ``h``; a scalar is the value of all entries of a vector."""
        return np.concatenate(
            [
                np.broadcast_to(d.transform.to_theta(h[d.name]), d.shape).ravel()
                for d in self.dimensions
            ]
        )

    def contains(self, theta):
        """Whether a theta is within the bounds."""
        low, high = self.bounds.T
        return bool(np.all((theta >= low) & (theta <= high)))

    def holding(self, h):
        """The space with bounds widened so that hyperparameters ``h`` are inside."""
        return Space(
            dataclasses.replace(
                d,
                low=min(d.low, float(np.min(h[d.name]))),
                high=max(d.high, float(np.max(h[d.name]))),
            )
            for d in self.dimensions
        )

    def pullback(self, theta, gradients):
        """Gradient in theta from a dict of gradients shaped like the hyperparameters."""
        return np.concatenate(
            [np.ravel(gradients[d.name]) * d.derivative(part) for d, part in self._parts(theta)]
        )

    # With h' and h'' the derivatives of an entry h in theta, the second derivatives of f(h(theta))
    # are h_j' f_jk h_k', and on the diagonal f_j h_j'' more, which is df/dtheta_j times h''/h'.
    def pullback_of_curvature(self, theta, curvature, gradient, rows):
        """Second derivatives in theta from those in the entries of one row each.

        Parameters
        ----------
        theta : ndarray of shape (size,)
            Of one hyperparameter of shape (n_rows, n).
        curvature : ndarray of shape (n_some, n, n)
            Second derivatives of a function of some rows, in natural units.
        gradient : ndarray of shape (size,)
            The gradient of their sum in theta.
        rows : ndarray of int of shape (n_some,)

        Returns
        -------
        ndarray of shape (n_some, n, n)
        """
        (dimension,) = self.dimensions
        slope = dimension.derivative(np.asarray(theta)).reshape(dimension.shape)[rows]
        value = dimension.to_constrained(np.asarray(theta)).reshape(dimension.shape)[rows]
        pulled = curvature * slope[:, :, None] * slope[:, None, :]
        bend = dimension.transform.bend(value) * gradient.reshape(dimension.shape)[rows]
        np.einsum("rjj->rj", pulled)[...] += bend
        return pulled

    def _parts(self, theta):
        theta = np.asarray(theta)
        return [(d, theta[own]) for d, own in zip(self.dimensions, self._entries, strict=True)]
