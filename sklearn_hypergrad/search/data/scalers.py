"""Pipelines of scalers: X itself serves all splits, with factors read from the fitted scalers.

The scalers are fitted on every training part, and nothing is transformed. Their classes are known
exactly; what others do is found by comparing features, in ``shared_design``.
"""

import dataclasses
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from sklearn_hypergrad._sklearn import feature_names, first_rows, rows_of_params, safe_split
from sklearn_hypergrad.search.data.capture import last_step
from sklearn_hypergrad.search.data.features import Columns
from sklearn_hypergrad.search.data.fitted_steps import FittedSteps
from sklearn_hypergrad.threads import warnings_here

# Factors above this, or below its inverse, are not used. Chosen by hand: squares of features that
# have them could overflow or vanish.
EXTREME = 1e100


@dataclasses.dataclass(frozen=True)
class Affine:
    """The map ``x * factor + offset`` of every feature, both of shape (n_features,)."""

    factor: np.ndarray
    offset: np.ndarray

    def __call__(self, x):
        return x * self.factor + self.offset

    @property
    def is_moderate(self):
        """Whether its factors are far from overflow."""
        return bool(np.all((self.factor > 1 / EXTREME) & (self.factor < EXTREME)))


def _standard(scaler):
    return _divided(
        scaler.scale_ if scaler.with_std else 1, scaler.mean_ if scaler.with_mean else 0
    )


def _robust(scaler):
    center = scaler.center_ if scaler.with_centering else 0
    return _divided(scaler.scale_ if scaler.with_scaling else 1, center)


def _divided(scale, center):
    factor = 1 / np.asarray(scale, dtype=float)
    return factor, -center * factor


# The factor and the offset of a fitted scaler, by its exact class: a subclass may do anything.
READ = {
    StandardScaler: _standard,
    MinMaxScaler: lambda scaler: (scaler.scale_, scaler.min_),
    MaxAbsScaler: lambda scaler: _divided(scaler.scale_, 0),
    RobustScaler: _robust,
}


@dataclasses.dataclass(frozen=True)
class FittedScalers:
    """The scalers of a pipeline, fitted on one training part.

    Attributes
    ----------
    pipeline : Pipeline
    path : list of str
        Names of the steps that lead to the final one.
    affine : Affine
        What they do to the features.
    fit_params : dict
        Metadata for the ``fit`` of the final step.
    first : array-like of shape (1, n_features)
        The first row of the training part, as the scalers get it.
    """

    pipeline: Any
    path: list
    affine: Affine
    fit_params: dict
    first: Any

    def _features(self):
        """The first row as the final step gets it."""
        row = self.first
        for scaler in _scalers(self.pipeline, self.path):
            row = scaler.transform(row)
        return row

    def columns(self):
        """The Columns of the features that the final step gets."""
        return Columns.of_pipeline(self.pipeline, self.path, self.first, self._features())

    @property
    def names(self):
        """Names of the features that the final step gets, or None."""
        return feature_names(self._features())

    def steps(self, names, means):
        """The FittedSteps; ``means`` are those of the features before the scalers, or None."""
        means = None if means is None else self.affine(means)
        return FittedSteps(names, means, self.fit_params, self.pipeline, self.path)


class FitOnly(BaseEstimator):
    """A step of a pipeline that fits a scaler and passes the features on as they are.

    Parameters
    ----------
    scaler : estimator
        Metadata are routed as for it.
    """

    def __init__(self, scaler=None):
        self.scaler = scaler

    def fit_transform(self, X, y=None, **fit_params):
        self.scaler.fit(X, y, **fit_params)
        return X

    def transform(self, X):
        return X

    def get_metadata_routing(self):
        return self.scaler.get_metadata_routing()


def are_scalers(estimator, path):
    """Whether all steps before the final one are scalers whose factors can be read."""
    scalers, containers = _scalers(estimator, path), _containers(estimator, path)
    # A cache would miss them later, and transformed metadata need all steps.
    plain = all(each.memory is None is each.transform_input for each in containers)
    known = all(type(each) in READ and not getattr(each, "clip", False) for each in scalers)
    return bool(scalers) and plain and known


def fitted_scalers(steps, inputs, path, train):
    """The FittedScalers of one training part.

    Parameters
    ----------
    steps : Pipeline
        The ``steps_before`` of a candidate, which ``are_scalers``.
    inputs : FitInputs
    path : list of str
        Names of the steps that lead to the final one.
    train : ndarray of int
    """
    pipeline = clone(steps)
    capture = last_step(pipeline, path)
    X, y = safe_split(pipeline, inputs.X, inputs.y, train)
    # Only scalers that follow the last one would need its features.
    container, name = _places(pipeline, path)[-1]
    last = FitOnly(container.named_steps[name])
    container.set_params(**{name: last})
    # The fits of scikit-learn give the same warnings to the user.
    with warnings_here("ignore"):
        pipeline.fit(X, y, **rows_of_params(inputs.X, inputs.fit_params, train))
    container.set_params(**{name: last.scaler})
    _, fit_params = capture.captured_
    del capture.captured_
    affine = _affine(_scalers(pipeline, path))
    return FittedScalers(pipeline, path, affine, fit_params, first_rows(X))


def _affine(scalers):
    factor, offset = 1.0, 0.0
    for scaler in scalers:
        own, origin = READ[type(scaler)](scaler)
        factor, offset = factor * own, offset * own + origin
    return Affine(*np.broadcast_arrays(factor, offset, np.empty(scalers[0].n_features_in_))[:2])


def _scalers(estimator, path):
    return [container.named_steps[name] for container, name in _places(estimator, path)]


def _places(estimator, path):
    """The pipelines and names of the steps before the final one, but for "passthrough"."""
    return [
        (container, name)
        for container in _containers(estimator, path)
        for name, step in container.steps[:-1]
        if step is not None and step != "passthrough"
    ]


def _containers(estimator, path):
    """Yield the nested pipelines that lead to the final step."""
    for _ in path:
        yield estimator
        estimator = estimator.steps[-1][1]
