"""The range of a continuous hyperparameter, as a user writes it: a Continuous, or a list."""

import dataclasses
import math
import numbers
from collections.abc import Sequence

import numpy as np

from sklearn_hypergrad.wording import shortened, suggestion

# Ratio of the ends of a list from which on its scale is logarithmic: one order of magnitude. Chosen
# by hand: below it both scales search much the same values.
LOG_RATIO = 10
SCALES = ("auto", "log", "linear", "logit")
SHAPES = (
    None,
    "feature",
    "group",
    "column",
    "coefficient",
    "target",
    "transformer",
    "sample",
    "layer",
    "step",
    ("step", "layer"),
    ("feature", "target"),
    ("group", "target"),
)


@dataclasses.dataclass(frozen=True)
class Continuous:
    """A continuous hyperparameter that is tuned by following its hypergradient.

    It is a value of ``param_grid``, alone or as the only element of a list. ``Continuous()`` needs
    no range: the search starts at a level derived from the data and widens by factors of ten until
    the optimum is inside. For networks it starts at the estimator's own value and follows the
    gradient.

    Parameters
    ----------
    low, high : float, default=None
        Bounds in the hyperparameter's own units; for a vector, bounds of the common level from
        which its entries deviate. With None the search finds the bound; it ends 12 decades away
        from the level of the data, and for networks 6 decades away from the start.
    scale : {"auto", "log", "linear", "logit"}, default="auto"
        The scale on which the search moves. "auto" is logarithmic for positive hyperparameters
        unless both bounds are given with ``high / low < 10``: for a penalty, ratios matter, not
        differences. For momenta "auto" is "logit", which is for values between 0 and 1. "linear"
        needs both bounds.
    per : {None, "feature", "group", "column", "coefficient", "target", "transformer", "sample", \
            "layer", "step", ("step", "layer"), ("feature", "target"), ("group", "target")}, \
            default=None
        What gets its own value. None tunes one value for all.

        - "feature": each feature that enters the model; "coefficient": each coefficient; "group":
          each group of features, see ``groups``. For the classes of
          :mod:`sklearn_hypergrad.linear_model`, whose penalties may be arrays. "feature",
          "group" and "column" are also for ``gamma`` of those of
          :mod:`sklearn_hypergrad.kernel_ridge` and :mod:`sklearn_hypergrad.svm`.
        - "column": all features that come from one column of X, such as those of the categories
          that a OneHotEncoder makes of it. The steps before the model are tried on X whose columns
          are moved one after another; each feature must depend on one of them.
        - "target": each column of ``y``, as scikit-learn's ``Ridge(alpha=[...])`` takes them.
        - ("feature", "target"), ("group", "target"): each feature or group, for each column of
          ``y`` on its own; for the Ridge of :mod:`sklearn_hypergrad.linear_model`.
        - "transformer": the output columns of each transformer of a ColumnTransformer or
          FeatureUnion right before the model; set through its ``transformer_weights``, so it works
          for scikit-learn's own models. Also for these ``transformer_weights`` themselves, before
          any model with derivatives in its rows.
        - "layer", "step", ("step", "layer"): each layer of a network, each step of its training, or
          both, for the classes of :mod:`sklearn_hypergrad.neural_network`.
        - "sample": each training sample. With one split only, whose validation rows are clean: see
          :mod:`sklearn_hypergrad.data_cleaning`.

        Penalties are relative to the features as the model sees them: scale these first.
    groups : sequence or dict, default=None
        Only with "group" in ``per``: one label per feature, in their order, or a dict from the
        name of a feature to its label. Features without a label in a dict form one more group.
        Labels are any hashable values.
    fixed : dict, default=None
        Penalties that are not searched: from names of features, or their positions, to 0 or
        infinity, in the units of the hyperparameter. An ``alpha`` of 0 (a ``C`` of infinity) leaves
        a feature without a penalty, as is usual for confounders, and an infinite one (a ``C`` of 0)
        drops it. With ``per="column"`` the names are those of columns of X. Zeros and infinities in
        the estimator's own array or dict of penalties are fixed, too. Without ``per`` all others
        share one value: the same as ``per="group", groups={}``.
    init : float, array-like or dict, default=None
        Where the search starts. With None solved models are scanned around the level of the data,
        or over their bounds, so that the lowest of several minima is found; with a value the search
        looks within a quarter of a decade of it and follows the loss from there. For networks and
        own models None is the estimator's own value if it is in the range. Several values are an
        array of their shape, or a dict from the name of a feature (or transformer, or group) to its
        value; names that are missing get the most frequent value. ``as_start`` of an earlier search
        returns such values.

    Raises
    ------
    TypeError, ValueError
        At construction, for a bound that is not a finite number, bounds in the wrong order, or an
        unknown ``scale`` or ``per``.

    Examples
    --------
    >>> from sklearn_hypergrad import Continuous
    >>> Continuous(1e-3, 1e3)
    Continuous(low=0.001, high=1000.0)
    """

    low: float | None = None
    high: float | None = None
    _: dataclasses.KW_ONLY
    scale: str = "auto"
    per: str | tuple | None = None
    groups: tuple | dict | None = dataclasses.field(default=None, hash=False)
    fixed: dict | None = dataclasses.field(default=None, hash=False)
    init: float | tuple | dict | None = dataclasses.field(default=None, hash=False)

    def __post_init__(self):
        object.__setattr__(self, "init", _plain_init(self.init))
        for name in ("low", "high"):
            _check_number(name, getattr(self, name))
        for value in entries_of(self.init):
            _check_number("init", value)
        _check_name("scale", self.scale, SCALES)
        if isinstance(self.per, list):
            object.__setattr__(self, "per", tuple(self.per))
        _check_name("per", self.per, SHAPES)
        object.__setattr__(self, "fixed", _checked_fixed(self.fixed))
        if self.fixed is not None and self.per is self.groups is None:
            object.__setattr__(self, "per", "group")
            object.__setattr__(self, "groups", {})
        object.__setattr__(self, "groups", _checked_groups(self.per, self.groups))
        low = -np.inf if self.low is None else self.low
        high = np.inf if self.high is None else self.high
        if not low < high:
            raise ValueError(
                f"Continuous needs low < high, got low={self.low!r}, high={self.high!r}."
            )
        # Bounds of a vector are those of its level, from which entries deviate.
        if is_number(self.init) and not low <= self.init <= high:
            raise ValueError(
                f"Continuous needs init between low and high, got init={self.init!r}, "
                f"low={self.low!r}, high={self.high!r}."
            )
        if self.scale == "linear" and not np.isfinite([low, high]).all():
            raise ValueError("Continuous(scale='linear') needs both bounds, low and high.")
        for name in ("low", "high"):
            _check_scale(self.scale, name, getattr(self, name))
        for value in entries_of(self.init):
            _check_scale(self.scale, "init", value)

    def __repr__(self):
        shown = [
            f"{field.name}={shortened(repr(getattr(self, field.name)))}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != field.default
        ]
        return f"Continuous({', '.join(shown)})"


