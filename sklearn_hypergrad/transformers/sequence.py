"""Steps one behind the other, as in a Pipeline: the rows of each are those that the last one left.

Derivatives go back from the last step to the first one that is tuned. Steps before that one, which
no hyperparameter reaches, are fitted once. A step behind it must have derivatives in its rows.
"""

import dataclasses

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.problems.split_data import numbers_of
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.base import Features, Transformed, seed_in, transformer
from sklearn_hypergrad.transformers.composed import (
    ComposedFamily,
    features_of,
    names_of,
    prefixed,
    values_of,
)
from sklearn_hypergrad.transformers.fixed import fit_transform


class SequenceFamily(ComposedFamily):
    """The steps of a Pipeline that has no model, or those before its model.

    Parameters
    ----------
    steps : list of (str, estimator)
    """

    estimator_class = Pipeline

    def __init__(self, steps):
        steps = [(name, step) for name, step in steps if step not in (None, "passthrough")]
        # The features that enter later steps are those that others have made.
        super().__init__(steps, steps[0][0] if steps else None)

    @property
    def takes_numbers(self):
        """Whether the first step takes a matrix of numbers."""
        first = next(iter(self.families.values()), None)
        return first is not None and first.takes_numbers

    def steps_of(self, estimator):
        """``(name, step)`` of a pipeline, those that do nothing left out."""
        steps = dict(estimator.steps)
        return [(name, steps[name]) for name in self.families]

    def step(self, estimator, name):
        return dict(estimator.steps)[name]

    def configuration_obstacle(self, estimator, names, moving):
        for name in self.families:
            obstacle = self.obstacle_of(estimator, name, names, moving)
            if obstacle is not None:
                return obstacle
            moving = moving or bool(names_of(name, names))
        return None

    def entering(self, estimator, name, X, y=None):
        with warnings_here("ignore"):
            for other, step in self.steps_of(estimator):
                if other == name:
                    break
                X = fit_transform(clone(step), X, y)
        return X

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
        self._parts, self._levels, self._usual, self._limits = [], {}, {}, {}
        # What steps that are fixed leave to the first one that is not.
        self._start = None
        for name, step in steps:
            own = values_of(name, entries)
            behind_fixed = self._start is not None and not self._parts
            if own and behind_fixed and transformer(step).takes_numbers:
                self._start = numbers_of(self._start)
                rows = dataclasses.replace(rows, X=self._start)
            part = features_of(step, rows, own, seed_in(seed, name))
            if not (own or rows.moving):
                self._start = part.at({}, rows.X).X
                rows = dataclasses.replace(rows, X=self._start)
                continue
            usual = {each: part.usual()[each] for each in own}
            self._parts.append((name, part, rows.moving))
            self._levels |= prefixed(name, part.levels())
            self._usual |= prefixed(name, usual)
            self._limits |= prefixed(name, part.limits())
            X = part.at(usual, rows.X).X
            rows = dataclasses.replace(rows, X=X, moving=True)

    def levels(self):
        return self._levels

    def usual(self):
        return self._usual

    def limits(self):
        return self._limits

    def at(self, h, X):
        X, passed = X if self._start is None else self._start, []
        for name, part, moving in self._parts:
            left = part.at(values_of(name, h), X)
            passed.append((name, left, moving))
            X = left.X

        def pull(G, through):
            gradient = {}
            for number, (name, left, moving) in reversed(list(enumerate(passed))):
                if number < len(passed) - 1:
                    G = G[:, left.columns]
                own, G = left.pull(G, moving or (through and number == 0))
                gradient |= prefixed(name, own)
            return gradient, G if through else None

        return Transformed(X, pull, left.columns)


@transformer.register
def _(estimator: Pipeline):
    return SequenceFamily(estimator.steps) if type(estimator) is Pipeline else None
