"""Errors for ranges that cannot be searched; their texts say why and what to do instead."""

import difflib
import math
import numbers
import re
from collections.abc import Iterable

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.search.candidates.written import is_distribution, proposal, text_of
from sklearn_hypergrad.spaces import Continuous
from sklearn_hypergrad.transformers.base import transformer
from sklearn_hypergrad.wording import shortened, suggestion

# Similarity (of difflib, between 0 and 1) from which on another name is suggested. Chosen by hand:
# one wrong letter in a name of seven still suggests it, unrelated names do not.
ALIKE = 0.85
# Penalties and their inverses: the other name, and how the values follow. The objectives are
# ||y - X w||^2 + alpha ||w||^2 and C sum(loss) + ||w||^2 / 2.
INVERSES = {
    "alpha": (
        "C",
        "C is the inverse of a penalty: C = 1 / alpha for alpha / 2 times the squared weights "
        "beside the sum of the losses.",
    ),
    "C": (
        "alpha",
        "alpha is a penalty, and C the inverse of one: alpha = 1 / C where C multiplies half the "
        "squared errors, 1 / (2 C) where it multiplies the squared errors.",
    ),
}


NO_DICT = (
    " It is a dict from names of parameters to their values, such as {'alpha': Continuous()} or "
    "{'alpha': [0.1, 10]}, or a list of such dicts."
)
# The end of an error of ParameterGrid, which is no remedy for what is no single value.
WRAP = " Single values need to be wrapped in a list with one element."
# The end of a TypeError of a fit that gets metadata which it does not know.
UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")
# Scorers of scikit-learn that compare classes, or need probabilities of them.
OF_CLASSES = frozenset(
    """accuracy average_precision balanced_accuracy d2_brier_score d2_log_loss_score f1 f1_macro
    f1_micro f1_samples f1_weighted jaccard jaccard_macro jaccard_micro jaccard_samples
    jaccard_weighted matthews_corrcoef neg_brier_score neg_log_loss neg_negative_likelihood_ratio
    positive_likelihood_ratio precision precision_macro precision_micro precision_samples
    precision_weighted recall recall_macro recall_micro recall_samples recall_weighted roc_auc
    roc_auc_ovo roc_auc_ovo_weighted roc_auc_ovr roc_auc_ovr_weighted top_k_accuracy""".split()
)


class CannotSearch(Exception):
    """The data give no objective, or it is nowhere finite: the values are enumerated instead."""


class NowhereFinite(CannotSearch):
    """The validation loss is not finite at any point, or where the search starts."""


class UnsupportedRange(ValueError):
    """A range asks for something that the data or the estimator do not have."""


def refuse_mixed(key):
    """Raise ValueError for a list that mixes a Continuous with other values."""
    raise ValueError(
        f"Parameter grid for {key!r} mixes Continuous with other values. Give "
        f"{key}=Continuous(low, high) alone, and other values in a dict of their own in a "
        f"list of grids."
    )


def refuse_values(key, values):
    """Raise TypeError for a list of what is no value: numbers as text, or the class Continuous."""
    texts = [value for value in values if isinstance(value, str)]
    numbers_of = [number for number in map(_number, texts) if number is not None]
    if len(numbers_of) == len(values):
        shown = ", ".join(f"{number:g}" for number in numbers_of)
        raise TypeError(f"{key} got text, {shortened(list(values))}: write numbers, [{shown}].")
    if any(value is Continuous for value in values):
        raise TypeError(f"{key} got the class Continuous: write {key}=Continuous().")


