"""The steps before a model of rows in parts: stateless ones, and scalers."""

import copy
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.utils import get_tags

from sklearn_hypergrad.search.by_blocks.refusals import refused

# Transformers whose fit looks at the number of columns only.
BY_SHAPE = (PolynomialFeatures,)
EPS = np.finfo(float).eps
FIT_ONCE = (
    "Fit it before the search, on a sample or on all rows, and pass "
    "rows.map(transformer.transform); what it learns from all rows leaks into the held-out ones"
)


class Preprocessing:
    """The steps before the final one.

    Parameters
    ----------
    step : FinalStep
        The final step of a candidate, with the pipeline that leads to it.
    rows : Rows

    Attributes
    ----------
    stateless : tuple of transformers
        Steps that are applied to each piece of rows.
    take : ndarray of int or None
        The columns that are features, after these steps; None is all.
    names : tuple of str or None
        Names of the features.
    sizes, weights_key, weights
        Those of a ColumnTransformer right before the model, as ``Columns`` has them.

    Raises
    ------
    ValueError
        If a step is none of these.
    """

    def __init__(self, step, rows):
        if step.moved:
            raise refused("steps inside of a wrapper", "they would be fitted on each training part")
        self._path, self._raw, self._raw_names = step.path, rows.shape, rows.feature_names
        self.stateless, self._scalers, self._union = [], [], None
        self.sizes = self.weights_key = None
        self.weights, self.take, names = {}, None, rows.feature_names
        steps = list(_steps(step.pipeline, step.path))
        for place, (name, each) in enumerate(steps):
            if type(each) is ColumnTransformer:
                self._add_union(name, each, last=place == len(steps) - 1)
                names = self._picked
            elif type(each) in SCALERS:
                self._add_scaler(name, each, slice(None))
            else:
                self._add_stateless(name, each)
                names = None
        self.names, self.stateless = names, tuple(self.stateless)
        self.n_features = self._width()

    def _add_stateless(self, name, step):
        if get_tags(step).requires_fit and not isinstance(step, BY_SHAPE):
            why = "it would be fitted on each training part"
            raise refused(f"{type(step).__name__} before the model", why, FIT_ONCE)
        if self._scalers or self._union is not None:
            raise refused(
                f"{type(step).__name__} behind a step that is fitted on each training part",
                "splits would have features of their own",
                f"Put {name!r} first",
            )
        self.stateless.append(step)

    def _add_scaler(self, name, scaler, columns):
        if getattr(scaler, "clip", False):
            raise refused("clip=True", "it is no multiplication", f"Leave clip=False in {name!r}")
        self._scalers.append((scaler, columns))

    def _add_union(self, name, union, *, last):
        if self._scalers or self._union is not None:
            raise refused(
                "a ColumnTransformer behind a scaler",
                "columns are picked from rows as they are",
                f"Put {name!r} before the scalers",
            )
        if any(callable(columns) for _, _, columns in union.transformers):
            raise refused(
                "columns that a function selects",
                "it would look at types that parts need not have in common",
                f"Give their numbers or names in {name!r}",
            )
        plain = _passing(union)
        self.take = np.asarray(plain.fit_transform(self._dummy(numbered=True)))[0].astype(int)
        self._union, self._picked = name, tuple(plain.get_feature_names_out())
        blocks = {n: b for n, b in plain.output_indices_.items() if b.stop > b.start}
        parts = {n: t for n, t, _ in union.transformers} | {"remainder": union.remainder}
        weights = union.transformer_weights or {}
        for part, block in blocks.items():
            for inner in _inner_steps(parts[part]):
                if type(inner) not in SCALERS:
                    raise refused(
                        f"{type(inner).__name__} in a ColumnTransformer",
                        "parts of it are scalers or pass columns on",
                        FIT_ONCE,
                    )
                self._add_scaler(part, inner, block)
            if part in weights:
                self._scalers.append((Weighted(weights[part]), block))
        if last:
            self.sizes = {n: b.stop - b.start for n, b in blocks.items()}
            self.weights_key = "__".join([*self._path[:-1], name, "transformer_weights"])
            self.weights = dict(weights)

    @property
    def n_scalers(self):
        """Number of scalers, those in a ColumnTransformer included."""
        return len(self._scalers)

    @property
    def needs_extrema(self):
        """Whether smallest and largest values are needed."""
        return any(isinstance(each, MinMaxScaler | MaxAbsScaler) for each, _ in self._scalers)

    @property
    def needs_dense(self):
        """The name of the first scaler that cannot be applied to sparse rows, or ""."""
        names = (
            type(each).__name__
            for each, _ in self._scalers
            if isinstance(each, MinMaxScaler) or getattr(each, "with_mean", False)
        )
        return next(names, "")

    def affine(self, columns):
        """``(scales, offsets)`` by which scalers that saw some Columns turn rows into features."""
        scale, offset = np.ones(len(columns.mean)), np.zeros(len(columns.mean))
        for scaler, where in self._scalers:
            own = columns.scaled(scale, offset).of(where)
            s, o = factors(scaler, own)
            offset[where] += o / scale[where]
            scale[where] *= s
        return scale, offset

    def fitted(self, pipeline, columns, final):
        """A pipeline whose steps are fitted on rows with these Columns, and whose end is ``final``.

        Parameters
        ----------
        pipeline : estimator
            A clone of the pipeline, not fitted.
        columns : Columns
        final : estimator
            Fitted.
        """
        if not self._path:
            return final
        rows, scale, offset = self._dummy(), np.ones(len(columns.mean)), np.zeros(len(columns.mean))
        left, union = iter(self._scalers), None
        for _, step in _steps(pipeline, self._path):
            if step in (None, "passthrough"):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows = step.fit_transform(rows)
            union = step if type(step) is ColumnTransformer else None
            own = [step] if type(step) in SCALERS else _fitted_inside(union)
            for each in own:
                scaler, where = next(left)
                if not isinstance(scaler, Weighted):
                    learn(each, columns.scaled(scale, offset).of(where))
                s, o = factors(scaler, columns.scaled(scale, offset).of(where))
                offset[where] += o / scale[where]
                scale[where] *= s
        return _ended(pipeline, len(self._path), final)

    def _width(self):
        if self.take is not None:
            return len(self.take)
        rows = self._dummy()
        for step in self.stateless:
            rows = clone(step).fit(rows).transform(rows)
        return np.shape(rows)[1]

    def _dummy(self, *, numbered=False):
        """Two rows of the kind that comes first: texts, a data frame or an array."""
        if len(self._raw) == 1:
            return ["a", "b"]
        n_columns = self._raw[1]
        rows = np.tile(
            np.arange(n_columns, dtype=float) if numbered else np.ones(n_columns), (2, 1)
        )
        if self._raw_names is None:
            return rows
        try:
            import pandas as pd
        except ImportError:
            return rows
        return pd.DataFrame(rows, columns=list(self._raw_names))


