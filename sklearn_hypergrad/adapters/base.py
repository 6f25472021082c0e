"""The contract of families: what the search must know about a class of estimators.

A family describes estimators ``argmin_w training_loss(w) + penalty(w, h)``, or training runs, whose
hyperparameters ``h`` are tuned: their names and limits, obstacles, the Model of some data, and how
to make fitted estimators from solutions. ``family(estimator)`` returns the registered one.
"""

import abc
import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target

from sklearn_hypergrad._sklearn import checked_array, overridden
from sklearn_hypergrad.by_feature.gamma import (
    VECTOR_GAMMA,
    gamma_array,
    is_per_feature,
    of_kernel,
    unused_by_kernel,
)
from sklearn_hypergrad.problems import VALIDATION_LOSSES, losses_of, to_row_space
from sklearn_hypergrad.problems.linear.curvature import MAX_SIZE
from sklearn_hypergrad.problems.linear.row_space import from_row_space
from sklearn_hypergrad.problems.split_data import column_means, numbers_of
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.spaces.continuous import plain

# The values of ``per`` that penalties of linear models with arrays allow.
VECTORS = ("feature", "group", "column", "coefficient", "transformer")
# An ``l1_ratio``; a smaller one that is listed is fitted as it is.
L1_RATIO = Hyperparameter(scale="linear", limits=(1e-3, 1.0), closed=True)
# What rows of ``cv_results_`` are made from: see ``Family.rows_from``.
FITS, SOLUTIONS, WARM_FITS, EXACT = "fits", "solutions", "warm fits", "exact solutions"
# Rows up to which sparse wide data are always written in a basis of their row space; so are those
# whose features are few enough to be factorised. Measured: searches with 100 x 2,000 and 300 x
# 20,000 entries take 0.7 of the time then, one with 500 x 20,000 takes 1.7 times as long.
FEW_ROWS = 300
NO_EVIDENCE = (
    "search_cv='evidence' is for vectors of penalties of Ridge, whose evidence has a closed form, "
    "not for {}. Leave search_cv='auto', or give a number or a splitter."
)

NOT_STABLE = "it is for one penalty of Ridge, whose evidence has a closed form, not for {}"


