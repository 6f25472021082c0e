"""Multilayer perceptrons: those of ``neural_network``, and those of scikit-learn.

Training descends, for a given number of steps and on batches B, ::

    mean over B of loss(y_i, network(x_i, w))  +  alpha / 2 * ||W||^2  (biases are free)

by SGD with momentum (networks of scikit-learn: with their own updates, batches and scaling of the
penalty, which are replayed). The weights minimise nothing exactly, so the training run itself is
differentiated. ``alpha``, ``learning_rate_init``, ``momentum`` and, for ``neural_network``,
``init_scale`` are tuned; there each of them may have a value per layer, and per step those that act
at every step. Predictions are raw outputs: numbers or logits.
"""

import copy
import dataclasses

import numpy as np
from scipy.sparse import issparse
from sklearn import neural_network as sklearn_networks
from sklearn.base import clone
from sklearn.preprocessing import LabelBinarizer

from sklearn_hypergrad import neural_network
from sklearn_hypergrad.adapters.base import (
    Family,
    Hyperparameter,
    ProbabilisticFamily,
    RegressorFamily,
    family,
    labels_of,
)
from sklearn_hypergrad.adapters.model import TrainedModel
from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.neural_network.parameters import hidden_sizes
from sklearn_hypergrad.neural_network.replay import refusal, replay
from sklearn_hypergrad.neural_network.targets import Targets
from sklearn_hypergrad.neural_network.training import network_training
from sklearn_hypergrad.problems import NetworkPredictions
from sklearn_hypergrad.problems.outer.held_out import held_out_rows
from sklearn_hypergrad.training import OF_TRAINING, SCHEDULES

# Where a search starts if the estimator's own value is zero: the default alpha of scikit-learn's
# MLPClassifier, and initial weights as they are drawn.
ALPHA = Hyperparameter(1, per=(*SCHEDULES, "coefficient"), start=1e-4)
RATE, MOMENTUM = OF_TRAINING["learning_rate_init"], OF_TRAINING["momentum"]
SCALE = Hyperparameter(0, per=("layer",), start=1.0)


class NetworkModel(TrainedModel):
    """A network that is trained on the training part of one split."""

    moving = False

    def with_moving_rows(self):
        moved = copy.copy(self)
        moved.moving = True
        return moved

    # The rows of the training part enter its training as the hyperparameter "X".
    def fit(self, h, start, tol, **options):
        if self.moving:
            X = self.problem.problem.inputs({}, slice(None))
            h = {**h, "X": X.toarray() if issparse(X) else X}
        return super().fit(h, start, tol, **options)

    def x_vjp(self, h, fitted, g):
        moved = self.with_moving_rows()
        of_rows = (fitted if self.moving else moved.fit(h, None, 0.0)).pullback(g).gradient["X"]
        pulled = np.zeros(self.data.X.shape)
        np.add.at(pulled, self._trained_rows(len(of_rows)), of_rows)
        np.add.at(pulled, held_out_rows(self.data)[0], self.predictions.x_vjp(fitted.w, g))
        return pulled

    def _trained_rows(self, n_rows):
        """Rows of the data that the training has: all, or those of positive weight."""
        (train,), (weight,) = self.data.trains, self.data.weights
        n_samples = self.data.X.shape[0]
        return np.arange(n_samples) if n_rows == n_samples else train[weight > 0]


class MultilabelModel(NetworkModel):
    """A network for samples with several labels each; the losses of labels are independent."""

    def held_out(self, validation_loss):
        if validation_loss.balanced:
            raise ValueError(f"{validation_loss.name} balances classes, and y has several labels")
        return super().held_out(dataclasses.replace(validation_loss, pointwise_multi=None))


class NetworkFamily(Family):
    """Networks of ``neural_network``, trained by SGD with momentum for a given number of steps."""

    hyperparameters = {
        "alpha": ALPHA,
        "learning_rate_init": RATE,
        "momentum": MOMENTUM,
        "init_scale": SCALE,
    }

    one_split = trained = differentiates_rows = True

    def shape(self, estimator, name, per, data):
        shapes = _layer_shapes(estimator, data)
        n_coefficients = sum(n_in * n_out for n_in, n_out in shapes)
        lengths = {"step": getattr(estimator, "n_steps", None), "layer": len(shapes)}
        lengths |= {"coefficient": n_coefficients} if name == "alpha" else {}
        if per is None:
            return (), ()
        axes = (per,) if isinstance(per, str) else per
        shape = tuple(lengths[axis] for axis in axes)
        labels = labels_of(shape)
        if per == "coefficient":
            labels = [(layer, *at) for layer, of in enumerate(shapes) for at in np.ndindex(*of)]
        # Initial scales have no steps: their only axis is that of layers.
        scheduled = name != "init_scale"
        others = [length for axis, length in lengths.items() if axis != per and scheduled]
        return _unmistakable(shape, per, others), tuple(labels)

    def model(self, estimator, data, entries, seed):
        (train,), (weight,) = data.trains, data.weights
        training = self.training(estimator, data, train, weight, seed)
        return NetworkModel(training, NetworkPredictions(training.problem.network, data), data)

    def targets(self, data):
        """The Targets of training: coded y and the loss."""
        return Targets(data.y, self.loss(data))

    def training(self, estimator, data, rows, weight, seed):
        """The Training on some rows, as the estimator's ``fit`` does it.

        Parameters
        ----------
        estimator : estimator
        data : SplitData
        rows : ndarray of int
            The rows to train on.
        weight : ndarray of shape (n_rows,)
        seed : int
            Used if the estimator has no ``random_state``.

        Returns
        -------
        Training
        """
        return network_training(estimator, data.X, self.targets(data), weight, seed, rows)

    def install(self, estimator, model, fitted, h):
        own, network = clone(estimator), model.problem.problem.network
        layers = network.layers(fitted.w.astype(network.dtype, copy=False))
        own.coefs_, own.intercepts_ = [W for W, _ in layers], [b for _, b in layers]
        own.n_layers_, own.n_outputs_ = len(layers) + 1, model.data.y.shape[1]
        own.out_activation_ = self.targets(model.data).out_activation
        own.n_features_in_ = model.data.X.shape[1]
        return [own]