class Weighted:
    """The weight of a part of a ColumnTransformer, as the last of its scalers."""

    def __init__(self, weight):
        self.weight = weight


def factors(scaler, columns):
    """``(scale, offset)`` of a scaler that was fitted on Columns: ``(x - offset) * scale``."""
    return SCALERS[type(scaler)][0](scaler, columns)


def learn(scaler, columns):
    """Set what a scaler learns from Columns, in place of what it has learned from other rows."""
    SCALERS[type(scaler)][1](scaler, columns)
    scaler.n_samples_seen_ = int(columns.n)


def _standard(scaler, columns):
    zero = np.zeros(len(columns.mean))
    deviation = np.where(columns.constant(), 1.0, np.sqrt(np.maximum(columns.var, 0)))
    scale = 1 / deviation if scaler.with_std else zero + 1
    return scale, columns.mean if scaler.with_mean else zero


def _learn_standard(scaler, columns):
    scale, _ = _standard(scaler, columns)
    known = scaler.with_mean or scaler.with_std
    scaler.mean_ = columns.mean.copy() if known else None
    scaler.var_ = columns.var.copy() if scaler.with_std else None
    scaler.scale_ = 1 / scale if scaler.with_std else None


def _min_max(scaler, columns):
    low, high = scaler.feature_range
    scale = (high - low) / _not_zero(columns.extrema.high - columns.extrema.low)
    return scale, columns.extrema.low - low / scale


def _learn_min_max(scaler, columns):
    scale, offset = _min_max(scaler, columns)
    scaler.data_min_, scaler.data_max_ = columns.extrema.low.copy(), columns.extrema.high.copy()
    scaler.data_range_ = scaler.data_max_ - scaler.data_min_
    scaler.scale_, scaler.min_ = scale, -offset * scale


def _max_abs(scaler, columns):
    largest = np.maximum(np.abs(columns.extrema.low), np.abs(columns.extrema.high))
    return 1 / _not_zero(largest), np.zeros(len(largest))


def _learn_max_abs(scaler, columns):
    scaler.max_abs_ = np.maximum(np.abs(columns.extrema.low), np.abs(columns.extrema.high))
    scaler.scale_ = _not_zero(scaler.max_abs_)


def _weighted(scaler, columns):
    return np.full(len(columns.mean), float(scaler.weight)), np.zeros(len(columns.mean))


def _not_zero(values):
    """Values with one in place of those that scikit-learn takes for zero."""
    return np.where(values < 10 * EPS, 1.0, values)


# What each scaler multiplies and subtracts, and how it is told.
SCALERS = {
    StandardScaler: (_standard, _learn_standard),
    MinMaxScaler: (_min_max, _learn_min_max),
    MaxAbsScaler: (_max_abs, _learn_max_abs),
    Weighted: (_weighted, None),
}


def _steps(pipeline, path):
    """Yield names and transformers before the final step; those that pass rows on are left out."""
    for _ in path:
        for name, step in pipeline.steps[:-1]:
            if step is not None and step != "passthrough":
                yield name, step
        pipeline = pipeline.steps[-1][1]


def _inner_steps(part):
    """The steps of a part of a ColumnTransformer."""
    steps = [step for _, step in part.steps] if isinstance(part, Pipeline) else [part]
    return [step for step in steps if step is not None and step not in ("passthrough", "drop")]


def _fitted_inside(union):
    """The fitted scalers of a ColumnTransformer, in the order in which they were added."""
    if union is None:
        return []
    weights, found = union.transformer_weights or {}, []
    blocks = [n for n, b in union.output_indices_.items() if b.stop > b.start]
    for name in blocks:
        found += [
            each for each in _inner_steps(union.named_transformers_[name]) if type(each) in SCALERS
        ]
        found += [None] * (name in weights)
    return found


def _passing(union):
    """The ColumnTransformer that only picks the columns."""
    plain = clone(union)
    parts = [(n, t if t == "drop" else "passthrough", c) for n, t, c in union.transformers]
    remainder = union.remainder if isinstance(union.remainder, str) else "passthrough"
    return plain.set_params(
        transformers=parts, remainder=remainder, transformer_weights=None, sparse_threshold=0
    )


def _ended(pipeline, depth, final):
    """Nested pipelines with another last step."""
    if depth == 0:
        return final
    changed = copy.copy(pipeline)
    name, last = pipeline.steps[-1]
    changed.steps = [*pipeline.steps[:-1], (name, _ended(last, depth - 1, final))]
    return changed
