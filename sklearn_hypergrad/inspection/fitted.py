"""What displays read from a fitted search."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad.inspection.display import shortened
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.reporting.table import columns_of

# Relative difference of values that are the same.
ROUNDING = 1e-9
# What a step of one is on each scale of a search.
UNITS = {
    "log": "per factor e of the value",
    "logit": "per factor e of the odds",
    "linear": "per unit of the value",
}


@dataclasses.dataclass(frozen=True)
class Steps:
    """Evaluations whose losses can be compared: of one loss on the same splits, in their order.

    Attributes
    ----------
    losses, gradient_norms, seconds, tols : ndarray of shape (n_steps,)
    split_losses : ndarray of shape (n_steps, n_splits)
    values : list of dict or None
        Hyperparameters by name; None where the search has not kept them.
    found : int
        The step whose hyperparameters the search returned.
    before : float or None
        The loss of the estimator's own value, where it was evaluated for comparison.
    shown : {"cv", "search_cv"}
        The argument of the search that the splits are from.
    loss : str
        Name of the loss.
    """

    losses: np.ndarray
    gradient_norms: np.ndarray
    seconds: np.ndarray
    tols: np.ndarray
    split_losses: np.ndarray
    values: list
    found: int
    before: float | None
    shown: str
    loss: str

    @property
    def loss_label(self):
        """The loss as it is written on an axis."""
        known = VALIDATION_LOSSES.get(self.loss)
        return self.loss if known is None else known.label

    @property
    def label(self):
        """The same, with the splits that it is a mean over."""
        return f"validation loss on {self.shown}:\n{self.loss_label}"


@dataclasses.dataclass(frozen=True)
class SearchedCandidate:
    """One searched candidate of a fitted search.

    Attributes
    ----------
    search : HypergradSearchCV
    number : int
        Its row of ``cv_results_``.
    asked : Candidate
        Its ranges, and the settings that are fixed in it.
    title : str
        These settings, if there are several candidates.
    best_row : dict or None
        The best row of ``cv_results_``, if it is one that these ranges have led to.
    history, entries : dict of str -> list
        Its rows of ``history_`` and of ``hyperparameters_``.
    """

    search: Any
    number: int
    asked: Any
    title: str
    best_row: dict | None
    history: dict
    entries: dict

    @property
    def heading(self):
        """The title, and what is to be said if the point found is not the best row."""
        best = getattr(self.search, "best_index_", self.number)
        if best == self.number:
            return self.title
        said = f"this result was not chosen: best_params_ is row {best} of cv_results_"
        return f"{self.title}\n{said}".strip()

    @property
    def gradient_label(self):
        """What the length of the gradient means, for an axis."""
        scales = {self.scale(span) for span in self.asked.ranges}
        unit = UNITS[scales.pop()] if len(scales) == 1 else "on the scales of the search"
        return f"length of the gradient: change\nof the loss {unit}"

    @property
    def has_one_value(self):
        """Whether one number was searched."""
        return len(self.asked.ranges) == 1 and self.labels(self.asked.range) == [""]

    def estimator(self, settings):
        """A clone of the estimator with the settings of the candidate and more of them."""
        settings = {**self.asked.settings, **settings}
        # Estimators among the settings are the user's: they must not be written into.
        return clone(self.search.estimator).set_params(**clone(settings, safe=False))

    @property
    def names(self):
        """Full names of what was searched."""
        return [span.key for span in self.asked.ranges]

    def range_of(self, name):
        """The range of a name.

        Raises
        ------
        ValueError
            If nothing of this name was searched.
        """
        for span in self.asked.ranges:
            if name in (span.key, span.leaf):
                return span
        raise ValueError(f"{name!r} was not searched. Searched were: {', '.join(self.names)}.")

    def hyperparameter(self, span):
        """What the family of the model says of the hyperparameter of a range."""
        return self.asked.family.hyperparameters[span.leaf]

    def scale(self, span):
        """The scale on which a range was searched."""
        return span.scale_of(self.hyperparameter(span))

    def column(self, span, column):
        """A column of ``hyperparameters_`` for the entries of one hyperparameter."""
        return [
            value
            for name, value in zip(self.entries["name"], self.entries[column], strict=True)
            if name == span.key or name.startswith(f"{span.key}[")
        ]

    def overlap(self, splits):
        """The overlap of the splits "cv" or "search_cv", for standard errors over them."""
        return getattr(self.search, "_overlaps", {}).get(splits, 0.0)

    def labels(self, span):
        """Names of the entries of a hyperparameter, "" for one value."""
        start = len(span.key) + 1
        return [name[start:-1] for name in self.column(span, "name")]

    def value(self, span):
        """What was found, in the shape in which it was searched if that is known, else flat."""
        flat = np.array(self.column(span, "value"), dtype=float)
        shapes = [np.shape(v[span.leaf]) for v in map(self._by_name, self.history["value"]) if v]
        shape = max(shapes, key=len, default=flat.shape)
        return flat.reshape(shape) if flat.size == np.prod(shape, dtype=int) else flat

    def steps(self, splits=None, *, compared=False):
        """The evaluations of one loss on some splits.

        Parameters
        ----------
        splits : {"cv", "search_cv"}, default=None
            Evaluations of the first loss on these splits; None is what was descended last: the
            vector, if there is one.
        compared : bool, default=False
            Whether to keep what was evaluated after the search to compare its result with, where
            that lies within the searched range.

        Raises
        ------
        ValueError
            If there are none.
        """
        known, last = list(dict.fromkeys(self.history["splits"])), splits is None
        splits = splits or ("search_cv" if "search_cv" in known else "cv")
        if splits not in known:
            raise ValueError(f"No loss was evaluated on splits={splits!r}, only on {known}.")
        all_values = [self._by_name(value) for value in self.history["value"]]
        on_splits = self._of_one_loss(splits, all_values, last=last)
        purposes = self.history["purpose"]
        rows = [
            row
            for row in on_splits
            if purposes[row] != "comparison" or (compared and self._in_range(all_values[row]))
        ]
        values = [all_values[row] for row in rows]
        losses = self._column("loss", rows)
        parts = [name for name in self.history if name.startswith("split") and name != "splits"]
        parts = [self._column(part, rows) for part in parts]
        return Steps(
            losses=losses,
            gradient_norms=self._column("gradient_norm", rows),
            seconds=self._column("seconds", rows),
            tols=self._column("inner_tol", rows),
            split_losses=np.column_stack([part for part in parts if not np.isnan(part).all()]),
            values=values,
            found=self._found(values, losses),
            before=None if compared else self._before(on_splits),
            shown=splits,
            loss=self.history["loss_name"][rows[-1]],
        )

    def _of_one_loss(self, splits, values, *, last):
        """Rows of the history on some splits, with the loss that was descended first, or last."""
        names, purposes = self.history["loss_name"], self.history["purpose"]
        rows = [row for row, name in enumerate(self.history["splits"]) if name == splits]
        descended = [row for row in rows if purposes[row] != "comparison"] or rows
        loss = names[descended[-1 if last else 0]]
        rows = [row for row in rows if names[row] == loss]
        # A vector without splits of its own descends those of the value for all before it.
        vectors = [row for row in rows if values[row] is None or _is_vector(values[row])]
        return (vectors or rows) if last else rows

    def _column(self, name, rows):
        return np.array([self.history[name][row] for row in rows], dtype=float)

    def _before(self, rows):
        """The loss of the estimator's own value, if that was evaluated, or None."""
        own = {span.leaf: np.array(self.column(span, "before")) for span in self.asked.ranges}
        for row in reversed(rows):
            if _close(self._by_name(self.history["value"][row]), own):
                return float(self.history["loss"][row])
        return None

    def _by_name(self, value):
        """A value of ``history_`` as arrays by the last part of their names, or None."""
        if not isinstance(value, dict):
            value = {self.asked.ranges[0].leaf: value}
        missing = any(v is None or (np.ndim(v) == 0 and np.isnan(v)) for v in value.values())
        return None if missing else {name: np.array(v, float) for name, v in value.items()}

    def _in_range(self, value):
        """Whether a value by name is within the bounds, up to rounding."""
        return value is not None and all(
            np.all(value[span.leaf] >= self.column(span, "low")[0] * (1 - ROUNDING))
            and np.all(value[span.leaf] <= self.column(span, "high")[0] * (1 + ROUNDING))
            for span in self.asked.ranges
        )

    def _found(self, values, losses):
        """The last step with the hyperparameters that were found; if unknown, the best.

        Where one value for all entries of a vector was sought, that is where the vector started.
        """
        common = not any(_is_vector(value) for value in filter(None, values))
        vectors = [span for span in self.asked.ranges if self.labels(span) != [""]]
        column = "start" if common and vectors else "value"
        found = {span.leaf: np.array(self.column(span, column)) for span in self.asked.ranges}
        for step in reversed(range(len(values))):
            if _close(values[step], found):
                return step
        return int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))


