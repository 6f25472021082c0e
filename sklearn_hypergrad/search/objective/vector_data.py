"""What a vector is searched on: three sets of blocks, and what their features are."""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.search.candidates.expand import final_step
from sklearn_hypergrad.search.data.blocks import blocks, whole
from sklearn_hypergrad.search.data.features import UnsupportedRange, refuse_different, refuse_mixed
from sklearn_hypergrad.search.data.layout import LAYOUTS
from sklearn_hypergrad.search.data.splits import search_splits
from sklearn_hypergrad.search.objective.build import choice_of, prepared
from sklearn_hypergrad.search.objective.validation_loss import Choice

# With one output these descend the squared error: on halves of different variance it is steadier.
STEADY = {"r2": "squared_error", "root_squared_error": "squared_error"}


@dataclasses.dataclass(frozen=True)
class Data:
    """What a vector is searched on.

    Attributes
    ----------
    parts, search_parts : list of SplitData
        Of the user's cv, and of the splits that are descended.
    everything : SplitData
        All rows, as for the refit.
    choice : Choice
        The validation loss that goes with the asked score.
    loss : ValidationLoss or None
        The one that is descended on ``search_parts``; None for leave-one-out.
    n_samples : int
        Rows of positive weight.
    reason : str or None
        Why there are no half splits.
    """

    parts: list
    search_parts: list
    everything: object
    choice: Choice
    loss: object
    n_samples: int
    reason: str | None


def gather(candidate, inputs, options):
    """The Data of a candidate.

    Raises
    ------
    CannotSearch
        If they make no problem of the candidate's family.
    ValueError
        If what is asked for cannot be had of these data.
    """
    parts = prepared(blocks, candidate, inputs)
    everything = prepared(whole, candidate, inputs)
    choice = choice_of(candidate, inputs, options, parts)
    n_outputs = everything.y.shape[1]
    loss, reason = choice.loss, None
    if n_outputs == 1:
        loss = VALIDATION_LOSSES[STEADY.get(loss.name, loss.name)]
    if options.search_cv == "loo":
        search_parts, loss = [everything], None
    else:
        splits, reason = search_splits(candidate, inputs, options)
        same = splits is inputs.splits
        search_parts = parts if same else prepared(blocks, candidate, inputs, splits)
    n_samples = int(np.count_nonzero(inputs.row_weight() > 0))
    return Data(parts, search_parts, everything, choice, loss, n_samples, reason)


def layout_of(candidate, data, inputs):
    """The Layout of a candidate's hyperparameter on these data.

    Raises
    ------
    ValueError
        If the features cannot be told apart as it needs.
    """
    span = candidate.range
    per = span.continuous.per
    if per == "target" and np.ndim(inputs.y) < 2:
        raise UnsupportedRange(
            "per='target' needs y of shape (n_samples, n_targets). Leave out per for one target"
        )
    columns, n_outputs = data.everything.columns, data.everything.y.shape[1]
    layout = LAYOUTS[per](span, candidate.family, columns, n_outputs)
    if per in ("feature", "coefficient", "group"):
        refuse_mixed(candidate.estimator, final_step(candidate.estimator, span.key)[1], per)
    if isinstance(span.continuous.groups, dict) and columns.names is not None:
        unknown = [name for name in span.continuous.groups if name not in columns.names]
        if unknown:
            raise UnsupportedRange(
                f"groups names the feature {unknown[0]!r}, which the data do not have"
            )
    if layout.same_columns:
        others = [part.columns for part in (*data.parts, *data.search_parts)]
        refuse_different([columns, *others], per)
    return layout
