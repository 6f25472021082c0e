"""Rows of models whose fit is iterative: fits of scikit-learn start at the solutions.

They are at least as converged as fits from the beginning, and differ from these by what the
estimator's ``tol`` allows. One fit from the beginning, of one split, checks that. Where all slopes
at the solutions are below ``tol`` already, and one fit shows that the solver stays there, the fits
of the other splits are not made.
"""

import functools
import time
import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from sklearn_hypergrad._sklearn import rows_of
from sklearn_hypergrad.problems.split_data import column_means, row_numbers
from sklearn_hypergrad.search.results.warm_refit import WarmRefit, warm_fit
from sklearn_hypergrad.search.strategies.predicted_scores import PredictedScores
from sklearn_hypergrad.search.strategies.solved_rows import (
    SolvedRows,
    SplitFit,
    Unsolved,
    features_of,
    with_first,
)
from sklearn_hypergrad.threads import cached_property, warnings_here, warnings_kept

# Differences of scores up to which a fit from the beginning confirms another one: relative to the
# score, and to its standard deviation over splits. Chosen by hand: solvers of scikit-learn with
# their default tolerance were measured to differ by up to 3e-4 relative.
CONFIRMED, OF_DEVIATION = 1e-3, 0.1
# Share of the tolerance that slopes may have, so that a solver surely stays. Chosen by hand:
# solutions have far smaller ones, and sums in another order differ by rounding.
SURELY = 0.1
# Largest number of entries in all passes over X that the fit from the beginning took, up to which
# the refit starts there, too. Measured for Lasso and ElasticNet on 14 data sets: with a million
# entries it takes 0.9 ms, and from an exact solution on all rows, which is computed first, 1.5 ms.
FEW_PASSES = 2**20


