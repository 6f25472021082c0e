"""The objective of hyperparameters that are searched together, from the estimator's own values."""

import dataclasses
import functools
import numbers

import numpy as np

from sklearn_hypergrad.search.data.blocks import blocks
from sklearn_hypergrad.search.data.features import UnsupportedRange
from sklearn_hypergrad.search.data.splits import search_splits
from sklearn_hypergrad.search.objective.build import choice_of, method_of, prepared
from sklearn_hypergrad.search.objective.initial_values import dimension_of, own_values
from sklearn_hypergrad.search.objective.methods import training_method
from sklearn_hypergrad.search.objective.objective import Objective
from sklearn_hypergrad.search.objective.online_objective import OnlineObjective, is_online
from sklearn_hypergrad.search.objective.training_objective import TrainedObjective
from sklearn_hypergrad.search.results.candidate_result import Searched, solved
from sklearn_hypergrad.search.results.rows import plain
from sklearn_hypergrad.spaces import Space

# Line searches compare losses, and Newton's method has these digits at the price of a step.
FINEST = 1e-10
ONE_SPLIT = (
    "a weight per training sample needs one split, whose validation rows are clean, and cv has {}: "
    "then every sample is also one that judges, and those that are wrong judge in favour of "
    "themselves. Use sklearn_hypergrad.data_cleaning, or give the one split as cv"
)
NO_REFIT = (
    "the refit on all rows needs weights of those that were held out, too. Set refit=False and "
    "take best_params_, or use sklearn_hypergrad.data_cleaning, where clean rows get the largest"
)


@dataclasses.dataclass(frozen=True)
class Setup:
    """What is minimised, and how.

    Attributes
    ----------
    objective : Objective
    searched : list of Searched
    choice : Choice
    why : str
        Why it is differentiated as it is.
    replays : bool
        Whether fits of scikit-learn on its splits come to the same weights.
    """

    objective: Objective
    searched: list
    choice: object
    why: str
    replays: bool


def joint_objective(candidate, inputs, options):
    """The Setup of a candidate."""
    _refuse(candidate, options)
    prepared(candidate.final._validate_params)
    splits, _ = search_splits(candidate, inputs, options)
    on_cv = splits is inputs.splits
    parts = prepared(blocks, candidate, inputs, splits)
    parts = [single for part in parts for single in part.in_batches(1)]
    choice = choice_of(candidate, inputs, options, parts)
    make_terms = functools.partial(_terms, candidate, parts, choice.loss, options)
    terms = prepared(make_terms, 0)
    searched = [_searched(candidate, span, parts, options.refit) for span in candidate.ranges]
    space = Space([each.dimension for each in searched])
    make = _trained if candidate.family.trained else _solved
    make = _online if is_online(options) else make
    objective, why = make(candidate, space, terms, make_terms, options)
    objective.joint = True
    objective.stage = dataclasses.replace(
        options.stage,
        splits="cv" if on_cv else "search_cv",
        loss=choice.loss.name,
        settings=lambda h: {**candidate.settings, **params_of(searched, h)},
    )
    replays = on_cv and fixed_seed(candidate.final) is not None and options.resample == "fixed"
    return Setup(objective, searched, choice, why, replays)


def params_of(searched, h):
    """Parameters for ``set_params`` from values of what is searched."""
    return {each.key: plain(h[each.dimension.name]) for each in searched}


def _trained(candidate, space, terms, make_terms, options):
    """``(objective, why)`` of training runs."""
    method, why = training_method(options.method, candidate, terms[0], space)
    fresh = options.resample == "fresh"
    objective = TrainedObjective(space, terms, make_terms, method, fresh=fresh)
    return objective, f"{method!r}, because {why}"


def _online(candidate, space, terms, make_terms, options):
    """``(objective, why)`` of training runs whose hyperparameters move on the way."""
    method, start = options.method, {d.name: d.starts.reshape(d.shape) for d in space.dimensions}
    method.check(terms[0].problem, start)
    objective = OnlineObjective(space, terms, make_terms, method, n_outer=options.max_iter)
    return objective, f"{method!r}, because it was asked for"


def _solved(candidate, space, terms, make_terms, options):
    """``(objective, why)`` of models that are solved."""
    method = method_of(options)
    objective = Objective(space, terms, method)
    objective.tol = FINEST
    return objective, solved(candidate, method)


def _refuse(candidate, options):
    name = type(candidate.final).__name__
    if options.search_cv == "loo":
        raise ValueError(
            f"search_cv='loo' is the closed form of ridge regression. {name} is fitted split by "
            f"split: give a number or a splitter."
        )
    if options.guard:
        raise ValueError(
            f"guard=True compares a vector of penalties of a linear model with one value for all. "
            f"A search for hyperparameters of {name} has no guard: leave guard=False, and judge "
            f"best_estimator_ on data outside the search."
        )
    if options.shrinkage:
        raise ValueError(
            f"shrinkage={options.shrinkage!r} is for vectors of penalties of linear models. "
            f"A search for hyperparameters of {name} does not shrink: leave shrinkage='auto'."
        )


def _searched(candidate, span, parts, refit):
    family, final, per = candidate.family, candidate.final, span.continuous.per
    if per == "sample" and len(parts) > 1:
        raise UnsupportedRange(ONE_SPLIT.format(len(parts)))
    if per == "sample" and refit is not False:
        raise UnsupportedRange(NO_REFIT)
    family.check(final, span.leaf, parts[0])
    # Values of a list are numbers, whatever the estimator has.
    shape, labels = (), ()
    if not span.listed:
        shape, labels = family.shape(final, span.leaf, per, parts[0])
    if shape and any(family.shape(final, span.leaf, per, p)[0] != shape for p in parts[1:]):
        raise UnsupportedRange(
            f"the training parts of the splits differ in features, and so in {per}s"
        )
    hyperparameter = family.hyperparameters[span.leaf]
    dimension = dimension_of(span, hyperparameter, getattr(final, span.leaf), shape)
    before = own_values(getattr(final, span.leaf), shape)
    return Searched(span.key, dimension, labels, bool(span.listed) or per == "sample", before)


def _terms(candidate, parts, loss, options, draw):
    """Terms of all splits; seeds are those of the fits where these have one."""
    own = fixed_seed(candidate.final) if options.resample == "fixed" else None
    seeds = np.random.SeedSequence((options.seed, draw)).generate_state(len(parts))
    return [
        candidate.family.term(candidate.final, part, loss, int(seed) if own is None else own)
        for part, seed in zip(parts, seeds, strict=True)
    ]


def fixed_seed(estimator):
    """The seed of its fits, or None if they differ; one that draws nothing has any."""
    seed = getattr(estimator, "random_state", 0)
    return int(seed) if isinstance(seed, numbers.Integral) else None
