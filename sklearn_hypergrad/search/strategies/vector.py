"""The strategy for a vector: one value for all, then deviations from it.

Hyperparameters with one value may stand beside it. Their best values are found together with the
best one for all entries of the vector, and move with the vector from there.
"""

import dataclasses

import numpy as np

from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.problems import VALIDATION_LOSSES, ValidationLoss
from sklearn_hypergrad.search.candidates.refusals import CannotSearch, UnsupportedRange
from sklearn_hypergrad.search.data.features import listed, refuse_mixed
from sklearn_hypergrad.search.data.held import PER
from sklearn_hypergrad.search.data.inputs import HALVES, THIRDS, is_plain
from sklearn_hypergrad.search.data.layout import LAYOUTS, ByName
from sklearn_hypergrad.search.results.candidate_result import (
    SearchedResult,
    compared_with_own,
    distinct,
    same_point,
    scale_remarks,
    searched_one,
    solved,
)
from sklearn_hypergrad.search.results.effective_model import Describe
from sklearn_hypergrad.search.results.found import Found, stopped_at
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.status import EndStatus
from sklearn_hypergrad.search.strategies.base import Strategy
from sklearn_hypergrad.search.strategies.guard import SPARSE, judged
from sklearn_hypergrad.search.strategies.judging import N_JUDGED, Judge, leading_judge
from sklearn_hypergrad.search.strategies.line_search import line_search_of
from sklearn_hypergrad.search.strategies.one_se import check_selection, selected
from sklearn_hypergrad.search.strategies.scanned_descent import ScannedDescent
from sklearn_hypergrad.search.strategies.sparse_descent import SparseDescent
from sklearn_hypergrad.search.strategies.vector_descent import SQUARED_ERROR, VectorDescent, mix_of
from sklearn_hypergrad.tuning import FINE

# What is descended beside the evidence, for ``hypergradient_`` and ``validation_loss_``.
HOW = (
    "; for a value of each entry, {} of what is descended is the {} and {} is the evidence of all "
    "rows, both in nats"
)
AND_EVIDENCE = " and evidence"
POOLED = "nothing left the pool"


@dataclasses.dataclass(frozen=True)
class VectorData:
    """The data and the loss that a vector is searched on.

    Attributes
    ----------
    splits : list of (train, test)
        The splits whose loss is descended; empty for leave-one-out.
    search_data : list of SplitData
        Their data; for leave-one-out, one that trains on all rows.
    loss : ValidationLoss or None
        The loss that is descended on them; None is leave-one-out.
    layout : Layout
        How entries spread over coefficients.
    reason : str or None
        Why random parts could not be drawn.
    with_evidence : bool
        Whether the evidence of all rows is descended beside the loss.
    """

    splits: list
    search_data: list
    loss: ValidationLoss | None
    layout: object
    reason: str | None
    with_evidence: bool = False


def prepare_vector_data(prepared, parts):
    """The VectorData of a candidate.

    Parameters
    ----------
    prepared : PreparedCandidate
    parts : RandomParts or None
        What is wanted if ``search_cv="auto"``; None is the user's cv.

    Returns
    -------
    VectorData

    Raises
    ------
    CannotSearch
        If the data do not suit the candidate's family.
    UnsupportedRange
        If the data do not have the features, targets or groups that the range asks for.
    """
    loss, reason = prepared.choice.loss, None
    # With several targets r2 stays: it makes their units comparable.
    if prepared.n_outputs == 1 and loss.steady is not None:
        loss = VALIDATION_LOSSES[loss.steady]
    with_evidence = _takes_evidence(prepared, parts, loss)
    if with_evidence:
        # The evidence is that of what the model minimises, whatever the score.
        parts = mix_of(prepared).parts
        if not _is_of_squares(loss):
            loss = VALIDATION_LOSSES[prepared.family.minimises]
    if prepared.options.search_cv == "loo":
        splits, search_data, loss = [], [prepared.everything], None
    else:
        splits, reason = prepared.search_splits(parts)
        search_data = prepared.data_of(splits)
    layout = layout_of(prepared, search_data)
    return VectorData(splits, search_data, loss, layout, reason, with_evidence)


