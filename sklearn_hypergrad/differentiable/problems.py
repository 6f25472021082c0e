"""The objective of a model of one's own as a problem, to be solved or to be trained."""

import numpy as np

from sklearn_hypergrad.differentiable.declarations import check_training
from sklearn_hypergrad.problems import AutogradProblem, AutogradTraining, GaussNewton
from sklearn_hypergrad.training import Epochs, Training

CLOSED_FORMS = ("gradient", "hvp", "cross_vjp", "cross_jvp")


def solved_problem(model, start, values, data, seed):
    """The AutogradProblem of a model.

    Parameters
    ----------
    model : DifferentiableModel
    start : nested structure
        Weights to begin with.
    values : Values
        All hyperparameters; those that are tuned take the place of theirs.
    data : tuple of ndarray
        X, y, sample_weight.
    seed : int
        Not used: nothing else is drawn.
    """
    X, y, sample_weight = data

    def closed(name):
        given = getattr(model, name, None)
        if given is None:
            return None
        return lambda w, h, *v: given(w, values | h, *data, *v)

    product = GaussNewton(
        lambda w, h: model.forward(w, X, values | h),
        lambda z, h: model.mean_loss(y, z, values | h, sample_weight),
        lambda w, h: model.penalty(w, values | h),
    )
    return AutogradProblem(
        lambda w, h: model.objective(w, values | h, *data),
        start,
        gauss_newton=product,
        **{name: closed(name) for name in CLOSED_FORMS},
    )


def model_training(model, start, values, data, seed):
    """The Training of a model, as ``solved_problem``; ``seed`` is that of the batches.

    Raises
    ------
    ValueError
        If the number of steps or the size of batches cannot be, or the loss at the start is not
        finite.
    """
    check_training(model)

    def loss(w, h, rows):
        h, *batch = _batch(values | h, data, rows)
        return model.objective(w, h, *batch)

    settings = {name: values[name] for name in model.dynamics.names}
    n_samples, product = len(data[0]), _gauss_newton(model, values, data)
    problem = AutogradTraining(loss, start, n_samples=n_samples, gauss_newton=product)
    batches = Epochs(n_samples, model.batch_size or n_samples, seed)
    with np.errstate(all="ignore"):
        first = loss(problem.structure.unflatten(problem.initial({})), {}, slice(model.batch_size))
    if not np.isfinite(first):
        raise ValueError(
            f"The loss of {type(model).__name__} is {first} at its initial weights, before any "
            f"step. Let initial() return weights where it is finite."
        )
    return Training(problem, model.dynamics, batches, model.n_steps, settings)


def _gauss_newton(model, values, data):
    """The GaussNewton of a training."""

    def outputs(w, h, rows):
        h, X, *_ = _batch(values | h, data, rows)
        return model.forward(w, X, h)

    def loss(z, h, rows):
        h, _, y, sample_weight = _batch(values | h, data, rows)
        return model.mean_loss(y, z, h, sample_weight)

    return GaussNewton(outputs, loss, lambda w, h, rows: model.penalty(w, values | h))


def _batch(h, data, rows):
    """``(h, X, y, sample_weight)`` of some rows; None is all."""
    rows = slice(None) if rows is None else rows
    if np.ndim(h.get("sample_weight", 0.0)):
        h["sample_weight"] = h["sample_weight"][rows]
    return h, *(array[rows] for array in data)
