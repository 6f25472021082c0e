"""The functions of a model of one's own, as functions of weights, hyperparameters and data.

JAX compiles what it traces, so that attributes of the model which it reads would stay as they were.
So functions of two models are the same if their classes and attributes are, but for hyperparameters
that can be tuned: these are arguments.
"""

import copy
import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.differentiable.values import Values
from sklearn_hypergrad.problems.autograd.identity import (
    class_identity,
    names_in_methods,
    value_identity,
)

# What a fit stores, and no function of a model may depend on.
OF_FITS = {
    "backend_",
    "classes_",
    "feature_names_in_",
    "hyperparameters_",
    "n_features_in_",
    "weights_",
}


@dataclasses.dataclass(frozen=True, eq=False)
class ModelFunction:
    """Base class.

    Attributes
    ----------
    model : DifferentiableModel
    defaults : Values
        All hyperparameters; those that are tuned take the place of theirs.
    """

    model: Any
    defaults: Values

    def compile_key(self):
        """What the function does, as JAX compiles it."""
        model, cls = self.model, type(self.model)
        known = next(base for base in cls.__mro__ if _is_ours(base))
        # Parameters, and other attributes that its methods may read.
        names = {*model.get_params(deep=False), *names_in_methods(cls, known)} & set(vars(model))
        fixed = sorted(names - set(model.tunable()) - OF_FITS)
        values = tuple((name, value_identity(vars(model)[name])) for name in fixed)
        return type(self), class_identity(cls, known), values

    def to_trace(self):
        """The same function of a model that has no hyperparameters: they must come from ``h``."""
        bare = copy.copy(self.model)
        for name in {*self.model.tunable(), *OF_FITS} & set(vars(bare)):
            delattr(bare, name)
        return Traced(type(self)(bare, Values()), tuple(self.model.tunable()))

    def _merged(self, h, rows=None):
        h = self.defaults | h
        if rows is not None and np.ndim(h.get("sample_weight", 0.0)):
            h["sample_weight"] = h["sample_weight"][rows]
        return h


def _is_ours(cls):
    return cls.__module__.partition(".")[0] == __name__.partition(".")[0]


@dataclasses.dataclass(frozen=True)
class Traced:
    """A function of a model that says so if it reads a hyperparameter from ``self``.

    Attributes
    ----------
    function : ModelFunction
    tunable : tuple of str
    """

    function: ModelFunction
    tunable: tuple

    def __call__(self, *args):
        try:
            return self.function(*args)
        except AttributeError as error:
            if error.obj is not self.function.model or error.name not in self.tunable:
                raise
            raise TypeError(
                f"{type(error.obj).__name__} reads self.{error.name}, which JAX would keep as it "
                f"is when it compiles. Read h[{error.name!r}]."
            ) from error


class Objective(ModelFunction):
    """What is minimised; ``rows`` are those of sample weights that are tuned, None is all."""

    def __call__(self, w, h, rows, X, y, sample_weight, *chance):
        return self.model.objective(w, self._merged(h, rows), X, y, sample_weight, *chance)


class Outputs(ModelFunction):
    """What the model predicts."""

    def __call__(self, w, h, X):
        return self.model.forward(w, X, self._merged(h))


class Losses(ModelFunction):
    """The losses of samples."""

    def __call__(self, w, h, X, y):
        h = self._merged(h)
        return self.model.loss(y, self.model.forward(w, X, h), h)


class BatchOutputs(ModelFunction):
    """The first part of a GaussNewton: outputs of a batch."""

    def __call__(self, w, h, rows, X, y, sample_weight, *chance):
        forward = self.model.training_forward if chance else self.model.forward
        return forward(w, X, self._merged(h), *chance)


class BatchLoss(ModelFunction):
    """Its second part: the weighted mean of the losses of these outputs."""

    def __call__(self, z, h, rows, X, y, sample_weight, *chance):
        return self.model.mean_loss(y, z, self._merged(h, rows), sample_weight)


class BatchPenalty(ModelFunction):
    """The rest of the objective."""

    def __call__(self, w, h, *batch):
        return self.model.penalty(w, self._merged(h))


@dataclasses.dataclass(frozen=True)
class Batches:
    """What an Objective takes of some rows.

    Attributes
    ----------
    arrays : tuple of ndarray
        X, y, sample_weight.
    weighted : bool
        Whether sample weights are hyperparameters, whose rows are then needed, too.
    """

    arrays: tuple
    weighted: bool

    def __call__(self, rows):
        if rows is None:
            return None, *self.arrays
        if isinstance(rows, slice):
            rows = np.arange(len(self.arrays[0]))[rows]
        return rows if self.weighted else None, *(array[rows] for array in self.arrays)
