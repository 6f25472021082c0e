"""
Widths of a kernel for thousands of rows
========================================

A kernel of all rows takes their square, and a factorisation their cube. Nystroem takes the kernel
with a few of the rows only, and a linear model behind it is fast. How wide the kernel is, is then a
number of the step before the model: one for all features, or one for each, learned through the
model.

In Friedman's function five of ten features matter, one of them as a square and two as a product.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.kernel_approximation import Nystroem

X, y = make_friedman1(4000, noise=1.0, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, train_size=1000, random_state=0)
model = make_pipeline(Nystroem(n_components=100, random_state=0), Ridge())

searches = {}
for per in (None, "feature"):
    ranges = {"nystroem__gamma": Continuous(per=per), "ridge__alpha": Continuous()}
    searches[per] = HypergradSearchCV(model, ranges, cv=3, max_iter=300).fit(X, y)
    error = mean_squared_error(y_test, searches[per].predict(X_test))
    name = "one width per feature" if per else "one width for all"
    print(f"{name:22s} error on unseen rows {error:.2f}, of which the noise is 1")

# %%
# A basis of a hundred rows is sparse in ten dimensions, and much less so in the five that matter.
# So that is what the widths are for: the kernel does not look at the others.

gamma = searches["feature"].best_params_["nystroem__gamma"]
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.bar(np.arange(10), gamma, color=["C0"] * 5 + ["0.6"] * 5)
ax.axhline(searches[None].best_params_["nystroem__gamma"], color="C3", label="one for all")
ax.set(xlabel="feature; those from 5 on are noise", ylabel="gamma", yscale="log")
ax.set_xticks(np.arange(10))
ax.spines[["top", "right"]].set_visible(False)
ax.legend()
plt.show()