class Family(abc.ABC):
    """Estimators that are tuned in the same way.

    A family is one file of ``adapters``: the class, its hyperparameters, the configurations that it
    refuses, the model of some data, and how an estimator is fitted with a solution.

    Attributes
    ----------
    estimator_class : type
        The class whose ``fit`` minimises the documented objective. A subclass that overrides one of
        ``methods`` is another model.
    vector_class : type or None
        The class that supports one value per feature, if this one does not; for messages.
    hyperparameters : dict of str -> Hyperparameter
        The hyperparameters that can be tuned, by the names of constructor parameters.
    takes : {"numbers", "probabilities", "codes", "margins"}
        The kind of predictions of its models; validation losses that take such predictions apply.
    largest_matrix : int
        Side of the largest matrix that its models form for a split; it limits how many splits one
        model has. The default 0 means none.
    knows_scales : bool
        Whether its models use the ``scales`` of data; if not, data are not shared up to scales.
    needs_offsets : bool
        Whether they also use the ``offsets``, which a penalised intercept does not absorb: data are
        shared where these are known.
    one_split : bool
        Whether each model has the data of one split; else as many splits as share their X.
    trained : bool
        Whether its models are trained step by step, and not solved.
    knows_dof : bool
        Whether ``effective_dof`` is known of fits with one penalty.
    nested : tuple of str
        Parameters that have parameters of their own which can be tuned: with "kernel", names of
        hyperparameters may begin with ``kernel__``.
    predicts_the_same : bool
        Whether validation losses see what its estimators predict. If not, none of them is the asked
        score.
    methods : tuple of str
        Methods of ``estimator_class`` that subclasses must not override.
    conditions : str
        For the table of the documentation, in its markup: which configurations are searched, or
        not. The default, nothing, means all of them.
    enumerated : dict of str -> str
        Other continuous parameters, and why they are enumerated: a predicate, of which the
        parameter is the subject.
    minimises : str or None
        Name of the validation loss whose mean over training samples fits minimise, next to
        penalties.
    differentiates_rows : bool
        Whether its models have ``x_vjp``, so that steps before them can be tuned.
    """

    estimator_class: type
    hyperparameters: dict[str, Hyperparameter]
    takes: str
    vector_class: type | None = None
    largest_matrix: int = 0
    knows_scales = needs_offsets = False
    one_split = False
    trained = knows_dof = False
    nested: tuple[str, ...] = ()
    predicts_the_same = True
    methods = ("fit", "predict", "decision_function", "predict_proba")
    conditions = ""
    enumerated: dict[str, str] = {}
    minimises: str | None = None
    differentiates_rows = False

    @property
    def losses(self):
        """Frozenset of the names of the validation losses that its predictions allow."""
        return frozenset(loss.name for loss in losses_of(self.takes))

    def obstacle(self, estimator, names=()):
        """Why this configuration cannot be differentiated, or None.

        Subclasses define ``configuration_obstacle``; this method also checks overridden methods.

        Parameters
        ----------
        estimator : estimator
        names : collection of str, default=()
            The hyperparameters that are tuned, for pipelines, whose steps these may belong to.

        Returns
        -------
        str or None
            A clause for "This is because ...", without a full stop.
        """
        changed = overridden(estimator, self.estimator_class, self.methods)
        return changed or self.configuration_obstacle(estimator)

    def configuration_obstacle(self, estimator):
        """Why these parameters define another problem, or None; a clause as for ``obstacle``."""
        return None

    def as_taken(self, X):
        """The rows as its models take them, by default a matrix of numbers, dense or CSR."""
        return numbers_of(X)

    def unused(self, estimator, name):
        """Why a hyperparameter has no effect in this configuration, or None."""
        return None

    def own_value(self, estimator, name, data):
        """The estimator's own value: a number also where it has a word or None for it."""
        return getattr(estimator, name)

    def has_intercept(self, estimator):
        """Whether constants that are added to features change no prediction."""
        return getattr(estimator, "fit_intercept", False)

    def predicted(self, z):
        """What estimators predict, from ``z`` of their models; classes are those of ``z``."""
        return z

    def score_loss(self, estimator):
        """The ValidationLoss that equals ``estimator.score`` up to sign and offset, or None."""
        standard = type(estimator).score is RegressorMixin.score
        return VALIDATION_LOSSES["r2"] if standard else None

    def own_loss(self, estimator):
        """The ValidationLoss that fits minimise on training samples, or None."""
        return None if self.minimises is None else VALIDATION_LOSSES[self.minimises]

    def check(self, estimator, name, data):  # noqa: B027
        """Check that the objective depends on a hyperparameter; by default it is assumed.

        Parameters
        ----------
        estimator : estimator
        name : str
            Name of the hyperparameter.
        data : SplitData
            The data of one split.

        Raises
        ------
        ValueError
            If it does not: its hypergradient would be zero.
        """

    def labels(self, y):
        """The targets as the estimator sees them, of shape (n_samples, ...)."""
        return np.asarray(y)

    def strata(self, labels):
        """What splits keep the proportions of, of shape (n_samples,), or None."""
        return None

    @abc.abstractmethod
    def encode(self, labels):
        """Targets as floats of shape (n_samples, n_outputs), as coded for the losses."""

    def training_weight(self, estimator, labels, weight):
        """Weights of the training loss of one training part.

        Parameters
        ----------
        estimator : estimator
        labels : ndarray of shape (n_rows, ...)
        weight : ndarray of shape (n_rows,)
            The user's sample weights, or ones.

        Returns
        -------
        ndarray of shape (n_rows,)
            Sample weights times class weights; by default ``weight``.
        """
        return weight

    def check_parts(self, labels, trains):  # noqa: B027
        """Raise ValueError if a training part cannot be used; by default all can."""

    def vector_shape(self, per, n_features, n_outputs):
        """Shape of the estimator's parameter with one value per "feature" or "coefficient".

        Raises
        ------
        ValueError
            If the estimator takes one value only.
        """
        raise ValueError(f"{self.estimator_class.__name__} has no such parameter")

    def class_with_vectors(self, name):
        """The class with one value per feature of a hyperparameter, if this one has none; None."""
        return self.vector_class

    def entry_names(self, name):
        """Names of the entries of a vector whose length follows from the estimator; else ()."""
        return ()

    def parameter(self, name, value):
        """A hyperparameter as ``set_params`` takes it: a float or a new array."""
        return plain(value)

    def shape(self, estimator, name, per, data):
        """Shape of a hyperparameter that is searched from the estimator's own value.

        Parameters
        ----------
        estimator : estimator
        name : str
            Name of the hyperparameter.
        per : str, tuple of str or None
            The ``per`` of its Continuous.
        data : SplitData
            The data of one split.

        Returns
        -------
        shape : tuple of int
            ``()`` for one value.
        labels : tuple
            A name for every entry; ``()`` for one value.
        """
        return (), ()

    @abc.abstractmethod
    def model(self, estimator, data, entries, seed):
        """The Model of some data.

        Parameters
        ----------
        estimator : estimator
            The final step; its hyperparameters that are not tuned are used as they are.
        data : SplitData
            The data of one or more splits.
        entries : dict of str -> ndarray or None
            The hyperparameters that are tuned, by name. For a vector, the index of the entry that
            belongs to each coefficient, as :class:`~sklearn_hypergrad.problems.L2Penalty` takes it;
            None for one value.
        seed : int
            Seed of random draws of a fit; ignored if the estimator has a seed of its own.

        Returns
        -------
        Model

        Raises
        ------
        TypeError, ValueError
            If the data do not suit the family; the values are then enumerated.
        """

    def left_out_model(self, estimator, data, entries):
        """The Model that is judged by leave-one-out in closed form (``search_cv="loo"``).

        Parameters
        ----------
        estimator : estimator
        data : SplitData
            One split, whose training and held-out part are all rows.
        entries : dict of str -> ndarray or None
            As for ``model``.

        Raises
        ------
        ValueError
            If the family has no such closed form, or the data are too large for it.
        """
        raise ValueError(
            f"search_cv='loo' needs the closed form of ridge regression or KernelRidge, which "
            f"{self.estimator_class.__name__} does not have. Leave search_cv='auto', or give a "
            f"number or a splitter."
        )

    def evidence_obstacle(self, estimator, data):
        """Why a vector of penalties has no Evidence on these data, in a sentence; else None.

        Parameters
        ----------
        estimator : estimator
        data : SplitData
            One split, whose training part is all rows.
        """
        return NO_EVIDENCE.format(type(estimator).__name__)

    def evidence(self, estimator, data, entries, n_samples):
        """The Evidence of a vector of penalties, if there is no obstacle.

        Parameters
        ----------
        estimator : estimator
        data : SplitData
            One split, whose training part is all rows.
        entries : dict of str -> ndarray or None
            As for ``model``.
        n_samples : float
            Sum of the weights of rows.
        """
        raise NotImplementedError

    def effective_dof(self, fitted, data, h):
        """Effective degrees of freedom of a fit with one penalty for all coefficients.

        Parameters
        ----------
        fitted : estimator
        data : SplitData
            One split, whose training part is what it was fitted on.
        h : dict
            Its penalty.

        Returns
        -------
        float or None
            None where they are too dear. The default is for families that do not know them.
        """
        return None

    def stable_obstacle(self, estimator):
        """Why one penalty has no StableCriterion, in a clause; else None."""
        return NOT_STABLE.format(type(estimator).__name__)

    def stable_criterion(self, estimator, data):
        """The StableCriterion of one penalty, if there is no obstacle.

        Parameters
        ----------
        estimator : estimator
        data : SplitData
            One split, whose training part is all rows.
        """
        raise NotImplementedError

    def rows_from(self, estimator):
        """How a fit of the estimator relates to a solution of its model.

        Parameters
        ----------
        estimator : estimator
            The final step.

        Returns
        -------
        {"fits", "solutions", "warm fits", "exact solutions"}
            "solutions" if the fit has a closed form: what ``install`` makes is what the fit
            returns, up to rounding. "warm fits" if the fit is iterative and can start at a solution
            (``warm_start``). "exact solutions" if besides the model is solved up to rounding, so
            that the fit would stay at a solution. "fits", the default, if neither is known: then
            rows of ``cv_results_`` are fits from the beginning.
        """
        return FITS

    def fewest_rows(self, n_features):
        """The fewest rows, of every class of a classifier, that determine a fit."""
        return 2

    def install(self, estimator, model, fitted, h):
        """Make fitted estimators from a solution.

        Parameters
        ----------
        estimator : estimator
            The final step.
        model : Model
        fitted : Fitted
            What ``model.fit`` or ``model.train`` returned.
        h : dict
            Hyperparameters of the solution.

        Returns
        -------
        iterable of estimator or None
            Copies of ``estimator``, one per split of the model's data; None if only scikit-learn's
            own fit can make them.
        """
        return None

    def install_behind(self, estimator, model, fitted, h, block, means=None):
        """Make fitted estimators for the features that each split has itself.

        By default they are those of ``install``: for families whose models neither narrow their
        data nor use ``scales``.

        Parameters
        ----------
        estimator, model, fitted, h
            As for ``install``.
        block : SplitData
            The data that the model was made of.
        means : list of ndarray of shape (n_features,), default=None
            Means of the features that each split has itself, over all rows. None are those of the
            features of the block times the scales of the split.

        Returns
        -------
        iterable of estimator or None
            As of ``install``.

        Raises
        ------
        TypeError
            By default, if the family ``knows_scales``: the features of a split are not the model's.
        """
        if self.knows_scales:
            raise TypeError(
                f"{type(self).__name__}, which knows scales, has no install_behind of its own"
            )
        return self.install(estimator, model, fitted, h)


