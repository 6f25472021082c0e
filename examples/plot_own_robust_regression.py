"""
Own model: a loss whose width is learned
========================================

A model that scikit-learn has not is written down as a loss, and all its hyperparameters are tuned
together. Here one target in five of the training data is wrong. The pseudo-Huber loss is squared
for errors below its *width* and linear beyond: the width says which targets are believed. It
belongs to the loss itself, so it cannot be learned on the training data, where a small enough width
would explain everything away. It and the penalty are tuned on the cross-validated absolute error.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.linear_model import HuberRegressor, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter

# %%
# The whole model. ``regularizes=1`` says that more ``alpha`` is more regularisation. Everything
# else, how to fit it and how to differentiate what was fitted, follows from the loss.


class RobustRegressor(DifferentiableRegressor):
    hyperparameters = {"alpha": Hyperparameter(regularizes=1), "width": Hyperparameter()}

    def __init__(self, alpha=0.1, width=100.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": np.median(y)}

    def forward(self, w, X, h):
        return X @ w["coef"] + w["intercept"]

    def loss(self, y, z, h):
        return h["width"] ** 2 * (np.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * np.sum(w["coef"] ** 2)


# %%
# Targets for training are damaged, those for testing are right.

X, y = load_diabetes(return_X_y=True)
X, X_test, y, y_test = train_test_split(scale(X), y, random_state=0)
rng = np.random.RandomState(0)
wrong = rng.uniform(size=len(y)) < 0.2
y = np.where(wrong, y + 1000 * rng.uniform(size=len(y)), y)

ranges = {"alpha": Continuous(), "width": Continuous()}
search = HypergradSearchCV(RobustRegressor(), ranges, scoring="neg_mean_absolute_error").fit(X, y)
print("width {width:.3g}, alpha {alpha:.3g}".format(**search.best_params_))

models = {
    "Ridge": Ridge().fit(X, y),
    "HuberRegressor": HuberRegressor(max_iter=1000).fit(X, y),
    "own, untuned": RobustRegressor().fit(X, y),
    "own, tuned": search,
}
errors = {
    name: mean_absolute_error(y_test, model.predict(X_test)) for name, model in models.items()
}
for name, error in errors.items():
    print(f"{name:15s} absolute error on right targets {error:.2f}")

# %%
# On the left, errors of the tuned model on the training data, and above them the loss that was
# learned. Its width is small compared with the errors, so that it is nearly the absolute error: a
# target that is off by a thousand pulls no harder than one that is off by fifty. Nobody told it
# which targets are wrong. On the right, what it is worth: HuberRegressor, whose width follows the
# scale of the errors, is as robust, and squared errors are not. Where a standard model says what
# you mean, take that; the point is that it took twenty lines to say something else.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
residuals = y - search.predict(X)
bins = np.linspace(residuals.min(), residuals.max(), 60)
left.hist(
    [residuals[~wrong], residuals[wrong]],
    bins,
    stacked=True,
    color=["0.7", "C3"],
    label=["right targets", "wrong targets"],
)
left.set(xlabel="error of the tuned model", ylabel="training samples", title="The loss it learned")
width, grid = search.best_params_["width"], np.linspace(residuals.min(), residuals.max(), 500)
losses = left.twinx()
losses.plot(
    grid, search.best_estimator_.loss(0.0, grid, {"width": width}), color="C0", label="loss"
)
losses.set(ylabel="loss", ylim=(0, None))
handles = [*left.get_legend_handles_labels()[0], *losses.get_lines()]
left.legend(handles=handles, loc="upper center")
bars = right.barh(list(errors), list(errors.values()), color=["0.7", "0.7", "0.7", "C0"])
right.bar_label(bars, fmt="%.1f", padding=3)
right.set(xlabel="mean absolute error", title="On unseen samples with right targets")
right.margins(x=0.18)
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
plt.show()
