"""Ends of pipelines that are tuned as one: from the first transformer with a gradient to the model.

A place is the numbers of nested steps: (2,) is the third step, (2, 0) the first one in it.
"""

from sklearn.pipeline import Pipeline

from sklearn_hypergrad.transformers.base import transformer


def first_place(pipeline, names):
    """The place where the first transformer is that one of the names belongs to; None if none."""
    places = (_place(pipeline, name) for name in names)
    return min((place for place in places if place is not None), default=None)


def _place(estimator, name):
    """The place of the transformer that a name belongs to; None if it is the model's or unknown."""
    step, _, rest = name.partition("__")
    steps = estimator.steps if type(estimator) is Pipeline else []
    number = next((number for number, (own, _) in enumerate(steps) if own == step), None)
    if number is None:
        return None
    inside = steps[number][1]
    if number < len(steps) - 1:
        found = transformer(inside)
        return (number,) if found is not None and rest in found.hyperparameters else None
    place = _place(inside, rest)
    return None if place is None else (number, *place)


def chain_from(pipeline, place, name):
    """The end of a pipeline from a place on, as one last step.

    Parameters
    ----------
    pipeline : Pipeline
    place : tuple of int
    name : str
        Name of a hyperparameter.

    Returns
    -------
    tuple of (Pipeline, list of str, Pipeline, str) or None
        The pipeline with this end as its last step, the names that lead there, the end, and the
        name of the hyperparameter in it. None if the name does not lead there.
    """
    number, *inside = place
    step, _, rest = name.partition("__")
    last, final = pipeline.steps[-1]
    if not inside:
        if step not in [own for own, _ in pipeline.steps[number:]]:
            return None
        end = Pipeline(pipeline.steps[number:])
        return ending(pipeline.steps[:number], pipeline, last, end), [last], end, name
    found = chain_from(final, tuple(inside), rest) if step == last else None
    if found is None:
        return None
    inner, path, end, leaf = found
    return ending(pipeline.steps[:-1], pipeline, last, inner), [last, *path], end, leaf


def ending(steps, pipeline, name, last):
    """A pipeline of some steps and a last one, with the settings of another pipeline."""
    settings = {**pipeline.get_params(deep=False), "steps": [*steps, (name, last)]}
    return Pipeline(**settings)
