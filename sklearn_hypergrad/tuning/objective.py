"""The objective: the function of theta that is minimised, with all its evaluations so far."""

import dataclasses
import itertools
import math
import time

import numpy as np

from sklearn_hypergrad.exact import LatticeOverflow
from sklearn_hypergrad.hypergradients import Evaluation, WarmStart
from sklearn_hypergrad.hypergradients.base import Predicted, exploded
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.training import Diverged
from sklearn_hypergrad.tuning.events import COMPARISON, INTERRUPTED, Events, Stage, Stopped

# Inner tolerances: of a scan far above its minimum, of a scan elsewhere, and while a minimum is
# polished. Tolerances that decrease along a search are those of Pedregosa (2016), algorithm 1. The
# values are chosen by hand: an error of tol in the weights is one of tol squared in the inner
# objective. COARSE values rank points of a scan whose losses differ by more than 1e-4 relative.
# Measured: with 5e-3 none of 418 searches missed a minimum, with 1e-2 values of text are 0.5 % off.
ROUGH = 1e-1
COARSE = 5e-3
FINE = 1e-6
# Largest number of warm starts, and of numbers in them. Chosen by hand: searches of one value were
# measured to have 8 to 30 points, and 2**21 doubles are 16 MiB.
MOST_STARTS = 32
MOST_KEPT = 2**21
# Largest number of terms that tell second derivatives, which predict what a step gains. Measured on
# 1,000 targets of four groups and 20 half splits: with 5, 10 and 20 terms a target takes 2.3, 1.9
# and 1.8 evaluations of its own, and the search about the same time.
MOST_TERMS = 5
# Relative difference up to which two theta are one point.
ROUNDED = 1e-14
DIVERGING = Diverged, LatticeOverflow
# Statuses of weights that do not solve their training problem. Gradient descent that was stopped
# early is not among them: its weights are what was asked for.
UNSOLVED = {Status.INNER_NOT_CONVERGED, Status.DIVERGED}
# Attributes of a Record that say what was asked for.
ASKED = {"theta", "h", "tol", "stage"}
# Attributes that only a Record with an evidence has, and one that only a Record of many targets
# has.
OF_EVIDENCE = {"log_evidence", "log_evidence_gradient"}
OF_TARGETS = {"of_targets"}


# Losses of splits are not independent: if training parts overlap, and held-out parts too, the
# variance of their mean is larger than s^2 / n. Nadeau and Bengio (2003) take
#     (1 / n + n_test / n_train) s^2
# with s^2 the variance over splits: however often the data are split, they are the same data.
def standard_error(values, overlap=0.0):
    """Standard error of the mean over splits; nan for fewer than two.

    Parameters
    ----------
    values : array-like of shape (n_splits,)
    overlap : float, default=0.0
        The ratio ``n_test / n_train`` if splits are to be corrected for their overlap [1]_, else
        zero.

    Returns
    -------
    float

    References
    ----------
    .. [1] Nadeau, Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
    """
    n_splits = len(values)
    if n_splits < 2:
        return float("nan")
    return float(np.sqrt((1 / n_splits + overlap) * np.var(values, ddof=1)))


