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

    # The estimator is only asked for its routing, and never fitted: clones share it.
    def __sklearn_clone__(self):
        return Capture(self.estimator)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "captured_")


def steps_before(candidate, path):
    """A clone of a candidate's pipeline without callbacks, whose final step is a Capture."""
    pipeline = without_callbacks(clone(candidate.step.pipeline))
    return pipeline.set_params(**{"__".join(path): Capture(clone(candidate.final))})


def with_capture(candidate, path):
    """The same, and this Capture."""
    pipeline = steps_before(candidate, path)
    return pipeline, last_step(pipeline, path)


def last_step(pipeline, path):
    """The step to which a path leads."""
    for _ in path:
        pipeline = pipeline.steps[-1][1]
    return pipeline
