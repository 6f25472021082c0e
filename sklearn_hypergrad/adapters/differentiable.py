"""Models of one's own (``sklearn_hypergrad.differentiable``), derived by autograd or JAX.

A model minimises, or descends step by step if it has dynamics, ::

    sum_i s_i loss(y_i, forward(w, x_i, h)) / sum_i s_i  +  penalty(w, h)

with sample weights s; its methods define the terms. All hyperparameters ``h`` that it declares are
tuned together, from their own values. Held-out predictions are ``forward(w, X, h)``, which
may depend on ``h`` directly, too.
"""

import copy

import numpy as np
import scipy.sparse
from sklearn.base import clone
from sklearn.preprocessing import LabelBinarizer

from sklearn_hypergrad.adapters.base import (
    Family,
    ProbabilisticFamily,
    RegressorFamily,
    family,
    labels_of,
)
from sklearn_hypergrad.adapters.model import TrainedModel, WeightModel
from sklearn_hypergrad.differentiable import DifferentiableClassifier, DifferentiableRegressor
from sklearn_hypergrad.differentiable.functions import Losses, Objective, Outputs
from sklearn_hypergrad.differentiable.problems import backend_of, first_chance
from sklearn_hypergrad.problems import ValidationLoss
from sklearn_hypergrad.problems.autograd.backends import derivatives_of, held_data
from sklearn_hypergrad.problems.autograd.nested import Nested
from sklearn_hypergrad.problems.autograd.pulled import Pulled
from sklearn_hypergrad.problems.outer.held_out import held_out_rows


class ForwardPredictions:
    """Predictions of the held-out rows of one split by a model of one's own.

    Parameters
    ----------
    function : ModelFunction
        ``function(w, h, *rows)``: outputs, or losses of samples.
    problem : AutogradProblem or AutogradTraining
        Its structure of weights and its backend.
    rows : tuple of ndarray
        The held-out rows of what the function takes: X, or X and y.
    """

    def __init__(self, function, problem, rows):
        self._n_rows, self._rows = len(rows[0]), held_data(rows, problem.backend)
        shared = problem.structure, problem.backend
        self._outputs = derivatives_of(function, *shared)
        self._pulled = derivatives_of(Pulled(function), *shared)

    def __call__(self, w, h):
        """``(z, pull)`` as :class:`~sklearn_hypergrad.problems.WeightLoss` takes it."""
        z = self._outputs.evaluate(w, h, *self._rows)

        def pull(gradient):
            return self._pulled.gradients(w, h, gradient.reshape(z.shape), *self._rows)[1:]

        return z.reshape(self._n_rows, -1), pull


class LossItself:
    """The validation loss of predictions that are losses already."""

    def value(self, y, z):
        return z

    def gradient(self, y, z):
        return np.ones_like(z)


class JudgesItself(WeightModel):
    """A model of one's own, which may be judged by the loss that it declares.

    It may depend on hyperparameters, too. So losses of samples take the place of predictions.

    Parameters
    ----------
    problem, predictions, data
        As for WeightModel.
    own_losses : ForwardPredictions
        The declared losses of the held-out rows.
    """

    def __init__(self, problem, predictions, data, own_losses):
        super().__init__(problem, predictions, data)
        self._own_losses = own_losses

    def judged_by(self, validation_loss):
        if not isinstance(validation_loss.pointwise, LossItself):
            return super().judged_by(validation_loss)
        model = copy.copy(self)
        model.predictions = self._own_losses
        return super(JudgesItself, model).judged_by(validation_loss)


class TrainedJudgesItself(JudgesItself, TrainedModel):
    """The same, trained step by step."""


