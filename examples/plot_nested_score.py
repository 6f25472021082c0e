"""
Was it worth it, and is the score true?
=======================================

``best_score_`` is computed from the data that the hyperparameters were chosen on, so that it is
optimistic: a little for one hyperparameter, much for many. Nested cross-validation hides an outer
fold from the whole search. :func:`~sklearn_hypergrad.inspection.nested_score` does that for a
search, for the estimator as it is, and for a plain grid, on the same folds.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import nested_score
from sklearn_hypergrad.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False), StandardScaler(), Ridge())
outer = KFold(8, shuffle=True, random_state=0)

# %%
# One penalty for the 65 columns, and one for each. The result prints as a table.

common = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous()})
one = nested_score(common, X, y, cv=outer)
print(one)

# %%
own = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous(per="feature")})
many = nested_score(own, X, y, cv=outer, grid=False)
print(many)

# %%
# On the left, every thin line is an outer fold. Folds differ more from each other than models do,
# which is why models are compared fold by fold. Most lines rise, but not all, and the tables say
# how sure that is: with 442 patients none of these differences is much larger than twice its
# standard error. Which search found the single penalty matters little.
#
# On the right, what was promised and what was kept. The default was not chosen, so there is nothing
# to be optimistic about: what it shows is chance and the size of the training parts. What was
# chosen on the splits promises more than it keeps. Here that is little even for 65 penalties,
# thanks to what :ref:`sphx_glr_auto_examples_plot_overfitting.py` is about; report the outer score
# all the same.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
scores = {
    "default": one.scores["default"],
    "grid": one.scores["grid"],
    "search": one.scores["search"],
    "search,\nper feature": many.scores["search"],
}
promised = [
    *(one.best_scores[name] for name in ("default", "grid", "search")),
    many.best_scores["search"],
]
table = np.array(list(scores.values()))
left.plot(list(scores), table, color="0.75", linewidth=1)
left.plot(list(scores), table.mean(axis=1), "o-", color="C0", label="mean of the folds")
left.set(ylabel=one.metric, title="Outer folds, unseen by the search")
left.legend()
places = np.arange(len(scores))
right.plot(places, np.mean(promised, axis=1), "^", color="C1", markersize=9, label="promised")
right.plot(places, table.mean(axis=1), "o", color="C0", markersize=9, label="kept")
right.vlines(places, table.mean(axis=1), np.mean(promised, axis=1), color="0.75", zorder=0)
right.set(ylabel=one.metric, title="best_score_ and what became of it")
right.set_xticks(places, list(scores))
right.margins(x=0.15)
right.legend()
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
