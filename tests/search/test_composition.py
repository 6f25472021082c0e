"""Inside and around the other meta-estimators of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sklearn_hypergrad import HypergradSearchCV

VALUES = [0.01, 1, 100]
NEWTON = LogisticRegression(solver="newton-cholesky", tol=1e-8)


def ridge_search(**options):
    return HypergradSearchCV(Ridge(), {"alpha": VALUES}, **options)


def logistic_search(**options):
    return HypergradSearchCV(NEWTON, {"C": VALUES}, scoring="neg_log_loss", **options)


def test_transformers_are_fitted_on_training_parts_only(data):
    """The inner scores are those of real fits of the pipeline, which see no held-out row."""
    X, y = data("diabetes")
    pipeline = make_pipeline(StandardScaler(), PCA(5), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": VALUES}).fit(X, y)
    assert search.best_score_ == pytest.approx(1 - search.history_["loss"].min(), abs=1e-10)


def test_nested_pipelines_and_enumerated_steps(data):
    X, y = data("diabetes")
    inner = Pipeline([("pca", PCA()), ("model", Ridge())])
    pipeline = Pipeline([("scale", StandardScaler()), ("inner", inner)])
    grid = {"inner__pca__n_components": [2, 5], "inner__model__alpha": VALUES}
    search = HypergradSearchCV(pipeline, grid).fit(X, y)
    expected = GridSearchCV(pipeline, grid).fit(X, y)
    assert [row["inner__pca__n_components"] for row in search.cv_results_["params"]] == [2, 5]
    assert search.best_score_ >= expected.best_score_ - 1e-9


def test_steps_may_be_passthrough_and_cached(data, tmp_path):
    X, y = data("diabetes")
    pipeline = Pipeline([("scale", "passthrough"), ("ridge", Ridge())], memory=str(tmp_path))
    grid = {"scale": ["passthrough", StandardScaler()], "ridge__alpha": VALUES}
    search = HypergradSearchCV(pipeline, grid).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert set(search.hyperparameters_["status"]) == {"interior"}


def test_one_model_searched_and_the_other_enumerated(data):
    X, y = data("wine")
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", SVC())])
    grid = {"clf": [NEWTON, SVC()], "clf__C": VALUES}
    search = HypergradSearchCV(pipeline, grid, scoring="accuracy").fit(X, y)
    rows = search.cv_results_["params"]
    assert [row["clf__C"] for row in rows if isinstance(row["clf"], SVC)] == VALUES
    assert 1 <= sum(isinstance(row["clf"], LogisticRegression) for row in rows) <= 3
    assert "clf__C: Implicit()" in search.hypergradient_
    assert "SVC fits a machine to every pair of classes" in search.hypergradient_


def test_column_transformer_with_strings(data):
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {"a": rng.normal(size=90), "b": rng.choice(["x", "y", "z"], 90), "c": rng.normal(size=90)}
    )
    y = frame["a"] + (frame["b"] == "x") + 0.3 * rng.normal(size=90)
    prepare = ColumnTransformer(
        [("num", StandardScaler(), ["a", "c"]), ("cat", OneHotEncoder(), ["b"])]
    )
    search = HypergradSearchCV(make_pipeline(prepare, Ridge()), {"ridge__alpha": VALUES})
    search.fit(frame, y)
    assert search.best_score_ == pytest.approx(1 - search.history_["loss"].min(), abs=1e-10)


def test_vocabularies_that_differ_between_splits():
    texts = [f"word{i % 7} other{i % 5} rare{i}" for i in range(60)]
    y = np.array([i % 7 < 3 for i in range(60)]).astype(int)
    pipeline = make_pipeline(TfidfVectorizer(), NEWTON)
    grid = {"logisticregression__C": [0.1, 1000.0]}
    search = HypergradSearchCV(pipeline, grid, scoring="neg_log_loss").fit(texts, y)
    assert search.best_score_ == pytest.approx(-search.history_["loss"].min(), abs=1e-6)


def test_samplers_and_other_subclasses_of_pipeline_are_not_looked_into(data):
    X, y = data("diabetes")

    class Resampling(Pipeline):
        pass

    pipeline = Resampling([("scale", StandardScaler()), ("ridge", Ridge())])
    search = HypergradSearchCV(pipeline, {"ridge__alpha": VALUES}).fit(X, y)
    assert [row["ridge__alpha"] for row in search.cv_results_["params"]] == VALUES


def test_a_subclass_with_its_own_fit_is_another_model(data):
    X, y = data("diabetes")

    class Doubled(Ridge):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, 2 * y, sample_weight)

    search = HypergradSearchCV(Doubled(), {"alpha": VALUES}).fit(X, y)
    assert [row["alpha"] for row in search.cv_results_["params"]] == VALUES
    assert "Doubled overrides Ridge.fit" in search.hypergradient_


def test_inside_of_a_transformed_target_regressor(data):
    X, y = data("diabetes")
    around = TransformedTargetRegressor(ridge_search(), func=np.log, inverse_func=np.exp)
    assert around.fit(X, y).regressor_.n_iter_ > 0


@pytest.mark.parametrize(
    ("name", "estimator"),
    [
        ("diabetes", make_pipeline(StandardScaler(), ridge_search())),
        ("diabetes", StackingRegressor([("a", ridge_search()), ("b", Ridge())], cv=2)),
        ("diabetes", BaggingRegressor(ridge_search(), n_estimators=2, random_state=0)),
        ("wine", VotingClassifier([("a", logistic_search(cv=2)), ("b", NEWTON)], voting="soft")),
        ("wine", CalibratedClassifierCV(logistic_search(cv=2), cv=2)),
        ("wine", OneVsRestClassifier(logistic_search(cv=2))),
        pytest.param(
            "wine",
            GridSearchCV(logistic_search(), {"cv": [2, 3]}, cv=2),
            marks=pytest.mark.thorough,
        ),
        ("diabetes", HypergradSearchCV(ridge_search(), {"cv": [2, 3]}, cv=2)),
    ],
)
def test_works_inside(data, name, estimator):
    X, y = (part[::2] for part in data(name))
    scores = cross_val_score(estimator, X, y, cv=2, error_score="raise")
    # Accuracy or r2, or minus the log loss, which is -1.1 by chance.
    assert scores.min() > (-0.3 if hasattr(estimator, "refit") else 0.3)


def test_multi_output_and_feature_selection(data):
    X, y = data("diabetes")
    both = MultiOutputRegressor(ridge_search()).fit(X, np.column_stack([y, -y]))
    assert len(both.estimators_) == 2
    selected = SelectFromModel(ridge_search(), importance_getter="best_estimator_.coef_").fit(X, y)
    assert 0 < selected.transform(X).shape[1] < X.shape[1]


def test_cross_validate_in_parallel_returns_estimators(data):
    X, y = data("wine")
    result = cross_validate(logistic_search(), X, y, cv=2, n_jobs=2, return_estimator=True)
    assert all(hasattr(search, "history_") for search in result["estimator"])


def test_set_output_of_transformers_is_respected(data):
    pandas = pytest.importorskip("pandas")

    class NeedsNames(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.n_features_in_ = X.shape[1]
            return self

        def transform(self, X):
            assert isinstance(X, pandas.DataFrame)
            return X

    X, y = data("diabetes")
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), NeedsNames(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": VALUES}).fit(X, y)
    assert search.n_iter_ > 0
