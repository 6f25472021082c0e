"""
Text: every vectorizer with its own penalty
===========================================

Which vectorizer is best can only be compared if each of them has the penalty that suits it: words,
pairs of words and groups of three letters differ in number by orders of magnitude. So the steps of
a pipeline are enumerated, as in a grid search, and the ``C`` behind each is searched. Vocabularies
are learned on the training part of every split.

The texts are the first paragraphs of the documentation of SciPy, as far as it is installed here;
the question is which of three modules they come from.
"""

import inspect

import matplotlib.pyplot as plt
import numpy as np
from scipy import ndimage, signal, stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline

from sklearn_hypergrad import HypergradSearchCV

texts, modules = [], []
for module in (ndimage, signal, stats):
    for name in module.__all__:
        # Some begin with the signature of the function, which is a paragraph.
        paragraphs = (inspect.getdoc(getattr(module, name)) or "").split("\n\n")
        first = next((text for text in paragraphs if not text.startswith(f"{name}(")), "")
        texts.append(first)
        modules.append(module.__name__)
print(f"{len(texts)} texts, for instance: {texts[0]}")
parts = train_test_split(texts, modules, test_size=0.4, stratify=modules, random_state=0)
X, X_test, y, y_test = parts

# %%
# A list of vectorizers, and a range for ``C``.

vectorizers = {
    "words": TfidfVectorizer(min_df=2),
    "words and pairs": TfidfVectorizer(min_df=2, ngram_range=(1, 2)),
    "three letters": TfidfVectorizer(min_df=2, analyzer="char_wb", ngram_range=(3, 3)),
}
pipeline = Pipeline(
    [("vectorizer", None), ("model", LogisticRegression(solver="newton-cg", tol=1e-6))]
)
param_grid = {"vectorizer": list(vectorizers.values()), "model__C": [0.01, 1e4]}
search = HypergradSearchCV(pipeline, param_grid, scoring="neg_log_loss", cv=3).fit(X, y)
rows = search.cv_results_
found = {
    name: (params["model__C"], -score)
    for name, params, score in zip(
        vectorizers, rows["params"], rows["mean_test_score"], strict=True
    )
}
for name, (C, loss) in found.items():
    print(f"{name:16s} C = {C:6.1f}, log loss {loss:.3f}")
accuracy = search.best_estimator_.score(X_test, y_test)
print(f"the best has accuracy {accuracy:.3f} on unseen texts")

# %%
# Every vectorizer has its own curve, and its minimum (the star) somewhere else. Compare the order
# of the curves at ``C=1``, the default, with that of the stars: whoever compares vectorizers at one
# ``C`` finds out which of them suits this ``C``. The dots are evaluations of the search.
#
# On time: texts give sparse matrices, whose plain fits take a few passes, and then a grid of five
# or six values is faster than this search. What you gain here is a minimum and not the best of six.

figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
names = "candidate", "value", "loss", "inner_tol"
history = {name: np.array(search.history_[name]) for name in names}
# Values far off are solved only as exactly as it takes to rule them out.
exact = history["inner_tol"] < 0.01
candidates = np.unique(history["candidate"])
for number, (candidate, (name, best)) in enumerate(zip(candidates, found.items(), strict=True)):
    own = exact & (history["candidate"] == candidate)
    order = np.argsort(history["value"][own])
    values, losses = history["value"][own][order], history["loss"][own][order]
    ax.plot(values, losses, "o-", color=f"C{number}", markersize=4, linewidth=1, label=name)
    ax.plot(*best, "*", color=f"C{number}", markersize=16)
ax.axvline(1, color="0.6", linestyle="--", label="the default")
ax.set(xscale="log", xlabel="C", ylabel="cross-validated log loss")
ax.spines[["top", "right"]].set_visible(False)
ax.legend()
plt.show()
