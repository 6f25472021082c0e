"""The base class of strategies."""

import abc


class Strategy(abc.ABC):
    """One way to search a candidate.

    ``run`` may be stopped at any evaluation; ``result`` then returns the best of what was found.

    Attributes
    ----------
    prepared : PreparedCandidate
    options : Options
    objective : Objective
        The objective that is descended, with all its evaluations.
    asked : Objective or None
        The one on the user's cv, if its solutions may become rows of ``cv_results_``.
    """

    asked = None

    @property
    def n_evaluations(self):
        """Number of evaluations that have ended; from one on there is a result."""
        return len(self.objective.records)

    @abc.abstractmethod
    def run(self):
        """Search.

        Raises
        ------
        Stopped
            If the search is interrupted, or a listener stops it.
        CannotSearch
            If the data give no objective, or it is nowhere finite.
        """

    @abc.abstractmethod
    def result(self, stopped=None):
        """The SearchedResult.

        Parameters
        ----------
        stopped : str or None
            The reason if ``run`` was stopped before its end.

        Returns
        -------
        SearchedResult
        """
