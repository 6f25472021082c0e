"""
Learning rates as a schedule
============================

A network is trained, not solved, so that its training run can be differentiated: by the penalty, by
the momentum, and by the learning rate of every layer at every step. Here a network with twenty
hidden units takes forty steps, each on a hundred images, and has eighty learning rates. No grid
reaches these, and the gradient for all of them costs one more pass through the training.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import SchedulesDisplay
from sklearn_hypergrad.neural_network import MLPClassifier

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16, y, train_size=900, stratify=y, random_state=0)
network = MLPClassifier(
    (20,), learning_rate_init=0.1, momentum=0.5, n_steps=40, batch_size=100, random_state=0
)

# %%
# The untuned network is trained too slowly for the few steps that it has. One rate, one for each of
# the two layers, and one per step and layer are tuned on three folds.

losses = {"untuned": (np.nan, log_loss(y_test, network.fit(X, y).predict_proba(X_test)))}
for label, per in {
    "one rate": None,
    "one per layer": "layer",
    "one per step\nand layer": ("step", "layer"),
}.items():
    search = HypergradSearchCV(
        network,
        {"learning_rate_init": Continuous(per=per)},
        scoring="neg_log_loss",
        cv=3,
        max_iter=25,
    ).fit(X, y)
    losses[label] = -search.best_score_, -search.score(X_test, y_test)
for label, (validation, unseen) in losses.items():
    print(f"{' '.join(label.split()):25s} validation {validation:.3f}, unseen {unseen:.3f}")

# %%
# On the left, the schedules that were found. Nobody told the search that rates ought to fall at the
# end: it learned that large rates are good for travelling and small ones for arriving, which is
# what people build into schedules by hand.
#
# On the right is what that is worth. Most of the gain comes from *one* rate that suits the number
# of steps. On the splits that they were tuned on, schedules gain a lot more, on unseen images only
# some of it: eighty values fit the validation parts as well. With long trainings and small
# validation parts a schedule can lose on unseen data what it has won on the splits;
# :doc:`/networks` has measurements. Tune numbers first, and a schedule if training must be short.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(10, 4), layout="constrained", width_ratios=(3, 2)
)
SchedulesDisplay.from_search(search, ax=left)
validation, unseen = np.transpose(list(losses.values()))
right.plot(list(losses), validation, "s--", color="C0", label="validation")
right.plot(list(losses), unseen, "o-", color="C3", label="unseen images")
right.set(yscale="log", ylabel="log loss", title="What it is worth")
right.minorticks_off()
right.set_yticks([0.25, 0.5, 1], ["0.25", "0.5", "1"])
right.tick_params(axis="x", labelsize="small")
right.legend()
plt.show()
