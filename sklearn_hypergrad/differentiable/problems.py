"""The objective of a model of one's own as a problem, to be solved or to be trained."""

import numpy as np

from sklearn_hypergrad.differentiable.declarations import check_training
from sklearn_hypergrad.differentiable.functions import (
    Batches,
    BatchLoss,
    BatchOutputs,
    BatchPenalty,
    Objective,
)
from sklearn_hypergrad.problems import AutogradProblem, AutogradTraining, GaussNewton
from sklearn_hypergrad.problems.autograd.backends import check_backend, detected
from sklearn_hypergrad.problems.autograd.nested import Nested
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

    Raises
    ------
    TypeError
        If training would draw random numbers.
    """
    if model.draws:
        raise TypeError(
            f"{type(model).__name__}.training_forward is for a model that is trained step by step. "
            f"Set dynamics, such as Momentum(), or leave it out."
        )

    def closed(name):
        given = getattr(model, name, None)
        if given is None:
            return None
        return lambda w, h, *v: given(w, values | h, *data, *v)

    # All rows, so that no row numbers of sample weights are needed.
    batch = None, *data
    backend = backend_of(model, start, values, batch)
    return AutogradProblem(
        Objective(model, values),
        start,
        gauss_newton=_gauss_newton(model, values, backend),
        data=batch,
        backend=backend,
        **{name: closed(name) for name in CLOSED_FORMS},
    )


def backend_of(model, start, values, batch):
    """Which backend differentiates a model: as its class says, or as its functions show.

    Parameters
    ----------
    model : DifferentiableModel
    start : nested structure
        Weights.
    values : Values
        All hyperparameters.
    batch : tuple
        What an Objective takes besides.

    Returns
    -------
    {"autograd", "jax"}
    """
    check_backend(model.backend)
    if model.backend != "auto":
        return model.backend
    structure = Nested(start)
    leaves = structure.split(structure.flatten(start))
    return detected(Objective(model, values), leaves, structure, {}, batch)


def first_chance(model):
    """A step and a generator for a look at a model whose training draws; else nothing."""
    if not model.draws:
        return ()
    return 0, np.zeros(2, np.uint32) if model.backend == "jax" else np.random.default_rng(0)


def model_training(model, start, values, data, seed):
    """The Training of a model, as ``solved_problem``; ``seed`` is that of the batches.

    Raises
    ------
    ValueError
        If the number of steps or the size of batches cannot be, or the loss at the start is not
        finite.
    """
    check_training(model)

    settings = {name: values[name] for name in model.dynamics.names}
    batch = Batches(data, "sample_weight" in model.tunable())
    first = *batch(slice(model.batch_size)), *first_chance(model)
    backend = backend_of(model, start, values, first)
    problem = AutogradTraining(
        Objective(model, values),
        start,
        n_samples=len(data[0]),
        gauss_newton=_gauss_newton(model, values, backend),
        data=batch,
        backend=backend,
        seed=seed if model.draws else None,
    )
    batches = Epochs(problem.n_samples, model.batch_size or problem.n_samples, seed)
    with np.errstate(all="ignore"):
        first = problem.linearize(problem.initial({}), {}, batches.rows(0)).value
    if not np.isfinite(first):
        raise ValueError(
            f"The loss of {type(model).__name__} is {first} at its initial weights, before any "
            f"step. Let initial() return weights where it is finite."
        )
    return Training(problem, model.dynamics, batches, model.n_steps, settings)


def _gauss_newton(model, values, backend):
    """The GaussNewton of the objective of a batch."""
    parts = (part(model, values) for part in (BatchOutputs, BatchLoss, BatchPenalty))
    return GaussNewton(*parts, backend=backend)
