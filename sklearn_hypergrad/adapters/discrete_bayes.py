"""Naive Bayes of counts and categories: MultinomialNB, ComplementNB, BernoulliNB, CategoricalNB.

Joint log likelihoods are linear in a row x of counts (of ones, where x has a category), ::

    x' F_c(a) + log prior_c,        F_cj(a) = log(n_cj + a) - log(t_c(a))

with ``n_cj`` the weighted count of feature j in the rows of class c, and totals ``t_c``. ``alpha``
is the number ``a`` that is added to every count. The variants have other totals, or other counts:

* MultinomialNB: ``t_c(a) = sum_j (n_cj + a)``.
* CategoricalNB: the same, over the categories of one feature.
* BernoulliNB: ``t_c(a) = n_c + 2 a`` with the weight n_c of the class, and ``log(1 - exp(F_cj))``
  where x_j is zero.
* ComplementNB: counts in all other classes, no prior, and ``-F``, or ``F`` over its sum.

So the coefficients of a hundred values, times the rows, are one matrix product.
"""

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, MultinomialNB
from sklearn.preprocessing import binarize
from sklearn.utils.validation import check_non_negative

from sklearn_hypergrad.adapters.base import Hyperparameter, family
from sklearn_hypergrad.adapters.closed_form import ClosedFormFamily, ClosedFormModel
from sklearn_hypergrad.adapters.likelihood import LikelihoodSplit, priors_of

# Coefficients of all splits up to which a hundred values of sparse X are computed: beyond, their
# logarithms take longer than the fits of a grid search. Measured: on text of 2,000 x 5,000 entries
# and four classes, which has so many, both take 0.2 seconds.
MOST_COEFFICIENTS = 100_000


class MultinomialSplit(LikelihoodSplit):
    """Counts of one split.

    Alphas are of shape (n_alphas, 1, 1), coefficients of shape (n_alphas, n_classes, n_columns).

    Parameters
    ----------
    estimator : estimator
    X : ndarray or CSR matrix
        Rows of the training part.
    codes, weight : ndarray
        Their classes and weights.
    tests : ndarray or CSR matrix
        Held-out rows.
    """

    def __init__(self, estimator, X, codes, weight, tests):
        self._estimator, self._tests = estimator, tests
        Y = np.zeros((len(codes), codes.max() + 1))
        Y[np.arange(len(codes)), codes] = weight
        self._class_counts, self._counts = Y.sum(axis=0), np.asarray(X.T @ Y).T
        self._log_prior = _log_prior(estimator, self._class_counts)
        # Totals without alpha, and how many alphas are added to each.
        self._totals, self._width = self._counts.sum(axis=1, keepdims=True), X.shape[1]

    def joint(self, values):
        alphas = np.reshape(values, (-1, 1, 1))
        coef, intercept = self._linear(self._log_probabilities(alphas))
        n_alphas, n_classes, n_columns = coef.shape
        by_class = coef.transpose(1, 0, 2).reshape(-1, n_columns)
        z = (self._tests @ by_class.T).T.reshape(n_classes, n_alphas, -1)
        return z + intercept.T[:, :, None]

    def joint_slopes(self, value):
        alphas = np.full((1, 1, 1), value)
        (coef,), (intercept,) = self._linear_slopes(alphas)
        return (self._tests @ coef.T + intercept).T

    def _linear(self, log_probabilities):
        """Coefficients and intercepts."""
        return log_probabilities, self._log_prior[None]

    def _linear_slopes(self, alphas):
        """Derivatives of coefficients and intercepts in alpha."""
        slopes = self._log_slopes(alphas)
        return slopes, np.zeros(slopes.shape[:2])

    def _log_probabilities(self, alphas):
        return np.log(self._smoothed(alphas)) - np.log(self._totals + self._width * alphas)

    def _log_slopes(self, alphas):
        return 1 / self._smoothed(alphas) - self._width / (self._totals + self._width * alphas)

    def _smoothed(self, alphas):
        return self._counts + alphas

    def attributes(self, value):
        with np.errstate(all="ignore"):
            (log_probabilities,) = self._log_probabilities(np.full((1, 1, 1), value))
        return {
            "class_count_": self._class_counts,
            "class_log_prior_": self._log_prior,
            **self._of_features(log_probabilities),
        }

    def _of_features(self, log_probabilities):
        """Attributes with a column per feature."""
        return {"feature_count_": self._counts, "feature_log_prob_": log_probabilities}


class CategoricalSplit(MultinomialSplit):
    """Counts of categories, each of which is a column."""

    def __init__(self, estimator, X, codes, weight, tests):
        sizes = _n_categories(X, estimator.min_categories)
        if np.any(tests >= sizes):
            raise ValueError("held-out rows have a category that the training part does not know")
        self._starts, self._sizes = np.cumsum([0, *sizes[:-1]]), sizes
        X, tests = (_ones(rows, self._starts, sizes.sum()) for rows in (X, tests))
        super().__init__(estimator, X, codes, weight, tests)
        totals = np.add.reduceat(self._counts, self._starts, axis=1)
        self._totals, self._width = totals.repeat(sizes, axis=1), sizes.repeat(sizes)

    def _of_features(self, log_probabilities):
        return {
            "n_categories_": self._sizes,
            "category_count_": np.split(self._counts, self._starts[1:], axis=1),
            "feature_log_prob_": np.split(log_probabilities, self._starts[1:], axis=1),
        }