class NetworkRegressorFamily(RegressorFamily, NetworkFamily):
    """MLPRegressor of ``neural_network``: half the squared error."""

    estimator_class = neural_network.MLPRegressor
    minimises = "squared_error"

    def loss(self, data):
        """The training loss."""
        return HalfSquaredError()


class NetworkClassifierFamily(ProbabilisticFamily, NetworkFamily):
    """MLPClassifier of ``neural_network``: log loss of classes, or of several labels per sample."""

    estimator_class = neural_network.MLPClassifier
    minimises = "log_loss"
    multilabel = True

    def loss(self, data):
        """The training loss."""
        is_multiclass = data.y.shape[1] > 1 and not _is_multilabel(data)
        return MultinomialLoss() if is_multiclass else LogisticLoss()

    def model(self, estimator, data, entries, seed):
        model = super().model(estimator, data, entries, seed)
        return (
            MultilabelModel(model.problem, model.predictions, data)
            if _is_multilabel(data)
            else model
        )

    def install(self, estimator, model, fitted, h):
        (own,) = super().install(estimator, model, fitted, h)
        own._label_binarizer = LabelBinarizer().fit(model.data.labels)
        own.classes_ = own._label_binarizer.classes_
        return [own]


class ReplayedFamily(NetworkFamily):
    """Networks of scikit-learn, trained with the batches and updates of their own fits."""

    # The start of the learning rate is the default of scikit-learn's networks.
    hyperparameters = {
        "alpha": dataclasses.replace(ALPHA, per=()),
        "learning_rate_init": dataclasses.replace(RATE, per=(), start=1e-3),
        "momentum": dataclasses.replace(MOMENTUM, per=()),
    }
    conditions = (
        "``solver='sgd'``, or ``'adam'`` without ``momentum``; not with ``early_stopping=True`` or "
        "``warm_start=True``"
    )
    enumerated = {
        **dict.fromkeys(("beta_1", "beta_2", "epsilon"), "is a constant in the updates of Adam"),
        "power_t": "is a constant in the schedule learning_rate='invscaling'",
    }

    def configuration_obstacle(self, estimator):
        reason = refusal(estimator)
        return None if reason is None else reason.removesuffix(".")

    def unused(self, estimator, name):
        if name != "momentum" or estimator.solver == "sgd":
            return None
        return f"{type(estimator).__name__} has no momentum with solver={estimator.solver!r}"

    def training(self, estimator, data, rows, weight, seed):
        hidden_sizes(estimator.hidden_layer_sizes)
        X, y, multilabel = data.X[rows], data.y[rows], _is_multilabel(data)
        return replay(estimator, X, y, weight, seed, multilabel=multilabel)


class ReplayedRegressorFamily(ReplayedFamily, NetworkRegressorFamily):
    """MLPRegressor of scikit-learn: half the squared error."""

    vector_class = neural_network.MLPRegressor
    estimator_class = sklearn_networks.MLPRegressor


class ReplayedClassifierFamily(ReplayedFamily, NetworkClassifierFamily):
    """MLPClassifier of scikit-learn: log loss."""

    vector_class = neural_network.MLPClassifier
    estimator_class = sklearn_networks.MLPClassifier


def _layer_shapes(estimator, data):
    hidden = hidden_sizes(estimator.hidden_layer_sizes)
    sizes = [data.X.shape[1], *hidden, data.y.shape[1]]
    return list(zip(sizes[:-1], sizes[1:], strict=True))


def _is_multilabel(data):
    return np.ndim(data.labels) == 2


def _unmistakable(shape, per, others):
    """A shape of one axis with a second axis, if its length could be that of another axis."""
    if len(shape) != 1 or shape[0] not in others:
        return shape
    return (*shape, 1) if per == "step" else (1, *shape)


@family.register
def _(estimator: neural_network.MLPClassifier):
    return NetworkClassifierFamily()


@family.register
def _(estimator: neural_network.MLPRegressor):
    return NetworkRegressorFamily()


@family.register
def _(estimator: sklearn_networks.MLPClassifier):
    return ReplayedClassifierFamily()


@family.register
def _(estimator: sklearn_networks.MLPRegressor):
    return ReplayedRegressorFamily()
