"""Logistic regression, binary and multinomial, of scikit-learn and of ``linear_model``.

The estimators minimise, over coefficients w and unpenalised intercepts b, ::

    C * sum_i s_i log_loss(y_i, x_i w + b)  +  r * |w|_1  +  (1 - r) / 2 ||w||^2

with sample weights s (times class weights) and the ``l1_ratio`` r, which is 0 by default. ``C`` is
tuned, and ``l1_ratio`` where ``solver="saga"`` takes any. With r = 0 a vector of C divides the
squares of single coefficients, ``1/2 sum_j w_j^2 / C_j``. Predictions are logits, solved by
Newton's method: for all weights (LinearProblem) or, where there is an L1 penalty, for those that
are not zero (SparseLinearProblem). They are differentiated implicitly. Configurations with another
objective are refused, such as liblinear with an intercept, which it penalises.
"""

import dataclasses

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils import compute_class_weight

from sklearn_hypergrad import linear_model
from sklearn_hypergrad.adapters.base import (
    EXACT,
    FITS,
    L1_RATIO,
    VECTORS,
    WARM_FITS,
    Hyperparameter,
    LinearFamily,
    ProbabilisticFamily,
    family,
    narrowed,
    only,
)
from sklearn_hypergrad.adapters.model import LinearModel, SparseLinearModel
from sklearn_hypergrad.hypergradients import WarmStart
from sklearn_hypergrad.losses import LogisticLoss, MultinomialLoss
from sklearn_hypergrad.problems import (
    ElasticNetPenalty,
    L2Penalty,
    LaplaceEvidence,
    LinearProblem,
    SparseLinearProblem,
    effective_dof,
    hat_trace,
)
from sklearn_hypergrad.tuning import FINE

# Largest number of rows for which wide data are written in a basis of their row space. Measured:
# the eigendecomposition of so many rows takes about 2 s on one core, once per split, and its cost
# grows with the cube; larger data are solved by conjugate gradients on X itself.
MAX_ROWS = 2000
# Largest number of features of which an evidence is computed. Chosen by hand: the factor of a
# matrix of this size takes a fraction of a second, and its inverse three times as long.
MAX_WEIGHTS = 1000
# Solvers of estimators with an L1 penalty.
SPARSE = ("saga", "liblinear")


