"""What the search has to know of a family of estimators."""

import abc
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_array, column_or_1d

from sklearn_hypergrad.problems import InnerProblem, SplitData, to_row_space
from sklearn_hypergrad.spaces import Hyperparameter

# What penalties of linear models with arrays can have one value per.
VECTORS = ("feature", "group", "coefficient", "transformer")


@dataclasses.dataclass(frozen=True)
class Term:
    """An inner problem with its outer objective: what one block adds to the search's objective."""

    problem: InnerProblem
    outer: Callable
    block: SplitData


class Family(abc.ABC):
    """Estimators that are tuned in the same way.

    Attributes
    ----------
    estimator_class : type
        The class whose ``fit`` minimises the documented objective. A subclass that overrides one of
        ``methods`` is another model.
    hyperparameters : dict of str -> Hyperparameter
    losses : frozenset of str
        Names of the validation losses its predictions allow.
    surrogates : tuple of two str
        What is descended when the asked score has no gradient: for plain and for balanced scores.
    largest_matrix : int
        Side of the largest matrix that the inner problem forms for a split.
    knows_scales : bool
        Whether its terms take the ``scales`` of a block into account; else blocks have none.
    joint : bool
        Whether all ranges of a grid are searched together, from the estimator's own values.
    trained : bool
        Whether its estimators are trained step by step, and not solved.
    """

    estimator_class: type
    hyperparameters: dict[str, Hyperparameter]
    losses: frozenset[str]
    surrogates: tuple[str, str]
    largest_matrix: int = 0
    knows_scales = False
    joint = False
    trained = False
    # The class to use for one value per feature, where this one has none.
    vector_class: type | None = None
    methods = ("fit", "predict", "decision_function", "predict_proba")

    def obstacle(self, estimator):
        """Why this configuration cannot be differentiated, or None."""
        for method in self.methods:
            own = getattr(type(estimator), method, None)
            if own is not getattr(self.estimator_class, method, None):
                return (
                    f"{type(estimator).__name__} overrides {self.estimator_class.__name__}.{method}"
                )
        return self.configuration_obstacle(estimator)

    @abc.abstractmethod
    def configuration_obstacle(self, estimator):
        """Why these parameters make it another problem, or None."""

    def unused(self, estimator, name):
        """Why a hyperparameter of this configuration does nothing, or None."""
        return None

    def labels(self, y):
        """The targets as the estimator sees them."""
        return np.asarray(y)

    @abc.abstractmethod
    def encode(self, labels):
        """Targets as floats of shape (n_samples, n_outputs)."""

    @abc.abstractmethod
    def training_weight(self, estimator, labels, weight):
        """Weights of the training loss from the user's ``weight`` and the labels of one part."""

    def check_parts(self, labels, trains):  # noqa: B027
        """Raise ValueError if a training part makes no such problem; by default all do."""


class SolvedFamily(Family):
    """Estimators whose ``fit`` minimises an objective, which an inner problem states."""

    def vector_shape(self, per, n_features, n_outputs):
        """Shape of the estimator's parameter with one value per "feature" or "coefficient"."""
        raise ValueError(f"{self.estimator_class.__name__} has no such parameter")

    @abc.abstractmethod
    def term(self, estimator, name, block, validation_loss, entries=None):
        """The block's Term for the hyperparameter ``name`` of ``estimator``.

        ``entries`` is as for :class:`~sklearn_hypergrad.problems.L2Penalty`; only families whose
        hyperparameter may be a vector get one.
        """

    def left_out_term(self, estimator, name, block, entries=None):
        """The Term of the leave-one-out loss of a block that trains on all rows."""
        raise ValueError(
            f"search_cv='loo' needs the closed form of ridge regression, which "
            f"{self.estimator_class.__name__} does not have"
        )

    @abc.abstractmethod
    def install(self, estimator, coef, intercept, labels):
        """A copy of ``estimator`` fitted with these coefficients."""


class JointFamily(Family):
    """Estimators of which all hyperparameters can be searched together."""

    joint = True

    def check(self, estimator, name, block):  # noqa: B027
        """Raise ValueError if the objective does not depend on a hyperparameter; by default none.

        ``block`` is that of a split.
        """

    @abc.abstractmethod
    def shape(self, estimator, name, per, block):
        """``(shape, labels)`` of a hyperparameter with one value per ``per``."""

    @abc.abstractmethod
    def term(self, estimator, block, validation_loss, seed):
        """The Term of a block of one split; its problem is a Training where the family is trained.

        ``seed`` is for what the fit draws; an estimator that has a seed of its own uses that.
        """

    @abc.abstractmethod
    def install(self, estimator, w, term, h):
        """A copy of ``estimator`` with the hyperparameters ``h``, fitted: ``w`` are its weights."""


class TrainedFamily(JointFamily):
    """Estimators whose ``fit`` is a training run."""

    trained = True


@functools.singledispatch
def family(estimator) -> Any:
    """The family of an estimator, or None. Register your own with ``@family.register``."""
    return None


def narrowed(block, *, center, most):
    """The block in the row space of its X where that is smaller than X and than ``most``.

    Sparse X stay as they are if they have fewer entries than their dense compression.
    """
    n_samples, n_features = block.X.shape
    if n_features <= n_samples or n_samples > most or block.scales is not None:
        return block
    if issparse(block.X) and block.X.nnz < n_samples**2:
        return block
    return dataclasses.replace(block, X=to_row_space(block.X, center=center))


class RegressorFamily(Family):
    """Families whose targets are numbers, in one column or several."""

    losses = frozenset(
        {
            "squared_error",
            "root_squared_error",
            "r2",
            "absolute_error",
            "poisson_deviance",
            "gamma_deviance",
        }
    )
    surrogates = ("squared_error", "squared_error")

    def encode(self, labels):
        y = check_array(labels, ensure_2d=False, dtype=np.float64)
        return y.reshape(len(y), -1)


class ClassifierFamily(Family):
    """Families whose targets are one column of class labels, all of them in every training part."""

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

    losses = frozenset({"log_loss", "balanced_log_loss", "brier_score"})
    surrogates = ("log_loss", "balanced_log_loss")

    def encode(self, labels):
        return LabelBinarizer().fit_transform(labels).astype(float)