@functools.singledispatch
def family(estimator) -> Any:
    """The Family of an estimator, or None; it dispatches on the class of the estimator.

    Register a family of your own with ``@family.register`` on a function whose argument is
    annotated with the class.
    """
    return None


def inner_values(found, prefix):
    """Hyperparameters of a family inside of another one, where each has one value."""
    return {
        f"{prefix}{name}": dataclasses.replace(each, per=())
        for name, each in found.hyperparameters.items()
        if each.level is None
    }


def labels_of(shape):
    """Names of the entries of an array: their numbers, or tuples of numbers; () for one value."""
    if not shape:
        return ()
    return tuple(range(*shape) if len(shape) == 1 else np.ndindex(*shape))


def narrowed(data, *, center, most):
    """The data with X written in a basis of its row space, if that is smaller.

    Data with more features than rows have at most as many columns afterwards as rows. Large sparse
    X stay as they are if they have fewer entries than the dense result.

    Parameters
    ----------
    data : SplitData
    center : bool
        Whether the model has an intercept, so that column means may be subtracted.
    most : int
        Largest number of rows for which the kernel of rows is decomposed.

    Returns
    -------
    SplitData
    """
    return in_row_space(data, center=center) if is_narrowed(data, most) else data


def is_narrowed(data, most):
    """Whether ``narrowed`` changes the data."""
    n_samples, n_features = data.X.shape
    few_entries = issparse(data.X) and data.X.nnz < n_samples**2
    large = n_samples > FEW_ROWS and n_features > MAX_SIZE
    return is_wide(data, most) and not (few_entries and large)


