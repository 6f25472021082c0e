"""The training of scikit-learn's own networks, step by step, as a run that is differentiable."""

import copy

import numpy as np
from sklearn.base import is_classifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import check_random_state, gen_batches, shuffle

from sklearn_hypergrad.losses import HalfSquaredError, LogisticLoss, MultinomialLoss
from sklearn_hypergrad.neural_network.replay_training import Course, ReplayedTraining
from sklearn_hypergrad.problems import Network, NetworkProblem, glorot
from sklearn_hypergrad.training import Adam, Listed, Momentum, Nesterov

# By parameter and value.
REFUSED = {
    ("solver", "lbfgs"): "its steps cannot be differentiated. Use solver='sgd' or 'adam'",
    ("early_stopping", True): (
        "the weights it returns are chosen by a validation score. Use early_stopping=False"
    ),
    ("warm_start", True): "training would go on from an earlier fit. Use warm_start=False",
    ("loss", "poisson"): "this loss is not implemented. Use loss='squared_error'",
}


def refusal(model):
    """Why the training of a model cannot be replayed, or None.

    Parameters
    ----------
    model : estimator

    Returns
    -------
    str or None
    """
    if type(model) not in (MLPClassifier, MLPRegressor):
        return f"{type(model).__name__} is neither MLPClassifier nor MLPRegressor of scikit-learn."
    for (name, value), reason in REFUSED.items():
        if getattr(model, name, None) == value:
            return f"{name}={value!r} cannot be replayed: {reason}."
    return None


def replay(model, X, y, sample_weight=None, random_state=None, *, multilabel=False):
    """The training of a network of scikit-learn, with its hyperparameters still open.

    With the model's own hyperparameters, ``replay(...).run({}).final().w`` are the weights that
    ``model.fit`` finds. "alpha", "learning_rate_init" and, by the solver, "momentum" or "beta_1"
    and "beta_2" may be given to ``run`` instead; all else is the model's.

    Sums are rounded in another order than in scikit-learn. That is 1e-14 of the weights, or 1e-5
    where X and with it the weights are float32, unless the training itself magnifies small
    differences, as it does at rates at which the loss jumps.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
        One that :func:`refusal` has nothing against.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    y : ndarray of shape (n_samples, n_outputs)
        Floats: targets; one column of 0 and 1 for two classes, one-hot for more.
    sample_weight : ndarray of shape (n_samples,), default=None
    random_state : int or RandomState, default=None
        In the place of the model's. A RandomState is left as it is, and None is NumPy's own.
    multilabel : bool, default=False
        Whether columns of 0 and 1 are labels that do not exclude each other.

    Returns
    -------
    ReplayedTraining
    """
    n_samples = X.shape[0]
    # Weights are drawn first, then epoch after epoch.
    random_state = copy.deepcopy(check_random_state(random_state))
    network = _network(model, X, y, multilabel)
    start = glorot(network, random_state)
    slices = list(gen_batches(n_samples, _batch_size(model, n_samples)))
    course = _course(model, slices)
    return ReplayedTraining(
        problem=NetworkProblem(network, X, y, sample_weight, start=start),
        dynamics=_dynamics(model),
        batches=Shuffled(n_samples, slices, random_state) if model.shuffle else Listed(slices),
        n_steps=course.max_epochs * len(slices),
        settings={name: getattr(model, name) for name in ("alpha", *_dynamics(model).names)},
        course=course,
        sample_weight=np.ones(n_samples) if sample_weight is None else sample_weight,
    )


def _network(model, X, y, multilabel):
    layer_sizes = (X.shape[1], *np.ravel(model.hidden_layer_sizes), y.shape[1])
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    return Network(layer_sizes, model.activation, _loss(model, y, multilabel), dtype)


def _loss(model, y, multilabel):
    if not is_classifier(model):
        return Reported(HalfSquaredError(), averaged)
    several = y.shape[1] > 1 and not multilabel
    return Reported(MultinomialLoss() if several else LogisticLoss(), clipped)


def _batch_size(model, n_samples):
    size = 200 if model.batch_size == "auto" else model.batch_size
    return min(size, n_samples)


def _course(model, slices):
    return Course(
        lengths=tuple(part.stop - part.start for part in slices),
        max_epochs=model.max_iter,
        tol=model.tol,
        patience=model.n_iter_no_change,
        schedule=model.learning_rate if model.solver == "sgd" else "constant",
        power_t=model.power_t,
    )


def _dynamics(model):
    if model.solver == "adam":
        return Adam(model.epsilon)
    return Nesterov() if model.nesterovs_momentum else Momentum()


class Shuffled:
    """Batches of which every epoch shuffles the order of the one before.

    All orders are kept, in small integers: each follows from the last and from what has been drawn.

    Parameters
    ----------
    n_samples : int
    slices : list of slice
        Batches of an epoch, as parts of its order.
    random_state : RandomState
        Drawn from as epochs are asked for, and by nobody else.
    """

    def __init__(self, n_samples, slices, random_state):
        self._slices, self._random_state = slices, random_state
        self._orders = [np.arange(n_samples, dtype=np.min_scalar_type(n_samples))]

    def rows(self, t):
        """Rows of the batch at step ``t``."""
        epoch, batch = divmod(t, len(self._slices))
        while len(self._orders) <= epoch + 1:
            self._orders.append(shuffle(self._orders[-1], random_state=self._random_state))
        return self._orders[epoch + 1][self._slices[batch]].astype(np.intp)


class Reported:
    """A loss whose value is what scikit-learn reports, and its derivatives those it descends.

    The one is not always the derivative of the other, but both decide where training leads: the
    value by when it ends.

    Parameters
    ----------
    loss : object
        As in :mod:`sklearn_hypergrad.losses`.
    report : callable
        From values to those reported.
    """

    def __init__(self, loss, report):
        self._loss, self._report = loss, report
        self.hvp = loss.hvp

    def evaluate(self, y, z):
        value, residual, factor = self._loss.evaluate(y, z)
        return self._report(value), residual, factor


def averaged(value):
    """The mean over outputs, where gradients are those of the sum."""
    return value.mean(axis=1, keepdims=True)


def clipped(value):
    """Minus the logarithm of a probability that is kept away from 0 and 1."""
    eps = np.finfo(value.dtype).eps
    return np.clip(value, -np.log1p(-eps), -np.log(eps))
