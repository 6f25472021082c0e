"""Choose the hypergradient method of a trained model; refuse methods that do not apply."""

import math

import numpy as np

from sklearn_hypergrad.hypergradients import (
    Forward,
    OnlineHypergradient,
    Reverse,
    Reversible,
    TrainedHypergradient,
)
from sklearn_hypergrad.threads import n_sharing

# Bytes that the stored states of all parallel training runs may take. Chosen by hand: 2 GiB is free
# on a laptop; a larger limit would avoid recomputation on machines with more memory.
MOST_BYTES = 2**31
# Most bits per weight and step that exact reversal may keep to be chosen: log2(1 / decay) for every
# slot (Maclaurin, Duvenaud, Adams 2015, section 2), one bit at a momentum of 0.5, 0.15 with the
# usual decays of Adam. With more, sqrt(n_steps) checkpoints take less memory for 100 000 steps.
MOST_BITS = 1.0
NO_RUN = (
    "{} is trained for a given number of steps: its weights solve no equation that could be "
    "differentiated. Use hypergradient='reverse'"
)
ROWS_MOVE = (
    "the rows that {} is trained on move with hyperparameters, and it would take a derivative of "
    "its weights in each of their entries. Use hypergradient='reverse'"
)


def training_method(prepared, training, space):
    """Choose the method for a model that is trained step by step.

    Parameters
    ----------
    prepared : PreparedCandidate
    training : Training
        The training of one split.
    space : Space

    Returns
    -------
    method : Hypergradient
    why : str
        The reason, for ``hypergradient_``.

    Raises
    ------
    ValueError
        If the requested method cannot differentiate this training.
    """
    name, method = type(prepared.candidate.model).__name__, prepared.options.method
    if method is None:
        return _chosen(name, training, space)
    obstacle = NO_RUN.format(name)
    if isinstance(method, TrainedHypergradient):
        obstacle = method.obstacle(training.dynamics)
        if isinstance(method, Forward) and _rows_move(prepared):
            obstacle = ROWS_MOVE.format(name)
    if obstacle is not None:
        raise ValueError(
            f"Cannot tune {prepared.candidate.key!r} with {method!r}. This is because {obstacle}."
        )
    return method, "it was asked for"


def _chosen(name, training, space):
    n_weights, n_slots = sum(training.problem.group_sizes), training.dynamics.n_slots
    # 8 bytes for each weight, slot of the optimizer (such as a velocity) and entry of the gradient.
    n_bytes = 8 * training.n_steps * n_weights * (2 + n_slots)
    size = f"{name} is trained for {training.n_steps} steps, whose states"
    if n_bytes <= MOST_BYTES / n_sharing():
        return Reverse(), f"{size} fit into memory ({n_bytes / 2**20:.0f} MiB per split)"
    size = f"{size} need {n_bytes / 2**30:.1f} GiB per split"
    if training.dynamics.irreversible is None and _bits(training, space) <= MOST_BITS:
        return Reversible(), f"{size}, and training with {training.dynamics!r} is undone exactly"
    n_checkpoints = math.ceil(math.sqrt(training.n_steps))
    return Reverse(n_checkpoints), f"{size}; checkpoints are trained from again"


def _bits(training, space):
    """Bits per weight and step that exact reversal keeps, with the smallest of the start values."""
    starts = {dimension.name: dimension.starts for dimension in space.dimensions}
    decays = filter(None, training.dynamics.decays)
    smallest = [np.min(starts.get(name, training.settings[name])) for name in decays]
    return sum(-math.log2(decay) if decay > 0 else math.inf for decay in smallest)


def _rows_move(prepared):
    """Whether steps before the model are tuned."""
    return prepared.candidate.model is not prepared.final


def is_online(options):
    """Whether the method moves hyperparameters while training runs."""
    return isinstance(options.method, OnlineHypergradient)


def refuse_online(prepared, model):
    """Raise ValueError if an online method is requested that this model or search cannot use."""
    options = prepared.options
    if not is_online(options):
        return
    if not model.trained:
        name = type(prepared.candidate.model).__name__
        raise ValueError(
            f"Cannot tune {prepared.candidate.key!r} with {options.method!r}. This is because "
            f"{name} is solved, not trained step by step. Use hypergradient='implicit'."
        )
    if _rows_move(prepared):
        reason = ROWS_MOVE.format(type(prepared.candidate.model).__name__)
        raise ValueError(
            f"Cannot tune {prepared.candidate.key!r} with {options.method!r}. This is because "
            f"{reason}."
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
