"""Transformers side by side: what they make of the same rows are the columns of the result.

Each part has columns of the rows that enter, and a weight. With X'_k of part k and its weight w_k,
the result and its derivative are ::

    X' = [w_1 X'_1, w_2 X'_2, ...]        dL/dX = sum_k w_k dL/dX'_k dX'_k/dX

where a column that enters several parts gets the sum. Parts that no hyperparameter reaches are
fitted once, by scikit-learn's own code: they may be anything.
"""

import abc
import dataclasses
from typing import Any

import numpy as np
from scipy.sparse import hstack, issparse

from sklearn_hypergrad._sklearn import columns_of
from sklearn_hypergrad.problems.split_data import numbers_of
from sklearn_hypergrad.transformers.base import Features, Transformed, seed_in, transformer
from sklearn_hypergrad.transformers.composed import (
    ComposedFamily,
    features_of,
    prefixed,
    values_of,
)

# What is written in the place of a transformer.
DROP, PASSTHROUGH = "drop", "passthrough"
NONE = np.arange(0)


@dataclasses.dataclass(frozen=True)
class Part:
    """A transformer of some columns.

    Attributes
    ----------
    name : str
    step : estimator or "passthrough"
    columns : object
        As a ColumnTransformer takes them, but no function. None is all of them.
    """

    name: str
    step: Any
    columns: Any = None

    def given(self, X):
        """Its columns of some rows, as they are."""
        return X if self.columns is None else columns_of(X, self.columns)

    def of(self, X):
        """Its columns of some rows; numbers if its transformer takes such."""
        family = None if self.step == PASSTHROUGH else transformer(self.step)
        takes_numbers = self.step == PASSTHROUGH or (family is not None and family.takes_numbers)
        return numbers_of(self.given(X)) if takes_numbers else self.given(X)


class PartsFamily(ComposedFamily):
    """Families of transformers that stand side by side.

    Parameters
    ----------
    steps : list of (str, estimator or str)
    """

    takes_numbers = False

    def __init__(self, steps):
        super().__init__((name, step) for name, step in steps if step != DROP)

    @abc.abstractmethod
    def parts(self, estimator, X):
        """The Parts of an estimator that is fitted on rows X, without those that do nothing."""

    def keeps_sparse(self, estimator, density):
        """Whether results of which some are sparse stay sparse, with this share of entries."""
        return True

    def configuration_obstacle(self, estimator, names, moving):
        for name in self.families:
            if self.step(estimator, name) == PASSTHROUGH:
                continue
            obstacle = self.obstacle_of(estimator, name, names, moving)
            if obstacle is not None:
                return obstacle
        return None

    def entering(self, estimator, name, X):
        (own,) = [part for part in self.parts(estimator, X) if part.name == name]
        return own.of(X)

    def features(self, estimator, rows, entries, seed):
        parts = self.parts(estimator, rows.train)
        weights = estimator.transformer_weights or {}
        weights = [1.0 if weights.get(p.name) is None else weights[p.name] for p in parts]
        return PartsFeatures(
            [Placed(*pair, rows, entries, seed) for pair in zip(parts, weights, strict=True)],
            rows.X,
            lambda density: self.keeps_sparse(estimator, density),
        )


class Placed:
    """A part of the rows of one split.

    Parameters
    ----------
    part : Part
    weight : float
    rows : Rows
        All columns.
    entries : dict of str -> ndarray or None
        The hyperparameters that are tuned, such as ``map__gamma``, and their entries.
    seed : int

    Attributes
    ----------
    name : str
    fixed : bool
        Whether its rows are the same everywhere.
    """

    def __init__(self, part, weight, rows, entries, seed):
        self.name, self._part, self._weight = part.name, part, weight
        self._X, self._own = rows.X, part.of(rows.X)
        tuned = values_of(part.name, entries)
        self.fixed = not (tuned or rows.moving)
        own = dataclasses.replace(rows, X=self._own)
        self._features = None
        if part.step != PASSTHROUGH:
            self._features = features_of(part.step, own, tuned, seed_in(seed, part.name))
        if self.fixed:
            self._left = self._weighted({}, rows.X)

    def levels(self):
        """Those of its features, by names that the other parts do not have."""
        return prefixed(self.name, self._features.levels()) if self._features else {}

    def usual(self):
        """The same for usual values."""
        return prefixed(self.name, self._features.usual()) if self._features else {}

    def limits(self):
        """The same, for limits."""
        return prefixed(self.name, self._features.limits()) if self._features else {}

    def at(self, h, X):
        """The rows that leave it, times its weight, at values of all parts."""
        return self._left if self.fixed else self._weighted(h, X)

    def _weighted(self, h, X):
        own = self._own if X is self._X else self._part.of(X)
        if self._features is None:
            left = Transformed(own, lambda G, through: ({}, G))
        else:
            left = self._features.at(values_of(self.name, h), own)

        def pull(G, through):
            slopes, pulled = left.pull(self._weight * G, through)
            return prefixed(self.name, slopes), pulled

        X = numbers_of(left.X)
        columns = NONE if self.fixed else left.columns
        return Transformed(X if self._weight == 1 else X * self._weight, pull, columns)

    def add(self, pulled, X_bar):
        """Add derivatives in its own columns to those in all columns."""
        places = self._part.given(np.arange(X_bar.shape[1])[None])[0]
        # A column may enter more than once.
        np.add.at(X_bar, (slice(None), places), pulled)


class PartsFeatures(Features):
    """The rows that leave all parts, beside each other.

    Parameters
    ----------
    parts : list of Placed
    X : array-like
        The rows that enter.
    keeps_sparse : callable
        As of PartsFamily, of a density.
    """

    def __init__(self, parts, X, keeps_sparse):
        self._parts, self._keeps_sparse = parts, keeps_sparse

    def levels(self):
        return {name: level for part in self._parts for name, level in part.levels().items()}

    def usual(self):
        return {name: value for part in self._parts for name, value in part.usual().items()}

    def limits(self):
        return {name: both for part in self._parts for name, both in part.limits().items()}

    def at(self, h, X):
        left = [part.at(h, X) for part in self._parts]
        columns = _columns(left)
        ends = np.cumsum([0, *map(len, columns)])

        def pull(G, through):
            gradient, X_bar = {}, np.zeros(X.shape) if through else None
            for number, (part, each) in enumerate(zip(self._parts, left, strict=True)):
                slopes, pulled = each.pull(G[:, ends[number] : ends[number + 1]], through)
                gradient |= slopes
                if through:
                    part.add(pulled, X_bar)
            return gradient, X_bar

        X_left = self._beside([each.X for each in left])
        return Transformed(X_left, pull, np.concatenate(columns))

    def _beside(self, blocks):
        if any(map(issparse, blocks)):
            entries = sum(X.nnz if issparse(X) else X.size for X in blocks)
            if self._keeps_sparse(entries / sum(np.prod(X.shape) for X in blocks)):
                return hstack(blocks, format="csr")
            blocks = [X.toarray() if issparse(X) else X for X in blocks]
        return np.hstack(blocks)


def _columns(left):
    """For each part, the columns that depend on anything, as numbers among those of all parts."""
    widths = [each.X.shape[1] for each in left]
    starts = np.cumsum([0, *widths])
    return [
        start + np.arange(width)[each.columns]
        for start, width, each in zip(starts, widths, left, strict=False)
    ]
