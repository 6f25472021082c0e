"""Steps one behind the other, as in a Pipeline: the rows of each are those that the last one left.

Derivatives go back from the last step to the first one that is tuned. Steps before that one, which
no hyperparameter reaches, are fitted once. A step behind it must have derivatives in its rows.
"""

import dataclasses

from sklearn.pipeline import Pipeline

from sklearn_hypergrad.transformers.base import (
    Features,
    Transformed,
    TransformerFamily,
    no_derivative,
    transformer,
)
from sklearn_hypergrad.transformers.fixed import FixedFeatures


class SequenceFamily(TransformerFamily):
    """The steps of a Pipeline that has no model, or those before its model.

    Parameters
    ----------
    steps : list of (str, estimator)
    """

    estimator_class = Pipeline

    def __init__(self, steps):
        self._names = [name for name, step in steps if step not in (None, "passthrough")]
        self._families = {name: transformer(step) for name, step in steps if name in self._names}
        # The features that enter later steps are those that others have made.
        self.hyperparameters = {
            f"{name}__{own}": each if name == self._names[0] else dataclasses.replace(each, per=())
            for name, family in self._families.items()
            if family is not None
            for own, each in family.hyperparameters.items()
        }

    @property
    def takes_numbers(self):
        """Whether the first step takes a matrix of numbers."""
        family = self._families[self._names[0]] if self._names else None
        return family is not None and family.takes_numbers

    def steps_of(self, estimator):
        """``(name, step)`` of a pipeline, those that do nothing left out."""
        steps = dict(estimator.steps)
        return [(name, steps[name]) for name in self._names]

    def configuration_obstacle(self, estimator, names, moving):
        for name, step in self.steps_of(estimator):
            family, own = self._families[name], names_of(name, names)
            if family is None and moving:
                return no_derivative(step)
            if family is not None and (own or moving):
                obstacle = family.obstacle(step, own, moving)
                if obstacle is not None:
                    return obstacle
            moving = moving or bool(own)
        return None

    def unused(self, estimator, name):
        place, _, own = name.partition("__")
        return self._families[place].unused(dict(estimator.steps)[place], own)

    def own_value(self, estimator, name, X):
        place, _, own = name.partition("__")
        return self._families[place].own_value(dict(estimator.steps)[place], own, X)

    def class_with_vectors(self, name):
        place, _, own = name.partition("__")
        return self._families[place].class_with_vectors(own) if place == self._names[0] else None

    def features(self, estimator, rows, entries, seed):
        return SequenceFeatures(self.steps_of(estimator), rows, entries, seed)


class SequenceFeatures(Features):
    """The rows that leave the last step.

    Parameters
    ----------
    steps : list of (str, estimator)
    rows : Rows
    entries : dict of str -> ndarray or None
        The hyperparameters that are tuned, such as ``nystroem__gamma``, and their entries.
    seed : int
    """

    def __init__(self, steps, rows, entries, seed):
        self._parts, self._levels = [], {}
        for name, step in steps:
            own = values_of(name, entries)
            part = features_of(step, rows, own, seed)
            levels = part.levels()
            self._parts.append((name, part, rows.moving, bool(own)))
            self._levels |= {f"{name}__{each}": level for each, level in levels.items()}
            X = part.at({each: levels[each] for each in own}, rows.X).X
            rows = dataclasses.replace(rows, X=X, moving=rows.moving or bool(own))

    def levels(self):
        return self._levels

    def at(self, h, X):
        passed = []
        for name, part, moving, tuned in self._parts:
            left = part.at(values_of(name, h), X)
            if moving or tuned:
                passed.append((name, left.pull, moving))
            X = left.X

        def pull(G, through):
            gradient = {}
            for number, (name, pull, moving) in reversed(list(enumerate(passed))):
                own, G = pull(G, moving or (through and number == 0))
                gradient |= {f"{name}__{each}": slope for each, slope in own.items()}
            return gradient, G if through else None

        return Transformed(X, pull)


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


@transformer.register
def _(estimator: Pipeline):
    return SequenceFamily(estimator.steps) if type(estimator) is Pipeline else None
