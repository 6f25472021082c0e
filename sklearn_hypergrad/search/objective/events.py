"""What is told of a search while it runs, and to whom."""

import dataclasses
from collections.abc import Callable

SEARCH, ONE_SE, COMPARISON = "search", "one standard error", "comparison"
# Losses whose names say something else.
SHOWN = {"r2": "1 - r2"}


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a search whose losses can be compared: one loss on the same splits.

    Attributes
    ----------
    place : str
        Which of several searches this is: those of enumerated settings, of the folds of a guard.
    purpose : {"search", "one standard error", "comparison"}
        What is evaluated: where the optimizer goes, where ``selection`` goes from there, or what
        the result is compared with.
    splits : str
        The argument of the search that the splits are from.
    loss : str
        Name of the validation loss.
    settings : callable
        ``settings(h)`` is what ``set_params`` of the estimator takes.
    at_most : int or None
        Evaluations that are to come at its begin; None if the optimizer has no budget of them.
    listeners : tuple of callable
        ``listener(stage, record)`` is called after every evaluation, in the calling process.
    """

    place: str = ""
    purpose: str = SEARCH
    splits: str = "cv"
    loss: str = ""
    settings: Callable = dict
    at_most: int | None = None
    listeners: tuple = ()

    def tell(self, record):
        """Tell all listeners of an evaluation."""
        for listener in self.listeners:
            listener(self, record)

    def then(self, purpose):
        """What follows this stage on the same splits, without a budget of evaluations."""
        return dataclasses.replace(self, purpose=purpose, at_most=None)


UNWATCHED = Stage()
