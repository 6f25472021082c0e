"""Rows whose parts are loaded one after the other in this process."""

import abc

from sklearn_hypergrad.rows.base import Rows, TreeSum
from sklearn_hypergrad.threads import in_threads, n_sharing


class LoadedRows(Rows):
    """Rows with a list of parts, each of which ``load`` returns.

    As many parts are in memory as there are threads.
    """

    @property
    @abc.abstractmethod
    def places(self):
        """What ``load`` takes, for every part, in order."""

    @abc.abstractmethod
    def load(self, place):
        """Load one part.

        Parameters
        ----------
        place : tuple
            One of ``places``.

        Returns
        -------
        Part
        """

    def sums(self, function):
        total, places = TreeSum(), self.places
        at_once = max(1, n_sharing())
        for start in range(0, len(places), at_once):
            window = places[start : start + at_once]
            for term in in_threads(lambda place: function(self.load(place)), window):
                total.add(term)
        return total.total()
