"""Models of one's own, whose derivatives come from autograd."""

import autograd.numpy as anp
import numpy as np
import scipy.sparse
from sklearn.base import clone
from sklearn.preprocessing import LabelBinarizer

from sklearn_hypergrad.adapters.base import (
    JointFamily,
    ProbabilisticFamily,
    RegressorFamily,
    Term,
    family,
)
from sklearn_hypergrad.differentiable import DifferentiableClassifier, DifferentiableRegressor
from sklearn_hypergrad.problems import HeldOutLoss
from sklearn_hypergrad.problems.autograd.derivatives import Derivatives
from sklearn_hypergrad.problems.autograd.nested import Nested


class ForwardLoss:
    """The validation loss of one split as a function of the weights of a model of one's own.

    Parameters
    ----------
    forward : callable
        ``forward(w, X, h)`` in autograd.numpy.
    structure : Nested
        Of the weights that it takes.
    block : SplitData
        Of one split.
    validation_loss : ValidationLoss
    """

    def __init__(self, forward, structure, block, validation_loss):
        self._forward, self._structure = forward, structure
        self._held_out = HeldOutLoss(block, validation_loss)
        self._X = block.X[self._held_out.rows]

    def __call__(self, w, h):
        """Value of shape (1,), its gradient in ``w``, and directly in ``h``."""
        z = self._forward(self._structure.unflatten(w), self._X, h)
        values, gradient = self._held_out(z.reshape(len(self._X), -1))
        gradient = gradient.reshape(z.shape)

        def product(w, h):
            return anp.sum(gradient * self._forward(w, self._X, h))

        return values, *Derivatives(product, self._structure).gradients(w, h)[1:]


class DifferentiableFamily(JointFamily):
    """Estimators that minimise the objective of a model of one's own.

    Parameters
    ----------
    model : DifferentiableModel
        With the parameters of the estimator.
    estimator_class : type
        Whose methods are known.
    """

    def __init__(self, model, estimator_class):
        self._model = model
        self.estimator_class = estimator_class
        self.hyperparameters = model.tunable()
        self.trained = model.dynamics is not None

    def configuration_obstacle(self, estimator):
        return None

    def training_weight(self, estimator, labels, weight):
        return weight

    def shape(self, estimator, name, per, block):
        X, _, w = self._begun(block)
        shape = tuple(self._model.hyperparameter_shape(name, per, X, w))
        labels = range(*shape) if len(shape) == 1 else np.ndindex(*shape)
        return shape, tuple(labels) if shape else ()

    def term(self, estimator, block, validation_loss, seed):
        if scipy.sparse.issparse(block.X):
            raise TypeError("Features are sparse, and autograd has dense arrays only.")
        (train,), (weight,) = block.trains, block.weights
        X, y = block.X.astype(float, copy=False), _targets(block.y)
        problem = self._model.problem(X[train], y[train], weight, seed)
        values, structure = self._model.hyperparameter_values(), self._trained(problem).structure

        def forward(w, X, h):
            return self._model.forward(w, X, values | h)

        return Term(problem, ForwardLoss(forward, structure, block, validation_loss), block)

    def install(self, estimator, w, term, h):
        fitted = clone(self._model)
        fitted.weights_ = self._trained(term.problem).structure.unflatten(w)
        fitted.hyperparameters_ = self._model.hyperparameter_values() | h
        fitted.n_features_in_ = term.block.X.shape[1]
        return fitted

    def check(self, estimator, name, block):
        # The hypergradient would be zero, and the search would end where it starts.
        model = self._model
        of_training = () if model.dynamics is None else (*model.dynamics.names, "init_scale")
        if name in of_training or hasattr(model, "cross_vjp"):
            return
        X, y, w = self._begun(block)
        rows = slice(model.batch_size if self.trained else None)
        X, y = X[rows].astype(float, copy=False), y[rows]
        values, structure = model.hyperparameter_values(), Nested(w)

        def objective(w, h):
            return model.objective(w, values | h, X, y, np.ones(len(X)))

        try:
            with np.errstate(all="ignore"):
                derivatives = Derivatives(objective, structure)
                *_, slopes = derivatives.gradients(structure.flatten(w), {name: values[name]})
        except Exception:
            # What cannot be evaluated is reported where the search starts.
            return
        if name not in slopes:
            raise ValueError(
                f"Cannot tune {name!r}: neither forward nor loss nor penalty of "
                f"{type(model).__name__} depends on h[{name!r}], so its hypergradient would be "
                f"zero. Read it from h, not from self.{name}; or leave it out of param_grid."
            )

    def _begun(self, block):
        """The training part of a block, and weights to begin with."""
        (train,) = block.trains
        X, y = block.X[train], _targets(block.y[train])
        return X, y, self._model.initial(X, y, np.random.default_rng(0))

    def _trained(self, problem):
        return problem.problem if self.trained else problem


class DifferentiableRegressorFamily(RegressorFamily, DifferentiableFamily):
    """For numbers."""


class DifferentiableClassifierFamily(ProbabilisticFamily, DifferentiableFamily):
    """For classes."""

    def install(self, estimator, w, term, h):
        fitted = super().install(estimator, w, term, h)
        fitted.classes_ = LabelBinarizer().fit(term.block.labels).classes_
        return fitted


def family_like(model, estimator_class):
    """The family of estimators that minimise the objective of a model.

    Register a class that somebody else has written by saying which objective it minimises ::

        @family.register
        def _(estimator: TheirClass):
            return family_like(MyModel(estimator.alpha), TheirClass)

    Hyperparameters are found with the model, and then set in clones of the estimator, which are
    fitted and judged.

    Parameters
    ----------
    model : DifferentiableRegressor or DifferentiableClassifier
        With the same objective and predictions, and the parameters of the estimator. What can be
        tuned has the same name in both.
    estimator_class : type
        The class. A subclass that overrides its methods is another model.
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
    """As the model sees them: one column as a vector."""
    return y[:, 0] if y.shape[1] == 1 else y
