"""MNIST: 7,840 penalties of a softmax regression, one per pixel and digit.

Run ``python -m benchmarks.mnist --data DIR [--figure FILE]``, with the four files of MNIST in
``DIR/mnist``. Images 0 to 9,999 train, 10,000 to 19,999 validate, intercepts are free; errors are
those of the 10,000 test images, for the models trained on the first 10,000 and on all 20,000.
"""

import argparse
import gzip
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.metrics import log_loss

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression

N_TRAIN, N_ALL = 10_000, 20_000


def images(path):
    """Rows of 784 intensities between 0 and 1."""
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255


def labels(path):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=8)


def report(name, model, X, y, data):
    """A line with the error and log loss of a model trained on part of the data and on all."""
    cells = []
    for rows in (slice(0, N_TRAIN), slice(0, N_ALL)):
        fitted = clone(model).fit(X[rows], y[rows])
        probabilities = fitted.predict_proba(data[0])
        error = np.mean(fitted.classes_[probabilities.argmax(axis=1)] != data[1])
        cells.append(f"{100 * error:.2f} % | {log_loss(data[1], probabilities):.4f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def draw(penalties, file):
    """The penalties of every digit as an image; the common one is in the middle of the colours."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 5, figsize=(10, 4.4), layout="constrained")
    logs = np.log10(penalties)
    pool, reach = np.median(logs), np.abs(logs - np.median(logs)).max()
    how = {"cmap": "coolwarm", "vmin": pool - reach, "vmax": pool + reach}
    for digit, axis in enumerate(axes.flat):
        image = axis.imshow(logs[digit].reshape(28, 28), **how)
        axis.set(title=str(digit), xticks=[], yticks=[])
    figure.colorbar(image, ax=axes, label="log10 of the penalty")
    figure.savefig(file, dpi=120)


def main():
    """Search, and compare on test images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--figure")
    arguments = parser.parse_args()
    folder = arguments.data / "mnist"
    X = images(folder / "train-images-idx3-ubyte.gz")[:N_ALL]
    y = labels(folder / "train-labels-idx1-ubyte.gz")[:N_ALL]
    test = tuple(
        read(folder / f"t10k-{name}.gz")
        for read, name in ((images, "images-idx3-ubyte"), (labels, "labels-idx1-ubyte"))
    )
    warnings.simplefilter("ignore")
    search = HypergradSearchCV(
        LogisticRegression(max_iter=2000),
        {"C": Continuous(per="coefficient")},
        scoring="neg_log_loss",
        cv=[(np.arange(N_TRAIN), np.arange(N_TRAIN, N_ALL))],
        refit=False,
    )
    start = time.perf_counter()
    search.fit(X, y)
    print(f"{time.perf_counter() - start:.0f} s, {search.n_iter_} evaluations")
    print("validation log loss:", -search.cv_results_["mean_test_score"])
    print(search.hyperparameters_["status"].value_counts().to_dict())
    print("| penalties | error, 10,000 | log loss | error, 20,000 | log loss |")
    print("|---|---|---|---|---|")
    vector, common = (row["C"] for row in search.cv_results_["params"])
    model = search.estimator
    report("7,840", clone(model).set_params(C=vector), X, y, test)
    report("one", clone(model).set_params(C=common.flat[0]), X, y, test)
    if arguments.figure:
        draw(1 / vector, arguments.figure)


if __name__ == "__main__":
    main()
