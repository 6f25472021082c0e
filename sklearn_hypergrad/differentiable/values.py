"""Values of hyperparameters, as an estimator was given them."""

import numpy as np

from sklearn_hypergrad.spaces import Hyperparameter

SCHEDULES = ("layer", "step", ("step", "layer"))
# What is known of hyperparameters of training, whatever is trained.
OF_TRAINING = {
    "learning_rate_init": Hyperparameter(per=SCHEDULES, start=0.1),
    "momentum": Hyperparameter(per=SCHEDULES, scale="logit", limits=(0.0, 1.0), start=0.9),
    "beta_1": Hyperparameter(per=SCHEDULES, scale="logit", limits=(0.0, 1.0), start=0.9),
    "beta_2": Hyperparameter(per=SCHEDULES, scale="logit", limits=(0.0, 1.0), start=0.999),
    "decay": Hyperparameter(per=SCHEDULES, scale="logit", limits=(0.0, 1.0), start=0.9),
}


def checked_values(model, hyperparameters):
    """The hyperparameters of a model as floats or arrays of floats.

    Parameters
    ----------
    model : estimator
    hyperparameters : dict of str -> Hyperparameter

    Raises
    ------
    TypeError
        If one is not a parameter of the constructor.
    ValueError
        If a value is no number, or beyond its limits; names the entry.
    """
    params = model.get_params(deep=False)
    missing = [name for name in hyperparameters if name not in params]
    if missing:
        raise TypeError(
            f"{type(model).__name__} has the hyperparameter {missing[0]!r}, but its constructor "
            f"has no parameter of that name. Give __init__ one, and store it as it is."
        )
    return {
        name: _checked(f"{type(model).__name__}.{name}", params[name], declared.limits)
        for name, declared in hyperparameters.items()
    }


def _checked(name, value, limits):
    try:
        values = np.array(value, dtype=float)
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
