"""What nested cross-validation has told."""

import dataclasses

import numpy as np
from scipy import stats

from sklearn_hypergrad.search.reporting.table import table
from sklearn_hypergrad.tuning.objective import standard_error


@dataclasses.dataclass(frozen=True, eq=False)
class PairedDifference:
    """The score of one model minus that of another, fold by fold.

    Attributes
    ----------
    values : ndarray of shape (n_folds,)
        Differences on each outer test part.
    mean : float
        Their mean.
    standard_error : float
        Standard error of the mean, corrected for overlapping training parts; see
        :class:`NestedScore`.
    p_value : float
        Two-sided, of the hypothesis that the mean is zero: of ``mean / standard_error`` under
        Student's t with ``n_folds - 1`` degrees of freedom.
    """

    values: np.ndarray
    mean: float
    standard_error: float
    p_value: float


@dataclasses.dataclass(frozen=True, eq=False)
class NestedScore:
    """Scores of a search, its estimator and a plain grid on outer folds.

    Every dict has the keys "search", "default" and, unless it was left out, "grid". Scores are
    those of scikit-learn: larger is better.

    Scores of different folds are not independent, since the training parts overlap: the variance of
    their mean is not ``s^2 / n_folds``, which is too small. Standard errors are those of the
    corrected resampled t-test [1]_ ::

        sqrt((1 / n_folds + n_test / n_train) * s^2)

    with ``s^2`` the variance over folds (divided by ``n_folds - 1``) and ``n_test / n_train`` the
    mean ratio over folds. With one fold they are nan.

    Attributes
    ----------
    metric : str
        Name of the score.
    n_train, n_test : ndarray of shape (n_folds,)
        Rows of the outer training and test parts.
    scores : dict of str -> ndarray of shape (n_folds,)
        Scores on the outer test parts.
    best_scores : dict of str -> ndarray of shape (n_folds,)
        Mean scores on the inner splits of what was selected, which is ``best_score_``.
    best_params : dict of str -> tuple of dict
        ``best_params_`` of every fold.
    fit_times : dict of str -> ndarray of shape (n_folds,)
        Seconds of the whole search, refit included.
    n_fits : dict of str -> ndarray of shape (n_folds,)
        Fits of scikit-learn, refit included; what a HypergradSearchCV solves by itself is not
        among them, but in ``fit_times``.

    References
    ----------
    .. [1] Nadeau, Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.
    """

    metric: str
    n_train: np.ndarray
    n_test: np.ndarray
    scores: dict
    best_scores: dict
    best_params: dict
    fit_times: dict
    n_fits: dict

    @property
    def means(self):
        """Mean score over outer test parts, of each model."""
        return {name: float(np.mean(scores)) for name, scores in self.scores.items()}

    @property
    def optimism(self):
        """Mean over folds of ``best_score_`` minus the outer score, of each model.

        A positive value means that ``best_score_`` was too good. The optimism of "default" is not
        due to selection.
        """
        return {
            name: float(np.mean(self.best_scores[name] - scores))
            for name, scores in self.scores.items()
        }

    @property
    def differences(self):
        """The search minus each other model, as :class:`PairedDifference`."""
        return {name: self.difference("search", name) for name in self.scores if name != "search"}

    def difference(self, name, other):
        """The score of one model minus that of another on the same test parts.

        Parameters
        ----------
        name, other : {"search", "default", "grid"}
            Whose scores.

        Returns
        -------
        difference : PairedDifference
            Paired over folds.
        """
        values = self.scores[name] - self.scores[other]
        mean, error = float(np.mean(values)), self._standard_error(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = abs(np.divide(mean, error))
        return PairedDifference(values, mean, error, float(2 * stats.t.sf(t, len(values) - 1)))

    def to_frame(self):
        """A row for every model and fold.

        Returns
        -------
        table : data frame
            Of pandas or polars, whichever is installed, else a dict of lists.
        """
        columns = {"model": [], "fold": [], "score": [], "best_score": [], "fit_time": []}
        columns |= {"n_fits": [], "n_train": [], "n_test": []}
        n_folds = len(self.n_train)
        for name in self.scores:
            columns["model"] += [name] * n_folds
            columns["fold"] += range(n_folds)
            columns["score"] += self.scores[name].tolist()
            columns["best_score"] += self.best_scores[name].tolist()
            columns["fit_time"] += self.fit_times[name].tolist()
            columns["n_fits"] += self.n_fits[name].tolist()
            columns["n_train"] += self.n_train.tolist()
            columns["n_test"] += self.n_test.tolist()
        return table(columns)

    def _standard_error(self, values):
        """Of the mean of values of overlapping training parts."""
        return standard_error(values, np.mean(self.n_test / self.n_train))

    def __repr__(self):
        lines = [
            f"{self.metric} on {len(self.n_train)} outer folds (larger is better)",
            f"{'':10s}{'outer score':>21s}{'best_score_':>13s}{'optimism':>11s}"
            f"{'fits':>8s}{'seconds':>10s}",
        ]
        for name, mean in self.means.items():
            score = f"{mean:.4g} +- {self._standard_error(self.scores[name]):.2g}"
            lines.append(
                f"{name:10s}{score:>21s}{np.mean(self.best_scores[name]):>13.4g}"
                f"{self.optimism[name]:>+11.2g}{self.n_fits[name].sum():>8d}"
                f"{self.fit_times[name].sum():>10.3g}"
            )
        lines += [
            f"search - {name}: {d.mean:+.3g} +- {d.standard_error:.2g} (p = {d.p_value:.2g})"
            for name, d in self.differences.items()
        ]
        return "\n".join([*lines, "+- standard error, corrected for overlapping training parts"])
