"""What is kept of a fitted search, as plain numbers and text for JSON."""

import numbers

import numpy as np

LONGEST = 50


def of_search(search):
    """Results and account of a HypergradSearchCV."""
    scores = {
        name.removeprefix("mean_test_"): plain(column)
        for name, column in search.cv_results_.items()
        if name.startswith("mean_test_")
    }
    rows = {
        f"row {number}, {name}": value
        for number, params in enumerate(search.cv_results_["params"])
        if number != getattr(search, "best_index_", None)
        for name, value in flattened(params).items()
    }
    history = getattr(search, "history_", None)
    return {
        "params": flattened(search.best_params_) if hasattr(search, "best_params_") else {},
        "other": rows | _more(search),
        "score": plain(search.best_score_) if hasattr(search, "best_score_") else None,
        "rows": scores,
        "n_evaluations": None if history is None else len(history["loss"]),
        "hypergradient": search.hypergradient_,
        "stopping_reason": getattr(search, "stopping_reason_", None),
    }


def _more(search):
    """What a guard found, and degrees of freedom, where there are such."""
    more = {}
    if getattr(search, "guard_", None) is not None:
        more |= {"guard, kept": search.guard_.kept, "guard, difference": search.guard_.difference}
    if getattr(search, "effective_dof_", None) is not None:
        more["effective dof"] = search.effective_dof_
    return flattened(more)


def of_cleaner(cleaner):
    """Results and account of a DataCleaner: its weights are the hyperparameters."""
    flagged = np.flatnonzero(cleaner.flagged_)
    return {
        "params": flattened({"sample_weight": cleaner.sample_weight_, "flagged": flagged}),
        "other": {},
        "score": -float(min(cleaner.loss_curve_)),
        "rows": {"loss": plain(cleaner.loss_curve_)},
        "n_evaluations": cleaner.n_iter_,
        "hypergradient": None,
        "stopping_reason": None,
    }


def flattened(params):
    """``{name: number, list of numbers or text}``; dicts are taken apart."""
    flat = {}
    for name, value in params.items():
        if isinstance(value, dict):
            flat |= flattened({f"{name}[{key}]": part for key, part in value.items()})
        else:
            flat |= {f"{name}{end}": part for end, part in parts(value).items()}
    return flat


def parts(value):
    """A value under the ends of its name: as it is, or thinned out if it is long."""
    if not _is_numeric(value):
        return {"": str(value)}
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        return {"": float(array)}
    rest = {".shape": list(array.shape)} if array.ndim > 1 else {}
    if array.size <= LONGEST:
        return {"": plain(array), **rest}
    chosen = np.linspace(0, array.size - 1, LONGEST).round().astype(int)
    return {
        ".some": plain(array.ravel()[chosen]),
        ".sum": float(array.sum()),
        ".shape": list(array.shape),
    }


def plain(value):
    """A number, or a list of numbers."""
    array = np.asarray(value, dtype=float)
    return float(array) if array.ndim == 0 else array.ravel().tolist()


def _is_numeric(value):
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, numbers.Real):
        return True
    try:
        return isinstance(value, list | tuple | np.ndarray) and np.asarray(value).dtype.kind in "if"
    except ValueError:
        return False
