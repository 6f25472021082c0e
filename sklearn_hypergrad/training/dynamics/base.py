"""What dynamics are given and return."""

import abc
import dataclasses

import numpy as np


@dataclasses.dataclass
class State:
    """Weights and the other variables of the dynamics; also tangents and adjoints of these.

    Attributes
    ----------
    w : ndarray of shape (n_weights,)
    slots : tuple of ndarray like ``w``
        Velocities, running means of squares.
    """

    w: np.ndarray
    slots: tuple

    @classmethod
    def of_rows(cls, rows):
        """A state whose arrays are the rows of a matrix."""
        return cls(rows[0], tuple(rows[1:]))

    @property
    def arrays(self):
        return (self.w, *self.slots)


class Dynamics(abc.ABC):
    """One step of training, elementwise in the weights; an instance holds settings only.

    ``rates`` is a dict of the hyperparameters in ``names`` at the step, each a float or one value
    per weight.

    A step multiplies each slot by its decay and adds ``slot_update`` to it, one slot after the
    other, and adds ``weight_update`` to the weights. Where nothing but multiplication loses digits,
    such a step can be undone. Other steps are a ``step`` of their own, with the reason why they
    cannot be in ``irreversible``.

    Attributes
    ----------
    names : tuple of str
        Hyperparameters of the step.
    n_slots : int
    irreversible : str or None
        Why no exact reversal is possible; None where it is.
    decays : tuple of (str or None)
        The hyperparameter from 0 to 1 that multiplies each slot; None where none does.
    order : tuple of int
        The slots, in the order in which they move. The default is that of their numbers.
    """

    names: tuple
    n_slots: int
    irreversible: str | None
    decays: tuple

    @property
    def order(self):
        return tuple(range(self.n_slots))

    def start(self, w):
        """The state before the first step."""
        return State(w, tuple(np.zeros_like(w) for _ in range(self.n_slots)))

    def slot_update(self, number, g, slots, rates, t):
        """What a step adds to a slot that has decayed.

        Parameters
        ----------
        number : int
            Of the slot.
        g : ndarray of shape (n_weights,)
            Gradient.
        slots : sequence of ndarray like ``g``
            Those that come earlier in ``order`` have moved. The others must not be looked at.
        rates : dict of str -> float or ndarray
            Hyperparameters of the step.
        t : int
            Number of the step, from 0.

        Returns
        -------
        ndarray like ``g``
        """
        raise NotImplementedError(f"{type(self).__name__} has neither slot_update nor step.")

    def weight_update(self, slots, rates, t):
        """What a step adds to the weights.

        Parameters
        ----------
        slots : sequence of ndarray of shape (n_weights,)
            After the step.
        rates, t
            As for ``slot_update``.

        Returns
        -------
        ndarray of shape (n_weights,)
        """
        raise NotImplementedError(f"{type(self).__name__} has neither weight_update nor step.")

    def step(self, state, g, rates, t, out):
        """Write the state after step ``t`` with the gradient ``g`` to ``out``.

        That is another State, or the same: then the step is taken in place.
        """
        for number in self.order:
            slot, decay = out.slots[number], self.decays[number]
            np.multiply(state.slots[number], 1.0 if decay is None else rates[decay], out=slot)
            slot += self.slot_update(number, g, out.slots, rates, t)
        np.add(state.w, self.weight_update(out.slots, rates, t), out=out.w)

    @abc.abstractmethod
    def pull(self, before, after, g, rates, t, adjoint, add):
        """Transposed derivative of a step.

        Parameters
        ----------
        before, after : State
            Around the step.
        g : ndarray like ``w``
        rates : dict
        t : int
        adjoint : State
            Derivative of the outer objective in ``after``; becomes, in place, that in ``before``,
            but for what comes through the gradient.
        add : callable
            ``add(name, x, y, factor)`` is called with arrays whose scalar products times ``factor``
            add up to the derivative in a rate: over all weights, or over those of a group.

        Returns
        -------
        ndarray like ``w``
            Derivative in the gradient.
        """

    @abc.abstractmethod
    def push(self, before, after, g, rates, t, tangent, g_tangent, rate_tangents):
        """Derivative of a step: the tangent of ``after``.

        Parameters
        ----------
        before, after, g, rates, t
            As for ``pull``.
        tangent : State
            Of ``before``.
        g_tangent : ndarray like ``w``
        rate_tangents : dict of str -> float or ndarray
            Of the rates that move.

        Returns
        -------
        State
        """


def over(x, root, epsilon):
    """``x / root / (root + epsilon)``, and zero for weights that have not had a gradient yet."""
    return np.divide(x, root * (root + epsilon), out=np.zeros_like(x), where=root > 0)
