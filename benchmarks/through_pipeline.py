"""The price of a derivative that goes back through a step, beside that of the model alone.

``python -m benchmarks.through_pipeline [--only NAMES] [--rounds N]``. Of 5,000 rows of 20 features,
of which a step makes 100, two thirds are trained on: CPU times of the value of the validation loss,
of its hypergradient in the penalty, and of that in the penalty and ``gamma``, at rows that are
known, and the last one where they are made anew. Medians in turn, relative to a fit of the
pipeline. ``docs/through_pipeline.inc`` is written unless there is ``--only``.
"""

import time
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from benchmarks.cases import list_table, measured_cases
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.problems import SplitData

PAGE = Path(__file__).parents[1] / "docs" / "through_pipeline.inc"
N_ROWS, N_FEATURES, N_COMPONENTS = 5000, 20, 100
COLUMNS = "value", "gradient in the penalty", "gradient in both", "the same, rows made anew"
TOL = 1e-6


def cases(folder):
    """``{name: function that makes the pipeline and the name of its penalty}``."""
    models = {"alpha": Ridge(), "C": LogisticRegression()}
    return {
        f"{make.__name__}, {type(model).__name__}": lambda make=make, model=model, name=name: (
            Pipeline([("step", make(n_components=N_COMPONENTS, random_state=0)), ("model", model)]),
            f"model__{name}",
        )
        for make in (Nystroem, RBFSampler)
        for name, model in models.items()
    }


def split_data(known, X, y):
    """The data of one split."""
    rows, n_train = np.arange(len(y)), 2 * len(y) // 3
    return SplitData(
        X=X,
        y=known.encode(known.labels(y)),
        trains=[rows[:n_train]],
        tests=[rows[n_train:]],
        weights=[np.ones(n_train)],
        score_weight=np.ones(len(y)),
        labels=y,
    )


def row(name, make, rounds):
    """The times of one pipeline, as text."""
    pipeline, penalty = make()
    known = family(pipeline)
    X, y = make_classification(N_ROWS, N_FEATURES, n_informative=10, random_state=0)
    data = split_data(known, X, y)
    model = known.model(pipeline, data, {"step__gamma": None, penalty: None}, 0)
    h = model.levels()
    n_train = len(data.trains[0])
    estimator = clone(pipeline).set_params(**h)
    fitted = model.fit(h, None, TOL)
    place, _ = fitted.w
    own, g = {penalty.removeprefix("model__"): h[penalty]}, np.ones_like(fitted.z) / len(fitted.z)
    moved = {**h, "step__gamma": 1.1 * h["step__gamma"]}

    def both(at, start):
        # At other rows first, so that these are made anew.
        model.train(start, None, TOL)
        began = time.process_time()
        model.fit(at, None, TOL).pullback(g)
        return time.process_time() - began

    def timed(function):
        began = time.process_time()
        function()
        return time.process_time() - began

    runs = {
        "fit": lambda: timed(lambda: estimator.fit(X[:n_train], y[:n_train])),
        "value": lambda: timed(lambda: place.model.train(own, None, TOL)),
        "penalty": lambda: timed(lambda: place.model.fit(own, None, TOL).pullback(g)),
        "both": lambda: both(h, h),
        "anew": lambda: both(h, moved),
    }
    seconds = {each: [] for each in runs}
    for _ in range(rounds):
        for each, run in runs.items():
            seconds[each].append(run())
    fit, *others = (np.median(each) for each in seconds.values())
    return name, *(f"{each / fit:.2f}" for each in others)


def main():
    rows, _ = measured_cases(__doc__, cases, row, rounds=15)
    if len(rows) == len(cases(None)):
        PAGE.write_text(list_table(("", *COLUMNS), rows, widths="28 18 18 18 18"), encoding="utf-8")


if __name__ == "__main__":
    main()
