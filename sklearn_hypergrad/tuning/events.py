"""Progress events of a search: its stages, the listeners, and the exceptions that end it."""

import contextlib
import dataclasses
from collections.abc import Callable

SEARCH, ONE_SE, COMPARISON = "search", "one standard error", "comparison"
# The reason in the message of a search that Ctrl-C ended.
INTERRUPTED = "interrupted"


class Stopped(BaseException):
    """Raised to end a search, which then returns the best of its evaluations so far.

    Listeners of :func:`minimize` and callbacks of scikit-learn may raise it. It is not an
    Exception, so that no ``except Exception`` catches it by mistake.

    Parameters
    ----------
    reason : str
        Why the search ends: its ``stopping_reason_``.
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class StorageError(OSError):
    """Raised if a result cannot be written or read.

    Whoever goes on after errors of user code must not go on after this one.
    """


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a search whose losses can be compared: one loss on the same splits. Plain data.

    Attributes
    ----------
    place : str
        Which of several searches this is: the enumerated settings, the fold of a guard.
    purpose : {"search", "one standard error", "comparison"}
        Why losses are evaluated: for the optimizer, for ``selection``, or to compare the result.
    splits : {"cv", "search_cv"}
        The argument of the search that the splits are from.
    loss : str
        Name of the validation loss.
    shown : str
        Its name in reports, where a score is written as a loss ("1 - r2").
    overlap : float
        Mean ratio of held-out to training rows if splits hold rows out more than once, else zero;
        see ``standard_error``.
    at_most : int or None
        Largest number of evaluations of the stage; None if the optimizer has no such budget.
    """

    place: str = ""
    purpose: str = SEARCH
    splits: str = "cv"
    loss: str = ""
    shown: str = ""
    overlap: float = 0.0
    at_most: int | None = None

    def then(self, purpose):
        """The stage that follows on the same splits, without a budget of evaluations."""
        return dataclasses.replace(self, purpose=purpose, at_most=None)


@dataclasses.dataclass(frozen=True)
class Events:
    """The listeners of an objective, its memory, and what may stop it.

    Attributes
    ----------
    listeners : tuple of callable
        ``listener(stage, record, settings)`` is called after every evaluation, in the calling
        process; ``settings`` is the next attribute.
    settings : callable
        ``settings(h)`` returns parameters for ``set_params`` of the estimator.
    watch : callable
        ``watch()`` is called before every evaluation and every step of training, and may raise
        ``Stopped``. The default does nothing.
    memory : callable or None
        ``memory(objective)`` returns the Memory of an objective, which knows its evaluations in an
        earlier run; None if nothing is remembered.
    """

    listeners: tuple = ()
    settings: Callable = dict
    watch: Callable = bool
    memory: Callable | None = None

    def unstoppable(self):
        """The same for evaluations that a result needs: only Ctrl-C stops them."""
        listeners = tuple(map(_heard, self.listeners))
        return dataclasses.replace(self, listeners=listeners, watch=bool)


def _heard(listener):
    """A listener that may not stop a search."""

    def listen(*event):
        with contextlib.suppress(Stopped):
            listener(*event)

    return listen
