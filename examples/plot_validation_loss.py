"""
What is followed when the score has no gradient
===============================================

Accuracy is a step function of a penalty: between two steps its slope is zero, so that there is
nothing to follow. The search then follows a loss that goes with the score, here the log loss, and
leaves the last word to the score: a few settings are fitted and scored by scikit-learn, and the
best accuracy wins.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import HypergradSearchCV
from sklearn_hypergrad.inspection import CurveDisplay

X, y = load_breast_cancer(return_X_y=True)
pipeline = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky", tol=1e-6))
param_grid = {"logisticregression__C": np.logspace(-3, 1, 5)}
search = HypergradSearchCV(pipeline, param_grid, scoring="accuracy", cv=5).fit(X, y)
grid = GridSearchCV(pipeline, param_grid, scoring="accuracy", cv=5).fit(X, y)
print(search.validation_loss_, "was followed")

# %%
# The rows of ``cv_results_`` are the minimum of the log loss, the best value of the list, and the
# best other point that the search came by, the last two by accuracy. Equal ones are one row. So the
# result is not worse than that of the grid with the same list:

rows = search.cv_results_
for params, score in zip(rows["params"], rows["mean_test_score"], strict=True):
    print(f"C = {params['logisticregression__C']:10.4f}  accuracy {score:.4f}")
print(f"GridSearchCV: C = {grid.best_params_['logisticregression__C']}, {grid.best_score_:.4f}")

# %%
# Above, the loss that was followed: smooth, with one minimum, and the search found it in a few
# evaluations. Below, the share of wrong predictions of real fits: steps of one sample in 569. Look
# at the height of these steps and at the band of one standard error before you prefer one of two
# settings for its accuracy: over more than a decade of ``C`` the difference is a handful of
# samples, and the minimum of the log loss lies in the middle of it.
#
# If it is probabilities that you need, ask for ``scoring="neg_log_loss"``: it is followed directly.
# :doc:`/validation_losses` has the table of all scores.

figure, (above, below) = plt.subplots(2, 1, figsize=(8, 9), layout="constrained", sharex=True)
CurveDisplay.from_search(search, ax=above)
above.set(xlabel="")
CurveDisplay.from_search(search, X, y, n_points=40, ax=below)
below.set(ylim=(0, 0.08))
plt.show()
