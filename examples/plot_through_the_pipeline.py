"""
Two numbers of a pipeline, tuned together
=========================================

Nystroem makes features of a kernel, and logistic regression separates them. How wide the kernel is,
``gamma``, belongs to one step, how strong the penalty is, ``C``, to the other, and the best value
of each depends on the other. A grid tries all pairs. The search follows the gradient of the
cross-validation loss in both: through the model, and from its rows back to the kernel.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV

X, y = load_breast_cancer(return_X_y=True)
model = make_pipeline(
    StandardScaler(),
    Nystroem(n_components=50, random_state=0),
    LogisticRegression(solver="newton-cholesky", tol=1e-6),
)
gamma, C = "nystroem__gamma", "logisticregression__C"
ranges = {gamma: Continuous(1e-4, 1), C: Continuous(1e-2, 1e5)}
search = HypergradSearchCV(model, ranges, scoring="neg_log_loss").fit(X, y)
print(search.report())

# %%
# For the picture alone, the same loss on a grid of pairs. Seven values of each would have been 49
# pairs; a grid that resolves the valley takes more.

grid = {gamma: np.logspace(-4, 0, 13), C: np.logspace(-2, 5, 13)}
surface = GridSearchCV(model, grid, scoring="neg_log_loss", refit=False).fit(X, y)
loss = -surface.cv_results_["mean_test_score"].reshape(13, 13)
print(f"smallest loss of {loss.size} pairs  {loss.min():.4f}")
print(f"that of the search          {-search.best_score_:.4f}")

# %%
# First a few pairs all over the plane are tried, so that the best valley is found; then the search
# descends into it. A narrower kernel needs a weaker penalty here: the valley runs along the
# diagonal, which a grid of one number after the other does not see.

at = {name: [values[name] for values in search.history_["value"]] for name in ranges}
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
order = list(surface.cv_results_["params"][0])
above = loss - loss.min() + 1e-3
shown = above if order[0] == C else above.T
levels = np.geomspace(1e-3, above.max(), 20)
picture = ax.contourf(grid[gamma], grid[C], shown, levels, cmap="viridis_r", norm="log")
ax.plot(at[gamma], at[C], "o", color="white", markeredgecolor="black", markersize=5)
ax.plot(*search.best_params_.values(), "*", color="C3", markersize=16, label="result")
ax.set(xscale="log", yscale="log", xlabel=gamma, ylabel=C)
figure.colorbar(picture, label="log loss above the smallest one of the grid", format="%.3f")
ax.legend()
plt.show()
