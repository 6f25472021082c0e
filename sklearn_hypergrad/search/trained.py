"""The search for hyperparameters of training runs: networks, learning rates, schedules."""

import dataclasses
import functools
import numbers

import numpy as np

from sklearn_hypergrad.optimizers import Adam
from sklearn_hypergrad.search.build import choice_of, prepared
from sklearn_hypergrad.search.columns import Unfit
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
    splits : str
        What the splits are called in records.
    """

    def __init__(self, space, make_terms, method, *, fresh, splits="cv"):
        super().__init__(space, make_terms(0), method, splits)
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
    _refuse(options)
    prepared(candidate.final._validate_params)
    splits, _ = search_splits(candidate, inputs, options)
    on_cv = splits is inputs.splits
    parts = prepared(blocks, candidate, inputs, splits)
    parts = [single for part in parts for single in part.divided(1)]
    choice = choice_of(candidate, inputs, options, parts)
    make_terms = functools.partial(_terms, candidate, parts, choice.loss, options)
    term = prepared(make_terms, 0)[0]
    searched = [_searched(candidate, span, parts) for span in candidate.ranges]
    space = Space([each.dimension for each in searched])
    method, why = training_method(options.method, candidate, term, space)
    objective = TrainedObjective(
        space,
        make_terms,
        method,
        fresh=options.resample == "fresh",
        splits="cv" if on_cv else "search_cv",
    )
    return Setup(objective, searched, choice, f"{method!r}, because {why}", on_cv)


def search_trained(candidate, inputs, options):
    """The Outcome of a candidate whose estimator is trained step by step."""
    setup = trained_objective(candidate, inputs, options)
    objective = setup.objective
    start = {d.name: d.starts.reshape(d.shape) for d in objective.space.dimensions}
    found = _descended(candidate, setup, start, options)
    points = [found.record.hyperparams, start]
    if not setup.choice.exact:
        points += _best_judged(objective, candidate, inputs)
    # Taken to theta and back, the start has other digits than the estimator.
    begin = objective.records[0].hyperparams
    points = [start if _equal(point, begin) else point for point in points]
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


def _descended(candidate, setup, start, options):
    objective = setup.objective
    optimizer = options.optimizer or Adam(noisy=options.resample == "fresh")
    settings = {"tol": options.tol, "max_iter": options.max_iter}
    try:
        start = objective.space.to_theta(start)
        _begin(candidate, objective, start)
        minimum = optimizer.minimize(objective, start, objective.space.bounds, **settings)
        record, message, warning = objective.record(minimum.z), minimum.message, minimum.warning
        converged = minimum.converged
    except KeyboardInterrupt:
        if not objective.records:
            raise
        record, message, warning, converged = objective.best, INTERRUPTED, "", False
    endings = _endings(record.theta, setup.searched, converged)
    return Found(record, endings, message, warning)


def _begin(candidate, objective, start):
    """Evaluate where the search starts.

    Raises
    ------
    Unsearchable
        If training cannot begin, or diverges.
    Unfit
        The same, if there are no other settings whose fits could do better.
    """
    others = candidate.settings or any(span.listed for span in candidate.ranges)
    refused = Unsearchable if others else Unfit
    try:
        record = objective.record(start)
    except ValueError as error:
        raise refused(str(error)) from error
    if not np.isfinite(record.value):
        raise refused(
            f"training of {type(candidate.final).__name__} diverges where the search starts. Lower "
            f"its learning_rate_init, or standardise the data"
        )


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


def _equal(point, other):
    return all(np.array_equal(point[name], other[name]) for name in point)


def _models(objective, candidate, hyperparams):
    """Fitted estimators of all splits, each with its block and held-out rows."""
    for term in objective.terms:
        w = term.problem.run(hyperparams).final().w
        (test,) = term.block.tests
        yield candidate.family.install(candidate.final, w, term), term.block, test
