"""Points judged roughly first: no best point is lost, and few are judged exactly."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import check_cv, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV
from sklearn_hypergrad.search.strategies import judging, predicted_scores
from sklearn_hypergrad.search.strategies.contest import Round, exact_scores
from sklearn_hypergrad.search.strategies.predicted_scores import PredictedScores, StandIn

ROUGH = np.array([0.1, 0.70, 0.75, 0.3, np.nan, 0.74])


def contest(exact, *rounds):
    """Exact scores of a contest, and how often a point was judged exactly."""
    judged = []

    def score(number):
        judged.append(number)
        return exact[number]

    return exact_scores(list(range(len(exact))), score, list(rounds)), judged


def in_round(scores, margin):
    return Round(lambda number: float(scores[number]), lambda number: margin)


def test_only_points_near_the_best_are_judged_exactly():
    exact = np.array([0.1, 0.71, 0.744, 0.3, 0.0, 0.745])
    found, judged = contest(exact, in_round(ROUGH, 0.02))
    # That of the unknown rough score is among them.
    assert found == {2: 0.744, 4: 0.0, 5: 0.745}
    assert sorted(judged) == [2, 4, 5]


def test_rounds_follow_one_another():
    exact, closer = np.full(6, 0.5), np.full(6, 0.5)
    exact[5] = closer[5] = 0.52
    found, judged = contest(exact, in_round(closer - 0.005, 0.05), in_round(closer, 0.01))
    assert judged == [5]
    assert found == {5: 0.52}


def test_too_small_a_margin_brings_all_others_back():
    exact = np.array([0.1, 0.9, 0.70, 0.3, 0.0, 0.74])
    found, judged = contest(exact, in_round(ROUGH, 0.02))
    assert max(found, key=found.get) == 1
    assert sorted(judged) == list(range(6))


def test_without_rough_scores_all_are_exact():
    exact = np.arange(6.0)
    for rounds in ([], [in_round(np.full(6, np.nan), 1.0)]):
        found, judged = contest(exact, *rounds)
        assert judged == list(range(6))
        assert found == dict(enumerate(exact))


def cost(y, predicted):
    return float(np.mean((y != predicted) * (1 + (y == np.max(y)))))


def sharpness(y, probabilities):
    return float(np.mean(np.max(np.atleast_2d(probabilities), axis=-1) ** 2))


COST = make_scorer(cost, greater_is_better=False)
SHARPNESS = make_scorer(sharpness, response_method="predict_proba")
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
CLASSIFIERS = {
    "logistic": (LogisticRegression(max_iter=1000), "C"),
    "pipeline": (LOGISTIC, "logisticregression__C"),
    "codes": (RidgeClassifier(), "alpha"),
    "path": (LinearDiscriminantAnalysis(solver="lsqr"), "shrinkage"),
}
DATA = {"iris": load_iris, "breast_cancer": load_breast_cancer, "digits": load_digits}


def judged_rows(monkeypatch, name, load, scoring, rounds=True):
    """Points that a search chose by the asked score, and how many were judged exactly."""
    if not rounds:
        monkeypatch.setattr(PredictedScores, "apply", lambda *args: False)
    computed, chosen = [], []
    exactly, rows = judging.Judge._computed, judging.Judge.rows

    def counted(self, h):
        computed.append(h)
        return exactly(self, h)

    def kept(self, *args, **options):
        chosen.extend(rows(self, *args, **options))
        return chosen

    monkeypatch.setattr(judging.Judge, "_computed", counted)
    monkeypatch.setattr(judging.Judge, "rows", kept)
    model, key = CLASSIFIERS[name]
    low, high = (0.05, 0.95) if name == "path" else (1e-4, 1e4)
    values = (np.linspace if name == "path" else np.geomspace)(low, high, 7)
    search = HypergradSearchCV(model, {key: list(values)}, scoring=scoring, cv=3, refit=False)
    search.fit(*DATA[load](return_X_y=True))
    monkeypatch.undo()
    return [list(h.values())[0] for h in chosen], len(computed)


FAST = [
    ("logistic", "iris", "accuracy"),
    ("logistic", "iris", COST),
    ("pipeline", "breast_cancer", "accuracy"),
    ("pipeline", "breast_cancer", "roc_auc"),
    ("codes", "iris", "f1_macro"),
    ("path", "iris", "balanced_accuracy"),
]
SLOW = [
    (model, load, scoring)
    for load in DATA
    for scoring in ("accuracy", "f1_macro", "balanced_accuracy", COST, SHARPNESS)
    for model in CLASSIFIERS
    if not (model == "codes" and scoring is SHARPNESS)
]
SLOW += [("logistic", "digits", "roc_auc_ovr"), ("logistic", "breast_cancer", "average_precision")]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "load", "scoring"),
    [*FAST, *(pytest.param(*each, marks=pytest.mark.thorough) for each in SLOW)],
)
@pytest.mark.thorough
def test_the_same_points_win_as_if_all_were_judged_exactly(monkeypatch, name, load, scoring):
    quick, n_quick = judged_rows(monkeypatch, name, load, scoring)
    whole, n_whole = judged_rows(monkeypatch, name, load, scoring, rounds=False)
    np.testing.assert_allclose(quick, whole, rtol=1e-9)
    assert n_quick <= n_whole
    if (name, load, scoring) == FAST[2]:
        assert n_quick == 0 < n_whole


def final_of(model):
    return model[-1] if isinstance(model, Pipeline) else model


def test_a_stand_in_scores_as_the_estimator_does():
    X, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    X = X + rng.normal(0, 1, X.shape)
    for classes in (2, 3):
        rows = y < classes
        labels = np.array(["c", "a", "b"])[y[rows]]
        for model, _ in CLASSIFIERS.values():
            estimator = clone(model).fit(X[rows], labels)
            z = estimator.decision_function(X[rows]).reshape(len(labels), -1)
            stand_in = StandIn(final_of(model), np.unique(labels), z, ())
            for scoring in ("accuracy", "f1_macro", "balanced_accuracy"):
                scorer = get_scorer(scoring)
                expected = scorer(estimator, X[rows], labels)
                assert scorer(stand_in, None, labels) == pytest.approx(expected, rel=1e-12)
            assert stand_in.score(None, labels) == estimator.score(X[rows], labels)


@pytest.mark.parametrize("model", [Ridge(), KernelRidge(), PoissonRegressor()])
@pytest.mark.parametrize("columns", [0, 1, 2])
def test_a_stand_in_predicts_numbers_in_the_shape_of_the_targets(model, columns):
    rng = np.random.default_rng(0)
    shape = (columns,) * (columns > 0)
    y = rng.normal(size=(20, *shape))
    z = y.reshape(20, -1) + 1.0
    stand_in = StandIn(model, None, z, shape)
    assert stand_in.predict(None).shape == y.shape
    assert get_scorer("neg_mean_absolute_error")(stand_in, None, y) == pytest.approx(-1.0)
    assert not hasattr(stand_in, "classes_")


def test_what_a_sample_is_worth():
    X, y = load_breast_cancer(return_X_y=True)
    splits = list(check_cv(5, y, classifier=True).split(X, y))
    weight = 1 / (5 * len(splits[0][1]))
    # In the balanced score a sample of the smaller class counts more.
    expected = {
        "accuracy": weight,
        "balanced_accuracy": 0.5 * weight * len(y) / np.bincount(y).min(),
    }
    for scoring, change in expected.items():
        worths = []

        def seen(self, h, worth=PredictedScores.worth, worths=worths):
            worths.append(worth(self, h))
            return worths[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(PredictedScores, "worth", seen)
            search = HypergradSearchCV(LOGISTIC, {"logisticregression__C": [1e-3, 1e3]})
            search.set_params(scoring=scoring, refit=False).fit(X, y)
        assert min(worths) == pytest.approx(change, rel=0.03)


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("classes", [2, 3])
def test_scores_that_are_certain_are_those_of_estimators(monkeypatch, classes, scoring):
    X, y = load_iris(return_X_y=True)
    X = X[y < classes] + np.random.default_rng(0).normal(0, 2, (50 * classes, 4))
    y, found = y[y < classes], []

    def seen(self, h, certain=PredictedScores.certain):
        found.append((h["alpha"].item(), certain(self, h)))
        return found[-1][1]

    monkeypatch.setattr(PredictedScores, "certain", seen)
    HypergradSearchCV(RidgeClassifier(), {"alpha": [0.1, 10.0]}, scoring=scoring).fit(X, y)
    assert found
    for alpha, score in found:
        expected = cross_val_score(RidgeClassifier(alpha=alpha), X, y, scoring=scoring).mean()
        assert score == pytest.approx(expected, rel=1e-12)


def test_samples_between_classes_are_left_to_estimators(monkeypatch):
    X, y = load_iris(return_X_y=True)
    rows = np.flatnonzero(y < 2)
    X, y, judged, exactly = X[rows] - X[rows].mean(axis=0), y[rows], [], judging.Judge._computed
    X[7] = 0.0

    def counted(self, h):
        judged.append(h)
        return exactly(self, h)

    monkeypatch.setattr(judging.Judge, "_computed", counted)
    model = RidgeClassifier(fit_intercept=False)
    HypergradSearchCV(model, {"alpha": [0.1, 10.0]}, scoring="accuracy").fit(X, y)
    assert judged


def test_scorers_that_look_at_more_than_predictions_get_exact_models():
    def looks(estimator, X, y):
        return float(np.mean(X[:, 0] * (estimator.predict(X) == y)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predicted_scores.PredictedScores, "score", None)
        search = HypergradSearchCV(RidgeClassifier(), {"alpha": [0.1, 10.0]}, scoring=looks)
        search.fit(*load_iris(return_X_y=True))
    assert len(search.cv_results_["params"]) > 1
