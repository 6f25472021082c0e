"""The result of one candidate: rows for scikit-learn to judge, and how the search went."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.search.candidates.expand import Candidate, model_in
from sklearn_hypergrad.search.objective.validation_loss import Choice
from sklearn_hypergrad.search.results.effective_model import EffectiveModel
from sklearn_hypergrad.search.results.found import Found
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.solved_row import SolvedRow
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.spaces import Dimension
from sklearn_hypergrad.tuning import Record

# Relative difference up to which two values count as the same. Reason: a logarithm and its inverse
# change a value by a few units of 2e-16 times its logarithm, and no search is that accurate.
SAME = 1e-12
# Ratio of the largest to the smallest spread of a feature above which scaling is advised. Chosen by
# hand, far above what entries of a vector can make up for: they deviate from their level by a
# factor of exp(8), about 3000, which corresponds to a factor of 55 in scale.
UNEQUAL = 1e3
# Statuses that are warned about. A list may end on its bounds, as in GridSearchCV; a vector may
# leave the pool; a search over training runs ends with its budget, so it need not have converged.
LIST_STATUSES = {EndStatus.FLAT, EndStatus.NOT_CONVERGED}
CONTINUOUS_STATUSES = LIST_STATUSES | {EndStatus.AT_BOUND, EndStatus.LIMIT}
VECTOR_STATUSES = {EndStatus.NOT_CONVERGED, EndStatus.AT_BOUND}
TRAINED_STATUSES = {EndStatus.AT_BOUND}
# Factor from the loss of a constant prediction above which a result is absurd. Chosen by hand:
# squared errors are then those of five standard deviations of the target.
ABSURD = 30
DIVERGED = (
    "the loss is far above that of a constant prediction. Training diverges, or has hardly begun: "
    "lower the learning rate, and standardise X and y."
)
CLOSED_FORM = "closed form"


@dataclasses.dataclass(frozen=True)
class Searched:
    """A hyperparameter as it was searched.

    Attributes
    ----------
    key : str
        Its name in ``param_grid``.
    dimension : Dimension
    labels : tuple
        A name for every entry; () for one value.
    meant : bool
        Whether ending on a bound is expected (no warning): the range is that of a list, or of
        weights of samples.
    before : ndarray
        The estimator's own value of every entry.
    held : ndarray of shape (size,) or None
        The value that an entry is held at; nan for those that are searched. None if all are.
    """

    key: str
    dimension: Dimension
    labels: tuple
    meant: bool
    before: np.ndarray
    held: np.ndarray | None = None

    def with_held(self, values):
        """Values of all entries, of shape (size,), with those that are held at their place."""
        values = np.ravel(values)
        return values if self.held is None else np.where(self.is_held, self.held, values)

    @property
    def is_held(self):
        """Whether entries are held, of shape (size,)."""
        return np.zeros(self.dimension.size, bool) if self.held is None else ~np.isnan(self.held)


@dataclasses.dataclass(frozen=True)
class EnumeratedResult:
    """A candidate that was only enumerated.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge.
    fallback : str or None
        Why a range was enumerated and not searched.
    remarks : sequence of Remark
        What else deserves a look.
    is_own : bool
        Whether its row is the estimator as it is, to compare the result of a stopped search with.
    numbers : sequence of int
        As for SearchedResult.
    """

    candidate: Candidate
    rows: list
    fallback: str | None = None
    remarks: Sequence[Remark] = ()
    is_own: bool = False
    numbers: Sequence[int] = ()

    # Attributes of a SearchedResult, empty here.
    is_searched = False
    points, solved, begun = (), (), ()
    guard = describe = one_value = stopped = None

    @property
    def n_urgent(self):
        """Number of rows, from the first, that are judged even if there is no time left."""
        return len(self.rows) if self.is_own else 0


@dataclasses.dataclass(frozen=True)
class SearchedResult:
    """A candidate whose ranges were searched.

    Attributes
    ----------
    candidate : Candidate
    rows : list of dict
        Settings for scikit-learn to judge; the first row is the point found.
    records : list of Record
        All evaluations.
    found : Found
    searched : list of Searched
        The hyperparameters, in the order of the entries of theta.
    how : str
        How it was differentiated, and why.
    choice : Choice
    loss_name : str
        The validation loss that was descended.
    trained : bool
        Whether its model is trained for a given number of steps.
    from_own_values : bool
        Whether the search began at the estimator's own values, or the best of listed ones.
    expected : float or None
        The validation loss of the first row on the user's cv, if it is the asked score.
    points : list of dict
        The hyperparameters of each of the rows, by name; empty if the rows have them as they are.
    describe : callable or None
        For a vector of penalties, ``describe(point) -> EffectiveModel``, trained on all data.
    one_value : callable or None
        For one penalty, the OneValue that describes its refit.
    guard : Guard or None
    comparisons : list of Comparison
        The point found against other points, such as the estimator's own value.
    start_row : int or None
        Number of the row with which the search started, if it is not the point found.
    constant_loss : float or None
        For a model that is trained, the validation loss of a constant prediction.
    features : tuple of (tuple of str or None, ndarray of int, ndarray or None) or None
        For a vector with entries of features, the names of the features that enter the final step,
        the entries of each, of shape (n_features, 1) or (n_features, n_outputs), and the values
        that are held, as Layouts take them.
    remarks : sequence of Remark
        What else deserves a look.
    stopped : str or None
        Why the search was stopped before its end.
    solved : sequence of SolvedRow or None
        The first rows as far as they were made of solutions; None for rows that are to be fitted.
    begun : sequence of dict
        What fits of the first row on the first splits returned, if these have been made.
    numbers : sequence of int
        The numbers of its rows in ``cv_results_``; empty if results are numbered one after another.
    """

    candidate: Candidate
    rows: list
    records: list
    found: Found
    searched: list
    how: str
    choice: Choice
    loss_name: str
    trained: bool = False
    from_own_values: bool = False
    expected: float | None = None
    points: Sequence[dict] = ()
    describe: Callable[[dict], EffectiveModel] | None = None
    one_value: object = None
    guard: object = None
    comparisons: list = ()
    start_row: int | None = None
    constant_loss: float | None = None
    features: tuple | None = None
    remarks: Sequence[Remark] = ()
    stopped: str | None = None
    solved: Sequence[SolvedRow | None] = ()
    begun: Sequence[dict] = ()
    numbers: Sequence[int] = ()

    is_searched = True

    @property
    def closed_form(self):
        """Whether predictions were differentiated in closed form."""
        return self.how.startswith(CLOSED_FORM)

    @property
    def n_urgent(self):
        """Number of rows, from the first, that are judged even if there is no time left."""
        return len(self.rows) if self.stopped else 1

    def scores_of(self, position):
        """The asked scores of a row on the splits of cv, where the search knows them, else None.

        Parameters
        ----------
        position : int
            Among the rows of this result.
        """
        # While training goes on or draws anew, losses on the way are not those of whole fits.
        on_the_way = self.trained and not self.comparisons
        if not self.choice.exact or (on_the_way and (position or self.stopped)):
            return None
        asked = "cv", self.choice.loss.name
        records = [
            record
            for record in reversed(self.records)
            if (record.stage.splits, record.stage.loss) == asked
            and np.isfinite(record.value)
            and self._is_at(record.h, position)
        ]
        if not records:
            return None
        return self.choice.loss.offset - min(records, key=lambda record: record.tol).losses

    def _is_at(self, h, position):
        """Whether hyperparameters are those of a row."""
        row, spans = self.rows[position], self.candidate.ranges
        point = self.points[position] if self.points else {s.leaf: row[s.key] for s in spans}
        return all(_is_spread(h[name], entries) for name, entries in point.items())

    @property
    def shown_loss(self):
        """The name of the descended loss in reports."""
        return self.found.record.stage.shown or self.loss_name


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two evaluations of one loss on the same splits.

    Attributes
    ----------
    what : str
        The two points, such as "the point found over alpha=1".
    before, after : Record
    """

    what: str
    before: Record
    after: Record