class DifferentiableFamily(Family):
    """Estimators that minimise the objective of a model of one's own.

    Parameters
    ----------
    model : DifferentiableModel
        The objective and the predictions, with the parameters of the estimator.
    estimator_class : type
        The class of the estimators; a subclass that overrides its methods is refused.
    """

    one_split = True

    def __init__(self, model, estimator_class):
        self._model = model
        self.estimator_class = estimator_class
        self.hyperparameters = model.tunable()

    @property
    def trained(self):
        return self._model.dynamics is not None

    def shape(self, estimator, name, per, data):
        X, _, w = self._begun(data)
        shape = tuple(self._model.hyperparameter_shape(name, per, X, w))
        return shape, labels_of(shape)

    def model(self, estimator, data, entries, seed):
        if scipy.sparse.issparse(data.X):
            raise TypeError("Features are sparse, and autograd has dense arrays only.")
        (train,), (weight,) = data.trains, data.weights
        X, y = data.X.astype(float, copy=False), _targets(data.y)
        problem = self._model.problem(X[train], y[train], weight, seed)
        values, inner = self._model.hyperparameter_values(), self._inner(problem)
        held_out = held_out_rows(data)[0]
        rows = X[held_out], y[held_out]
        predictions = ForwardPredictions(Outputs(self._model, values), inner, rows[:1])
        losses = ForwardPredictions(Losses(self._model, values), inner, rows)
        make = TrainedJudgesItself if self.trained else JudgesItself
        return make(problem, predictions, data, losses)

    def own_loss(self, estimator):
        name = f"{type(self._model).__name__}.loss"
        return ValidationLoss(name, LossItself(), takes=self.takes, label=name)

    def install(self, estimator, model, fitted, h):
        own = clone(self._model)
        inner = self._inner(model.problem)
        own.backend_, own.weights_ = inner.backend, inner.structure.unflatten(fitted.w)
        own.hyperparameters_ = self._model.hyperparameter_values() | h
        own.n_features_in_ = model.data.X.shape[1]
        return [own]

    def check(self, estimator, name, data):
        # Without a derivative the hypergradient is zero, and the search would end at its start.
        model = self._model
        of_training = () if model.dynamics is None else (*model.dynamics.names, "init_scale")
        if name in of_training or hasattr(model, "cross_vjp"):
            return
        X, y, w = self._begun(data)
        rows = slice(model.batch_size if self.trained else None)
        X, y = X[rows].astype(float, copy=False), y[rows]
        values, structure = model.hyperparameter_values(), Nested(w)
        batch = None, X, y, np.ones(len(X)), *first_chance(model)
        try:
            with np.errstate(all="ignore"):
                backend = backend_of(model, w, values, batch)
                derivatives = derivatives_of(Objective(model, values), structure, backend)
                start = structure.flatten(w)
                reached = derivatives.reached(start, {name: values[name]}, *batch)
        except Exception:
            # The first evaluation of the search reports the error.
            return
        if name not in reached:
            raise ValueError(
                f"Cannot tune {name!r}: neither forward nor loss nor penalty of "
                f"{type(model).__name__} depends on h[{name!r}], so its hypergradient would be "
                f"zero. Read it from h, not from self.{name}; or leave it out of param_grid."
            )

    def _begun(self, data):
        """X and y of the training part, and initial weights (any seed will do: 0)."""
        (train,) = data.trains
        X, y = data.X[train], _targets(data.y[train])
        return X, y, self._model.begun(X, y, 0)

    def _inner(self, problem):
        """What has the structure of the weights, and the backend."""
        return problem.problem if self.trained else problem


class DifferentiableRegressorFamily(RegressorFamily, DifferentiableFamily):
    """Regressors: predictions are numbers."""


class DifferentiableClassifierFamily(ProbabilisticFamily, DifferentiableFamily):
    """Classifiers: predictions are logits."""

    def install(self, estimator, model, fitted, h):
        (own,) = super().install(estimator, model, fitted, h)
        own.classes_ = LabelBinarizer().fit(model.data.labels).classes_
        return [own]


def family_like(model, estimator_class):
    """The family of estimators that minimise the objective of a model.

    With it, register a class of another library by the objective that it minimises ::

        @family.register
        def _(estimator: TheirClass):
            return family_like(MyModel(estimator.alpha), TheirClass)

    The search finds hyperparameters with the model, and sets them in clones of the estimator, which
    are fitted and judged.

    Parameters
    ----------
    model : DifferentiableRegressor or DifferentiableClassifier
        A model with the same objective and predictions, and the parameters of the estimator. Its
        tunable hyperparameters have the same names in both.
    estimator_class : type
        The class. A subclass that overrides its methods is refused.

    Returns
    -------
    Family
    """
    is_class = isinstance(model, DifferentiableClassifier)
    make = DifferentiableClassifierFamily if is_class else DifferentiableRegressorFamily
    return make(model, estimator_class)


@family.register
def _(estimator: DifferentiableRegressor):
    return family_like(estimator, DifferentiableRegressor)


@family.register
def _(estimator: DifferentiableClassifier):
    return family_like(estimator, DifferentiableClassifier)


def _targets(y):
    """Targets as the model sees them: a single column as a vector."""
    return y[:, 0] if y.shape[1] == 1 else y
