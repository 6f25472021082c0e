"""A factorisation model that fills in lost pixels.

Images have lost half of their pixels. A pixel is the product of an embedding of its image and one
of its place, with eight factors each. Either table has a penalty of its own: they are one
hyperparameter, an array of two numbers. The model is trained by Adam, which is differentiated.
"""

import autograd.numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, train_test_split

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.training import Adam

N_IMAGES, N_FACTORS = 100, 8
SPLIT = ShuffleSplit(1, test_size=0.3, random_state=0)


class Factorisation(DifferentiableRegressor):
    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}
    dynamics = Adam()
    batch_size, n_steps = None, 80

    def __init__(self, alpha=(0.02, 0.02), learning_rate_init=0.05, beta_1=0.9, beta_2=0.99):
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def initial(self, X, y, rng):
        return [*(0.3 * rng.normal(size=(n, N_FACTORS)) for n in (N_IMAGES, 64)), np.mean(y)]

    def forward(self, w, X, h):
        images, places = X.astype(int).T
        return np.sum(w[0][images] * w[1][places], axis=1) + w[2]

    def penalty(self, w, h):
        return 0.5 * (h["alpha"][0] * np.mean(w[0] ** 2) + h["alpha"][1] * np.mean(w[1] ** 2))


def main():
    """Tune, and compare with the untuned model on the pixels that were lost."""
    pixels = load_digits().data[:N_IMAGES] / 16
    X, y = np.argwhere(np.ones_like(pixels)), pixels.ravel()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
    search = HypergradSearchCV(Factorisation(), {"alpha": Continuous()}, cv=SPLIT, max_iter=15)
    search.fit(X, y)
    models = {"tuned": search.best_estimator_, "untuned": Factorisation().fit(X, y)}
    for name, model in models.items():
        print(f"{name:8s} r2 of lost pixels {model.score(X_test, y_test):.3f}")
    print("penalties of images and places", search.best_params_["alpha"].round(4))


if __name__ == "__main__":
    main()