def compared(objective, h, found, what):
    """The Comparison of the point found with other hyperparameters."""
    return Comparison(what, objective.compared(h), found.record)


def compared_with_own(prepared, objective, found, what="the point found"):
    """The Comparison with the estimator's own values, in a list; empty if they cannot be used."""
    own = prepared.own_values
    if own is None:
        return []
    shown = ", ".join(f"{name}={value:.4g}" for name, value in own.items())
    return [compared(objective, own, found, f"{what} over {shown}")]


def searched_one(prepared, span, dimension, labels=(), held=None):
    """The Searched of one hyperparameter, in a list."""
    before = prepared.own(span, dimension.shape)
    return [Searched(span.key, dimension, labels, bool(span.listed), before, held)]


def scale_remarks(prepared):
    """A Remark about columns in different units, in a list."""
    smallest, largest = prepared.relative_scales
    ratio = np.sqrt(largest / smallest)
    # Sparse features are not scaled by their spread.
    if ratio <= UNEQUAL or issparse(prepared.cv_data[0].X):
        return []
    text = (
        f"{prepared.range.key}: the scales of the features differ by a factor of {ratio:.2g}, and "
        f"penalties are relative to them. Put a StandardScaler before the model."
    )
    return [Remark(text, warns=not prepared.range.listed)]


