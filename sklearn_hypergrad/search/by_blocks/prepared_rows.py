"""A candidate together with rows in parts: what strategies need, made of few passes."""

import dataclasses

import numpy as np
from sklearn.linear_model import LogisticRegression

from sklearn_hypergrad.adapters.logistic import LogisticFamily, ratio_of
from sklearn_hypergrad.adapters.model import LinearModel
from sklearn_hypergrad.adapters.ridge import MAX_GRAM, RidgeClassifierFamily, RidgeFamily
from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import (
    VALIDATION_LOSSES,
    Evidence,
    L2Penalty,
    LinearProblem,
    SplitData,
)
from sklearn_hypergrad.problems.outer.held_out import is_relative
from sklearn_hypergrad.problems.rows.reader import Classes, Numbers, Reader
from sklearn_hypergrad.problems.rows.rows_linear import RowsLinear, RowWeights, SampledSplits
from sklearn_hypergrad.problems.rows.rows_ridge import RowsRidge
from sklearn_hypergrad.problems.rows.split_sums import RowsData, merged
from sklearn_hypergrad.search.by_blocks.buckets import halves
from sklearn_hypergrad.search.by_blocks.hinted_line_search import HintedLineSearch
from sklearn_hypergrad.search.by_blocks.models import RowsLinearModel, RowsRidgeModel, Solved
from sklearn_hypergrad.search.by_blocks.preprocessing import Preprocessing
from sklearn_hypergrad.search.by_blocks.refusals import refused
from sklearn_hypergrad.search.candidates.expand import final_step
from sklearn_hypergrad.search.data.features import Columns
from sklearn_hypergrad.search.data.inputs import HALVES, is_plain
from sklearn_hypergrad.search.objective.prepared_candidate import PreparedCandidate
from sklearn_hypergrad.search.objective.validation_loss import Choice
from sklearn_hypergrad.search.results.candidate_result import SearchedResult
from sklearn_hypergrad.search.strategies.listed import listed_points
from sklearn_hypergrad.threads import cached_property
from sklearn_hypergrad.tuning import FINE

# Rows and numbers in the sample of iterated models. Measured on two sets of 20,000 rows with 100
# features: with all of them a search takes 20 and 24 passes, with 4,000 rows 35 and 45; 2**25
# doubles are 256 MiB.
SAMPLE_ROWS = 100_000
SAMPLE_NUMBERS = 2**25
FEWEST = 4000
# Values of ``per`` that are not searched, why, and what to do.
WITHOUT = {
    "coefficient": ("its factors are one matrix per output", "Use per='feature'"),
    ("feature", "target"): ("its factors are one matrix per target", "Use per='feature'"),
    ("group", "target"): ("its factors are one matrix per target", "Use per='group'"),
    "column": ("features of parts have no columns that they come from", "Use per='group'"),
}
# The losses that follow from sums of products, by what models predict.
SQUARES = {"numbers": "squared_error", "codes": "coded_squared_error"}


def kind_of(candidate):
    """Check that rows in parts can be searched for a candidate.

    Raises
    ------
    ValueError
        If not, with the remedy.
    """
    found, final = candidate.family, candidate.final
    name = type(final).__name__
    if not isinstance(found, RidgeFamily | LogisticFamily):
        raise refused(name, "only Ridge, RidgeClassifier and LogisticRegression are sums over rows")
    vector = candidate.vector
    if len(candidate.ranges) > 1:
        keys = " and ".join(span.key for span in candidate.ranges)
        raise refused(f"{keys} together", "a model has one penalty", "Tune one of them")
    if isinstance(found, LogisticFamily) and (
        candidate.range.leaf == "l1_ratio" or ratio_of(final)
    ):
        raise refused(f"an L1 penalty of {name}", "weights of zero are found by passes per weight")
    if vector is not None and vector.continuous.per in WITHOUT:
        per = vector.continuous.per
        raise refused(f"per={per!r}", *WITHOUT[per])
    own = getattr(final, candidate.range.leaf)
    held = np.ndim(own) and np.isin(own, (0, np.inf)).any()
    if candidate.range.continuous.fixed or isinstance(own, dict) or held:
        why = "what stands for zero and infinity follows from rows in memory"
        raise refused("penalties that are held", why, "Leave fixed out, and start from one value")
    if isinstance(found, RidgeClassifierFamily) and final.class_weight == "balanced":
        why = "its weights differ between splits, and so would every sum"
        raise refused("class_weight='balanced' of RidgeClassifier", why, "Give a dict of weights")


