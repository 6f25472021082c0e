"""A model whose rows come from steps before it, as a function of the hyperparameters of all.

The derivative of the validation loss in its rows, of the training and of the held-out part, is
``Model.x_vjp``; the steps pull it back to their own hyperparameters.
"""

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from sklearn_hypergrad._sklearn import rows_of
from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.adapters.side_by_side import FACTS
from sklearn_hypergrad.hypergradients import WarmStart
from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.transformers.composed import values_of

# Accuracy of solutions where values are compared that differ by more than 1e-4 relative.
ROUGH = 5e-3


@dataclasses.dataclass(frozen=True)
class Place:
    """The model behind the steps at one setting of their hyperparameters.

    Attributes
    ----------
    key : tuple of bytes
        These hyperparameters.
    X : ndarray or CSR matrix
        The rows that leave the last step.
    pull : callable
        That of Transformed.
    columns : ndarray of int or slice
        The columns that depend on these hyperparameters.
    model : Model
    """

    key: tuple
    X: Any
    pull: Callable
    columns: Any
    model: Model

    @property
    def n_columns(self):
        """Columns that the model sees."""
        return self.model.data.X.shape[1]

    def start(self, state):
        """The start of a fit from the state of another one.

        Of other rows only the weights are of use: factors and losses belong to the rows.
        """
        if state is None or state.key == self.key:
            return None if state is None else state.own
        # Steps and row spaces may have another number of columns at other hyperparameters.
        if state.n_columns != self.n_columns:
            return None
        if not isinstance(state.own, WarmStart):
            return None
        return WarmStart.at(state.own.solution.w, Status.INNER_NOT_CONVERGED)

    def state(self, own):
        """The state of a fit there."""
        return ChainState(self.key, self.n_columns, own)


@dataclasses.dataclass(frozen=True)
class ChainState:
    """The state of a fit, and the hyperparameters of the steps that its rows belong to.

    Attributes
    ----------
    key : tuple of bytes
        These hyperparameters.
    n_columns : int
        Columns of its rows.
    own : object
        The state of the model.
    """

    key: tuple
    n_columns: int
    own: object

    @property
    def size(self):
        return getattr(self.own, "size", 0)

    def stored(self):
        """The part that is kept between fits."""
        own = self.own.stored() if hasattr(self.own, "stored") else self.own
        return dataclasses.replace(self, own=own)


class ChainModel(Model):
    """A model whose rows come from steps that are tuned, of one split.

    The rows of the last setting of the steps are kept: scans change the model's hyperparameters
    first.

    Parameters
    ----------
    data : SplitData
        Rows as they enter the first step.
    ordered : SplitData
        The same, with the training rows before the held-out rows, as features and models see them.
    features : Features
    make : callable
        ``make(data) -> Model``, of data whose X left the last step.
    last : str
        Name of the last step.
    own : dict
        Hyperparameters that the model needs and that are not tuned.
    seed : int
        Of draws of the steps.
    """

    def __init__(self, data, ordered, features, make, last, own, seed):
        super().__init__(data)
        self._ordered, self.seed = ordered, seed
        self._features, self._make, self._last, self._own = features, make, last, own
        self._place, self._method = None, None
        self._levels = self._features.levels()
        usual = self._at(self._features.usual()).model
        self._levels |= {f"{last}__{n}": level for n, level in usual.levels().items()}
        for fact in FACTS:
            setattr(self, fact, getattr(usual, fact))
        self.problem, self.method = (getattr(usual, n, None) for n in ("problem", "method"))
        self.cheap = self.per_column = False
        self.costs_a_fit = not self.trained
        if self.trained:
            self.rough = None
        self.iterative = usual.iterative
        # Rows that are known are factorised once.
        self.cheap_along = not self.iterative

    def levels(self):
        # Training runs start from own values.
        if self.trained:
            return {}
        names = {f"{self._last}__{name}" for name in self._own}
        return {name: level for name, level in self._levels.items() if name not in names}

    def limits(self):
        return self._features.limits()

    def differentiated(self, method):
        model = copy.copy(self)
        usual = self._place.model.differentiated(method)
        model._method, model.method = method, getattr(usual, "method", None)
        model._place = None
        return model

    def _at(self, h):
        """The Place of hyperparameters."""
        h = {n: value for n, value in h.items() if not n.startswith(f"{self._last}__")}
        key = tuple(np.asarray(value, dtype=float).tobytes() for value in h.values())
        place = self._place
        if place is None or place.key != key:
            left = self._features.at(h, self._ordered.X)
            model = self._make(dataclasses.replace(self._ordered, X=left.X)).with_moving_rows()
            model = model.differentiated(self._method)
            place = Place(key, left.X, left.pull, left.columns, model)
            self._place = place
        return place

    def _of_model(self, h):
        return self._own | values_of(self._last, h)

    def fit(self, h, start, tol, **options):
        return self._through("fit", h, start, tol, **options)

    def train(self, h, start, tol):
        return self._through("train", h, start, tol)

    def solve(self, h, start, tol):
        return self._through("solve", h, start, tol)

    def rough(self, h, start):
        """The same as ``train``: what takes long is to go back through the steps."""
        # Points of a scan are far apart, and weights of other rows further than none.
        known = start is not None and start.key == self._at(h).key
        return self.train(h, start if known else None, ROUGH)

    def _through(self, method, h, start, tol, **options):
        place, own = self._at(h), self._of_model(h)
        fitted = getattr(place.model, method)(own, place.start(start), tol, **options)

        def pullback(g):
            pulled = fitted.pullback(g)
            slopes, _ = place.pull(self._row_slopes(place, own, fitted, pulled, g), False)
            of_model = {
                f"{self._last}__{name}": slope
                for name, slope in pulled.gradient.items()
                if name in own and name not in self._own
            }
            state = pulled.state and place.state(pulled.state)
            return dataclasses.replace(pulled, gradient={**slopes, **of_model}, state=state)

        return Fitted(
            fitted.z,
            None if fitted.pullback is None else pullback,
            fitted.state and place.state(fitted.state),
            fitted.statuses,
            fitted.n_solves,
            (place, fitted),
        )

    @staticmethod
    def _row_slopes(place, own, fitted, pulled, g):
        # The linear system of the pullback is not solved once more.
        known = dataclasses.replace(fitted, pullback=lambda g: pulled)
        model = place.model
        # Wide rows may be written in a basis of their space.
        wide = None if model.data.X.shape == place.X.shape else place.X
        return model.x_vjp_in(own, known, g, place.columns, wide)

    def x_vjp(self, h, fitted, g):
        place, own = fitted.w
        slopes = self._row_slopes(place, self._of_model(h), own, own.pullback(g), g)
        (train,), (test,) = self.data.trains, self.data.tests
        X_bar = np.zeros(self.data.X.shape)
        # Rows may have been drawn several times.
        np.add.at(X_bar, np.concatenate([train, test]), place.pull(slopes, True)[1])
        return X_bar


def one_behind_the_other(data):
    """The data of one split with its training rows before its held-out rows."""
    (train,), (test,) = data.trains, data.tests
    order = np.concatenate([train, test])
    if not np.array_equal(order, np.arange(data.X.shape[0])):
        X = rows_of(data.X, order)
        data = dataclasses.replace(
            data,
            X=X,
            y=data.y[order],
            score_weight=data.score_weight[order],
            labels=data.labels[order],
        )
    parts = np.split(np.arange(len(order)), [len(train)])
    return dataclasses.replace(data, trains=[parts[0]], tests=[parts[1]])
