"""Hessians of linear models between some of their weights, from columns of the design alone."""

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

# Largest number of entries of dense columns, and of columns times the curvatures of several splits:
# 32 MB each. Chosen by hand: small data are multiplied for all splits at once, which takes a call.
MOST_NUMBERS = 2**22


class Columns:
    """The columns of ``((x - origin) * scale_s, 1)`` for every split s.

    Parameters
    ----------
    design : Design
        It tells the origin and the scales.
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        The X of the design.
    """

    def __init__(self, design, X):
        self._scales, ones = design.scales, np.ones((int(design.fit_intercept), design.shape[0]))
        if issparse(X):
            self._rows = csr_array(vstack([X.T, ones]).tocsr().astype(float, copy=False))
        else:
            shifted = X if design.origin is None else X - design.origin
            self._rows = np.concatenate([shifted.T, ones])

    def hessians(self, chosen, splits, curvature):
        """Hessians between chosen weights, which are ordered by output and then by number.

        Parameters
        ----------
        chosen : ndarray of bool of shape (n_weights, n_outputs)
        splits : ndarray of int
            Of which splits.
        curvature : callable
            ``curvature(output)`` of shape (n_splits, n_outputs, n_samples): second derivatives of
            the losses in the predictions of one output and of each.

        Returns
        -------
        ndarray of shape (n_splits, n_chosen, n_chosen)
        """
        numbers = [np.flatnonzero(own) for own in chosen.T]
        parts = [self._of(own) for own in numbers]
        ends = np.cumsum([0, *map(len, numbers)])
        places = [slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True)]
        found = None
        for output, place in enumerate(places):
            weights = curvature(output)
            if found is None:
                found = np.empty((len(weights), ends[-1], ends[-1]))
            for other in range(output + 1):
                block = _products(parts[other], weights[:, other], parts[output])
                found[:, places[other], place] = block
                found[:, place, places[other]] = block.transpose(0, 2, 1)
        if self._scales is None:
            return found
        scales = np.ones((self._rows.shape[0], len(splits)))
        scales[: len(self._scales)] = self._scales[:, splits]
        scales = scales[np.concatenate(numbers)].T
        return found * scales[:, :, None] * scales[:, None, :]

    def _of(self, numbers):
        found = self._rows if len(numbers) == self._rows.shape[0] else self._rows[numbers]
        small = issparse(found) and np.prod(found.shape) <= MOST_NUMBERS
        return found.toarray() if small else found


def _products(left, weights, right):
    """``sum_i weights_si left_i right_i'`` of columns i, for every row s of weights."""
    if issparse(left) or issparse(right):
        return np.array([(left * weight @ right.T).toarray() for weight in weights])
    if len(weights) * left.size > MOST_NUMBERS:
        return np.array([(left * weight) @ right.T for weight in weights])
    return (left * weights[:, None, :]) @ right.T
