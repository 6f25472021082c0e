"""The table of families: one row each, and every row has to pass the same tests."""

import dataclasses
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from sklearn import linear_model as sklearn_linear
from sklearn import neural_network as sklearn_networks
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import KFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR

from sklearn_hypergrad import kernel_ridge, linear_model, neural_network, svm
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.differentiable import (
    DifferentiableClassifier,
    DifferentiableRegressor,
    Hyperparameter,
    flat,
)
from sklearn_hypergrad.hypergradients import Reverse
from sklearn_hypergrad.problems import SplitData
from sklearn_hypergrad.training import Momentum

N_SAMPLES, N_FEATURES = 42, 5
# Solvers are to be as exact as floating point allows.
TOL = 1e-13


class Robust(DifferentiableRegressor):
    """Linear regression with the pseudo-Huber loss, minimised."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1), "width": Hyperparameter()}

    def __init__(self, alpha=0.1, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return anp.zeros(X.shape[1] + 1)

    def forward(self, w, X, h):
        return anp.dot(X, w[:-1]) + w[-1]

    def loss(self, y, z, h):
        return h["width"] ** 2 * (anp.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * anp.sum(w[:-1] ** 2)


class TwoLayers(DifferentiableClassifier):
    """A network that is trained for some steps."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    dynamics = Momentum()

    def __init__(self, alpha=1e-3, learning_rate_init=0.2, momentum=0.5, n_steps=8):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps
        self.batch_size = None
        self.random_state = 0

    def initial(self, X, y, rng):
        return {"W": rng.normal(size=(X.shape[1], 3)), "V": rng.normal(size=(3, *y.shape[1:]))}

    def forward(self, w, X, h):
        return anp.dot(anp.tanh(anp.dot(X, w["W"])), w["V"])

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * anp.sum(flat(w) ** 2)


