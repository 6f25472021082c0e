"""
One penalty per feature
=======================

Most tables have columns that matter beside columns that do not. A single penalty must compromise:
weak enough for the first, strong enough for the second. The gradient of the validation loss costs
the same for one penalty as for a hundred, so each feature can have its own.

The diabetes data have ten features. Here a hundred columns of noise stand beside them, and 200
patients are there to learn from. Which columns are noise is not told.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import PenaltiesDisplay
from sklearn_hypergrad.linear_model import Ridge

X, y = load_diabetes(return_X_y=True, as_frame=True)
names = [*X.columns, *(f"noise {number}" for number in range(100))]
X = np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 100))])


def tune(per, random_state):
    """Search on 200 patients; the search, and its squared error on all others."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=200, random_state=random_state
    )
    pipeline = make_pipeline(StandardScaler(), Ridge())
    search = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous(per=per)}).fit(
        X_train, y_train
    )
    return search, mean_squared_error(y_test, search.predict(X_test))


# %%
# All penalties begin equal, in a *pool*, and a feature leaves it only if the data speak for that.
# Those that have left it are few:

search, _ = tune("feature", random_state=0)
strengths = search.feature_regularization_
status = np.array(search.hyperparameters_["status"])
for index in np.flatnonzero(status != "pooled"):
    print(f"{names[index]:10s} penalty {strengths[index]:8.1f}  {status[index]}")
print(f"{(status == 'pooled').sum()} features share {np.median(strengths):.1f}")

# %%
# Is the model better for it? ``best_score_`` cannot tell: more than a hundred numbers were tuned on
# the data that it is computed from. So the comparison is made on patients that neither search has
# seen, and repeated for eight random choices of the 200, since one choice is an anecdote.

errors = np.array([[tune(per, seed)[1] for per in (None, "feature")] for seed in range(8)])
better = (errors[:, 1] < errors[:, 0]).sum()
print(f"squared error, one penalty:            {errors[:, 0].mean():.0f}")
print(f"squared error, one penalty per feature {errors[:, 1].mean():.0f}, better in {better} of 8")

# %%
# On the left are the penalties that have left the pool: those of the body mass index, the blood
# pressure and a serum value. They are penalised far less than the rest, and no column of noise is
# among them. On the right every point is one choice of patients; below the diagonal, a penalty per
# feature predicts better.
#
# Expect this where there are many columns of which few matter, products of columns, or few rows. On
# a plain table with ten good columns and many rows there is nothing to gain, as you can check by
# leaving out the noise. When in doubt, ``guard=True`` keeps one penalty per feature only if it wins
# on held-out parts.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
PenaltiesDisplay.from_search(search, feature_names=names, ax=left)
limits = errors.min() * 0.97, errors.max() * 1.03
right.plot(limits, limits, color="0.6", linewidth=1)
right.plot(*errors.T, "o", color="C0")
right.set(
    xlim=limits,
    ylim=limits,
    aspect="equal",
    xlabel="one penalty",
    ylabel="one penalty per feature",
    title="Squared error on unseen patients",
)
right.spines[["top", "right"]].set_visible(False)
plt.show()
