"""Values of hyperparameters, as an estimator was given them."""

import numpy as np


class Values(dict):
    """Hyperparameters by name, which say what there is if asked for what there is not."""

    def __missing__(self, name):
        raise KeyError(
            f"h has no {name!r}, only {', '.join(map(repr, self)) or 'nothing'}. Declare it in "
            f"the class attribute hyperparameters; what is never tuned is read from self."
        )

    def __or__(self, others):
        return Values({**self, **others})


def checked_values(model, hyperparameters):
    """The hyperparameters of a model as floats or arrays of floats.

    Parameters
    ----------
    model : estimator
    hyperparameters : dict of str -> Hyperparameter

    Returns
    -------
    Values

    Raises
    ------
    ValueError
        If a value is no number, or beyond its limits; names the entry.
    """
    params = model.get_params(deep=False)
    return Values(
        (name, _checked(f"{type(model).__name__}.{name}", params[name], declared.limits))
        for name, declared in hyperparameters.items()
    )


def _checked(name, value, limits):
    try:
        values = np.array(value, dtype=float)
        if value is None:
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be a number or an array of numbers, got {value!r}."
        ) from None
    low, high = limits
    wrong = np.argwhere(~((values >= low) & (values <= high) & np.isfinite(values)))
    if len(wrong):
        index = tuple(wrong[0].tolist())
        entry = f"{name}[{', '.join(map(str, index))}]" if index else name
        raise ValueError(f"{entry} is {values[index]}, but it must be between {low} and {high}.")
    return values if values.ndim else float(values)
