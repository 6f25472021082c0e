"""What a vector is searched on: the data of three sets of splits, and its layout on them."""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems import VALIDATION_LOSSES, ValidationLoss
from sklearn_hypergrad.search.candidates.candidate import final_step
from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.search.data.features import refuse_different, refuse_mixed
from sklearn_hypergrad.search.data.layout import LAYOUTS


@dataclasses.dataclass(frozen=True)
class VectorData:
    """What a vector is searched on.

    Attributes
    ----------
    search_data : list of SplitData
        Of the splits that are descended; the only one trains on all rows for leave-one-out.
    loss : ValidationLoss or None
        The loss that is descended on them; None for leave-one-out.
    layout : Layout
        How entries spread over coefficients.
    reason : str or None
        Why there are no half splits.
    """

    search_data: list
    loss: ValidationLoss | None
    layout: object
    reason: str | None


def prepare_vector_data(prepared, *, halves):
    """The VectorData of a candidate.

    Parameters
    ----------
    prepared : PreparedCandidate
    halves : bool
        Whether half splits are wanted where the user asks for nothing.

    Raises
    ------
    CannotSearch
        If the data make no problem of the candidate's family.
    UnsupportedRange
        If the data do not have what is asked for.
    """
    loss, reason = prepared.choice.loss, None
    # Several targets have several units, which r2 makes equal.
    if prepared.n_outputs == 1 and loss.steady is not None:
        loss = VALIDATION_LOSSES[loss.steady]
    if prepared.options.search_cv == "loo":
        search_data, loss = [prepared.everything], None
    else:
        splits, reason = prepared.search_splits(halves=halves)
        search_data = prepared.data_of(splits)
    layout = layout_of(prepared, search_data)
    return VectorData(search_data, loss, layout, reason)


def layout_of(prepared, search_data):
    """The Layout of a candidate's hyperparameter on its data.

    Raises
    ------
    UnsupportedRange
        If the features cannot be told apart as it needs.
    """
    span, estimator = prepared.range, prepared.candidate.estimator
    per, groups = span.continuous.per, span.continuous.groups
    if per == "target" and np.ndim(prepared.inputs.y) < 2:
        raise UnsupportedRange(
            "per='target' needs y of shape (n_samples, n_targets). Leave out per for one target"
        )
    columns = prepared.everything.columns
    layout = LAYOUTS[per](span, prepared.family, columns, prepared.n_outputs)
    if per in ("feature", "coefficient", "group"):
        refuse_mixed(estimator, final_step(estimator, span.key)[1], per)
    if isinstance(groups, dict) and columns.names is not None:
        unknown = [name for name in groups if name not in columns.names]
        if unknown:
            raise UnsupportedRange(
                f"groups names the feature {unknown[0]!r}, which the data do not have"
            )
    if layout.same_columns:
        others = [part.columns for part in (*prepared.cv_data, *search_data)]
        refuse_different([columns, *others], per)
    return layout
