"""Ridge and RidgeClassifier."""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import check_array, compute_sample_weight

from sklearn_hypergrad.adapters.base import (
    ClassifierFamily,
    Family,
    Hyperparameter,
    Term,
    family,
    narrowed,
)
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems import (
    GramRidge,
    L2Penalty,
    LinearProblem,
    PredictionLoss,
    QuadraticLoss,
)

# Up to this size of a Gram matrix its eigendecomposition is cheaper than iterating over the data.
MAX_GRAM = 2500


class RidgeFamily(Family):
    """``||y - X w||^2 + alpha ||w||^2``: every solver of Ridge minimises the same objective."""

    estimator_class = Ridge
    hyperparameters = {"alpha": Hyperparameter(regularizes=1, per=("target",))}
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

    def configuration_obstacle(self, estimator):
        if estimator.positive:
            return "positive=True adds constraints"
        if estimator.solver == "lbfgs":
            return "solver='lbfgs' is for positive=True only"
        return None

    def encode(self, labels):
        y = check_array(labels, ensure_2d=False, dtype=np.float64)
        return y.reshape(len(y), -1)

    def training_weight(self, estimator, labels, weight):
        return weight

    def shape(self, per, y):
        if per != "target":
            return ()
        if np.ndim(y) < 2:
            raise ValueError("Continuous(per='target') needs y of shape (n_samples, n_targets).")
        return (np.shape(y)[1],)

    def term(self, estimator, name, block, validation_loss):
        penalty = L2Penalty(name)
        block = narrowed(block, center=estimator.fit_intercept, most=MAX_GRAM)
        if block.X.shape[1] > MAX_GRAM:
            problem = LinearProblem(
                block, penalty, HalfSquaredError(), fit_intercept=estimator.fit_intercept
            )
            return Term(problem, PredictionLoss(problem, block, validation_loss), block)
        problem = GramRidge(block, penalty, fit_intercept=estimator.fit_intercept)
        squared = isinstance(validation_loss.loss(block.y.shape[1]), HalfSquaredError)
        outer = QuadraticLoss if squared else PredictionLoss
        return Term(problem, outer(problem, block, validation_loss), block)

    def install(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        single = labels.ndim == 1
        fitted.coef_ = coef[0] if single else coef
        fitted.intercept_ = intercept[0] if single else intercept
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class RidgeClassifierFamily(ClassifierFamily, RidgeFamily):
    """Ridge on classes coded as -1 and 1."""

    estimator_class = RidgeClassifier
    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    losses = frozenset({"coded_squared_error", "balanced_coded_squared_error"})
    surrogates = ("coded_squared_error", "balanced_coded_squared_error")

    def encode(self, labels):
        return LabelBinarizer(neg_label=-1, pos_label=1).fit_transform(labels).astype(float)

    def training_weight(self, estimator, labels, weight):
        if estimator.class_weight is None:
            return weight
        return weight * compute_sample_weight(estimator.class_weight, labels)

    def install(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_, fitted.intercept_ = coef, intercept
        fitted._label_binarizer = LabelBinarizer(neg_label=-1, pos_label=1).fit(labels)
        fitted.classes_ = fitted._label_binarizer.classes_
        fitted.n_features_in_ = coef.shape[1]
        return fitted


@family.register
def _(estimator: Ridge):
    return RidgeFamily()


@family.register
def _(estimator: RidgeClassifier):
    return RidgeClassifierFamily()
