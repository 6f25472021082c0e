"""The features that a search has left at a status, such as those that were dropped."""

import numpy as np

from sklearn_hypergrad.wording import suggestion

# What ``get_features`` may be asked for, and the statuses of these features.
STATUSES = {
    "apart": ("below pool", "above pool", "unpenalised", "dropped"),
    "pooled": ("pooled", "flat"),
    "dropped": ("dropped",),
    "unpenalised": ("unpenalised",),
    "below pool": ("below pool", "unpenalised"),
    "above pool": ("above pool", "dropped"),
}


def of_status(features, status, *, indices):
    """Names of features, or their positions where they have none or these are asked for.

    Parameters
    ----------
    features : tuple or None
        Names of the features or None, and an array of their statuses of shape (n_features,
        n_values); None if there is no value per feature.
    status : str
        "kept" or one of STATUSES.
    indices : bool

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If ``status`` is another word, or ``features`` is None.
    """
    if status not in ("kept", *STATUSES):
        names = ["kept", *STATUSES]
        raise ValueError(
            f"status must be one of {names}, got {status!r}.{suggestion(status, names)}"
        )
    if features is None:
        raise ValueError(
            "The best row has no value per feature. Search one with Continuous(per='feature') "
            "for a class of sklearn_hypergrad.linear_model, kernel_ridge or svm."
        )
    names, statuses = features
    found = np.isin(statuses, STATUSES["dropped" if status == "kept" else status])
    every = status in ("kept", "dropped", "pooled")
    mask = found.all(axis=1) if every else found.any(axis=1)
    places = np.flatnonzero(~mask if status == "kept" else mask)
    return places if indices or names is None else np.asarray(names, dtype=object)[places]