class WarmRows(SolvedRows):
    """Rows whose fits start at solutions.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
    """

    # Of the fit from the beginning, once it is made.
    _n_passes = np.inf

    # All solutions come first: then what starts them is memory that the fits can have.
    def _rows(self, result):
        rows = []
        for settings, fits, scores in super()._rows(result):
            first, fits = with_first(fits)
            try:
                if scores is None or first is None or not first.stands_for_all:
                    fits = fits and list(fits)
                rows.append((settings, fits, scores))
            except Unsolved:
                rows.append((settings, None, None))
        self._objective.forget_starts()
        yield from rows

    # Scikit-learn takes longer to score predicted classes than to find that a solution is one.
    def _predicted(self, settings):
        if not self._shows_one_score or self._predictions is None:
            return None
        scores = self._predictions.certain_of_splits(self._h(settings))
        return None if np.isnan(scores).any() else scores

    @cached_property
    def _predictions(self):
        """The PredictedScores if the score is the accuracy, else None."""
        if not PredictedScores.apply(self._prepared, self._objective):
            return None
        found = PredictedScores(self._prepared, self._objective)
        return found if found.is_accuracy else None

    def _fits(self, model, fitted, h, block, splits):
        prepared = self._prepared
        finals = prepared.family.install_behind(prepared.final, model, fitted, h, block)
        stays = self._stays(model, fitted, h, block)
        for number, (split, own) in enumerate(zip(splits, finals, strict=True)):
            features = functools.partial(features_of, block, number)
            origin = self._origin(block, number, split)
            fit = functools.partial(self._fit, own, split, features, origin)
            yield SplitFit(split, own, fit, features, stays)

    def _stays(self, model, fitted, h, block):
        """Whether a solver that stops at small slopes stays at the solutions of all splits."""
        several = len(self._prepared.cv_data) > 1 or not self._shows_one_score
        if several or not hasattr(self._prepared.final, "tol"):
            return False
        steepest = model.steepest(fitted, h, block)
        return bool(np.max(steepest) <= SURELY * self._prepared.final.tol)

    def _origin(self, block, number, split):
        """The origin up to which the block has the features of a split, if a scorer sees these."""
        if not self._whole:
            return None
        own = block.own(column_means(block.X), number)
        return self._prepared.steps[split].means - own

    def _fit(self, own, split, features, origin):
        """Fit, and return whether the solver has left the solution as it is."""
        steps, same = self._prepared.steps[split], self._fitted_on(own, split, features)
        if self._whole and steps.names is not None:
            own.feature_names_in_ = steps.names
        if origin is not None:
            own.intercept_ = own.intercept_ - own.coef_ @ origin
        return same

    def _fitted_on(self, own, split, features):
        """Fit from the solution, and return whether it stays the same."""
        before, params = (own.coef_, own.intercept_), self._prepared.steps[split].params
        # The fit from the beginning, and the refit, look at the parameters.
        with config_context(skip_parameter_validation=True):
            warm_fit(own, features(0), self._y(split), params)
        return all(map(np.array_equal, before, (own.coef_, own.intercept_)))

    def _y(self, split):
        return rows_of(self._inputs.y, row_numbers(self._inputs.splits[split][0]))

    # A solver that stops early takes as long from a solution, and for nothing.
    def _early_doubt(self, settings, first):
        began = time.perf_counter()
        params = self._prepared.steps[first.split].params
        # Rows themselves warn where something is wrong.
        with warnings_kept(ConvergenceWarning) as told:
            cold = self._fitted(settings, first.features(0), self._y(first.split), params)
        seconds = time.perf_counter() - began
        self._n_passes = np.max(cold.n_iter_)
        cold = SplitFit(first.split, cold, bool, first.features)
        with warnings_here("ignore"):
            self._cold = self._output(cold, settings)
        if not told:
            return ""
        self._begin(seconds, told)
        first.fit()
        with warnings_here("ignore"):
            warm = self._output(first, settings)
        (name, score), *_ = _named(self._cold["test_scores"]).items()
        apart = _apart(name, score, _named(warm["test_scores"])[name])
        return f"the solver of scikit-learn does not converge from the beginning: {apart}"

    def _begin(self, seconds, told):
        """Keep a fit from the beginning if it is that of the estimator on the data themselves."""
        alone = self._prepared.steps[0].pipeline is None
        if alone and self._prepared.cv_data[0].X is self._inputs.X:
            for text in told:
                warnings.warn(text, ConvergenceWarning, stacklevel=2)
            self.begun = [{**self._cold, "fit_time": self._cold["fit_time"] + seconds}]

    def _doubt(self, settings, fits, row):
        cold, scores = self._cold["test_scores"], [each["test_scores"] for each in row.outputs]
        self.apart = _difference(cold, scores, 0.0)
        return _difference(cold, scores, OF_DEVIATION)

    def _refit(self, h, fits):
        return WarmRefit.of([fit.final for fit in fits], self._prepared, h)


class ExactRows(WarmRows):
    """Rows of models whose solutions are exact, so that fits which start there would stay there.

    These fits are not made. One fit from the beginning, of one split, is the check.
    """

    # No fit needs memory, and splits whose scores are known need no estimator.
    def _rows(self, result):
        return SolvedRows._rows(self, result)

    def _stays(self, model, fitted, h, block):
        return True

    def _refit(self, h, fits):
        X = self._prepared.cv_data[0].X
        if self._n_passes * (X.nnz if issparse(X) else X.size) <= FEW_PASSES:
            return self._plain_refit()
        return super()._refit(h, fits)

    def _fitted_on(self, own, split, features):
        return True


def _difference(score, scores, of_deviation):
    """Why a score from the beginning does not confirm those of all splits, or ""."""
    several = [_named(each) for each in scores]
    for name, cold in _named(score).items():
        warm = np.array([each[name] for each in several], dtype=float)
        allowed = max(CONFIRMED * abs(warm[0]), of_deviation * np.std(warm))
        if np.isfinite(cold) and not abs(cold - warm[0]) <= allowed:
            return _apart(name, cold, warm[0])
    return ""


def _named(score):
    return score if isinstance(score, dict) else {"score": score}


def _apart(name, cold, warm):
    return (
        f"the {name} of the first split is {cold:.6g} where the solver of scikit-learn ends from "
        f"the beginning, and {warm:.6g} at the minimum"
    )