def _takes_evidence(prepared, parts, loss):
    """Whether the evidence of all rows is descended beside the loss.

    It is the usual choice for penalties whose best value does not depend on the number of rows,
    where the loss is what the model minimises. For squared errors it is on whatever splits: where
    rows belong together or follow each other in time, it errs in another way than they do, too.

    Raises
    ------
    ValueError
        If it is asked for and does not apply.
    """
    asked, method = prepared.options.search_cv, prepared.options.method
    if asked == "evidence":
        obstacle = prepared.evidence_obstacle
        if obstacle is not None:
            raise ValueError(obstacle)
        return True
    # Measured in simulations of four targets, 60 to 200 rows of 50 features, against one value: the
    # evidence has 0.98 times the error of halves, but is worse by 1 % in 64 of 360 draws, halves in
    # 50; with 60 rows of 120 features it is worse on average.
    usual = asked == "auto" and parts is HALVES and prepared.n_outputs == 1
    # Other methods differentiate solutions that are not those of the evidence.
    solved = method is None or isinstance(method, Implicit)
    own = (SQUARED_ERROR if _is_of_squares(loss) else loss).name == prepared.family.minimises
    mix = mix_of(prepared)
    told = own and mix is not None and (mix.on_any_splits or is_plain(prepared.inputs.splitter))
    return usual and solved and told and prepared.evidence_obstacle is None


def _is_of_squares(loss):
    """Whether a loss is the squared error, or relative to that of the mean."""
    return SQUARED_ERROR.name in (loss.name, loss.steady)


def layout_of(prepared, search_data):
    """The Layout of a candidate's vector on its data.

    Raises
    ------
    UnsupportedRange
        If the features are unnamed, mixed or different where the layout needs them to be the same.
    """
    span, step = prepared.vector, prepared.candidate.step
    per, groups = span.continuous.per, span.continuous.groups
    if "target" in np.atleast_1d(per) and np.ndim(prepared.inputs.y) < 2:
        raise UnsupportedRange(
            f"per={per!r} needs y of shape (n_samples, n_targets). Leave 'target' out of per for "
            f"one target"
        )
    columns = prepared.columns
    if per in PER:
        refuse_mixed(step.pipeline, step.path, per)
    if isinstance(groups, dict) and columns.names is not None:
        unknown = [name for name in groups if name not in columns.names]
        if unknown:
            raise UnsupportedRange(
                f"groups names the feature {unknown[0]!r}, which the data do not have: they have "
                f"{listed(columns.names)}"
            )
    others = [part.columns for part in (prepared.everything, *prepared.cv_data, *search_data)]
    layout = ByName if prepared.family.entry_names(span.leaf) else LAYOUTS[per]
    return layout(span, prepared.family, columns, prepared.n_outputs, others, prepared.held)


