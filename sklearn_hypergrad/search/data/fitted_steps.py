"""The steps before the final one, fitted on a training part."""

import copy
import dataclasses
from typing import Any

import numpy as np

from sklearn_hypergrad.adapters.wrapped import copies_in


@dataclasses.dataclass(frozen=True)
class FittedSteps:
    """What a final step is put behind, to be scored as part of its pipeline.

    Attributes
    ----------
    names : ndarray of str or None
        Names of the features that the final step is fitted on, if it sees them.
    means : ndarray of shape (n_features,) or None
        Means of these features, over the training and the held-out part; None if nobody asked.
    params : dict
        Metadata of the fit of the final step on the training part.
    pipeline : Pipeline or None
        A pipeline whose other steps are fitted; None if there is only the final step.
    path : sequence of str
        Names of the steps that lead to the final one.
    """

    names: Any
    means: np.ndarray | None
    params: dict
    pipeline: Any = None
    path: tuple = ()

    def all_names(self):
        """Names of these features by the transformers, whether the final step sees them or not."""
        return self.names if self.names is not None else names_out(self.pipeline)

    def then(self, final):
        """The pipeline with a fitted final step, which is told the names of its features."""
        for each in (final, *copies_in(final)) if self.names is not None else ():
            each.feature_names_in_ = self.names
        return _with_last(self.pipeline, len(self.path), final)


def names_out(pipeline):
    """Names of the features that come out of fitted steps; None if these do not tell."""
    # Transformers are user code and may fail here; names are optional.
    try:
        return pipeline.get_feature_names_out()
    except Exception:
        return None


def _with_last(pipeline, depth, final):
    """A shallow copy of nested pipelines with another last step."""
    if depth == 0:
        return final
    changed, (name, last) = copy.copy(pipeline), pipeline.steps[-1]
    changed.steps = [*pipeline.steps[:-1], (name, _with_last(last, depth - 1, final))]
    return changed
