"""A candidate together with the data of a fit: everything that a strategy needs, made on demand."""

import dataclasses
import functools
import numbers

import numpy as np

from sklearn_hypergrad._sklearn import scores_predictions
from sklearn_hypergrad.adapters.base import Apart
from sklearn_hypergrad.problems.split_data import overlap_of
from sklearn_hypergrad.search.candidates.expand import as_array, spread
from sklearn_hypergrad.search.candidates.refusals import (
    CannotSearch,
    UnsupportedRange,
    described,
)
from sklearn_hypergrad.search.data.blocks import blocks, whole
from sklearn_hypergrad.search.data.held import OF_OUTPUTS, held_values
from sklearn_hypergrad.search.data.inputs import HALVES, check_halves, random_splits, splits_of
from sklearn_hypergrad.search.data.layout import Common
from sklearn_hypergrad.search.data.sources import sources_of
from sklearn_hypergrad.search.objective.initial_values import init_of
from sklearn_hypergrad.search.objective.validation_loss import check_function, choose, defined
from sklearn_hypergrad.spaces import MOST_DEVIATION, Dimension, Space
from sklearn_hypergrad.spaces.continuous import level_of
from sklearn_hypergrad.threads import cached_property
from sklearn_hypergrad.tuning import EvidenceObjective, EvidenceTerm, Objective, Stage
from sklearn_hypergrad.tuning.events import Events

# Factor from the level of the data at which a search without bounds ends. Measured: that many
# decades away, penalties of linear models changed the loss of no data set that was tried. The same
# from the level of the smallest or largest column and from the estimator's own value, which are
# further away where columns differ in units.
FARTHEST = 1e12
BEYOND = 1e6
# Levels above this, or below its inverse, are overflow or rounding and are replaced by 1. Chosen by
# hand, so that FARTHEST times a level is still a finite double.
EXTREME = 1e200
# The name of what is descended where it is minus the log evidence alone.
EVIDENCE = "minus log evidence"
# Limits of what no limits are known of.
ANY_NUMBER = -np.inf, np.inf
# Rows from which on a vector inside a kernel has no guard, if that is left to the search. Chosen by
# hand: on sets of a few hundred rows two of five vectors were worse than one value for all, and
# five more searches of thousands of rows take long.
FEWEST_UNGUARDED = 1000


