"""TransformedTargetRegressor with a fixed transformation.

The regressor inside minimises its objective for ``func(y)`` in place of ``y``, and the wrapper
predicts ``inverse_func`` of its predictions. The search descends the loss of the regressor inside,
in transformed units, and the asked score judges points by what wrappers predict. Transformers that
learn from the targets are refused: those of each split are transformed in another way.
"""

import numpy as np
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_hypergrad.adapters.wrapped import WrapperFamily, register


@register
class TransformedTargetFamily(WrapperFamily):
    """The regressor inside, on transformed targets."""

    estimator_class = TransformedTargetRegressor
    inside = "regressor"
    kinds = ("numbers",)
    predicts_the_same = False
    methods = ("fit", "predict", "_fit_transformer")
    conditions = (
        "a regressor inside; ``func`` and ``inverse_func``, or a ``transformer`` that learns "
        "nothing from y"
    )

    def configuration_obstacle(self, estimator):
        transformer, func, inverse = estimator.transformer, estimator.func, estimator.inverse_func
        if (func is None) != (inverse is None):
            return "it has only one of func and inverse_func"
        if transformer is not None and func is not None:
            return "it has both a transformer and func"
        if transformer is not None and get_tags(transformer).requires_fit:
            return f"its transformer {type(transformer).__name__} learns from the targets"
        return None

    def score_loss(self, estimator):
        return None

    def _transformer(self):
        """The transformer, which needs no fit."""
        if self.wrapper.transformer is not None:
            return clone(self.wrapper.transformer)
        functions = {"func": self.wrapper.func, "inverse_func": self.wrapper.inverse_func}
        return FunctionTransformer(**functions, validate=True, check_inverse=False)

    def targets(self, labels):
        columns = labels.reshape(len(labels), -1)
        transformed = np.asarray(self._transformer().transform(columns)).reshape(columns.shape)
        return [transformed.reshape(labels.shape)]

    def predicted(self, z):
        return np.asarray(self._transformer().inverse_transform(z))

    @staticmethod
    def copies(wrapper):
        return [wrapper.regressor_]

    def assembled(self, wrapper, copies, labels):
        (wrapper.regressor_,) = copies
        wrapper.transformer_, wrapper._training_dim = self._transformer(), labels.ndim
        return wrapper