def _is_vector(value):
    """Whether one of the hyperparameters by name has several values."""
    return any(np.ndim(entry) for entry in value.values())


def _close(one, other):
    """Whether a value is another one up to rounding, which is flat; one for all stands for each."""
    return one is not None and all(
        np.size(one[name]) in (1, np.size(other[name]))
        and np.allclose(np.ravel(one[name]), other[name], rtol=ROUNDING, atol=0)
        for name in other
    )


def searched(search, candidate=None):
    """The searched candidate of a fitted search that is to be drawn.

    Parameters
    ----------
    search : HypergradSearchCV
    candidate : int, default=None
        Its number in ``history_``; None is that of the best row.

    Raises
    ------
    NotFittedError
        If the search is not fitted.
    ValueError
        If nothing was searched, or not this candidate.
    """
    check_is_fitted(search, "cv_results_")
    if getattr(search, "history_", None) is None:
        reason = getattr(search, "hypergradient_", "it has no hypergradient")
        raise ValueError(
            f"There is nothing to draw: this {type(search).__name__} has searched no range "
            f"({reason}). Give it a list of numbers or Continuous() for a hyperparameter that can "
            f"be differentiated."
        )
    history, entries = columns_of(search.history_), columns_of(search.hyperparameters_)
    numbers = sorted(set(history["candidate"]))
    # The last one up to the best row may have led to it.
    nearest = max((n for n in numbers if n <= getattr(search, "best_index_", 0)), default=None)
    if candidate is None:
        candidate = numbers[0] if nearest is None else nearest
    if candidate not in numbers:
        raise ValueError(
            f"candidate={candidate!r} was not searched. Candidates with a range are {numbers}, "
            f"the rows of cv_results_ that they led to."
        )
    history = _rows(history, candidate)
    asked = _asked(search, candidate, history["hyperparameter"][0])
    return SearchedCandidate(
        search=search,
        number=candidate,
        asked=asked,
        title=_settings(asked) if len(numbers) > 1 else "",
        best_row=_best_row(search, asked) if candidate == nearest else None,
        history=history,
        entries=_rows(entries, candidate),
    )


