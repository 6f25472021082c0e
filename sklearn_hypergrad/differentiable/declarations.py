"""What a class says of itself, checked before it is fitted."""

import numbers
from collections.abc import Mapping

from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.training import Dynamics


def check_declarations(model):
    """Refuse a class whose ``hyperparameters`` or ``dynamics`` are not what they should be.

    Parameters
    ----------
    model : DifferentiableModel

    Raises
    ------
    TypeError
        If they are of a wrong type, or the constructor lacks what training needs.
    """
    name, declared = type(model).__name__, model.hyperparameters
    if not isinstance(declared, Mapping):
        raise TypeError(
            f"{name}.hyperparameters must be a dict from names of constructor parameters to "
            f"Hyperparameter(), got {declared!r}."
        )
    for key, hyperparameter in declared.items():
        if not isinstance(hyperparameter, Hyperparameter):
            raise TypeError(
                f"{name}.hyperparameters[{key!r}] must be a Hyperparameter(), got "
                f"{hyperparameter!r}."
            )
    params = model.get_params(deep=False)
    missing = [key for key in declared if key not in params]
    if missing:
        raise TypeError(
            f"{name} has the hyperparameter {missing[0]!r}, but its constructor has no parameter "
            f"of that name. Give __init__ one, and store it as it is."
        )
    if model.dynamics is not None:
        # These need not be parameters: they are not tuned.
        fixed = [key for key in ("n_steps", "batch_size") if hasattr(model, key)]
        _check_dynamics(model.dynamics, name, {*params, *fixed})


def check_training(model):
    """Refuse a number of steps, or a size of batches, that cannot be."""
    name = type(model).__name__
    n_steps, batch_size = model.n_steps, model.batch_size
    if not _is_count(n_steps):
        raise ValueError(f"{name}.n_steps must be an integer of at least 1, got {n_steps!r}.")
    if batch_size is not None and not _is_count(batch_size):
        raise ValueError(
            f"{name}.batch_size must be an integer of at least 1, or None for all samples, got "
            f"{batch_size!r}."
        )


def _is_count(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 1


def _check_dynamics(dynamics, name, known):
    if not isinstance(dynamics, Dynamics):
        raise TypeError(
            f"{name}.dynamics must be None or an instance such as Momentum() or Adam() of "
            f"sklearn_hypergrad.training, got {dynamics!r}."
        )
    needed = (*dynamics.names, "n_steps", "batch_size")
    missing = [needs for needs in needed if needs not in known]
    if missing:
        raise TypeError(
            f"{name} is trained by {dynamics!r}, and its constructor has no parameters "
            f"{', '.join(missing)}. Give __init__ all of {', '.join(needed)}, and store each as "
            f"it is."
        )
