"""RMSprop with momentum."""

import numpy as np

from sklearn_hypergrad.training.dynamics.base import Dynamics, State, over


class RMSprop(Dynamics):
    """Momentum on gradients in units of their running root mean square (Tieleman, Hinton 2012).

    ``s <- decay s + (1 - decay) g^2;  v <- momentum v - rate g / (sqrt(s) + epsilon);  w <- w +
    v``.

    Parameters
    ----------
    epsilon : float, default=1e-8
        Keeps the steps finite where gradients vanish. The default is that of Adam.
    """

    names = ("learning_rate_init", "momentum", "decay")
    n_slots = 2
    irreversible = None
    decays = ("momentum", "decay")
    order = (1, 0)

    def __init__(self, epsilon: float = 1e-8):
        self.epsilon = epsilon

    def __repr__(self):
        return f"RMSprop(epsilon={self.epsilon})"

    def slot_update(self, number, g, slots, rates, t):
        if number == 1:
            return (1 - rates["decay"]) * g**2
        return -rates["learning_rate_init"] * g / (np.sqrt(slots[1]) + self.epsilon)

    def weight_update(self, slots, rates, t):
        return slots[0]

    # v' = b v - rate g / d with d = sqrt(s') + epsilon, and w' = w + v':
    #     dv = dv' + dw',   dg = -rate dv / d + what comes through s' = decay s + (1 - decay) g^2,
    #     ds = ds' + rate dv g / d^2 / (2 sqrt(s')).
    def pull(self, before, after, g, rates, t, adjoint, add):
        rate, momentum, decay = (rates[name] for name in self.names)
        (v, s), root, (dv, ds) = before.slots, np.sqrt(after.slots[1]), adjoint.slots
        dv += adjoint.w
        scaled = dv / (root + self.epsilon)
        ds += over(0.5 * rate * scaled * g, root, self.epsilon)
        add("learning_rate_init", scaled, g, -1.0)
        add("momentum", dv, v)
        add("decay", ds, s - g**2)
        slope = 2 * (1 - decay) * g * ds - rate * scaled
        dv *= momentum
        ds *= decay
        return slope

    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        rate, momentum, decay = (rates[name] for name in self.names)
        d_rate, d_momentum, d_decay = (rate_tangents.get(name, 0.0) for name in self.names)
        (v, s), root = before.slots, np.sqrt(after.slots[1])
        ds = decay * tangent.slots[1] + 2 * (1 - decay) * g * g_tangent + d_decay * (s - g**2)
        change = rate * (g_tangent - over(0.5 * g * ds, root, self.epsilon)) + d_rate * g
        dv = momentum * tangent.slots[0] + d_momentum * v - change / (root + self.epsilon)
        return State(tangent.w + dv, (dv, ds))