class LogisticFamily(ProbabilisticFamily, LinearFamily):
    """LogisticRegression, binary or multinomial.

    Parameters
    ----------
    estimator : LogisticRegression
        Its penalty decides whether there may be several values of C.
    """

    # Shrinkage 1 in nats: measured for vectors on 60 regression and 32 classification data sets,
    # where 0.7 to 1.4 did about equally well.
    estimator_class = LogisticRegression
    vector_class = linear_model.LogisticRegression
    hyperparameters = {
        "C": Hyperparameter(regularizes=-1, per=("transformer",), shrinkage=1.0),
        "l1_ratio": L1_RATIO,
    }
    conditions = (
        "``l1_ratio`` with ``solver='saga'``; not with ``dual=True``, ``warm_start=True``, or an "
        "intercept penalised by ``solver='liblinear'``"
    )
    largest_matrix = MAX_ROWS
    minimises = "log_loss"
    knows_scales = True

    def __init__(self, estimator):
        # Only squares can be divided by a C of their own.
        if ratio_of(estimator):
            one = dataclasses.replace(self.hyperparameters["C"], per=())
            self.hyperparameters, self.vector_class = {**self.hyperparameters, "C": one}, None

    def configuration_obstacle(self, estimator):
        solver, ratio = estimator.solver, ratio_of(estimator)
        if estimator.penalty is None:
            return "penalty=None has no C"
        if ratio and solver not in SPARSE:
            return f"solver={solver!r} has no L1 penalty: use 'saga'"
        if 0 < ratio < 1 and solver != "saga":
            return f"solver={solver!r} has no mixed penalty: use 'saga'"
        if solver == "liblinear" and estimator.fit_intercept:
            return "solver='liblinear' penalises the intercept"
        for name in ("dual", "warm_start"):
            if getattr(estimator, name):
                return f"{name}=True"
        return None

    def unused(self, estimator, name):
        if name != "l1_ratio":
            return None
        if estimator.penalty not in ("deprecated", "elasticnet"):
            return f"penalty={estimator.penalty!r} sets it: leave penalty out"
        if estimator.solver != "saga":
            return f"solver={estimator.solver!r} takes no values between 0 and 1: use 'saga'"
        return None

    def rows_from(self, estimator):
        # From a solution saga leaves it first, and liblinear always starts at zero.
        if getattr(estimator, "solver", None) in SPARSE:
            return EXACT
        # Other classes of this family may start anywhere.
        known = hasattr(estimator, "solver") and hasattr(estimator, "warm_start")
        return WARM_FITS if known else FITS

    def training_weight(self, estimator, labels, weight):
        if estimator.class_weight is None:
            return weight
        classes, codes = np.unique(labels, return_inverse=True)
        of_class = compute_class_weight(
            estimator.class_weight, classes=classes, y=labels, sample_weight=weight
        )
        return weight * of_class[codes]

    def model(self, estimator, data, entries, seed):
        loss = LogisticLoss() if data.y.shape[1] == 1 else MultinomialLoss()
        intercept, ratio = estimator.fit_intercept, ratio_of(estimator)
        if ratio or "l1_ratio" in entries:
            own = {"C": estimator.C, "l1_ratio": ratio}
            penalty = ElasticNetPenalty("C", own, inverse=True)
            problem = SparseLinearProblem(data, penalty, loss, fit_intercept=intercept)
            return SparseLinearModel(problem, data, 0.5 if "l1_ratio" in entries else ratio)
        name, index = only(entries)
        penalty = L2Penalty.of(name, index, data, inverse=True)
        if penalty.uniform:
            data = narrowed(data, center=intercept, most=MAX_ROWS)
        return LinearModel(LinearProblem(data, penalty, loss, fit_intercept=intercept), data)

    def evidence_obstacle(self, estimator, data):
        if data.y.shape[1] > 1:
            return (
                f"search_cv='evidence' is for two classes, and y has {data.y.shape[1]}. Leave "
                f"search_cv='auto'."
            )
        n_rows, n_features = data.X.shape
        if n_features > min(MAX_WEIGHTS, n_rows):
            return (
                f"search_cv='evidence' factorises a matrix of the size of features, and "
                f"{n_features} of {n_rows} rows are too many for that. Leave search_cv='auto'."
            )
        return None

    def evidence(self, estimator, data, entries, n_samples):
        return LaplaceEvidence(self.model(estimator, data, entries, None).problem)

    @property
    def knows_dof(self):
        """Whether models are those of this class; subclasses may minimise something else."""
        return type(self).model is LogisticFamily.model

    def effective_dof(self, fitted, data, h):
        if ratio_of(fitted) or min(data.X.shape) > MAX_ROWS:
            return None
        if data.y.shape[1] > 1:
            return self._dof_of_classes(fitted, data, h)
        (C,) = map(float, h.values())
        z = data.X @ fitted.coef_[0] + fitted.intercept_[0]
        curvature = data.weights[0] * LogisticLoss().factor(data.y[:, 0], z)
        data = dataclasses.replace(data, weights=[curvature])
        return hat_trace(data, 1 / C, fit_intercept=fitted.fit_intercept)

    def _dof_of_classes(self, fitted, data, h):
        model, start = self.model(fitted, data, dict.fromkeys(h), 0), None
        problem = model.problem
        if not problem.factorises:
            return None
        if model.data.X is data.X:
            w = problem.weights(fitted.coef_[None], fitted.intercept_[None])
            start = WarmStart.at(w).solution
        solution = problem.solve(h, start, FINE)
        return float(effective_dof(problem, solution, problem.penalty.strength(h)).sum())

    def with_coefficients(self, estimator, coef, intercept, labels):
        fitted = clone(estimator)
        fitted.coef_, fitted.intercept_ = coef, intercept
        fitted.classes_ = np.unique(labels)
        fitted.n_features_in_ = coef.shape[1]
        return fitted


class VectorLogisticFamily(LogisticFamily):
    """LogisticRegression of ``linear_model``: C may be an array, one value per coefficient."""

    estimator_class = linear_model.LogisticRegression
    hyperparameters = {
        **LogisticFamily.hyperparameters,
        "C": Hyperparameter(regularizes=-1, per=VECTORS, shrinkage=1.0),
    }

    def vector_shape(self, per, n_features, n_outputs):
        return (n_features,) if per == "feature" else (n_outputs, n_features)


def ratio_of(estimator):
    """The share of the L1 penalty that a fit of the estimator has."""
    named = {"l1": 1.0, "l2": 0.0}
    return named.get(estimator.penalty, float(estimator.l1_ratio or 0.0))


@family.register
def _(estimator: linear_model.LogisticRegression):
    return VectorLogisticFamily(estimator)


@family.register
def _(estimator: LogisticRegression):
    return LogisticFamily(estimator)
