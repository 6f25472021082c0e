"""The objective of a search for hyperparameters of training runs."""

import dataclasses
import functools
import numbers
import time

import numpy as np

from sklearn_hypergrad.search.build import choice_of, prepared
from sklearn_hypergrad.search.columns import Unfit
from sklearn_hypergrad.search.data import blocks
from sklearn_hypergrad.search.methods import training_method
from sklearn_hypergrad.search.objective import DIVERGING, Objective
from sklearn_hypergrad.search.outcome import Searched
from sklearn_hypergrad.search.splits import search_splits
from sklearn_hypergrad.search.starts import dimension_of
from sklearn_hypergrad.spaces import Space
from sklearn_hypergrad.threads import in_threads
from sklearn_hypergrad.training import Storage


class TrainedObjective(Objective):
    """Mean validation loss over splits, each a training run of its own.

    Parameters
    ----------
    space : Space
    terms : list of Term
    make_terms : callable
        ``make_terms(draw)`` is the list of Terms with the seeds of a draw, of which the first is
        ``terms``.
    method : Hypergradient
    fresh : bool
        Whether every evaluation draws new seeds.
    splits : str
        What the splits are called in records.
    """

    def __init__(self, space, terms, make_terms, method, *, fresh, splits="cv"):
        super().__init__(space, terms, method, splits)
        self._make_terms = make_terms
        self._fresh = fresh
        # Memory for the states of as many runs as there are at a time.
        self._storages = []

    def glance(self, theta):
        """The value at theta, without the gradient: at a third of the price."""
        began = time.perf_counter()
        try:
            losses = self.losses(theta)
        except DIVERGING as error:
            self.records.append(self._failed(theta, error, began))
        else:
            losses = np.where(np.isfinite(losses), losses, np.inf)
            unknown, n_gradients = np.full_like(theta, np.nan), self._n_gradients()
            self.records.append(self._told(theta, losses, unknown, (), n_gradients, began))
        return self.records[-1].value

    def losses(self, theta):
        """Validation losses of all splits, of training in which no method takes part."""
        h = self.space.to_hyperparams(theta)
        return np.concatenate(in_threads(functools.partial(_loss, h), self.terms))

    def _n_gradients(self):
        return sum(term.problem.n_steps for term in self.terms)

    def _evaluate_terms(self, theta, hyperparams):
        if self._fresh and self.records:
            self.terms = self._make_terms(len(self.records))
        return in_threads(functools.partial(self._evaluate_term, hyperparams), self.terms)

    def _evaluate_term(self, hyperparams, term):
        storage = self._storages.pop() if self._storages else Storage()
        try:
            return self._method.evaluate(
                term.problem, term.outer, hyperparams, None, self.tol, storage=storage
            )
        finally:
            self._storages.append(storage)


@dataclasses.dataclass(frozen=True)
class Setup:
    """What is minimised, and how.

    Attributes
    ----------
    objective : TrainedObjective
    searched : list of Searched
    choice : Choice
    why : str
        Why it is differentiated as it is.
    on_cv : bool
        Whether the splits are those of the user's cv.
    """

    objective: TrainedObjective
    searched: list
    choice: object
    why: str
    on_cv: bool


def trained_objective(candidate, inputs, options):
    """The Setup of a candidate."""
    _refuse(options)
    prepared(candidate.final._validate_params)
    splits, _ = search_splits(candidate, inputs, options)
    on_cv = splits is inputs.splits
    parts = prepared(blocks, candidate, inputs, splits)
    parts = [single for part in parts for single in part.divided(1)]
    choice = choice_of(candidate, inputs, options, parts)
    make_terms = functools.partial(_terms, candidate, parts, choice.loss, options)
    terms = prepared(make_terms, 0)
    searched = [_searched(candidate, span, parts) for span in candidate.ranges]
    space = Space([each.dimension for each in searched])
    method, why = training_method(options.method, candidate, terms[0], space)
    objective = TrainedObjective(
        space,
        terms,
        make_terms,
        method,
        fresh=options.resample == "fresh",
        splits="cv" if on_cv else "search_cv",
    )
    return Setup(objective, searched, choice, f"{method!r}, because {why}", on_cv)


def _loss(hyperparams, term):
    run = term.problem.run(hyperparams)
    with np.errstate(over="ignore", invalid="ignore"):
        w = run.final().w
    run.check(w)
    return term.outer(term.problem.problem.shaped(w), hyperparams)[0]


def _refuse(options):
    if options.search_cv == "loo":
        raise ValueError(
            "search_cv='loo' is the closed form of ridge regression. Networks are trained split by "
            "split: give a number or a splitter."
        )
    if options.guard:
        raise ValueError(
            "guard=True compares a vector of penalties of a linear model with one value for all. "
            "Searches for hyperparameters of networks have no guard: leave guard=False, and judge "
            "best_estimator_ on data outside the search."
        )
    if options.shrinkage:
        raise ValueError(
            f"shrinkage={options.shrinkage!r} is for vectors of penalties of linear models. "
            f"Searches for hyperparameters of networks do not shrink: leave shrinkage='auto'."
        )


def _searched(candidate, span, parts):
    family, final, per = candidate.family, candidate.final, span.continuous.per
    shape, labels = family.shape(final, span.leaf, per, parts[0])
    if any(family.shape(final, span.leaf, per, part)[0] != shape for part in parts[1:]):
        raise Unfit(f"the training parts of the splits differ in features, and so in {per}s")
    hyperparameter = family.hyperparameters[span.leaf]
    dimension = dimension_of(span, hyperparameter, getattr(final, span.leaf), shape)
    return Searched(span.key, dimension, labels, bool(span.listed))


def _terms(candidate, parts, loss, options, draw):
    """Terms of all splits; seeds are those of the fits where these have one."""
    own = seed_of(candidate.final) if options.resample == "fixed" else None
    seeds = np.random.SeedSequence((options.seed, draw)).generate_state(len(parts))
    return [
        candidate.family.term(candidate.final, part, loss, int(seed) if own is None else own)
        for part, seed in zip(parts, seeds, strict=True)
    ]


def seed_of(estimator):
    """The seed of its fits, or None if they differ."""
    seed = estimator.random_state
    return int(seed) if isinstance(seed, numbers.Integral) else None
