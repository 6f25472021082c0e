"""Derivatives through a training run: backwards for one outcome, forwards for one cause."""

import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.training.dynamics import State


def pull_back(run, steps, w, *, to_start=True):
    """Derivatives in the hyperparameters of what has the derivative ``w`` in the final weights.

    Parameters
    ----------
    run : Run
    steps : iterable of Step
        From the last to the first.
    w : ndarray of shape (n_weights,)
    to_start : bool, default=True
        Whether the first of the steps is that of the run, whose start depends on hyperparameters.

    Returns
    -------
    dict
        Shaped like the hyperparameters, without those that training ignores.

    Raises
    ------
    NotRepeated
        If the loss of the last step has another gradient when it is called again.
    """
    sums = run.gradient()
    adjoint = State(w.copy(), tuple(np.zeros_like(w) for _ in range(run.dynamics.n_slots)))
    # The state after a step depends on the one before directly and through the gradient there:
    # slope is the adjoint of that gradient, H slope and cross what it adds.
    for step in steps:
        t, g = step.t, step.linearization.gradient
        if t == run.n_steps - 1:
            run.check_repeats(step.before.w, t, g)
        add = functools.partial(sums.add_product, t, run.groups)
        slope = run.dynamics.pull(step.before, step.after, g, step.rates, t, adjoint, add)
        product, cross = step.linearization.pull(slope)
        sums.add(t, cross)
        adjoint.w += product
    sums.add(0, run.start_vjp(adjoint.w if to_start else np.zeros_like(adjoint.w)))
    return sums.shaped()


def pushed(training):
    """The Training whose steps are pushed along several directions: see Tangents."""
    return dataclasses.replace(training, problem=training.problem.pushed())


class Tangents:
    """Derivatives of the state in every entry of the hyperparameters, while training runs.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    entries : list of (str, tuple of int)
    states : list of State
        The tangent for each of the entries. A step replaces them, and does not change them in
        place.
    """

    def __init__(self, run):
        self._run = run
        self.entries = run.entries()
        self.states = [run.start_tangent(*entry) for entry in self.entries]
        self._sums = run.gradient()
        self._still = np.zeros_like(run.start().w)
        self._sums.add(0, run.start_vjp(self._still))

    def follow(self, run):
        """Go on with a run of the same training that has other hyperparameters."""
        self._run = run

    def discount(self, factor):
        """Let the steps so far count less."""
        self.states = [
            State(factor * state.w, tuple(factor * slot for slot in state.slots))
            for state in self.states
        ]

    def advance(self, before, after, linearization, t):
        """Move along with one step."""
        dtype = before.w.dtype
        if t == 0:
            self._run.check_repeats(before.w, t, linearization.gradient)
        if self._sums.unknown:
            # What the loss depends on. Batches may differ in what they need.
            self._sums.add(0, linearization.cross(self._still))
        rates = self._run.spread(self._run.rates(t), dtype)
        g, push = linearization.gradient, self._run.dynamics.push
        for number, entry in enumerate(self.entries):
            tangent = self.states[number]
            of_rates, of_loss = self._run.direction(*entry, t, dtype)
            g_tangent = linearization.push(tangent.w, of_loss)
            self.states[number] = push(before, after, g, rates, t, tangent, g_tangent, of_rates)

    def gradient(self, w):
        """Derivatives of what has the derivative ``w`` in the weights, as ``pull_back`` gives."""
        gradient = self._sums.shaped()
        for (name, index), tangent in zip(self.entries, self.states, strict=True):
            if name in gradient:
                gradient[name][index] = tangent.w @ w
        return gradient
