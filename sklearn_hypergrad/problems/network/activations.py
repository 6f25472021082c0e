"""Activations of hidden layers, with derivatives as functions of their output.

If the second derivative is not zero everywhere (``curved``), ``bend`` is its ratio to the first:
``slope`` changes by ``bend * slope`` times a change of the input. It is computed without a
division, so that saturated units do no harm. ``kinked`` says whether the first one jumps somewhere.

``glorot_factor`` is the constant of the bound ``sqrt(factor / (n_in + n_out))`` of initial weights:
6 from Glorot, Bengio (2010), "Understanding the difficulty of training deep feedforward neural
networks", equation 16; 2 for the logistic function, as in scikit-learn's networks.
"""

import numpy as np
from scipy.special import expit


class IdentityFunction:
    """The identity, ``z``."""

    glorot_factor = 6.0
    curved = False
    kinked = False

    def apply(self, z):
        """The activation, written over its input."""
        return z

    def slope(self, a):
        """First derivative where the output is ``a``."""
        return np.ones_like(a)


class Relu:
    """``max(z, 0)``, with slope 0 at the kink and no second derivative."""

    glorot_factor = 6.0
    curved = False
    kinked = True

    def apply(self, z):
        return np.maximum(z, 0, out=z)

    def slope(self, a):
        return (a > 0).astype(a.dtype)


class Tanh:
    """``tanh(z)``."""

    glorot_factor = 6.0
    curved = True
    kinked = False

    def apply(self, z):
        return np.tanh(z, out=z)

    def slope(self, a):
        return 1 - a * a

    def bend(self, a):
        """Second derivative over the first."""
        return -2 * a


class Logistic:
    """``1 / (1 + exp(-z))``."""

    glorot_factor = 2.0
    curved = True
    kinked = False

    def apply(self, z):
        return expit(z, out=z)

    def slope(self, a):
        return a * (1 - a)

    def bend(self, a):
        return 1 - 2 * a


# By their names in scikit-learn.
ACTIVATIONS = {"identity": IdentityFunction, "relu": Relu, "tanh": Tanh, "logistic": Logistic}