def solved(final, model):
    """Text for ``hypergradient_``: how a solved model was differentiated, and why."""
    name, method = type(model_in(final)).__name__, getattr(model, "method", None)
    if method is None:
        return f"{CLOSED_FORM}, because the predictions of {name} have one"
    if method.through_training:
        return f"{method!r}, because {name} is trained by gradient descent, as was asked for"
    objective = "a smooth objective"
    if model.smooth_while:
        objective = f"an objective that is smooth as long as {model.smooth_while}"
    return f"{method!r}, because the fit of {name} minimises {objective}"


def solved_rows(results):
    """The SolvedRows of all results, by the number of the row of ``cv_results_``."""
    return {
        number: solved
        for rows, result in with_rows(results)
        for number, solved in zip(rows, result.solved, strict=False)
        if solved is not None
    }


def settings_of(results):
    """The settings of all rows of ``cv_results_``, in their order."""
    pairs = (zip(rows, result.rows, strict=True) for rows, result in with_rows(results))
    return [settings for _, settings in sorted(itertools.chain(*pairs), key=lambda pair: pair[0])]


def with_rows(results):
    """Yield ``(rows, result)`` for every result, ``rows`` its numbers of rows of ``cv_results_``.

    Without ``numbers``, rows are numbered as results follow each other.
    """
    first = 0
    for result in results:
        rows = range(first, first := first + len(result.rows))
        yield result.numbers or rows, result


def place_of(results, number):
    """The result that a row of ``cv_results_`` belongs to, and the position of the row in it."""
    rows, result = next(pair for pair in with_rows(results) if number in pair[0])
    return result, rows.index(number)


def remarks_of(result, row=0):
    """The Remarks about a candidate.

    Parameters
    ----------
    result : SearchedResult or EnumeratedResult
    row : int or None, default=0
        The number of its row that scored best; None if that has no score.

    Returns
    -------
    list of Remark
    """
    if not result.is_searched:
        # A list that could not be searched was enumerated, as GridSearchCV does: no warning.
        continuous = any(not span.listed for span in result.candidate.ranges)
        fallback = [Remark(result.fallback, warns=continuous)] if result.fallback else []
        return [*fallback, *result.remarks]
    return [
        *_status_remarks(result),
        *_diverged(result, row),
        *_ends_of_lists(result, row),
        *result.remarks,
    ]


