"""A recurrent network that reads images row by row.

Every digit is a sequence of eight rows of eight pixels. The network is trained for a number of
steps; its learning rate and penalty are tuned by differentiating that training.
"""

import autograd.numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, train_test_split

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.differentiable import DifferentiableClassifier, Hyperparameter
from sklearn_hypergrad.training import Momentum

N_ROWS, N_UNITS = 8, 16


class RecurrentClassifier(DifferentiableClassifier):
    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    dynamics, batch_size = Momentum(), 200

    def __init__(self, alpha=1e-3, learning_rate_init=0.1, momentum=0.5, n_steps=80):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.n_steps = n_steps

    def initial(self, X, y, rng):
        sizes = {"input": (X.shape[1] // N_ROWS, N_UNITS), "state": (N_UNITS, N_UNITS)}
        sizes["output"] = (N_UNITS, y.shape[1])
        return {name: rng.normal(size=size) / size[0] ** 0.5 for name, size in sizes.items()}

    def forward(self, w, X, h):
        state = np.zeros((len(X), N_UNITS))
        for row in np.split(X, N_ROWS, axis=1):
            state = np.tanh(row @ w["input"] + np.dot(state, w["state"]))
        return state @ w["output"]

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * sum(np.sum(part**2) for part in w.values())


def main():
    """Tune, and compare with the untuned model on images that neither has seen."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    ranges = {"alpha": Continuous(), "learning_rate_init": Continuous(0.01, 1)}
    options = {"scoring": "neg_log_loss", "cv": ShuffleSplit(1, random_state=0), "max_iter": 10}
    search = HypergradSearchCV(RecurrentClassifier(), ranges, **options).fit(X, y)
    models = {"tuned": search.best_estimator_, "untuned": RecurrentClassifier().fit(X, y)}
    for name, model in models.items():
        print(f"{name:8s} accuracy on unseen images {model.score(X_test, y_test):.3f}")
    print("learning rate {learning_rate_init:.3g}, alpha {alpha:.3g}".format(**search.best_params_))


if __name__ == "__main__":
    main()