def _best_row(search, asked):
    """The best row, if it has the settings of a candidate and was not enumerated beside it."""
    best = getattr(search, "best_index_", None)
    if best is None:
        return None
    row = search.cv_results_["params"][best]
    enumerated = any(
        one.settings.keys() == row.keys() and _agree(row, one.settings)
        for one in expand(search.param_grid, search.estimator)
    )
    return row if _agree(row, asked.settings) and not enumerated else None


def _rows(columns, candidate):
    keep = [row for row, number in enumerate(columns["candidate"]) if number == candidate]
    return {name: [values[row] for row in keep] for name, values in columns.items()}


def _asked(search, number, key):
    """The candidate of ``param_grid`` that led to a row."""
    row = search.cv_results_["params"][number]
    for asked in expand(search.param_grid, search.estimator):
        if asked.ranges and asked.key == key and _agree(row, asked.settings):
            return asked
    raise ValueError(
        f"param_grid of this search has no range for {key} any more: it was changed after fit."
    )


def _agree(row, settings):
    return all(key in row and _same(row[key], value) for key, value in settings.items())


def _same(one, other):
    return one is other or (np.ndim(one) == np.ndim(other) == 0 and one == other)


def _settings(asked):
    return shortened(", ".join(f"{key}={value}" for key, value in asked.settings.items()), 60)
