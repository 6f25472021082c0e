"""Models behind transformers: enumerated steps, sparse text, blocks of columns."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import KFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from benchmarks.recorded import data
from benchmarks.recorded.case import search
from benchmarks.recorded.cases.classifiers import LOG_LOSS, SOLVER
from benchmarks.recorded.models import behind, scaled
from sklearn_hypergrad import Continuous

RANGE, LIST = {"model__alpha": Continuous()}, {"model__alpha": [1e-3, 1e3]}
C = {"model__C": Continuous()}
PER_TRANSFORMER = Continuous(per="transformer")
SHUFFLED = KFold(4, shuffle=True, random_state=0)
MEASURED = [f"s{number}" for number in range(1, 7)] + ["age", "bmi", "bp", "sex"]


def products():
    """Products of features, scaled."""
    return make_pipeline(PolynomialFeatures(2, interaction_only=True), StandardScaler())


def columns():
    """Measurements are scaled, the clinic is coded."""
    clinic = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("measured", StandardScaler(), MEASURED),
            ("clinic", clinic, ["clinic"]),
            ("rest", "passthrough", ["constant"]),
        ]
    )


def blocks():
    """The features, and their products."""
    return FeatureUnion([("features", "passthrough"), ("products", products())])


def words_and_numbers():
    """Weights of words beside two numbers, as a dense array."""
    words, numbers = (
        ("words", TfidfVectorizer(), "text"),
        ("numbers", StandardScaler(), ["one", "two"]),
    )
    return ColumnTransformer([words, numbers], sparse_threshold=0)


CASES = [
    search(
        "pipeline: products of features",
        data.diabetes,
        behind(PolynomialFeatures(2), StandardScaler(), Ridge()),
        RANGE,
    ),
    search(
        "pipeline: degrees are enumerated",
        data.diabetes,
        behind(PolynomialFeatures(), StandardScaler(), Ridge()),
        LIST | {"step0__degree": [1, 2]},
        cv=SHUFFLED,
    ),
    search(
        "pipeline: components are enumerated",
        data.diabetes,
        behind(StandardScaler(), PCA(), Ridge()),
        LIST | {"step1__n_components": [2, 4, 8]},
    ),
    search(
        "pipeline: features are selected",
        data.noisy,
        behind(SelectKBest(f_regression), StandardScaler(), Ridge()),
        LIST | {"step0__k": [5, 15]},
    ),
    search(
        "pipeline: nested",
        data.diabetes,
        behind(StandardScaler(), behind(PCA(6), Ridge())),
        {"model__model__alpha": Continuous()},
        scoring="neg_mean_absolute_error",
    ),
    search(
        "pipeline: models are enumerated",
        data.diabetes,
        scaled(Ridge()),
        [
            {"model": [Ridge()], "model__alpha": Continuous()},
            {"model": [Lasso()], "model__alpha": [0.1, 1.0]},
        ],
    ),
    search(
        "pipeline: columns of different kinds",
        data.diabetes_frame,
        behind(columns(), Ridge()),
        RANGE,
    ),
    search("pipeline: text", data.rated_texts, behind(TfidfVectorizer(), Ridge()), RANGE),
    search(
        "pipeline: text, logistic",
        data.texts,
        behind(TfidfVectorizer(), LogisticRegression(tol=1e-10, max_iter=2000)),
        C,
        scoring=LOG_LOSS,
    ),
    search(
        "pipeline: text, words are enumerated",
        data.texts,
        behind(TfidfVectorizer(), RidgeClassifier()),
        LIST | {"step0__ngram_range": [(1, 1), (1, 2)]},
        scoring="balanced_accuracy",
    ),
    search(
        "pipeline: sparse features",
        data.sparse_classes,
        LogisticRegression(tol=1e-10, max_iter=2000),
        {"C": np.logspace(-4, 4, 5)},
        scoring=LOG_LOSS,
        cv=3,
    ),
    search(
        "per transformer: ridge",
        data.diabetes_frame,
        behind(columns(), Ridge()),
        {"model__alpha": PER_TRANSFORMER},
    ),
    search(
        "per transformer: products",
        data.diabetes,
        behind(StandardScaler(), blocks(), Ridge()),
        {"model__alpha": PER_TRANSFORMER},
        scoring="neg_mean_squared_error",
    ),
    search(
        "per transformer: ridge classifier",
        data.two_classes,
        behind(StandardScaler(), blocks(), RidgeClassifier()),
        {"model__alpha": PER_TRANSFORMER},
    ),
    search(
        "per transformer: words and numbers",
        data.texts_and_numbers,
        behind(words_and_numbers(), LogisticRegression(**SOLVER)),
        {"model__C": PER_TRANSFORMER},
        scoring=LOG_LOSS,
    ),
    search(
        "per transformer: products, logistic",
        data.overlapping,
        behind(StandardScaler(), blocks(), LogisticRegression(**SOLVER)),
        {"model__C": PER_TRANSFORMER},
        scoring=LOG_LOSS,
        cv=3,
    ),
]
