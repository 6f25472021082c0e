"""Classifiers by Bayes' rule: what the table of families does not show."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import closed_form, discrete_bayes, family
from sklearn_hypergrad.problems import VALIDATION_LOSSES, SplitData

SPLITS = StratifiedKFold(3, shuffle=True, random_state=0)
DIGITS = load_digits(return_X_y=True)
EPS = np.finfo(float).eps
SHARES = np.array([0.2, 0.3, 0.5])

# Estimators, and whether they take sample weights and sparse X.
CASES = {
    "quadratic": (QuadraticDiscriminantAnalysis(), False, False),
    "quadratic, priors": (QuadraticDiscriminantAnalysis(priors=SHARES), False, False),
    "gaussian": (GaussianNB(), True, False),
    "gaussian, priors": (GaussianNB(priors=SHARES), True, False),
    "multinomial": (MultinomialNB(), True, True),
    "multinomial, uniform": (MultinomialNB(fit_prior=False), True, True),
    "multinomial, priors": (MultinomialNB(class_prior=SHARES), True, True),
    "complement": (ComplementNB(), True, True),
    "complement, normalised": (ComplementNB(norm=True), True, True),
    "bernoulli": (BernoulliNB(binarize=1.5), True, True),
    "bernoulli, binary": (BernoulliNB(binarize=None, class_prior=SHARES), True, True),
    "categorical": (CategoricalNB(), True, False),
    "categorical, more": (CategoricalNB(min_categories=[7, 8, 9, 7]), True, False),
}
VALUES = {
    "reg_param": [0.0, 1e-3, 0.4, 1.0],
    "var_smoothing": [1e-9, 1e-3, 1.0, 1e3],
    "alpha": [1e-6, 0.03, 1.0, 1e3],
}


def name_of(estimator):
    (name,) = family(estimator).hyperparameters
    return name


def model_of(estimator, X, labels, weight=None):
    trains, tests = zip(*SPLITS.split(X, labels), strict=True)
    weight = np.ones(len(labels)) if weight is None else weight
    known = family(estimator)
    data = SplitData(
        X=X,
        y=known.encode(labels),
        trains=list(trains),
        tests=list(tests),
        weights=[weight[train] for train in trains],
        score_weight=np.ones(len(labels)),
        labels=labels,
    )
    return known.model(estimator, data, {name_of(estimator): None}, 0)


def flowers(estimator, n_classes):
    """Data that the estimator takes: lengths, or whole centimetres up to six, or ones."""
    X, labels = load_iris(return_X_y=True)
    if getattr(estimator, "binarize", 0) is None:
        X = 1.0 * (X > 1.5)
    elif not isinstance(estimator, QuadraticDiscriminantAnalysis | GaussianNB):
        X = np.minimum(np.round(X), 6)
    keep = labels >= 3 - n_classes
    return X[keep], np.array(["a", "b", "c"])[labels[keep]]


def with_classes(estimator, n_classes):
    """The estimator with priors for so many classes."""
    for name in ("priors", "class_prior"):
        if getattr(estimator, name, None) is not None:
            priors = SHARES[-n_classes:] / SHARES[-n_classes:].sum()
            return clone(estimator).set_params(**{name: priors})
    return clone(estimator)


def expected(estimator, model, weight=None):
    """Log-probabilities of held-out rows by fits, of two classes the log odds, clipped."""
    found, data = [], model.data
    for train, test in zip(data.trains, data.tests, strict=True):
        params = {} if weight is None else {"sample_weight": weight[train]}
        fit = clone(estimator).fit(data.X[train], data.labels[train], **params)
        found.append(fit.predict_log_proba(data.X[test]))
    found = np.concatenate(found)
    if found.shape[1] > 2:
        return np.maximum(found, np.log(EPS))
    largest = np.log((1 - EPS) / EPS)
    return np.clip(found[:, 1:] - found[:, :1], -largest, largest)


def test_covariances_that_the_fit_refuses_have_no_decisions():
    X, labels = load_iris(return_X_y=True)
    estimator = QuadraticDiscriminantAnalysis(tol=0.05)
    refused, taken = model_of(estimator, X, labels).path([1e-3, 0.4])
    assert np.isnan(refused).all()
    assert np.isfinite(taken).all()
    with pytest.raises(np.linalg.LinAlgError, match="not full rank"):
        clone(estimator).set_params(reg_param=1e-3).fit(X, labels)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_the_path_has_the_log_probabilities_of_fits(case, weighted, n_classes):
    estimator, takes_weights, takes_sparse = CASES[case]
    if weighted and not takes_weights:
        return
    estimator = with_classes(estimator, n_classes)
    X, labels = flowers(estimator, n_classes)
    weight = np.random.default_rng(0).uniform(0, 2, len(labels)) if weighted else None
    name = name_of(estimator)
    # Of sparse data one kind, which is another one with weights.
    for kind in (np.asarray, (sparse.csr_array, sparse.csr_matrix)[weighted])[: 1 + takes_sparse]:
        model = model_of(estimator, kind(X), labels, weight)
        for value, z in zip(VALUES[name], model.path(VALUES[name]), strict=True):
            fitted = clone(estimator).set_params(**{name: value})
            assert_allclose(z, expected(fitted, model, weight), rtol=1e-8, atol=1e-8)
            assert_allclose(model.fit({name: value}, None, 0).z, z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_the_pullback_is_exact(five_point, case, n_classes):
    estimator = with_classes(CASES[case][0], n_classes)
    model, name = model_of(estimator, *flowers(estimator, n_classes)), name_of(estimator)
    for value in (0.3, 0.9):
        fitted = model.fit({name: value}, None, 0)
        g = np.random.default_rng(0).normal(size=fitted.z.shape)

        def along(step, value=value, g=g):
            return np.sum(g * model.fit({name: value + step}, None, 0).z)

        gradient = fitted.pullback(g).gradient[name]
        assert_allclose(gradient, five_point(along, 1e-3 * value), rtol=1e-9, atol=1e-9)


def flat(value):
    """The numbers of an array, or of a list of arrays of any shapes."""
    return np.hstack([np.ravel(part) for part in value]) if np.iterable(value) else value


@pytest.mark.parametrize("case", CASES)
def test_installed_estimators_predict_what_fits_predict(case):
    estimator = CASES[case][0]
    model, name = model_of(estimator, *flowers(estimator, 3)), name_of(estimator)
    h, data = {name: 0.3}, model.data
    fitted = model.fit(h, None, 0)
    installed = family(estimator).install(estimator, model, fitted, h)
    for own, train, test in zip(installed, data.trains, data.tests, strict=True):
        fit = clone(estimator).set_params(**h).fit(data.X[train], data.labels[train])
        assert_allclose(own.predict_proba(data.X[test]), fit.predict_proba(data.X[test]), rtol=1e-7)
        for attribute, value in vars(fit).items():
            # The signs of rotations are any.
            if attribute.endswith("_") and attribute not in ("rotations_", "classes_"):
                assert_allclose(flat(getattr(own, attribute)), flat(value), rtol=1e-7, atol=1e-9)


def test_long_paths_are_computed_in_pieces(monkeypatch):
    model = model_of(MultinomialNB(), *flowers(MultinomialNB(), 3))
    whole = list(model.path(VALUES["alpha"]))
    monkeypatch.setattr(closed_form, "MOST_NUMBERS", 1)
    assert_allclose(list(model.path(VALUES["alpha"])), whole, rtol=1e-12)


# Scikit-learn's own sums of probabilities in single precision.
@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_the_loss_clips_probabilities_as_the_metric_does(dtype, n_classes):
    X, labels = DIGITS
    X, labels = X[labels < n_classes].astype(dtype), labels[labels < n_classes]
    model = model_of(GaussianNB(), X, labels).judged_by(VALIDATION_LOSSES["log_loss"])
    h, losses = {"var_smoothing": 1e-3}, []
    for train, test in zip(model.data.trains, model.data.tests, strict=True):
        fit = GaussianNB(**h).fit(X[train], labels[train])
        losses.append(log_loss(labels[test], fit.predict_proba(X[test])))
    lowest = np.log(np.finfo(dtype).eps)
    assert np.mean(model.fit(h, None, 0).z <= 0.999 * lowest) > 0.1
    rtol = 1e-9 if dtype == np.float64 else 1e-4
    assert_allclose(model.evaluate(h, None, 0).values, losses, rtol=rtol, atol=1e-15)


def test_clipped_probabilities_have_no_slope():
    model = model_of(GaussianNB(), *DIGITS)
    fitted = model.fit({"var_smoothing": 1e-9}, None, 0)
    clipped = fitted.z == np.log(EPS)
    assert 0.3 < np.mean(clipped) < 0.95
    assert fitted.pullback(clipped.astype(float)).gradient["var_smoothing"] == 0.0
    assert fitted.pullback(1.0 - clipped).gradient["var_smoothing"] != 0.0


@pytest.mark.parametrize(
    ("estimator", "scoring"),
    [
        (MultinomialNB(), "neg_log_loss"),
        (MultinomialNB(), "accuracy"),
        (ComplementNB(), "neg_log_loss"),
        (BernoulliNB(), "neg_log_loss"),
    ],
)
def test_values_of_wide_sparse_data_are_scanned_one_by_one(monkeypatch, estimator, scoring):
    """A path of them takes longer than fits, and finds nothing better."""
    X, labels = DIGITS
    X, grid = sparse.csr_array(X[:500]), {"alpha": np.logspace(-2, 3, 6).tolist()}

    def searched():
        search = HypergradSearchCV(estimator, grid, cv=SPLITS, scoring=scoring)
        return search.fit(X, labels[:500])

    path = searched()
    assert "values in closed form" in path.stopping_reason_
    monkeypatch.setattr(discrete_bayes, "MOST_COEFFICIENTS", 1)
    scanned = searched()
    assert "values in closed form" not in scanned.stopping_reason_
    if scoring == "neg_log_loss":
        assert_allclose(scanned.best_score_, path.best_score_, rtol=1e-6)
    listed = GridSearchCV(estimator, grid, cv=SPLITS, scoring=scoring).fit(X, labels[:500])
    assert scanned.best_score_ >= listed.best_score_


@pytest.mark.parametrize("estimator", [GaussianNB(), MultinomialNB()])
def test_a_class_without_weight_is_never_predicted(estimator):
    X, labels = flowers(estimator, 3)
    weight = 1.0 * (labels != "b")
    model = model_of(estimator, X, labels, weight)
    with np.errstate(divide="ignore"):
        right = expected(estimator, model, weight)
    name = name_of(estimator)
    z = model.fit({name: getattr(estimator, name)}, None, 0).z
    assert_allclose(z, right, atol=1e-8)
    assert np.all(right[:, 1] == np.log(EPS))


def test_what_a_fit_refuses_is_no_value():
    """Pixels that never vary make covariance matrices singular without regularisation."""
    estimator = QuadraticDiscriminantAnalysis()
    model = model_of(estimator, *DIGITS)
    refused, taken = model.path([0.0, 0.5])
    assert np.isnan(refused).any()
    assert np.isfinite(taken).all()
    grid = {"reg_param": [0.0, 0.5, 1.0]}
    search = HypergradSearchCV(estimator, grid, cv=SPLITS, scoring="neg_log_loss").fit(*DIGITS)
    assert 0.5 < search.best_params_["reg_param"] < 1


def test_priors_need_not_sum_to_one():
    """As in the estimator, where only their ratios matter."""
    X, labels = load_wine(return_X_y=True)
    values = [0.1, 0.9]
    estimators = [QuadraticDiscriminantAnalysis(priors=p) for p in (SHARES, 3 * SHARES)]
    one, three = (list(model_of(each, X, labels).path(values)) for each in estimators)
    assert_allclose(one, three, rtol=1e-9, atol=1e-9)


# Estimators, how their data are changed, and why they are enumerated.
REFUSED = {
    "few rows": (QuadraticDiscriminantAnalysis(), lambda X: np.hstack([X] * 9), "too few"),
    "shrinkage": (
        QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1),
        np.asarray,
        "has no reg_param",
    ),
    "constant": (GaussianNB(), np.zeros_like, "all features are constant"),
    "negative": (MultinomialNB(), np.negative, "Negative values"),
    "not binary": (BernoulliNB(binarize=None), np.asarray, "not finite for any value"),
    "unknown": (CategoricalNB(), lambda X: 1e3 * X, "does not know"),
    "three priors": (GaussianNB(priors=[0.5, 0.5]), np.asarray, "2 priors of 3 classes"),
    "three shares": (ComplementNB(class_prior=[0.5, 0.5]), np.asarray, "2 priors of 3 classes"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_has_no_path_is_enumerated(case):
    estimator, change, reason = REFUSED[case]
    X, labels = load_iris(return_X_y=True)
    search = HypergradSearchCV(estimator, {name_of(estimator): [0.1, 0.9]}, cv=3, refit=False)
    if case in ("few rows", "negative", "three priors", "three shares"):
        with pytest.raises(ValueError, match="fits failed"):
            search.fit(change(X), labels)
        with pytest.raises(ValueError, match=reason):
            model_of(estimator, change(X), labels)
    else:
        search.fit(change(X), labels)
        assert reason in search.hypergradient_


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro"])
@pytest.mark.parametrize("estimator", [MultinomialNB(), GaussianNB()], ids=["counts", "numbers"])
def test_ranges_without_listed_values_have_scores_without_a_gradient(estimator, scoring):
    X, y = DIGITS
    ranges = {name_of(estimator): Continuous()}
    search = HypergradSearchCV(estimator, ranges, scoring=scoring, cv=2).fit(X[:200], y[:200])
    assert 0.5 < search.best_score_ < 1
