"""What every strategy does: search a candidate, and tell at any time what it has found."""

import abc


class Strategy(abc.ABC):
    """One way to search a candidate.

    ``run`` may be stopped at any evaluation; ``result`` then tells what was found until there.

    Attributes
    ----------
    prepared : PreparedCandidate
    options : Options
    objective : Objective
        What is descended, with all evaluations.
    """

    @property
    @abc.abstractmethod
    def has_evaluated(self):
        """Whether there is anything to tell."""

    @abc.abstractmethod
    def run(self):
        """Search.

        Raises
        ------
        Stopped
            If it is interrupted, or a listener asks for an end.
        CannotSearch
            If the data make no objective, or it is nowhere finite.
        """

    @abc.abstractmethod
    def result(self, stopped=None):
        """The SearchedResult; ``stopped`` is the reason if ``run`` did not end by itself."""
