"""The name by which ``fit`` of any classifier takes weights of samples."""

import inspect

import sklearn
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


def weight_parameter(model):
    """The name of the weights in ``model.fit``; None if it takes none.

    It leads through the last steps of pipelines, and through searches and other estimators whose
    ``fit`` passes its arguments on to an ``estimator``.
    """
    if has_fit_parameter(model, "sample_weight"):
        return "sample_weight"
    parameters = inspect.signature(model.fit).parameters.values()
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return None
    # With metadata routing one name leads to all that request it; VotingClassifier and the like
    # pass weights on to all of theirs.
    if sklearn.get_config()["enable_metadata_routing"]:
        return "sample_weight"
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        inside = None if isinstance(last, str) or last is None else weight_parameter(last)
        return None if inside is None else f"{name}__{inside}"
    inner = getattr(model, "estimator", None)
    return "sample_weight" if inner is None else weight_parameter(inner)
