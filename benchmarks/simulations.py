"""Vectors of penalties where the truth is known: few features matter, all, or groups of them.

Run ``python -m benchmarks.simulations``: twelve draws of every truth and size. It writes for each
method the root of the expected squared error on new rows (RMSE), the excess error (that square,
less that of the truth) relative to one penalty (geometric mean of draws), how often it is more than
1 % above it, and the recovery: the share of pairs (a feature that matters, one that does not) whose
coefficients are in the order of their sizes, ties counting half. A second table has rows that
belong together, follow each other in time, or have weights, with a splitter that knows it: twenty
draws each. A third one has four targets that share one penalty per feature, twenty draws each.
``--tables``, ``--seeds``, ``--truths`` and ``--structures`` choose; only whole tables are written
to ``docs/``.

Features are Gaussian, with correlations 0.5 between neighbours, 0.25 one further, and so on.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn import linear_model as plain
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

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


def grouped_rows(rng, X):
    """Ten groups of ten rows share half of the variance of their noise and of their features."""
    groups = np.repeat(np.arange(len(X) // 10), 10)
    shared = rng.normal(size=(groups[-1] + 1, X.shape[1] + 1))[groups]
    noise = shared[:, -1] + rng.normal(size=len(X))
    return (X + shared[:, :-1]) / np.sqrt(2), noise / np.sqrt(2), GroupKFold(5), {"groups": groups}


def series(rng, X):
    """Features and noise of each row keep 0.7 of those of the row before."""
    moved, noise = X.copy(), rng.normal(size=len(X))
    for row in range(1, len(X)):
        moved[row] = 0.7 * moved[row - 1] + np.sqrt(1 - 0.7**2) * X[row]
        noise[row] = 0.7 * noise[row - 1] + np.sqrt(1 - 0.7**2) * noise[row]
    return moved, noise, TimeSeriesSplit(5), {}


def weighted_rows(rng, X):
    """The variance of the noise is one over the weight, whose logarithm has a deviation of one."""
    weight = rng.lognormal(size=len(X))
    weight /= weight.mean()
    noise = rng.normal(size=len(X)) / np.sqrt(weight)
    return X, noise, KFold(5), {"sample_weight": weight}


STRUCTURES = {
    "groups of ten rows, GroupKFold": grouped_rows,
    "time, TimeSeriesSplit": series,
    "weights, KFold": weighted_rows,
}
STRUCTURED = {
    "one per feature, cv alone": {"search_cv": "cv"},
    "one per feature": {},
    "one per feature, guard": {"guard": True},
}


def structured_results(name, truth, seed):
    """``{method: expected squared error on new rows}`` of one draw of 100 rows, 50 features."""
    X, _, coef, covariance = drawn(truth, 100, 50, seed)
    X, noise, cv, params = STRUCTURES[name](np.random.default_rng([seed, 1]), X)
    y, found = X @ coef + NOISE * noise, {}
    for method, options in {"one penalty": None, **STRUCTURED}.items():
        per = None if options is None else "feature"
        grid = {"alpha": Continuous(*((1e-4, 1e6) if per is None else ()), per=per)}
        scoring = "neg_mean_squared_error"
        model = HypergradSearchCV(Ridge(), grid, scoring=scoring, cv=cv, **(options or {}))
        off = model.fit(X, y, **params).best_estimator_.coef_ - coef
        found[method] = off @ covariance @ off + NOISE**2
    return found


N_TARGETS = 4
SEVERAL = (60, 50), (100, 50), (200, 50), (60, 120)
OF_SEVERAL = {
    "one per feature (halves)": {},
    "one per feature, evidence": {"search_cv": "evidence"},
}


def several_results(truth, n, p, seed):
    """``{method: expected squared error on new rows}``, mean over four targets, of one draw.

    The same features matter for all targets, with signs and sizes of their own.
    """
    X, _, coef, covariance = drawn(truth, n, p, seed)
    rng = np.random.default_rng([seed, 2])
    shape = p, N_TARGETS
    sizes = np.abs(coef)[:, None] * np.exp(0.3 * rng.normal(size=shape))
    coefs = sizes * rng.choice([-1.0, 1.0], shape)
    Y, found = X @ coefs + NOISE * rng.normal(size=(n, N_TARGETS)), {}
    methods = {"one penalty": search(seed)}
    methods |= {name: search(seed, "feature", **each) for name, each in OF_SEVERAL.items()}
    for name, model in methods.items():
        off = model.fit(X, Y).best_estimator_.coef_.T - coefs
        found[name] = np.einsum("jk,jl,lk->k", off, covariance, off).mean() + NOISE**2
    return found


def several_rows(truths, n_seeds):
    """Yield the rows of the table of several targets."""
    for truth in truths:
        for n, p in SEVERAL:
            draws = [several_results(truth, n, p, seed) for seed in range(n_seeds)]
            for method in OF_SEVERAL:
                yield [truth, f"{n}, {p}", method, *ratio_cells(draws, method)]


def ratio_cells(draws, method):
    """The ratio to one penalty (geometric mean), how often it is above 1.01, and the largest."""
    ratio = np.array([draw[method] / draw["one penalty"] for draw in draws])
    losses = str(int((ratio > 1.01).sum()))
    return [f"{np.exp(np.log(ratio).mean()):.3f}", losses, f"{ratio.max():.2f}"]


def truth_rows(truths, n_seeds):
    """Yield the rows of the table of truths."""
    for truth in truths:
        for n, p in SIZES:
            draws = [results(truth, n, p, seed) for seed in range(n_seeds)]
            common = np.array([draw["one penalty"][0] for draw in draws])
            for name in METHODS:
                errors, areas = np.array([draw[name] for draw in draws]).T
                ratio = errors / common
                cells = [truth, f"{n}, {p}", name, f"{np.sqrt(errors + NOISE**2).mean():.2f}"]
                cells += [f"{np.exp(np.log(ratio).mean()):.2f}", str(int((ratio > 1.01).sum()))]
                yield [*cells, "-" if np.isnan(areas).all() else f"{areas.mean():.2f}"]


def structure_rows(names, n_seeds):
    """Yield the rows of the table of structures."""
    for name in names:
        for truth in ("sparse", "decaying"):
            draws = [structured_results(name, truth, seed) for seed in range(n_seeds)]
            for method in STRUCTURED:
                yield [name, truth, method, *ratio_cells(draws, method)]


def table(header, rows, path):
    """Print the rows of a table as they come, and write it if there is a path."""
    lines = [".. list-table::", "   :header-rows: 1", "   :width: 100%", ""]
    for row in [header, *rows]:
        print(f"| {' | '.join(row)} |", flush=True)
        lines += [f"   {'  -' if number else '* -'} {cell}" for number, cell in enumerate(row)]
        if path is not None:
            path.write_text("\n".join(lines) + "\n")


def main():
    """Print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--truths", nargs="*", choices=TRUTHS)
    parser.add_argument("--structures", nargs="*", choices=STRUCTURES)
    asked = parser.parse_args()
    for name in asked.tables:
        header, rows, usual, chosen, n_seeds = TABLES[name]
        some = getattr(asked, chosen)
        whole = asked.seeds is None and some is None
        path = Path(__file__).parents[1] / "docs" / f"{name}.inc" if whole else None
        table(header, rows(usual if some is None else some, asked.seeds or n_seeds), path)


COMPARED = "squared error", "worse by 1 %", "worst"
# For each table its header, its rows, the usual choice and its name, and the number of draws.
TABLES = {
    "simulations": (
        ["truth", "n, p", "method", "RMSE", "excess error", "worse by 1 %", "recovery"],
        truth_rows,
        list(TRUTHS),
        "truths",
        12,
    ),
    "structures": (
        ["rows", "truth", "method", *COMPARED],
        structure_rows,
        list(STRUCTURES),
        "structures",
        20,
    ),
    "several_targets": (
        ["truth", "n, p", "method", *COMPARED],
        several_rows,
        ["sparse", "decaying", "dense"],
        "truths",
        20,
    ),
}


if __name__ == "__main__":
    main()
