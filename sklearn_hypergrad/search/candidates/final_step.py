"""Where a name of ``param_grid`` leads: the final step that is searched, and the way to it."""

import dataclasses
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.adapters.wrapped import inside_of


@dataclasses.dataclass(frozen=True)
class FinalStep:
    """The final step that a name belongs to.

    Attributes
    ----------
    pipeline : estimator
        The pipeline that it ends; itself if there is none.
    path : list of str
        Names of the steps that lead to it.
    final : estimator
    leaf : str
        What the hyperparameter is called there.
    moved : bool
        Whether steps were taken out of a wrapper to stand before it.
    """

    pipeline: Any
    path: list
    final: Any
    leaf: str
    moved: bool = False


def final_step(estimator, key):
    """The FinalStep that ``key`` belongs to, or None.

    ``key`` leads through the last steps of (nested) pipelines. Subclasses of Pipeline may do more
    than transform, such as resample, and are not followed. What is left of it is the name of the
    hyperparameter, which may itself be nested, as ``kernel__length_scale`` is.

    Parameters
    ----------
    estimator : estimator
    key : str
    """
    pipeline, key, moved = _with_steps_before(estimator, key)
    path, names, final = [], key.split("__"), pipeline
    while len(names) > 1 and type(final) is Pipeline and names[0] == final.steps[-1][0]:
        path.append(names.pop(0))
        final = final.steps[-1][1]
    leaf = "__".join(names)
    if isinstance(final, Pipeline) or not (len(names) == 1 or _is_inside(final, names[0], leaf)):
        return None
    return FinalStep(pipeline, path, final, leaf, moved)


def _is_inside(final, name, leaf):
    """Whether the family of a final step knows a nested parameter that begins with a name."""
    found = family(final)
    return found is not None and (name in found.nested or leaf in found.hyperparameters)


# Derivation. A wrapper W of transformers t and a model m fits every copy of t on the same X. If t
# ignores targets, which is tried on the data, all copies are the same, and W(t, m) is the pipeline
# (t, W(m)).
def _with_steps_before(estimator, key):
    """The estimator, the steps in a wrapper before it, the name there, and if steps were moved."""
    name, _, rest = key.partition("__")
    if type(estimator) is Pipeline and name == estimator.steps[-1][0]:
        last, rest, moved = _with_steps_before(estimator.steps[-1][1], rest)
        if not moved:
            return estimator, key, False
        return _ending(estimator, name, last), f"{name}__{rest}", True
    inner, rest = (inside_of(estimator, key) if rest else None) or (None, "")
    step, _, leaf = rest.partition("__")
    if type(inner) is not Pipeline or step != inner.steps[-1][0]:
        return estimator, key, False
    wrapper = clone(estimator).set_params(**{name: inner.steps[-1][1]})
    pipeline = _ending(inner, step, wrapper)
    pipeline, key, _ = _with_steps_before(pipeline, f"{step}__{name}__{leaf}")
    return pipeline, key, True


def _ending(pipeline, name, last):
    """A pipeline with another last step."""
    settings = {**pipeline.get_params(deep=False), "steps": [*pipeline.steps[:-1], (name, last)]}
    return Pipeline(**settings)
