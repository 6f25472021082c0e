"""Objectives of searches from the estimator's own values: networks, schedules, own models."""

import dataclasses
import functools
import numbers
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.adapters.base import NO_EVIDENCE
from sklearn_hypergrad.search.candidates.expand import model_in
from sklearn_hypergrad.search.candidates.refusals import CannotSearch, UnsupportedRange
from sklearn_hypergrad.search.objective.initial_values import dimension_of
from sklearn_hypergrad.search.objective.methods import is_online, training_method
from sklearn_hypergrad.search.objective.validation_loss import Choice
from sklearn_hypergrad.search.results.candidate_result import Searched, solved
from sklearn_hypergrad.spaces import Space
from sklearn_hypergrad.tuning import Objective, OnlineObjective, TrainedObjective

# Inner tolerance of own models that are solved. Reason: line searches compare losses that differ
# little, and near a minimum Newton's method doubles the number of correct digits in one step.
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
    """An objective with everything that its result needs.

    Attributes
    ----------
    objective : Objective
    searched : list of Searched
    params : callable
        ``params(h)``: parameters for ``set_params`` from hyperparameters.
    choice : Choice
    why : str
        How it is differentiated, and why.
    replays : bool
        Whether fits of scikit-learn on its splits lead to the same weights.
    asked : callable
        ``asked()``: an objective on the user's cv, mostly the same one.
    """

    objective: Objective
    searched: list
    params: Callable
    choice: Choice
    why: str
    replays: bool
    asked: Callable


def own_values_setup(prepared):
    """The Setup of a candidate.

    Parameters
    ----------
    prepared : PreparedCandidate

    Returns
    -------
    Setup

    Raises
    ------
    CannotSearch
        If parameters of the estimator are invalid, or the data give no objective.
    UnsupportedRange, ValueError
        If an argument of the search, or a range, does not apply to this model or these data.
    """
    _refuse(prepared)
    try:
        prepared.final._validate_params()
    except Exception as error:
        raise CannotSearch(str(error)) from error
    options = prepared.options
    splits, _ = prepared.search_splits()
    on_cv = splits is prepared.inputs.splits
    data = prepared.data_of(splits)
    choice = prepared.choice_on(data)
    make_terms = functools.partial(_terms, prepared, data, choice.loss)
    terms = _first_terms(make_terms)
    searched = [_searched(prepared, span, data) for span in prepared.ranges]
    fixed = prepared.candidate.settings
    stage = prepared.stage(choice.loss, splits)

    def params(h):
        names = {each.key: each.dimension.name for each in searched}
        return {key: prepared.family.parameter(name, h[name]) for key, name in names.items()}

    events = prepared.events(lambda h: {**fixed, **params(h)})
    space = Space([each.dimension for each in searched])
    make = _trained if terms[0].trained else _solved
    make = _online if is_online(options) else make
    objective, why = make(prepared, (space, terms, stage, events), make_terms)

    def asked():
        if on_cv:
            return objective
        make_own = functools.partial(_terms, prepared, prepared.cv_data, choice.loss)
        return make(prepared, (space, make_own(0), stage, events), make_own)[0]

    objective.from_own_values = True
    fixed_draws = own_seed(prepared.final) is not None and options.resample == "fixed"
    return Setup(objective, searched, params, choice, why, on_cv and fixed_draws, asked)


def _trained(prepared, parts, make_terms):
    """``(objective, why)`` of training runs."""
    space, terms, stage, events = parts
    method, why = training_method(prepared, terms[0].problem, space)
    fresh = prepared.options.resample == "fresh"

    def make(draw):
        return [term.differentiated(method) for term in make_terms(draw)]

    terms = [term.differentiated(method) for term in terms]
    objective = TrainedObjective(space, terms, stage, events, make_terms=make, fresh=fresh)
    return objective, f"{method!r}, because {why}"


def _online(prepared, parts, make_terms):
    """``(objective, why)`` of training runs whose hyperparameters move during training."""
    method, (space, terms, *_) = prepared.options.method, parts
    method.check(terms[0].problem, {d.name: d.starts.reshape(d.shape) for d in space.dimensions})
    n_outer = prepared.options.max_iter
    objective = OnlineObjective(*parts, make_terms=make_terms, method=method, n_outer=n_outer)
    return objective, f"{method!r}, because it was asked for"


def _solved(prepared, parts, make_terms):
    """``(objective, why)`` of models that minimise their objective."""
    space, terms, stage, events = parts
    terms = [term.differentiated(prepared.options.method) for term in terms]
    objective = Objective(space, terms, stage, events)
    objective.tol = FINEST
    return objective, solved(prepared.final, terms[0])


def _refuse(prepared):
    options, name = prepared.options, type(prepared.candidate.model).__name__
    if options.search_cv == "evidence":
        raise ValueError(NO_EVIDENCE.format(name))
    if options.search_cv == "loo":
        raise ValueError(
            f"search_cv='loo' is the closed form of ridge regression and KernelRidge. {name} is "
            f"fitted split by split: give a number or a splitter."
        )
    if options.guard:
        raise ValueError(
            f"guard=True compares a vector of penalties of a linear model with one value for all. "
            f"A search for hyperparameters of {name} has no guard: leave guard='auto', and judge "
            f"best_estimator_ on data outside the search."
        )
    if options.shrinkage:
        raise ValueError(
            f"shrinkage={options.shrinkage!r} is for vectors of penalties of linear models. "
            f"A search for hyperparameters of {name} does not shrink: leave shrinkage='auto'."
        )


def _searched(prepared, span, data):
    family, final, per = prepared.family, prepared.final, span.continuous.per
    if per == "sample" and len(data) > 1:
        raise UnsupportedRange(ONE_SPLIT.format(len(data)))
    if per == "sample" and prepared.options.refit is not False:
        raise UnsupportedRange(NO_REFIT)
    family.check(final, span.leaf, data[0])
    # Values of a list are numbers, even if the estimator's own value is an array.
    shape, labels = (), ()
    if not span.listed:
        shape, labels = family.shape(final, span.leaf, per, data[0])
    if shape and any(family.shape(final, span.leaf, per, d)[0] != shape for d in data[1:]):
        raise UnsupportedRange(
            f"the training parts of the splits differ in features, and so in {per}s"
        )
    own = family.own_value(final, span.leaf, data[0])
    dimension = dimension_of(span, prepared.hyperparameter(span), own, shape, labels)
    meant = bool(span.listed) or per == "sample"
    return Searched(span.key, dimension, labels, meant, prepared.own(span, shape))


def _first_terms(make_terms):
    """Terms of the first draw; an error leads to enumeration, where scikit-learn reports it."""
    try:
        return make_terms(0)
    except Exception as error:
        raise CannotSearch(str(error)) from error


def _terms(prepared, data, loss, draw):
    """Terms of all splits, with the estimator's own seed or, without one, seeds of this draw."""
    options = prepared.options
    own = own_seed(prepared.final) if options.resample == "fixed" else None
    seeds = np.random.SeedSequence((options.seed, draw)).generate_state(len(data))
    seeds = [int(seed) if own is None else own for seed in seeds]
    models = prepared.models(data, seeds=seeds)
    return [model.judged_by(loss) for model in models]


def own_seed(estimator):
    """The seed of an estimator's fits; None if fits differ, 0 if the estimator draws nothing."""
    seed = getattr(model_in(estimator), "random_state", 0)
    return int(seed) if isinstance(seed, numbers.Integral) else None
