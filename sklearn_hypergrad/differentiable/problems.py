"""The objective of a model of one's own as a problem, to be solved or to be trained."""

import numpy as np

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
    values : dict
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
        return lambda w, h, *v: given(w, {**values, **h}, *data, *v)

    product = GaussNewton(
        lambda w, h: model.forward(w, X, {**values, **h}),
        lambda z, h: model.mean_loss(y, z, {**values, **h}, sample_weight),
        lambda w, h: model.penalty(w, {**values, **h}),
    )
    return AutogradProblem(
        lambda w, h: model.objective(w, {**values, **h}, *data),
        start,
        gauss_newton=product,
        **{name: closed(name) for name in CLOSED_FORMS},
    )


def training_of(model, start, values, data, seed):
    """The Training of a model, as ``solved_problem``; ``seed`` is that of the batches."""
    X, y, sample_weight = data

    def loss(w, h, rows):
        rows = slice(None) if rows is None else rows
        h = {**values, **h}
        if np.ndim(h.get("sample_weight", 0.0)):
            h["sample_weight"] = h["sample_weight"][rows]
        return model.objective(w, h, X[rows], y[rows], sample_weight[rows])

    settings = {name: values[name] for name in model.dynamics.names}
    batches = Epochs(len(X), model.batch_size or len(X), seed)
    problem = AutogradTraining(loss, start, n_samples=len(X))
    return Training(problem, model.dynamics, batches, model.n_steps, settings)
