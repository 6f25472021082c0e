"""Real fits on the splits of a search, between the values that it has evaluated."""

import numpy as np
from sklearn.model_selection import cross_val_score

from sklearn_hypergrad.inspection.interval import fine_curve
from sklearn_hypergrad.inspection.measures import measure_for
from sklearn_hypergrad.spaces.space import TRANSFORMS

# Relative difference between losses of one model that its solver may leave.
SOLVED = 1e-3
# Ends of the interval are known to this share of the range, after so many rounds at most.
SHARP, ROUNDS = 5e-4, 8


def filled(look, span, steps, data, more):
    """The points of a curve with real fits between them, and at the ends of its interval.

    Parameters
    ----------
    look : SearchedCandidate
    span : Range
    steps : Steps
    data : dict
        Points that the search has evaluated: "values", "split_losses", "slopes", "fitted", "label".
    more : tuple
        X, y and into how many parts the range is divided.

    Returns
    -------
    data : dict
        All points are fits where losses of fits are others than those of the search: where the
        score is not what was followed, or the fits of the estimator are not converged.

    Raises
    ------
    ValueError
        If the fits of the search cannot be repeated with these X and y.
    """
    X, y, n_points = more
    _check_repeatable(look, X, y)
    measure = measure_for(look.search, look.asked.final, followed=steps.loss)

    def fit(value):
        return _losses(look, {span.key: float(value)}, measure, X, y)

    transform = TRANSFORMS[look.scale(span)]
    theta = transform.to_theta(data["values"])
    wanted = np.linspace(theta[0], theta[-1], n_points + 1)
    if measure.name == steps.loss and steps.shown == "cv" and _agrees(data, fit):
        half = (theta[-1] - theta[0]) / n_points / 2
        wanted = np.array([t for t in wanted if np.abs(theta - t).min() > half])
    else:
        nothing = {name: data[name][:0] for name in ("values", "slopes", "fitted")}
        none = np.empty((0, look.search.n_splits_))
        data = {**nothing, "split_losses": none, "label": f"cross-validated {measure.label}"}
    joined = _joined(data, transform.to_constrained(wanted), fit)
    return _sharpened(joined, transform, fit, look.overlap("cv"))


def _sharpened(data, transform, fit, overlap):
    """The points, with more of them where the interval ends, until these ends stay."""
    if data["split_losses"].shape[1] == 1:
        return data
    for _ in range(ROUNDS):
        theta = transform.to_theta(data["values"])
        ends = fine_curve(theta, data["split_losses"], data["slopes"], overlap).ends
        near = SHARP * (theta[-1] - theta[0])
        new = [end for end in np.unique(ends) if np.abs(theta - end).min() > near]
        if not new:
            break
        data = _joined(data, transform.to_constrained(np.array(new)), fit)
    return data


def _joined(data, values, fit):
    """The points and fits at more values, in increasing order."""
    unknown = np.full(len(values), np.nan)
    losses = np.array([fit(value) for value in values])
    new = {
        "values": values,
        "split_losses": losses.reshape(len(values), data["split_losses"].shape[1]),
        "slopes": unknown,
        "fitted": np.ones(len(values), dtype=bool),
    }
    order = np.argsort(np.concatenate([data["values"], values]))
    joined = {name: np.concatenate([data[name], part])[order] for name, part in new.items()}
    return {**joined, "label": data["label"]}


def _losses(look, settings, measure, X, y):
    """Losses of real fits on the splits of the search's cv."""
    estimator = look.estimator(settings)
    return measure.offset - cross_val_score(
        estimator, X, y, cv=look.search.cv, scoring=measure.scorer
    )


def _agrees(data, fit):
    """Whether a fit has the losses that the search has recorded at its best value."""
    best = int(np.argmin(data["split_losses"].mean(axis=1)))
    return _same(fit(data["values"][best]), data["split_losses"][best])


def _same(one, other):
    if one.shape != other.shape:
        return False
    return bool(np.all(np.abs(one - other) <= SOLVED * np.mean(np.abs(other))))


def _check_repeatable(look, X, y):
    """Raise ValueError if a row of ``cv_results_`` has other scores when it is fitted again.

    Points of two curves would make one that is neither.
    """
    search, number = look.search, look.number
    measure = measure_for(search, look.asked.final)
    metric = search.refit if search.multimetric_ else "score"
    names = [f"split{split}_test_{metric}" for split in range(search.n_splits_)]
    recorded = measure.offset - np.array([search.cv_results_[name][number] for name in names])
    again = _losses(look, search.cv_results_["params"][number], measure, X, y)
    if _same(again, recorded):
        return
    raise ValueError(
        f"The fits of this search cannot be repeated with these X and y: the splits of row "
        f"{number} of cv_results_ have the losses {_numbers(recorded)} ({measure.label}), and "
        f"{_numbers(again)} when it is fitted again. Points of both would make a curve that is "
        f"neither. Pass the X and y of the fit; give a cv that shuffles, and an estimator that "
        f"draws random numbers, a random_state, and fit the search again. Of a search with "
        f"sample_weight, groups or other metadata only the evaluations can be drawn: leave out X "
        f"and y."
    )


def _numbers(losses):
    return ", ".join(f"{loss:.4g}" for loss in losses)
