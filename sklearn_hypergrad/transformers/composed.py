"""Transformers that are made of steps: whose hyperparameters are those of the steps, with a prefix.

A step that is called ``map`` and has ``gamma`` gives ``map__gamma``.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.spaces.continuous import is_number
from sklearn_hypergrad.transformers.base import TransformerFamily, no_derivative, transformer
from sklearn_hypergrad.transformers.fixed import FixedFeatures


class ComposedFamily(TransformerFamily):
    """Families of transformers that are made of steps.

    Parameters
    ----------
    steps : list of (str, estimator)
        Those that do something.
    first : str or None
        The step that the features of the data enter, as they are: only there a hyperparameter may
        have one value for each of them.

    Attributes
    ----------
    families : dict
        The family of each step, None for those that are not tuned.
    """

    def __init__(self, steps, first=None):
        self._first = first
        self.families = {name: transformer(step) for name, step in steps}
        self.hyperparameters = {
            f"{name}__{own}": each if name == first else _of_no_features(each)
            for name, family in self.families.items()
            if family is not None
            for own, each in family.hyperparameters.items()
        }

    def step(self, estimator, name):
        """The step of a name in an estimator."""
        return estimator.get_params()[name]

    def obstacle_of(self, estimator, name, names, moving):
        """Why a step cannot be differentiated, or None; parameters are those of ``obstacle``."""
        family, step, own = self.families[name], self.step(estimator, name), names_of(name, names)
        if family is None:
            return no_derivative(step) if moving else None
        return family.obstacle(step, own, moving) if own or moving else None

    def unused(self, estimator, name):
        place, _, own = name.partition("__")
        return self.families[place].unused(self.step(estimator, place), own)

    def own_value(self, estimator, name, X):
        place, _, own = name.partition("__")
        step = self.step(estimator, place)
        value = step.get_params()[own]
        if is_number(value):
            return value
        # Without their targets, steps before it may fail, and data may be no numbers.
        try:
            return self.families[place].own_value(step, own, self.entering(estimator, place, X))
        except (TypeError, ValueError):
            return np.nan

    def shape(self, estimator, name, per, X):
        place, _, own = name.partition("__")
        return self.families[place].shape(self.step(estimator, place), own, per, X)

    def entry_names(self, name):
        place, _, own = name.partition("__")
        return self.families[place].entry_names(own)

    def parameter(self, name, value):
        place, _, own = name.partition("__")
        return self.families[place].parameter(own, value)

    def class_with_vectors(self, name):
        place, _, own = name.partition("__")
        return self.families[place].class_with_vectors(own) if place == self._first else None

    def entering(self, estimator, name, X, y=None):
        """The rows that enter a step, at own values of the others; y are targets, if known."""
        return X


def _of_no_features(hyperparameter):
    """A hyperparameter without values for each feature."""
    per = tuple(each for each in hyperparameter.per if each == "transformer")
    return dataclasses.replace(hyperparameter, per=per)


def features_of(estimator, rows, entries, seed):
    """The Features of a step: fixed ones if no hyperparameter reaches it."""
    if not entries and not rows.moving:
        return FixedFeatures(estimator, rows, seed)
    return transformer(estimator).features(estimator, rows, entries, seed)


def names_of(step, names):
    """The names of a step's own hyperparameters, as it calls them."""
    prefix = f"{step}__"
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def values_of(step, h):
    """What a dict has of a step's own hyperparameters, by its names."""
    prefix = f"{step}__"
    return {n.removeprefix(prefix): value for n, value in h.items() if n.startswith(prefix)}


def prefixed(step, values):
    """The values of a step's own hyperparameters, by the names that they have outside of it."""
    return {f"{step}__{name}": value for name, value in values.items()}
