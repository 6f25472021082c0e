"""
Finding wrong labels
====================

Labels made in a hurry are wrong now and then, and to look at all of them again is what nobody has
time for. If a few rows were checked by hand, :class:`~sklearn_hypergrad.data_cleaning.DataCleaner`
gives every other row a weight and treats these weights as hyperparameters: they are chosen to lower
the loss of the trained model on the checked rows. A row that harms ends at weight zero.

Here 600 digits have labels of which three in ten are wrong, and 100 were checked.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve

from sklearn_hypergrad.data_cleaning import DataCleaner

X, y = load_digits(return_X_y=True)
rng = np.random.default_rng(0)
order = rng.permutation(len(y))
X, y = X[order] / 16, y[order]
wrong = rng.uniform(size=600) < 0.3
labels = y[:600].copy()
labels[wrong] = (labels[wrong] + rng.integers(1, 10, wrong.sum())) % 10
X_clean, y_clean, X_test, y_test = X[600:700], y[600:700], X[700:], y[700:]

cleaner = DataCleaner(learning_rate=0.1, max_iter=20)
cleaner.fit(X[:600], labels, X_clean, y_clean)
flagged = cleaner.flagged_
precision, recall = wrong[flagged].mean(), wrong[flagged].sum() / wrong.sum()
print(
    f"{flagged.sum()} of 600 rows flagged: {precision:.0%} of them are wrong, "
    f"and they are {recall:.0%} of all that are wrong"
)

# %%
# There is a simpler way that it must be compared with: train a model on the checked rows alone, and
# suspect the labels that it holds for unlikely.

alone = LogisticRegression(max_iter=1000).fit(X_clean, y_clean)
unlikely = -alone.predict_log_proba(X[:600])[np.arange(600), labels]
suspicion = np.empty(600)
suspicion[cleaner.ranking_] = np.arange(600, 0, -1)
orders = {"DataCleaner": suspicion, "model of the checked rows": unlikely}
for name, values in orders.items():
    print(f"{name:26s} average precision {average_precision_score(wrong, values):.3f}")
everything = LogisticRegression(max_iter=1000).fit(X[:600], labels)
for name, model in {"all labels": everything, "checked": alone, "cleaned": cleaner}.items():
    print(f"accuracy on unseen digits, {name:11s} {model.score(X_test, y_test):.3f}")

# %%
# On the left are the ten digits that are suspected first, with the labels they came with (red: it
# is wrong indeed). On the right, what is found as one goes down the list; the cross is where
# weights are zero, which is where to stop. It was not told how many labels are wrong.
#
# Look at both comparisons above. As a *list* the simple way is as good or better, and costs
# nothing; but it does not say where to stop. As a *model*, the cleaned one is better than that of
# all labels and than that of the hundred checked rows. With more checked rows the last difference
# is soon gone: compare with a model of the checked rows before you use the cleaned one.

figure = plt.figure(figsize=(11, 4), layout="constrained")
left, right = figure.subfigures(1, 2)
left.suptitle("The first suspects")
for ax, row in zip(left.subplots(2, 5).flat, cleaner.ranking_, strict=False):
    ax.imshow(X[row].reshape(8, 8), cmap="gray_r")
    ax.set_title(f'"{labels[row]}"', color="C3" if wrong[row] else "C0")
    ax.set_axis_off()
ax = right.subplots()
for (name, values), color in zip(orders.items(), ("C0", "0.6"), strict=True):
    precisions, recalls, _ = precision_recall_curve(wrong, values)
    ax.plot(recalls, precisions, color=color, label=name)
ax.plot(recall, precision, "X", color="C3", markersize=10, label="weight zero")
ax.set(
    xlabel="share of the wrong labels that are found",
    ylabel="share of suspects that are wrong",
    ylim=(0, 1.02),
)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(loc="lower left")
plt.show()
