"""The search for hyperparameters of training runs: networks, learning rates, schedules."""

import dataclasses
import functools
import numbers

import numpy as np

from sklearn_hypergrad.optimizers import Adam
from sklearn_hypergrad.search.build import choice_of, prepared
from sklearn_hypergrad.search.data import blocks
from sklearn_hypergrad.search.descent import INTERRUPTED, Found, Unsearchable
from sklearn_hypergrad.search.endings import Ending
from sklearn_hypergrad.search.methods import training_method
from sklearn_hypergrad.search.objective import Objective
from sklearn_hypergrad.search.outcome import Outcome, Searched
from sklearn_hypergrad.search.rows import distinct_rows, score_of
from sklearn_hypergrad.search.splits import search_splits
from sklearn_hypergrad.search.starts import dimension_of
from sklearn_hypergrad.spaces import Space
from sklearn_hypergrad.threads import in_threads
from sklearn_hypergrad.training import Storage

# Points of the path that are judged by a score without gradient.
N_JUDGED = 5
# Distance in theta that is none.
ON_BOUND = 1e-9


class TrainedObjective(Objective):
    """Mean validation loss over splits, each a training run of its own.

    Parameters
    ----------
    space : Space
    make_terms : callable
        ``make_terms(draw)`` is the list of Terms with the seeds of a draw.
    method : Hypergradient
    fresh : bool
        Whether every evaluation draws new seeds.
    """

    def __init__(self, space, make_terms, method, *, fresh):
        super().__init__(space, make_terms(0), method)
        self._make_terms = make_terms
        self._fresh = fresh

        # Memory for the states of as many runs as there are at a time.
        self._storages = []

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
    if options.search_cv == "loo":
        raise ValueError("search_cv='loo' is for ridge regression; networks need splits.")
    splits, _ = search_splits(candidate, inputs, options)
    parts = prepared(blocks, candidate, inputs, splits)
    parts = [single for part in parts for single in part.divided(1)]
    choice = choice_of(candidate, inputs, options, parts)
    searched = [_searched(candidate, span, parts[0]) for span in candidate.ranges]
    space = Space([each.dimension for each in searched])
    make_terms = functools.partial(_terms, candidate, parts, choice.loss, options)
    method, why = training_method(options.method, candidate, make_terms(0)[0], space)
    fresh = options.resample == "fresh"
    objective = TrainedObjective(space, make_terms, method, fresh=fresh)
    on_cv = splits is inputs.splits
    return Setup(objective, searched, choice, f"{method!r}, because {why}", on_cv)


def search_trained(candidate, inputs, options):
    """The Outcome of a candidate whose estimator is trained step by step."""
    setup = trained_objective(candidate, inputs, options)
    objective = setup.objective
    start = np.concatenate(
        [each.dimension.transform.to_theta(each.dimension.starts) for each in setup.searched]
    )
    found = _descended(objective, start, options, setup.searched)
    points = [found.record.hyperparams, objective.space.to_hyperparams(start)]
    if not setup.choice.exact:
        points += _best_judged(objective, candidate, inputs)
    keys = {each.dimension.name: each.key for each in setup.searched}
    rows = distinct_rows([{keys[k]: v for k, v in point.items()} for point in points])
    replayed = setup.choice.exact and setup.on_cv and _seed(candidate.final) is not None
    return Outcome(
        candidate,
        [{**candidate.settings, **row} for row in rows],
        records=objective.records,
        found=found,
        searched=setup.searched,
        how=setup.why,
        choice=setup.choice,
        loss_name=setup.choice.loss.name,
        expected=found.record.value if replayed and options.resample == "fixed" else None,
    )


def _descended(objective, start, options, searched):
    optimizer = options.optimizer or Adam(noisy=options.resample == "fresh")
    settings = {"tol": options.tol, "max_iter": options.max_iter}
    try:
        if not np.isfinite(objective.record(start).value):
            raise Unsearchable(
                "training diverges where the search starts: lower learning_rate_init"
            )
        minimum = optimizer.minimize(objective, start, objective.space.bounds, **settings)
        record, message, warning = objective.record(minimum.z), minimum.message, minimum.warning
        converged = minimum.converged
    except KeyboardInterrupt:
        if not objective.records:
            raise
        record, message, warning, converged = objective.best, INTERRUPTED, "", False
    endings = _endings(record.theta, searched, converged)
    return Found(record, endings, message, warning)


def _endings(theta, searched, converged):
    """An Ending for every entry."""
    endings, entries = [], iter(theta)
    for each in searched:
        low, high = each.dimension.bounds
        for _ in range(each.dimension.size):
            entry = next(entries)
            held = entry - low <= ON_BOUND or high - entry <= ON_BOUND
            inside = Ending.INTERIOR if converged else Ending.NOT_CONVERGED
            endings.append(Ending.AT_BOUND if held else inside)
    return endings


def _searched(candidate, span, part):
    family, final, per = candidate.family, candidate.final, span.continuous.per
    shape, labels = family.shape(final, span.leaf, per, part)
    hyperparameter = family.hyperparameters[span.leaf]
    dimension = dimension_of(span, hyperparameter, getattr(final, span.leaf), shape)
    return Searched(span.key, dimension, labels, bool(span.listed))


def _terms(candidate, parts, loss, options, draw):
    """Terms of all splits; seeds are those of the fits where these have one."""
    own = _seed(candidate.final) if options.resample == "fixed" else None
    seeds = np.random.SeedSequence((options.seed, draw)).generate_state(len(parts))
    return [
        candidate.family.term(candidate.final, part, loss, int(seed) if own is None else own)
        for part, seed in zip(parts, seeds, strict=True)
    ]


def _seed(estimator):
    """The seed of its fits, or None if they differ."""
    seed = estimator.random_state
    return int(seed) if isinstance(seed, numbers.Integral) else None


def _best_judged(objective, candidate, inputs):
    """The best of the visited points under the asked score, in a list."""
    visited = sorted(objective.records, key=lambda record: record.value)[:N_JUDGED]
    points = [record.hyperparams for record in visited if np.isfinite(record.value)]
    scores = [score_of(_models(objective, candidate, point), inputs) for point in points]
    told = [index for index, score in enumerate(scores) if np.isfinite(score)]
    return [points[max(told, key=lambda index: (scores[index], -index))]] if told else []


def _models(objective, candidate, hyperparams):
    """Fitted estimators of all splits, each with its block and held-out rows."""
    for term in objective.terms:
        w = term.problem.run(hyperparams).final().w
        (test,) = term.block.tests
        yield candidate.family.install(candidate.final, w, term), term.block, test
