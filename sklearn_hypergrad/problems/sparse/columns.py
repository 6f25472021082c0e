"""Hessians of linear models between some of their weights, from columns of the design alone."""

import itertools

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
        curvature : ndarray of shape (n_splits, n_outputs, n_outputs, n_samples)
            Second derivatives of the losses in the predictions of two outputs.

        Returns
        -------
        ndarray of shape (n_splits, n_chosen, n_chosen)
        """
        outputs, numbers = np.nonzero(chosen.T)
        rows, ends = self._of(numbers), np.searchsorted(outputs, np.arange(chosen.shape[1] + 1))
        found = np.empty((len(splits), len(numbers), len(numbers)))
        for output, (start, end) in enumerate(itertools.pairwise(ends)):
            block = _products(rows[:end], curvature[:, output], outputs[:end], rows[start:end])
            found[:, :end, start:end] = block
            found[:, start:end, :end] = block.transpose(0, 2, 1)
        if self._scales is None:
            return found
        scales = np.ones((self._rows.shape[0], len(splits)))
        scales[: len(self._scales)] = self._scales[:, splits]
        scales = scales[numbers].T
        return found * scales[:, :, None] * scales[:, None, :]

    def _of(self, numbers):
        found = self._rows[numbers]
        small = issparse(found) and np.prod(found.shape) <= MOST_NUMBERS
        return found.toarray() if small else found


def _products(left, weights, outputs, right):
    """``sum_i weights_i left_i right_i'`` of columns i, for every split.

    Weights have the shape (n_splits, n_outputs, n_columns); every row of ``left`` has those of its
    output.
    """
    if issparse(left):
        return np.array([(_weighted(left, own, outputs) @ right.T).toarray() for own in weights])
    if len(weights) * left.size > MOST_NUMBERS:
        return np.array([(left * own[outputs]) @ right.T for own in weights])
    return (left * weights[:, outputs]) @ right.T


def _weighted(rows, weights, outputs):
    """CSR rows times the weights of their outputs."""
    of_entries = np.repeat(outputs, np.diff(rows.indptr))
    data = rows.data * weights[of_entries, rows.indices]
    return csr_array((data, rows.indices, rows.indptr), shape=rows.shape)
