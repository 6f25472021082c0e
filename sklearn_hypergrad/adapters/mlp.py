"""Networks: those of this package, and those of scikit-learn, whose training is replayed."""

import dataclasses

import numpy as np
from scipy.sparse import issparse
from sklearn import neural_network as sklearn_networks
from sklearn.base import clone
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import type_of_target

from sklearn_hypergrad import neural_network
from sklearn_hypergrad.adapters.base import (
    Family,
    Hyperparameter,
    ProbabilisticFamily,
    RegressorFamily,
    family,
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

ALPHA = Hyperparameter(1, per=(*SCHEDULES, "coefficient"), start=1e-4)
RATE, MOMENTUM = OF_TRAINING["learning_rate_init"], OF_TRAINING["momentum"]
SCALE = Hyperparameter(0, per=("layer",), start=1.0)


class NetworkModel(TrainedModel):
    """A network that is trained on the training part of one split."""

    # The rows of the training part are hyperparameters of its training, called "X".
    def x_vjp(self, h, fitted, g):
        X = self.problem.problem.inputs({}, slice(None))
        X = X.toarray() if issparse(X) else X
        trained = self.method.fit(self.problem, {**h, "X": X}, None, 0.0)
        grad_w, _ = self.predictions(trained.w, h)[1](g)
        pulled = np.zeros(self.data.X.shape)
        np.add.at(pulled, self._trained_rows(len(X)), trained.pull(grad_w).gradient["X"])
        np.add.at(pulled, held_out_rows(self.data)[0], self.predictions.x_vjp(trained.w, g))
        return pulled

    def _trained_rows(self, n_rows):
        """Rows of the data that the training has: all, or those of positive weight."""
        (train,), (weight,) = self.data.trains, self.data.weights
        n_samples = self.data.X.shape[0]
        return np.arange(n_samples) if n_rows == n_samples else train[weight > 0]


class MultilabelModel(NetworkModel):
    """A network for samples that may have several labels, whose losses are not coupled."""

    def held_out(self, validation_loss):
        if validation_loss.balanced:
            raise ValueError(f"{validation_loss.name} balances classes, and y has several labels")
        return super().held_out(dataclasses.replace(validation_loss, pointwise_multi=None))


class NetworkFamily(Family):
    """Networks trained by momentum SGD for a number of steps."""

    hyperparameters = {
        "alpha": ALPHA,
        "learning_rate_init": RATE,
        "momentum": MOMENTUM,
        "init_scale": SCALE,
    }

    one_split = trained = True

    def shape(self, estimator, name, per, data):
        shapes = _layer_shapes(estimator, data)
        n_coefficients = sum(n_in * n_out for n_in, n_out in shapes)
        lengths = {"step": getattr(estimator, "n_steps", None), "layer": len(shapes)}
        lengths |= {"coefficient": n_coefficients} if name == "alpha" else {}
        if per is None:
            return (), ()
        axes = (per,) if isinstance(per, str) else per
        shape = tuple(lengths[axis] for axis in axes)
        labels = list(np.ndindex(*shape)) if len(shape) > 1 else range(*shape)
        if per == "coefficient":
            labels = [(layer, *at) for layer, of in enumerate(shapes) for at in np.ndindex(*of)]
        # Initial scales are no schedule: their one axis can only be that of layers.
        scheduled = name != "init_scale"
        others = [length for axis, length in lengths.items() if axis != per and scheduled]
        return _unmistakable(shape, per, others), tuple(labels)

    def model(self, estimator, data, entries, seed):
        (train,), (weight,) = data.trains, data.weights
        training = self.training(estimator, data, train, weight, seed)
        return NetworkModel(training, NetworkPredictions(training.problem.network, data), data)

    def targets(self, data):
        """What the network is trained for."""
        return Targets(data.y, self.loss(data))

    def training(self, estimator, data, rows, weight, seed):
        """The Training on some rows of a data, as the estimator's ``fit`` does it."""
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
    """For numbers."""

    estimator_class = neural_network.MLPRegressor

    def loss(self, data):
        """The training loss."""
        return HalfSquaredError()


class NetworkClassifierFamily(ProbabilisticFamily, NetworkFamily):
    """For classes, and for labels of which a sample may have several."""

    estimator_class = neural_network.MLPClassifier

    def labels(self, y):
        is_multilabel = type_of_target(y) == "multilabel-indicator"
        if not is_multilabel:
            return super().labels(y)
        return y.toarray() if issparse(y) else np.asarray(y)

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
    """Networks of scikit-learn, with the batches and updates of their own fits."""

    hyperparameters = {
        "alpha": dataclasses.replace(ALPHA, per=()),
        "learning_rate_init": dataclasses.replace(RATE, per=(), start=1e-3),
        "momentum": dataclasses.replace(MOMENTUM, per=()),
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
    """MLPRegressor of scikit-learn."""

    vector_class = neural_network.MLPRegressor
    estimator_class = sklearn_networks.MLPRegressor


class ReplayedClassifierFamily(ReplayedFamily, NetworkClassifierFamily):
    """MLPClassifier of scikit-learn."""

    vector_class = neural_network.MLPClassifier
    estimator_class = sklearn_networks.MLPClassifier


def _layer_shapes(estimator, data):
    hidden = hidden_sizes(estimator.hidden_layer_sizes)
    sizes = [data.X.shape[1], *hidden, data.y.shape[1]]
    return list(zip(sizes[:-1], sizes[1:], strict=True))


def _is_multilabel(data):
    return np.ndim(data.labels) == 2


def _unmistakable(shape, per, others):
    """A shape of one axis with a second one, if its length may also mean something else."""
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
