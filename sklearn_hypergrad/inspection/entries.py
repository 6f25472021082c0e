"""The entries of a vector of penalties: their names, their pool, and how they differ from it."""

import numpy as np

from sklearn_hypergrad.spaces import MOST_DEVIATION

# Entries closer than the first to the pool, in theta, count as in it; those farther than the second
# have reached the largest deviation. Reason: rounding of logarithms.
NOTHING, FARTHEST = 1e-9, MOST_DEVIATION - 1e-6
POOLED = "pooled", "flat"
# What has a penalty of its own for each class or target.
OF_OUTPUTS = ("coefficient", ("feature", "target"), ("group", "target"))


def vector_of(look, name=None):
    """The range of the penalty that has several values.

    Parameters
    ----------
    look : SearchedCandidate
    name : str, default=None
        None is the first one that regularises.

    Raises
    ------
    ValueError
        If there is none, or the named one has one value.
    """
    if name is not None:
        spans = [look.range_of(name)]
    else:
        spans = [s for s in look.asked.ranges if look.hyperparameter(s).regularizes]
    for span in spans:
        if look.labels(span) != [""]:
            return span
    what = name or ", ".join(look.names)
    raise ValueError(
        f"There is no vector of penalties to draw: {what} has one value, or is no penalty. Search "
        f"one with Continuous(per='feature'), or draw CurveDisplay or PathsDisplay."
    )


def names_of(look, span, feature_names=None):
    """``(names, outputs)``: of all entries, and of classes or targets with entries of their own.

    Raises
    ------
    ValueError
        If there are not as many ``feature_names`` as features.
    """
    labels, per = look.labels(span), span.continuous.per
    outputs = [""]
    if per in OF_OUTPUTS:
        outputs, per = _outputs(look, span), per if per == "coefficient" else per[0]
    if feature_names is None:
        # Names of a coefficient are "output, feature" where there are several outputs.
        pieces = [label.split(", ", 1)[-1] if len(outputs) > 1 else label for label in labels]
        names = [_with_kind(piece, per) for piece in pieces]
    else:
        names = _given(feature_names, len(labels) // len(outputs), per) * len(outputs)
    if len(outputs) > 1:
        repeated = np.repeat(outputs, len(names) // len(outputs))
        names = [f"{name}, {output}" for name, output in zip(names, repeated, strict=True)]
    return names, outputs


def pool_of(strengths, look, span):
    """The strength that the pool shares, or None if there is no pool."""
    shrinkage = look.search.shrinkage
    if shrinkage == "auto":
        shrinkage = look.hyperparameter(span).shrinkage
    if not shrinkage:
        return None
    pooled = [s in POOLED for s in look.column(span, "status")]
    if any(pooled):
        return float(strengths[pooled][0])
    # What ``selection`` has moved keeps its differences, so the pool is still one value.
    values, counts = np.unique(strengths, return_counts=True)
    return float(values[np.argmax(counts)]) if counts.max() > 1 else None


def kind_of(ratio):
    """What an entry is, from the logarithm of its strength relative to the pool."""
    if abs(ratio) <= NOTHING:
        return "pooled"
    if abs(ratio) >= FARTHEST:
        return "dropped" if ratio > 0 else "unpenalised"
    return "above" if ratio > 0 else "below"


def _outputs(look, span):
    """Names of classes or targets, [""] for one."""
    shape = look.value(span).shape
    if len(shape) != 2 or shape[0] == 1:
        return [""]
    classes = getattr(look.search, "classes_", ())
    if len(classes) == shape[0]:
        return [f"class {label}" for label in classes]
    return [f"target {index}" for index in range(shape[0])]


def _with_kind(label, per):
    """A label that is only a number, with what it counts."""
    if per == "group" and label == "None":
        return "(all others)"
    if isinstance(per, tuple):
        parts = zip(per, label.split(", "), strict=True)
        return ", ".join(f"{what} {part}" for what, part in parts)
    what = {"coefficient": "feature", "transformer": ""}.get(per, per)
    return f"{what} {label}".strip() if label.isdigit() else label


def _given(feature_names, n_features, per):
    if per not in ("feature", "coefficient") or len(feature_names) != n_features:
        raise ValueError(
            f"feature_names has {len(feature_names)} names, and there are {n_features} penalties "
            f"per {per}. Give one name for each feature that enters the final step."
        )
    return [str(name) for name in feature_names]