def is_wide(data, most):
    """Whether data have more features than rows, of which there are at most ``most``."""
    n_samples, n_features = data.X.shape
    return n_samples < n_features and n_samples <= most and data.scales is None


def in_row_space(data, *, center):
    """The data with X written in a basis of its row space, which is dense."""
    return dataclasses.replace(data, X=to_row_space(data.X, center=center))


def own_coefficients(coefs, data, block):
    """For every split, coefficients of its own features, of shape (n_outputs, n_features).

    Those of a model may be of a basis of the row space (``narrowed``), or of the features of
    another split (``scales``), or some that this split lacks (``present``).
    """
    if data.X is not block.X:
        coefs = np.array([from_row_space(coef, data.X, block.X) for coef in coefs])
    if block.scales is not None:
        scales = block.scales.T[:, None]
        coefs = np.divide(coefs, scales, out=np.zeros_like(coefs), where=scales != 0)
    if block.present is not None:
        return [coef[:, own] for coef, own in zip(coefs, block.present, strict=True)]
    return list(coefs)


class Apart(ValueError):
    """Hyperparameters cannot be tuned together; the text says why and what to do instead."""


def only(entries):
    """The name of the only hyperparameter that is tuned, and the index of its entries.

    Raises
    ------
    Apart
        If there are several: the model has one penalty.
    """
    if len(entries) > 1:
        raise Apart(
            f"the model has one penalty, and {' and '.join(entries)} are to be tuned together. "
            f"Tune one of them and fix the others, or give a list of grids with one each"
        )
    ((name, index),) = entries.items()
    return name, index


