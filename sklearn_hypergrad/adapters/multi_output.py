"""MultiOutputRegressor and MultiOutputClassifier.

They fit a copy of the estimator inside for each column of y. The search descends the mean over
columns of their losses. Columns with more than two classes are refused.
"""

from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor

from sklearn_hypergrad.adapters.base import ClassifierFamily, RegressorFamily, indicators
from sklearn_hypergrad.adapters.wrapped import WrapperFamily, register


class MultiOutputFamily(WrapperFamily):
    """A copy per column of y."""

    methods = ("fit", "predict", "predict_proba")

    def targets(self, labels):
        if labels.ndim < 2:
            raise ValueError("y has one column, and is to have one for each output")
        return list(labels.T)

    def assembled(self, wrapper, copies, labels):
        wrapper.estimators_ = list(copies)
        wrapper.n_features_in_ = copies[0].n_features_in_
        return wrapper


@register
class MultiOutputRegressorFamily(MultiOutputFamily, RegressorFamily):
    """Numbers in each column."""

    estimator_class = MultiOutputRegressor
    kinds = ("numbers",)
    conditions = "a regressor inside"


@register
class MultiOutputClassifierFamily(MultiOutputFamily, ClassifierFamily):
    """Zeros and ones in each column."""

    estimator_class = MultiOutputClassifier
    kinds = ("probabilities", "codes", "margins")
    conditions = "a classifier inside; columns of zeros and ones, both in every training part"

    def labels(self, y):
        return indicators(y)

    def assembled(self, wrapper, copies, labels):
        wrapper = super().assembled(wrapper, copies, labels)
        wrapper.classes_ = [copy.classes_ for copy in copies]
        return wrapper
