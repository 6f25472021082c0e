"""Rows of models whose fit has a closed form: estimators are made of the solutions.

One real fit, of a small training part or on few rows, checks that scikit-learn fits the same model.
"""

import functools
import time

import numpy as np

from sklearn_hypergrad._sklearn import rows_of
from sklearn_hypergrad.problems.split_data import row_numbers
from sklearn_hypergrad.search.data.blocks import one_split
from sklearn_hypergrad.search.strategies.solved_rows import SolvedRows, SplitFit, features_of
from sklearn_hypergrad.threads import warnings_here
from sklearn_hypergrad.tuning import FINE

# Entries of a training part up to which the check fits all of it, which needs no further solution;
# and the rows of a larger part that it fits. Measured: either takes about a millisecond.
SMALL, FEW = 2**16, 60
# Relative difference of predictions from which on a fit is another model. Chosen by hand: solvers
# for sparse data stop at 1e-4, and other formulas differ by far more.
ANOTHER = 1e-3
# What is compared: the first of these that an estimator has.
METHODS = "decision_function", "predict_joint_log_proba", "predict"
# Difference, relative to the targets, that is none: strong penalties leave constant predictions.
NOTHING = 1e-9


class ClosedFormRows(SolvedRows):
    """Rows whose estimators are made of solutions.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
    """

    def _fits(self, model, fitted, h, block, splits):
        family, final, data = self._prepared.family, self._prepared.final, model.data
        if self._whole:
            means = [self._prepared.steps[split].means for split in splits]
            finals = family.install_behind(final, model, fitted, h, block, means)
        else:
            finals = family.install(final, model, fitted, h)
        parts = zip(data.trains, data.tests, strict=True)
        for split, own, rows in zip(splits, finals, parts, strict=True):
            yield SplitFit(split, own, lambda: True, lambda part, rows=rows: data.X[rows[part]])

    def _refit(self, h, fits):
        return self._plain_refit()

    # A fit with the score that is known of the solution shows both that scikit-learn fits the same,
    # and that the descended loss is the asked score.
    def _confirmed(self, settings, scores):
        if scores is None or not self._shows_one_score or not self._fits_whole:
            return None
        began = time.perf_counter()
        final = self._fitted_on(settings, *self._rows_of_first(slice(None)))
        seconds = time.perf_counter() - began
        features = functools.partial(features_of, self._prepared.cv_data[0], 0)
        output = self._output(SplitFit(0, final, bool, features), settings)
        output["fit_time"] += seconds
        agrees = self._confirms([output], scores)
        return self._row_of(output, scores) if agrees else None

    @property
    def _fits_whole(self):
        """Whether the check fits all of the first training part."""
        block = self._prepared.cv_data[0]
        return not self._whole and len(block.trains[0]) * block.X.shape[1] <= SMALL

    def _doubt(self, settings, fits, row):
        block, whole = self._prepared.cv_data[0], self._fits_whole
        train = block.trains[0]
        chosen = slice(None) if whole else self._few(block.labels[train])
        X, y, params = self._rows_of_first(chosen)
        # A fit with copy_X=False overwrites what it gets.
        expected = _predicted(self._fitted_on(settings, X.copy(), y, params), X)
        if whole:
            found = _predicted(fits[0].final, fits[0].features(0))
        else:
            found = self._found(settings, X, block.labels[train[chosen]], **params)
        apart, spread = np.linalg.norm(found - expected), _spread(expected)
        if apart <= ANOTHER * spread + NOTHING * _spread(block.y[train[chosen]]):
            return ""
        name = type(self._prepared.final).__name__
        return f"on {len(X)} rows predictions of {name} differ from them by {apart / spread:.2g}"

    def _rows_of_first(self, chosen):
        """Features, targets and metadata of some rows of the first training part."""
        block, steps = self._prepared.cv_data[0], self._prepared.steps[0]
        weight = steps.params.get("sample_weight")
        X = block.own(block.X[block.trains[0][chosen]], 0)
        y = rows_of(self._inputs.y, row_numbers(self._inputs.splits[0][0])[chosen])
        return X, y, {} if weight is None else {"sample_weight": np.asarray(weight)[chosen]}

    def _fitted_on(self, settings, X, y, params):
        # The warnings of a part are not those of all rows.
        with warnings_here("ignore"):
            return self._fitted(settings, X, y, params)

    def _few(self, labels):
        """Numbers of few rows, evenly spread; for classifiers some of every class."""
        groups, strata = [np.arange(len(labels))], self._prepared.family.strata(labels)
        if strata is not None:
            groups = [np.flatnonzero(strata == label) for label in np.unique(strata)]
        fewest = self._prepared.family.fewest_rows(self._prepared.cv_data[0].X.shape[1])
        most = max(fewest, FEW // len(groups))
        ends = [np.linspace(0, len(rows) - 1, min(most, len(rows))) for rows in groups]
        return np.sort(
            np.concatenate([g[e.astype(int)] for g, e in zip(groups, ends, strict=True)])
        )

    def _found(self, settings, X, labels, sample_weight=None):
        """Predictions of our own model of some rows."""
        prepared, h = self._prepared, self._h(settings)
        family, final = prepared.family, prepared.final
        data = one_split(family, final, X, labels, sample_weight)
        model = family.model(final, data, dict.fromkeys(h), prepared.options.seed)
        (own,) = family.install(final, model, model.train(h, None, FINE), h)
        return _predicted(own.set_params(**self._values(settings)), model.data.X)


def _predicted(estimator, X):
    """Decision values, joint log likelihoods or predictions, of shape (n_rows, n_outputs)."""
    method = next(name for name in METHODS if hasattr(estimator, name))
    predicted = np.asarray(getattr(estimator, method)(X))
    return predicted.reshape(len(predicted), -1)


def _spread(values):
    """The norm of values about the means of their columns."""
    return np.linalg.norm(values - values.mean(axis=0))
