"""Stops: how far a search, or the fits of its rows, came before Ctrl-C or another stop.

Their text is a line of ``remarks_``.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Stop:
    """The end of a search before all candidates were searched to their end.

    Attributes
    ----------
    reason : str
        "interrupted" by Ctrl-C, or what ``Stopped`` said.
    message : str
        The same, after how many evaluations of the candidate that was searched.
    n_left : int
        Number of candidates that were not begun.
    """

    reason: str
    message: str
    n_left: int

    def __str__(self):
        are = "setting was" if self.n_left == 1 else "settings were"
        left = f", and {self.n_left} {are} not begun" * bool(self.n_left)
        how = f"The search was stopped ({self.message})"
        return f"{how}: it gives its best point so far{left}. {_remedy(self.reason)}"


@dataclasses.dataclass(frozen=True)
class RowsStop:
    """The end of scikit-learn's fits before all rows were complete.

    Attributes
    ----------
    reason : str
    n_rows : int
        Rows that were to be fitted.
    n_fitted : int
        Rows whose fits are complete.
    n_scored, n_unscored : int
        Points found whose rows have the scores of the search, and those that have none: the
        descended loss is not the asked score.
    """

    reason: str
    n_rows: int
    n_fitted: int
    n_scored: int
    n_unscored: int

    @property
    def message(self):
        """What is added to ``stopping_reason_``."""
        return f"{self.reason} after the fits of {self.n_fitted} of {self.n_rows} rows"

    def __str__(self):
        parts = [f"{self.n_fitted} of {self.n_rows} rows of cv_results_ were fitted"]
        if self.n_scored:
            parts.append(f"{self.n_scored} not fitted, with scores of the search's own models")
        if self.n_unscored:
            parts.append(
                f"{self.n_unscored} not fitted, without scores; if no row has one, the best has "
                f"the smallest descended loss"
            )
        n_left = self.n_rows - self.n_fitted - self.n_scored - self.n_unscored
        if n_left:
            parts.append(f"{n_left} left out")
        how = f"The fits of scikit-learn were stopped ({self.reason})"
        return f"{how}: {'; '.join(parts)}. {_remedy(self.reason)}"


def evaluations(number, at_most):
    """Text: a number of evaluations, of a largest number that optimizers may exceed."""
    most = f" of at most {at_most}" if number <= at_most else ""
    return f"{number}{most} evaluation{'s' * ((at_most if most else number) != 1)}"


def _remedy(reason):
    do = "Raise max_time" if reason.startswith("max_time") else "Fit again"
    return f"{do} for the whole search."
