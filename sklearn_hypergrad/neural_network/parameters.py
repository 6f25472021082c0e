"""Parameters of networks as the hyperparameters of their training."""

import numbers

import numpy as np


def hidden_sizes(sizes):
    """Units of the hidden layers, of which there may be none.

    Raises
    ------
    ValueError
        If one of them is not a whole number of at least 1; names it.
    """
    sizes = [sizes] if isinstance(sizes, numbers.Integral) else list(sizes)
    for i, size in enumerate(sizes):
        if not isinstance(size, numbers.Integral) or size < 1:
            raise ValueError(
                f"hidden_layer_sizes[{i}] is {size!r}, but a layer has a whole number of units, "
                "at least 1."
            )
    return sizes


def network_settings(model, network):
    """``alpha``, ``learning_rate_init``, ``momentum`` and ``init_scale`` of a model.

    Shapes are checked here as far as no step of the training comes into them.

    Returns
    -------
    dict of str -> float or ndarray
        For :class:`~sklearn_hypergrad.training.Training`.

    Raises
    ------
    ValueError
        If a value is negative or not finite, or a momentum not below 1; names the entry.
    """
    return {
        "alpha": flat_alpha(model.alpha, network.shapes),
        "learning_rate_init": checked("learning_rate_init", model.learning_rate_init),
        "momentum": checked("momentum", model.momentum, below=1),
        "init_scale": _per_layer("init_scale", model.init_scale, len(network.shapes)),
    }


def flat_alpha(alpha, shapes):
    """``alpha`` as an array; a list of arrays shaped like the coefs as one per coefficient."""
    if not _is_list_of_matrices(alpha):
        return checked("alpha", alpha)
    parts = [checked(f"alpha[{i}]", part) for i, part in enumerate(alpha)]
    found = [part.shape for part in parts]
    if found != shapes:
        raise ValueError(
            f"alpha is a list of arrays of the shapes {found}, but those of the coefs_ are "
            f"{shapes}."
        )
    # With an axis of its own it is not mistaken for a schedule of as many steps.
    return np.concatenate([part.ravel() for part in parts])[None]


def checked(name, value, below=np.inf):
    """A number or array-like as floats from 0 to ``below``, without the latter."""
    try:
        values = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number or an array of numbers.") from None
    wrong = np.argwhere(~((values >= 0) & (values < below)))
    if len(wrong):
        index = tuple(wrong[0])
        entry = f"{name}[{', '.join(map(str, index))}]" if index else name
        bound = "finite" if below == np.inf else f"below {below}"
        raise ValueError(f"{entry} is {values[index]}, but it must be {bound} and not negative.")
    return values if values.ndim else float(values)


def _is_list_of_matrices(value):
    is_list = isinstance(value, list | tuple) and len(value) > 0
    return is_list and all(getattr(part, "ndim", 0) == 2 for part in value)


def _per_layer(name, value, n_layers):
    values = checked(name, value)
    if np.shape(values) not in ((), (n_layers,)):
        raise ValueError(
            f"{name} has shape {values.shape}. Legal are a number and ({n_layers},) per layer."
        )
    return values
