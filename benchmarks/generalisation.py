"""Is one penalty per feature better on new data than one penalty for all?

Run ``python -m benchmarks.generalisation --data DIR``: fits every method on every set, variant and
split of :mod:`benchmarks.protocol`, appends one line per fit to ``--out`` (lines that are there are
not fitted again), and prints the tables. ``--task`` and ``--methods`` choose.

Ratios are to one penalty tuned on the same five folds. A method wins or loses a variant of a set if
its mean test loss over the splits is more than 0.5 % away (classification: 1 % of log loss + 0.02,
for losses near zero).
"""

import argparse
import csv
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.protocol import VARIANTS, jobs
from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge

BASELINE = "one penalty"
FIELDS = (
    "task",
    "data",
    "variant",
    "split",
    "method",
    "n_train",
    "n_features",
    "loss",
    "seconds",
    "note",
)
# Fits that converge: what is compared is penalties, not where a solver stops.
SOLVER = {"solver": "newton-cholesky", "tol": 1e-8, "max_iter": 1000}
MODELS = {
    "regression": (plain.Ridge(), Ridge(), "alpha", "neg_mean_squared_error"),
    "classification": (
        plain.LogisticRegression(**SOLVER),
        LogisticRegression(**SOLVER),
        "C",
        "neg_log_loss",
    ),
}


def search(task, seed, *, per=None, **options):
    """A search for one penalty or for one per feature, behind a StandardScaler."""
    common, vector, name, scoring = MODELS[task]
    model = make_pipeline(StandardScaler(), common if per is None else vector)
    grid = {f"{model.steps[-1][0]}__{name}": Continuous(per=per)}
    return HypergradSearchCV(model, grid, scoring=scoring, cv=folds(task, seed), **options)


def folds(task, seed):
    splitter = KFold if task == "regression" else StratifiedKFold
    return splitter(5, shuffle=True, random_state=seed)


def one_penalty(task, job):
    return {BASELINE: search(task, job.split).fit(job.X_train, job.y_train)}


def vector(task, job):
    """The search as it is, and its vector even where one penalty had the better score."""
    found = search(task, job.split, per="feature").fit(job.X_train, job.y_train)
    row = found.cv_results_["params"][0]
    model = clone(found.estimator).set_params(**row).fit(job.X_train, job.y_train)
    model.note = f"vector wins cv: {found.best_index_ == 0}"
    return {"vector": found, "vector row": model}


def guarded(task, job):
    found = search(task, job.split, per="feature", guard=True).fit(job.X_train, job.y_train)
    found.note = f"kept: {found.guard_.kept}"
    return {"vector, guard": found}


def overfitted(task, job):
    """Plain descent of the same folds, without shrinkage: what the recipe is there to avoid."""
    options = {"shrinkage": 0, "search_cv": folds(task, job.split)}
    found = search(task, job.split, per="feature", **options).fit(job.X_train, job.y_train)
    row = found.cv_results_["params"][0]
    model = clone(found.estimator).set_params(**row).fit(job.X_train, job.y_train)
    return {"vector row, plain descent": model}


def peer(name, make):
    def fit(task, job):
        model = make_pipeline(StandardScaler(), make(folds(task, job.split)))
        return {name: model.fit(job.X_train, job.y_train)}

    return fit


L1_RATIOS = (0.1, 0.5, 0.7, 0.9, 0.95, 0.99, 1)
METHODS = {
    "regression": {
        BASELINE: one_penalty,
        "vector": vector,
        "vector, guard": guarded,
        "vector row, plain descent": overfitted,
        "RidgeCV": peer("RidgeCV", lambda cv: plain.RidgeCV(np.logspace(-4, 6, 41))),
        "LassoCV": peer("LassoCV", lambda cv: plain.LassoCV(cv=cv, max_iter=5000)),
        "ElasticNetCV": peer(
            "ElasticNetCV",
            lambda cv: plain.ElasticNetCV(l1_ratio=L1_RATIOS, alphas=30, cv=cv, max_iter=2000),
        ),
        "ARDRegression": peer("ARDRegression", lambda cv: plain.ARDRegression()),
    },
    "classification": {
        BASELINE: one_penalty,
        "vector": vector,
        "vector, guard": guarded,
        "vector row, plain descent": overfitted,
        "L1 LogisticRegressionCV": peer(
            "L1 LogisticRegressionCV",
            lambda cv: plain.LogisticRegressionCV(
                Cs=15,
                cv=cv,
                l1_ratios=(1,),
                solver="liblinear",
                scoring="neg_log_loss",
                use_legacy_attributes=False,
            ),
        ),
    },
}


def test_loss(task, model, job):
    if task == "regression":
        return float(np.sqrt(np.mean((model.predict(job.X_test) - job.y_test) ** 2)))
    return float(log_loss(job.y_test, model.predict_proba(job.X_test)))


