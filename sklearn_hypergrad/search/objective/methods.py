"""How a training run is differentiated."""

import math

import numpy as np

from sklearn_hypergrad.hypergradients import Reverse, Reversible, TrainedHypergradient
from sklearn_hypergrad.threads import threads_allowed

# Bytes that the states of the training runs at work may take before they are not all stored.
MOST_BYTES = 2**31
# Below this momentum, exact reversal needs so many bits that checkpoints take less memory.
LEAST_MOMENTUM = 0.5
NO_RUN = (
    "{} is trained for a given number of steps: its weights solve no equation that could be "
    "differentiated. Use hypergradient='reverse'"
)


def training_method(method, candidate, term, space):
    """``(method, why)`` for a candidate that is trained.

    Parameters
    ----------
    method : Hypergradient or None
        What was asked for; None is to be chosen.
    candidate : Candidate
    term : Term
        Of one split.
    space : Space

    Raises
    ------
    ValueError
        If the method asked for does not reach these hyperparameters.
    """
    name = type(candidate.final).__name__
    if method is None:
        return _chosen(name, term.problem, space)
    obstacle = NO_RUN.format(name)
    if isinstance(method, TrainedHypergradient):
        obstacle = method.obstacle(term.problem.dynamics)
    if obstacle is not None:
        raise ValueError(
            f"Cannot tune {candidate.key!r} with {method!r}. This is because {obstacle}."
        )
    return method, "it was asked for"


def _chosen(name, training, space):
    n_weights, n_slots = sum(training.problem.group_sizes), training.dynamics.n_slots
    # With every state the gradient there is kept.
    n_bytes = 8 * training.n_steps * n_weights * (2 + n_slots)
    size = f"{name} is trained for {training.n_steps} steps, whose states"
    if n_bytes <= MOST_BYTES / threads_allowed():
        return Reverse(), f"{size} fit into memory ({n_bytes / 2**20:.0f} MiB per split)"
    size = f"{size} need {n_bytes / 2**30:.1f} GiB per split"
    if training.dynamics.irreversible is None and _momentum(training, space) >= LEAST_MOMENTUM:
        return Reversible(), f"{size}, and momentum SGD can be undone exactly"
    n_checkpoints = math.ceil(math.sqrt(training.n_steps))
    return Reverse(n_checkpoints), f"{size}; checkpoints are trained from again"


def _momentum(training, space):
    """The smallest one that the search starts with."""
    starts = {dimension.name: dimension.starts for dimension in space.dimensions}
    return np.min(starts.get("momentum", training.settings["momentum"]))
