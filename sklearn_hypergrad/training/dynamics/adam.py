"""Adam, in scikit-learn's form."""

import numpy as np

from sklearn_hypergrad.training.dynamics.base import Dynamics, State, over


class Adam(Dynamics):
    """Steps in units of the running root mean square of the gradient (Kingma, Ba 2015).

    ``m <- beta_1 m + (1 - beta_1) g;  s <- beta_2 s + (1 - beta_2) g^2;  w <- w - c rate m /
    (sqrt(s) + epsilon)`` with ``c = sqrt(1 - beta_2^(t + 1)) / (1 - beta_1^(t + 1))``.

    Parameters
    ----------
    epsilon : float, default=1e-8
        Keeps the steps finite where gradients vanish; the default is that of Kingma, Ba (2015).
    """

    names = ("learning_rate_init", "beta_1", "beta_2")
    n_slots = 2
    irreversible = None
    decays = ("beta_1", "beta_2")

    def __init__(self, epsilon: float = 1e-8):
        self.epsilon = epsilon

    def __repr__(self):
        return f"Adam(epsilon={self.epsilon})"

    def slot_update(self, number, g, slots, rates, t):
        return (1 - rates["beta_2"]) * g**2 if number else (1 - rates["beta_1"]) * g

    def weight_update(self, slots, rates, t):
        rate, beta_1, beta_2 = (rates[name] for name in self.names)
        m, s = slots
        return -rate * _correction(beta_1, beta_2, t) * m / (np.sqrt(s) + self.epsilon)

    # w' = w - rate c m' / d with d = sqrt(s') + epsilon:
    #     dm = dm' - rate c dw' / d,   ds = ds' + rate c dw' m' / d^2 / (2 sqrt(s')),
    # and m', s' are averages of the old ones and of g, g^2. c depends on the betas, too.
    def pull(self, before, after, g, rates, t, adjoint, add):
        rate, beta_1, beta_2 = (rates[name] for name in self.names)
        (m, s), (new_m, new_s), (dm, ds) = before.slots, after.slots, adjoint.slots
        root, pace = np.sqrt(new_s), rate * _correction(beta_1, beta_2, t)
        moved = adjoint.w / (root + self.epsilon)
        add("learning_rate_init", _correction(beta_1, beta_2, t) * moved, new_m, -1.0)
        moved *= pace
        for name, slope in zip(self.names[1:], _log_slopes(beta_1, beta_2, t), strict=True):
            add(name, slope * moved, new_m, -1.0)
        dm -= moved
        ds += over(0.5 * moved * new_m, root, self.epsilon)
        add("beta_1", dm, m - g)
        add("beta_2", ds, s - g**2)
        slope = (1 - beta_1) * dm + 2 * (1 - beta_2) * g * ds
        dm *= beta_1
        ds *= beta_2
        return slope

    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        rate, beta_1, beta_2 = (rates[name] for name in self.names)
        d_rate, d_beta_1, d_beta_2 = (rate_tangents.get(name, 0.0) for name in self.names)
        (m, s), (new_m, new_s) = before.slots, after.slots
        slopes = _log_slopes(beta_1, beta_2, t)
        dm = beta_1 * tangent.slots[0] + (1 - beta_1) * g_tangent + d_beta_1 * (m - g)
        ds = beta_2 * tangent.slots[1] + 2 * (1 - beta_2) * g * g_tangent + d_beta_2 * (s - g**2)
        root = np.sqrt(new_s)
        change = dm - over(0.5 * new_m * ds, root, self.epsilon)
        change = rate * (change + (slopes[0] * d_beta_1 + slopes[1] * d_beta_2) * new_m)
        change += d_rate * new_m
        scale = _correction(beta_1, beta_2, t) / (root + self.epsilon)
        return State(tangent.w - scale * change, (dm, ds))


def _correction(beta_1, beta_2, t):
    """For averages that start from zero."""
    correction = np.sqrt(1 - beta_2 ** (t + 1)) / (1 - beta_1 ** (t + 1))
    # A NumPy number would make float32 weights float64.
    return float(correction) if np.ndim(correction) == 0 else correction


def _log_slopes(beta_1, beta_2, t):
    """Derivatives of the logarithm of the correction in both betas."""
    n = t + 1
    return n * beta_1**t / (1 - beta_1**n), -0.5 * n * beta_2**t / (1 - beta_2**n)
