"""What every transformer has to do, for each row of the table in ``conftest.py``."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import issparse
from sklearn.base import clone

from sklearn_hypergrad.transformers import transformer

# In nats, or in units of rows: the error of the larger step is that of the formula, of the smaller
# one that of rounding.
STEPS = 5e-3, 1e-3


def dense(X):
    return X.toarray() if issparse(X) else np.asarray(X)


def weights_like(X):
    return np.random.default_rng(2).normal(size=X.shape)


def check(found, along, five_point, rtol):
    """Compare a slope with differences, and see that one that is wrong by 0.1 % is refused."""
    expected = np.array([five_point(along, step) for step in STEPS])

    def error(value):
        return np.min(np.abs(expected - value)) / np.abs(value)

    assert error(found) < rtol
    assert error(1.001 * found) > rtol


def test_the_rows_are_those_of_scikit_learn(row):
    X, n = row.X(), len(row.y())
    found = dense(row.features().at(row.h, X).X)
    own = clone(row.estimator).set_params(**{**row.h, **row.expanded})
    train, test = own.fit_transform(X[:n], row.y()), own.transform(X[n:])
    assert_allclose(found, np.concatenate([dense(train), dense(test)]), rtol=1e-7, atol=1e-9)


def test_derivatives_in_hyperparameters_agree_with_differences(row, five_point):
    if not row.h:
        return
    X, features, rng = row.X(), row.features(), np.random.default_rng(3)
    h = {name: np.asarray(value, dtype=float) for name, value in row.h.items()}
    direction = {name: rng.uniform(0.5, 1, value.shape) for name, value in h.items()}
    left = features.at(h, X)
    G = weights_like(left.X)
    gradient, inputs = left.pull(G[:, left.columns], False)
    assert inputs is None
    assert {name: np.shape(slope) for name, slope in gradient.items()} == {
        name: value.shape for name, value in h.items()
    }

    def along(step):
        moved = {name: value * np.exp(step * direction[name]) for name, value in h.items()}
        return np.sum(G * dense(features.at(moved, X).X))

    found = sum(np.sum(gradient[name] * h[name] * direction[name]) for name in h)
    check(found, along, five_point, row.rtol)


def test_derivatives_in_rows_agree_with_differences(row, five_point):
    if not (row.family.through and row.through):
        return
    X, features = row.X(), row.features(moving=True)
    direction = np.random.default_rng(4).normal(size=X.shape)
    left = features.at(row.h, X)
    G = weights_like(left.X)
    gradient, inputs = left.pull(G[:, left.columns], True)
    assert set(gradient) == set(row.h)
    assert inputs.shape == X.shape

    def along(step):
        return np.sum(G * dense(features.at(row.h, row.moved(0.1 * step * direction)).X))

    inputs = np.where(dense(X) != 0, inputs, 0)
    check(0.1 * np.sum(inputs * direction), along, five_point, 10 * row.rtol)


def test_levels_are_positive_and_those_of_what_is_tuned(row):
    features = row.features()
    levels, usual = features.levels(), features.usual()
    assert set(levels) == row.scanned
    assert all(level > 0 for level in levels.values())
    assert set(usual) == set(row.h)
    assert levels.items() <= usual.items()


def test_a_subclass_with_methods_of_its_own_is_another_transformer(row):
    cls = type(row.estimator)
    other = type("Other", (cls,), {"transform": lambda self, X: X})
    estimator = other(**row.estimator.get_params(deep=False))
    found = transformer(estimator)
    assert found is None or "Other overrides" in found.obstacle(estimator, list(row.h), False)
    assert row.family.obstacle(row.estimator, list(row.h), not row.h) is None


def test_every_transformer_has_a_row(rows):
    registered = {
        cls
        for cls, make in transformer.registry.items()
        if cls is not object and make.__module__.startswith("sklearn_hypergrad.")
    }
    tried = {base for row in rows for base in type(row.estimator).__mro__}
    assert {cls.__name__ for cls in registered - tried} == set()


@pytest.mark.parametrize("own", [None, 0.3])
def test_own_values_are_numbers(own, rows):
    for row in rows:
        for name in row.h:
            estimator = clone(row.estimator)
            if own is not None:
                estimator.set_params(**{name: row.family.parameter(name, own)})
            found = row.family.own_value(estimator, name, row.X())
            assert np.isfinite(found) != (own is None and row.named)
            assert own is None or found == own
