"""
Tuning while training runs
==========================

A search through training trains a network anew for every step of its hyperparameters. The *online*
method trains it once: after every few steps of training comes one step of the hyperparameters, and
training goes on from where it is. So thousands of penalties cost little more than a training does.

The network learns from 400 noisy digits, few enough to be learned by heart, so that penalties
matter.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.hypergradients import Online
from sklearn_hypergrad.inspection import PathsDisplay
from sklearn_hypergrad.neural_network import MLPClassifier

X, y = load_digits(return_X_y=True)
X = X / 16 + 0.3 * np.random.default_rng(0).normal(size=X.shape)
X, X_test, y, y_test = train_test_split(X, y, train_size=400, stratify=y, random_state=0)
network = MLPClassifier((30,), learning_rate_init=0.2, n_steps=200, random_state=0)

# %%
# One penalty is tuned by the search that trains anew for each of its ten steps, and online. Then,
# online, every weight of the network gets a penalty of its own. The cost of a search is counted in
# gradients of batches.

costs, losses, searches = {}, {}, {}
for label, per, options in [
    ("one penalty, trained anew", None, {"max_iter": 10}),
    ("one penalty, online", None, {"hypergradient": Online(gauss_newton=True)}),
    ("one per weight, online", "coefficient", {"hypergradient": Online("neumann")}),
]:
    search = HypergradSearchCV(
        network, {"alpha": Continuous(per=per)}, scoring="neg_log_loss", cv=3, **options
    ).fit(X, y)
    searches[label] = search
    costs[label] = sum(search.history_["inner_solves"])
    losses[label] = -search.score(X_test, y_test)
    print(f"{label:26s} {costs[label]:5d} gradients, validation log loss {-search.best_score_:.3f}")
untuned = log_loss(y_test, network.fit(X, y).predict_proba(X_test))

# %%
# On the left, the penalty moves while the network is trained; the steps of the search are stages of
# one training. It falls at first, since a penalty is in the way of a network that has learned
# nothing yet, and rises as soon as the network begins to learn by heart. What is returned is the
# mean over the last quarter.
#
# On the right, the log loss on unseen digits against the cost. The online search got farther at
# less than a third of the cost. The other one, which moves by at most twenty per cent a step, was
# stopped on its way; given time, it has the better guide, the loss of the whole training. The
# penalties per weight have by far the smallest validation loss, printed above, and are worse than a
# single one on unseen digits: 2,220 values fit 400 validation images. Online tuning makes so many
# of them cheap. Whether they are good depends on how much held-out data there is to tune them on.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
PathsDisplay.from_search(searches["one penalty, online"], ax=left)
for label, cost in costs.items():
    right.plot(cost, losses[label], "o", markersize=9, label=label)
right.axhline(untuned, color="0.6", linestyle="--", label="untuned")
right.set(xlabel="gradients of batches", ylabel="log loss", title="Unseen digits")
right.set(xlim=(0, 20000), xticks=(0, 10000, 20000), ylim=(0.6, 1))
right.spines[["top", "right"]].set_visible(False)
right.legend()
plt.show()
