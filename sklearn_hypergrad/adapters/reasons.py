"""Why hyperparameters of classes without a family are enumerated, in words.

Each reason is a predicate; its subject is the class or the hyperparameter, such as "SGDRegressor
ends ..." or "tol of Ridge says ...". Families state the reasons for their own hyperparameters
themselves, in ``Family.enumerated``. The documentation makes a table of all of them.
"""

from sklearn.base import (
    ClassifierMixin,
    ClusterMixin,
    DensityMixin,
    OutlierMixin,
    RegressorMixin,
    TransformerMixin,
)

# Names of classes of scikit-learn, whose subclasses are enumerated for the same reason.
CLASSES = {
    "predicts by trees, which stay the same or jump when a hyperparameter changes: there is no "
    "slope to follow": (
        "AdaBoostClassifier",
        "AdaBoostRegressor",
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    ),
    "predicts from the nearest rows, which stay the same or change at once: there is no slope to "
    "follow": (
        "KNeighborsClassifier",
        "KNeighborsRegressor",
        "RadiusNeighborsClassifier",
        "RadiusNeighborsRegressor",
    ),
    "takes in rows by a threshold, all at once: there is no slope to follow": (
        "RANSACRegressor",
        "SelfTrainingClassifier",
    ),
    "ends after some passes over the rows in random order, so that its loss jumps up and down from "
    "value to value; LogisticRegression, LinearSVC, Ridge and ElasticNet minimise such losses": (
        "PassiveAggressiveClassifier",
        "PassiveAggressiveRegressor",
        "Perceptron",
        "SGDClassifier",
        "SGDRegressor",
    ),
    "chooses its penalty itself: tune the class that takes it as a number": (
        "ElasticNetCV",
        "LassoCV",
        "LassoLarsIC",
        "LogisticRegressionCV",
        "MultiTaskElasticNetCV",
        "MultiTaskLassoCV",
        "RidgeCV",
        "RidgeClassifierCV",
    ),
    "chooses its penalties itself, by the evidence, of which these are priors": (
        "ARDRegression",
        "BayesianRidge",
    ),
    "solves a linear program, whose solution stays the same or jumps from corner to corner": (
        "QuantileRegressor",
    ),
    "spreads labels from row to row until they stay the same, for which no inner problem is "
    "registered": ("LabelPropagation", "LabelSpreading"),
    "is fitted by one pass over the rows, so that enumeration is cheap": ("NearestCentroid",),
    "makes a whole number of classifiers of it": ("OutputCodeClassifier",),
    "has no penalty, only bounds of its predictions": ("IsotonicRegression",),
    "learns nothing from the features": ("DummyClassifier", "DummyRegressor"),
}

# Names of hyperparameters, of whichever class.
NAMES = {
    "says how accurately or how fast a fit is computed, and not what is fitted": (
        "cache_size",
        "enet_tol",
        "eps",
        "jitter",
        "max_subpopulation",
        "tol",
    ),
    "is a share of the rows that are kept for early stopping": ("validation_fraction",),
    "only undoes the penalty on the intercept: raise it until the fit stays the same": (
        "intercept_scaling",
    ),
    "is a whole number, but for a few uses": ("degree",),
}

TRANSFORMER = (
    "is a transformer: put it into a Pipeline, and the model behind it is searched for each value"
)
NO_TARGETS = "is fitted without targets, so that held-out predictions have no error to descend"
# If nothing is known: of classes without a family, and of parameters of those that have one.
NO_FAMILY = (
    "is no model that is searched, as Ridge, Lasso, LogisticRegression, SVC, MLPClassifier and "
    "others are; adapters.family_like adds a class"
)
NOT_DIFFERENTIABLE = "is not differentiable"


def why_enumerated(estimator_class, name, family=None):
    """Why a hyperparameter is enumerated: subject and predicate of a clause.

    Parameters
    ----------
    estimator_class : type
    name : str
        Name of a parameter of its constructor.
    family : Family, default=None
        The family of the class, if it has one.

    Returns
    -------
    tuple of (str, str)
    """
    of_class, own = estimator_class.__name__, f"{name} of {estimator_class.__name__}"
    if family is not None:
        return own, family.enumerated.get(name) or _listed(NAMES, name) or NOT_DIFFERENTIABLE
    names = [cls.__name__ for cls in estimator_class.__mro__ if _is_of_sklearn(cls)]
    reason = _listed(CLASSES, *names) or _of_kind(estimator_class)
    if not reason and _is_of_sklearn(estimator_class) and _listed(NAMES, name):
        return own, _listed(NAMES, name)
    return of_class, reason or NO_FAMILY


def _listed(reasons, *names):
    return next((reason for reason, own in reasons.items() if not set(own).isdisjoint(names)), "")


def _of_kind(estimator_class):
    """The reason for all classes of scikit-learn that predict no targets."""
    predicts = issubclass(estimator_class, ClassifierMixin | RegressorMixin)
    if predicts or not _is_of_sklearn(estimator_class):
        return ""
    unsupervised = issubclass(estimator_class, ClusterMixin | DensityMixin | OutlierMixin)
    transforms = issubclass(estimator_class, TransformerMixin) and not unsupervised
    return TRANSFORMER if transforms else NO_TARGETS


def _is_of_sklearn(estimator_class):
    return estimator_class.__module__.partition(".")[0] == "sklearn"
