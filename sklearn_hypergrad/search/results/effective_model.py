"""Penalty strengths and degrees of freedom of a model with a vector of penalties, on all data."""

import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.problems import Entries, effective_dof
from sklearn_hypergrad.tuning import FINE


@dataclasses.dataclass(frozen=True)
class EffectiveModel:
    """Penalties and degrees of freedom of the features that enter the final step.

    Attributes
    ----------
    strength : ndarray of shape (n_features,) or (n_outputs, n_features)
        Penalty strengths: larger is more regularised.
    dof : ndarray of shape (n_entries,)
        Effective degrees of freedom of the coefficients that each entry penalises.
    """

    strength: np.ndarray
    dof: np.ndarray


@dataclasses.dataclass(frozen=True)
class Describe:
    """Describes points of a search for a vector: ``describe(point)`` is an EffectiveModel.

    Attributes
    ----------
    layout : Layout
    prepared : PreparedCandidate or None
        None while it is on its way from a worker.
    """

    layout: Any
    prepared: Any = None

    def __call__(self, point):
        return effective_model(self.prepared, self.layout, point)


def effective_model(prepared, layout, point):
    """The EffectiveModel of one point, trained on all data.

    Parameters
    ----------
    prepared : PreparedCandidate
    layout : Layout
    point : dict
        Hyperparameters, of which the layout's is a vector, or one value for all.
    """
    leaf, everything = prepared.vector.leaf, prepared.everything
    (model,) = prepared.models([everything], {leaf: layout})
    strength = model.problem.penalty.strength(point)
    if getattr(model.problem, "has_groups", False):
        dof = model.problem.dof_of_groups(point)
    else:
        solution = model.problem.solve(point, None, FINE)
        dof = effective_dof(model.problem, solution, strength)
    return of_entries(layout, everything, strength, dof, point)


def of_entries(layout, everything, strength, dof, point):
    """The EffectiveModel from strengths and degrees of freedom of all coefficients.

    Parameters
    ----------
    layout : Layout
    everything : SplitData
        The data of all rows.
    strength, dof : ndarray
        They broadcast to, and have, the shape (n_features, n_outputs).
    point : dict
        The hyperparameters.
    """
    exact = _with_held(strength, layout.entries(everything.columns))
    value, entries = point[layout.span.leaf], layout.index(everything.columns)
    index = np.arange(np.size(value))[None] if entries is None else entries
    index = np.broadcast_to(index, dof.shape)
    per_entry = np.bincount(index.ravel(), dof.ravel(), minlength=np.size(value))
    # With one penalty for all, wide data are solved in the space of their rows: fewer features.
    shape = everything.X.shape[1], dof.shape[1]
    return EffectiveModel(_shaped(exact, shape), per_entry)


def _with_held(strength, entries):
    """Strengths with zeros and infinities where they are held."""
    if not isinstance(entries, Entries):
        return strength
    return np.where(np.isnan(entries.held), strength, entries.held)


def _shaped(strength, shape):
    """Of shape (n_features,) if all outputs share them, else (n_outputs, n_features)."""
    if strength.shape[1] == 1:
        return np.broadcast_to(strength, (shape[0], 1))[:, 0].copy()
    return np.broadcast_to(strength, shape).T.copy()
