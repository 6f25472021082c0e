"""
Classifying text
================

A pipeline of TfidfVectorizer and LogisticRegression is tuned for accuracy. How term frequencies are
scaled is enumerated; the ``C`` of every pipeline is searched. The vocabulary of every split is
learnt on its training part. Since accuracy has no gradient, the search descends the log loss and
lets accuracy choose between the few rows that result.

With ``--data DIR`` the texts are every second of the 2,000 movie reviews of Pang and Lee (2004), if
``DIR/text/review_polarity.tar.gz`` is there. Otherwise they are made up from the handwritten digits
of scikit-learn: every pixel is a word that is repeated as often as the pixel is dark, so a picture
of a zero reads "r0c2 r0c3 r0c3 ...", and the classes are even and odd. Nobody writes like that, but
nothing needs to be downloaded.
"""

import argparse
import tarfile
import time
from pathlib import Path, PurePosixPath

import numpy as np
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_hypergrad import HypergradSearchCV

ARCHIVE = Path("text", "review_polarity.tar.gz")
PARAM_GRID = {
    "tfidfvectorizer__sublinear_tf": [False, True],
    "logisticregression__C": [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0],
}


def main():
    """Tune on three quarters of the texts, and compare on the rest."""
    parser = argparse.ArgumentParser(description="Tune a text classifier.")
    parser.add_argument("--data", metavar="DIR", type=Path, help=f"folder with {ARCHIVE}")
    data = parser.parse_args().data

    texts, labels = corpus(data)
    parts = train_test_split(texts, labels, stratify=labels, random_state=0)
    print(f"{'':20s}{'log loss, cv':>14s}{'unseen':>10s}{'fits':>8s}{'seconds':>10s}")
    for search_class in (GridSearchCV, HypergradSearchCV):
        report(search_class, *parts)


def corpus(data):
    """Texts and their classes: reviews if they are there, else digits in words."""
    if data is not None and (data / ARCHIVE).exists():
        print(f"movie reviews from {data / ARCHIVE}")
        return reviews(data / ARCHIVE)
    if data is not None:
        print(f"there is no {data / ARCHIVE}")
    print("digits, written as words")
    digits = load_digits()
    return [in_words(image) for image in digits.images], digits.target % 2


def reviews(path):
    """Every second review of the archive, and its class: "pos" or "neg"."""
    texts, labels = [], []
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if name.suffix == ".txt" and name.parent.name in ("pos", "neg"):
                texts.append(archive.extractfile(member).read().decode("latin-1"))
                labels.append(name.parent.name)
    return texts[::2], labels[::2]


def in_words(image):
    """A word per pixel, repeated as often as it is dark."""
    pixels = np.ndenumerate(image.astype(int))
    return " ".join(f"r{row}c{column}" for (row, column), n in pixels for _ in range(n))


def report(search_class, X_train, X_test, y_train, y_test):
    """Fit one search and print what it found and what it cost."""
    model = LogisticRegression(solver="newton-cg", tol=1e-6)
    pipeline = make_pipeline(TfidfVectorizer(min_df=3), model)
    search = search_class(pipeline, PARAM_GRID, scoring="neg_log_loss", cv=3)
    start = time.perf_counter()
    search.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    fits = len(search.cv_results_["params"]) * search.n_splits_ + 1
    print(
        f"{search_class.__name__:20s}{-search.best_score_:14.4f}"
        f"{-search.score(X_test, y_test):10.4f}{fits:8d}{seconds:10.2f}"
    )
    print(f"  {search.best_params_}")


if __name__ == "__main__":
    main()
