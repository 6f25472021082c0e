"""Stages of a search, what listeners are told about them, and what ends them early."""

import dataclasses
from collections.abc import Callable

SEARCH, ONE_SE, COMPARISON = "search", "one standard error", "comparison"
# The reason of a search that Ctrl-C has ended.
INTERRUPTED = "interrupted"


class Stopped(BaseException):
    """A search is to end here, with what it has found so far; no error, so nothing swallows it.

    Parameters
    ----------
    reason : str
        Why, in words: the ``stopping_reason_`` of the search.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a search whose losses can be compared: one loss on the same splits. Plain data.

    Attributes
    ----------
    place : str
        Which of several searches this is: that of some enumerated settings, of a fold of a guard.
    purpose : {"search", "one standard error", "comparison"}
        Why losses are evaluated: the optimizer asks for them, ``selection`` does, or the result is
        compared with something.
    splits : str
        The argument of the search that the splits are from.
    loss : str
        Name of the validation loss.
    shown : str
        The same in a report, where a score is told as a loss.
    at_most : int or None
        Evaluations that are to come at its begin; None if the optimizer has no budget of them.
    """

    place: str = ""
    purpose: str = SEARCH
    splits: str = "cv"
    loss: str = ""
    shown: str = ""
    at_most: int | None = None

    def then(self, purpose):
        """The stage that follows on the same splits, without a budget of evaluations."""
        return dataclasses.replace(self, purpose=purpose, at_most=None)


@dataclasses.dataclass(frozen=True)
class Events:
    """Who is told about every evaluation.

    Attributes
    ----------
    listeners : tuple of callable
        ``listener(stage, record, settings)`` is called after every evaluation, in the calling
        process.
    settings : callable
        ``settings(h)`` are the parameters for ``set_params`` of the estimator.
    """

    listeners: tuple = ()
    settings: Callable = dict
