"""
Replacing GridSearchCV
======================

:class:`~sklearn_hypergrad.HypergradSearchCV` takes the place of
:class:`~sklearn.model_selection.GridSearchCV`: same call, same attributes. A grid looks at the
values it was given and at nothing between them. This search reads the list as the range it spans
and follows the slope of the cross-validation loss to its minimum. Here both tune the ``C`` of the
same pipeline on the same splits.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split, validation_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV

# sphinx_gallery_parallel = False
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
pipeline = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-6))
param_grid = {"logisticregression__C": np.logspace(-4, 4, 9)}
options = {"scoring": "neg_log_loss", "cv": 5}

# %%
# Only the name of the class differs. A fit is one call of ``pipeline.fit`` by scikit-learn: for
# every row of ``cv_results_`` one per split, and one on all data at the end. The search solves
# problems of its own between these; they start where the last one ended and are cheap, and the
# seconds contain them.

searches, fits_of = {}, {}
for kind in (GridSearchCV, HypergradSearchCV):
    began = time.perf_counter()
    search = searches[kind] = kind(pipeline, param_grid, **options).fit(X, y)
    seconds = time.perf_counter() - began
    fits = fits_of[kind] = len(search.cv_results_["params"]) * search.n_splits_ + 1
    print(f"{kind.__name__}: {fits} fits, {seconds:.2f} s")
    print(f"  C = {search.best_params_['logisticregression__C']:.4f}")
    print(f"  log loss: {-search.best_score_:.5f} by cross-validation")
    print(f"            {-search.score(X_test, y_test):.5f} on samples that it has not seen")

# %%
# The grey curve is the truth: the cross-validated loss at 61 values, measured by scikit-learn.
# Squares are what the grid saw of it. Circles are what the search saw: a coarse scan, which begins
# at the strongly regularised end and goes no farther than it must, and then a few steps inside the
# bracket that the scan found. It knows the slope at each of its points, drawn as a short line, and
# that is why few steps are enough: see how they close in on the minimum in the picture on the
# right. (The open circle at the far end was solved only as exactly as it takes to rule that end
# out.)
#
# Both best scores differ by a few per cent, and which of them is better on unseen samples is
# chance. That is the rule for a single hyperparameter: what you gain is that there is no grid to
# choose and to refine, and time. More is to be had where a grid cannot go, see
# :ref:`sphx_glr_auto_examples_plot_penalty_per_feature.py`.

grid, search = searches.values()
values = np.logspace(-4, 4, 61)
scores = validation_curve(
    pipeline, X, y, param_name="logisticregression__C", param_range=values, **options
)[1]
history = search.history_
seen, losses, norms, tols = (
    np.array(history[name]) for name in ("value", "loss", "gradient_norm", "inner_tol")
)
best = search.best_params_["logisticregression__C"]
# The derivative in log C; here the loss falls towards the optimum from both sides.
slopes = np.sign(seen - best) * norms
exact = tols < 0.01

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, reach in zip(axes, (3.5, 1.6), strict=True):
    ax.semilogx(values, -scores.mean(axis=1), color="0.8", linewidth=4, zorder=0)
    ax.plot(
        param_grid["logisticregression__C"],
        -grid.cv_results_["mean_test_score"],
        "s",
        color="C1",
        markersize=10,
        label=f"GridSearchCV, {fits_of[GridSearchCV]} fits",
    )
    ax.plot(
        seen[exact],
        losses[exact],
        "o",
        color="C0",
        label=f"HypergradSearchCV, {fits_of[HypergradSearchCV]} fits",
    )
    ax.plot(seen[~exact], losses[~exact], "o", color="C0", markerfacecolor="white")
    for value, loss, slope in zip(seen[exact], losses[exact], slopes[exact], strict=True):
        ends = np.array([1 / reach, reach])
        ax.plot(value * ends, loss + slope * np.log(ends), color="C0", linewidth=1)
    ax.plot(best, -search.best_score_, "*", color="C3", markersize=15, label="minimum found")
    ax.set(xlabel="C", ylabel="cross-validated log loss")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_title("The whole range")
axes[0].legend()
axes[1].set(xlim=(0.06, 4), ylim=(0.074, 0.11), title="Around the minimum")
plt.show()
