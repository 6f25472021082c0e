"""A robust regression whose loss has a width that is learned.

One target in five of the training data is wrong. The pseudo-Huber loss is squared for errors below
its width and linear beyond: the width says which targets are believed. It and the penalty are tuned
together on the cross-validated absolute error.
"""

import autograd.numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import HuberRegressor, Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter


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


def main():
    """Tune, and compare with the untuned model and others on targets that are right."""
    X, y = load_diabetes(return_X_y=True)
    X, X_test, y, y_test = train_test_split(scale(X), y, random_state=0)
    rng = np.random.RandomState(0)
    wrong = rng.uniform(size=len(y)) < 0.2
    y = np.where(wrong, y + 1000 * rng.uniform(size=len(y)), y)
    ranges = {"alpha": Continuous(), "width": Continuous()}
    search = HypergradSearchCV(RobustRegressor(), ranges, scoring="neg_mean_absolute_error")
    search.fit(X, y)
    models = {"tuned": search, "untuned": RobustRegressor().fit(X, y), "ridge": Ridge().fit(X, y)}
    models["huber"] = HuberRegressor(max_iter=1000).fit(X, y)
    for name, model in models.items():
        print(f"{name:8s} absolute error {mean_absolute_error(y_test, model.predict(X_test)):.2f}")
    print("width {width:.3g}, alpha {alpha:.3g}".format(**search.best_params_))


if __name__ == "__main__":
    main()
