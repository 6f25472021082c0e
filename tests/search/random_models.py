"""Random estimators of all families that can be searched, alone and behind transformers."""

import autograd.numpy as anp
import numpy as np
from random_data import chance, pick
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.feature_selection import SelectKBest, f_classif, f_regression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    GammaRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    TweedieRegressor,
)
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from sklearn_hypergrad import linear_model as vectors
from sklearn_hypergrad import neural_network as networks
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter

# Fits stop late: those of the rows are compared with each other, not with converged solutions.
TIGHT = 1e-11


class SoftRidge(DifferentiableRegressor):
    """Least squares with a penalty between those of lasso and ridge."""

    hyperparameters = {"alpha": Hyperparameter(), "width": Hyperparameter()}

    def __init__(self, alpha=1.0, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}

    def forward(self, w, X, h):
        return X @ w["coef"] + w["intercept"]

    def penalty(self, w, h):
        return h["alpha"] * anp.sum(anp.sqrt(w["coef"] ** 2 + h["width"] ** 2))


def _own(rng):
    """A value of the estimator itself, mostly far from the best one."""
    return pick(rng, [1.0, 10 ** rng.uniform(-4, 4)])


def ridge(rng):
    solver = pick(rng, ["auto", "cholesky", "svd", "lsqr", "sparse_cg"], [4, 2, 1, 1, 1])
    own = pick(rng, [_own(rng), 0.0], [9, 1])
    return Ridge(own, solver=solver, tol=TIGHT, fit_intercept=chance(rng, 0.8))


def ridge_classifier(rng):
    weight = pick(rng, [None, "balanced"])
    return RidgeClassifier(_own(rng), class_weight=weight, fit_intercept=chance(rng, 0.8))


def logistic(rng):
    solver = pick(rng, ["newton-cholesky", "lbfgs", "newton-cg"], [8, 1, 1])
    weight = pick(rng, [None, "balanced"], [4, 1])
    return LogisticRegression(
        C=_own(rng),
        solver=solver,
        class_weight=weight,
        fit_intercept=chance(rng, 0.8),
        tol=1e-9,
        max_iter=1000,
    )


def log_link(rng):
    options = {
        "alpha": _own(rng),
        "solver": pick(rng, ["newton-cholesky", "lbfgs"], [3, 1]),
        "fit_intercept": chance(rng, 0.8),
        "tol": 1e-9,
        "max_iter": 1000,
    }
    kind = pick(rng, ["poisson", "gamma", "tweedie"])
    if kind == "tweedie":
        return TweedieRegressor(
            power=pick(rng, [0, 1, 1.5, 2, 3]), link=pick(rng, ["auto", "log"]), **options
        )
    return (PoissonRegressor if kind == "poisson" else GammaRegressor)(**options)


def kernel_ridge(rng):
    kernel = pick(rng, ["rbf", "linear", "poly", "laplacian"], [3, 1, 1, 1])
    return KernelRidge(_own(rng), kernel=kernel, gamma=pick(rng, [None, 0.1]), degree=2)


def discriminant(rng):
    solver = pick(rng, ["lsqr", "eigen", "svd"], [4, 4, 1])
    own = None if solver == "svd" else pick(rng, [None, "auto", 0.3])
    priors = pick(rng, [None, "uneven"], [4, 1])
    return LinearDiscriminantAnalysis(
        solver=solver, shrinkage=own, priors=None if priors is None else [0.8, 0.2]
    )


def quadratic(rng):
    priors = pick(rng, [None, [0.8, 0.2]], [4, 1])
    return QuadraticDiscriminantAnalysis(reg_param=pick(rng, [0.0, 0.3]), priors=priors)


def gaussian_bayes(rng):
    priors = pick(rng, [None, [0.8, 0.2]], [4, 1])
    return GaussianNB(priors=priors, var_smoothing=pick(rng, [1e-9, 0.1]))


def discrete_bayes(rng):
    """They get counts below ten."""
    options = {
        "alpha": pick(rng, [1.0, 1e-3, 0.0], [4, 2, 1]),
        "fit_prior": chance(rng, 0.8),
        "force_alpha": chance(rng, 0.9),
    }
    kind = pick(rng, ["multinomial", "complement", "bernoulli", "categorical"])
    if kind == "categorical":
        return CategoricalNB(min_categories=pick(rng, [10, None], [3, 1]), **options)
    if kind == "bernoulli":
        return BernoulliNB(binarize=pick(rng, [0.0, 1.5, None], [3, 3, 1]), **options)
    return MultinomialNB(**options) if kind == "multinomial" else ComplementNB(**options)


def vector_ridge(rng):
    return vectors.Ridge(_own(rng), fit_intercept=chance(rng, 0.8))


def vector_ridge_classifier(rng):
    return vectors.RidgeClassifier(_own(rng), fit_intercept=chance(rng, 0.8))


def vector_logistic(rng):
    return vectors.LogisticRegression(C=_own(rng), fit_intercept=chance(rng, 0.8))


def own_model(rng):
    return SoftRidge(width=pick(rng, [0.1, 10.0]))


def network(rng, classifier):
    """A few steps of training: enough to be differentiated."""
    if chance(rng, 0.5):
        kind = networks.MLPClassifier if classifier else networks.MLPRegressor
        return kind((2,), activation="tanh", n_steps=8, random_state=0)
    kind = MLPClassifier if classifier else MLPRegressor
    return kind(
        (2,), activation="tanh", solver="sgd", max_iter=6, n_iter_no_change=20, random_state=0
    )


def regression_network(rng):
    return network(rng, False)


def classification_network(rng):
    return network(rng, True)


def lasso(rng):
    return Lasso(_own(rng), tol=1e-8)