def _status_remarks(result):
    """Remarks about the statuses of hyperparameters and solvers at the point found."""
    found, remarks = result.found, []
    end_statuses = iter(found.end_statuses)
    for searched in result.searched:
        own = dict.fromkeys(next(end_statuses) for _ in range(searched.dimension.size))
        remarks += [
            _remark(f"{end_status.label}. {end_status.remedy}", result, [searched])
            for end_status in own
            if end_status in _worth_saying(searched, result.trained)
            # That a search was stopped is a remark of its own.
            and not (result.stopped and end_status is EndStatus.NOT_CONVERGED)
        ]
    unsolved = [s for s in dict.fromkeys(found.record.statuses) if s is not Status.CONVERGED]
    remedies = [status.value for status in unsolved] + [found.warning] * bool(found.warning)
    return remarks + [_remark(remedy, result, result.searched) for remedy in remedies]


def _diverged(result, row):
    """A Remark, in a list, if the result predicts far worse than a constant."""
    value, constant = result.found.record.value, result.constant_loss
    # A score that is zero for a constant prediction says so itself.
    judged = result.choice.exact and result.choice.loss.offset == 1
    if row or judged or constant is None or value <= ABSURD * constant:
        return []
    return [_remark(DIVERGED, result, result.searched)]


def _ends_of_lists(result, row):
    """Remarks about lists whose smallest or largest value is the best."""
    remarks, pairs = [], zip(result.searched, result.candidate.ranges, strict=True)
    for searched, span in pairs:
        # Of a loss that is flat the end says nothing.
        flat = EndStatus.FLAT in result.found.end_statuses
        if row is None or flat or not span.listed:
            continue
        for side, end in (("smallest", min(span.listed)), ("largest", max(span.listed))):
            if close(result.rows[row][span.key], float(end)):
                # Listed values outside of its limits, such as zero, are other candidates.
                seen = f"the {side} number searched is the best. Continuous() finds the range."
                detail = f"{searched.key}={end:.4g}: {seen}"
                remarks.append(Remark(f"{searched.key}: {seen}", warns=False, detail=detail))
    return remarks


def _remark(seen, result, several):
    """The Remark about some hyperparameters at the point found."""
    keys = ", ".join(searched.key for searched in several)
    return Remark(f"{keys}: {seen}", detail=f"{_where(result, several)}: {seen}")


def _where(result, several):
    """Text for messages: names and values of hyperparameters, and the loss there."""
    record = result.found.record
    shown = []
    for each in several:
        value = record.h[each.dimension.name]
        shown.append(f"{each.key}={value}" if np.ndim(value) == 0 else each.key)
    loss = result.shown_loss
    return f"{', '.join(shown)} ({loss} {record.value:.6g})"


def _worth_saying(searched, trained):
    if trained:
        return set() if searched.meant else TRAINED_STATUSES
    if searched.dimension.shape:
        return VECTOR_STATUSES - (TRAINED_STATUSES if searched.meant else set())
    return LIST_STATUSES if searched.meant else CONTINUOUS_STATUSES


def close(one, other):
    """Whether two values are the same up to the rounding of a logarithm and its inverse."""
    if np.ndim(one) == np.ndim(other) == 0:
        return math.isclose(one, other, rel_tol=SAME)
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=SAME, atol=0)


def same_point(one, other):
    """Whether two points of the same hyperparameters are the same up to that rounding."""
    return all(close(one[name], other[name]) for name in one)


def _is_spread(value, entries):
    """Whether all entries are one value, or those of an array of their shape."""
    if np.asarray(entries).dtype.kind not in "fiu" or np.ndim(value) > np.ndim(entries):
        return False
    if np.ndim(value) == 0 < np.ndim(entries):
        value = np.full(np.shape(entries), value)
    return close(value, entries)


def distinct(values, same=close):
    """The values without repetitions; the first of equal ones is kept."""
    kept = []
    for value in values:
        if not any(same(value, other) for other in kept):
            kept.append(value)
    return kept


def same_settings(one, other):
    """Whether two dicts of the same names have equal values."""
    return all(np.array_equal(one[name], other[name]) for name in one)
