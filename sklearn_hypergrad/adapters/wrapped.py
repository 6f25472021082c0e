"""Estimators that fit copies of an estimator of a known family inside of themselves.

Each copy is fitted on targets of its own, with the same hyperparameters: those of the estimator
inside, by the names that ``set_params`` of the wrapper takes, such as ``estimator__alpha``. The
models of all copies stand side by side: their predictions are the columns of one prediction, and
derivatives in the common hyperparameters add up.

A wrapper is one file: a ``WrapperFamily`` that states the targets of its copies, and how a fitted
wrapper is made of fitted copies.
"""

import abc
import dataclasses
import functools

import numpy as np
from sklearn.base import clone

from sklearn_hypergrad.adapters.base import FITS, SOLUTIONS, Family, family, inner_values
from sklearn_hypergrad.adapters.side_by_side import SideBySide
from sklearn_hypergrad.spaces.continuous import plain

# Facts about the estimator inside that hold for its wrapper, too.
COMMON = (
    "takes",
    "largest_matrix",
    "knows_scales",
    "needs_offsets",
    "one_split",
    "differentiates_rows",
)
# The families of all wrappers, by their classes.
WRAPPERS = {}


class WrapperFamily(Family):
    """Families of wrappers.

    Parameters
    ----------
    wrapper : estimator
    found : Family
        The family of the estimator inside.

    Attributes
    ----------
    inside : str
        The parameter of the wrapper that holds this estimator.
    kinds : tuple of str
        The kinds of predictions that the models of this estimator may have.
    """

    inside = "estimator"
    kinds = ()

    def __init__(self, wrapper, found):
        self.wrapper, self.found = wrapper, found
        self.prefix = f"{self.inside}__"
        self.hyperparameters = inner_values(found, self.prefix)
        for fact in COMMON:
            setattr(self, fact, getattr(found, fact))

    @classmethod
    def around(cls, wrapper):
        """The family of a wrapper; None if the estimator inside is not searched there."""
        found = family(getattr(wrapper, cls.inside))
        if found is None or found.trained or found.takes not in cls.kinds:
            return None
        return cls(wrapper, found)

    @abc.abstractmethod
    def targets(self, labels):
        """The targets of every copy, in a list: arrays as its ``fit`` takes them."""

    @abc.abstractmethod
    def assembled(self, wrapper, copies, labels):
        """A fitted wrapper of fitted copies.

        Parameters
        ----------
        wrapper : estimator
            A clone, which is changed.
        copies : tuple of estimator
        labels : ndarray of shape (n_samples, ...)
            Targets of all rows, as the user gave them.
        """

    @staticmethod
    def copies(wrapper):
        """The fitted copies in a fitted wrapper, in a list."""
        return wrapper.estimators_

    def copy_of(self, wrapper):
        """The estimator inside of a wrapper."""
        return getattr(wrapper, self.inside)

    def own_name(self, name):
        """The name of a hyperparameter in the estimator inside."""
        return name.removeprefix(self.prefix)

    def obstacle(self, estimator, names=()):
        own = [self.own_name(name) for name in names]
        inside = self.found.obstacle(self.copy_of(estimator), own)
        return super().obstacle(estimator) or inside

    def as_taken(self, X):
        return self.found.as_taken(X)

    def shape(self, estimator, name, per, data):
        copy = self.copy_of(estimator)
        return self.found.shape(copy, self.own_name(name), per, next(self._parts(copy, data)))

    def check(self, estimator, name, data):
        copy = self.copy_of(estimator)
        self.found.check(copy, self.own_name(name), next(self._parts(copy, data)))

    def unused(self, estimator, name):
        return self.found.unused(self.copy_of(estimator), self.own_name(name))

    def own_value(self, estimator, name, data):
        return self.found.own_value(self.copy_of(estimator), self.own_name(name), data)

    def own_loss(self, estimator):
        return self.found.own_loss(self.copy_of(estimator))

    def has_intercept(self, estimator):
        return self.found.has_intercept(self.copy_of(estimator))

    def fewest_rows(self, n_features):
        return self.found.fewest_rows(n_features)

    def encode(self, labels):
        return np.hstack([self.found.encode(each) for each in self.targets(labels)])

    def check_parts(self, labels, trains):
        for each in self.targets(labels):
            self.found.check_parts(each, trains)

    def rows_from(self, estimator):
        closed = self.found.rows_from(self.copy_of(estimator)) == SOLUTIONS
        return SOLUTIONS if closed else FITS

    def model(self, estimator, data, entries, seed):
        copy, entries = self.copy_of(estimator), {self.own_name(n): i for n, i in entries.items()}
        models = []
        for part in self._parts(copy, data):
            # In the basis of the first one.
            part = dataclasses.replace(part, X=models[0].data.X) if models else part
            models.append(self.found.model(copy, part, entries, seed))
        data = dataclasses.replace(data, X=models[0].data.X)
        return SideBySide(data, models, self.prefix)

    def _parts(self, copy, data):
        """Yield the data of every copy."""
        for labels in self.targets(data.labels):
            weights = [
                self.found.training_weight(copy, labels[train], weight)
                for train, weight in zip(data.trains, data.weights, strict=True)
            ]
            y = self.found.encode(labels)
            yield dataclasses.replace(data, y=y, labels=labels, weights=weights)

    def install(self, estimator, model, fitted, h):
        own = functools.partial(self.found.install, self.copy_of(estimator))
        return self._installed(estimator, model, fitted, h, own)

    def install_behind(self, estimator, model, fitted, h, block, means=None):
        def own(*arguments):
            return self.found.install_behind(self.copy_of(estimator), *arguments, block, means)

        return self._installed(estimator, model, fitted, h, own)

    def _installed(self, estimator, model, fitted, h, install):
        h = model.own(h)
        splits = model.installed(lambda own, of: install(own, of, h), fitted)
        if splits is None:
            return None
        numbers = {name: plain(value) for name, value in h.items()}
        return (
            self.assembled(
                clone(estimator), [c.set_params(**numbers) for c in copies], model.data.labels
            )
            for copies in splits
        )


def register(wrapper_family):
    """Register a WrapperFamily for its class; usable as a decorator."""
    WRAPPERS[wrapper_family.estimator_class] = wrapper_family
    family.register(wrapper_family.estimator_class)(wrapper_family.around)
    return wrapper_family


def inside_of(estimator, key):
    """The estimator inside of a wrapper, and the rest of a name that leads there; else None."""
    place, _, rest = key.partition("__")
    wrapper = WRAPPERS.get(type(estimator))
    known = wrapper is not None and rest and place == wrapper.inside
    return (getattr(estimator, place), rest) if known else None


def copies_in(estimator):
    """The fitted copies in a fitted wrapper, in a list; none of other estimators."""
    wrapper = WRAPPERS.get(type(estimator))
    return [] if wrapper is None else wrapper.copies(estimator)
