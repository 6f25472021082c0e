"""How a trained model is differentiated, and which methods do not reach it."""

import math

import numpy as np

from sklearn_hypergrad.hypergradients import (
    OnlineHypergradient,
    Reverse,
    Reversible,
    TrainedHypergradient,
)
from sklearn_hypergrad.threads import threads_allowed

# Bytes that the stored states of the training runs at work may take: 2 GiB, which laptops have.
MOST_BYTES = 2**31
# Below this momentum exact reversal keeps a bit per weight and step, and checkpoints take less.
LEAST_MOMENTUM = 0.5
NO_RUN = (
    "{} is trained for a given number of steps: its weights solve no equation that could be "
    "differentiated. Use hypergradient='reverse'"
)


def training_method(prepared, training, space):
    """``(method, why)`` for a model that is trained.

    Parameters
    ----------
    prepared : PreparedCandidate
    training : Training
        Of one split.
    space : Space

    Raises
    ------
    ValueError
        If the method asked for does not reach these hyperparameters.
    """
    name, method = type(prepared.final).__name__, prepared.options.method
    if method is None:
        return _chosen(name, training, space)
    obstacle = NO_RUN.format(name)
    if isinstance(method, TrainedHypergradient):
        obstacle = method.obstacle(training.dynamics)
    if obstacle is not None:
        raise ValueError(
            f"Cannot tune {prepared.candidate.key!r} with {method!r}. This is because {obstacle}."
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


def is_online(options):
    """Whether hyperparameters are to be moved while training runs."""
    return isinstance(options.method, OnlineHypergradient)


def refuse_online(prepared, model):
    """Raise ValueError if hyperparameters are to be moved while training runs, and cannot be."""
    options = prepared.options
    if not is_online(options):
        return
    if not model.trained:
        name = type(prepared.final).__name__
        raise ValueError(
            f"Cannot tune {prepared.candidate.key!r} with {options.method!r}. This is because "
            f"{name} is solved, not trained step by step. Use hypergradient='implicit'."
        )
    if options.resample == "fresh":
        raise ValueError(
            f"resample='fresh' draws initial weights and batches anew at every evaluation, and "
            f"{options.method!r} trains once. Leave resample='fixed', or use "
            f"hypergradient='reverse'."
        )
    if options.optimizer is not None and not options.optimizer.accepts_noise:
        raise ValueError(
            f"{options.method!r} moves hyperparameters once in a while as training goes on, which "
            f"optimizer={options.optimizer!r} cannot: it compares values at different points. Use "
            f"optimizer='adam'."
        )