class BernoulliSplit(MultinomialSplit):
    """Counts of ones; zeros count, too."""

    def __init__(self, estimator, X, codes, weight, tests):
        super().__init__(estimator, X, codes, weight, tests)
        self._totals, self._width = self._class_counts[:, None], 2

    def _linear(self, log_probabilities):
        # The formula of the estimator: where it loses digits, scores do, too.
        zeros = np.log(1 - np.exp(log_probabilities))
        return log_probabilities - zeros, self._log_prior + zeros.sum(axis=2)

    def _linear_slopes(self, alphas):
        zeros = 1 / (self._totals - self._counts + alphas) - 2 / (self._totals + 2 * alphas)
        return self._log_slopes(alphas) - zeros, zeros.sum(axis=2)


class ComplementSplit(MultinomialSplit):
    """Counts in the other classes."""

    def __init__(self, estimator, X, codes, weight, tests):
        super().__init__(estimator, X, codes, weight, tests)
        self._all_counts = self._counts.sum(axis=0)
        self._totals = self._totals.sum() - self._totals

    def _smoothed(self, alphas):
        # In the order of the estimator: a small alpha is lost in large counts.
        return self._all_counts + alphas - self._counts

    def _log_probabilities(self, alphas):
        logs = super()._log_probabilities(alphas)
        return logs / logs.sum(axis=2, keepdims=True) if self._estimator.norm else -logs

    def _log_slopes(self, alphas):
        slopes = super()._log_slopes(alphas)
        if not self._estimator.norm:
            return -slopes
        logs = super()._log_probabilities(alphas)
        total, slope = (each.sum(axis=2, keepdims=True) for each in (logs, slopes))
        return (slopes - logs * slope / total) / total

    def _linear(self, log_probabilities):
        return log_probabilities, np.zeros(log_probabilities.shape[:2])

    def _of_features(self, log_probabilities):
        return {"feature_all_": self._all_counts, **super()._of_features(log_probabilities)}


class DiscreteFamily(ClosedFormFamily):
    """Naive Bayes of counts, to each of which ``alpha`` is added."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    methods = (*ClosedFormFamily.methods, "predict_log_proba")
    conditions = "one value; not with ``force_alpha=False``"
    split_class = MultinomialSplit

    def configuration_obstacle(self, estimator):
        if np.ndim(estimator.alpha):
            return "alpha is an array, with a value per feature"
        if not estimator.force_alpha:
            return "force_alpha=False replaces small values of alpha: use True"
        return None

    def model(self, estimator, data, entries, seed):
        X = self.features(estimator, data.X)
        _, codes = np.unique(data.labels, return_inverse=True)
        splits = [
            self.split_class(estimator, X[train], codes[train], weight, X[test])
            for train, weight, test in zip(data.trains, data.weights, data.tests, strict=True)
        ]
        n_coefficients = data.n_splits * X.shape[1] * len(np.unique(data.labels))
        cheap = not issparse(X) or n_coefficients <= MOST_COEFFICIENTS
        return ClosedFormModel(data, "alpha", 1.0, splits, cheap=cheap)

    def features(self, estimator, X):
        """X as its splits take it."""
        check_non_negative(X, f"{type(estimator).__name__} (input X)")
        return X


class MultinomialFamily(DiscreteFamily):
    """Counts of features in each class."""

    estimator_class = MultinomialNB


class ComplementFamily(DiscreteFamily):
    """Counts of features in all other classes."""

    estimator_class = ComplementNB
    split_class = ComplementSplit


class BernoulliFamily(DiscreteFamily):
    """Rows of a class in which a feature is one."""

    estimator_class = BernoulliNB
    enumerated = {"binarize": "is a threshold, at which features jump"}
    split_class = BernoulliSplit

    def features(self, estimator, X):
        return X if estimator.binarize is None else binarize(X, threshold=estimator.binarize)


class CategoricalFamily(DiscreteFamily):
    """Rows of a class in which a feature has each of its categories."""

    estimator_class = CategoricalNB
    split_class = CategoricalSplit

    def features(self, estimator, X):
        if issparse(X):
            raise TypeError("CategoricalNB takes no sparse X")
        return super().features(estimator, X.astype(int))


def _log_prior(estimator, class_counts):
    """Logarithms of the shares of classes, as ``fit`` of the estimator has them."""
    counts = class_counts if estimator.fit_prior else np.ones(len(class_counts))
    with np.errstate(divide="ignore"):
        return np.log(priors_of(estimator.class_prior, counts))


def _n_categories(X, least):
    """Numbers of categories of all features: those in X, or at least so many."""
    found = X.max(axis=0) + 1
    if least is None:
        return found
    return np.maximum(found, np.broadcast_to(least, found.shape), dtype=np.int64)


def _ones(X, starts, n_columns):
    """A CSR matrix with a one in the column of each category of X."""
    n_rows, n_features = X.shape
    ends = np.arange(0, n_rows * n_features + 1, n_features)
    columns = (X + starts).ravel()
    return csr_array((np.ones(columns.size), columns, ends), shape=(n_rows, n_columns))


@family.register
def _(estimator: MultinomialNB):
    return MultinomialFamily()


@family.register
def _(estimator: ComplementNB):
    return ComplementFamily()


@family.register
def _(estimator: BernoulliNB):
    return BernoulliFamily()


@family.register
def _(estimator: CategoricalNB):
    return CategoricalFamily()
