"""Layouts: how a hyperparameter spreads over the coefficients, one class per value of ``per``.

The features that reach the model in the refit have the entries. Where the model sees names, a split
may lack some of them: each feature looks its entry up, and the others have no effect there.
"""

import numpy as np

from sklearn_hypergrad.problems import Entries
from sklearn_hypergrad.search.candidates.refusals import UnsupportedRange
from sklearn_hypergrad.search.data.features import refuse_different, refuse_unknown
from sklearn_hypergrad.spaces.continuous import plain


class Common:
    """One value for all coefficients.

    Parameters
    ----------
    span : Range
    family : Family
    columns : Columns
        Features of the model that is fitted on all data.
    n_outputs : int
        Number of targets or classes that have coefficients of their own.
    others : sequence of Columns, default=()
        Features of the splits.
    held : ndarray of shape (n_features, 1) or (n_features, n_outputs), default=None
        Values that are held, 0 or infinite, of the features of the refit; nan for those that are
        searched. None if all are.

    Raises
    ------
    UnsupportedRange
        If features of the splits have no entry.

    Attributes
    ----------
    by_target : bool
        Whether every row of the hyperparameter has the values of one target.
    """

    by_target = False

    def __init__(self, span, family, columns, n_outputs, others=(), held=None):
        self.span = span
        self.family = family
        self.columns = columns
        self.n_outputs = n_outputs
        self.others = others
        self.held = held
        self._check()

    def _check(self):
        """Raise UnsupportedRange if a feature has no entry; one value serves all features."""

    @property
    def shape(self):
        """Shape of the hyperparameter as it is searched."""
        return ()

    @property
    def labels(self):
        """A name for every entry; () for one value."""
        return ()

    def entries(self, columns):
        """Index of the entry that penalises each coefficient, or Entries if some are held."""
        index = self.index(columns)
        if self.held is None:
            return index
        index = np.zeros((columns.count, 1), dtype=int) if index is None else index
        held = self.held[self._positions(columns)]
        inverse = self.family.hyperparameters[self.span.leaf].regularizes < 0
        with np.errstate(divide="ignore"):
            return Entries(index, 1 / held if inverse else held)

    def index(self, columns):
        """Index of the entry that belongs to each coefficient, as L2Penalty takes it; or None."""
        return None

    @property
    def held_entries(self):
        """The value that each entry is held at, of shape (size,); nan where it is searched.

        An entry of a group is held if all of its features are, at the same value. None if all
        entries are searched.
        """
        if self.held is None:
            return None
        index = np.broadcast_arrays(self.index(self.columns), self.held)[0]
        held = np.broadcast_to(self.held, index.shape)
        values = np.full(np.prod(self.shape, dtype=int), np.nan)
        for value in (0.0, np.inf):
            others = np.bincount(index.ravel(), (held != value).ravel(), minlength=len(values))
            own = np.bincount(index.ravel(), (held == value).ravel(), minlength=len(values))
            values[(others == 0) & (own > 0)] = value
        return values

    def settings(self, value):
        """Parameters for ``set_params`` from a value of this shape."""
        if self.held is None:
            return {self.span.key: self.family.parameter(self.span.leaf, value)}
        # One value for all that is searched.
        shape = self.family.vector_shape("feature", self.columns.count, self.n_outputs)
        values = self._with_held(np.full(shape, float(value)))
        return {self.span.key: self.family.parameter(self.span.leaf, values)}

    def _with_held(self, values):
        """Values of all features, or coefficients, with those that are held at their place."""
        if self.held is None:
            return values
        held = np.broadcast_to(self.held.T, np.shape(values.reshape(-1, self.columns.count)))
        return np.where(np.isnan(held), values.reshape(held.shape), held).reshape(values.shape)

    def _positions(self, columns):
        """Positions of features among those of the refit."""
        if columns.names == self.columns.names or not self.columns.visible:
            return np.arange(columns.count)
        known = {name: position for position, name in enumerate(self.columns.names)}
        return np.array([known[name] for name in columns.names])


class PerTarget(Common):
    """One value for each column of y, as Ridge of scikit-learn takes it."""

    @property
    def shape(self):
        return (self.n_outputs,)

    @property
    def labels(self):
        return tuple(range(self.n_outputs))


class PerFeature(Common):
    """One value for each feature, as the classes of ``linear_model`` take it."""

    def _check(self):
        check = refuse_unknown if self.columns.visible else refuse_different
        check(self.columns, self.others, self.span.continuous.per)

    @property
    def shape(self):
        return self.family.vector_shape("feature", self.columns.count, self.n_outputs)

    @property
    def labels(self):
        return self.columns.names or tuple(range(self.columns.count))

    def index(self, columns):
        return self._positions(columns)[:, None]

    def settings(self, value):
        value = self._with_held(value)
        if not self._differ:
            return {self.span.key: self.family.parameter(self.span.leaf, value)}
        values = np.moveaxis(value, -1, 0)
        named = zip(self.columns.names, map(plain, values), strict=True)
        return {self.span.key: dict(named)}

    @property
    def _differ(self):
        return any(other.names != self.columns.names for other in self.others)


class PerCoefficient(PerFeature):
    """One value for each coefficient, shaped as they are."""

    @property
    def shape(self):
        return self.family.vector_shape("coefficient", self.columns.count, self.n_outputs)

    @property
    def labels(self):
        features = super().labels
        if self.n_outputs == 1:
            return features
        return tuple((output, name) for output in range(self.n_outputs) for name in features)

    def index(self, columns):
        size = self.columns.count * self.n_outputs
        entries = np.arange(size).reshape(self.n_outputs, self.columns.count)
        return entries.T[self._positions(columns)]