class CommonAndVector:
    """Find the best with one value for all on the user's cv, then vectors; a guard repeats all.

    Parameters
    ----------
    prepared : PreparedCandidate

    Attributes
    ----------
    asked : Objective
        The objective with one value for all, on the user's cv.
    vector : VectorDescent
    common : Found or None
        The best with one value for all.
    simple : Found or None
        The point that ``selection`` proposes in its place.
    found : Found or None
        The vector.
    sparse : Found or None
        The sparse alternative to it, for a guard; None without an evidence.
    """

    def __init__(self, prepared):
        self._prepared = prepared
        self._direction = np.array(prepared.directions)
        models = prepared.cv_models
        self.asked = prepared.objective(models, prepared.choice.loss)
        self.data = prepare_vector_data(prepared, self._parts(models[0]))
        self.vector = VectorDescent(prepared, self.data)
        self.common = self.simple = self.found = self.sparse = self._sparse = None

    def _parts(self, model):
        """The RandomParts whose loss is descended if nothing else is asked for, or None."""
        if not self._prepared.hyperparameter(self._prepared.vector).shrinkage:
            return None
        if not self._prepared.candidate.is_penalty:
            return THIRDS
        # A penalty that stands against a sum over rows has the same best value on half of them;
        # one that stands against a mean does not, and half splits would mislead.
        return HALVES if model.penalty_scale == "sum" else None

    def check_selection(self):
        """Raise ValueError if ``selection`` does not apply to the objectives."""
        if self._prepared.options.selection == "best":
            return
        for objective in (self.asked, self.vector.objective):
            check_selection(objective, self._direction)

    def run_common(self):
        """Find the best with one value for all."""
        first, *others = self.asked.space.dimensions
        if others:
            judge = leading_judge(self._prepared, self.asked)
            self.common = ScannedDescent(self._prepared, self.asked, judge).run()
        elif first.low < first.high:
            self.common = line_search_of(self._prepared, self.asked).run()
        else:
            self.common = self._at_known_level()
        self.simple = self.common
        options = self._prepared.options
        if options.selection != "best":
            self.simple = selected(self.asked, self.common, self._direction, options.tol)

    def _at_known_level(self):
        self.asked.tol = FINE
        (dimension,) = self.asked.space.dimensions
        record = self.asked.record(np.array(dimension.bounds[:1]))
        return Found(record, [EndStatus.POOLED], "the level is known")

    def run_vector(self):
        """Find the vector, from the best with one value for all."""
        if self.vector.is_single:
            self.found = self.vector.pooled(self.scalar, "one value is searched")
            return
        start = self.common.record.theta
        self.found = self.vector.run(start)
        if self.vector.is_halfway:
            self.run_sparse()
            vectors = [each for each in (self.found, self.sparse) if each is not None]
            if any(map(self.vector.is_apart, vectors)):
                self.found = self.vector.halfway(start, vectors)
        elif self.vector.is_weighed and self.apart:
            self.found = self.vector.weighed(start, self.found)
        if self._prepared.options.selection != "best":
            self.found = self.vector.selected(self.found)

    def run_sparse(self):
        """Find the sparse alternative to the vector, if the vector has an evidence."""
        mix = self.vector.mix
        if mix is None or not mix.has_sparse or not self._prepared.shrinkage:
            return
        if self.sparse is not None:
            return
        self._sparse = SparseDescent(self._prepared, self.vector)
        minimum = self._sparse.run(self.common.record.theta)
        self.sparse = self.vector.found_at(minimum)
        if self._prepared.options.selection != "best":
            self.sparse = self.vector.selected(self.sparse)

    @property
    def loss(self):
        """The loss of the asked score, or the one that goes with it."""
        return self._prepared.choice.loss

    @property
    def n_evaluations(self):
        """Number of evaluations that have ended."""
        records = [self.asked.records, self.vector.cv_records(), self.vector.objective.records]
        if self._sparse is not None:
            records.append(self._sparse.objective.records)
        return sum(map(len, records))

    @property
    def apart(self):
        """Whether an entry of the vector differs from the others."""
        return self.vector.is_apart(self.found)

    def spread(self, h):
        """Hyperparameters with one value for all, in the shapes of those with a vector."""
        dimensions = self.vector.objective.space.dimensions
        return {each.name: np.full(each.shape, h[each.name]) for each in dimensions}

    @property
    def scalar(self):
        """The hyperparameters with the best value for all in each entry of the vector."""
        return self.vector.common(self.simple.record.theta)


