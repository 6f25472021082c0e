"""The end of a Pipeline, from the first step that is tuned to the model.

The rows of the model are a function of the hyperparameters of the steps before it. With the
derivative of the validation loss in these rows, of the training and of the held-out part, which the
model gives (``Model.x_vjp``), the hypergradient of a step is ``sum_ij X_bar_ij dX_ij/dh``. Steps
that stand before the first one that is tuned are no part of the chain: they are fitted once.
"""

import dataclasses

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sklearn_hypergrad._sklearn import rows_of
from sklearn_hypergrad.adapters.base import Family, family, inner_values, labels_of
from sklearn_hypergrad.adapters.chain_model import ChainModel, one_behind_the_other
from sklearn_hypergrad.problems.split_data import numbers_of
from sklearn_hypergrad.spaces.continuous import is_number
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.transformers.base import Rows, seed_in, seeded
from sklearn_hypergrad.transformers.composed import names_of
from sklearn_hypergrad.transformers.fixed import fit_transform
from sklearn_hypergrad.transformers.sequence import SequenceFamily

# Rows that differ by less than this share of the largest entry are the same. Chosen by hand, far
# from the rounding of eigenvectors (1e-10 where eigenvalues are close) and from other draws (1).
SAME_ROWS = 1e-6


class ChainFamily(Family):
    """Pipelines that end with a model of a known family.

    Parameters
    ----------
    pipeline : Pipeline
    found : Family
        The family of its last step.
    """

    estimator_class = Pipeline
    methods = ("fit", "predict", "predict_proba", "decision_function")
    one_split = True
    conditions = (
        "a model with derivatives in its rows, and steps before it that are tuned, such as "
        "``nystroem__gamma``"
    )

    def __init__(self, pipeline, found):
        self.found, self.last = found, pipeline.steps[-1][0]
        self._steps = SequenceFamily(pipeline.steps[:-1])
        self.hyperparameters = {
            **self._steps.hyperparameters,
            **inner_values(found, f"{self.last}__"),
        }
        self.takes, self.trained = found.takes, found.trained
        self.predicts_the_same, self.minimises = found.predicts_the_same, found.minimises

    @classmethod
    def around(cls, pipeline):
        """The family of a pipeline; None if its last step is of no family."""
        found = family(pipeline.steps[-1][1])
        return None if found is None else cls(pipeline, found)

    @staticmethod
    def _model_in(pipeline):
        return pipeline.steps[-1][1]

    def _is_of_model(self, name):
        return name.startswith(f"{self.last}__")

    def as_taken(self, X):
        if self._steps.takes_numbers:
            return numbers_of(X)
        return X if hasattr(X, "shape") else np.asarray(X, dtype=object)

    def obstacle(self, estimator, names=()):
        model, name = self._model_in(estimator), type(self._model_in(estimator)).__name__
        obstacle = self.found.obstacle(model, names_of(self.last, names))
        if obstacle is not None:
            return f"in {name}, {obstacle}"
        if not self.found.differentiates_rows:
            return f"{name} has no derivatives in the rows that it is trained on"
        return super().obstacle(estimator) or self._steps.obstacle(estimator, names, False)

    def unused(self, estimator, name):
        if self._is_of_model(name):
            return self.found.unused(self._model_in(estimator), *names_of(self.last, [name]))
        return self._steps.unused(estimator, name) or self.obstacle(estimator, [name])

    def own_value(self, estimator, name, data):
        if not self._is_of_model(name):
            return self._steps.own_value(estimator, name, data.X)
        model, (own,) = self._model_in(estimator), names_of(self.last, [name])
        if is_number(value := model.get_params().get(own)):
            return value
        # A word may stand for a number of the rows that reach the model.
        try:
            X = self._steps.entering(estimator, self.last, data.X, data.labels)
            return self.found.own_value(model, own, dataclasses.replace(data, X=numbers_of(X)))
        except (TypeError, ValueError):
            return np.nan

    def shape(self, estimator, name, per, data):
        if self._is_of_model(name):
            return (), ()
        shape = self._steps.shape(estimator, name, per, data.X)
        return shape, (self.entry_names(name) if shape else ()) or labels_of(shape)

    def predicted(self, z):
        return self.found.predicted(z)

    def score_loss(self, estimator):
        return self.found.score_loss(self._model_in(estimator))

    def own_loss(self, estimator):
        return self.found.own_loss(self._model_in(estimator))

    def labels(self, y):
        return self.found.labels(y)

    def strata(self, labels):
        return self.found.strata(labels)

    def encode(self, labels):
        return self.found.encode(labels)

    def training_weight(self, estimator, labels, weight):
        return self.found.training_weight(self._model_in(estimator), labels, weight)

    def check_parts(self, labels, trains):
        self.found.check_parts(labels, trains)

    def fewest_rows(self, n_features):
        return self.found.fewest_rows(n_features)

    def entry_names(self, name):
        return () if self._is_of_model(name) else self._steps.entry_names(name)

    def parameter(self, name, value):
        if self._is_of_model(name):
            return self.found.parameter(*names_of(self.last, [name]), value)
        return self._steps.parameter(name, value)

    def vector_shape(self, per, n_features, n_outputs):
        return (n_features,)

    def class_with_vectors(self, name):
        if self._is_of_model(name):
            return self.found.class_with_vectors(*names_of(self.last, [name]))
        return self._steps.class_with_vectors(name)

    def model(self, estimator, data, entries, seed):
        last, of_model = self._model_in(estimator), names_of(self.last, entries)
        tuned = {n: entries[n] for n in entries if not self._is_of_model(n)}
        ordered = one_behind_the_other(data)
        n_train = len(ordered.trains[0])
        rows = Rows(ordered.X, n_train, ordered.labels[:n_train])
        own = {} if of_model else self._fixed(last, data)
        features = self._steps.features(estimator, rows, tuned, seed)

        def make(data):
            return self.found.model(last, data, dict.fromkeys(of_model or own), seed)

        return ChainModel(data, ordered, features, make, self.last, own, seed)

    def _fixed(self, model, data):
        """The first hyperparameter of a model, which is not tuned: models need one."""
        name = next(iter(self.found.hyperparameters))
        value, (low, high) = (
            self.found.own_value(model, name, data),
            self.found.hyperparameters[name].open_limits,
        )
        if not low < value < high:
            raise ValueError(f"{name}={value} of {type(model).__name__} has no derivative")
        return {name: value}

    def install(self, estimator, model, fitted, h):
        place, own = fitted.w
        inner = model._of_model(h)
        block = dataclasses.replace(place.model.data, X=place.X)
        last = self._model_in(estimator)
        installed = self.found.install_behind(last, place.model, own, inner, block)
        if installed is None:
            return None
        return (self._fitted(estimator, model, place, h, final) for final in installed)

    def _fitted(self, estimator, model, place, h, final):
        """A pipeline whose steps are fitted, and which ends with a fitted model."""
        values = {name: self.parameter(name, value) for name, value in h.items()}
        fitted = clone(estimator).set_params(**values)
        (train,) = model.data.trains
        X, y = rows_of(model.data.X, train), model.data.labels[train]
        for number, (name, step) in enumerate(fitted.steps[:-1]):
            if step in (None, "passthrough"):
                continue
            with warnings_here("ignore"):
                step = seeded(step, seed_in(model.seed, name))
                X = fit_transform(step, X, y)
            fitted.steps[number] = name, step
        if not _are_rows_of(place, numbers_of(X)):
            raise TypeError("the steps make other rows when they are fitted once more")
        fitted.steps[-1] = self.last, final
        return fitted


# Signs of components may be decided by rounding, and a step may draw anew.
def _are_rows_of(place, X):
    """Whether these are the training rows of a Place, up to rounding."""
    own = place.X[: X.shape[0]]
    return X.shape == own.shape and abs(X - own).max() <= SAME_ROWS * abs(own).max()


@family.register
def _(estimator: Pipeline):
    return ChainFamily.around(estimator)
