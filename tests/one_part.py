"""Data of one split whose training part is all rows, in every form that problems take."""

import numpy as np
from scipy import sparse

from sklearn_hypergrad.problems import SplitData

SHAPES = {"tall": (14, 4), "wide": (9, 15)}


def block_of(shape, *, thin=False, weighted=False, scaled=False, n_targets=1, seed=0):
    """All rows as one training part; with weights, one row has none."""
    rng = np.random.default_rng(seed)
    n_samples, n_features = SHAPES[shape]
    X = rng.normal(size=(n_samples, n_features)) + 1
    y = X[:, :n_targets] - X[:, 1:2] + 0.5 * rng.normal(size=(n_samples, n_targets)) + 3
    weight = rng.uniform(0.5, 2, n_samples) if weighted else np.ones(n_samples)
    weight[2] = 0.0 if weighted else 1.0
    if thin:
        X[rng.uniform(size=X.shape) < 0.6] = 0
    rows = np.arange(n_samples)
    return SplitData(
        X=sparse.csr_array(X) if thin else X,
        y=y,
        trains=[rows],
        tests=[rows],
        weights=[weight],
        score_weight=np.ones(n_samples),
        scales=rng.uniform(0.5, 2, (n_features, 1)) if scaled else None,
    )
