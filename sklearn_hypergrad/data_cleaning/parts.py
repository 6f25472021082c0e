"""Which rows are weighted and which are clean."""

import dataclasses

import numpy as np
from scipy.sparse import issparse
from scipy.sparse import vstack as sparse_vstack
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import unique_labels


@dataclasses.dataclass(frozen=True)
class Parts:
    """Data in two parts.

    Attributes
    ----------
    X : ndarray or CSR matrix of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)
    weighted : ndarray of int
        Rows whose labels may be wrong.
    clean : ndarray of int
        The others.
    """

    X: object
    y: np.ndarray
    weighted: np.ndarray
    clean: np.ndarray

    def __post_init__(self):
        known = np.isin(self.y[self.weighted], self.y[self.clean])
        if not known.all():
            missing = unique_labels(self.y[self.weighted][~known]).tolist()
            raise ValueError(
                f"There are no clean rows of class {', '.join(map(str, missing))}, so that nothing "
                f"speaks for any row with such a label. Give clean rows of every class in y."
            )


def joined(X, y, X_clean, y_clean):
    """Parts of two data sets, the weighted one first."""
    # Refuses numbers beside strings, which would become strings.
    unique_labels(y, y_clean)
    both = X, X_clean
    sparse = any(map(issparse, both))
    rows = np.arange(len(y) + len(y_clean))
    return Parts(
        X=sparse_vstack(both, format="csr") if sparse else np.concatenate(both),
        y=np.concatenate([y, y_clean]),
        weighted=rows[: len(y)],
        clean=rows[len(y) :],
    )


def divided(X, y, cv):
    """Parts of one data set, as the only split of ``cv`` has it."""
    splits = list(check_cv(cv, y, classifier=True).split(X, y))
    if len(splits) != 1:
        raise ValueError(
            f"cv has {len(splits)} splits, but must have exactly one, whose test rows are the "
            f"clean ones: in several splits the weight of a row would be tuned on that very row. "
            f"Use PredefinedSplit, with 0 for clean rows and -1 for the others."
        )
    weighted, clean = map(np.asarray, splits[0])
    if not len(weighted):
        raise ValueError("All rows are clean: the split of cv has no training rows to be weighted.")
    rows = np.concatenate([weighted, clean])
    if not np.array_equal(np.sort(rows), np.arange(len(y))):
        raise ValueError(
            f"The split of cv must have each of the {len(y)} rows once, either as a training row "
            f"or as a test row, which are the clean ones; it has {len(np.unique(rows))} different "
            f"rows in {len(rows)} places. Drop rows that are in neither part before."
        )
    return Parts(X, y, weighted, clean)