class PerGroup(PerFeature):
    """One value for each label of ``groups``; all features of a group get it."""

    def _check(self):
        # A dict has an entry for all features that it does not name.
        if not (isinstance(self._groups, dict) and self.columns.visible):
            super()._check()

    @property
    def shape(self):
        return (len(self.labels),)

    @property
    def labels(self):
        return self._of_groups

    @property
    def _of_groups(self):
        """The labels of the groups."""
        if not isinstance(self._groups, dict):
            return tuple(dict.fromkeys(self._groups))
        # The last entry belongs to the features without a label.
        return (*dict.fromkeys(self._groups.values()), None)

    def index(self, columns):
        return self._places(columns)[:, None]

    def _places(self, columns):
        """The number of the group of each feature."""
        position = {label: index for index, label in enumerate(self._of_groups)}
        return np.array([position[label] for label in self._labels_of(columns)])

    def settings(self, value):
        if isinstance(self._groups, dict) and self.columns.visible:
            of_label = dict(zip(self._of_groups, map(float, value), strict=True))
            named = {name: of_label[label] for name, label in self._groups.items()}
            return {self.span.key: {**named, **self._held_by_name, None: of_label[None]}}
        shape = self.family.vector_shape("feature", self.columns.count, self.n_outputs)
        return super().settings(value[self._places(self.columns)].reshape(shape))

    @property
    def _held_by_name(self):
        if self.held is None:
            return {}
        named = zip(self.columns.names, self.held[:, 0].tolist(), strict=True)
        return {name: value for name, value in named if not np.isnan(value)}

    @property
    def _groups(self):
        return self.span.continuous.groups

    def _labels_of(self, columns):
        if isinstance(self._groups, dict):
            if columns.names is None and self._groups:
                raise UnsupportedRange(
                    "groups is a dict from feature names, and the features that reach the model "
                    "have none. Pass a data frame, or give one label per feature"
                )
            return [self._groups.get(name) for name in columns.names or range(columns.count)]
        if len(self._groups) != self.columns.count:
            raise UnsupportedRange(
                f"groups has {len(self._groups)} labels for {self.columns.count} features. Give "
                f"one label per feature, or a dict from names of features to labels"
            )
        return [self._groups[position] for position in self._positions(columns)]


class PerGroupAndTarget(PerGroup):
    """One value for each label of ``groups`` and each column of y."""

    by_target = True

    @property
    def shape(self):
        return (self.n_outputs, len(self._of_groups))

    @property
    def labels(self):
        targets = range(self.n_outputs)
        return tuple((target, label) for target in targets for label in self._of_groups)

    def index(self, columns):
        targets = np.arange(self.n_outputs)
        return self._places(columns)[:, None] + len(self._of_groups) * targets

    def settings(self, value):
        if isinstance(self._groups, dict) and self.columns.visible:
            of_label = dict(zip(self._of_groups, map(plain, value.T), strict=True))
            named = {name: of_label[label] for name, label in self._groups.items()}
            return {self.span.key: {**named, **self._held_by_name, None: of_label[None]}}
        return PerFeature.settings(self, value[:, self._places(self.columns)])


class PerColumn(PerGroup):
    """One value for all features that come from one column of X, such as those of a category."""

    @property
    def _groups(self):
        return self.columns.sources


class PerTransformer(Common):
    """One value for the output columns of each transformer right before the model.

    Multiplying the columns of a block by ``sqrt(common / strength)`` and penalising them by
    ``common`` is the same as penalising them by ``strength``. So ``transformer_weights`` set it.
    """

    @property
    def shape(self):
        return (len(self.labels),)

    @property
    def labels(self):
        return tuple(self._sizes(self.columns))

    def index(self, columns):
        sizes = self._sizes(columns)
        position = {label: index for index, label in enumerate(self.labels)}
        entries = [np.full(size, position[name]) for name, size in sizes.items()]
        return np.concatenate(entries)[:, None]

    def settings(self, value):
        # The median, not a mean: entries of the pool then have the weight 1 exactly.
        common = np.sort(value)[len(value) // 2]
        ratios = (common / value) ** self.family.hyperparameters[self.span.leaf].regularizes
        weights = dict(self.columns.weights)
        for name, ratio in zip(self.labels, ratios, strict=True):
            weights[name] = weights.get(name, 1.0) * float(np.sqrt(ratio))
        return {self.span.key: float(common), self.columns.weights_key: weights}

    @staticmethod
    def _sizes(columns):
        if columns.sizes is None:
            raise UnsupportedRange(
                "per='transformer' needs a ColumnTransformer or FeatureUnion as the step right "
                "before the model"
            )
        return columns.sizes


class ByName(Common):
    """One value for each name that the estimator has, as for its transformers."""

    @property
    def shape(self):
        return (len(self.labels),)

    @property
    def labels(self):
        return self.family.entry_names(self.span.leaf)

    def index(self, columns):
        return np.arange(len(self.labels))


LAYOUTS = {
    None: Common,
    "target": PerTarget,
    "feature": PerFeature,
    "coefficient": PerCoefficient,
    "group": PerGroup,
    "column": PerColumn,
    ("feature", "target"): PerCoefficient,
    ("group", "target"): PerGroupAndTarget,
    "transformer": PerTransformer,
}
