"""What a class says of itself, checked before it is fitted."""

import numbers
import types
from collections.abc import Mapping

from sklearn_hypergrad.differentiable.values import checked_values
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.training import Dynamics, seed_of


class Declared:
    """An estimator whose class declares which of its parameters can be tuned."""

    hyperparameters = types.MappingProxyType({})

    def tunable(self):
        """All hyperparameters that a search may move.

        Returns
        -------
        hyperparameters : dict of str -> Hyperparameter
            Those that the class declares.

        Raises
        ------
        TypeError
            If the class declares what cannot be.
        """
        check_hyperparameters(self)
        return dict(self.hyperparameters)

    def hyperparameter_values(self):
        """The hyperparameters that the estimator has.

        Returns
        -------
        h : dict of str -> float or ndarray
            As floats and arrays of floats.
        """
        return checked_values(self, self.tunable())

    def _seed(self):
        """The seed of a fit: of ``random_state``, if there is one."""
        return seed_of(getattr(self, "random_state", 0))

    def _shape_along(self, name, per, lengths, arguments):
        """The shape of a hyperparameter with one value per ``per``, from lengths of the axes."""
        axes = [per] if isinstance(per, str) else per
        unknown = [axis for axis in axes if axis not in lengths]
        if unknown:
            raise ValueError(
                f"{type(self).__name__} does not know how many values {name} has per "
                f"{unknown[0]!r}. Override hyperparameter_shape({arguments}) to return the "
                f"shape, or take one of {', '.join(map(repr, lengths))}."
            )
        return tuple(lengths[axis] for axis in axes)


def check_hyperparameters(model):
    """Refuse a class whose ``hyperparameters`` are not what they should be.

    Parameters
    ----------
    model : Declared

    Raises
    ------
    TypeError
        If they are of a wrong type, or the constructor lacks one of them.
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


def check_dynamics(model):
    """Refuse dynamics of a wrong type, and a constructor that lacks what training needs."""
    name, dynamics = type(model).__name__, model.dynamics
    if not isinstance(dynamics, Dynamics):
        raise TypeError(
            f"{name}.dynamics must be None or an instance such as Momentum() or Adam() of "
            f"sklearn_hypergrad.training, got {dynamics!r}."
        )
    # The last two need not be parameters: they are not tuned.
    fixed = [key for key in ("n_steps", "batch_size") if hasattr(model, key)]
    known = {*model.get_params(deep=False), *fixed}
    needed = (*dynamics.names, "n_steps", "batch_size")
    missing = [needs for needs in needed if needs not in known]
    if missing:
        raise TypeError(
            f"{name} is trained by {dynamics!r}, and its constructor has no parameters "
            f"{', '.join(missing)}. Give __init__ all of {', '.join(needed)}, and store each as "
            f"it is."
        )


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
