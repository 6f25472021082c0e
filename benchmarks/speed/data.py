"""Gaussian data sets with a known amount of signal."""

import numpy as np
from scipy import sparse


def regression(n_samples, n_features):
    """Independent features; signal and noise of variance one."""
    X = _gaussian(n_samples, n_features)
    return X, _signal(X) + np.random.default_rng(1).normal(size=n_samples)


def classification(n_samples, n_features, *, correlated=True):
    """Two classes, with probabilities that are the sigmoid of twice the signal.

    Correlated features have a few strong directions and many weak ones, as those of most tables do.
    """
    X = _gaussian(n_samples, n_features)
    if correlated:
        scales = np.logspace(0, -2, n_features)
        X = X @ (np.random.default_rng(2).normal(size=(n_features, n_features)) * scales)
        X /= X.std(axis=0)
    return X, _labels(X)


def sparse_features(n_samples, n_features, density):
    """A CSR matrix whose entries other than zero are gaussian, as many in every row."""
    rng = np.random.default_rng(0)
    n_entries = max(1, round(density * n_features))
    columns = rng.integers(n_features, size=(n_samples, n_entries), dtype=np.int32)
    ends = np.arange(0, n_samples * n_entries + 1, n_entries, dtype=np.int32)
    entries = rng.normal(size=n_samples * n_entries)
    X = sparse.csr_array((entries, columns.ravel(), ends), shape=(n_samples, n_features))
    X.sum_duplicates()
    return X


def sparse_regression(n_samples, n_features, density):
    """Targets for sparse features."""
    X = sparse_features(n_samples, n_features, density)
    return X, _signal(X) + np.random.default_rng(1).normal(size=n_samples)


def sparse_classification(n_samples, n_features, density):
    """Labels for sparse features."""
    X = sparse_features(n_samples, n_features, density)
    return X, _labels(X)


def _gaussian(n_samples, n_features):
    return np.random.default_rng(0).normal(size=(n_samples, n_features))


def _signal(X):
    signal = X @ np.random.default_rng(3).normal(size=X.shape[1])
    return signal / signal.std()


def _labels(X):
    probabilities = 1 / (1 + np.exp(-2 * _signal(X)))
    return (np.random.default_rng(1).uniform(size=X.shape[0]) < probabilities).astype(int)
