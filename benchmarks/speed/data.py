"""Gaussian data sets with a known amount of signal."""

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer


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


def factor_regression(n_samples, n_features):
    """Features of ten common factors and of their own parts, half of which matter; signal = noise.

    Own parts get smaller from feature to feature, and no mean is zero, as in most tables.
    """
    X = _factors(n_samples, n_features, n_factors=10, smallest=0.05) + 3
    signal = _half(X - 3)
    return X, signal + signal.std() * np.random.default_rng(1).normal(size=n_samples) + 5


def factor_classification(n_samples, n_features):
    """Two classes of features like these, of five factors."""
    X = _factors(n_samples, n_features, n_factors=5, smallest=0.1)
    noise = np.random.default_rng(1).logistic(size=n_samples)
    return X + 0.5, (1.5 * _half(X) + 0.5 * noise > 0).astype(int)


def words(n_samples, n_features, n_words):
    """Two classes of texts: words whose frequencies fall as one over their rank, weighted."""
    rng = np.random.default_rng(0)
    frequencies = 1 / (20 + np.arange(n_features))
    drawn = rng.choice(n_features, size=(n_samples, n_words), p=frequencies / frequencies.sum())
    rows = np.repeat(np.arange(n_samples), n_words)
    counts = sparse.coo_array((np.ones(drawn.size), (rows, drawn.ravel())), (n_samples, n_features))
    X = TfidfTransformer(sublinear_tf=True).fit_transform(counts.tocsr())
    signal = X @ (3 * rng.normal(size=n_features))
    return X, (signal + 0.6 * rng.logistic(size=n_samples) > 0).astype(int)


def _factors(n_samples, n_features, n_factors, smallest):
    rng = np.random.default_rng(0)
    own = rng.normal(size=(n_samples, n_features)) * np.geomspace(1, smallest, n_features)
    loadings = rng.normal(size=(n_factors, n_features)) / np.sqrt(n_factors)
    return own + rng.normal(size=(n_samples, n_factors)) @ loadings


def _half(X):
    """A linear function of a random half of the features."""
    rng, n_features = np.random.default_rng(3), X.shape[1]
    weights = rng.normal(size=n_features) / np.sqrt(n_features)
    weights[rng.permutation(n_features)[: n_features // 2]] = 0
    return X @ weights
