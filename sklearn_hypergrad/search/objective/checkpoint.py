"""The checkpoint of a fit: its file, and the memory of each of its objectives."""

import collections
import contextlib
import dataclasses
import pathlib
import sys

from sklearn_hypergrad._sklearn import PassthroughScorer
from sklearn_hypergrad.hypergradients import OnlineHypergradient
from sklearn_hypergrad.search.data.fingerprint import fingerprint
from sklearn_hypergrad.search.data.inputs import PLAIN
from sklearn_hypergrad.tuning.journal import FORMAT, Journal, SideJournal, absorb_sides
from sklearn_hypergrad.tuning.memory import Memory

# Options that change no result of an evaluation; refit only says which score decides, and that is
# part of the fingerprint.
IRRELEVANT = {"deadline", "listeners", "place", "memory", "prepare", "refit", "rows", "scoring"}
IRRELEVANT |= {"watch"}
# Packages whose versions may change results.
VERSIONS = "sklearn_hypergrad", "numpy", "scipy", "sklearn"
CANNOT = (
    "checkpoint={!r} cannot continue a search with {!r}: it trains on between evaluations, and the "
    "training would be lost. Use hypergradient='reverse', or leave checkpoint=None."
)
DRAWS = (
    "checkpoint={!r} continues a search only on the same splits, and {}={!r} draws others in every "
    "fit. Give it a random_state."
)


@contextlib.contextmanager
def checkpointed(search, inputs, options):
    """Open the file of a fit, and close it at the end.

    Parameters
    ----------
    search : HypergradSearchCV
        With a ``checkpoint``.
    inputs : FitInputs
    options : Options

    Yields
    ------
    Checkpoint

    Raises
    ------
    OSError
        If the file cannot be written, or another fit is writing it (BlockingIOError).
    ValueError
        If the search cannot be continued, or the file is not one of this version.
    """
    directory = pathlib.Path(search.checkpoint)
    _refuse(search, inputs, options)
    own = _fingerprint(search, inputs, options)
    path = directory / f"{own}.jsonl"
    with contextlib.closing(Journal(path, own)) as journal:
        # Workers of a process that was killed have left their own files.
        absorb_sides(journal, path, own)
        try:
            yield Checkpoint(journal, path, own, journal.n_known)
        finally:
            absorb_sides(journal, path, own)


class Checkpoint:
    """The open file of a fit.

    Parameters
    ----------
    journal : Journal or SideJournal
    path : Path
    fingerprint : str
    n_known : int, default=0

    Attributes
    ----------
    path : Path
    fingerprint : str
    n_known : int
        Number of results of earlier runs.
    """

    def __init__(self, journal, path, fingerprint, n_known=0):
        self._journal, self.path, self.fingerprint = journal, path, fingerprint
        self.n_known = n_known
        self._counts = collections.Counter()

    def memory_of(self, number):
        """The CandidateMemory of the candidate of this number."""
        return CandidateMemory(self, number)

    def memory(self, number, objective):
        """The Memory of an objective of a candidate."""
        # Transformers may draw at random, or sum in another order on another processor: then what
        # the models get differs, and nothing is known about it.
        parts = [term.data.identity for term in objective.terms]
        stage = objective.stage
        place = number, stage.place, stage.splits, stage.loss
        dimensions = [dataclasses.asdict(d) for d in objective.space.dimensions]
        identity = fingerprint(place=place, dimensions=dimensions, data=parts)
        self._counts[identity] += 1
        return Memory(self._journal, f"{identity} {self._counts[identity]}".encode())


class CandidateMemory:
    """A function from the objectives of a candidate to their Memory.

    Parameters
    ----------
    checkpoint : Checkpoint
    number : int
        That of the candidate.
    """

    def __init__(self, checkpoint, number):
        self._checkpoint, self._number = checkpoint, number

    def __call__(self, objective):
        return self._checkpoint.memory(self._number, objective)

    def away(self):
        """The same for a worker."""
        return AwayMemory(self._checkpoint.path, self._checkpoint.fingerprint, self._number)


class AwayMemory:
    """The same on a worker: a context in which its own file is open.

    Parameters
    ----------
    path : Path
        The file of the caller.
    fingerprint : str
    number : int
    """

    def __init__(self, path, fingerprint, number):
        self._path, self._fingerprint, self._number = path, fingerprint, number
        self._checkpoint = self._journal = None

    def __enter__(self):
        self._journal = SideJournal(self._path, self._fingerprint)
        self._checkpoint = Checkpoint(self._journal, self._path, self._fingerprint)
        return self

    def __exit__(self, *error):
        self._journal.close()

    def __call__(self, objective):
        return self._checkpoint.memory(self._number, objective)


def _refuse(search, inputs, options):
    """Raise ValueError if another fit with the same arguments would be another search."""
    if isinstance(options.method, OnlineHypergradient):
        raise ValueError(CANNOT.format(search.checkpoint, options.method))
    for name, splitter in (("cv", inputs.splitter), ("search_cv", options.search_cv)):
        shuffles = getattr(splitter, "shuffle", True)
        if shuffles and getattr(splitter, "random_state", 0) is None:
            raise ValueError(DRAWS.format(search.checkpoint, name, splitter))


def _fingerprint(search, inputs, options):
    fields = [each.name for each in dataclasses.fields(options) if each.name not in IRRELEVANT]
    return fingerprint(
        format=FORMAT,
        versions=[sys.modules[name].__version__ for name in VERSIONS],
        python=sys.version_info[:2],
        **inputs.identity,
        splits=inputs.splits,
        metadata=[inputs.fit_params, inputs.score_params, inputs.split_params],
        estimator=search.estimator,
        param_grid=search.param_grid,
        # That of estimators holds one.
        scoring="score" if isinstance(inputs.scorer, PassthroughScorer) else inputs.scorer,
        # Guards split again.
        cv=type(inputs.splitter) in PLAIN if options.guard is False else inputs.splitter,
        **{name: getattr(options, name) for name in fields},
    )
