"""Searches judged on data that they have not seen."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, check_cv
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from sklearn_hypergrad._sklearn import (
    BaseSearchCV,
    accepts_sample_weight,
    rows_of_params,
    safe_split,
    single_scorer,
)
from sklearn_hypergrad.inspection.nested_result import NestedScore
from sklearn_hypergrad.inspection.plain_grid import plain_grid
from sklearn_hypergrad.search import HypergradSearchCV
from sklearn_hypergrad.search.data.inputs import has_fixed_splits, splits_of


def nested_score(
    search: HypergradSearchCV,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    cv: Any = None,
    grid: dict | Sequence[dict] | None = None,
    n_jobs: int | None = None,
    **params: Any,
) -> NestedScore:
    """Score a search, the estimator as it is, and a plain grid on outer folds.

    Three models are fitted on each outer training part:

    - ``search``, a clone of the search;
    - ``default``, its estimator as it is;
    - ``grid``, a :class:`~sklearn.model_selection.GridSearchCV` with the estimator, ``cv`` and
      ``scoring`` of the search.

    The three are scored on the same outer test parts, which none of them has seen, by the scorer of
    the search (with several metrics, the one that ``refit`` names). So the scores estimate the
    score on new data, and the difference to ``best_score_``, the optimism, shows how far that can
    be trusted. The default is cross-validated on the inner splits, too: it selects nothing, so the
    difference between its two scores is due to smaller training parts and to chance.

    Parameters
    ----------
    search : HypergradSearchCV, GridSearchCV or other search of that kind
        It need not be fitted, and is not modified. Its ``cv`` splits every outer training part, so
        it must be a number or a splitter; ``refit`` must not be False.

    X, y : array-like
        Data as for ``search.fit``.

    cv : int, cross-validation generator or iterable, default=None
        The outer folds, as for :func:`~sklearn.model_selection.cross_validate`: None is 5 folds.
        The splits are drawn once.

    grid : None, False, dict or list of dict, default=None
        ``param_grid`` of the plain grid; False leaves it out. None is that of the search, for a
        HypergradSearchCV; for others it is False. In it a ``Continuous`` is replaced by values at
        equal distances on its scale, ten of one range, five of each of two, three of each of more:
        between its bounds, else four decades around ``init``, or the estimator's own value, two of
        a model that is trained step by step. The entries of a vector share these values.

    n_jobs : int, default=None
        How many of the ``3 * n_folds`` fits run at a time. Scores do not depend on it; times do.

    **params : dict
        Metadata, as for ``search.fit``: ``sample_weight``, ``groups`` and what else is routed. The
        rows of the training part go to the fits, and those of the test part to the scorer if they
        do so inside the search. ``groups`` go to the outer and to the inner splits.

    Returns
    -------
    result : NestedScore
        Scores of all folds, their means and differences with standard errors; printed, a table.

    Raises
    ------
    TypeError
        If ``search`` is not a search.
    ValueError
        If it cannot be repeated on a part of the data, has no best model, or has several metrics
        and ``refit`` names none of them; and what its fit raises.

    See Also
    --------
    NestedScore : What it returns.

    Notes
    -----
    It costs the fits of the search, of the grid and of the cross-validated default, times the
    number of outer folds.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
    >>> from sklearn_hypergrad.inspection import nested_score
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": Continuous()})
    >>> result = nested_score(search, X, y, cv=3)
    >>> for name, mean in result.means.items():
    ...     print(f"{name:8s}{mean:.3f}")
    search  0.489
    default 0.409
    grid    0.489
    """
    _check_search(search)
    X, y = indexable(X, y)
    cv = check_cv(cv, y, classifier=is_classifier(search.estimator))
    fit_params, split_params = _routed(search, cv, params)
    splits = splits_of(cv, X, y, split_params)
    models = _models(search, grid)
    jobs = [(name, model, split) for split in splits for name, model in models.items()]
    judged = Parallel(n_jobs=n_jobs)(
        delayed(_judged)(clone(model), X, y, split, fit_params) for _, model, split in jobs
    )
    metrics, done = zip(*judged, strict=True)
    by_name = {name: [] for name in models}
    for (name, *_), one in zip(jobs, done, strict=True):
        by_name[name].append(one)
    return NestedScore(
        metric=metrics[0],
        n_train=np.array([len(train) for train, _ in splits]),
        n_test=np.array([len(test) for _, test in splits]),
        **{
            field: {name: _column(ones, field) for name, ones in by_name.items()}
            for field in done[0]
        },
    )


def _check_search(search):
    if not isinstance(search, BaseSearchCV):
        raise TypeError(
            f"nested_score judges a search, such as HypergradSearchCV(estimator, param_grid), got "
            f"{search!r}. Put transformers into the pipeline that is searched; to score one "
            f"estimator, use cross_val_score."
        )
    for name in ("cv", "search_cv"):
        splitter = getattr(search, name, None)
        if has_fixed_splits(splitter):
            raise ValueError(
                f"The search is repeated on every outer training part, for which {name}="
                f"{splitter!r} has no splits: its rows are those of the whole data. Give the "
                f"search a number or a splitter such as GroupKFold(5); fixed splits may be passed "
                f"as nested_score(..., cv=...)."
            )
    if search.refit is False:
        raise ValueError(
            "The search has refit=False, so it has no best_estimator_ to score on the outer test "
            "part. Pass a search with refit=True, or the name of one of its metrics."
        )
    _check_metric(search, several=isinstance(search.scoring, list | tuple | set | dict))


def _check_metric(search, *, several):
    if several and callable(search.refit):
        raise ValueError(
            "The search has several metrics and its refit is a function, so it is not told which "
            "one to judge by. Name one: refit='...'."
        )


def _routed(search, cv, params):
    """Metadata for the fit of the search, and for the outer splits."""
    if not get_config()["enable_metadata_routing"]:
        return params, {"groups": params.get("groups")}
    router = MetadataRouter(owner="nested_score")
    router.add(splitter=cv, method_mapping=MethodMapping().add(caller="fit", callee="split"))
    router.add(search=search, method_mapping=MethodMapping().add(caller="fit", callee="fit"))
    routed = process_routing(router, "fit", **params)
    return routed.search.fit, routed.splitter.split


def _models(search, grid):
    """The searches to compare, by name; the default is one without a choice."""
    if grid is None:
        ours = isinstance(search, HypergradSearchCV)
        grid = plain_grid(search.param_grid, search.estimator) if ours else False
    names = ("scoring", "n_jobs", "cv", "pre_dispatch", "error_score")
    same = {name: getattr(search, name) for name in names}
    # A function that selects rows may not make sense of a single one.
    refit = True if callable(search.refit) else search.refit
    models = {
        "search": search,
        "default": GridSearchCV(search.estimator, {}, refit=refit, **same),
    }
    if grid is not False:
        models["grid"] = GridSearchCV(search.estimator, grid, refit=search.refit, **same)
    return models


def _judged(search, X, y, split, params):
    """Fit a search on an outer training part, and score it on the test part.

    Returns what the score is called and the fields of a NestedScore for this fold.
    """
    train, test = split
    X_train, y_train = safe_split(search.estimator, X, y, train)
    X_test, y_test = safe_split(search.estimator, X, y, test, train)
    started = time.perf_counter()
    search.fit(X_train, y_train, **rows_of_params(X, params, train))
    fit_time = time.perf_counter() - started
    # A function for scoring may return several.
    _check_metric(search, several=search.multimetric_)
    metric = search.refit if search.multimetric_ else "score"
    return _name(search), {
        "scores": _score(search, X_test, y_test, rows_of_params(X, params, test)),
        "best_scores": float(search.cv_results_[f"mean_test_{metric}"][search.best_index_]),
        "best_params": search.best_params_,
        "fit_times": fit_time,
        "n_fits": len(search.cv_results_["params"]) * search.n_splits_ + 1,
    }


def _score(search, X, y, params):
    """The score of the best model by the scorer that decides, weighted as in the search."""
    scorers, _ = search._get_scorers()
    scorer = single_scorer(scorers, search.refit)
    params = dict(search._get_routed_params_for_fit(params).scorer.score)
    if not accepts_sample_weight(scorer):
        params.pop("sample_weight", None)
    arguments = (X,) if y is None else (X, y)
    return float(scorer(search.best_estimator_, *arguments, **params))


def _name(search):
    """What to call the score of a fitted search."""
    if search.multimetric_:
        return search.refit
    name = search.scoring
    return name if isinstance(name, str) else getattr(name, "__name__", "score")


def _column(ones, field):
    values = [one[field] for one in ones]
    return tuple(values) if field == "best_params" else np.array(values)