@dataclasses.dataclass(frozen=True)
class MoreRows(SearchedResult):
    """A SearchedResult with rows to choose among.

    Attributes
    ----------
    judged : tuple of int
        How many of the last rows are listed, and how many were visited; () if there are none.
    """

    judged: tuple = ()


class PreparedRows(PreparedCandidate):
    """A candidate whose models are sums over rows in parts.

    Parameters
    ----------
    candidate : Candidate
    inputs : RowsInputs
    options : Options
    """

    line_search = HintedLineSearch
    in_memory = False

    def __init__(self, candidate, inputs, options):
        kind_of(candidate)
        self._before = Preprocessing(candidate.step, inputs.rows)
        super().__init__(candidate, inputs, options)
        self._solved = Solved()
        self._choice = self._as_sums(self._choice)

    def _as_sums(self, choice):
        """The Choice itself, or of ridge regression the loss of squares that takes its place."""
        loss = choice.loss
        if not isinstance(self.family, RidgeFamily):
            return choice
        squared = isinstance(loss.pointwise, HalfSquaredError) and not loss.balanced
        # Only the sums of closed forms tell what the mean of the targets is worth.
        if is_relative(loss) and not self.closed_form:
            return Choice(VALIDATION_LOSSES[loss.steady], exact=False)
        if squared or self.options.validation_loss not in ("auto", loss.name):
            return choice
        if self.options.validation_loss != "auto":
            why = "losses of ridge regression follow from sums of products"
            raise refused(f"validation_loss={loss.name!r}", why, "Leave validation_loss='auto'")
        return Choice(VALIDATION_LOSSES[SQUARES[self.family.takes]], exact=False)

    # Splits and their data.

    judges = guarded = False

    @property
    def closed_form(self):
        """Whether solutions come from sums of products, so that no evaluation takes a pass."""
        return isinstance(self.family, RidgeFamily) and self._before.n_features <= MAX_GRAM

    @property
    def choice(self):
        return self._choice

    @cached_property
    def cv_data(self):
        return [self._data(self.inputs.splits, refits=not self.closed_form)]

    @cached_property
    def everything(self):
        every = np.arange(self.inputs.buckets.n_buckets)
        return self._data([(every, every)])

    def data_of(self, splits):
        if splits is self.inputs.splits:
            return self.cv_data
        return [self._data(splits)]

    def search_splits(self, parts=None):
        asked = self.options.search_cv
        if asked == HALVES.key or (asked == "auto" and parts is HALVES):
            if is_plain(self.inputs.splitter) and self.inputs.buckets.n_buckets > 1:
                n_buckets = self.inputs.buckets.n_buckets
                return halves(n_buckets, HALVES.n_repeats, self.options.seed), None
        return self.inputs.splits, None

    @cached_property
    def n_samples(self):
        return self.inputs.rows.shape[0]

    @cached_property
    def total_weight(self):
        if self.closed_form:
            return float(merged(self._sums, range(len(self._sums))).held_out.weight)
        return float(self._look.weights.sum())

    @property
    def evidence_obstacle(self):
        if not self.closed_form:
            return (
                f"search_cv='evidence' needs sums of products, of at most {MAX_GRAM} features of "
                f"Ridge. Leave search_cv='auto'."
            )
        return self.family.evidence_obstacle(self.final, self.everything)

    def evidence(self, layouts):
        penalty = self._penalty(self.everything, layouts)
        problem = self._ridge(self.everything, penalty)
        weight = merged(self._sums, range(len(self._sums))).train.weight
        return Evidence(problem, penalty, weight, fit_intercept=self.final.fit_intercept)

    def _data(self, splits, *, refits=False):
        """RowsData of some splits; ``refits`` adds one that trains on all rows."""
        inputs, before = self.inputs, self._before
        trains, tests = ([part[side] for part in splits] for side in (0, 1))
        if refits:
            trains.append(np.arange(inputs.buckets.n_buckets))
            tests.append(np.arange(0))
        scales = offsets = None
        if before.n_scalers:
            pairs = [before.affine(self.columns_of(train)) for train in trains]
            scales, offsets = (np.array(each) for each in zip(*pairs, strict=True))
        reader, columns = self._reader, self.all_columns
        variance = columns.var * (1 if scales is None else scales[0] ** 2)
        varied = variance[~columns.constant()]
        spread = (varied.min(), varied.max()) / varied.mean() if varied.size else (1.0, 1.0)
        return RowsData(
            reader=reader,
            buckets=inputs.buckets,
            trains=trains,
            tests=tests,
            sums=inputs.sums,
            shape=(self.n_samples, before.n_features),
            n_outputs=self._n_outputs,
            labels=self._labels,
            scales=scales,
            offsets=offsets,
            y_varies=self._y_varies,
            columns=Columns(
                before.n_features,
                before.names,
                sizes=before.sizes,
                weights_key=before.weights_key,
                weights=before.weights,
            ),
            spread=tuple(map(float, spread)),
        )

    def columns_of(self, part):
        """The problems.rows Columns of some buckets: what a scaler fitted on them sees."""
        if self.closed_form:
            return merged(self._sums, part).columns()
        return self._look.columns(part)

    @cached_property
    def all_columns(self):
        """Those of all rows."""
        return self.columns_of(np.arange(self.inputs.buckets.n_buckets))

    @cached_property
    def _labels(self):
        if self._coding.classes is None:
            return np.zeros(2) if self._n_outputs == 1 else np.zeros((2, self._n_outputs))
        return self._coding.classes

    @cached_property
    def _coding(self):
        if isinstance(self.family, LogisticFamily):
            return Classes(_several(self._look.classes), 0.0)
        if isinstance(self.family, RidgeClassifierFamily):
            return Classes(_several(self.inputs.classes()), -1.0)
        return Numbers()

    @property
    def _n_outputs(self):
        classes = self._coding.classes
        if classes is not None:
            return len(classes) if len(classes) > 2 else 1
        if self.closed_form:
            return len(self._sums[0].train.y)
        return np.ndim(self._look.sample[1]) > 1 and self._look.sample[1].shape[1] or 1

    @property
    def _y_varies(self):
        if not self.closed_form or self._coding.classes is not None:
            return True
        total = merged(self._sums, range(len(self._sums))).held_out
        return bool((total.yy > 0).any())

    # The passes that come first.

    @property
    def _raw_reader(self):
        before = self._before
        return Reader(Numbers(), before.stateless, before.take, dense_for=before.needs_dense)

    @cached_property
    def _reader(self):
        """How parts become features and targets; iterated models subtract an origin."""
        origin = None if self.closed_form else self._origin
        return dataclasses.replace(self._raw_reader, coding=self._coding, origin=origin)

    @cached_property
    def _sums(self):
        reader = dataclasses.replace(self._raw_reader, coding=self._coding)
        of_classes = None
        if self._coding.classes is not None and self.final.class_weight is not None:
            of_classes = _of_dict(self.final.class_weight, self._coding.classes)
        extrema = self._before.needs_extrema
        return self.inputs.moments(reader, extrema=extrema, of_classes=of_classes)

    @cached_property
    def _look(self):
        n_features = self._before.n_features
        wanted = min(SAMPLE_ROWS, max(FEWEST, SAMPLE_NUMBERS // max(1, n_features)))
        share = min(1.0, wanted / self.n_samples)
        counts = isinstance(self.family, LogisticFamily)
        extrema = self._before.needs_extrema
        return self.inputs.look(self._raw_reader, share=share, counts=counts, extrema=extrema)

    @cached_property
    def _origin(self):
        """Where dense features are centred: intercepts absorb it, offsets of scalers know it."""
        if not isinstance(self._look.sample[0], np.ndarray):
            return None
        columns = self._look.columns(range(self.inputs.buckets.n_buckets))
        if self.final.fit_intercept:
            return columns.mean
        return self._before.affine(columns)[1] if self._before.n_scalers else None

    # Rows and the refit.

    @property
    def plain_reader(self):
        """The reader without an origin."""
        return dataclasses.replace(self._reader, origin=None)

    @property
    def held_out_counts(self):
        """Number of held-out rows of each split."""
        tests = [test for _, test in self.inputs.splits]
        return [self.columns_of(test).n for test in tests]

    def with_more_rows(self, result):
        """A result with listed and visited points as rows, where another loss was descended.

        The last pass scores them all; it takes no more to have many.

        Returns
        -------
        MoreRows
            Points of several values are not among them.
        """
        plain = MoreRows(**{f.name: getattr(result, f.name) for f in dataclasses.fields(result)})
        if result.stopped:
            return self._without_unsolved(plain)
        if self.choice.exact or self.vector.continuous.per is not None:
            return plain
        listed = listed_points(self.ranges) if self.closed_form else []
        visited = [r.h for r in result.records if r.usable and r.tol <= FINE]
        known = [h for h in visited if self.closed_form or self._solved.at(h) is not None]
        points = [*listed, *known]
        rows = [*result.rows, *map(self.settings, points)]
        several = len(listed), len(known)
        return dataclasses.replace(
            plain, rows=rows, points=[*result.points, *points], judged=several
        )

    def _without_unsolved(self, result):
        """A stopped search without the rows that would take passes, but the point found."""
        kept = [
            row
            for row in range(len(result.points))
            if not row or self.closed_form or result.scores_of(row) is not None
        ]
        rows, points = ([each[row] for row in kept] for each in (result.rows, result.points))
        return dataclasses.replace(result, rows=rows, points=points)

    def weights_at(self, point, layouts):
        """Weights of all splits of cv at a point: of closed forms, or known, else solved."""
        known = self._known(point)
        if known is not None:
            return known
        (model,) = self.models(self.cv_data, layouts)
        return model.problem.solve(point, None, FINE).w

    def _known(self, point):
        """Weights that a pass has found, or None.

        A search that was read from a file has none, and is to come out the same.
        """
        return None if self.options.memory is not None else self._solved.at(point)

    def installed(self, estimator, point, layouts):
        """An estimator fitted on all rows, with the settings of a row of ``cv_results_``.

        Parameters
        ----------
        estimator : estimator
            A clone with these settings.
        point : dict
        layouts : dict of str -> Layout
        """
        if self.closed_form:
            (model,) = self.models([self.everything], layouts)
            w = model.problem.solve(point, None, FINE).w
        else:
            (model,), w = self.models(self.cv_data, layouts), self.weights_at(point, layouts)
        coef, intercept = (each[-1] for each in model.problem.coefficients(w))
        step = final_step(estimator, self.range.key)
        # The weights of parts of a ColumnTransformer may be others in this row.
        before = Preprocessing(step, self.inputs.rows)
        scale, offset = before.affine(self.all_columns)
        intercept = intercept + coef @ offset if self.final.fit_intercept else 0.0 * intercept
        final = self.family.with_coefficients(step.final, coef / scale, intercept, self._labels)
        return before.fitted(step.pipeline, self.all_columns, _as_fitted(final, before, step.path))

    # Models.

    def models(self, data, layouts=None, seeds=None):
        return [self._model(part, self._penalty(part, layouts)) for part in data]

    def _penalty(self, part, layouts):
        leaf = self.range.leaf
        entries = layouts[leaf].entries(part.columns) if leaf in (layouts or {}) else None
        inverse = isinstance(self.family, LogisticFamily)
        return L2Penalty(leaf, inverse=inverse, entries=entries)

    def _model(self, part, penalty):
        if self.closed_form:
            return RowsRidgeModel(self._ridge(part, penalty), part)
        loss = self._loss
        weights = self._weights_of(part)
        sample = self._sampled(part, weights[0])
        intercept = self.final.fit_intercept
        problem = RowsLinear(part, sample, weights, penalty, loss, fit_intercept=intercept)
        # Solutions on other splits are no rows.
        own = any(part is each for each in vars(self).get("cv_data", ()))
        return RowsLinearModel(problem, part, self._solved if own else Solved())

    def _ridge(self, part, penalty):
        return RowsRidge(part, self._sums, penalty, fit_intercept=self.final.fit_intercept)

    @property
    def _loss(self):
        if not isinstance(self.family, LogisticFamily):
            return HalfSquaredError()
        return LogisticLoss() if self._n_outputs == 1 else MultinomialLoss()

    def _weights_of(self, part):
        """The RowWeights of training and of held-out rows; the latter sum to one in each split."""
        look, train, test = self._look, part.members(part.trains), part.members(part.tests)
        own = self._class_weights(look.weights.T @ train)
        held_out = look.weights.T @ test
        whole = held_out.sum(axis=0)
        whole = np.where(whole > 0, whole, 1.0)
        balanced = None
        if self.choice.loss.balanced:
            n_classes = (held_out > 0).sum(axis=0)
            balanced = whole / np.where(held_out > 0, held_out, 1.0) / np.maximum(n_classes, 1)
        judged = RowWeights(test / whole, balanced, weighted=True)
        return RowWeights(train, own, weighted=True), judged

    def _class_weights(self, totals):
        """Weights of classes, of shape (n_classes, n_splits), from sums of weights; or None."""
        asked = getattr(self.final, "class_weight", None)
        if asked is None or self._coding.classes is None:
            return None
        if asked == "balanced":
            return totals.sum(axis=0) / (len(totals) * totals)
        of_classes = _of_dict(asked, self._coding.classes)
        return np.repeat(of_classes[:, None], totals.shape[1], axis=1)

    def _sampled(self, part, train):
        X, y, bucket, weight = self._look.sample
        encoded, codes = self._coding.encode(y)
        t = train.of(bucket, codes, weight)
        origin = self._origin
        # What the sample lacks in weight, split by split, rows that are in it stand for.
        whole = self.n_samples / len(y)
        return SampledSplits(X if origin is None else X - origin, encoded, whole * t)

    def sampled_model(self, layouts=None):
        """The model of the sample in memory, on the splits of cv: what it finds is a hint.

        Its penalty is one against the rows of the sample: the more rows there are, the less the
        same penalty shrinks, and the less shrinking is best.
        """
        data = self.cv_data[0]
        weights = self._weights_of(data)[0]
        sample, (_, y, bucket, _) = self._sampled(data, weights), self._look.sample
        rows = [np.flatnonzero(np.isin(bucket, part)) for part in data.trains]
        tests = [np.flatnonzero(np.isin(bucket, part)) for part in data.tests]
        kept = [s for s in range(data.n_splits) if len(tests[s]) and len(rows[s])]
        share = len(y) / self.n_samples
        split = SplitData(
            X=sample.X,
            y=sample.y,
            trains=[rows[s] for s in kept],
            tests=[tests[s] for s in kept],
            weights=[share * sample.t[rows[s], s] for s in kept],
            score_weight=np.ones(len(y)),
            labels=y,
            scales=None if data.scales is None else data.scales.T[:, kept],
        )
        intercept = self.final.fit_intercept
        penalty = self._penalty(data, layouts)
        return LinearModel(
            LinearProblem(split, penalty, self._loss, fit_intercept=intercept), split
        )


def _as_fitted(final, before, path):
    """A final step with what else its fit sets."""
    if isinstance(final, LogisticRegression):
        final.n_iter_ = np.array([1], dtype=np.int32)
    else:
        final.n_iter_, final.solver_ = None, "cholesky"
    if before.names is not None and not path:
        final.feature_names_in_ = np.array(before.names, dtype=object)
    return final


def _of_dict(weights, classes):
    """Weights of classes from a dict; those that it does not name have one."""
    return np.array([float(weights.get(label, 1.0)) for label in classes.tolist()])


def _several(classes):
    if len(classes) < 2:
        raise ValueError(f"y has one class, {classes[0]}, and two are needed.")
    return classes
