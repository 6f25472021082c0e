"""
Overfitting the validation splits
=================================

Cross-validation protects one penalty from overfitting, not a hundred. Whoever descends the
validation loss in many hyperparameters will find values that suit its held-out parts and no other
data: the validation loss falls and falls, and the model becomes worse.

A hundred patients of the diabetes data, with the squares and products of their features: 65
columns, and a penalty for each.
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import HeldOutDisplay
from sklearn_hypergrad.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
X = PolynomialFeatures(2, include_bias=False).fit_transform(X)
X, X_test, y, y_test = train_test_split(X, y, train_size=100, random_state=0)
pipeline = make_pipeline(StandardScaler(), Ridge())

# %%
# Three searches: one penalty for all; a penalty per feature by plain descent, which is switched on
# by taking away both things that keep the search from overfitting; and the same with both of them,
# which is the default. One is the *shrinkage*: a penalty leaves the common level only if the data
# speak for it. The other is that half of what is descended is the *evidence*, the marginal
# likelihood of all rows, and not the loss of five parts alone.

free = {"shrinkage": 0, "search_cv": 5}
settings = {
    "one for all": (Continuous(), {}),
    "per feature, plain descent": (Continuous(per="feature"), free),
    "per feature, the default": (Continuous(per="feature"), {}),
}
searches = {}
for label, (span, options) in settings.items():
    search = HypergradSearchCV(
        pipeline, {"ridge__alpha": span}, scoring="neg_mean_squared_error", cv=5, **options
    ).fit(X, y)
    searches[label] = search
    unseen = mean_squared_error(y_test, search.predict(X_test))
    print(f"{label:28s} cross-validated {-search.best_score_:5.0f}, unseen {unseen:5.0f}")

# %%
# By its cross-validated score, plain descent is the best of the three by far. On unseen patients it
# is the worst by far. This is why ``best_score_`` of many hyperparameters must not be believed, and
# why nothing in this documentation compares them with anything else but on held-out data.
#
# Below, a real fit was scored on unseen patients at ten points of each search. On the left, both
# losses part from the first step on: all of that search is overfitting. On the right the search
# begins twice, from a weak and from a strong common penalty, and the loss on unseen patients wavers
# and ends near that of one penalty: it does not rise from step to step.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
for ax, label in zip(axes, list(settings)[1:], strict=True):
    HeldOutDisplay.from_search(searches[label], X, y, X_test, y_test, ax=ax)
    ax.set_title(f"{label}\n{ax.get_title(loc='left')}", loc="left", fontsize="medium")
plt.show()
