"""The search's own arguments, resolved."""

import dataclasses
from collections.abc import Callable

from sklearn_hypergrad.tuning import Stage


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

    @property
    def run(self):
        """What an optimizer is told about the length of its run."""
        return {"tol": self.tol, "max_iter": self.max_iter}

    def watched(self, place, *listeners):
        """The same for a search at a place that listeners are told about."""
        return dataclasses.replace(self, place=place, listeners=listeners)

    def inside(self, place):
        """The same for a search within this one."""
        place = ", ".join(filter(None, (self.place, place)))
        return dataclasses.replace(self, place=place)

    def stage(self, **facts):
        """A Stage of this search."""
        return Stage(place=self.place, **facts)