@dataclasses.dataclass(frozen=True)
class Record:
    """One evaluation of the objective: plain data, which can be pickled and stored.

    Attributes
    ----------
    theta : ndarray of shape (size,)
        The point, on the scale on which the search moves.
    h : dict
        Hyperparameters in natural units.
    value : float
        Mean validation loss over splits.
    gradient : ndarray of shape (size,)
        Its gradient in theta; nan if only the value was computed.
    losses : ndarray of shape (n_splits,)
        Validation losses of the splits.
    tol : float
        Inner tolerance.
    statuses : tuple of Status
        Statuses of the inner and the linear solvers.
    seconds : float
        Duration of the evaluation.
    n_solves : int
        Number of linear systems solved, or of gradients of batches computed.
    stage : Stage
        The part of the search that it belongs to.
    linear_iterations, linear_residual : float
        Iterations of the linear solver and the largest relative residual; nan if unknown.
    error : str
        Why the value is not finite, if known.
    log_evidence : float
        The log evidence at the point, up to a constant, in nats; nan if it is not descended.
    log_evidence_gradient : ndarray of shape (size,)
        Its gradient in theta; of shape (0,) if it is not descended.
    of_targets : ndarray of shape (n_targets,)
        The loss of each target, of which ``value`` is the mean; of shape (0,) if unknown.
    """

    theta: np.ndarray
    h: dict
    value: float
    gradient: np.ndarray
    losses: np.ndarray
    tol: float
    statuses: tuple[Status, ...]
    seconds: float
    n_solves: int
    stage: Stage = Stage()
    linear_iterations: float = np.nan
    linear_residual: float = np.nan
    error: str = ""
    log_evidence: float = np.nan
    log_evidence_gradient: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))
    of_targets: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))

    def plain(self):
        """The results as a dict of numbers, text and arrays, without the point and the stage."""
        without = ASKED | (set() if self.log_evidence_gradient.size else OF_EVIDENCE)
        without = without | (set() if self.of_targets.size else OF_TARGETS)
        names = [each.name for each in dataclasses.fields(self) if each.name not in without]
        statuses = [status.name for status in self.statuses]
        return {name: getattr(self, name) for name in names} | {"statuses": statuses}

    @property
    def usable(self):
        """Whether the value is that of solved training problems, so that it can be compared."""
        return bool(np.isfinite(self.value)) and UNSOLVED.isdisjoint(self.statuses)

    @property
    def measure(self):
        """The loss and its splits, as text."""
        n_splits = len(self.losses)
        splits = f"{n_splits} split{'s' * (n_splits > 1)} of {self.stage.splits}"
        return f"{self.stage.shown} on {splits}"


def lowest(records):
    """The Record of the smallest value: of those that are usable, or of all if none is."""
    return min([record for record in records if record.usable] or records, key=lambda r: r.value)


