"""Maps between theta, which the optimizer moves, and hyperparameters in natural units."""

import numpy as np


class Identity:
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


TRANSFORMS = {transform.name: transform for transform in (Identity(), Log())}
