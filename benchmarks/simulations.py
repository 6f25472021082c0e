"""Vectors of penalties where the truth is known: few features matter, all, or groups of them.

Run ``python -m benchmarks.simulations``: twelve draws of every truth and size, and prints for each
method the mean excess error (the expected squared error on new rows, less that of the truth), that
relative to one penalty (geometric mean of draws), how often it is more than 1 % above it, and the
recovery: the share of pairs (a feature that matters, one that does not) whose coefficients are in
the order of their sizes, ties counting half. ``--seeds`` and ``--truths`` choose.

Features are Gaussian, with correlations 0.5 between neighbours, 0.25 one further, and so on.
"""

import argparse

import numpy as np
from sklearn import linear_model as plain
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge

CORRELATION, NOISE = 0.5, np.sqrt(3)
SIZES = (100, 50), (60, 120)


def sparse(rng, p):
    """Every third feature has a coefficient of plus or minus one."""
    coef = np.zeros(p)
    coef[::3] = rng.choice([-1.0, 1.0], len(coef[::3]))
    return coef


def decaying(rng, p):
    """Coefficients fall as one over their rank, in random places."""
    return rng.permutation(4 * rng.choice([-1.0, 1.0], p) / np.arange(1, p + 1))


def dense(rng, p):
    """All coefficients are of one size."""
    return rng.normal(size=p) * 4 / np.sqrt(p)


def grouped(rng, p):
    """Blocks of five neighbours have equal coefficients, one block in five matters."""
    blocks = np.where(np.arange(-(-p // 5)) % 5 == 0, 1.0, 0.0)
    return np.repeat(blocks * rng.choice([-1.0, 1.0], len(blocks)), 5)[:p]


TRUTHS = {"sparse": sparse, "decaying": decaying, "dense": dense, "grouped": grouped}


def drawn(truth, n, p, seed):
    """``(X, y, coefficients, covariance of features)`` of one draw."""
    rng = np.random.default_rng(seed)
    place = np.arange(p)
    covariance = CORRELATION ** np.abs(place - place[:, None])
    X = rng.normal(size=(n, p)) @ np.linalg.cholesky(covariance).T
    coef = TRUTHS[truth](rng, p)
    return X, X @ coef + NOISE * rng.normal(size=n), coef, covariance


def search(seed, per=None, **options):
    bounds = (1e-4, 1e6) if per is None else ()
    grid = {"alpha": Continuous(*bounds, per=per)}
    cv = KFold(5, shuffle=True, random_state=seed)
    return HypergradSearchCV(Ridge(), grid, scoring="neg_mean_squared_error", cv=cv, **options)


METHODS = {
    "one penalty": search,
    "one per feature": lambda seed: search(seed, "feature"),
    "one per feature, half splits": lambda seed: search(seed, "feature", search_cv="halves"),
    "one per feature, guard": lambda seed: search(seed, "feature", guard=True),
    "LassoCV": lambda seed: plain.LassoCV(cv=KFold(5, shuffle=True, random_state=seed)),
    "ARDRegression": lambda seed: plain.ARDRegression(),
}


def results(truth, n, p, seed):
    """``{method: (excess error, recovery)}`` of one draw."""
    X, y, coef, covariance = drawn(truth, n, p, seed)
    found = {}
    for name, make in METHODS.items():
        model = make(seed).fit(X, y)
        fitted = getattr(model, "best_estimator_", model).coef_
        off = fitted - coef
        matters = np.abs(coef) > 0
        mixed = 0 < matters.sum() < p
        recovery = roc_auc_score(matters, np.abs(fitted)) if mixed else np.nan
        found[name] = off @ covariance @ off, recovery
    return found


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--truths", nargs="+", choices=TRUTHS, default=list(TRUTHS))
    arguments = parser.parse_args()
    print("| truth | n, p | method | excess error | relative | worse by 1 % | recovery |")
    print("|---|---|---|---|---|---|---|")
    for truth in arguments.truths:
        for n, p in SIZES:
            draws = [results(truth, n, p, seed) for seed in range(arguments.seeds)]
            common = np.array([draw["one penalty"][0] for draw in draws])
            for name in METHODS:
                errors, areas = np.array([draw[name] for draw in draws]).T
                ratio = errors / common
                cells = [truth, f"{n}, {p}", name, f"{errors.mean():.2f}"]
                cells += [f"{np.exp(np.log(ratio).mean()):.2f}", str(int((ratio > 1.01).sum()))]
                cells.append("-" if np.isnan(areas).all() else f"{areas.mean():.2f}")
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