class VectorSearch(Strategy):
    """Find one value for all and a vector, let the guard choose, and judge visited points.

    Parameters
    ----------
    prepared : PreparedCandidate
    """

    def __init__(self, prepared):
        self.prepared, self.options = prepared, prepared.options
        self._search = CommonAndVector(prepared)
        self._search.check_selection()
        self._guard, self._verdict, self._remarks = None, None, []
        self._comparisons, self._expected = [], None
        self._judged, self._judged_common = [], []

    @property
    def objective(self):
        """The objective that the vector descends."""
        return self._search.vector.objective

    @property
    def n_evaluations(self):
        return self._search.n_evaluations

    def run(self):
        search, prepared = self._search, self.prepared
        search.run_common()
        self._comparisons = compared_with_own(
            prepared, search.asked, search.simple, "one value for all"
        )
        # For kernels the result is at least that of a search for one gamma.
        if not prepared.candidate.is_penalty:
            asked = search.asked
            inside = [r for r in asked.solved_records if asked.space.contains(r.theta)]
            self._judged_common = [search.spread(h) for h in self._best_of(search.asked, inside)]
        search.run_vector()
        self._verdict = None if search.apart else POOLED
        if prepared.guarded:
            self._verdict = "the guard was interrupted"
            self._guard, self._verdict = self._guarded()
        # Visited vectors that no guard has seen are no rows where there is one.
        if self._verdict is None or not (search.apart or prepared.guarded):
            visited = sorted(self.objective.records, key=lambda record: record.value)[:N_JUDGED]
            self._judged = self._best_of(search.vector.cv_objective(), visited)
        if self._verdict is None:
            self._comparisons += search.vector.gain_over(search.scalar, search.found)
        if prepared.choice.exact:
            first = search.scalar if self._verdict else search.found.record.h
            self._expected = search.vector.cv_loss(first)

    def _guarded(self):
        """``(guard, reason)``: the Guard or None, and why no vector is kept, or None."""
        search = self._search
        if not search.apart:
            return None, POOLED
        search.run_sparse()
        try:
            guard = judged(self.prepared, CommonAndVector)
        except CannotSearch as error:
            why = f"the guard could not judge: {error}"
            seen = f"{why.rstrip('.')}. So one value for all was kept."
            self._remarks.append(Remark(f"{self.prepared.candidate.key}: {seen}"))
            return None, why
        if guard.chosen == SPARSE:
            search.found = search.sparse
        kept = f"the guard kept {guard.chosen}"
        if not guard.kept:
            return guard, kept
        message = f"{search.found.message}; {kept}"
        search.found = dataclasses.replace(search.found, message=message)
        return guard, None

    def _best_of(self, objective, records):
        """The best point under the asked score, in a list; none if that is what is descended."""
        if not self.prepared.judges:
            return []
        judge = Judge(self.prepared, objective)
        points = judge.rows([], [record.h for record in records])
        self._remarks += judge.remarks
        return points

    def result(self, stopped=None):
        search, prepared = self._search, self.prepared
        vector, layout = search.vector, search.data.layout
        found = self._found(stopped)
        points = self._points(found)
        rows = [prepared.settings(point, {prepared.vector.leaf: layout}) for point in points]
        return SearchedResult(
            prepared.candidate,
            rows,
            [*search.asked.records, *vector.cv_records(), *vector.objective.records],
            found,
            searched=self._searched(),
            how=solved(prepared.final, vector.objective.terms[0]) + self._how(),
            choice=prepared.choice,
            loss_name=vector.objective.stage.loss + self._of_evidence(AND_EVIDENCE),
            points=points,
            expected=self._expected,
            # Penalties and degrees of freedom are those of coefficients.
            describe=Describe(layout, prepared) if prepared.first_model.per_column else None,
            guard=self._guard,
            features=self._features(),
            comparisons=self._comparisons,
            remarks=[*self._remarks, *scale_remarks(prepared)],
        )

    def _points(self, found):
        """The vector, one value for all, and points that were judged.

        One value is no point where the guard kept a vector: on the splits that both were tuned on,
        it might have the better score.
        """
        common = [self._search.scalar, *self._judged_common]
        if self._verdict is not None or self._search.found is None:
            vector = []
        else:
            vector, common = [found.record.h], [] if self._guard is not None else common
        return distinct([*vector, *common, *self._judged], same_point)

    def _features(self):
        """Names of the features, the entries of each, and what is held; None without entries."""
        layout = self._search.data.layout
        columns = layout.columns
        entries = None if isinstance(layout, ByName) else layout.index(columns)
        return None if entries is None else (columns.names, entries, layout.held)

    def _how(self):
        """What is descended beside the evidence, in words; none without."""
        mix = self._search.vector.mix
        return "" if mix is None else HOW.format(*mix.words)

    def _of_evidence(self, text):
        """The text if the evidence is descended, else none."""
        return text if self._search.data.with_evidence else ""

    def _searched(self):
        """The Searched of all hyperparameters; a search for the vector starts at the scalar."""
        search, prepared, searched = self._search, self.prepared, []
        for span, dimension in zip(prepared.ranges, self.objective.space.dimensions, strict=True):
            start = float(np.ravel(search.scalar[span.leaf])[0])
            if span is prepared.vector and search.vector.begins_at is not None:
                start = search.vector.begins_at
            dimension = dataclasses.replace(dimension, start=start)
            labels = search.data.layout.labels if span is prepared.vector else ()
            held = search.data.layout.held_entries if span is prepared.vector else None
            searched += searched_one(prepared, span, dimension, labels, held)
        return searched

    def _found(self, stopped):
        """The Found of the vector; that of one value for all if it was rejected, or not begun."""
        search = self._search
        if stopped is not None:
            search.common = search.common or stopped_at(None, search.asked, stopped)
            search.simple = search.simple or search.common
            search.found = search.found or search.vector.best_so_far(stopped)
        if search.found is None:
            return search.vector.pooled(search.scalar, stopped)
        message = search.found.message
        if stopped is not None and stopped not in message:
            message = f"{message}; {stopped}"
        if self._verdict is not None:
            pooled = search.vector.pooled(search.scalar, f"{message}; {self._verdict}")
            # The guard did not see a vector that has no entries apart: it keeps its statuses.
            own = pooled if search.apart else search.found
            return dataclasses.replace(pooled, end_statuses=own.end_statuses)
        return dataclasses.replace(search.found, message=message)