@dataclasses.dataclass(frozen=True)
class Range:
    """A continuous hyperparameter of one candidate.

    Attributes
    ----------
    key : str
        Its name in ``param_grid``.
    continuous : Continuous
        Bounds, scale and shape.
    listed : tuple of numbers
        The values a list gave, as they are and in its order; empty for a ``Continuous``.
    leaf : str
        Its name in the final step. The default, "", stands for the last part of ``key``.
    """

    key: str
    continuous: Continuous
    listed: tuple = ()
    leaf: str = ""

    def __post_init__(self):
        object.__setattr__(self, "leaf", self.leaf or self.key.rpartition("__")[2])

    @property
    def scale(self):
        """The scale with "auto" resolved, for a positive hyperparameter."""
        low, high = self.continuous.low, self.continuous.high
        if self.continuous.scale != "auto":
            return self.continuous.scale
        bounded = low is not None and high is not None and self.continuous.per is None
        return "linear" if bounded and high / low < LOG_RATIO else "log"

    def scale_of(self, hyperparameter):
        """The scale of the search: by default that of the hyperparameter, if it has one."""
        own = hyperparameter.scale
        return own if own != "log" and self.continuous.scale == "auto" else self.scale


def as_range(key, values, limits=(0, math.inf), leaf=""):
    """``(Range, other values)``; the range is None if the values are to be enumerated.

    A list is a range if it has two or more distinct numbers between the limits. None is a setting
    beside it.
    """
    low, high = limits
    if len(values) == 1 and isinstance(values[0], Continuous):
        return Range(key, values[0], leaf=leaf), []
    if not isinstance(values, (Sequence, np.ndarray)) or not all(map(_may_be_listed, values)):
        return None, list(values)
    valid = [value for value in values if value is not None and low < value < high]
    if len(set(valid)) < 2:
        return None, list(values)
    invalid = [value for value in values if value is None or not low < value < high]
    continuous = Continuous(float(min(valid)), float(max(valid)))
    # Numbers of other types, such as fractions, have no logarithm in numpy.
    known = int, float, np.number
    listed = tuple(value if isinstance(value, known) else float(value) for value in valid)
    return Range(key, continuous, listed, leaf), invalid