def neighbors(rng):
    return KNeighborsClassifier()


REAL, LABELS = ("regression", "regression", "outputs"), ("binary", "multiclass")
# Name of a family: (its estimators, tasks, names of what is searched).
FAMILIES = {
    "ridge": (ridge, REAL, ("alpha",)),
    "ridge_classifier": (ridge_classifier, LABELS, ("alpha",)),
    "logistic": (logistic, ("binary", "binary", "multiclass"), ("C",)),
    "log_link": (log_link, ("positive",), ("alpha",)),
    "kernel_ridge": (kernel_ridge, REAL, ("alpha", "gamma")),
    "discriminant": (discriminant, LABELS, ("shrinkage",)),
    "quadratic": (quadratic, LABELS, ("reg_param",)),
    "gaussian_bayes": (gaussian_bayes, LABELS, ("var_smoothing",)),
    "discrete_bayes": (discrete_bayes, LABELS, ("alpha",)),
    "vector_ridge": (vector_ridge, REAL, ("alpha",)),
    "vector_ridge_classifier": (vector_ridge_classifier, LABELS, ("alpha",)),
    "vector_logistic": (vector_logistic, LABELS, ("C",)),
    "own_model": (own_model, ("regression",), ("alpha", "width")),
    "regression_network": (regression_network, ("regression",), ("alpha", "learning_rate_init")),
    "classification_network": (classification_network, LABELS, ("alpha", "learning_rate_init")),
    "lasso": (lasso, ("regression",), ("alpha",)),
    "neighbors": (neighbors, LABELS, ("n_neighbors",)),
}
# How many of 40 consecutive seeds have which family: that of a seed is known without drawing it.
SHARES = {
    "ridge": 10,
    "ridge_classifier": 4,
    "logistic": 8,
    "log_link": 4,
    "kernel_ridge": 3,
    "discriminant": 1,
    "quadratic": 1,
    "bayes": 1,
    "vector_ridge": 2,
    "vector_ridge_classifier": 1,
    "vector_logistic": 1,
}
BAYES = "gaussian_bayes", "discrete_bayes"
RARE = ("own_model", "regression_network", "classification_network")


def family_of(seed):
    """The name of the family of a seed."""
    turn, place = divmod(seed, 40)
    cycle = [name for name, share in SHARES.items() for _ in range(share)]
    cycle += ["lasso", "neighbors", *(RARE[:2] if turn % 2 else [RARE[2], "vector_logistic"])]
    name = cycle[place * 7 % 40]
    return BAYES[turn % 2] if name == "bayes" else name


def wrapped(rng, final, data, task):
    """``(estimator, prefix of names of the final step, enumerated settings beside)``."""
    beside = _beside(rng, final)
    if not data.mixed and chance(rng, 0.5):
        if chance(rng, 0.03) and task == "regression":
            return TransformedTargetRegressor(final), "regressor__", {}
        return final, "", beside
    steps = _steps(rng, data, task)
    settings = {f"final__{key}": values for key, values in beside.items()}
    if chance(rng, 0.3):
        settings |= _settings_of_steps(rng, steps)
    if chance(rng, 0.1):
        inner = Pipeline([steps[-1], ("final", final)])
        pipeline = Pipeline([*steps[:-1], ("inner", inner)])
        settings = {
            f"inner__{key}" if key.startswith(("final__", steps[-1][0])) else key: values
            for key, values in settings.items()
        }
        return pipeline, "inner__final__", settings
    pipeline = Pipeline([*steps, ("final", final)])
    if hasattr(data.X, "columns") and chance(rng, 0.3):
        pipeline.set_output(transform="pandas")
    return pipeline, "final__", settings


def _beside(rng, final):
    if chance(rng, 0.15) and hasattr(final, "fit_intercept"):
        return {"fit_intercept": [True, False]}
    if chance(rng, 0.15) and hasattr(final, "class_weight"):
        return {"class_weight": [None, "balanced"]}
    return {}


def _steps(rng, data, task):
    """Transformers, the first of which can take these data."""
    sparse = hasattr(data.X, "tocsr")
    kinds = {
        "scale": lambda: StandardScaler(with_mean=not sparse),
        "select": lambda: SelectKBest(f_classif if task in LABELS else f_regression, k=1),
        "reduce": lambda: _reduction(rng, sparse),
        "powers": lambda: PolynomialFeatures(2, include_bias=chance(rng, 0.3)),
    }
    if not sparse:
        kinds["bound"] = MinMaxScaler
    if task == "outputs":
        del kinds["select"]
    if np.shape(data.X)[1] > 6:
        del kinds["powers"]
    names = rng.permutation(sorted(kinds))[: pick(rng, [1, 2], [3, 1])]
    steps = [(str(name), kinds[name]()) for name in names]
    return [("columns", _columns(rng)), *steps[: chance(rng, 0.3)]] if data.mixed else steps


def _reduction(rng, sparse):
    return TruncatedSVD(1, random_state=0) if sparse else PCA(pick(rng, [1, None]), random_state=0)


def _columns(rng):
    """Text is encoded, and numbers are scaled; an unknown city may make a fit fail."""
    unknown = pick(rng, ["ignore", "error"], [4, 1])
    encoder = OneHotEncoder(handle_unknown=unknown, sparse_output=False)
    return ColumnTransformer([("text", encoder, ["city"])], remainder=StandardScaler())


def _settings_of_steps(rng, steps):
    known = {
        "select": ("select__k", [1, "all"]),
        "reduce": ("reduce__n_components", [1, 2]),
        "scale": ("scale", [StandardScaler(with_mean=False), "passthrough"]),
    }
    return dict([known[steps[0][0]]]) if steps[0][0] in known else {}
