"""
Has the search arrived?
=======================

A search for one penalty, and one for a penalty per feature, evaluation by evaluation:

* Left, one value. The upper axis shows how far each loss is above the lowest, on a logarithmic
  scale, as the last steps change the loss by less than the width of a line. The search first walks
  its range, then closes in: the gradient below ends many orders of magnitude shorter than it was.
* Right, forty values. The loss falls in steps. A triangle at the top is a step that went too far
  and was taken back. The gradient does not vanish: what remains of it holds features in the pool,
  against the penalty on leaving it.

On your own data, a loss that still falls at its right end asks for a larger ``max_iter``. Losses
that jump about to the end are those of random numbers that are drawn anew, or of a training that
diverges.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import ConvergenceDisplay
from sklearn_hypergrad.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
X = scale(np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 30))]))

one = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
several = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
print(f"one value: {one.n_iter_} evaluations, {one.stopping_reason_}")
print(f"forty values: {several.n_iter_} evaluations, {several.stopping_reason_}")

# %%
# Both pictures beside each other. For the vector, they are those of its own descent, after the best
# value for all had been found.

figure, axes = plt.subplots(2, 2, figsize=(11, 5.5), layout="constrained", sharex="col")
ConvergenceDisplay.from_search(one, ax=axes[:, 0])
ConvergenceDisplay.from_search(several, ax=axes[:, 1])
axes[0, 0].set_title("one penalty for all features", loc="left")
axes[0, 1].set_title("a penalty per feature", loc="left")
plt.show()
