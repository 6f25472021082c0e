"""The search's own arguments, resolved."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Options:
    """The search's own arguments, resolved, and who is told about evaluations.

    Attributes
    ----------
    method : Hypergradient, OnlineHypergradient or None
        None: the usual one of the model.
    optimizer : Optimizer or None
        None: the usual one of the strategy.
    validation_loss : str
    search_cv : "auto", "loo" or splitter
    shrinkage : float or None
        None: that of the hyperparameter.
    guard : bool
    tol : float
    max_iter : int
    seed : int
    resample : {"fixed", "fresh"}
    refit : bool, str or callable
    selection : {"best", "one_se"}
    place : str
        Which of several searches this is: enumerated settings, a fold of a guard.
    listeners : tuple of callable
        Who is told about evaluations.
    """

    method: object | None
    optimizer: object
    validation_loss: str
    search_cv: object
    shrinkage: float | None
    guard: bool
    tol: float
    max_iter: int
    seed: int
    resample: str = "fixed"
    refit: bool | str | Callable = True
    selection: str = "best"
    place: str = ""
    listeners: tuple = ()