class PreparedCandidate:
    """A candidate with its data, its validation loss, and the options of the search.

    Data and models are made once, when they are first needed.

    Parameters
    ----------
    candidate : Candidate
        A candidate with at least one range.
    inputs : FitInputs
    options : Options
    columns : Columns, default=None
        The features that reach the model in the refit; None is those of these inputs.

    Raises
    ------
    ValueError
        If the requested validation loss does not apply to the model, whatever the data.

    Attributes
    ----------
    line_search : type or None
        The class that searches a line in place of LineSearch.
    in_memory : bool
        Whether X is there as a whole.
    """

    line_search = None
    in_memory = True

    def __init__(self, candidate, inputs, options, columns=None):
        self.candidate = candidate
        self.inputs = inputs
        self.options = options
        self.family = candidate.family
        self.final = candidate.final
        self.ranges = candidate.ranges
        if callable(options.validation_loss):
            check_function(options.validation_loss, inputs, options.search_cv)
        if options.search_cv == HALVES.key:
            check_halves(inputs.splitter)
        self._columns = columns
        self._choice = choose(
            options.validation_loss, inputs.scorer, self.final, self.family, inputs.y
        )
        if set(inputs.score_params) - {"sample_weight"}:
            self._choice = dataclasses.replace(self._choice, exact=False)
        # The FittedSteps of each split of the user's cv.
        self.steps = []

    def inside(self, rows, place):
        """The same candidate for a separate search on some rows.

        Parameters
        ----------
        rows : ndarray of int
        place : str
            What this search is called in messages.

        Returns
        -------
        PreparedCandidate

        Raises
        ------
        CannotSearch
            If the user's splitter cannot split these rows.
        """
        inputs = self._prepared(self.inputs.subset, rows, self.candidate.estimator)
        place = ", ".join(filter(None, (self.options.place, place)))
        options = dataclasses.replace(self.options, place=place)
        # Values of an earlier search may know the rows that are left out here.
        return PreparedCandidate(self.candidate.without_init(), inputs, options, self.columns)

    def with_options(self, options):
        """The same candidate with other options."""
        changed = object.__new__(type(self))
        changed.__dict__ = self.__dict__ | {"options": options}
        return changed

    def __getstate__(self):
        # Models have caches that are large, or cannot be pickled; options hold listeners.
        apart = "options", "cv_models"
        return {name: value for name, value in self.__dict__.items() if name not in apart}

    @property
    def run(self):
        """The arguments ``tol`` and ``max_iter`` of an optimizer."""
        return {"tol": self.options.tol, "max_iter": self.options.max_iter}

    @property
    def range(self):
        """The first range."""
        return self.ranges[0]

    @property
    def vector(self):
        """The range of several values; if all have one, the first."""
        return self.candidate.vector or self.range

    @property
    def guarded(self):
        """Whether outer folds decide if a vector is kept."""
        asked = self.options.guard
        return self.n_samples < FEWEST_UNGUARDED if asked is None else asked

    def hyperparameter(self, span):
        """The Hyperparameter of a range, as its family declares it."""
        return self.family.hyperparameters[span.leaf]

    def own(self, span, shape=()):
        """The estimator's own value in the shape that is searched; nan if it is no number."""
        own = self.family.own_value(self.final, span.leaf, self.cv_data[0])
        try:
            return spread(as_array(own), shape)
        except (TypeError, ValueError):
            return np.full(shape, np.nan)

    @property
    def own_values(self):
        """The estimator's own value of each range, or None if one is no number that it may have."""
        own = {span.leaf: self.own(span) for span in self.ranges}
        inside = all(
            low < own[span.leaf] < high
            for span in self.ranges
            for low, high in [self.hyperparameter(span).open_limits]
        )
        return own if inside else None

    @property
    def is_begun(self):
        """Whether all ranges have a value to start from."""
        return all(span.continuous.init is not None for span in self.ranges)

    @property
    def directions(self):
        """1 for ranges whose larger values regularise more, -1 for less, 0 for neither."""
        return [self.hyperparameter(span).regularizes for span in self.ranges]

    @property
    def shrinkage(self):
        """Weight of the L1 penalty on the deviations of the vector."""
        if self.options.shrinkage is not None:
            return self.options.shrinkage
        return self.hyperparameter(self.vector).shrinkage

    @cached_property
    def cv_data(self):
        """List of SplitData of the user's cv."""
        make = functools.partial(blocks, kept=self.steps, means=self.rows_see_steps)
        return self._prepared(make, self.candidate, self.inputs)

    @property
    def judges(self):
        """Whether the asked score judges points, because another loss is descended."""
        # A row of another point could win against the one that one standard error selects.
        return self.options.selection == "best" and not self.choice.exact

    @property
    def scorer_sees_steps(self):
        """Whether a scorer that judges points or rows is to get whole pipelines and X."""
        rows, judge = self.options.scoring, self.inputs.scorer
        judge = judge if self.options.selection == "best" else None
        scorers = [each for each in (judge, rows and rows.scorer) if each is not None]
        return not all(scores_predictions(scorer, self.candidate.model) for scorer in scorers)

    @property
    def rows_see_steps(self):
        """Whether rows are to be scored as whole pipelines on X."""
        scoring = self.options.scoring
        # Fitted transformers may do to training rows what ``fit_transform`` did not.
        trained = scoring is not None and scoring.return_train_score
        return self.scorer_sees_steps or (trained and bool(self.candidate.step.path))

    @cached_property
    def everything(self):
        """SplitData whose one split trains on all rows, as the refit does, and holds all out."""
        return self._prepared(whole, self.candidate, self.inputs)

    @cached_property
    def columns(self):
        """Columns of the refit: also in a search on some rows, which may lack some of them."""
        columns = self.everything.columns if self._columns is None else self._columns
        if self.vector.continuous.per == "column" and columns.sources is None:
            sources = self._prepared(sources_of, self.candidate, self.inputs)
            columns = dataclasses.replace(columns, sources=sources)
        return columns

    def data_of(self, splits):
        """List of SplitData of these splits."""
        if splits is self.inputs.splits:
            return self.cv_data
        return self._prepared(blocks, self.candidate, self.inputs, splits)

    @cached_property
    def choice(self):
        """The Choice of the validation loss, defined on the user's cv."""
        return self.choice_on(self.cv_data)

    def choice_on(self, data):
        """The Choice of the validation loss, defined on these data."""
        return defined(self._choice, data)

    @cached_property
    def cv_models(self):
        """Models of the user's cv with one value for all coefficients."""
        return self._prepared(self.models, self.cv_data)

    @cached_property
    def relative_scales(self):
        """The smallest and the largest variance of a column relative to their mean.

        (1, 1) for models whose penalty is not one on columns.
        """
        return self.cv_data[0].relative_scales() if self.first_model.per_column else (1.0, 1.0)

    def column_levels(self, span, level):
        """The levels of two single columns, the smallest and the largest, in ascending order.

        Parameters
        ----------
        span : Range
        level : float
            The level of all columns.
        """
        power = self.hyperparameter(span).regularizes or 1
        return sorted(level * scale**power for scale in self.relative_scales)

    def own_inside(self, span):
        """The estimator's own value, if it is a number that may be searched; else None."""
        own, continuous = float(self.own(span)), span.continuous
        low, high = self.hyperparameter(span).open_limits
        if not low < own < high:
            return None
        below = continuous.low is not None and own < continuous.low
        return None if below or (continuous.high is not None and own > continuous.high) else own

    @property
    def first_model(self):
        """A model of the user's cv: the strategy is chosen from its attributes."""
        if self.family.one_split:
            return self._prepared(self.models, self.cv_data[:1])[0]
        return self.cv_models[0]

    def search_splits(self, parts=None):
        """The splits whose loss is descended.

        Parameters
        ----------
        parts : RandomParts, default=None
            What is wanted if ``search_cv="auto"``; None is the user's cv.

        Returns
        -------
        splits : list of (train, test)
        reason : str or None
            Why random parts were wanted and could not be drawn.
        """
        search_cv = self.options.search_cv
        if search_cv == HALVES.key:
            parts = HALVES
        elif search_cv == "cv":
            parts = None
        elif search_cv not in ("auto", "evidence"):
            X, y = self.inputs.X, self.inputs.y
            return splits_of(search_cv, X, y, self.inputs.split_params), None
        if parts is None:
            return self.inputs.splits, None
        seed = self.options.seed
        return self._prepared(random_splits, parts, self.family, self.inputs, seed)

    def models(self, data, layouts=None, seeds=None):
        """One Model for each element of ``data``.

        Parameters
        ----------
        data : list of SplitData
        layouts : dict of str -> Layout, default=None
            How vectors spread over coefficients; a name without one has one value for all.
        seeds : list of int, default=None
            Seeds of the fits, one per SplitData; None is the seed of the search.

        Returns
        -------
        list of Model
        """
        layouts, seeds = layouts or {}, seeds or [self.options.seed] * len(data)
        return [
            self.family.model(self.final, part, self._entries(part, layouts), seed)
            for part, seed in zip(data, seeds, strict=True)
        ]

    def left_out_model(self, layouts=None):
        """The Model of all rows that is judged by the leave-one-out loss in closed form."""
        entries = self._entries(self.everything, layouts or {})
        return self.family.left_out_model(self.final, self.everything, entries)

    @property
    def evidence_obstacle(self):
        """Why the vector has no Evidence, in a sentence; else None."""
        per = self.vector.continuous.per
        if self.n_outputs > 1 and per in OF_OUTPUTS:
            return (
                f"search_cv='evidence' is for penalties that all targets share, and per={per!r}. "
                f"Leave search_cv='auto'."
            )
        return self.family.evidence_obstacle(self.final, self.everything)

    def evidence(self, layouts):
        """The Evidence of a vector, as a function of the hyperparameters."""
        everything = self.everything
        n_samples = float(everything.row_weights().sum())
        return self.family.evidence(
            self.final, everything, self._entries(everything, layouts), n_samples
        )

    def _entries(self, part, layouts):
        layouts = self._common | layouts
        return {
            span.leaf: layouts[span.leaf].entries(part.columns) if span.leaf in layouts else None
            for span in self.ranges
        }

    @cached_property
    def held(self):
        """Penalties that are held, as Layouts take them; None if all are searched."""
        continuous, own = self.vector.continuous, getattr(self.final, self.vector.leaf, None)
        # Networks have a matrix for each layer, of any shapes.
        layers = isinstance(own, list | tuple) and any(np.ndim(part) for part in own)
        alone = layers or (np.ndim(own) == 0 and not isinstance(own, dict))
        if (continuous.per is None or alone) and not continuous.fixed:
            return None
        parts = self.vector, self.family, self.final, self.columns
        return held_values(*parts, self.n_outputs, self.n_samples)

    @cached_property
    def _common(self):
        """The Layout of one value for all that are searched, where others are held."""
        if self.held is None:
            return {}
        parts = self.vector, self.family, self.columns, self.n_outputs
        return {self.vector.leaf: Common(*parts, held=self.held)}

    def _prepared(self, prepare, *args):
        """``prepare(*args)``; any error but Apart becomes a CannotSearch.

        Transformers are user code and data may be anything. An error here leads to enumeration,
        whose fits then report it in scikit-learn's words.
        """
        try:
            return prepare(*args)
        except UnsupportedRange:
            raise
        except Apart as error:
            raise UnsupportedRange(str(error)) from error
        except Exception as error:
            raise CannotSearch(str(error)) from error

    @cached_property
    def n_samples(self):
        """Number of rows of positive weight."""
        return int(np.count_nonzero(self.inputs.row_weight() > 0))

    @cached_property
    def total_weight(self):
        """Number of rows, where a row of weight w is that row w times."""
        return self.inputs.total_weight()

    @property
    def n_outputs(self):
        """Number of targets or classes that have coefficients of their own."""
        return self.everything.y.shape[1]

    def objective(self, models, loss, layouts=None, splits=None, evidence=None, share=0.5):
        """The mean of a validation loss over the splits of some models whose levels are known.

        Parameters
        ----------
        models : list of Model
        loss : ValidationLoss or None
            None is the closed-form leave-one-out loss.
        layouts : dict of str -> Layout, default=None
            How vectors spread over coefficients; a name without one has one value for all.
        splits : list of (train, test), default=None
            The splits of the models, as ``search_splits`` returns them; empty for leave-one-out.
            None is the user's cv.
        evidence : Evidence, default=None
            Minus the log evidence, if it is descended beside the loss.
        share : float, default=0.5
            Weight of the evidence.

        Returns
        -------
        Objective
        """
        layouts = layouts or {}
        models = [model.differentiated(self.options.method).judged_by(loss) for model in models]
        levels, limits = self._levels(models), self._limits(models)
        space = Space(
            [
                self._dimension(
                    span,
                    levels[span.leaf],
                    layouts[span.leaf].shape if span.leaf in layouts else (),
                    limits[span.leaf],
                )
                for span in self.ranges
            ]
        )
        settings = functools.partial(self.settings, layouts=layouts)
        parts = space, models, self.stage(loss, splits), self.events(settings)
        if evidence is None:
            return Objective(*parts)
        scale = loss.likelihood_scale(self.total_weight, self.n_outputs, None)
        return EvidenceObjective(*parts, evidence=evidence, scale=scale, share=share)

    def evidence_alone(self, evidence, objective):
        """Minus the log evidence of all rows as an Objective, in the space of another one.

        Parameters
        ----------
        evidence : Evidence
        objective : Objective
        """
        stage = Stage(place=self.options.place, splits="all rows", loss=EVIDENCE, shown=EVIDENCE)
        terms = [EvidenceTerm(evidence, self.everything)]
        return Objective(objective.space, terms, stage, objective.events)

    def stage(self, loss, splits=None):
        """The Stage of a search on some splits, as ``objective`` takes these arguments."""
        name = "squared_error" if loss is None else loss.name
        splits = self.inputs.splits if splits is None else splits
        return Stage(
            place=self.options.place,
            splits="cv" if splits is self.inputs.splits else "search_cv",
            loss=name,
            shown=name if loss is None else loss.shown or name,
            overlap=overlap_of(splits),
        )

    def events(self, settings):
        """The Events of an objective; ``settings(h)`` gives parameters for ``set_params``."""
        options = self.options
        return Events(options.listeners, settings, options.watch, options.memory)

    def settings(self, h, layouts=None):
        """Parameters for ``set_params`` of the estimator from hyperparameters."""
        settings = dict(self.candidate.settings)
        for span in self.ranges:
            value, layout = h[span.leaf], (self._common | (layouts or {})).get(span.leaf)
            own = {span.key: self.family.parameter(span.leaf, value)}
            settings |= own if layout is None else layout.settings(value)
        return settings

    def _levels(self, models):
        """The centre of a scan without bounds, per hyperparameter: the mean level over models.

        Strengths of penalties are averaged, so a C is averaged as its inverse.
        """
        levels, found = [model.levels() for model in models], {}
        for span, direction in zip(self.ranges, self.directions, strict=True):
            power = direction or 1
            mean = np.mean([np.float64(level[span.leaf]) ** power for level in levels])
            usable = 1 / EXTREME < mean < EXTREME
            found[span.leaf] = float(mean) ** power if usable else 1.0
        return found

    def _limits(self, models):
        """What the data of all models allow, per hyperparameter."""
        known, found = [model.limits() for model in models], {}
        for span in self.ranges:
            lows, highs = zip(*(e.get(span.leaf, ANY_NUMBER) for e in known), strict=True)
            found[span.leaf] = max(lows), min(highs)
        return found

    def _dimension(self, span, level, shape, limits):
        continuous, hyperparameter = span.continuous, self.hyperparameter(span)
        # The user bounds the common level; entries of a vector may deviate from it.
        reach = np.exp(MOST_DEVIATION) if shape and self.shrinkage else 1.0
        lowest, highest = hyperparameter.limits
        scale = span.scale_of(hyperparameter)
        low, high = continuous.low, continuous.high
        if hyperparameter.level is not None and low is high is None:
            reach = np.exp(MOST_DEVIATION) if shape else 1.0
            low = high = level = hyperparameter.level
        # A level outside the user's bounds must not push the other end beyond them.
        level = np.clip(level, low, high) if (low, high) != (None, None) else level
        if not isinstance(continuous.init, numbers.Real | None) and continuous.per is None:
            init_of(continuous, span.leaf, (), ())
        # On a linear scale nothing is far from zero, which numbers of any sign may cross.
        first, last = (min(0.0, lowest), np.inf) if scale == "linear" else self._reach(span, level)
        low = max(first, lowest) if low is None else low / reach
        high = min(last, highest) if high is None else high * reach
        start = level if continuous.init is None else level_of(continuous.init)
        # A limit that is allowed itself is an end that nobody has chosen, as those of the data.
        unasked = [
            hyperparameter.closed and asked is None and end == limit
            for asked, end, limit in (
                (continuous.low, low, lowest),
                (continuous.high, high, highest),
            )
        ]
        of_data = low < limits[0] or unasked[0], high > limits[1] or unasked[1]
        low, high = max(low, limits[0]), min(high, limits[1])
        if any(of_data) and not low < high:
            raise UnsupportedRange(f"the rows of X allow {described(*limits)} of {span.leaf} only")
        return Dimension(
            name=span.leaf,
            shape=shape,
            scale=scale,
            low=low,
            high=high,
            start=float(np.clip(start, low, high)),
            of_data=of_data,
        )

    def _reach(self, span, level):
        """The ends of a search without bounds."""
        own, columns = self.own_inside(span), self.column_levels(span, level)
        farthest = self.hyperparameter(span).farthest
        if farthest is not None:
            known = [level if own is None else own]
            return min(level / farthest, *known), max(level * farthest, *known)
        near = [*columns, level if own is None else own]
        return min(level / FARTHEST, min(near) / BEYOND), max(level * FARTHEST, max(near) * BEYOND)
