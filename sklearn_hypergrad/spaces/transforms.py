"""Maps between theta, which the optimizer moves, and hyperparameters in natural units."""

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
