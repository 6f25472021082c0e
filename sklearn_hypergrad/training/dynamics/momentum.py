"""Gradient descent with momentum, in its two forms."""

from sklearn_hypergrad.training.dynamics.base import Dynamics, State


class Momentum(Dynamics):
    """``v <- momentum v - push g;  w <- w + pace v``.

    Classical, as in scikit-learn: ``push`` is the learning rate and ``pace`` 1. Averaged, as in
    Maclaurin, Duvenaud, Adams (2015), algorithm 1: ``push`` is ``1 - momentum`` and ``pace`` the
    learning rate. Under one constant rate both take the same path up to the unit of v (and of the
    rate); under a schedule the averaged form applies a new rate to old gradients too.

    Parameters
    ----------
    averaged : bool, default=False
        Whether the form is the averaged one.
    """

    names = ("learning_rate_init", "momentum")
    n_slots = 1
    irreversible = None
    decays = ("momentum",)

    def __init__(self, *, averaged: bool = False):
        self.averaged = averaged

    def __repr__(self):
        return f"Momentum({'averaged=True' * self.averaged})"

    def slot_update(self, number, g, slots, rates, t):
        return self._pushed(g, rates)

    def weight_update(self, slots, rates, t):
        return self._paced(slots[0], rates)

    # With v' = b v - c g and w' = w + a v', and adjoints dw', dv' of the new state:
    #     dv = dv' + a dw'   is that of v' through both lines, then
    #     da = dw' v',   db = dv v,   dc = -dv g,   dg = -c dv,   and the old ones are b dv and dw'.
    # Classical: a = 1 and c is the rate. Averaged: a is the rate and c = 1 - b.
    def pull(self, before, after, g, rates, t, adjoint, add):
        (dv,) = adjoint.slots
        dv += self._paced(adjoint.w, rates)
        add("momentum", dv, before.slots[0])
        if self.averaged:
            add("learning_rate_init", adjoint.w, after.slots[0])
            add("momentum", dv, g)
        else:
            add("learning_rate_init", dv, g, -1.0)
        slope = self._pushed(dv, rates)
        dv *= rates["momentum"]
        return slope

    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        v, new_v = before.slots[0], after.slots[0]
        rate, decay = (rate_tangents.get(name, 0.0) for name in self.names)
        dv = rates["momentum"] * tangent.slots[0] + decay * v + self._pushed(g_tangent, rates)
        dv = dv + (decay * g if self.averaged else -rate * g)
        dw = tangent.w + self._paced(dv, rates)
        return State(dw + rate * new_v if self.averaged else dw, (dv,))

    def _pushed(self, g, rates):
        """What a gradient adds to the decayed velocity."""
        return -(1 - rates["momentum"] if self.averaged else rates["learning_rate_init"]) * g

    def _paced(self, v, rates):
        """What a velocity adds to the weights."""
        return rates["learning_rate_init"] * v if self.averaged else v
