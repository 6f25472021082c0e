"""
Own model: filling in lost pixels
=================================

Images have lost half of their pixels. A pixel is modelled as the product of eight numbers that
belong to its image and eight that belong to its place, as ratings are modelled by users and films.
Both tables have a penalty of their own: they are one hyperparameter, an array of two numbers. The
model is trained by Adam, and that training is differentiated.
"""

import autograd.numpy as np
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import ShuffleSplit, train_test_split

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.training import Adam

N_IMAGES, N_FACTORS = 100, 8


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


# %%
# A row of ``X`` is the number of an image and that of a place, the target is the pixel there.

pixels = load_digits().data[:N_IMAGES] / 16
X, y = np.argwhere(np.ones_like(pixels)), pixels.ravel()
X, X_test, y, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
split = ShuffleSplit(1, test_size=0.3, random_state=0)
search = HypergradSearchCV(Factorisation(), {"alpha": Continuous()}, cv=split, max_iter=15)
search.fit(X, y)
print("penalties of images and places", search.best_params_["alpha"].round(4))

models = {"untuned": Factorisation().fit(X, y), "tuned": search.best_estimator_}
scores = {name: model.score(X_test, y_test) for name, model in models.items()}
for name, score in scores.items():
    print(f"{name:8s} r2 of the lost pixels {score:.3f}")

# %%
# The columns are what was there, what was left of it (lost pixels are pink), and what the two
# models make of it. Without enough penalty the eight numbers of an image fit the 32 pixels that are
# left too well, and invent grey stains on the rest. The difference looks small and is not: the
# share of the variation of lost pixels that the model explains is in the titles. Ratings of films
# are no different, except that there one cannot look.

left = np.full(pixels.shape, np.nan)
left[tuple(X.T)] = y
everywhere = np.argwhere(np.ones_like(pixels))
columns = {"as it was": pixels, "what is left": left}
for name, model in models.items():
    filled = np.where(np.isnan(left), model.predict(everywhere).reshape(pixels.shape), left)
    columns[f"{name}, r2 = {scores[name]:.2f}"] = filled
shades = plt.get_cmap("gray_r").with_extremes(bad="#f4c7c3")
figure, axes = plt.subplots(4, 4, figsize=(7.5, 7.5), layout="constrained")
for column, (title, images) in zip(axes.T, columns.items(), strict=True):
    column[0].set_title(title, fontsize="medium")
    for ax, image in zip(column, images, strict=False):
        ax.imshow(image.reshape(8, 8), cmap=shades, vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
plt.show()
