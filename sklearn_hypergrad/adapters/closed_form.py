"""Classifiers with a closed form in one hyperparameter: many values at the price of one.

A family of this kind states a ``ClosedFormSplit``: the decision values of the held-out rows of one
split for many values, their derivatives, and what a fit would have found.
"""

import abc

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad.adapters.base import SOLUTIONS, ProbabilisticFamily
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.problems.split_data import chunks

# Numbers that a split has for the values of a path which are computed together. Chosen by hand: 16
# MB, which holds a hundred values of most data sets.
MOST_NUMBERS = 2**21


class ClosedFormSplit(abc.ABC):
    """One split as a function of one hyperparameter."""

    @abc.abstractmethod
    def decisions(self, values):
        """Decision values of held-out rows, of shape (n_values, n_held_out, n_outputs).

        There is an output per class, of two classes one for the second.
        """

    @abc.abstractmethod
    def at(self, value):
        """``(decisions, slopes)`` of one value.

        The first are of shape (n_held_out, n_outputs); ``slopes()`` returns their derivatives.
        """

    @abc.abstractmethod
    def attributes(self, value):
        """The fitted attributes of an estimator with one value, as a dict."""


class ClosedFormModel(Model):
    """The closed forms of all splits.

    Parameters
    ----------
    data : SplitData
    name : str
        The hyperparameter.
    level : float
        The centre of a scan without bounds.
    splits : list of ClosedFormSplit
    cheap : bool, default=True
        Whether many values cost little more than one. If not there is no path, and values are
        scanned one by one.
    """

    # Shares and counts do not stand against a sum over rows.
    penalty_scale = None

    def __init__(self, data, name, level, splits, *, cheap=True):
        super().__init__(data)
        self.name, self.splits = name, splits
        self._level = level
        if not cheap:
            self.path = None

    def levels(self):
        return {self.name: self._level}

    def path(self, values):
        values = np.asarray(values, dtype=float)
        size = sum(self.data.X.shape) * len(np.unique(self.data.labels))
        for chunk in chunks(len(values), size, MOST_NUMBERS):
            parts = [split.decisions(values[chunk]) for split in self.splits]
            yield from map(np.concatenate, zip(*parts, strict=True))

    def train_many(self, several):
        if self.path is None:
            return None
        found = self.path([h[self.name] for h in several])
        return [Fitted(z, None, n_solves=self.data.n_splits) for z in found]

    def fit(self, h, start, tol):
        value = float(h[self.name])
        decisions, slopes = zip(*(split.at(value) for split in self.splits), strict=True)

        def pullback(g):
            found = np.concatenate([each() for each in slopes])
            return Pulled({self.name: np.sum(g * found)})

        return Fitted(np.concatenate(decisions), pullback, n_solves=self.data.n_splits)


class ClosedFormFamily(ProbabilisticFamily):
    """Families whose models are a ClosedFormModel."""

    def rows_from(self, estimator):
        return SOLUTIONS

    def install(self, estimator, model, fitted, h):
        value, data = float(h[model.name]), model.data
        common = {"classes_": np.unique(data.labels), "n_features_in_": data.X.shape[1]}
        for split in model.splits:
            own = clone(estimator).set_params(**{model.name: value})
            for name, found in (common | split.attributes(value)).items():
                setattr(own, name, found)
            yield own
