"""A model, its data and the range of its penalty."""

import functools

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv, cross_val_score

from benchmarks.speed.searches import TimedSearch

LOW, HIGH = 1e-4, 1e4


class Task:
    """What all contenders have in common.

    Parameters
    ----------
    title : str
    model : Model
    X, y : data
    vector : Continuous, default=None
        Penalties with many entries; None tunes one value between ``LOW`` and ``HIGH``.
    cv : int, default=5
    new : tuple, default=None
        X and y that no search sees.
    """

    def __init__(self, title, model, X, y, *, vector=None, cv=5, new=None):
        self.title = title
        self.model = model
        self.X = X
        self.y = y
        self.vector = vector
        self.cv = cv
        self.new = new

    def search(self, kind=TimedSearch, **options):
        """An unfitted search of ours."""
        estimator = self.model.plain if self.vector is None else self.model.vector
        space = [LOW, HIGH] if self.vector is None else self.vector
        grid = {self.model.key: space}
        return kind(estimator, grid, scoring=self.model.scoring, cv=self.cv, **options)

    def parts(self):
        """``(X, y)`` of every training part, and of all data at the end."""
        splitter = check_cv(self.cv, self.y, classifier=is_classifier(self.model.plain))
        trains = [train for train, _ in splitter.split(self.X, self.y)]
        return [*((self.X[train], self.y[train]) for train in trains), (self.X, self.y)]

    @functools.cached_property
    def level(self):
        """The value that our search finds, of a vector its geometric mean.

        Plain fits are made there: how long a fit takes depends on the penalty.
        """
        found = self.search().fit(self.X, self.y)
        return float(np.exp(np.mean(np.log(found.best_params_[self.model.key]))))

    @functools.cached_property
    def at_level(self):
        """scikit-learn's estimator with that value."""
        return clone(self.model.plain).set_params(**{self.model.key: self.level})

    def loss(self, value):
        """Mean cross-validated loss of fits that have converged."""
        how = {"cv": self.cv, "scoring": self.model.scoring}
        return -cross_val_score(self._exact(value), self.X, self.y, **how).mean()

    def new_loss(self, value):
        """Loss on new data."""
        model = self._exact(value).fit(self.X, self.y)
        return -get_scorer(self.model.scoring)(model, *self.new)

    def _exact(self, value):
        return clone(self.model.exact).set_params(**{self.model.key: value})
