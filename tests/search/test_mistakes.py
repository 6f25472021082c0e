"""Mistakes that people make, and what they are told: one table, to be read as a whole.

A message says what was wrong, where, and what to write instead. All are told before any fit.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, randint, uniform
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDRegressor
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, neural_network
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.search.candidates.refusals import OF_CLASSES
from sklearn_hypergrad.wording import MEANT

X = np.random.default_rng(0).normal(size=(30, 3))
Y = X @ [1.0, 2.0, 0.0] + np.arange(30) % 7
CLASSES = np.arange(30) % 2
PIPELINE = make_pipeline(StandardScaler(), Ridge())
FOREST = RandomForestRegressor(2)
VECTORS = linear_model.Ridge()


class Unknown(RegressorMixin, BaseEstimator):
    """A model that nobody knows."""

    def __init__(self, strength=1.0):
        self.strength = strength

    def fit(self, X, y):
        return self


def fit(grid, model=None, y=Y, X=X, **options):
    model = Ridge() if model is None else model
    return lambda: HypergradSearchCV(model, grid, **options).fit(X, y)


def classify(grid, **options):
    return fit(grid, LogisticRegression(), CLASSES, **options)


RANGE = {"alpha": [0.1, 10]}
LISTS = "Parameter grid for parameter 'alpha' needs to be a list or a numpy array, but got "
DICT = (
    " It is a dict from names of parameters to their values, such as {'alpha': Continuous()} or "
    "{'alpha': [0.1, 10]}, or a list of such dicts."
)
C_OF_ALPHA = (
    "Did you mean 'alpha'? alpha is a penalty, and C the inverse of one: alpha = 1 / C where C "
    "multiplies half the squared errors, 1 / (2 C) where it multiplies the squared errors."
)
TREES = "trees, which stay the same or jump when a hyperparameter changes: there is no slope to"
SAMPLED = (
    "This is because the search follows a gradient and samples nothing, so that it needs two ends: "
    "loguniform(a, b), Continuous(a, b), or Continuous() for a range that it finds itself."
)
MIXED = (
    "Parameter grid for 'alpha' mixes Continuous with other values. Give alpha=Continuous(low, "
    "high) alone, and other values in a dict of their own in a list of grids."
)
# What is tried: the words that decide. They begin the message, end it, or are the whole of it.
MISTAKES = {
    # Names.
    "alpha for LogisticRegression": (
        classify({"alpha": [0.1, 10]}),
        "Did you mean 'C'? C is the inverse of a penalty: C = 1 / alpha for alpha / 2 times the "
        "squared weights beside the sum of the losses.",
    ),
    "C for Ridge": (fit({"C": [0.1, 10]}), C_OF_ALPHA),
    "C for Ridge, a range": (fit({"C": Continuous()}), C_OF_ALPHA),
    "no prefix": (fit({"alpha": [0.1, 10]}, PIPELINE), "Did you mean 'ridge__alpha'?"),
    "no prefix, a range": (fit({"alpha": Continuous()}, PIPELINE), "Did you mean 'ridge__alpha'?"),
    "no prefix, inverse": (
        fit({"C": Continuous()}, PIPELINE),
        f"Did you mean 'ridge__alpha'? {C_OF_ALPHA.partition('? ')[2]}",
    ),
    "a wrong prefix": (fit({"rigde__alpha": [1, 10]}, PIPELINE), "Did you mean 'ridge__alpha'?"),
    "a prefix too many": (fit({"ridge__alpha": Continuous()}), "Did you mean 'alpha'?"),
    "a misprint": (fit({"alhpa": [1, 10]}), "Did you mean 'alpha'?"),
    # The grid.
    "a name as grid": (fit("alpha"), f"Got 'alpha' instead.{DICT}"),
    "a set as grid": (fit({"alpha"}), f"Got {{'alpha'}} instead.{DICT}"),
    "pairs as grid": (
        fit([("alpha", [0.1, 10])]),
        f"Parameter grid is not a dict (('alpha', [0.1, 10])){DICT}",
    ),
    "an empty list": (fit({"alpha": []}), "need to be a non-empty sequence, got: []"),
    "a table of values": (fit({"alpha": np.ones((2, 2))}), "should be one-dimensional"),
    # Values.
    "one number": (
        fit({"alpha": 1.0}),
        f"{LISTS}1.0 (of type float) instead. For one value write alpha=[1.0], for a range "
        f"alpha=Continuous().",
    ),
    "a number as text": (
        fit({"alpha": "0.1"}),
        f"{LISTS}'0.1' (of type str) instead. For one value write alpha=[0.1], for a range "
        f"alpha=Continuous().",
    ),
    "numbers as text": (
        fit({"alpha": ["0.1", "10"]}),
        "alpha got text, ['0.1', '10']: write numbers, [0.1, 10].",
    ),
    "a number beside a range": (
        fit({"fit_intercept": range(2), "alpha": 1.0}),
        "For one value write alpha=[1.0], for a range alpha=Continuous().",
    ),
    "a generator": (
        fit({"alpha": (10.0**k for k in range(3))}),
        "(of type generator) instead. Write a list of its values, alpha=list(...).",
    ),
    "a map": (fit({"alpha": map(float, [1])}), "Write a list of its values, alpha=list(...)."),
    "a set": (fit({"alpha": {1.0, 2.0}}), "Write a list of its values, alpha=list(...)."),
    "a Series": (
        fit({"alpha": pd.Series([0.1, 10])}),
        "(of type Series) instead. Write a list of its values, alpha=list(...).",
    ),
    "an Index": (fit({"alpha": pd.Index([1, 2])}), "Write a list of its values, alpha=list(...)."),
    "a dict of ends": (fit({"alpha": {"low": 1, "high": 2}}), "Write alpha=Continuous(1, 2)."),
    "None alone": (
        fit({"alpha": None}),
        "Write a list of values, alpha=[...], or a range, alpha=Continuous().",
    ),
    "a function": (fit({"alpha": np.logspace}), "or a range, alpha=Continuous()."),
    # Distributions.
    "a normal distribution": (
        fit({"alpha": norm(1, 2)}),
        f"Cannot tune 'alpha' with norm(1, 2). {SAMPLED}",
    ),
    "uniform from b to a": (
        fit({"alpha": uniform(1, -1)}),
        "Cannot tune 'alpha' with uniform(1, -1). This is because its arguments are invalid. "
        "uniform(loc, scale) is the range from loc to loc + scale.",
    ),
    "whole numbers": (
        fit({"max_depth": randint(1, 9)}, FOREST),
        "Cannot tune 'max_depth' with randint(1, 9). This is because whole numbers have no "
        "gradient: write a list of values to enumerate, such as range(1, 9).",
    ),
    "a range of a forest": (
        fit({"max_features": uniform(0.1, 0.8)}, FOREST),
        f"Cannot tune 'max_features' with uniform(0.1, 0.8). This is because RandomForestRegressor "
        f"predicts by {TREES} follow. Give a list of values to enumerate instead, such as "
        f"np.linspace(0.1, 0.9, 5).",
    ),
    "two distributions": (fit({"alpha": [uniform(1, 2), uniform(1, 3)]}), MIXED),
    "words for the scale": (fit({"alpha": (10, 1, "log-uniform")}), "needs low < high, got low=10"),
    # Continuous.
    "Continuous of a list": (
        lambda: Continuous([1e-3, 1e3]),
        "Continuous(low=...) must be a number or None, got [0.001, 1000.0]. A range is "
        "Continuous(0.001, 1000.0), one without bounds Continuous().",
    ),
    "Continuous of text": (lambda: Continuous("1", 2), "must be a number or None, got '1'"),
    "Continuous of nan": (
        lambda: Continuous(np.nan, 1),
        "Continuous(low=...) must be finite, got nan. Leave it None for no bound.",
    ),
    "Continuous the wrong way": (
        lambda: Continuous(10, 1),
        "Continuous needs low < high, got low=10, high=1.",
    ),
    "a start outside": (lambda: Continuous(1, 2, init=3), "needs init between low and high"),
    "linear, no bounds": (
        lambda: Continuous(scale="linear"),
        "needs both bounds, low and high.",
    ),
    "log of zero": (lambda: Continuous(0, 1, scale="log"), "needs low > 0, got 0."),
    "per='features'": (lambda: Continuous(per="features"), "Did you mean 'feature'?"),
    "per='columns'": (lambda: Continuous(per="columns"), "Did you mean 'column'?"),
    "groups without per": (lambda: Continuous(groups=[0, 1]), "go together, got per=None and"),
    "per='group' alone": (lambda: Continuous(per="group"), "got per='group' and groups=None."),
    "the class": (
        fit({"alpha": Continuous}),
        "instead. alpha got the class Continuous: write alpha=Continuous().",
    ),
    "the class in a list": (
        fit({"alpha": [Continuous]}),
        "alpha got the class Continuous: write alpha=Continuous().",
    ),
    "a range beside values": (fit({"alpha": [0, Continuous()]}), MIXED),
    "a bound at zero": (
        fit({"alpha": Continuous(0, 1)}),
        "Cannot tune 'alpha' with Continuous(low=0, high=1). This is because Ridge.alpha is "
        "searched among positive values, got low=0. Leave low out, or give a positive value.",
    ),
    "logit of a penalty": (fit({"alpha": Continuous(scale="logit")}), "leave scale='auto'."),
    "a range of words": (fit({"solver": Continuous()}), "instead."),
    "a range of a switch": (
        fit({"positive": Continuous()}, LinearRegression()),
        "Cannot tune 'positive' with Continuous(). This is because LinearRegression is no model "
        "that is searched, as Ridge, Lasso, LogisticRegression, SVC, MLPClassifier and others are; "
        "adapters.family_like adds a class. Give a list of values to enumerate instead.",
    ),
    "an unknown model": (
        fit({"strength": Continuous()}, Unknown()),
        "Unknown is no model that is searched, as Ridge, Lasso, LogisticRegression, SVC, "
        "MLPClassifier and others are; adapters.family_like adds a class. Give a list of values to "
        "enumerate instead.",
    ),
    "passes in random order": (
        fit({"alpha": Continuous()}, SGDRegressor()),
        "LogisticRegression, LinearSVC, Ridge and ElasticNet minimise such losses. Give a list of "
        "values to enumerate instead.",
    ),
    # Vectors.
    "a vector of scikit-learn's Ridge": (
        fit({"alpha": Continuous(per="feature")}),
        "per may be None or 'target' or 'transformer'. Use the Ridge that takes arrays: "
        "sklearn_hypergrad.linear_model.Ridge.",
    ),
    "a layer of a linear model": (
        fit({"alpha": Continuous(per="layer")}, VECTORS),
        "This is because alpha of Ridge has no value per layer",
    ),
    "groups of another length": (
        fit({"alpha": Continuous(per="group", groups=[0, 1])}, VECTORS),
        "This is because groups has 2 labels for 3 features. Give one label per feature, or a dict "
        "from names of features to labels.",
    ),
    "groups by names that are not there": (
        fit({"alpha": Continuous(per="group", groups={"age": 0})}, VECTORS),
        "the features that reach the model have none. Pass a data frame, or give one label per "
        "feature.",
    ),
    "features of PCA": (
        fit({"ridge__alpha": Continuous(per="feature")}, make_pipeline(PCA(2), VECTORS)),
        "PCA mixes columns: its outputs are numbered, and the first one of one split is not that "
        "of another. Leave per out, or take PCA out of the pipeline.",
    ),
    "targets of one target": (
        fit({"alpha": Continuous(per="target")}),
        "per='target' needs y of shape (n_samples, n_targets). Leave 'target' out of per for one "
        "target.",
    ),
    "transformers that are not there": (
        fit({"alpha": Continuous(per="transformer")}),
        "per='transformer' needs a ColumnTransformer or FeatureUnion as the step right before the "
        "model.",
    ),
    "a start of another shape": (
        fit({"alpha": Continuous(per="feature", init=[1, 2])}, VECTORS),
        "This is because init has the shape (2,), and alpha has values of shape (3,): give one of "
        "shape (3,).",
    ),
    "a guard without splits": (
        fit(
            {"alpha": Continuous(per="feature")},
            VECTORS,
            guard=True,
            cv=list(KFold(2).split(X)),
        ),
        "Pass a splitter or a number.",
    ),
    # Scores and losses.
    "a score misprinted": (
        fit(RANGE, scoring="neg_mean_square_error"),
        "Got 'neg_mean_square_error' instead. Did you mean 'neg_mean_squared_error'?",
    ),
    "a score by another word": (
        fit(RANGE, scoring="mse"),
        "The 'scoring' parameter of HypergradSearchCV must be a known name, a callable, an "
        "instance of 'list', an instance of 'tuple', an instance of 'dict' or None. Got 'mse' "
        "instead. Did you mean 'neg_mean_squared_error'?",
    ),
    "one of several scores": (
        fit(RANGE, scoring=["r2", "maxerror"], refit="r2"),
        "Got 'maxerror' instead. Did you mean 'neg_max_error'?",
    ),
    "accuracy of numbers": (
        fit(RANGE, scoring="accuracy"),
        "scoring='accuracy' compares classes, and Ridge predicts numbers. Leave scoring out (r2), "
        "take 'neg_mean_squared_error', or a classifier.",
    ),
    "accuracy of numbers among others": (
        fit(RANGE, scoring=["r2", "accuracy"], refit="r2"),
        "scoring='accuracy' compares classes, and Ridge predicts numbers",
    ),
    "classes that are numbers": (
        fit({"C": [0.1, 10]}, LogisticRegression(), np.arange(30)),
        "y has 30 different values, and LogisticRegression takes each of them for a class. For "
        "numbers take a regressor, such as Ridge.",
    ),
    "no refit of several scores": (
        fit(RANGE, scoring=["r2", "neg_mean_squared_error"]),
        "the parameter refit must be set to a scorer key or a callable",
    ),
    "a loss of another kind": (
        fit(RANGE, validation_loss="log_loss"),
        "validation_loss='log_loss' does not apply to Ridge. Allowed are 'auto' and",
    ),
    "a loss by another word": (
        fit(RANGE, validation_loss="mse"),
        "Got 'mse' instead. Did you mean 'squared_error'?",
    ),
    "a score as loss": (
        fit(RANGE, validation_loss="accuracy"),
        "scores such as 'accuracy' go into scoring; 'auto' descends the loss that goes with them",
    ),
    # Options.
    "a method misprinted": (fit(RANGE, hypergradient="implicit"[:-2]), "Did you mean 'implicit'?"),
    "the class of a method": (fit(RANGE, hypergradient=Implicit), "'hypergradient' parameter"),
    "an optimizer": (fit(RANGE, optimizer="sgd"), "Got 'sgd' instead. Did you mean 'adam'?"),
    "leave-one-out of LogisticRegression": (
        classify({"C": [0.1, 10]}, search_cv="loo"),
        "search_cv='loo' needs the closed form of ridge regression or KernelRidge, which "
        "LogisticRegression does not have. Leave search_cv='auto', or give a number or a splitter.",
    ),
    "leave-one-out of a network": (
        fit({"alpha": Continuous()}, neural_network.MLPRegressor((2,)), search_cv="loo"),
        "MLPRegressor is fitted split by split: give a number or a splitter.",
    ),
    "evidence of one value": (
        fit(RANGE, search_cv="evidence"),
        "search_cv='evidence' is for vectors of penalties, Continuous(per=...), and param_grid has "
        "none. Leave search_cv='auto'.",
    ),
    "listed rows and one standard error": (
        fit(RANGE, rows="listed", selection="one_se"),
        "Leave rows='found', or selection='best'.",
    ),
    "one fold": (fit(RANGE, cv=1), "must be an int in the range [2, inf)"),
    "no iterations": (fit(RANGE, max_iter=0), "must be an int in the range [1, inf)"),
    "a negative tolerance": (fit(RANGE, tol=-1), "must be a float in the range (0.0, inf)"),
    # Before a fit.
    "an estimator's class": (
        fit(RANGE, Ridge),
        "Expected an estimator instance (Ridge()), got estimator class instead (Ridge).",
    ),
    "more folds than rows": (
        fit(RANGE, cv=50),
        "Cannot have number of splits n_splits=50 greater than the number of samples",
    ),
    "groups of rows for some of them": (
        lambda: HypergradSearchCV(Ridge(), RANGE, cv=GroupKFold(3)).fit(X, Y, groups=range(27)),
        "groups has 27 values, and X has 30 rows. Give fit one value per row, in the order of the "
        "rows. Groups of features go to Continuous(per='group', groups=...).",
    ),
    "no groups of rows": (
        fit(RANGE, cv=LeaveOneGroupOut()),
        "LeaveOneGroupOut splits by a label for each row of X: give it to fit, fit(X, y, "
        "groups=labels).",
    ),
    "weights for some of the rows": (
        lambda: HypergradSearchCV(Ridge(), RANGE).fit(X, Y, sample_weight=np.ones(29)),
        "sample_weight has 29 values, and X has 30 rows. Give fit one value per row, in the order "
        "of the rows.",
    ),
    "fewer targets than rows": (
        fit(RANGE, y=Y[:10]),
        "Found input variables with inconsistent numbers of samples: [30, 10]",
    ),
    "a report before fit": (
        lambda: HypergradSearchCV(Ridge(), RANGE).report(),
        "This HypergradSearchCV instance is not fitted yet",
    ),
    "a start before fit": (
        lambda: HypergradSearchCV(Ridge(), RANGE).as_start(),
        "This HypergradSearchCV instance is not fitted yet",
    ),
}


def test_the_table_is_long():
    assert len(MISTAKES) >= 60


@pytest.fixture
def no_fits(monkeypatch):
    """Fail if something is fitted."""

    def fitted(*args, **kwargs):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr("sklearn_hypergrad.search.rows.fit_and_score", fitted)


@pytest.mark.usefixtures("no_fits")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_answered(mistake):
    tried, words = MISTAKES[mistake]
    with pytest.raises((TypeError, ValueError, NotFittedError)) as error:
        tried()
    message = str(error.value)
    assert words in message
    # Nothing follows a remedy.
    assert not words.endswith((".", "?")) or message.endswith(words)
    assert (
        "0x" not in message or "generator" in message or "function" in message or "map" in message
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.parametrize(
    ("grid", "model", "words"),
    [
        ({"alpha": [-1, -2]}, Ridge(), " alpha has no positive value."),
        ({"alpha": Continuous()}, Ridge(solver="none"), "Got 'none' instead."),
        ({"alpha": range(1, 3), "tol": (0.1, 1)}, Ridge(solver="none"), "Got 'none' instead."),
        ({"alpha": uniform(1, 2)}, Ridge(solver="none"), "Got 'none' instead."),
        (
            {"alpha": [[0.1, 10]]},
            Ridge(),
            " alpha has one value, [0.1, 10]. If a range is meant, write alpha=[0.1, 10] or "
            "alpha=Continuous(0.1, 10).",
        ),
        (
            {"max_features": [uniform(0.1, 0.8)]},
            FOREST,
            " max_features has the distribution uniform(0.1, 0.8), and nothing is sampled: give a "
            "list of values to enumerate.",
        ),
    ],
    ids=[
        "negative",
        "another parameter",
        "another parameter, whole numbers",
        "another parameter, a distribution",
        "a list in a list",
        "a distribution in a list",
    ],
)
def test_fits_that_all_fail_are_explained(grid, model, words):
    """GridSearchCV fits these, and so are they here."""
    with pytest.raises(ValueError, match="fits failed") as error:
        fit(grid, model, cv=2)()
    assert str(error.value).rstrip("\n").endswith(words)


def test_metadata_with_a_misprint_are_explained():
    with pytest.raises(ValueError, match="fits failed") as error:
        HypergradSearchCV(Ridge(), RANGE).fit(X, Y, sample_weights=np.ones(30))
    assert str(error.value).endswith("Did you mean 'sample_weight'?")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of")
@pytest.mark.parametrize("odd", [None, np.nan])
def test_what_is_no_number_does_not_hide_a_range(odd):
    search = fit({"alpha": [odd, 0.1, 10.0]}, cv=3)()
    assert search.hypergradient_.startswith("alpha: Implicit()")
    assert len(search.cv_results_["params"]) == 2


def test_an_unknown_score_without_a_likely_meaning_lists_all_names():
    with pytest.raises(ValueError, match="among 'accuracy', 'adjusted_mutual_info_score', .*'zz'"):
        fit(RANGE, scoring=["r2", "zz"], refit="r2")()


@pytest.mark.filterwarnings("ignore:Clustering metrics")
def test_scores_that_compare_classes_are_those_that_ridge_does_not_have():
    whole = np.round(Y).astype(int) % 3
    model, failed = Ridge().fit(X, whole), set()
    for name in get_scorer_names():
        try:
            get_scorer(name)(model, X, whole)
        except (ValueError, AttributeError, TypeError):
            failed.add(name)
    # Scores of clusters take any labels.
    clusters = {name for name in failed if name.endswith("_score")} - OF_CLASSES
    outside_of_domain = {"neg_mean_gamma_deviance", "neg_mean_poisson_deviance"}
    outside_of_domain |= {n for n in failed if "squared_log_error" in n}
    assert failed - clusters - outside_of_domain == OF_CLASSES


def test_other_words_stand_for_names_that_exist():
    known = set(get_scorer_names())
    for names in MEANT.values():
        assert known.intersection(names) or {"squared_error", "adam"}.intersection(names)