def entries_of(init):
    """The values of ``init``, in a list: of a number, nested tuples or a dict."""
    if isinstance(init, dict):
        return list(init.values())
    if isinstance(init, tuple):
        return [entry for part in init for entry in entries_of(part)]
    return [init]


def level_of(init):
    """One value for all entries of ``init``: the most frequent one, or else the median."""
    values, counts = np.unique(np.asarray(entries_of(init), dtype=float), return_counts=True)
    most = values[counts == counts.max()]
    return float(most[len(most) // 2])


def _plain_init(init):
    """A copy of ``init`` that is protected from later changes: arrays become nested tuples."""
    if isinstance(init, dict):
        return dict(init)
    if isinstance(init, str) or not np.iterable(init):
        return init
    values = init.tolist() if hasattr(init, "tolist") else init
    return tuple(_plain_init(value) for value in values)


def is_number(value):
    """Whether a value is one real number, and not True or False."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _may_be_listed(value):
    return value is None or is_number(value)


def plain(value):
    """A value for ``set_params``: a float, or a new array."""
    return float(value) if np.ndim(value) == 0 else np.array(value)


def _checked_groups(per, groups):
    """A copy of the groups, protected from later changes."""
    grouped = per == "group" or (isinstance(per, tuple) and "group" in per)
    if grouped != (groups is not None):
        raise ValueError(
            f"Continuous(per='group', groups=...) go together, got per={per!r} and "
            f"groups={'None' if groups is None else 'labels'}."
        )
    if groups is None or isinstance(groups, dict):
        return None if groups is None else dict(groups)
    if isinstance(groups, str) or not np.iterable(groups):
        raise TypeError(
            f"Continuous(groups=...) must be one label per feature, or a dict from feature name to "
            f"label, got {shortened(groups)}."
        )
    return tuple(groups.tolist() if hasattr(groups, "tolist") else groups)


def _checked_fixed(fixed):
    """A copy of what is fixed, protected from later changes."""
    if fixed is None:
        return None
    if not isinstance(fixed, dict):
        raise TypeError(
            f"Continuous(fixed=...) must be a dict from names or positions of features to 0 or "
            f"infinity, got {shortened(repr(fixed))}."
        )
    for key, value in fixed.items():
        if not is_number(value) or value not in (0, math.inf):
            raise ValueError(
                f"Continuous(fixed=...) holds penalties at 0 or infinity, got {value!r} for "
                f"{key!r}. To hold one at another value, scale the feature."
            )
    return dict(fixed)


def _check_number(name, value):
    if value is None:
        return
    if not is_number(value):
        pair = isinstance(value, list | tuple) and len(value) == 2 and all(map(is_number, value))
        ends = f"{value[0]}, {value[1]}" if pair else "0.001, 1000.0"
        raise TypeError(
            f"Continuous({name}=...) must be a number or None, got {shortened(repr(value))}. A "
            f"range is Continuous({ends}), one without bounds Continuous()."
        )
    if not np.isfinite(value):
        raise ValueError(
            f"Continuous({name}=...) must be finite, got {value!r}. Leave it None for no bound."
        )


def _check_scale(scale, name, value):
    if value is None:
        return
    if scale in ("log", "logit") and value <= 0:
        raise ValueError(f"Continuous(scale={scale!r}) needs {name} > 0, got {value!r}.")
    if scale == "logit" and value >= 1:
        raise ValueError(f"Continuous(scale='logit') needs {name} < 1, got {value!r}.")


def _check_name(name, value, allowed):
    if value not in allowed:
        raise ValueError(
            f"Continuous({name}=...) must be one of {allowed}, got {shortened(repr(value))}."
            f"{suggestion(value, allowed)}"
        )
