"""How results differ from those that were recorded."""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class Difference:
    """One result that is another one now."""

    what: str
    old: object
    new: object
    size: float

    def __str__(self):
        return f"{self.what}: {self.old!r} -> {self.new!r} (relative {self.size:.1e})"


def differences(old, new, tolerance):
    """Results that differ by more than the tolerance: hyperparameters and scores, of all rows."""
    found = _of_dicts(_params(old), _params(new), tolerance.params, 0.0)
    return found + _of_dicts(_scores(old), _scores(new), tolerance.scores, tolerance.scores)


def notes(old, new):
    """What differs and is no result: how many evaluations there were, and what is said of them."""
    for what in ("n_evaluations", "hypergradient", "stopping_reason"):
        if old[what] != new[what]:
            yield f"{what}: {old[what]!r} -> {new[what]!r}"


def largest(old, new):
    """Largest relative difference of hyperparameters, and of scores."""
    params = _of_dicts(_params(old), _params(new), 0.0, 0.0)
    scores = _of_dicts(_scores(old), _scores(new), 0.0, 0.0)
    return tuple(max((one.size for one in found), default=0.0) for found in (params, scores))


def _params(result):
    return {**result["params"], **result["other"]}


def _scores(result):
    rows = {f"{name} of rows": row for name, row in result["rows"].items()}
    return {"best score": result["score"], **rows}


def _of_dicts(old, new, rtol, atol):
    found = (
        _difference(name, old.get(name), new.get(name), rtol, atol)
        for name in dict.fromkeys((*old, *new))
    )
    return [difference for difference in found if difference is not None]


def _difference(what, old, new, rtol, atol):
    """The largest difference of a number, list or text, or None if all are close enough."""
    if old == new:
        return None
    try:
        before, after = (np.asarray(value, dtype=float) for value in (old, new))
    except (TypeError, ValueError):
        return Difference(what, old, new, math.inf)
    if before.shape != after.shape:
        return Difference(what, old, new, math.inf)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    size = np.where(same, 0.0, _relative(before, after))
    size = np.where(np.isnan(size), np.inf, size)
    wrong = ~same & ~(size <= rtol) & ~(np.abs(before - after) <= atol)
    if not wrong.any():
        return None
    worst = int(np.argmax(np.where(wrong, size, -1.0)))
    where = f"[{worst}]" if before.ndim else ""
    values = (float(part.flat[worst]) for part in (before, after))
    return Difference(what + where, *values, float(size.flat[worst]))


def _relative(before, after):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(after - before) / np.maximum(np.abs(before), np.abs(after))