def _number(text):
    """The number that a text is, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def refuse_continuous(key, values, reason, estimator):
    """Raise ValueError for a Continuous that cannot be searched: a list would be enumerated."""
    try:
        clone(estimator).set_params(**{key: None})
    except ValueError as error:
        raise ValueError(f"{error}{_name_hint(key, list(estimator.get_params()))}") from None
    except AttributeError:
        # What has no parameters has no names of them.
        pass
    raise ValueError(
        f"Cannot tune {key!r} with {values[0]!r}. This is because {reason}. Give a list of "
        f"values to enumerate instead{proposal(values[0])}."
    )


def why_not_final(estimator, key):
    """A clause that says where the path of ``key`` leaves the last steps of pipelines."""
    for name in key.split("__")[:-1]:
        kind = type(estimator).__name__
        if not isinstance(estimator, Pipeline):
            return (
                f"it belongs to the estimator in {kind}, which is not looked into: search inside "
                f"it, {kind}({name}=HypergradSearchCV(...))"
            )
        if type(estimator) is not Pipeline:
            return (
                f"{kind} is a subclass of Pipeline, which may do more than transform (such as "
                f"resample) and is not looked into: use a Pipeline of scikit-learn"
            )
        if name != estimator.steps[-1][0]:
            return f"it does not belong to the final step of a Pipeline, {estimator.steps[-1][0]!r}"
        estimator = estimator.steps[-1][1]
    return "it belongs to the Pipeline itself, not to its final step"


def hint(error, estimator, param_grid):
    """What may be meant, for an error of scikit-learn about names or values of a grid; or ""."""
    grids = [param_grid] if isinstance(param_grid, dict) else param_grid
    items = [item for grid in grids if isinstance(grid, dict) for item in grid.items()]
    message = str(error)
    if "Did you mean" in message:
        return ""
    if message.startswith("Invalid parameter"):
        unknown = [key for key, _ in items if repr(key.partition("__")[0]) in message]
        unknown += [key for key, _ in items if any(repr(n) in message for n in key.split("__"))]
        return _name_hint(unknown[0], list(estimator.get_params())) if unknown else ""
    if message.startswith("Parameter grid is not a dict"):
        return NO_DICT
    keyword = UNEXPECTED.search(message)
    if keyword:
        return suggestion(keyword[1], ["groups", "sample_weight"])
    if "fits failed" in message or message.startswith("Parameter grid for parameter"):
        return next(filter(None, (_value_hint(key, values) for key, values in items)), "")
    return ""


def _name_hint(key, names):
    """The existing name that is nearest to an unknown one, and how its values follow; or ""."""
    path, _, leaf = key.rpartition("__")
    inverse = INVERSES.get(leaf)
    meant = _meant(key, names)
    if meant is None and inverse is not None:
        renamed = "__".join(filter(None, (path, inverse[0])))
        exact = [name for name in names if name == renamed]
        inside = [name for name in names if name.endswith(f"__{inverse[0]}") and not path]
        meant = next(iter(exact + inside), None)
        return f" Did you mean {meant!r}? {inverse[1]}" if meant else ""
    return f" Did you mean {meant!r}?" if meant else ""


def _value_hint(key, values):
    """What a value that looks like a range may mean, or ""."""
    if isinstance(values, range | Continuous) or is_distribution(values):
        return ""
    if not isinstance(values, list | tuple | np.ndarray):
        return f" {_rewritten(key, values)}"
    sampled = [v for v in values if is_distribution(v)] if isinstance(values, list | tuple) else []
    if sampled:
        return (
            f" {key} has the distribution {text_of(sampled[0])}, and nothing is sampled: give a "
            f"list of values to enumerate."
        )
    if all(isinstance(value, numbers.Real) and value <= 0 for value in values):
        return f" {key} has no positive value."
    values = values if isinstance(values, list | tuple) else []
    if len(values) == 1 and isinstance(values[0], list | tuple):
        (inner,) = values
        if any(isinstance(value, Continuous) for value in inner):
            return f" {key} has a list in its list: write {key}={inner[0]!r}."
        if len(inner) == 2 and all(isinstance(value, numbers.Real) for value in inner):
            low, high = inner
            return (
                f" {key} has one value, {inner!r}. If a range is meant, write "
                f"{key}=[{low}, {high}] or {key}=Continuous({low}, {high})."
            )
    return ""


def _rewritten(key, values):
    """How to write what is no sequence of values."""
    if values is Continuous:
        return f"{key} got the class Continuous: write {key}=Continuous()."
    if isinstance(values, str):
        number = _number(values)
        shown = repr(values) if number is None else f"{number:g}"
        return f"For one value write {key}=[{shown}], for a range {key}=Continuous()."
    if isinstance(values, numbers.Real):
        return f"For one value write {key}=[{values}], for a range {key}=Continuous()."
    if isinstance(values, dict) and {"low", "high"} <= values.keys():
        return f"Write {key}=Continuous({values['low']}, {values['high']})."
    if isinstance(values, Iterable):
        return f"Write a list of its values, {key}=list(...)."
    return f"Write a list of values, {key}=[...], or a range, {key}=Continuous()."


def _meant(key, names):
    """The existing name that is nearest to an unknown one, or None."""
    inside = [name for name in names if name.rpartition("__")[2] == key]
    path, _, leaf = key.rpartition("__")
    beside = [name for name in names if name.rpartition("__")[0] == path]
    leaves = difflib.get_close_matches(leaf, [name.rpartition("__")[2] for name in beside], n=1)
    close = [name for name in beside if leaves and name.rpartition("__")[2] == leaves[0]]
    alike = difflib.get_close_matches(key, names, n=1, cutoff=ALIKE)
    # What no step is called may be a prefix too many.
    bare = [name for name in names if name == leaf and path not in names]
    return next(iter(inside + alike + close + bare), None)


def described(low, high):
    """Words for a value between these limits."""
    above = f"a value above {low:g}" if low else "a positive value"
    return above if high == math.inf else f"a value between {low} and {high}"


def remedy(span, found):
    """A sentence that names what supports ``per``: weights, or a class of this package; or ""."""
    weights = [name for name, each in found.hyperparameters.items() if each.level is not None]
    if weights and span.continuous.per in found.hyperparameters[weights[0]].per:
        return f" Use it for {weights[0]} instead."
    vector_class = found.class_with_vectors(span.leaf)
    if vector_class is None:
        return ""
    other = family(vector_class()) or transformer(vector_class())
    if span.continuous.per not in other.hyperparameters[span.leaf.rpartition("__")[2]].per:
        return ""
    name, package = vector_class.__name__, vector_class.__module__.rpartition(".")[0]
    return f" Use the {name} that takes arrays: {package}.{name}."
