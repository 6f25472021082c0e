"""A ridge problem of many targets with penalties per group."""

import numpy as np

from sklearn_hypergrad.problems import DualRidge, L2Penalty, SplitData

N_SAMPLES, N_FEATURES, N_GROUPS, N_TARGETS = 24, 60, 3, 4


def problem_of(*, weighted=False, scaled=False, fit_intercept=True):
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(N_SAMPLES, N_FEATURES)) + 1, rng.normal(size=(N_SAMPLES, N_TARGETS))
    order = rng.permutation(N_SAMPLES)
    tests = [order[:8], order[8:15]]
    trains = [np.setdiff1d(order, test) for test in tests]
    weights = [rng.uniform(0.5, 2, len(t)) if weighted else np.ones(len(t)) for t in trains]
    weights[0][3] = 0.0 if weighted else 1.0
    block = SplitData(
        X=X,
        y=X[:, :N_TARGETS] + noise + 5,
        trains=trains,
        tests=tests,
        weights=weights,
        score_weight=np.ones(N_SAMPLES),
        scales=rng.uniform(0.5, 2, (N_FEATURES, len(tests))) if scaled else None,
    )
    groups = np.arange(N_FEATURES) % N_GROUPS
    entries = groups[:, None] + N_GROUPS * np.arange(N_TARGETS)
    penalty = L2Penalty("a", entries=entries)
    return block, DualRidge(block, penalty, fit_intercept=fit_intercept)


def strengths(seed=1):
    """One value per group and target; two targets have the same."""
    a = np.exp(np.random.default_rng(seed).uniform(-2, 4, (N_TARGETS, N_GROUPS)))
    a[2] = a[0]
    return a
