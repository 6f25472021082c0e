"""Fits of the steps before the final one, by scikit-learn's own code."""

from sklearn.base import BaseEstimator, clone

from sklearn_hypergrad._sklearn import without_callbacks


class Capture(BaseEstimator):
    """A last step of a pipeline that stores the arguments of its ``fit``.

    With it, scikit-learn's own code fits the transformers and routes the metadata.

    Parameters
    ----------
    estimator : estimator
        The step that it replaces; metadata are routed as for it.

    Attributes
    ----------
    captured_ : tuple of (X, dict)
        The transformed features and the metadata of ``fit``.
    """

    def __init__(self, estimator=None):
        self.estimator = estimator

    def fit(self, X, y=None, **fit_params):
        self.captured_ = X, fit_params
        return self

    def predict(self, X):
        return X

    def get_feature_names_out(self, input_features=None):
        return input_features

    def get_metadata_routing(self):
        return self.estimator.get_metadata_routing()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "captured_")


def with_capture(candidate, path):
    """A clone of a candidate's pipeline whose final step is a Capture, and this Capture."""
    pipeline = without_callbacks(clone(candidate.step.pipeline))
    capture = Capture(clone(candidate.final))
    return pipeline.set_params(**{"__".join(path): capture}), capture