class Objective:
    """Mean outer loss over splits as a function of theta.

    Only this class evaluates, records, calls listeners and stops. It holds the warm starts of every
    term and the inner tolerance ``tol``, which must not change during an optimizer's run: a change
    looks like noise to a line search. Splits are summed in their order.

    Parameters
    ----------
    space : Space
    terms : list of Model or ProblemTerm
        The summands: each has ``evaluate(h, start, tol) -> Evaluation``, ``iterative``, and
        ``uses_starts``, by default true; Models have ``evaluate_many``.
    stage : Stage
        The part of a search that evaluations belong to.
    events : Events
        The listeners of evaluations.

    Attributes
    ----------
    noisy : bool
        Whether values are noisy, so that the smallest one may be a matter of luck.
    from_own_values : bool
        Whether the search begins at the estimator's own values.
    tol : float
        Inner tolerance.
    records : list of Record
        All evaluations.
    """

    noisy = False
    from_own_values = False

    def __init__(self, space, terms, stage=Stage(), events=Events()):  # noqa: B008
        self.space = space
        self.terms = terms
        self.tol = COARSE
        self.records = []
        self.stage = stage
        self.events = events
        self._memory = None if events.memory is None else events.memory(self)
        self._starts = Starts(terms) if self._memory is None else PlainStarts(terms)
        self._known, self._known_roughly = {}, {}
        self._expected, self._ahead = {}, {}
        self._solved = {}

    def __call__(self, theta):
        """``(value, gradient)``; the value is infinite if a problem could not be solved."""
        record = self.record(theta)
        return record.value, record.gradient

    def record(self, theta):
        """The Record at theta with the current inner tolerance; a known one is not computed again.

        Raises
        ------
        Stopped
            If it is interrupted, or a listener stops the search.
        """
        theta = np.array(theta, dtype=float)
        key = theta.tobytes(), self.tol
        if key not in self._known:
            self._renew()
            self._known[key] = self.kept(self._evaluate, theta)
        return self._known[key]

    def expect(self, thetas):
        """Hear which points are evaluated next: Models may evaluate them all with the first one.

        Parameters
        ----------
        thetas : list of ndarray of shape (size,)
        """
        self._expected = {theta.tobytes(): theta for theta in thetas}

    def kept(self, evaluate, theta):
        """The Record that ``evaluate(theta)`` returns, stored and passed to all listeners."""
        try:
            self.events.watch()
            record = self._remembered(evaluate, theta)
            self.records.append(record)
            for listener in self.events.listeners:
                listener(self.stage, record, self.events.settings)
        except KeyboardInterrupt:
            raise Stopped(INTERRUPTED) from None
        return record

    def compared(self, h):
        """The Record at hyperparameters that the result is compared with, within bounds or not."""
        stage, space = self.stage, self.space
        self.stage = dataclasses.replace(stage, purpose=COMPARISON, at_most=None)
        self.space = space.holding(h)
        try:
            return self.record(self.space.to_theta(h))
        finally:
            self.stage, self.space = stage, space

    def final(self, theta):
        """The Record at the point where the search ended."""
        return self.record(theta)

    def value(self, theta):
        """What is minimised at theta, of which ``self(theta)`` has the gradient."""
        return self(theta)[0]

    def glance(self, theta):
        """The value at theta, if no gradient is needed."""
        return self.record(theta).value

    @property
    def solved_records(self):
        """All records but those of rough solutions that were given up."""
        return [r for r in self.records if np.isfinite(r.value) or not np.isnan(r.gradient).any()]

    @property
    def has_rough(self):
        """Whether points have a value that costs much less than ``record``."""
        return all(getattr(term, "rough", None) is not None for term in self.terms)

    def rough(self, theta):
        """The Record at theta of rough solutions, without a gradient.

        It is infinite where a rough solution takes long. A Record that is known is returned.
        """
        theta = np.array(theta, dtype=float)
        place = theta.tobytes()
        if (place, self.tol) in self._known:
            return self._known[place, self.tol]
        if place not in self._known_roughly:
            self._known_roughly[place] = self.kept(self._evaluate_roughly, theta)
        return self._known_roughly[place]

    @property
    def iterative(self):
        """Whether more accurate solutions take longer."""
        return any(term.iterative for term in self.terms)

    @property
    def best(self):
        """The Record of the smallest value that is known well enough and within bounds."""
        inside = [record for record in self.records if self.space.contains(record.theta)]
        known = inside or self.records
        return lowest([record for record in known if record.tol <= COARSE] or known)

    def of_solutions(self, name, h, function, *, of_predictions=False):
        """Arrays that are computed from the solutions at ``h``.

        Parameters
        ----------
        name : str
            Name of the function.
        h : dict
            Hyperparameters in natural units.
        function : callable
            ``function(term, fitted)`` returns a tuple of arrays of floats.
        of_predictions : bool, default=False
            Whether it uses only predictions, which may be known although solutions are not.

        Returns
        -------
        list of tuple of ndarray
            One tuple for each term.
        """

        def compute():
            known = self._starts.predicted(self.space.to_theta(h)) if of_predictions else None
            solutions = self.solutions(h) if known is None else zip(self.terms, known, strict=True)
            return [function(term, fitted) for term, fitted in solutions]

        if self._memory is None:
            return compute()
        # Terms are solved at h, of which theta and back may change last digits.
        point = np.concatenate([np.ravel(h[d.name]) for d in self.space.dimensions])
        return self._memory.recall(
            (name, point, self.tol), compute, self._starts, self.space.to_theta(h)
        )

    def solutions(self, h, *, predicted=True):
        """Yield ``(term, fitted)`` of every term, solved to the inner tolerance, warm-started.

        A solution that is still known is not solved again. Unless they are to be ``predicted``,
        there may be no predictions.
        """
        theta, states = self.space.to_theta(h), []
        if theta.tobytes() in self._solved:
            yield from zip(self.terms, self._solved[theta.tobytes()], strict=True)
            return
        known = self._starts.known(theta, self.tol)
        if known is not None:
            for term, state in zip(self.terms, known, strict=True):
                yield term, term.known(h, state, self.tol, predicted=predicted)
            return
        place = _place(theta, self._known_roughly)
        if place in self._known_roughly and (place, self.tol) not in self._known:
            yield from ((term, term.rough(h, None)) for term in self.terms)
            return
        for term, start in zip(self.terms, self._starts.nearest(theta), strict=True):
            self.events.watch()
            fitted = (term.train if predicted else term.solve)(h, start, self.tol)
            states.append(fitted.state)
            yield term, fitted
        self._starts.keep(theta, states, self.tol)

    def solve_together(self, points):
        """Solve at several points ``h`` at once, if all terms can: ``solutions`` then knows them.

        They take the place of those that were solved together before.
        """
        with np.errstate(all="ignore"):
            of_terms = [term.train_many(points) for term in self.terms]
        places = [self.space.to_theta(h).tobytes() for h in points]
        together = zip(*of_terms, strict=True) if None not in of_terms else ()
        self._solved = dict(zip(places, together, strict=False))

    def forget_starts(self):
        """Free the memory of warm starts, at the end of a search."""
        self._starts.forget()
        self._solved = {}

    def _renew(self):
        """Prepare an evaluation, whether it is computed or remembered."""

    def _remembered(self, evaluate, theta):
        """``evaluate(theta)``, or the same Record of an earlier run."""
        if self._memory is None:
            return evaluate(theta)
        what = evaluate.__name__, theta, self.tol
        plain = self._memory.recall(what, lambda: evaluate(theta).plain(), self._starts, theta)
        asked = {"theta": theta, "h": self.space.to_h(theta), "tol": self.tol, "stage": self.stage}
        statuses = tuple(Status[name] for name in plain["statuses"])
        return Record(**{**plain, **asked, "statuses": statuses})

    def _evaluate(self, theta):
        began = time.perf_counter()
        h = self.space.to_h(theta)
        try:
            evaluations = self._evaluate_terms(theta, h)
        except (np.linalg.LinAlgError, *DIVERGING) as error:
            return self._failed(theta, error, began)
        losses = np.concatenate([e.values for e in evaluations])
        gradients = {name: sum(e.gradient[name] for e in evaluations) / len(losses) for name in h}
        gradient = self.space.pullback(theta, gradients)
        statuses = tuple(s for e in evaluations for s in e.statuses)
        n_solves = sum(e.n_solves for e in evaluations)
        if not (math.isfinite(losses.sum()) and np.isfinite(gradient).all()):
            losses, gradient = np.full_like(losses, np.inf), np.zeros_like(theta)
            # The change to theta or the sum may be what overflows.
            statuses = exploded(statuses)
        else:
            self._starts.keep(theta, [each.warm_start for each in evaluations], self.tol)
        return self._told(
            theta,
            h,
            losses,
            gradient,
            began,
            statuses=statuses,
            n_solves=n_solves,
            linear_iterations=float(sum(e.linear_iterations for e in evaluations)),
            linear_residual=_largest([e.linear_residual for e in evaluations]),
            of_targets=_of_targets(evaluations),
        )

    @property
    def knows_targets(self):
        """Whether Records have the loss of each target, and ``curvature`` is known."""
        return all(getattr(term, "knows_targets", False) for term in self.terms)

    def curvature(self, theta, targets):
        """Second derivatives of the losses of some targets in their entries of theta.

        Parameters
        ----------
        theta : ndarray of shape (size,)
            A point that was evaluated, of one hyperparameter of shape (n_targets, n_entries).
        targets : ndarray of int of shape (n_some,)

        Returns
        -------
        ndarray of shape (n_some, n_entries, n_entries)

        Raises
        ------
        Stopped
            If it is interrupted.
        """
        record = self.record(theta)
        terms = self.terms[:: -(-len(self.terms) // MOST_TERMS)]
        n_splits = sum(term.n_splits for term in terms)
        try:
            self.events.watch()
            whole = sum(term.curvature(record.h, targets) for term in terms) / n_splits
        except KeyboardInterrupt:
            raise Stopped(INTERRUPTED) from None
        slopes = record.of_targets.size * record.gradient
        return self.space.pullback_of_curvature(record.theta, whole, slopes, targets)

    def _evaluate_roughly(self, theta):
        began, h = time.perf_counter(), self.space.to_h(theta)
        unknown = np.full_like(theta, np.nan)
        try:
            starts = self._starts.nearest(theta)
            fits = [
                self._solved_roughly(term, h, start)
                for term, start in zip(self.terms, starts, strict=True)
            ]
        except np.linalg.LinAlgError as error:
            return dataclasses.replace(self._failed(theta, error, began), gradient=unknown)
        losses = np.concatenate([t.losses(fit) for t, fit in zip(self.terms, fits, strict=True)])
        losses = losses if math.isfinite(losses.sum()) else np.full_like(losses, np.inf)
        self._starts.keep(theta, [fit.state for fit in fits], self.tol)
        statuses = tuple(status for fit in fits for status in fit.statuses)
        more = {"statuses": statuses, "n_solves": sum(fit.n_solves for fit in fits)}
        return self._told(theta, h, losses, unknown, began, **more)

    def _solved_roughly(self, term, h, start):
        """A rough solution; if there is none from ``start``, one from the beginning."""
        fitted = term.rough(h, start)
        if start is None or UNSOLVED.isdisjoint(fitted.statuses):
            return fitted
        return term.rough(h, None)

    def _failed(self, theta, error, began):
        """The Record of a theta that cannot be evaluated."""
        statuses = (Status.DIVERGED,) if isinstance(error, DIVERGING) else ()
        losses, gradient, h = np.array([np.inf]), np.zeros_like(theta), self.space.to_h(theta)
        more = {"statuses": statuses, "n_solves": 0, "error": str(error)}
        return self._told(theta, h, losses, gradient, began, **more)

    def _told(self, theta, h, losses, gradient, began, **more):
        return Record(
            theta=theta,
            h=h,
            value=float(losses.mean()),
            gradient=gradient,
            losses=losses,
            tol=self.tol,
            seconds=time.perf_counter() - began,
            stage=self.stage,
            **more,
        )

    def _evaluate_terms(self, theta, h) -> list[Evaluation]:
        known = self._known_ahead(theta.tobytes())
        if None not in known:
            return known
        starts = self._starts.around(theta, h)
        return [
            self._evaluated(term, h, start) if evaluation is None else evaluation
            for term, start, evaluation in zip(self.terms, starts, known, strict=True)
        ]

    def _known_ahead(self, place):
        """Evaluations of all terms, each None unless it was made with those of other points."""
        if place in self._expected:
            # Whatever happens, the points that follow are not tried together again.
            expected, self._expected = self._expected, {}
            several = [self.space.to_h(theta) for theta in expected.values()]
            starts = zip(*map(self._starts.nearest, expected.values()), strict=True)
            of_terms = [
                term.evaluate_many(several, list(own))
                for term, own in zip(self.terms, starts, strict=True)
            ]
            self._ahead = dict(zip(expected, zip(*of_terms, strict=True), strict=True))
        return self._ahead.pop(place, [None] * len(self.terms))

    def _evaluated(self, term, h, start):
        """The Evaluation of a term; if it cannot be solved from ``start``, from the beginning."""
        evaluation = term.evaluate(h, start, self.tol)
        if start is None or UNSOLVED.isdisjoint(evaluation.statuses):
            return evaluation
        again = term.evaluate(h, None, self.tol)
        n_solves = evaluation.n_solves + again.n_solves
        return dataclasses.replace(again, n_solves=n_solves)


def _largest(numbers):
    """The largest number; nan if one of them is."""
    return max(numbers, key=lambda number: (math.isnan(number), number))


def _of_targets(evaluations):
    """Means over splits of the losses of each target; none if a term does not know them."""
    known = [each.of_targets for each in evaluations]
    if any(part is None for part in known):
        return np.empty(0)
    return np.concatenate(known).mean(axis=0)


class Starts:
    """Warm starts of evaluations; the nearest one in theta is used.

    A scan walks a line from end to end before its minimum is polished, so several are kept, as far
    from each other as possible. Vectors move little by little, and keep one.

    Parameters
    ----------
    terms : list of Model or ProblemTerm
    """

    def __init__(self, terms):
        self._none = [None] * len(terms)
        self._used = any(getattr(term, "uses_starts", True) for term in terms)
        self._kept, self._predicted = [], {}

    def keep(self, theta, states, tol=np.inf):
        """Remember the states of all terms, of at most ``MOST_KEPT`` numbers.

        Parameters
        ----------
        theta : ndarray
        states : list
        tol : float, default=inf
            Inner tolerance to which they are solutions.
        """
        if all(isinstance(state, Predicted) for state in states):
            self._predicted[theta.tobytes()] = states
            while sum(s.size for kept in self._predicted.values() for s in kept) > MOST_KEPT:
                del self._predicted[next(iter(self._predicted))]
            return
        if not self._used or any(state is None for state in states):
            return
        states = [state.stored() if hasattr(state, "stored") else state for state in states]
        self._kept.append((theta, states, tol))
        size = sum(getattr(state, "size", 1) for state in states)
        most = max(1, min(MOST_STARTS, MOST_KEPT // max(1, size))) if theta.size == 1 else 1
        while len(self._kept) > most:
            del self._kept[self._superfluous()]

    def predicted(self, theta):
        """The Predicted of all terms at theta, or None."""
        return self._predicted.get(_place(theta, self._predicted))

    def forget(self):
        """Drop all."""
        self._kept.clear()
        self._predicted.clear()

    def _superfluous(self):
        """The number of the one that is nearest to a later one."""
        if len(self._kept) == 1 or self._kept[0][0].size > 1:
            return 0
        # The two that are nearest to each other are neighbours on the line.
        places = sorted((float(theta[0]), number) for number, (theta, *_) in enumerate(self._kept))
        pairs = itertools.pairwise(places)
        return min((right - left, min(a, b)) for (left, a), (right, b) in pairs)[1]

    def nearest(self, theta):
        """Warm starts of all terms, None where there are none yet."""
        if self._predicted:
            places = {place: np.frombuffer(place) for place in self._predicted}
            near = min(reversed(places), key=lambda place: np.abs(places[place] - theta).max())
            return self._predicted[near]
        if not self._kept:
            return self._none
        # Of equally near ones the last: it is the most accurate.
        return min(reversed(self._kept), key=lambda kept: _distance(kept[0], theta))[1]

    def around(self, theta, h):
        """Warm starts of all terms: between two neighbours, ahead of one, or the nearest.

        Parameters
        ----------
        theta : ndarray of shape (size,)
        h : dict
            The same in natural units.
        """
        if self._predicted or not self._kept:
            return self.nearest(theta)
        nearest = self.nearest(theta)
        if theta.size > 1 or not all(map(_is_followed, nearest)):
            return nearest
        if any(np.array_equal(kept[0], theta) for kept in self._kept):
            return nearest
        (value,) = h.values()
        place = float(np.log(np.ravel(value)[0]))
        left, right = self._beside(theta, -1), self._beside(theta, 1)
        if left is None or right is None:
            return [start.ahead(place) for start in nearest]
        return [
            start.between(a, b, place) if _is_followed(a) and _is_followed(b) else start
            for start, a, b in zip(nearest, left, right, strict=True)
        ]

    def _beside(self, theta, side):
        """The nearest states on one side, -1 or 1, or None; of equally near ones the last."""
        there = [kept for kept in reversed(self._kept) if side * (kept[0] - theta) > 0]
        return min(there, key=lambda kept: _distance(kept[0], theta), default=(0, None))[1]

    def known(self, theta, tol):
        """States of all terms that are solutions at ``theta`` to the tolerance, or None."""
        for place, states, reached in reversed(self._kept):
            if reached <= tol and _same(place, theta) and all(map(_is_solution, states)):
                return states
        return None


# Hyperparameters in natural units lead back to a theta that may have other last digits.
def _place(theta, places):
    """The bytes of theta; those of the same point in ``places`` where they differ by rounding."""
    own = theta.tobytes()
    if own in places:
        return own
    return next((place for place in places if _same(np.frombuffer(place), theta)), own)


def _same(place, theta):
    """Whether a place is theta, up to rounding."""
    return bool(np.all(np.abs(place - theta) <= ROUNDED * np.maximum(np.abs(theta), 1)))


def _distance(theta, other):
    """The largest difference of entries."""
    # For one entry, functions of arrays take as long as the rest of a short evaluation.
    return abs(theta[0] - other[0]) if theta.size == 1 else np.abs(theta - other).max()


def _is_solution(state):
    return isinstance(state, WarmStart) and state.solution.status is Status.CONVERGED


def _is_followed(state):
    """Whether the derivative of the weights is known."""
    return getattr(state, "tangent", None) is not None


class PlainStarts(Starts):
    """Warm starts that are weights only, or another array, so that they can be stored exactly.

    A start with more, such as a curvature, would make the next evaluation differ in its last digits
    from that of a search which was read from a file.

    Parameters
    ----------
    terms : list of Model or ProblemTerm
    """

    def __init__(self, terms):
        super().__init__(terms)
        self._iterative = all(term.iterative for term in terms)
        self._start_at = [getattr(term, "start_at", WarmStart.at) for term in terms]
        self._last = None

    def keep(self, theta, states, tol=np.inf):
        """Remember the arrays of states; closed forms and other states need, or have, none.

        What they are solutions of is forgotten: a search that was read from a file does not know.
        """
        arrays = [self._array_of(state) for state in states]
        if all(array is not None for array in arrays):
            self.restore(theta, arrays)

    def _array_of(self, state):
        if isinstance(state, WarmStart):
            return state.solution.w if self._iterative else None
        return getattr(state, "array", None)

    def restore(self, theta, arrays):
        """Remember the arrays of all terms; None if there are none."""
        self._last = None
        if arrays is not None:
            starts = [at(array) for at, array in zip(self._start_at, arrays, strict=True)]
            self._last = [self._array_of(start) for start in starts]
            super().keep(theta, starts)

    def take(self):
        """The arrays that were remembered since the last call, or None."""
        last, self._last = self._last, None
        return last
