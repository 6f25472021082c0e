"""Several models with the same hyperparameters as one: their predictions are its columns."""

import copy
import dataclasses
import functools

import numpy as np

from sklearn_hypergrad.adapters.model import Fitted, Model
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.hypergradients.base import Predicted

# The facts by which the search chooses its strategy: all of these models have them in common.
FACTS = [n for n, fact in vars(Model).items() if isinstance(fact, bool | str) and n[0] != "_"]


@dataclasses.dataclass(frozen=True)
class States:
    """Starts of several models, used as one."""

    each: tuple

    @classmethod
    def of(cls, states):
        """The States; None if there is none of some model."""
        states = tuple(states)
        return None if any(state is None for state in states) else cls(states)

    @property
    def size(self):
        return sum(getattr(state, "size", 0) for state in self.each)

    def stored(self):
        """The part that is kept between fits."""
        return States(tuple(s.stored() if hasattr(s, "stored") else s for s in self.each))


@dataclasses.dataclass(frozen=True)
class PredictedStates(Predicted):
    """Starts of several models that keep their predictions, used as one that does."""

    each: tuple

    @property
    def size(self):
        return self.z.size + sum(state.size for state in self.each)


def joined(states):
    """The states of several models as one; None if there is none of some model."""
    states = tuple(states)
    if all(isinstance(state, Predicted) for state in states):
        return PredictedStates(np.hstack([state.z for state in states]), states)
    return States.of(states)


class SideBySide(Model):
    """Models of the same rows and hyperparameters, whose predictions are the columns of its own.

    Parameters
    ----------
    data : SplitData
    models : list of Model
    prefix : str
        What stands before the names of hyperparameters of the models.
    """

    def __init__(self, data, models, prefix):
        super().__init__(data)
        self._prefix = prefix
        self._take(models)

    def _take(self, models):
        self._models = models
        for fact in FACTS:
            setattr(self, fact, getattr(models[0], fact))
        self.method = getattr(models[0], "method", None)
        self.path = self._path if all(model.path is not None for model in models) else None

    def _path(self, values):
        paths = (model.path(values) for model in self._models)
        return (np.hstack(z) for z in zip(*paths, strict=True))

    def levels(self):
        levels = [model.levels() for model in self._models]
        means = {n: np.exp(np.mean(np.log([each[n] for each in levels]))) for n in levels[0]}
        return {f"{self._prefix}{name}": float(mean) for name, mean in means.items()}

    def limits(self):
        # They have the same rows.
        return {f"{self._prefix}{n}": both for n, both in self._models[0].limits().items()}

    def differentiated(self, method):
        # The validation loss stays.
        model = copy.copy(self)
        model._take([each.differentiated(method) for each in self._models])
        return model

    def held_out(self, validation_loss):
        # Each column has a loss of its own, classes are not coupled.
        return super().held_out(dataclasses.replace(validation_loss, pointwise_multi=None))

    def fit(self, h, start, tol):
        return self._joined("fit", h, start, tol)

    def train(self, h, start, tol):
        return self._joined("train", h, start, tol)

    def solve(self, h, start, tol):
        return self._joined("solve", h, start, tol)

    def known(self, h, state, tol, *, predicted=True):
        return self._joined("known", h, state, tol, predicted=predicted)

    def train_many(self, several):
        each = [model.train_many([self.own(h) for h in several]) for model in self._models]
        return None if None in each else [self._beside(one) for one in zip(*each, strict=True)]

    def own(self, h):
        """Hyperparameters by the names of the models."""
        return {name.removeprefix(self._prefix): value for name, value in h.items()}

    def _joined(self, method, h, start, tol, **options):
        starts = [None] * len(self._models) if start is None else start.each
        models = zip(self._models, starts, strict=True)
        return self._beside([getattr(m, method)(self.own(h), s, tol, **options) for m, s in models])

    def _beside(self, fitted):
        """One Fitted of those of all models."""
        return Fitted(
            z=None if fitted[0].z is None else np.hstack([each.z for each in fitted]),
            pullback=None if fitted[0].pullback is None else functools.partial(self._pull, fitted),
            state=joined(each.state for each in fitted),
            statuses=tuple(status for each in fitted for status in each.statuses),
            n_solves=sum(each.n_solves for each in fitted),
            w=fitted,
        )

    def _pull(self, fitted, g):
        pulled = [each.pullback(part) for each, part in zip(fitted, self._parts(g), strict=True)]
        sums = {name: sum(p.gradient[name] for p in pulled) for name in pulled[0].gradient}
        states = [p.state or each.state for p, each in zip(pulled, fitted, strict=True)]
        return Pulled(
            gradient={f"{self._prefix}{name}": value for name, value in sums.items()},
            state=joined(states),
            statuses=tuple(status for each in pulled for status in each.statuses),
            n_solves=sum(each.n_solves for each in pulled),
            linear_iterations=max(each.linear_iterations for each in pulled),
            linear_residual=max(each.linear_residual for each in pulled),
        )

    def _parts(self, columns):
        """Columns of predictions, model after model."""
        ends = np.cumsum([model.data.y.shape[1] for model in self._models])
        return np.split(columns, ends[:-1], axis=1)

    def x_vjp(self, h, fitted, g):
        models = zip(self._models, fitted.w, self._parts(g), strict=True)
        return sum(model.x_vjp(self.own(h), own, part) for model, own, part in models)

    def installed(self, install, fitted):
        """Yield the copies of every split, as ``install(model, fitted)`` makes them for a model.

        Parameters
        ----------
        install : callable
        fitted : Fitted

        Returns
        -------
        iterator of tuple of estimator, or None
            None if ``install`` makes none.
        """
        each = [install(*pair) for pair in zip(self._models, fitted.w, strict=True)]
        return None if each[0] is None else zip(*each, strict=True)