def fit_rows(task, job, method):
    """Lines of the table for one fit; a failure is a line too."""
    keys = {"task": task, "data": job.data, "variant": job.variant, "split": job.split}
    keys |= {"n_train": len(job.y_train), "n_features": job.X_train.shape[1]}
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            models = METHODS[task][method](task, job)
    except Exception:
        note = traceback.format_exc(limit=1).strip().splitlines()[-1]
        return [{**keys, "method": method, "loss": np.nan, "seconds": np.nan, "note": note}]
    seconds = time.perf_counter() - start
    return [
        {
            **keys,
            "method": name,
            "loss": test_loss(task, model, job),
            "seconds": round(seconds, 3),
            "note": getattr(model, "note", ""),
        }
        for name, model in models.items()
    ]


def run(folder, task, methods, out):
    """Fit what is not in the table yet."""
    new = not out.exists()
    done = set() if new else set(_keys(pd.read_csv(out)))
    with out.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        for job in jobs(folder, task):
            for method in methods:
                if (task, job.data, job.variant, job.split, method) not in done:
                    writer.writerows(fit_rows(task, job, method))
                    file.flush()


def _keys(table):
    columns = (table[c] for c in ("task", "data", "variant", "split", "method"))
    return zip(*columns, strict=True)


def ratios(table, task):
    """Mean loss over splits relative to one penalty, and the verdict, of every set and variant."""
    table = table[table["task"] == task]
    means = table.pivot_table("loss", ["data", "variant"], "method", aggfunc="mean")
    ratio = means.div(means[BASELINE], axis=0)
    slack = 0.005 if task == "regression" else 0.01 * (1 + 0.02 / means[BASELINE])
    verdict = (ratio.sub(1).gt(slack, axis=0)).astype(int) - (
        ratio.sub(1).lt(-slack, axis=0)
    ).astype(int)
    return ratio, verdict


def summary(table, task):
    """A markdown table, one line per method."""
    ratio, verdict = ratios(table, task)
    seconds = table[table["task"] == task].groupby("method")["seconds"].mean()
    names = list(VARIANTS[task])
    lines = [f"| method | {' | '.join(names)} | all | W / T / L | 95 % | worst | seconds |"]
    lines.append("|" + "---|" * (len(names) + 6))
    for method in ratio.columns:
        values, verdicts = ratio[method].dropna(), verdict[method][ratio[method].notna()]
        if len(values) == 0:
            continue
        cells = [_cell(values[values.index.get_level_values("variant") == name]) for name in names]
        counts = " / ".join(str(int((verdicts == sign).sum())) for sign in (-1, 0, 1))
        worst = values.idxmax()
        lines.append(
            f"| {method} | {' | '.join(cells)} | {_cell(values)} | {counts} | "
            f"{values.quantile(0.95):.3f} | {values.max():.3f} ({', '.join(worst)}) | "
            f"{seconds[method]:.2f} |"
        )
    return "\n".join(lines)


def _cell(values):
    return f"{np.exp(np.log(values).mean()):.3f}"


def in_search_and_outside(table, task):
    """How often the vector has the better score in the search, and on test data."""
    table = table[table["task"] == task].set_index(["data", "variant", "split"])
    rows = table[table["method"] == "vector row"]
    common = table[table["method"] == BASELINE]["loss"].reindex(rows.index)
    wins_cv = rows["note"].astype(str).str.endswith("True")
    wins_test = rows["loss"] < common
    return (
        f"Of {len(rows)} searches the vector has the better score on the user's folds in "
        f"{wins_cv.sum()} ({wins_cv.mean():.0%}), and the lower test loss in {wins_test.sum()} "
        f"({wins_test.mean():.0%}); of those {wins_cv.sum()}, in {(wins_cv & wins_test).sum()}."
    )


def every_set(table, task):
    """Ratios of our methods, set by set."""
    ratio, _ = ratios(table, task)
    chosen = [name for name in ratio.columns if name.startswith("vector")]
    lines = [f"| data | variant | {' | '.join(chosen)} |", "|" + "---|" * (len(chosen) + 2)]
    for (data, variant), row in ratio[chosen].iterrows():
        cells = " | ".join(f"{value:.3f}" for value in row)
        lines.append(f"| {data} | {variant} | {cells} |")
    return "\n".join(lines)


def failures(table, task):
    """Every fit that raised."""
    failed = table[(table["task"] == task) & table["loss"].isna()]
    return "\n".join(" ".join(map(str, row)) for row in failed.to_numpy()) or "no failures"


def main():
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with uci/ and binary/")
    parser.add_argument("--task", choices=[*METHODS, "all"], default="all")
    parser.add_argument("--methods", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("generalisation.csv"))
    arguments = parser.parse_args()
    tasks = list(METHODS) if arguments.task == "all" else [arguments.task]
    for task in tasks:
        run(arguments.data, task, arguments.methods or list(METHODS[task]), arguments.out)
    table = pd.read_csv(arguments.out)
    for task in tasks:
        for part in (summary, in_search_and_outside, every_set, failures):
            print(part(table, task), "\n", flush=True)


if __name__ == "__main__":
    main()
