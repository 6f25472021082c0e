"""Classification where some labels of the training data are wrong."""

import dataclasses
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from sklearn_hypergrad._sklearn import Interval, fit_context
from sklearn_hypergrad.data_cleaning.final_model import FinalModel
from sklearn_hypergrad.data_cleaning.parts import divided, joined
from sklearn_hypergrad.data_cleaning.weighting import weight_parameter
from sklearn_hypergrad.data_cleaning.weights import ProjectedAdam
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Reverse, TrainedHypergradient
from sklearn_hypergrad.neural_network import MLPClassifier
from sklearn_hypergrad.neural_network.base import DTYPES
from sklearn_hypergrad.neural_network.targets import coded_classes
from sklearn_hypergrad.neural_network.training import network_training
from sklearn_hypergrad.problems import MeanLoss
from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.training import Diverged, explained, seed_of
from sklearn_hypergrad.tuning import minimize
from sklearn_hypergrad.wording import shortened

# Weights below this count as zero: the threshold of Franceschi et al. (2017), section 5.1.
THRESHOLD = 1e-3
# Penalty of the default network while it looks for errors. Measured on MNIST with half of the
# labels wrong: the F1 score of flagged rows is 0.94 with it and 0.91 without.
PENALTY = 0.03
# A batch that is all samples, however many.
ALL = np.iinfo(np.int32).max


