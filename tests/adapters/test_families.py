"""What every family has to do, for each row of the table in ``conftest.py``."""

import functools
import pickle
import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import check_scoring
from sklearn.model_selection import cross_val_score
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad import HypergradSearchCV
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.search.objective.validation_loss import choose

# In nats: the error of the larger step is that of the formula, of the smaller one that of rounding.
STEPS = 5e-3, 1e-3

# Fits of networks end after the steps that they are given.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fitted_models(row, tol, h=None, **data):
    return [model.fit(row.h if h is None else h, None, tol) for model in row.models(**data)]


def predictions(row, tol, **data):
    return np.concatenate([fitted.z for fitted in fitted_models(row, tol, **data)])


def weights_of(z, row, rng):
    """Random derivatives of a loss; those of classes do not change if all logits are shifted."""
    g = rng.normal(size=z.shape)
    coupled = row.family.takes == "probabilities" and z.shape[1] > 1
    return g - g.mean(axis=1, keepdims=True) if coupled else g


def moved(h, direction, step):
    return {name: value * np.exp(step * direction[name]) for name, value in h.items()}


def test_the_pullback_agrees_with_differences(row, tol, five_point):
    rng, models = np.random.default_rng(3), row.models()
    h = {name: np.asarray(value, dtype=float) for name, value in row.h.items()}
    direction = {name: rng.uniform(0.5, 1, np.shape(value)) for name, value in h.items()}
    fitted = [model.fit(h, None, tol) for model in models]
    weights = [weights_of(of.z, row, rng) for of in fitted]

    def along(step):
        at = moved(h, direction, step)
        now = (model.train(at, None, tol) for model in models)
        return sum(np.sum(g * of.z) for g, of in zip(weights, now, strict=True))

    gradients = [of.pullback(g).gradient for g, of in zip(weights, fitted, strict=True)]
    for name, value in h.items():
        assert {np.shape(gradient[name]) for gradient in gradients} == {value.shape}
    found = sum(
        np.sum(gradient[name] * h[name] * direction[name]) for gradient in gradients for name in h
    )
    expected = np.array([five_point(along, step) for step in STEPS])

    def error(value):
        return np.min(np.abs(expected - value)) / np.abs(value)

    assert error(found) < row.rtol
    assert error(1.001 * found) > row.rtol


def test_the_value_is_the_score_of_the_estimator(row, tol):
    X, y = row.data()
    estimator = clone(row.estimator).set_params(**row.h)
    for scoring in row.scoring:
        scorer = check_scoring(estimator, scoring=scoring)
        choice = choose("auto", scorer, estimator, row.family, y)
        assert choice.exact, scoring
        judged = [model.judged_by(choice.loss) for model in row.models()]
        values = np.concatenate([model.evaluate(row.h, None, tol).values for model in judged])
        scores = cross_val_score(estimator, X, y, cv=row.splits(), scoring=scorer)
        assert_allclose(choice.loss.offset - values, scores, row.fit_rtol, err_msg=str(scoring))
        again = np.concatenate([m.losses(m.train(row.h, None, tol)) for m in judged])
        assert_allclose(again, values, rtol=1e-9)


def outputs(fit, X):
    """What an estimator predicts, by method."""
    methods = ("predict", "predict_proba", "decision_function")
    return {name: np.asarray(getattr(fit, name)(X)) for name in methods if hasattr(fit, name)}


def expressed(z, takes):
    """Predictions of a model as ``(method, output)`` of an estimator."""
    if takes != "probabilities":
        return "predict" if takes == "numbers" else "decision_function", z
    p = softmax(z, axis=1) if z.shape[1] > 1 else np.hstack([expit(-z), expit(z)])
    return "predict_proba", p


def test_predictions_are_those_of_a_fit(row, tol):
    """Those of the model, and of the estimator that its solution is installed in."""
    X, _ = row.data()
    z, installed = [], []
    for model in row.models():
        fitted = model.fit(row.h, None, tol)
        z.append(fitted.z)
        own = row.family.install(row.estimator, model, fitted, row.h)
        installed += [None] * model.data.n_splits if own is None else own
    z = np.concatenate(z)
    for own, (fit, test) in zip(installed, row.fits(), strict=True):
        of_row = row.expressed or functools.partial(expressed, takes=row.family.takes)
        method, found = of_row(z[: len(test)])
        z, expected = z[len(test) :], outputs(fit, X[test])
        shaped = expected[method].reshape(found.shape)
        assert_allclose(found, shaped, row.fit_rtol, 1e-3 * row.fit_rtol)
        for name, output in {} if own is None else outputs(own, X[test]).items():
            if output.dtype.kind == "f":
                assert_allclose(output, expected[name], row.fit_rtol, 1e-3 * row.fit_rtol)
            else:
                assert_array_equal(output, expected[name])