class LinearFamily(Family):
    """Families of linear models: an estimator is fitted by setting coefficients and intercept."""

    differentiates_rows = True

    def install(self, estimator, model, fitted, h):
        return self._with_each(estimator, model, *model.problem.coefficients(fitted.w))

    def install_behind(self, estimator, model, fitted, h, block, means=None):
        coefs, intercepts = model.problem.coefficients(fitted.w)
        own, data = own_coefficients(coefs, model.data, block), model.data
        moved = means is not None or block.offsets is not None or data.X is not block.X
        if moved and getattr(estimator, "fit_intercept", True):
            # The mean prediction stays, whatever the origins of the features are.
            predicted = column_means(data.X) @ coefs.transpose(0, 2, 1)
            if means is None:
                mean = column_means(block.X)
                means = [block.own(mean, split) for split in range(len(own))]
            shift = [np.einsum("p,kp->k", *pair) for pair in zip(means, own, strict=True)]
            intercepts = predicted.reshape(intercepts.shape) + intercepts - shift
        return self._with_each(estimator, model, own, intercepts)

    def _with_each(self, estimator, model, coefs, intercepts):
        # One by one: the others are not made if the first one tells all that is asked.
        for coef, intercept in zip(coefs, intercepts, strict=True):
            yield self.with_coefficients(estimator, coef, intercept, model.data.labels)

    @abc.abstractmethod
    def with_coefficients(self, estimator, coef, intercept, labels):
        """A fitted copy of ``estimator``.

        Parameters
        ----------
        estimator : estimator
        coef : ndarray of shape (n_outputs, n_features)
        intercept : ndarray of shape (n_outputs,)
        labels : ndarray of shape (n_samples, ...)
            Targets of all rows, as the user gave them.

        Returns
        -------
        estimator
        """


class RegressorFamily(Family):
    """Families of regressors: targets are numbers, in one column or several."""

    takes = "numbers"

    def encode(self, labels):
        y = checked_array(labels, ensure_2d=False, dtype=np.float64)
        return y.reshape(len(y), -1)


