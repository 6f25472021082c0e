"""
One penalty per block of columns
================================

Tables are put together from unlike parts: words and measurements, dozens of one-hot columns and one
age, ten features and the products of them. A single penalty for all of it is a compromise. With
``Continuous(per="transformer")`` each transformer of a FeatureUnion or ColumnTransformer has its
own, by means of ``transformer_weights``: to multiply a block by a number is to divide its penalty
by the square of that number. So the model stays scikit-learn's own Ridge.

Three blocks are made from the ten features of the diabetes data: the features as they are; each cut
into five intervals, one column per interval; and the products of pairs.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.inspection import PenaltiesDisplay

X, y = load_diabetes(return_X_y=True)
intervals = KBinsDiscretizer(5, strategy="uniform", encode="onehot-dense")
products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
blocks = FeatureUnion(
    [
        ("features", "passthrough"),
        ("intervals", intervals),
        ("products", make_pipeline(products, StandardScaler())),
    ]
)
pipeline = make_pipeline(StandardScaler(), blocks, Ridge())


def tune(per, random_state):
    """Search on half of the patients; the search, and its squared error on the other half."""
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.5, random_state=random_state
    )
    search = HypergradSearchCV(pipeline, {"ridge__alpha": Continuous(per=per)}).fit(
        X_train, y_train
    )
    return search, mean_squared_error(y_test, search.predict(X_test))


# %%
# What is tuned is one ``alpha`` and a weight per block; the penalties that these amount to are in
# ``hyperparameters_``. A block stays at the common level unless the data say otherwise.

search, _ = tune("transformer", random_state=0)
print(search.best_params_)
table = search.hyperparameters_
for name, value, status in zip(table["name"], table["value"], table["status"], strict=True):
    print(f"{name:25s} {value:7.1f}  {status}")

# %%
# The comparison with one penalty is made on the other half of the patients, for six halves.

errors = np.array([[tune(per, seed)[1] for per in (None, "transformer")] for seed in range(6)])
gains = 100 * (1 - errors[:, 1] / errors[:, 0])
print(f"one penalty {errors[:, 0].mean():.0f}, one per block {errors[:, 1].mean():.0f}")

# %%
# The penalty of the products is many times that of the features: most of them are noise, but the
# model may keep them, and nobody had to decide by hand whether to leave them out. On the right, the
# gain on unseen patients is a few per cent for most halves, and now and then a small loss. Three
# penalties can do no more than that: they do not tell the products that matter from the others. For
# that there is ``per="feature"``, see :ref:`sphx_glr_auto_examples_plot_penalty_per_feature.py`.
#
# Use blocks where columns come in kinds, and where a penalty per column is out of reach: behind a
# vectorizer, whose words differ from split to split, a block still is a block.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 4), layout="constrained", width_ratios=(3, 2)
)
PenaltiesDisplay.from_search(search, ax=left)
right.bar(range(6), gains, color=np.where(gains > 0, "C0", "C3"))
right.axhline(0, color="black", linewidth=1)
right.set(
    xlabel="choice of the half to learn from",
    ylabel="squared error, per cent",
    title="Gain over one penalty on unseen patients",
)
right.spines[["top", "right"]].set_visible(False)
plt.show()
