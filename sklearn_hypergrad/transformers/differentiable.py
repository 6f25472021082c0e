"""Transformers of one's own (``sklearn_hypergrad.differentiable``), derived by autograd or JAX.

The rows that leave are ``forward(state, X, h)``. What a step has learned, the state, is the same
for all its hyperparameters. If its rows move, the state moves, too, and the backend differentiates
``learn`` with the rest.
"""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.differentiable import DifferentiableTransformer
from sklearn_hypergrad.problems.autograd.backends import check_backend, detected, trace_of
from sklearn_hypergrad.problems.autograd.derivatives import filled
from sklearn_hypergrad.problems.autograd.loaded_jax import in_numpy
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    no_derivative,
    seeded,
    transformer,
)

# Errors of autograd: of functions that are not written with it, and without a known derivative.
UNKNOWN = TypeError, NotImplementedError


class ForwardFeatures(Features):
    """The features of all rows of one split.

    Parameters
    ----------
    estimator : DifferentiableTransformer
    rows : Rows
    names : collection of str
        The hyperparameters that are tuned.
    seed : int

    Raises
    ------
    TypeError, ValueError
        If autograd cannot differentiate the rows, or they do not depend on a hyperparameter.
    """

    def __init__(self, estimator, rows, names, seed):
        if issparse(rows.X):
            raise TypeError("Features are sparse, and autograd has dense arrays only.")
        self._own, self._y, self._n_train = seeded(estimator, seed), rows.y, rows.n_train
        self._values = self._own.hyperparameter_values()
        self._usual = {name: self._values[name] for name in names}
        self._X, self._state = rows.X, in_numpy(self._learned(as_doubles(rows.X)))
        check_backend(self._own.backend)
        self._backend = None if self._own.backend == "auto" else self._own.backend
        self._check(rows.moving)

    def _learned(self, X):
        return self._own.learned(X[: self._n_train], self._y)

    def usual(self):
        return self._usual

    def at(self, h, X):
        known, X = X is self._X, as_doubles(X)
        with np.errstate(all="ignore"):
            state = self._state if known else in_numpy(self._learned(X))
            left = in_numpy(self._own.transformed(state, X, self._values | h))

        def pull(G, through):
            *slopes, inputs = self._slopes(h, X, state, G, through)
            return dict(zip(h, slopes, strict=True)), inputs

        return Transformed(left, pull)

    def _slopes(self, h, X, state, G, through):
        """Derivatives of ``sum_ij G_ij X'_ij`` in hyperparameters, and in X if ``through``."""
        inputs = [*h.values(), X] if through else list(h.values())
        slopes = filled(self._trace(h, X, state, inputs).pull([G]), map(np.shape, inputs))
        # Copies, as they may share memory with what the user's functions keep.
        slopes = [np.array(slope)[()] for slope in slopes]
        return slopes if through else [*slopes, None]

    def _trace(self, h, X, state, inputs):
        through, names = len(inputs) > len(h), list(h)

        def rows(*moving):
            values = self._values | dict(zip(names, moving, strict=False))
            Z = moving[-1] if through else X
            return (self._own.transformed(self._learned(Z) if through else state, Z, values),)

        with np.errstate(all="ignore"):
            return trace_of(rows, inputs, self._backend_of(rows, inputs))

    def _backend_of(self, rows, inputs):
        """What the functions are written with, found out once."""
        if self._backend is None:
            structure = Nested(list(inputs))
            leaves = structure.leaves(list(inputs))
            self._backend = detected(lambda w, h: rows(*w)[0], leaves, structure, {}, ())
        return self._backend

    def _check(self, moving):
        """Refuse what has no derivative, before it is searched."""
        h, X, name = self._usual, as_doubles(self._X), type(self._own).__name__
        inputs = [*h.values(), X] if moving else list(h.values())
        try:
            trace = self._trace(h, X, self._state, inputs)
        except UNKNOWN as error:
            if not moving:
                raise TypeError(f"forward of {name}: {error}") from error
            raise ValueError(f"{no_derivative(self._own)} ({error})") from error
        slopes = trace.pull([np.ones_like(trace.values[0])])
        for tuned, slope in zip(h, slopes, strict=False):
            if slope is None:
                raise ValueError(
                    f"forward of {name} does not depend on h[{tuned!r}], so its hypergradient "
                    f"would be zero. Read it from h, not from self.{tuned}; or leave it out of "
                    f"param_grid"
                )


def as_doubles(X):
    """Rows as fits take them."""
    return np.asarray(X, dtype=np.float64)


class DifferentiableTransformerFamily(TransformerFamily):
    """Transformers of one's own.

    Parameters
    ----------
    estimator : DifferentiableTransformer
    """

    estimator_class = DifferentiableTransformer

    def __init__(self, estimator):
        self.hyperparameters = estimator.tunable()

    def shape(self, estimator, name, per, X):
        return estimator.hyperparameter_shape(name, per, X)

    def features(self, estimator, rows, entries, seed):
        return ForwardFeatures(estimator, rows, list(entries), seed)


@transformer.register
def _(estimator: DifferentiableTransformer):
    return DifferentiableTransformerFamily(estimator)
