"""Small data: X and y, the same every time."""

import functools

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn import datasets
from sklearn.preprocessing import scale


def _shuffled(X, y, n_samples=None, seed=0):
    order = np.random.default_rng(seed).permutation(len(y))[:n_samples]
    return X[order], y[order]


def diabetes(n_samples=None):
    """Ten features of 442 patients, or of some of them."""
    return _shuffled(*datasets.load_diabetes(return_X_y=True), n_samples)


def diabetes_frame():
    """The same in a data frame, with a column of names and one that is constant."""
    frame, y = datasets.load_diabetes(return_X_y=True, as_frame=True)
    frame = frame.assign(clinic=np.arange(len(y)) * 7 % 5, constant=1.0)
    return frame.astype({"clinic": str}), y.to_numpy()


def diabetes_names():
    """The ten features in a data frame."""
    return datasets.load_diabetes(return_X_y=True, as_frame=True)


def noisy(n_samples=200, n_noise=30):
    """Diabetes with columns of noise."""
    X, y = diabetes(n_samples)
    return np.column_stack([scale(X), np.random.default_rng(1).normal(size=(len(X), n_noise))]), y


def constant_columns():
    """Diabetes with two columns that are constant."""
    X, y = diabetes(200)
    return np.column_stack([np.ones(len(X)), scale(X), np.full(len(X), 3.0)]), y


def two_targets():
    """Ten features, two targets with noise of different size."""
    X, y = datasets.make_regression(
        120, 10, n_informative=6, n_targets=2, noise=20.0, random_state=0
    )
    y[:, 1] += np.random.default_rng(0).normal(scale=200, size=len(y))
    return X, y


def few_targets():
    """Four features, one noisy target."""
    return datasets.make_regression(60, 4, n_informative=3, noise=150.0, random_state=0)


def wide(n_features=150):
    """More features than samples."""
    return datasets.make_regression(
        60, n_features, n_informative=8, noise=30.0, effective_rank=30, random_state=0
    )


def counts():
    """Positive targets of a skewed kind."""
    X = np.random.default_rng(0).normal(size=(150, 5))
    return X, 8.0 + np.random.default_rng(1).poisson(np.exp(0.4 * X[:, 0] + 0.2 * X[:, 1]))


def series():
    """A trend with noise, in the order of time."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 12)) + np.linspace(0, 1, 150)[:, None]
    return X, X[:, :4].sum(axis=1) + rng.normal(scale=2.0, size=150)


def few_classes():
    """Two classes, four features that do not depend on one another."""
    return datasets.make_classification(
        60, 4, n_informative=4, n_redundant=0, flip_y=0.2, random_state=0
    )


def cancer(n_samples=300):
    """Two classes, thirty features."""
    return _shuffled(*datasets.load_breast_cancer(return_X_y=True), n_samples)


def two_classes(weights=(0.5,), n_features=20, n_samples=200):
    """Two classes that overlap."""
    return datasets.make_classification(
        n_samples, n_features, n_informative=5, flip_y=0.15, weights=weights, random_state=0
    )


unbalanced = functools.partial(two_classes, (0.8,))
wide_classes = functools.partial(two_classes, n_features=200, n_samples=80)


def iris():
    """Three classes, four features."""
    return _shuffled(*datasets.load_iris(return_X_y=True))


def wine(n_samples=None):
    """Three classes, thirteen features."""
    X, y = datasets.load_wine(return_X_y=True)
    return _shuffled(scale(X), y, n_samples)


def named_wine():
    """Wine, the classes of which are names."""
    X, y = wine()
    return X, np.array(["barolo", "grignolino", "barbera"])[y]


def digits(n_samples=250):
    """Ten classes of small images."""
    X, y = datasets.load_digits(return_X_y=True)
    return _shuffled(X / 16, y, n_samples)


def overlapping():
    """Three classes that overlap, six features."""
    return datasets.make_classification(
        150, 6, n_informative=4, n_classes=3, flip_y=0.2, random_state=0
    )


def labels():
    """Several labels per sample."""
    X, y = datasets.make_multilabel_classification(120, 8, n_classes=3, random_state=0)
    return scale(X), y


def sparse_classes():
    """Sparse features of two classes."""
    X, y = two_classes(n_features=60)
    return sparse.csr_matrix(np.where(np.abs(X) > 1, X, 0.0)), y


def scaled_regression(n_samples=120):
    """Standardised diabetes, target too."""
    X, y = diabetes(n_samples)
    return scale(X), scale(y)


def scaled_targets():
    """Two standardised targets."""
    X, y = two_targets()
    return scale(X), scale(y)


def outliers():
    """A regression some targets of which are far off."""
    X, y = scaled_regression(100)
    y = y.copy()
    y[:8] += 10
    return X, y


def _texts():
    """Sentences of words that are more common in some of them."""
    rng = np.random.default_rng(0)
    words = np.array([f"{head}{tail}" for head in "bdfgklmnprst" for tail in ("am", "en", "or")])
    y = rng.integers(2, size=160)
    weight = np.linspace(0, 2, len(words))
    odds = np.exp(np.where(y[:, None] == 1, weight, weight[::-1]))
    rows = [rng.choice(words, 12, p=part / part.sum()) for part in odds]
    return np.array([" ".join(row) for row in rows]), y, rng


def texts():
    """Short texts of two classes."""
    texts, y, _ = _texts()
    return texts, y


def rated_texts():
    """Short texts with a number to predict."""
    texts, y, rng = _texts()
    return texts, y + rng.normal(scale=0.5, size=len(y))


def texts_and_numbers():
    """A column of texts and two of numbers, with two classes."""
    texts, y, rng = _texts()
    numbers = rng.normal(size=(len(y), 2)) + y[:, None]
    return pd.DataFrame({"text": texts, "one": numbers[:, 0], "two": numbers[:, 1]}), y


def mislabelled(n_noisy=150, n_clean=150):
    """Digits with wrong labels, and clean ones."""
    X, y = digits(n_noisy + n_clean)
    rng = np.random.default_rng(0)
    wrong = rng.uniform(size=n_noisy) < 0.3
    labels = y[:n_noisy].copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    return X[:n_noisy], labels, X[n_noisy:], y[n_noisy:]


def mislabelled_rows():
    """The same in one table: clean rows are the last 150."""
    X, labels, X_clean, y_clean = mislabelled()
    return np.vstack([X, X_clean]), np.concatenate([labels, y_clean])


def rows_in_groups(X, y):
    """Arguments of fit: groups of ten rows."""
    return {"groups": np.arange(len(y)) // 10}


def weighted(X, y):
    """Arguments of fit: weights of samples, a few of which are zero."""
    weight = np.random.default_rng(2).uniform(0.2, 2.0, size=len(y))
    weight[::17] = 0.0
    return {"sample_weight": weight}