def test_a_weight_of_two_is_a_row_twice(row, tol):
    if not row.weighted:
        return
    X, y = row.data()
    weight = np.random.default_rng(4).integers(1, 3, len(y)).astype(float)
    twice = np.flatnonzero(weight == 2)
    copies = len(y) + np.arange(len(twice))
    splits = [
        (np.concatenate([train, copies[np.isin(twice, train)]]), test)
        for train, test in row.splits()
    ]
    weighted = predictions(row, tol, weight=weight)
    repeated = predictions(
        row, tol, X=np.concatenate([X, X[twice]]), y=np.concatenate([y, y[twice]]), splits=splits
    )
    assert_allclose(weighted, repeated, rtol=1e-7, atol=1e-9)
    assert np.abs(weighted - predictions(row, tol)).max() > 1e-4


def test_a_warm_start_changes_nothing(row, tol):
    rng = np.random.default_rng(5)
    h = moved(row.h, dict.fromkeys(row.h, 1.0), -0.7)
    for model in row.models():
        before = model.fit(row.h, None, tol)
        g = weights_of(before.z, row, rng)
        state = before.pullback(g).state
        warm = model.fit(h, before.state if state is None else state, tol)
        cold = model.fit(h, None, tol)
        assert_allclose(warm.z, cold.z, rtol=1e-7, atol=1e-9)
        found, expected = (of.pullback(g).gradient for of in (warm, cold))
        for name in h:
            assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-9)


def test_sparse_features_are_the_same_as_dense_ones(row, tol):
    X, _ = row.data()
    X = sparse.csr_array(X)
    if row.sparse:
        with pytest.raises((TypeError, ValueError), match=row.sparse):
            row.models(X=X)
        return
    assert_allclose(predictions(row, tol, X=X), predictions(row, tol), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_a_subclass_with_methods_of_its_own_is_another_model(row, method):
    cls = type(row.estimator)
    other = type("Other", (cls,), {method: lambda self, *args, **kwargs: None})
    # The constructor is that of the class.
    estimator = other(**row.estimator.get_params(deep=False))
    obstacle = family(estimator).obstacle(estimator)
    assert re.fullmatch(rf"Other overrides \w+\.{method}", obstacle)
    assert row.family.obstacle(row.estimator) is None


def test_obstacles_are_enumerated_with_the_reason(row):
    X, y = row.data()
    (name, *_), y = row.h, np.abs(y) if y.dtype.kind == "f" else y
    for params, reason in row.obstacles:
        search = HypergradSearchCV(
            clone(row.estimator).set_params(**params), {name: [0.1, 1]}, cv=2
        )
        search.fit(X, y)
        assert reason in search.hypergradient_
        assert [params[name] for params in search.cv_results_["params"]] == [0.1, 1]


@pytest.mark.thorough
def test_a_fitted_search_is_pickled_and_cloned(row):
    X, y = row.data()
    name, value = next(iter(row.h.items()))
    span = [0.5 * np.mean(value), 2.0 * np.mean(value)]
    search = HypergradSearchCV(row.estimator, {name: span}, cv=2, max_iter=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    assert "enumerated" not in search.hypergradient_
    again = pickle.loads(pickle.dumps(search))
    predicted, expected = again.predict(X), search.predict(X)
    if expected.dtype.kind == "f":
        # Arrays that were pickled start at other addresses, which shows in the last digit.
        assert_allclose(predicted, expected, rtol=1e-12)
    else:
        assert_array_equal(predicted, expected)
    assert str(again.report()) == str(search.report())
    copy = clone(search)
    assert str(copy.get_params()) == str(search.get_params())
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)


def test_it_is_in_the_documentation(row):
    """Classes by their names; ``test_coverage.py`` has the table of what is searched."""
    if not row.own:
        assert type(row.estimator).__name__ in HypergradSearchCV.__doc__
        assert row.family.conditions or not row.obstacles


def test_every_family_has_a_row(rows):
    registered = {
        cls
        for cls, make in family.registry.items()
        if cls is not object and make.__module__.startswith("sklearn_hypergrad.")
    }
    tried = {base for row in rows for base in type(row.estimator).__mro__}
    assert {cls.__name__ for cls in registered - tried} == set()