class KernelFamily(Family):
    """Families of functions in the space of a kernel, which has ``gamma`` and ``coef0``.

    Attributes
    ----------
    gamma : Hyperparameter
    """

    differentiates_rows = True
    gamma = Hyperparameter()

    def of_kernel(self, estimator):
        """The hyperparameters of the kernel, as a dict."""
        return of_kernel(estimator.kernel, self.gamma)

    def configuration_obstacle(self, estimator):
        if callable(estimator.kernel):
            return "its kernel is a function"
        if estimator.kernel == "precomputed":
            return "kernel='precomputed' has no rows from which splits could share a kernel"
        return None

    def unused(self, estimator, name):
        return unused_by_kernel(estimator, name) if name in self.of_kernel(estimator) else None

    def own_gamma(self, estimator, data):
        """The estimator's gamma where it is not tuned: a number, or what scikit-learn takes."""
        return self.own_value(estimator, "gamma", data)

    @staticmethod
    def settings(h, kernel):
        """Parameters for ``set_params`` from hyperparameters and the KernelMatrix at them."""
        # Entries of gamma may belong to several features.
        gamma = kernel.gamma if kernel.gamma.ndim else float(kernel.gamma)
        return {name: gamma if name == "gamma" else float(h[name]) for name in h}


class GammaPerFeature:
    """What families of kernels have besides where gamma may be one value per feature."""

    vector_class = None
    gamma = VECTOR_GAMMA

    def own_gamma(self, estimator, data):
        own = super().own_gamma(estimator, data)
        if not is_per_feature(own):
            return own
        if isinstance(own, Mapping):
            raise ValueError("gamma is a dict from names of features. Give an array instead")
        return gamma_array(estimator, data.X.shape[1])

    def vector_shape(self, per, n_features, n_outputs):
        return (n_features,)


class ClassifierFamily(Family):
    """Families of classifiers: all classes are in every training part.

    Attributes
    ----------
    multilabel : bool
        Whether a row may have several labels: y has a column of zeros and ones for each.
    """

    multilabel = False

    def labels(self, y):
        if np.ndim(y) == 2 and np.shape(y)[1] == 1:
            return np.ravel(y)
        if self.multilabel and type_of_target(y) == "multilabel-indicator":
            return indicators(y)
        return column_or_1d(y)

    def strata(self, labels):
        return labels if labels.ndim == 1 else None

    def check_parts(self, labels, trains):
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"y has one class, {classes[0]}, and two are needed")
        codes = codes.reshape(np.shape(labels))
        for split, train in enumerate(trains):
            counts = np.bincount(np.ravel(codes[train]), minlength=len(classes))
            missing = classes[counts == 0]
            if missing.size:
                raise ValueError(
                    f"class {missing[0]} is missing from the training part of split {split}, so "
                    f"use a stratified splitter, or a regressor if y has numbers"
                )


def indicators(y):
    """Which labels each row has, as a dense array of zeros and ones."""
    found = y.toarray() if issparse(y) else np.asarray(y)
    if not np.all((found == 0) | (found == 1)):
        raise ValueError("several labels of a row must be coded as 0 and 1, a column for each")
    return found


def member_of(labels):
    """Whether labels are those of each class, or of two classes those of the second, as columns.

    Where rows may have several labels, these are columns already.
    """
    if labels.ndim == 2:
        return labels == 1
    classes = np.unique(labels)
    return labels[:, None] == (classes[1:] if len(classes) == 2 else classes)


class ProbabilisticFamily(ClassifierFamily):
    """Families of classifiers with probabilities: codes are 0 and 1, one column per class."""

    takes = "probabilities"

    def encode(self, labels):
        return member_of(labels).astype(float)


class MarginFamily(ClassifierFamily):
    """Families of classifiers with decision values: codes are -1 and 1, one column per class.

    Of two classes there is one column, for the second.
    """

    takes = "margins"

    def encode(self, labels):
        return 2.0 * member_of(labels) - 1