class DataCleaner(ClassifierMixin, FinalModel):
    """Classifier that finds wrong labels in its training data, with the help of clean rows.

    Every row that is not known to be clean has a weight between 0 and 1. A network is trained with
    these weights, and they are chosen to lower its loss on the clean rows::

        minimise    mean loss of the trained network on clean rows
        subject to  0 <= weight_i <= 1,   sum_i weight_i <= budget

    by the gradient of that loss through the whole training: Adam, with an exact projection after
    every step. Rows whose weight ends at zero are suspicious. At last a model is trained on all
    rows with the weights that were found, clean rows with the largest of these.

    For classification only: y are classes.

    Parameters
    ----------
    estimator : MLPClassifier of this package, default=None
        The network whose training is differentiated. None is a softmax regression, trained from
        zero weights for 100 steps of gradient descent on all rows, with a learning rate of 0.1, a
        momentum of 0.9 and ``alpha=0.03``. This penalty and the few steps keep the weights from
        fitting the clean rows too well: in MNIST with half of the labels wrong, a budget of a fifth
        of the rows and ``max_iter`` of 20 to 25, the F1 score of what is flagged is 0.94 with the
        penalty, 0.91 without, and 0.89 without and with 300 steps.
    final_estimator : classifier, default=None
        What is trained on all rows at the end: any classifier whose ``fit`` takes
        ``sample_weight``, also as the last step of a pipeline or inside a search. None is
        ``estimator`` again, the default one without its penalty.
    budget : float, default=None
        Most that the weights may sum to, in rows, not as a share of them: 1 at least. They start
        equal, with this sum or at 1. None is no bound, which asks for no guess of how many rows are
        right. A budget below that number makes the first steps reach zero sooner, and flags more
        rows.
    learning_rate : float, default=0.05
        How far a weight moves in a step, at most about.
    max_iter : int, default=45
        Trainings that are differentiated. The default lets weights go from 1 to 0, in 20 steps, and
        has as many to spare. With a small budget take fewer: too many flag rows that are right.
    cv : int, cross-validation generator or iterable, default=None
        Exactly one split, whose test rows are the clean ones, for data where these are not given
        apart: ``PredefinedSplit`` with 0 for clean rows and -1 for the others.
    hypergradient : TrainedHypergradient, default=None
        How training is differentiated; None is ``Reverse()``. ``Reverse(n_checkpoints)`` needs less
        memory for a long training, ``Truncated(n_steps)`` is faster and biased.

    Attributes
    ----------
    sample_weight_ : ndarray of shape (n_samples,)
        Weights of the rows of X. Where ``cv`` says which of these are clean, they have the largest.
    flagged_ : ndarray of bool of shape (n_samples,)
        Rows whose weight is below 0.001, the threshold of the paper; no clean ones.
    ranking_ : ndarray of int
        Rows of X that are not known to be clean, the most suspicious first: in the order of their
        weights, and where these are equal, of how much the loss would grow with them.
    loss_curve_ : list of float
        Loss on the clean rows at every step. The weights are those of the smallest.
    n_iter_ : int
        Number of steps.
    estimator_ : classifier
        Trained on all rows with their weights.
    classes_ : ndarray of shape (n_classes,)
        The classes.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    sklearn_hypergrad.neural_network.MLPClassifier : The networks.

    Notes
    -----
    Data hyper-cleaning is due to Franceschi et al. [1]_, section 5.1. Clean rows must be clean, and
    like the data that are to be predicted: a class or a kind of samples that they lack is taken for
    an error elsewhere. What they are worth alone is the first thing to compare with: a model
    trained on nothing else.

    Features should be scaled, as for the network. A scaler in a pipeline before this estimator does
    not see ``X_clean``: there, say by ``cv`` which rows are clean.

    References
    ----------
    .. [1] Luca Franceschi, Michele Donini, Paolo Frasconi and Massimiliano Pontil (2017). Forward
       and reverse gradient-based hyperparameter optimization. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_hypergrad.data_cleaning import DataCleaner
    >>> X, y = load_digits(return_X_y=True)
    >>> order = np.random.default_rng(0).permutation(len(y))
    >>> X, y = X[order] / 16, y[order]
    >>> wrong = np.arange(400) < 100
    >>> labels = np.where(wrong, (y[:400] + 1) % 10, y[:400])
    >>> cleaner = DataCleaner(learning_rate=0.1, max_iter=15)
    >>> cleaner = cleaner.fit(X[:400], labels, X[400:800], y[400:800])
    >>> bool(wrong[cleaner.flagged_].mean() > 0.9)
    True
    >>> bool(wrong[cleaner.ranking_[:50]].mean() > 0.95)
    True
    """

    _parameter_constraints = {
        "estimator": [MLPClassifier, None],
        "final_estimator": [None, object],
        "budget": [Interval(Real, 1, None, closed="left"), None],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "cv": ["cv_object"],
        "hypergradient": [TrainedHypergradient, None],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        final_estimator: BaseEstimator | None = None,
        budget: float | None = None,
        learning_rate: float = 0.05,
        max_iter: int = 45,
        cv: Any = None,
        hypergradient: TrainedHypergradient | None = None,
    ):
        self.estimator = estimator
        self.final_estimator = final_estimator
        self.budget = budget
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.cv = cv
        self.hypergradient = hypergradient

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, X_clean=None, y_clean=None):
        """Weight the samples, and train a model with the weights.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features, in float32 for a training in float32, which takes half the time; anything else
            is trained in float64.
        y : array-like of shape (n_samples,)
            Classes, some of them wrong.
        X_clean : {array-like, sparse matrix} of shape (n_clean, n_features), default=None
            Features of clean rows. None is those that ``cv`` names.
        y_clean : array-like of shape (n_clean,), default=None
            Their classes, with every class in y among them.

        Returns
        -------
        self : DataCleaner
            The fitted estimator.

        Raises
        ------
        ValueError
            If no rows are known to be clean, or if they are given twice, by ``X_clean`` and ``cv``;
            if ``cv`` has more than one split, or one that is no partition; if a class has no clean
            rows; if ``final_estimator`` is no classifier, or takes no weights; if a parameter of
            ``estimator`` is illegal; if the training diverges.

        Warns
        -----
        HypergradWarning
            If there are too few steps for a weight to reach zero, or if no step lowers the loss.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=DTYPES)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        final, parts = self._final(), self._parts(X, y, X_clean, y_clean)
        n_weighted = len(parts.weighted)
        budget = n_weighted if self.budget is None else min(self.budget, n_weighted)
        found, tuned = self._tune(parts, budget)
        weights = np.empty(len(parts.y))
        weights[parts.weighted] = tuned
        # Where all weights are zero, only the clean rows train.
        weights[parts.clean] = tuned.max() or 1.0
        self.sample_weight_ = weights[: len(y)]
        suspicious = parts.weighted[tuned < THRESHOLD]
        self.flagged_ = np.isin(np.arange(len(y)), suspicious)
        self.ranking_ = parts.weighted[np.lexsort((-found.record.gradient, tuned))]
        self.loss_curve_ = [record.value for record in found.records]
        self.n_iter_ = len(self.loss_curve_)
        self.estimator_ = final.fit(parts.X, parts.y, **{weight_parameter(final): weights})
        self.classes_ = self.estimator_.classes_
        self._warn(budget / n_weighted)
        return self

    def _parts(self, X, y, X_clean, y_clean):
        """Which rows are clean, checked."""
        if (X_clean is None) != (y_clean is None):
            raise ValueError("X_clean and y_clean belong together: give both or none of them.")
        if (X_clean is None) == (self.cv is None):
            raise ValueError(
                "DataCleaner needs to know which rows are clean, in one of two ways: "
                "fit(X, y, X_clean, y_clean) for clean rows apart from X; or cv, one split of X "
                "whose test rows are clean, as PredefinedSplit with 0 for clean rows and -1 for "
                f"the others. It got {'none of them' if self.cv is None else 'both'}."
            )
        if X_clean is None:
            return divided(X, y, self.cv)
        X_clean = validate_data(self, X_clean, accept_sparse="csr", dtype=X.dtype, reset=False)
        y_clean = column_or_1d(y_clean, warn=True)
        assert_all_finite(y_clean, input_name="y_clean")
        check_classification_targets(y_clean)
        check_consistent_length(X_clean, y_clean)
        return joined(X, y, X_clean, y_clean)

    def _tune(self, parts, budget):
        """Where the descent ends, as Minimized, and the weights there."""
        weighted, clean, model = parts.weighted, parts.clean, self._network(PENALTY)
        # As its fit would, which is not called.
        model._validate_params()
        targets, _ = coded_classes(parts.y)
        own = dataclasses.replace(targets, values=targets.values[weighted])
        training = network_training(
            model, parts.X[weighted], own, None, seed_of(model.random_state)
        )
        outer = MeanLoss(training.problem.network, parts.X[clean], targets.values[clean])
        # Training divides losses by the number of samples. Weights are scaled to a mean of one
        # where they use up the budget, so that one learning rate of the training suits all budgets.
        n_weighted = len(weighted)
        scale = n_weighted / budget
        space = Space([Dimension("sample_weight", (n_weighted,), "linear", 0.0, scale, 1.0)])
        optimizer = ProjectedAdam(scale * budget, scale * self.learning_rate)
        method = self.hypergradient or Reverse()
        with explained():
            found = minimize([training], [outer], space, method, optimizer, max_iter=self.max_iter)
            if found.record.error:
                raise Diverged(found.record.error)
        return found, found.h["sample_weight"] / scale

    def _network(self, alpha):
        """The network of the user, or the default one with a penalty."""
        if self.estimator is not None:
            return self.estimator
        return MLPClassifier((), alpha=alpha, init_scale=0.0, batch_size=ALL, n_steps=100)

    def _final(self):
        """The unfitted model of the end."""
        if self.final_estimator is None:
            return clone(self._network(alpha=0.0))
        final = clone(self.final_estimator)
        if not is_classifier(final):
            raise ValueError(
                f"final_estimator={shortened(final)} is no classifier, but y are classes. Choose "
                f"one."
            )
        if getattr(final, "refit", True) is False:
            raise ValueError(
                f"final_estimator={shortened(final)} has refit=False, and so nothing that "
                f"predicts. Leave refit=True."
            )
        if weight_parameter(final) is None:
            raise ValueError(
                f"final_estimator={shortened(final)} takes no sample_weight in fit, and so "
                f"cannot be trained with the weights that are found. Choose another one, or use "
                f"flagged_ to drop rows."
            )
        return final

    def _warn(self, start):
        reach = self.learning_rate * (self.max_iter - 1)
        if reach < start - THRESHOLD:
            text = (
                f"Weights start at {start:g} and move by {reach:g} in all {self.max_iter} steps, "
                f"too little to reach zero: no row can be flagged. Raise max_iter or learning_rate."
            )
        elif min(self.loss_curve_) == self.loss_curve_[0]:
            text = (
                f"No step lowered the loss on clean rows, which is {self.loss_curve_[0]:.4g}, so "
                f"that all weights are equal and the ranking is that of its gradient. Lower "
                f"learning_rate, or look whether the clean rows are like the others."
            )
        else:
            return
        warnings.warn(text, HypergradWarning, stacklevel=4)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