@dataclasses.dataclass(frozen=True)
class Row:
    """A family, or a configuration of one.

    Attributes
    ----------
    name : str
    estimator : estimator
        Whose own solver is as exact as it can be.
    targets : str
        Which targets, see ``targets_of``.
    h : dict of str -> number or ndarray
        Hyperparameters and their values.
    scoring : tuple
        Scores whose value the model knows; the default score is None.
    entries : dict of str -> ndarray
        For a vector, which entry belongs to which coefficient.
    weighted : bool
        Whether ``fit`` takes sample weights of which 2 is the same as a row twice.
    sparse : str
        "", or why sparse X cannot be differentiated.
    obstacles : tuple of (dict, str)
        Parameters that cannot be differentiated, and what the search says of them.
    method : Hypergradient or None
        How its training is differentiated; None is the usual way.
    counts : bool
        Whether X are small counts, which are also categories.
    expressed : callable or None
        ``(method, output)`` of an estimator from ``z``, if it is not the usual one.
    own : bool
        Whether it is a model that is defined here.
    rtol : float
        Accuracy of the pullback.
    fit_rtol : float
        Accuracy of fits of the estimator by its own solver.
    """

    name: str
    estimator: Any
    targets: str
    h: dict
    _: dataclasses.KW_ONLY
    scoring: tuple = ()
    entries: dict = dataclasses.field(default_factory=dict)
    weighted: bool = True
    sparse: str = ""
    obstacles: tuple = ()
    method: Any = None
    counts: bool = False
    expressed: Any = None
    own: bool = False
    rtol: float = 1e-8
    fit_rtol: float = 1e-6

    @property
    def family(self):
        return family(self.estimator)

    def data(self):
        """``(X, y)``; a third of X is zero."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(N_SAMPLES, N_FEATURES))
        X[rng.uniform(size=X.shape) < 0.3] = 0.0
        y = targets_of(self.targets, X, rng)
        return np.minimum(np.round(2 * np.abs(X)), 3.0) if self.counts else X, y

    def splits(self):
        return list(KFold(2, shuffle=True, random_state=1).split(np.empty(N_SAMPLES)))

    def split_data(self, X, y, splits, weight=None):
        """The data of the splits, as the family takes them."""
        known, n_samples = self.family, len(y)
        labels = known.labels(y)
        weight = np.ones(n_samples) if weight is None else weight
        data = SplitData(
            X=X,
            y=known.encode(labels),
            trains=[train for train, _ in splits],
            tests=[test for _, test in splits],
            weights=[
                known.training_weight(self.estimator, labels[train], weight[train])
                for train, _ in splits
            ],
            score_weight=np.ones(n_samples),
            labels=labels,
        )
        return data.in_batches(1 if known.one_split else len(splits))

    def models(self, X=None, y=None, splits=None, weight=None):
        """The models of all splits of the data of the row, or of others."""
        own_X, own_y = self.data()
        X, y = own_X if X is None else X, own_y if y is None else y
        parts = self.split_data(X, y, self.splits() if splits is None else splits, weight)
        entries = {name: self.entries.get(name) for name in self.h}
        known, estimator = self.family, clone(self.estimator)
        models = [known.model(estimator, part, entries, 0) for part in parts]
        return [model.differentiated(self.method) for model in models]

    def fits(self):
        """``(estimator, test rows)`` of every split, fitted by its own fit."""
        X, y = self.data()
        return [
            (clone(self.estimator).set_params(**self.h).fit(X[train], y[train]), test)
            for train, test in self.splits()
        ]


def targets_of(kind, X, rng):
    signal = X @ rng.normal(size=(N_FEATURES, 2)) + rng.normal(size=(N_SAMPLES, 2))
    if kind == "numbers":
        return signal[:, 0] + 3
    if kind == "outliers":
        return signal[:, 0] + 3 + 12 * (np.arange(N_SAMPLES) % 7 == 0)
    if kind == "several":
        return signal + 3
    if kind == "positive":
        return np.exp(0.5 * signal[:, 0])
    if kind == "counts":
        return rng.poisson(np.exp(0.5 * signal[:, 0])).astype(float)
    if kind == "large counts":
        return rng.poisson(150 * np.exp(0.3 * signal[:, 0])).astype(float)
    if kind == "labels":
        return (np.column_stack([signal, signal.sum(axis=1)]) > 0).astype(int)
    names = np.array([0, 1] if kind == "two classes" else ["a", "b", "c"])
    return names[np.argsort(np.argsort(signal[:, 0])) * len(names) // N_SAMPLES]


def behind(step, model):
    """A pipeline of a step and a model, in which the last one has the usual name."""
    return Pipeline([("step", step), ("model", model)])


NUMBERS = (None, "neg_mean_squared_error", "neg_root_mean_squared_error")
CLASSES = ("neg_log_loss", "neg_brier_score")
PER_FEATURE = np.arange(N_FEATURES)[:, None]
VECTOR = np.geomspace(0.2, 5.0, N_FEATURES)
LOGISTIC = {"solver": "newton-cholesky", "tol": 1e-12}
# L-BFGS ends where the objective falls by less than 1e-9 of it, whatever the tolerance.
STOPPED = 1e-3
HUBER = {"tol": 1e-12, "max_iter": 10**5}
PRECISE = {"dual": True, "tol": 1e-10, "max_iter": 10**5, "random_state": 0}
SAGA = {"solver": "saga", "tol": 1e-11, "max_iter": 100000, "random_state": 0}
GLM = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 300}
# Libsvm keeps its kernel in single precision.
EXACT_MACHINE = {"tol": 1e-9}
DESCENT = {"tol": 1e-12, "max_iter": 10**6}
SMALL = {"hidden_layer_sizes": (3,), "activation": "tanh", "random_state": 0}
OURS = {**SMALL, "n_steps": 9}
THEIRS = {**SMALL, "solver": "sgd", "max_iter": 4, "tol": 0.0}
OF_NETWORKS = {"alpha": 0.02, "learning_rate_init": 0.2, "momentum": 0.5}
OURS_TUNED = {**OF_NETWORKS, "init_scale": 0.9}
EARLY = ({"early_stopping": True}, "early_stopping")
NO_AUTOGRAD = "autograd has dense arrays only"
COUNTED = (
    ({"alpha": np.ones(N_FEATURES)}, "alpha is an array"),
    ({"force_alpha": False}, "force_alpha=False"),
)
NO_FUNCTIONS = {"func": None, "inverse_func": None}
LIBLINEAR = sklearn_linear.LogisticRegression(solver="liblinear")
POSITIVE = ({"positive": True}, "positive=True adds constraints")

ROWS = [
    Row(
        "ridge",
        sklearn_linear.Ridge(),
        "numbers",
        {"alpha": 0.7},
        scoring=NUMBERS,
        obstacles=(POSITIVE, ({"solver": "lbfgs", "positive": True}, "positive=True")),
    ),
    Row(
        "ridge, several targets",
        sklearn_linear.Ridge(fit_intercept=False),
        "several",
        {"alpha": 0.7},
        scoring=NUMBERS,
    ),
    Row(
        "ridge per feature",
        linear_model.Ridge(),
        "numbers",
        {"alpha": VECTOR},
        entries={"alpha": PER_FEATURE},
        scoring=NUMBERS,
        obstacles=(POSITIVE,),
    ),
    Row(
        "ridge classifier",
        sklearn_linear.RidgeClassifier(),
        "three classes",
        {"alpha": 0.7},
        obstacles=(POSITIVE,),
    ),
    Row(
        "ridge classifier, several labels",
        sklearn_linear.RidgeClassifier(),
        "labels",
        {"alpha": 0.7},
    ),
    Row(
        "ridge classifier per feature",
        linear_model.RidgeClassifier(),
        "two classes",
        {"alpha": VECTOR},
        entries={"alpha": PER_FEATURE},
        obstacles=(POSITIVE,),
    ),
    Row(
        "logistic",
        sklearn_linear.LogisticRegression(**LOGISTIC),
        "two classes",
        {"C": 0.6},
        scoring=CLASSES,
        obstacles=(
            ({"warm_start": True}, "warm_start=True"),
            ({"solver": "liblinear"}, "penalises the intercept"),
        ),
    ),
    Row(
        "logistic, three classes",
        sklearn_linear.LogisticRegression(**LOGISTIC),
        "three classes",
        {"C": 0.6},
        scoring=CLASSES,
    ),
    Row(
        "logistic per feature",
        linear_model.LogisticRegression(**LOGISTIC),
        "three classes",
        {"C": VECTOR},
        entries={"C": PER_FEATURE},
        scoring=CLASSES,
        obstacles=(({"warm_start": True}, "warm_start=True"),),
    ),
    Row(
        "logistic with an elastic net",
        sklearn_linear.LogisticRegression(l1_ratio=0.1, **SAGA),
        "two classes",
        {"C": 0.6, "l1_ratio": 0.5},
        scoring=CLASSES,
        obstacles=(({"warm_start": True}, "warm_start=True"),),
    ),
    Row(
        "logistic with an L1 penalty, three classes",
        sklearn_linear.LogisticRegression(l1_ratio=1.0, **SAGA),
        "three classes",
        {"C": 0.6},
        scoring=CLASSES,
    ),
    Row(
        "poisson",
        sklearn_linear.PoissonRegressor(**GLM),
        "counts",
        {"alpha": 0.2},
        scoring=(*NUMBERS, "r2", "neg_mean_absolute_error", "neg_mean_poisson_deviance"),
    ),
    Row(
        "poisson, large counts",
        sklearn_linear.PoissonRegressor(**GLM),
        "large counts",
        {"alpha": 0.2},
        scoring=NUMBERS,
    ),
    Row(
        "gamma",
        sklearn_linear.GammaRegressor(**GLM),
        "positive",
        {"alpha": 0.2},
        scoring=(*NUMBERS, "neg_mean_gamma_deviance"),
    ),
    Row(
        "tweedie",
        sklearn_linear.TweedieRegressor(power=1.5, fit_intercept=False, **GLM),
        "positive",
        {"alpha": 0.2},
        scoring=NUMBERS,
        obstacles=(
            ({"power": 0}, "link='auto' with power=0 is the identity"),
            ({"link": "identity", "power": 0}, "link='identity'"),
            ({"power": 3}, "convex from 1 to 2 only"),
        ),
    ),
    Row(
        "linear support vector regression",
        LinearSVR(loss="squared_epsilon_insensitive", epsilon=0.0, **PRECISE),
        "numbers",
        {"C": 0.3, "epsilon": 0.2},
        scoring=NUMBERS,
        obstacles=(({"loss": "epsilon_insensitive"}, "'squared_epsilon_insensitive' is searched"),),
    ),
    Row(
        "linear support vectors",
        LinearSVC(class_weight={0: 2.0, 1: 0.5}, **PRECISE),
        "two classes",
        {"C": 0.3},
        obstacles=(
            ({"loss": "hinge"}, "loss='hinge' has no curvature"),
            ({"penalty": "l1", "dual": False}, "penalty='l2' is searched"),
            ({"multi_class": "crammer_singer"}, "multi_class='ovr' is searched"),
        ),
    ),
    Row(
        "linear support vectors, three classes",
        LinearSVC(class_weight="balanced", intercept_scaling=2.0, **PRECISE),
        "three classes",
        {"C": 0.5},
    ),
    Row(
        "huber",
        sklearn_linear.HuberRegressor(**HUBER),
        "outliers",
        {"alpha": 0.7, "epsilon": 2.8},
        scoring=NUMBERS,
        fit_rtol=STOPPED,
    ),
    Row(
        "huber without an intercept",
        sklearn_linear.HuberRegressor(fit_intercept=False, **HUBER),
        "outliers",
        {"alpha": 0.7, "epsilon": 2.8},
        fit_rtol=STOPPED,
    ),
    Row(
        "lasso",
        sklearn_linear.Lasso(**DESCENT),
        "numbers",
        {"alpha": 0.1},
        scoring=NUMBERS,
        obstacles=(POSITIVE,),
    ),
    Row(
        "elastic net, several targets",
        sklearn_linear.ElasticNet(fit_intercept=False, **DESCENT),
        "several",
        {"alpha": 0.4, "l1_ratio": 0.7},
        scoring=NUMBERS,
        obstacles=(POSITIVE,),
    ),
    Row(
        "lasso by least angles",
        sklearn_linear.LassoLars(),
        "numbers",
        {"alpha": 0.1},
        scoring=NUMBERS,
        weighted=False,
        sparse="takes no sparse X",
        obstacles=(POSITIVE, ({"jitter": 0.1}, "jitter adds noise")),
    ),
    Row(
        "lasso of several tasks",
        sklearn_linear.MultiTaskLasso(**DESCENT),
        "several",
        {"alpha": 0.4},
        scoring=NUMBERS,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "elastic net of several tasks",
        sklearn_linear.MultiTaskElasticNet(fit_intercept=False, **DESCENT),
        "several",
        {"alpha": 0.6, "l1_ratio": 0.7},
        scoring=NUMBERS,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "kernel ridge",
        KernelRidge(kernel="rbf"),
        "numbers",
        {"alpha": 0.3, "gamma": 0.2},
        scoring=NUMBERS,
        obstacles=(
            ({"kernel": np.dot}, "its kernel is a function"),
            ({"alpha": [0.1]}, "alpha is an array"),
        ),
    ),
    Row(
        "kernel ridge per feature",
        kernel_ridge.KernelRidge(kernel="rbf", alpha=0.3),
        "several",
        {"gamma": VECTOR},
        entries={"gamma": PER_FEATURE},
        scoring=NUMBERS,
    ),
    Row(
        "kernel ridge, several targets",
        KernelRidge(kernel="laplacian"),
        "several",
        {"alpha": 0.3, "gamma": 0.2},
        scoring=NUMBERS,
    ),
    Row(
        "kernel ridge with a polynomial",
        KernelRidge(kernel="poly"),
        "numbers",
        {"alpha": 0.3, "gamma": 0.2, "coef0": 0.6},
        scoring=NUMBERS,
    ),
    Row(
        "gaussian process",
        GaussianProcessRegressor(
            ConstantKernel(0.7) * RBF(1.5) + WhiteKernel(0.1), optimizer=None, normalize_y=True
        ),
        "several",
        {"alpha": 0.02, "kernel__k1__k1__constant_value": 2.0, "kernel__k1__k2__length_scale": 1.7},
        scoring=NUMBERS,
        weighted=False,
        sparse="takes no sparse X",
        obstacles=(({"alpha": np.full(21, 0.1)}, "alpha is an array"),),
    ),
    Row(
        "gaussian process, fixed bounds",
        GaussianProcessRegressor(
            Matern([0.5, 1.0, 2.0, 1.0, 3.0], "fixed", nu=1.5) + WhiteKernel(0.1, "fixed")
        ),
        "numbers",
        {"kernel__k2__noise_level": 0.2, "alpha": 0.1},
        scoring=NUMBERS,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "support vector classifier",
        SVC(class_weight={0: 1.0, 1: 2.0}, **EXACT_MACHINE),
        "two classes",
        {"C": 0.6, "gamma": 0.2},
        obstacles=(({"kernel": rbf_kernel}, "its kernel is a function"),),
    ),
    Row(
        "support vector classifier by nu",
        NuSVC(kernel="poly", degree=2, tol=1e-7),
        "two classes",
        {"nu": 0.4, "gamma": 0.3, "coef0": 1.2},
        fit_rtol=1e-5,
    ),
    Row(
        "support vector classifier per feature",
        svm.SVC(**EXACT_MACHINE),
        "two classes",
        {"gamma": VECTOR / 5},
        entries={"gamma": PER_FEATURE},
    ),
    Row(
        "support vector regressor",
        SVR(gamma="auto", **EXACT_MACHINE),
        "numbers",
        {"C": 1.3, "epsilon": 0.3},
        scoring=NUMBERS,
    ),
    Row(
        "support vector regressor by nu",
        NuSVR(kernel="sigmoid", gamma=0.1, **EXACT_MACHINE),
        "numbers",
        {"C": 1.3, "nu": 0.4, "coef0": 0.2},
    ),
    Row(
        "support vector regressor per feature",
        svm.SVR(kernel="poly", coef0=1.0, **EXACT_MACHINE),
        "numbers",
        {"gamma": VECTOR / 20},
        entries={"gamma": PER_FEATURE},
    ),
    Row(
        "discriminant analysis",
        LinearDiscriminantAnalysis(solver="lsqr"),
        "three classes",
        {"shrinkage": 0.2},
        scoring=CLASSES,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "discriminant analysis, two classes",
        LinearDiscriminantAnalysis(solver="eigen", priors=[0.3, 0.7]),
        "two classes",
        {"shrinkage": 0.2},
        scoring=CLASSES,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "quadratic discriminant analysis",
        QuadraticDiscriminantAnalysis(),
        "two classes",
        {"reg_param": 0.2},
        scoring=CLASSES,
        weighted=False,
        sparse="takes no sparse X",
        obstacles=(({"solver": "eigen"}, "has no reg_param"),),
    ),
    Row(
        "quadratic discriminant analysis, priors",
        QuadraticDiscriminantAnalysis(priors=[0.3, 0.7], store_covariance=True),
        "two classes",
        {"reg_param": 0.2},
        scoring=CLASSES,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "gaussian naive Bayes",
        GaussianNB(),
        "three classes",
        {"var_smoothing": 0.2},
        scoring=CLASSES,
        # The largest variance knows no weights.
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "gaussian naive Bayes, two classes",
        GaussianNB(priors=[0.3, 0.7]),
        "two classes",
        {"var_smoothing": 0.05},
        scoring=CLASSES,
        weighted=False,
        sparse="takes no sparse X",
    ),
    Row(
        "multinomial naive Bayes",
        MultinomialNB(),
        "three classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
        obstacles=COUNTED,
    ),
    Row(
        "multinomial naive Bayes, two classes",
        MultinomialNB(class_prior=[0.3, 0.7]),
        "two classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
    ),
    Row(
        "complement naive Bayes",
        ComplementNB(),
        "two classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
        obstacles=COUNTED,
    ),
    Row(
        "complement naive Bayes, normalised",
        ComplementNB(norm=True),
        "three classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
    ),
    Row(
        "bernoulli naive Bayes",
        BernoulliNB(binarize=0.2),
        "three classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        obstacles=COUNTED,
    ),
    Row(
        "bernoulli naive Bayes, two classes",
        BernoulliNB(fit_prior=False),
        "two classes",
        {"alpha": 0.6},
        scoring=CLASSES,
    ),
    Row(
        "categorical naive Bayes",
        CategoricalNB(),
        "three classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
        sparse="takes no sparse X",
        obstacles=COUNTED[1:],
    ),
    Row(
        "categorical naive Bayes, two classes",
        CategoricalNB(min_categories=5),
        "two classes",
        {"alpha": 0.6},
        scoring=CLASSES,
        counts=True,
        sparse="takes no sparse X",
    ),
    Row(
        "transformed target",
        TransformedTargetRegressor(sklearn_linear.Ridge(), func=np.log, inverse_func=np.exp),
        "positive",
        {"regressor__alpha": 0.7},
        expressed=lambda z: ("predict", np.exp(z)),
        obstacles=(
            ({"regressor": sklearn_linear.Ridge(positive=True)}, "positive=True adds constraints"),
            ({"transformer": StandardScaler(), **NO_FUNCTIONS}, "StandardScaler learns from the"),
        ),
    ),
    Row(
        "one versus rest",
        OneVsRestClassifier(sklearn_linear.LogisticRegression(**LOGISTIC)),
        "three classes",
        {"estimator__C": 0.6},
        expressed=lambda z: ("decision_function", z),
        obstacles=(({"estimator": LIBLINEAR}, "penalises the intercept"),),
    ),
    Row(
        "multi-output",
        MultiOutputRegressor(KernelRidge(kernel="rbf")),
        "several",
        {"estimator__alpha": 0.3, "estimator__gamma": 0.2},
        scoring=NUMBERS,
    ),
    Row(
        "multi-output classifier",
        MultiOutputClassifier(sklearn_linear.RidgeClassifier()),
        "labels",
        {"estimator__alpha": 0.7},
        expressed=lambda z: ("predict", z > 0),
    ),
    Row(
        "network",
        neural_network.MLPRegressor(**OURS),
        "numbers",
        OURS_TUNED,
        scoring=NUMBERS,
        method=Reverse(),
    ),
    Row(
        "network classifier",
        neural_network.MLPClassifier(**OURS),
        "three classes",
        OURS_TUNED,
        scoring=CLASSES,
        method=Reverse(),
    ),
    Row(
        "network of scikit-learn",
        sklearn_networks.MLPRegressor(**THEIRS),
        "numbers",
        OF_NETWORKS,
        scoring=NUMBERS,
        weighted=False,
        method=Reverse(),
        obstacles=(EARLY, ({"solver": "lbfgs"}, "lbfgs"), ({"warm_start": True}, "warm_start")),
    ),
    Row(
        "network classifier of scikit-learn",
        sklearn_networks.MLPClassifier(**THEIRS),
        "two classes",
        OF_NETWORKS,
        scoring=CLASSES,
        weighted=False,
        method=Reverse(),
        obstacles=(EARLY,),
    ),
    Row(
        "own model, minimised",
        Robust(),
        "numbers",
        {"alpha": 0.3, "width": 0.8},
        scoring=(None,),
        sparse=NO_AUTOGRAD,
        own=True,
    ),
    Row(
        "own model, trained",
        TwoLayers(),
        "three classes",
        {"alpha": 0.01, "learning_rate_init": 0.2, "momentum": 0.5},
        scoring=("neg_log_loss",),
        sparse=NO_AUTOGRAD,
        method=Reverse(),
        own=True,
    ),
    Row(
        "ridge behind a step",
        behind(Nystroem(n_components=8, random_state=0), sklearn_linear.Ridge()),
        "numbers",
        {"step__gamma": 0.1, "model__alpha": 0.7},
        scoring=NUMBERS,
        weighted=False,
        obstacles=(({"model": sklearn_linear.Ridge(positive=True)}, "in Ridge, positive=True"),),
    ),
    Row(
        "logistic behind a step, wide",
        behind(
            RBFSampler(n_components=60, random_state=0),
            sklearn_linear.LogisticRegression(**LOGISTIC),
        ),
        "three classes",
        {"step__gamma": 0.1, "model__C": 2.0},
        scoring=CLASSES,
        weighted=False,
    ),
    Row(
        "support vectors behind a step",
        behind(RBFSampler(n_components=8, random_state=0), SVC(**EXACT_MACHINE)),
        "two classes",
        {"step__gamma": 0.1, "model__C": 2.0, "model__gamma": 0.4},
        weighted=False,
        fit_rtol=1e-5,
    ),
    Row(
        "a network behind a step",
        behind(Nystroem(n_components=8, random_state=0), neural_network.MLPRegressor(**OURS)),
        "numbers",
        {"step__gamma": 0.1, "model__alpha": 0.05},
        scoring=NUMBERS,
        weighted=False,
        method=Reverse(),
    ),
    Row(
        "ridge behind columns",
        behind(
            ColumnTransformer(
                [
                    ("map", Nystroem(n_components=4, random_state=0), [0, 1]),
                    ("scaled", MaxAbsScaler(), [2, 0]),
                ]
            ),
            sklearn_linear.Ridge(),
        ),
        "numbers",
        {"step__map__gamma": 0.1, "model__alpha": 0.7},
        scoring=NUMBERS,
        weighted=False,
        # The inverse root of a kernel loses digits.
        rtol=1e-7,
    ),
]


@pytest.fixture(scope="session")
def rows():
    """All rows."""
    return ROWS


@pytest.fixture(scope="session")
def named():
    """``named(name)``: one of the rows."""
    return {row.name: row for row in ROWS}.__getitem__


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request):
    """Each row."""
    return request.param


@pytest.fixture(scope="session")
def tol():
    """The accuracy that models are asked for."""
    return TOL
