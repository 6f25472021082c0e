"""Nesterov's momentum, in scikit-learn's form."""

import numpy as np

from sklearn_hypergrad.training.dynamics.base import Dynamics, State


class Nesterov(Dynamics):
    """``v <- momentum v - rate g;  w <- w + momentum v - rate g``, with the new v."""

    names = ("learning_rate_init", "momentum")
    n_slots = 1
    irreversible = (
        "Nesterov's momentum takes a gradient step of the weights themselves, which contracts them "
        "jointly: no digits kept for single weights bring that back"
    )

    def __repr__(self):
        return "Nesterov()"

    def step(self, state, g, rates, t, out):
        (v,) = out.slots
        kick = -rates["learning_rate_init"] * g
        np.multiply(state.slots[0], rates["momentum"], out=v)
        v += kick
        kick += rates["momentum"] * v
        np.add(state.w, kick, out=out.w)

    # v' = b v + k and w' = w + b v' + k with the kick k = -c g:
    #     dv = dv' + b dw'   is that of v',   dk = dv + dw',   db = dw' v' + dv v.
    def pull(self, before, after, g, rates, t, adjoint, add):
        (dv,) = adjoint.slots
        dv += rates["momentum"] * adjoint.w
        add("momentum", adjoint.w, after.slots[0])
        add("momentum", dv, before.slots[0])
        dk = dv + adjoint.w
        add("learning_rate_init", dk, g, -1.0)
        dv *= rates["momentum"]
        return -rates["learning_rate_init"] * dk

    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        rate, decay = (rates[name] for name in self.names)
        d_rate, d_decay = (rate_tangents.get(name, 0.0) for name in self.names)
        dk = -rate * g_tangent - d_rate * g
        dv = decay * tangent.slots[0] + d_decay * before.slots[0] + dk
        return State(tangent.w + decay * dv + d_decay * after.slots[0] + dk, (dv,))
