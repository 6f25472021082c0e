"""The arguments of a search, resolved: names replaced by objects, None by the usual choice."""

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Scoring:
    """How rows of ``cv_results_`` are scored, as ``fit_and_score`` of scikit-learn takes it.

    Attributes
    ----------
    scorer : callable
        The scorer of the search, or that of several metrics.
    params : dict
        Metadata for it.
    error_score : "raise" or float
    return_train_score : bool
    verbose : int
    """

    scorer: Callable
    params: dict
    error_score: object
    return_train_score: bool
    verbose: int


@dataclasses.dataclass(frozen=True)
class Options:
    """The arguments of a search, resolved, and the listeners of its evaluations.

    Attributes
    ----------
    method : Hypergradient, OnlineHypergradient or None
        None is the usual method of the model.
    optimizer : Optimizer or None
        None is the usual optimizer of the strategy.
    validation_loss : str or callable
    search_cv : "auto", "cv", "halves", "evidence", "loo" or splitter
    shrinkage : float or None
        None is the shrinkage that the hyperparameter declares.
    guard : bool or None
        None is a guard for vectors inside kernels of few rows.
    tol : float
    max_iter : int
    seed : int
    resample : {"fixed", "fresh"}
    refit : bool, str or callable
    selection : {"best", "one_se", "stable"}
    scoring : Scoring or None
        How rows are scored that the search makes from its own solutions; None if it makes none.
    rows : {"found", "listed"}
    place : str
        Which of several searches this is, for messages: enumerated settings, a fold of a guard.
    listeners : tuple of callable
        Each is called as ``listener(stage, record, settings)`` after every evaluation.
    watch : callable
        Called before every evaluation and every step of training; may raise ``Stopped``.
    deadline : Deadline or None
        The one whose ``check`` is part of the watch; workers need it as a listener, too.
    memory : CandidateMemory or None
        ``memory(objective)`` returns the Memory of an objective, if there is a checkpoint.
    prepare : type or None
        The class of prepared candidates, if it is another one than PreparedCandidate.
    """

    method: object | None
    optimizer: object
    validation_loss: str | Callable
    search_cv: object
    shrinkage: float | None
    guard: bool | None
    tol: float
    max_iter: int
    seed: int
    resample: str = "fixed"
    refit: bool | str | Callable = True
    selection: str = "best"
    scoring: Scoring | None = None
    rows: str = "found"
    place: str = ""
    listeners: tuple = ()
    watch: Callable = bool
    deadline: object = None
    memory: Callable | None = None
    prepare: type | None = None
