"""Everything private that is used of scikit-learn, in one place."""

import functools
import importlib.metadata
import inspect

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics._scorer import (
    _BaseScorer,
    _MultimetricScorer,
    _PassthroughScorer,
    _Scorer,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _fit_and_score,
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.svm import _libsvm
from sklearn.utils import _safe_indexing, check_array, get_tags
from sklearn.utils._metadata_requests import _routing_enabled
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import (
    _check_method_params,
    _check_psd_eigenvalues,
    _check_sample_weight,
    _get_feature_names,
    _num_samples,
)

__all__ = [
    "BaseSearchCV",
    "DocumentedMixin",
    "Interval",
    "InvalidParameterError",
    "Names",
    "PassthroughScorer",
    "StrOptions",
    "accepts_sample_weight",
    "check_matplotlib_support",
    "check_sample_weight",
    "checked_array",
    "checked_eigenvalues",
    "columns_of",
    "compute_score",
    "feature_names",
    "first_rows",
    "fit_and_score",
    "fit_context",
    "has_callbacks",
    "has_callbacks_inside",
    "insert_error_scores",
    "is_pairwise",
    "libsvm_dual",
    "metric_of",
    "names_of_scores",
    "num_samples",
    "overridden",
    "report_failed_fits",
    "rows_of",
    "rows_of_params",
    "safe_split",
    "score_fitted",
    "scorers_of",
    "scores_predictions",
    "single_score_params",
    "single_scorer",
    "without_callbacks",
]

PassthroughScorer = _PassthroughScorer
check_sample_weight = _check_sample_weight
checked_eigenvalues = _check_psd_eigenvalues
compute_score = _score
feature_names = _get_feature_names
fit_and_score = _fit_and_score
fit_context = _fit_context
insert_error_scores = _insert_error_scores
num_samples = _num_samples
report_failed_fits = _warn_or_raise_about_fit_failures
safe_split = _safe_split


@functools.cache
def documentation():
    """Address of the documentation, which pyproject.toml has; empty if that is not installed."""
    try:
        urls = importlib.metadata.metadata("sklearn-hypergrad").get_all("Project-URL", [])
    except importlib.metadata.PackageNotFoundError:
        return ""
    return dict(url.split(", ") for url in urls).get("Documentation", "")


class DocumentedMixin:
    """The "?" of scikit-learn's HTML diagrams opens the page of the class in our documentation."""

    _doc_link_module = "sklearn_hypergrad"

    @property
    def _doc_link_template(self):
        pages = documentation()
        return f"{pages}/en/stable/generated/{{public_name}}.html" if pages else ""

    def _doc_link_url_param_generator(self):
        package, part = type(self).__module__.split(".")[:2]
        public = package if part == "search" else f"{package}.{part}"
        return {"public_name": f"{public}.{type(self).__name__}"}


class Names(StrOptions):
    """Options that an error message lists in their order, with a remedy."""

    def __init__(self, options, remedy=""):
        super().__init__(set(options))
        self._remedy = remedy

    def __str__(self):
        listed = f"a str among {', '.join(map(repr, sorted(self.options)))}"
        return f"{listed} ({self._remedy})" if self._remedy else listed


def score_fitted(estimator, X, y, **options):
    """What ``fit_and_score`` returns for an estimator that is fitted already, and stays as it is.

    The first calls of two methods are replaced; scorers find an estimator like any other.
    """

    def set_params(**params):
        del estimator.set_params
        return estimator

    def fit(*args, **kwargs):
        del estimator.fit
        return estimator

    estimator.set_params, estimator.fit = set_params, fit
    options |= {"fit_params": {}, "return_n_test_samples": True, "return_times": True}
    return fit_and_score(estimator, X, y, **options)


def has_callbacks(estimator):
    """Whether callbacks are set on an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", ()))


def has_callbacks_inside(estimator):
    """Whether callbacks are set on an estimator or on a part of it."""
    return any(map(has_callbacks, (estimator, *estimator.get_params().values())))


def without_callbacks(estimator):
    """The estimator itself, with its callbacks and those of its parts taken off."""
    for part in (estimator, *estimator.get_params().values()):
        if hasattr(part, "_skl_callbacks"):
            part.set_callbacks()
    return estimator


def single_scorer(scorers, refit):
    """The scorer that decides, or None where it is not known before the search."""
    if isinstance(scorers, _MultimetricScorer):
        return scorers._scorers.get(refit) if isinstance(refit, str) else None
    if isinstance(scorers, _BaseScorer | _PassthroughScorer) or not isinstance(refit, str):
        return scorers
    return functools.partial(_entry, scorers, refit)


def single_score_params(scorers, refit, params):
    """The metadata that reach the scorer that decides, of those that reach all scorers."""
    if not params:
        return {}
    scorer = scorers
    if isinstance(scorers, _MultimetricScorer):
        scorer = single_scorer(scorers, refit)
        if scorer is not None and _routing_enabled():
            return dict(process_routing(scorers, "score", **params)[refit].score)
    if scorer is None or accepts_sample_weight(scorer):
        return dict(params)
    return {name: value for name, value in params.items() if name != "sample_weight"}


def scores_predictions(scorer, estimator):
    """Whether a scorer uses nothing of X and of the estimator but its predictions.

    Then the final step and its features give the same score as the pipeline and X.
    """
    if isinstance(scorer, _MultimetricScorer):
        return all(scores_predictions(each, estimator) for each in scorer._scorers.values())
    if isinstance(scorer, _PassthroughScorer):
        return type(estimator).score.__module__.startswith("sklearn.")
    return type(scorer) is _Scorer


def _entry(scorer, name, *args, **kwargs):
    """One score of a callable that returns several in a dict."""
    scores = scorer(*args, **kwargs)
    return scores[name] if isinstance(scores, dict) else scores


def scorers_of(scorer):
    """The dict of scorers in the scorer of several metrics; any other scorer itself."""
    return scorer._scorers if isinstance(scorer, _MultimetricScorer) else scorer


def names_of_scores(scorer, refit):
    """The names of several scores, None for one; of a callable only that in ``refit`` is known."""
    if isinstance(scorer, _MultimetricScorer):
        return list(scorer._scorers)
    return [refit] if isinstance(refit, str) else None


def scorers_by_name(scorer):
    """A dict of the scorers of several metrics, None for one."""
    return dict(scorer._scorers) if isinstance(scorer, _MultimetricScorer) else None


def metric_of(scorer):
    """``(function, sign, options, methods)`` of a scorer from ``make_scorer``, else None.

    ``methods`` are those of the estimator whose output it may score.
    """
    if not isinstance(scorer, _BaseScorer):
        return None
    methods = scorer._response_method
    methods = {methods} if isinstance(methods, str) else set(methods)
    return scorer._score_func, scorer._sign, scorer._kwargs, methods


def accepts_sample_weight(scorer):
    """Whether weights passed to the search reach this scorer."""
    if hasattr(scorer, "_accept_sample_weight"):
        return scorer._accept_sample_weight()
    return "sample_weight" in inspect.signature(scorer).parameters


def checked_array(X, **options):
    """What ``check_array`` returns for numbers: finite doubles themselves, without a look at more.

    Parameters
    ----------
    X : array-like
        To be of shape (n_samples, n_features), if ``options`` do not say otherwise.
    **options : dict
        Those of ``check_array``, which accept doubles.
    """
    n_dimensions = (2,) if options.get("ensure_2d", True) else (1, 2)
    plain = type(X) is np.ndarray and X.dtype == np.float64 and X.ndim in n_dimensions
    # A sum that is finite has no terms that are not.
    with np.errstate(all="ignore"):
        checked = plain and X.size and np.isfinite(X.sum())
    return X if checked else check_array(X, **options)


def rows_of(X, rows):
    """Some rows of any X; those of an array without a look at what it might be."""
    return X[rows] if type(X) is type(rows) is np.ndarray else _safe_indexing(X, rows)


def columns_of(X, columns):
    """Some columns of an array or a data frame, as a ColumnTransformer takes them."""
    return _safe_indexing(X, columns, axis=1)


def rows_of_params(X, params, rows):
    """Metadata of some rows: array-likes as long as X are indexed, the rest is passed on."""
    return _check_method_params(X, params=params, indices=rows)


def overridden(estimator, base, methods):
    """A clause that names the first of some methods that the class of an estimator has changed.

    Parameters
    ----------
    estimator : estimator
    base : type
        The class that has them.
    methods : sequence of str

    Returns
    -------
    str or None
    """
    own = type(estimator)
    for method in methods if own is not base else ():
        # Conditional methods are new objects at every getattr, so they are compared statically.
        changed = inspect.getattr_static(own, method, None)
        if changed is not inspect.getattr_static(base, method, None):
            return f"{own.__name__} overrides {base.__name__}.{method}"
    return None


def is_pairwise(estimator):
    """Whether an estimator takes a matrix of pairs of rows as X."""
    return get_tags(estimator).input_tags.pairwise


def first_rows(X):
    """The first row of any X, as a data set."""
    return _safe_indexing(X, [0])


def libsvm_dual(K, y, weight, *, kind, tol, max_iter, **h):
    """What libsvm finds for a kernel: dual coefficients of all rows, intercept, number of steps.

    Its estimators would first look at every entry of K, which takes longer than small fits.

    Parameters
    ----------
    K : ndarray of shape (n_rows, n_rows)
        In the order of C.
    y, weight : ndarray of shape (n_rows,)
        Targets, and weights; rows without weight are left out.
    kind : int
        Number of the machine.
    tol, max_iter, **h
        Its settings.

    Raises
    ------
    ValueError
        If libsvm refuses a setting.
    """
    _libsvm.set_verbosity_wrap(0)
    weight = np.ascontiguousarray(weight, dtype=np.float64)
    settings = {"kernel": "precomputed", "svm_type": kind, "tol": tol, "max_iter": max_iter, **h}
    support, _, _, coef, b, *_, n_steps = _libsvm.fit(K, y, sample_weight=weight, **settings)
    dual = np.zeros(len(y))
    dual[np.flatnonzero(weight)[support]] = coef[0]
    # Classes are numbered from the first one, whose coefficients are positive.
    sign = -1 if kind < 2 else 1
    return sign * dual, sign * float(b[0]), int(n_steps[0])
