"""The features that enter the final step: number, names, and the transformers they come from."""

import dataclasses

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion

from sklearn_hypergrad._sklearn import feature_names, first_rows
from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.search.data.fitted_steps import names_out


@dataclasses.dataclass(frozen=True)
class Columns:
    """Features of one data set as the final step sees them.

    Attributes
    ----------
    count : int
        Number of features.
    names : tuple of str or None
        Their names; None if neither the data nor the transformers give any.
    visible : bool
        Whether the final step itself gets a data frame with these names.
    sizes : dict or None
        Number of output features of each transformer right before the final step.
    weights_key : str or None
        Name, for ``set_params``, of the weights of those transformers.
    weights : dict
        The current weights.
    sources : tuple or None
        Labels of the columns of X that the features come from, where these are asked for.
    """

    count: int
    names: tuple | None = None
    visible: bool = False
    sizes: dict | None = None
    weights_key: str | None = None
    weights: dict = dataclasses.field(default_factory=dict)
    sources: tuple | None = None

    @classmethod
    def of_data(cls, X):
        """The Columns of data that go into the final step unchanged."""
        names = feature_names(X)
        return cls(np.shape(X)[1], _tuple(names), visible=names is not None)

    @classmethod
    def of_pipeline(cls, pipeline, path, X, transformed):
        """The Columns of ``transformed``, the output of the fitted steps for X."""
        names = feature_names(transformed)
        visible = names is not None
        if not visible:
            names = names_out(pipeline)
        union = _union_before(pipeline, path)
        more = {} if union is None else _union_fields(pipeline, path, union, X)
        return cls(transformed.shape[1], _tuple(names), visible=visible, **more)


def refuse_mixed(estimator, path, per):
    """Raise UnsupportedRange if a step makes features that differ in meaning between fits."""
    for step in _steps_before(estimator, path):
        if isinstance(step, SelectorMixin):
            continue
        parts = getattr(step, "get_params", dict)().values()
        for part in (step, *parts):
            if isinstance(part, ClassNamePrefixFeaturesOutMixin):
                raise UnsupportedRange(
                    f"per={per!r} needs features that mean the same in every split, and "
                    f"{type(part).__name__} mixes columns: its outputs are numbered, and the first "
                    f"one of one split is not that of another. Leave per out, or take "
                    f"{type(part).__name__} out of the pipeline"
                )


def refuse_unknown(first, others, per):
    """Raise UnsupportedRange if data sets have features that the first one does not have."""
    for other in others:
        more = {*other.names} - {*first.names}
        if more:
            raise UnsupportedRange(
                f"per={per!r} has an entry for each feature of the refit, and some splits have "
                f"others: {listed(more)}. Select the same features in every fit, or use "
                f"per='transformer', or per='group' with groups as a dict"
            )


def refuse_different(first, others, per):
    """Raise UnsupportedRange unless all data sets have the same features."""
    for other in others:
        if first.names is not None and other.names is not None:
            if first.names != other.names:
                raise UnsupportedRange(_difference(set(first.names), set(other.names), per))
        elif first.count != other.count:
            raise UnsupportedRange(
                f"per={per!r} needs the same features in every split and in the refit, got "
                f"{first.count} and {other.count}"
            )


def _difference(one, other, per):
    only = one ^ other
    what = f"{listed(only)} only in some" if only else "their order differs"
    return (
        f"per={per!r} needs the same features in every split and in the refit, unless the model "
        f"sees their names: {what}. Let it see them, by set_output(transform='pandas'), or fix "
        f"the vocabulary or the categories of the transformers, or use per='transformer'"
    )


def listed(names):
    """The first names in alphabetical order, as text."""
    names = sorted(map(str, names))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _steps_before(estimator, path):
    """Yield all transformers before the final step, fitted or not."""
    for _ in path:
        for _, step in estimator.steps[:-1]:
            if step is not None and step != "passthrough":
                yield step
        estimator = estimator.steps[-1][1]


def _union_before(estimator, path):
    """The ColumnTransformer or FeatureUnion right before the final step, or None."""
    for _ in path[:-1]:
        estimator = estimator.steps[-1][1]
    before = estimator.steps[-2][1] if len(estimator.steps) > 1 else None
    return before if isinstance(before, ColumnTransformer | FeatureUnion) else None


def _union_fields(pipeline, path, union, X):
    container = pipeline
    for _ in path[:-1]:
        container = container.steps[-1][1]
    name = container.steps[-2][0]
    return {
        "sizes": _sizes(pipeline, path, union, X),
        "weights_key": "__".join([*path[:-1], name, "transformer_weights"]),
        "weights": dict(union.transformer_weights or {}),
    }


def _sizes(pipeline, path, union, X):
    """Number of output columns of every transformer, in the order of the columns."""
    if isinstance(union, ColumnTransformer):
        blocks = union.output_indices_.items()
        sizes = {name: block.stop - block.start for name, block in blocks}
    else:
        rows = first_rows(X)
        for step in _steps_before(pipeline, path):
            if step is union:
                break
            rows = step.transform(rows)
        sizes = {name: _width(step, rows) for name, step in union.transformer_list}
    return {name: size for name, size in sizes.items() if size}


def _width(transformer, rows):
    if transformer == "drop":
        return 0
    return np.shape(rows if transformer == "passthrough" else transformer.transform(rows))[1]


def _tuple(names):
    return None if names is None else tuple(names)
