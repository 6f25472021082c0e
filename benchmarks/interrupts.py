"""What is left of a search that Ctrl-C ends, at ten moments of six kinds of searches.

Run ``python -m benchmarks.interrupts``: a minute. Writes ``docs/interrupts.inc``: the share of the
gain over the estimator as it was that the best row still has. Moments are numbers of evaluations
and of fits, so that the table is the same on every machine. Two searches are shared with workers
from their beginning: what these do meanwhile depends on the machine.
"""

import itertools
import warnings
from pathlib import Path

import autograd.numpy as anp
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, workers
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.neural_network import MLPClassifier

TARGET = Path(__file__).parents[1] / "docs" / "interrupts.inc"
STEP, FIT, REFIT = "step", "candidate-split-evaluation", "refit-with-best-params"
# Task and share of all tasks of its kind; share 0 is the first one.
MOMENTS = {
    "first evaluation": (STEP, 0),
    "5 %": (STEP, 0.05),
    "10 %": (STEP, 0.1),
    "25 %": (STEP, 0.25),
    "50 %": (STEP, 0.5),
    "75 %": (STEP, 0.75),
    "last evaluation": (STEP, 1),
    "first fit": (FIT, 0),
    "last fit": (FIT, 1),
    "refit": (REFIT, 0),
}


class Huber(DifferentiableRegressor):
    """Linear regression with the pseudo-Huber loss."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1), "width": Hyperparameter()}

    def __init__(self, alpha=1.0, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": 0.0}

    def forward(self, w, X, h):
        return X @ w["coef"] + w["intercept"]

    def loss(self, y, z, h):
        return h["width"] ** 2 * (anp.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return h["alpha"] * anp.sum(w["coef"] ** 2)


class Interrupt:
    """A callback that presses Ctrl-C at the beginning of the n-th task of a kind."""

    def __init__(self, task, n):
        self.task, self.n, self.count = task, n, 0

    def setup(self, estimator, context):
        """Nothing to prepare."""

    def on_fit_task_begin(self, estimator, context):
        """Count, and interrupt."""
        self.count += context.task_name == self.task
        if context.task_name == self.task and self.count == self.n:
            raise KeyboardInterrupt

    def on_fit_task_end(self, estimator, context):
        """Nothing to do."""

    def teardown(self, estimator, context):
        """Nothing to clean up."""


def searches():
    """``(name, search, X, y)`` of six kinds."""
    raw, y = load_diabetes(return_X_y=True)
    X, y = StandardScaler().fit_transform(raw), (y - y.mean()) / y.std()
    labelled = (
        StandardScaler().fit_transform(load_breast_cancer().data),
        load_breast_cancer().target,
    )
    wine = StandardScaler().fit_transform(load_wine().data), load_wine().target
    anything = Continuous()
    network = MLPClassifier((5,), n_steps=40, random_state=0)
    components = {"pca__n_components": [2, 4, 6, 8], "ridge__alpha": anything}
    vector = {"alpha": Continuous(per="feature")}
    yield "ridge, one value", HypergradSearchCV(Ridge(), {"alpha": anything}), raw, y
    logistic = LogisticRegression(max_iter=1000)
    yield "logistic, one value", of_log_loss(logistic, {"C": anything}), *labelled
    yield "ridge, a value per feature", HypergradSearchCV(linear_model.Ridge(), vector), X, y
    rates = {"alpha": anything, "learning_rate_init": anything}
    yield "network", of_log_loss(network, rates, max_iter=20), *wine
    yield "own model", HypergradSearchCV(Huber(), {"alpha": anything, "width": anything}), X, y
    pipeline = make_pipeline(PCA(6), Ridge())
    yield "pipeline, 4 settings", HypergradSearchCV(pipeline, components), raw, y


def shared_searches():
    """What is shared with two workers, which take their part at once."""
    workers.WORTH = 0.0
    for name, search, X, y in searches():
        if "per feature" in name:
            yield f"{name}, guard", search.set_params(guard=True), X, y
            yield f"{name}, guard, n_jobs=2", clone(search).set_params(n_jobs=2), X, y
        elif "settings" in name:
            yield f"{name}, n_jobs=2", search.set_params(n_jobs=2), X, y


def of_log_loss(estimator, grid, **options):
    """A search for the best log loss."""
    return HypergradSearchCV(estimator, grid, scoring="neg_log_loss", **options)


def kept(search, X, y):
    """The share of the gain that is kept, for every moment."""
    before = cross_val_score(search.estimator, X, y, scoring=search.scoring).mean()
    counts = {}
    for task in (STEP, FIT, REFIT):
        counter = Interrupt(task, 0)
        gain = clone(search).set_callbacks(counter).fit(X, y).best_score_ - before
        counts[task] = counter.count
    for task, share in MOMENTS.values():
        stopped = clone(search).set_callbacks(Interrupt(task, max(1, round(share * counts[task]))))
        try:
            stopped.fit(X, y)
        except KeyboardInterrupt:
            # The refit was interrupted: all but the model is there.
            if task != REFIT:
                raise
        yield (stopped.best_score_ - before) / gain


def main():
    """Print the table and write it."""
    warnings.simplefilter("ignore")
    lines = [".. list-table::", "   :header-rows: 1", "   :width: 100%", ""]
    lines += row(["Ctrl-C at", *MOMENTS])
    for name, search, X, y in itertools.chain(searches(), shared_searches()):
        cells = [f"{100 * share + 0.0:.0f} %" for share in kept(search, X, y)]
        print(f"{name:28s}", *cells, flush=True)
        lines += row([name, *cells])
    TARGET.write_text("\n".join(lines) + "\n")


def row(cells):
    """The lines of one row of the table."""
    return [
        f"   {'-' if number else '* -'} {cell}".replace("   -", "     -")
        for number, cell in enumerate(cells)
    ]


if __name__ == "__main__":
    main()
