"""Reverse mode: backwards through a training run whose states are stored."""

import numpy as np

from sklearn_hypergrad.hypergradients.base import TrainedHypergradient, along
from sklearn_hypergrad.training import Checkpointed, GradientDescent, Stored

DTYPES = "float32", "float64"


class Reverse(TrainedHypergradient):
    """Reverse mode: exact, at the cost of about one and a half more trainings, whatever is tuned.

    See Franceschi, Donini, Frasconi, Pontil (2017), "Forward and Reverse Gradient-Based
    Hyperparameter Optimization", section 3.1.

    Parameters
    ----------
    n_checkpoints : int, default=None
        Number of states that are stored; the stretches between them are trained again on the way
        back, which costs one more training. The square root of the number of steps needs the least
        memory. None stores all states.
    dtype : {"float64", "float32"}, default=None
        Type of stored states. float32 halves the memory, at a relative error of about 1e-7. None
        stores them as they are.
    descent : GradientDescent, default=None
        How to train models that are otherwise solved, such as ridge and logistic regression. None
        is ``GradientDescent()``.

    Raises
    ------
    ValueError
        If ``n_checkpoints`` is below 1, ``dtype`` is another type, or both are given.
    """

    def __init__(
        self,
        n_checkpoints: int | None = None,
        *,
        dtype: str | None = None,
        descent: GradientDescent | None = None,
    ):
        super().__init__(descent=descent)
        if n_checkpoints is not None and n_checkpoints < 1:
            raise ValueError(f"n_checkpoints must be at least 1, or None, got {n_checkpoints!r}.")
        if dtype is not None and (str(np.dtype(dtype)) not in DTYPES or n_checkpoints is not None):
            raise ValueError(
                f"dtype must be one of {DTYPES} or None, and None with n_checkpoints, whose states "
                f"are few; got dtype={dtype!r} and n_checkpoints={n_checkpoints!r}."
            )
        self.n_checkpoints = n_checkpoints
        self.dtype = dtype

    def __repr__(self):
        shown = [f"n_checkpoints={self.n_checkpoints}"] * (self.n_checkpoints is not None)
        shown += [f"dtype={np.dtype(self.dtype).name!r}"] * (self.dtype is not None)
        return f"Reverse({', '.join(shown)})"

    def _train(self, run, storage):
        if self.n_checkpoints is not None:
            return along(run, Checkpointed(run, self.n_checkpoints, storage=storage))
        return along(run, Stored(run, dtype=self.dtype, storage=storage))
