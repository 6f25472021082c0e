"""Logistic regression, binary and multinomial, of scikit-learn and of ``linear_model``.

The estimators minimise, over coefficients w and unpenalised intercepts b, ::

    C * sum_i s_i log_loss(y_i, x_i w + b)  +  1/2 ||w||^2

with sample weights s (times class weights). ``C`` is tuned; a vector of them divides the squares of
single coefficients, ``1/2 sum_j w_j^2 / C_j``. Predictions are logits, solved by Newton's method
(LinearProblem) and differentiated implicitly. Configurations with another objective are refused: L1
penalties, and liblinear with an intercept, which it penalises.
"""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import compute_class_weight

from sklearn_hypergrad import linear_model
from sklearn_hypergrad.adapters.base import (
    FITS,
    VECTORS,
    WARM_FITS,
    Hyperparameter,
    LinearFamily,
    ProbabilisticFamily,
    family,
    narrowed,
    only,
)
from sklearn_hypergrad.adapters.model import LinearModel
from sklearn_hypergrad.losses import LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import L2Penalty, LinearProblem

# Largest number of rows for which wide data are written in a basis of their row space. Measured:
# the eigendecomposition of so many rows takes about 2 s on one core, once per split, and its cost
# grows with the cube; larger data are solved by conjugate gradients on X itself.
MAX_ROWS = 2000


class LogisticFamily(ProbabilisticFamily, LinearFamily):
    """LogisticRegression: ``C sum_i s_i log_loss_i + ||w||^2 / 2``, binary or multinomial."""

    # Shrinkage 1 in nats: measured for vectors on 60 regression and 32 classification data sets,
    # where 0.7 to 1.4 did about equally well.
    estimator_class = LogisticRegression
    vector_class = linear_model.LogisticRegression
    hyperparameters = {"C": Hyperparameter(regularizes=-1, per=("transformer",), shrinkage=1.0)}
    conditions = (
        "L2 penalty; not with ``dual=True``, ``warm_start=True``, or an intercept penalised by "
        "``solver='liblinear'``"
    )
    largest_matrix = MAX_ROWS
    minimises = "log_loss"
    knows_scales = True

    def configuration_obstacle(self, estimator):
        if estimator.penalty not in ("deprecated", "l2"):
            return f"penalty={estimator.penalty!r}, only L2 is supported"
        if estimator.l1_ratio not in (0, None):
            return f"l1_ratio={estimator.l1_ratio!r}, only L2 (l1_ratio=0) is supported"
        if estimator.solver == "liblinear" and estimator.fit_intercept:
            return "solver='liblinear' penalises the intercept"
        for name in ("dual", "warm_start"):
            if getattr(estimator, name):
                return f"{name}=True"
        return None

    def rows_from(self, estimator):
        # liblinear always starts at zero, and other classes of this family may start anywhere.
        starts = getattr(estimator, "solver", "liblinear") != "liblinear"
        return WARM_FITS if starts and hasattr(estimator, "warm_start") else FITS

    def training_weight(self, estimator, labels, weight):
        if estimator.class_weight is None:
            return weight
        classes, codes = np.unique(labels, return_inverse=True)
        of_class = compute_class_weight(
            estimator.class_weight, classes=classes, y=labels, sample_weight=weight
        )
        return weight * of_class[codes]

    def model(self, estimator, data, entries, seed):
        name, index = only(entries)
        intercept = estimator.fit_intercept
        penalty = L2Penalty(name, inverse=True, entries=index)
        if penalty.uniform:
            data = narrowed(data, center=intercept, most=MAX_ROWS)
        loss = LogisticLoss() if data.y.shape[1] == 1 else MultinomialLoss()
        return LinearModel(LinearProblem(data, penalty, loss, fit_intercept=intercept), data)

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_, fitted.intercept_ = coef, intercept
        fitted.classes_ = np.unique(labels)
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class VectorLogisticFamily(LogisticFamily):
    """LogisticRegression of ``linear_model``: C may be an array, one value per coefficient."""

    estimator_class = linear_model.LogisticRegression
    hyperparameters = {"C": Hyperparameter(regularizes=-1, per=VECTORS, shrinkage=1.0)}

    def vector_shape(self, per, n_features, n_outputs):
        return (n_features,) if per == "feature" else (n_outputs, n_features)


@family.register
def _(estimator: linear_model.LogisticRegression):
    return VectorLogisticFamily()


@family.register
def _(estimator: LogisticRegression):
    return LogisticFamily()
