"""The contract of families: what the search has to know about a class of estimators."""

import abc
import dataclasses
import functools
import inspect
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_array, column_or_1d

from sklearn_hypergrad.problems import VALIDATION_LOSSES, losses_of, to_row_space
from sklearn_hypergrad.spaces import Hyperparameter

# What penalties of linear models with arrays can have one value per.
VECTORS = ("feature", "group", "coefficient", "transformer")


class Family(abc.ABC):
    """Estimators that are tuned in the same way.

    A family is one file of ``adapters``: the class, its hyperparameters, why a configuration is an
    obstacle, the model of some data, and how an estimator is fitted with a solution.

    Attributes
    ----------
    estimator_class : type
        The class whose ``fit`` minimises the documented objective. A subclass that overrides one of
        ``methods`` is another model.
    vector_class : type or None
        The class to use for one value per feature, where this one has none.
    hyperparameters : dict of str -> Hyperparameter
        What can be tuned, by the names of constructor parameters.
    takes : {"numbers", "probabilities", "codes"}
        What its models predict; the validation losses that take such predictions apply.
    largest_matrix : int
        Side of the largest matrix that its models form for a split.
    knows_scales : bool
        Whether its models take the ``scales`` of data into account; else data have none.
    one_split : bool
        Whether each model has the data of one split; else as many splits as share their X.
    trained : bool
        Whether its models are trained step by step, and not solved.
    stratified : bool
        Whether half splits are to have the same shares of all labels.
    """

    estimator_class: type
    hyperparameters: dict[str, Hyperparameter]
    takes: str
    vector_class: type | None = None
    largest_matrix: int = 0
    knows_scales = False
    one_split = False
    trained = False
    stratified = False
    methods = ("fit", "predict", "decision_function", "predict_proba")

    @property
    def losses(self):
        """Names of the validation losses that its predictions allow."""
        return frozenset(loss.name for loss in losses_of(self.takes))

    def obstacle(self, estimator):
        """Why this configuration cannot be differentiated, or None."""
        for method in self.methods:
            # Methods that exist under conditions are new objects at every ordinary look.
            own = inspect.getattr_static(type(estimator), method, None)
            if own is not inspect.getattr_static(self.estimator_class, method, None):
                return (
                    f"{type(estimator).__name__} overrides {self.estimator_class.__name__}.{method}"
                )
        return self.configuration_obstacle(estimator)

    def configuration_obstacle(self, estimator):
        """Why these parameters make it another problem, or None."""
        return None

    def unused(self, estimator, name):
        """Why a hyperparameter of this configuration does nothing, or None."""
        return None

    def own_value(self, estimator, name, data):
        """The estimator's own value: a number also where it has a word or None for it."""
        return getattr(estimator, name)

    def score_loss(self, estimator):
        """The validation loss that equals ``estimator.score``, or None."""
        standard = type(estimator).score is RegressorMixin.score
        return VALIDATION_LOSSES["r2"] if standard else None

    def check(self, estimator, name, data):  # noqa: B027
        """Raise ValueError if the objective does not depend on a hyperparameter; by default none.

        ``data`` are those of a split.
        """

    def labels(self, y):
        """The targets as the estimator sees them."""
        return np.asarray(y)

    @abc.abstractmethod
    def encode(self, labels):
        """Targets as floats of shape (n_samples, n_outputs)."""

    def training_weight(self, estimator, labels, weight):
        """Weights of the training loss from the user's ``weight`` and the labels of one part."""
        return weight

    def check_parts(self, labels, trains):  # noqa: B027
        """Raise ValueError if a training part makes no such problem; by default all do."""

    def vector_shape(self, per, n_features, n_outputs):
        """Shape of the estimator's parameter with one value per "feature" or "coefficient"."""
        raise ValueError(f"{self.estimator_class.__name__} has no such parameter")

    def shape(self, estimator, name, per, data):
        """``(shape, labels)`` of a hyperparameter that is searched from the estimator's own value.

        ``labels`` has a name for every entry; () for one value.
        """
        return (), ()

    @abc.abstractmethod
    def model(self, estimator, data, entries, seed):
        """The Model of some data.

        Parameters
        ----------
        estimator : estimator
            With the hyperparameters that are not tuned.
        data : SplitData
        entries : dict of str -> ndarray or None
            The hyperparameters that are tuned. For a vector, which entry belongs to which
            coefficient, as :class:`~sklearn_hypergrad.problems.L2Penalty` takes it; None for one
            value.
        seed : int
            For what a fit draws; an estimator that has a seed of its own uses that.

        Returns
        -------
        Model

        Raises
        ------
        TypeError, ValueError
            If the data make no such problem.
        """

    def left_out_model(self, estimator, data, entries):
        """The Model that is judged by leave-one-out in closed form, of data with one split."""
        raise ValueError(
            f"search_cv='loo' needs the closed form of ridge regression, which "
            f"{self.estimator_class.__name__} does not have"
        )

    def install(self, estimator, model, fitted, h):
        """Copies of ``estimator`` with the hyperparameters ``h``, fitted with this solution.

        Returns
        -------
        list of estimators, one per split of the model's data; None where only a real fit can tell.
        """
        return None


@functools.singledispatch
def family(estimator) -> Any:
    """The family of an estimator, or None. Register your own with ``@family.register``."""
    return None


def narrowed(data, *, center, most):
    """The data in the row space of their X where that is smaller than X and than ``most``.

    Sparse X stay as they are if they have fewer entries than their dense compression.
    """
    n_samples, n_features = data.X.shape
    if n_features <= n_samples or n_samples > most or data.scales is not None:
        return data
    if issparse(data.X) and data.X.nnz < n_samples**2:
        return data
    return dataclasses.replace(data, X=to_row_space(data.X, center=center))


class LinearFamily(Family):
    """Families of linear models, whose estimators are fitted once they have coefficients."""

    def install(self, estimator, model, fitted, h):
        coefficients = model.problem.coefficients(fitted.w)
        return [
            self.with_coefficients(estimator, coef, intercept, model.data.labels)
            for coef, intercept in zip(*coefficients, strict=True)
        ]

    @abc.abstractmethod
    def with_coefficients(self, estimator, coef, intercept, labels):
        """A fitted copy of ``estimator``.

        Parameters
        ----------
        estimator : estimator
        coef : ndarray of shape (n_outputs, n_features)
        intercept : ndarray of shape (n_outputs,)
        labels : ndarray
            Targets of all rows, as the user gave them.
        """


class RegressorFamily(Family):
    """Families whose targets are numbers, in one column or several."""

    takes = "numbers"

    def encode(self, labels):
        y = check_array(labels, ensure_2d=False, dtype=np.float64)
        return y.reshape(len(y), -1)


class ClassifierFamily(Family):
    """Families whose targets are one column of class labels, all of them in every training part."""

    stratified = True

    def labels(self, y):
        return np.ravel(y) if np.ndim(y) == 2 and np.shape(y)[1] == 1 else column_or_1d(y)

    def check_parts(self, labels, trains):
        classes = np.unique(labels)
        for split, train in enumerate(trains):
            missing = np.setdiff1d(classes, labels[train])
            if missing.size:
                raise ValueError(
                    f"class {missing[0]} is missing from the training part of split {split}"
                )


class ProbabilisticFamily(ClassifierFamily):
    """Families of classifiers with probabilities."""

    takes = "probabilities"

    def encode(self, labels):
        return LabelBinarizer().fit_transform(labels).astype(float)
