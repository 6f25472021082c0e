"""Whole fits: HypergradSearchCV against GridSearchCV with 20 values and with one."""

import time

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from benchmarks.jobs import VALUES, print_table, quiet
from sklearn_hypergrad import HypergradSearchCV

ROUNDS = 3
THREADS = (1, 2)


def main():
    """Print ratios of medians of interleaved runs."""
    quiet()
    header = "work", "over one candidate", "20 candidates over ours", "threads: peer / ours", "gain"
    print_table(header, (_row(*job) for job in _jobs()))


def _jobs():
    for n_samples, n_features in ((500, 20), (20000, 200)):
        X, signal = _data(n_samples, n_features, correlated=False)
        y = signal + np.random.default_rng(1).normal(size=n_samples)
        yield f"ridge {X.shape}", X, y, Ridge(), "alpha", "r2"
    for correlated in (True, False):
        X, signal = _data(20000, 100, correlated=correlated)
        y = np.random.default_rng(1).uniform(size=len(X)) < 1 / (1 + np.exp(-2 * signal))
        kind = "correlated" if correlated else "independent"
        title = f"logistic {X.shape}, {kind} features"
        yield title, X, y, LogisticRegression(), "C", "neg_log_loss"


def _data(n_samples, n_features, *, correlated):
    """Features of unit variance and a signal of unit variance."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    if correlated:
        X = X @ (rng.normal(size=(n_features, n_features)) * np.logspace(0, -2, n_features))
    X /= X.std(axis=0)
    signal = X @ rng.normal(size=n_features)
    return X, signal / signal.std()


def _row(title, X, y, model, key, scoring):
    searches = {
        "one": GridSearchCV(model, {key: [1.0]}, scoring=scoring),
        "twenty": GridSearchCV(model, {key: VALUES}, scoring=scoring),
        "ours": HypergradSearchCV(model, {key: VALUES}, scoring=scoring),
    }
    seconds = {(name, threads): [] for name in searches for threads in THREADS}
    for _ in range(ROUNDS):
        for name, threads in seconds:
            with threadpool_limits(threads):
                seconds[name, threads].append(_time(searches[name], X, y))
    best = {
        name: min((np.median(seconds[name, threads]), threads) for threads in THREADS)
        for name in searches
    }
    (one, peer), (twenty, _), (ours, mine) = (best[name] for name in ("one", "twenty", "ours"))
    gain = searches["ours"].best_score_ - searches["twenty"].best_score_
    return title, f"{ours / one:.2f}", f"{twenty / ours:.1f}", f"{peer} / {mine}", f"{gain:+.1e}"


def _time(search, X, y):
    start = time.perf_counter()
    search.fit(X, y)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
