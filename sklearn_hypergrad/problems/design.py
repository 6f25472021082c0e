"""The features of a linear model as it multiplies them; X is never copied as a whole."""

import dataclasses

import numpy as np
from scipy.sparse import csr_matrix, issparse

from sklearn_hypergrad.threads import in_threads

# Numbers of X that are worked on together, so that they are read from memory once.
CHUNK = 2**17
# Numbers of X from which on rows are shared out among threads, in this many pieces.
LARGE = 2**18
PIECES = 4
# Features this many times further from zero than they vary are centred, chunk by chunk, or sums
# over them would lose digits.
FAR = 10.0


class Design:
    """Rows ``((x - origin) * scale_s, 1)`` for every split s.

    Weights have shape (n_weights, n_splits, n_outputs), with the intercepts last if there are any;
    these absorb the origin, so that it changes nothing but the rounding. Sparse X have none.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    fit_intercept : bool
    scales : ndarray of shape (n_features, n_splits), default=None
        Factors of the features, where every split has its own; None is one.
    """

    def __init__(self, X, *, fit_intercept, scales=None):
        self._sparse = issparse(X)
        self._X = X.astype(float, copy=False) if self._sparse else X
        self._scales = scales
        self.fit_intercept = fit_intercept
        self.n_features = X.shape[1]
        self.shape = X.shape[0], X.shape[1] + fit_intercept
        self.origin = _origin(X) if fit_intercept and not self._sparse else None
        self._pieces = _pieces(self._X)

    def rescaled(self, w):
        """Weights of the features as they are in X from those of the splits' own, or back.

        The transposed map is the same.
        """
        if self._scales is None:
            return w
        scaled = w.copy()
        scaled[: self.n_features] *= self._scales[:, :, None]
        return scaled

    def sums(self, function):
        """Sums over rows of the arrays in the tuples ``function(rows, part)``.

        A part holds until the next one is asked for; the arrays must be new ones.
        """
        return _added(in_threads(lambda piece: self._sums(function, piece), self._pieces))

    def product(self, w):
        """Predictions of all rows, of shape (n_samples, n_splits, n_outputs)."""
        w = self.rescaled(w)
        z = np.empty((self.shape[0], *w.shape[1:]))

        def fill(rows, part):
            z[rows] = part.product(w)
            return ()

        self.sums(fill)
        return z

    def pull(self, v):
        """The transposed product."""
        (pulled,) = self.sums(lambda rows, part: (part.pull(v[rows]),))
        return self.rescaled(pulled)

    def gram(self, weights, rows):
        """``sum_i weights_i x_i x_i'`` over some rows, before they are scaled."""
        gram = np.zeros((self.shape[1],) * 2)
        root = np.sqrt(weights)[:, None]
        if self._sparse:
            scaled = self._X[rows].multiply(root).tocsr()
            if self.fit_intercept:
                border = scaled.T @ root[:, 0]
                gram[-1, :-1], gram[:-1, -1], gram[-1, -1] = border, border, weights.sum()
            gram[: self.n_features, : self.n_features] = (scaled.T @ scaled).toarray()
            return gram
        size = max(1, CHUNK // self.shape[1])
        buffer = np.ones((min(size, len(rows)), self.shape[1]))
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            scaled = buffer[: len(chunk)]
            self._centred(chunk, scaled[:, : self.n_features])
            scaled[:, self.n_features :] = 1.0
            scaled *= root[start : start + size]
            gram += scaled.T @ scaled
        return gram

    def grams(self, grams):
        """The Gram matrices of scaled rows, from one for each split."""
        if self._scales is None:
            return grams
        scales = np.ones((self._scales.shape[1], self.shape[1]))
        scales[:, : self.n_features] = self._scales.T
        return grams * (scales[:, None, :, None] * scales[:, None, None, :])

    def squares(self, weights):
        """``sum_i weights_i x_ij^2`` for weights of shape (n_samples, n_splits, n_outputs)."""
        (squares,) = self.sums(lambda rows, part: (part.squared().pull(weights[rows]),))
        return self.rescaled(self.rescaled(squares))

    def intercept_at_origin(self, w):
        """Intercepts, of shape (n_splits, n_outputs), as they are for X."""
        if not self.fit_intercept:
            return np.zeros(w.shape[1:])
        if self.origin is None:
            return w[-1]
        return w[-1] - np.tensordot(self.origin, self.rescaled(w)[: self.n_features], 1)

    def _sums(self, function, piece):
        return _added(function(rows, part) for rows, part in self._parts(piece))

    def _parts(self, piece):
        """``(rows, part)`` in turn."""
        if self._sparse:
            yield piece, Part(_rows(self._X, piece), self.fit_intercept)
            return
        size = max(1, CHUNK // max(1, self.n_features))
        buffer = None
        if self.origin is not None or self._X.dtype != np.float64:
            buffer = np.empty((min(size, len(self._X)), self.n_features))
        for start in range(piece.start, piece.stop, size):
            rows = slice(start, min(start + size, piece.stop))
            yield rows, Part(self._centred(rows, buffer), self.fit_intercept)

    def _centred(self, rows, out):
        """Rows of X about the origin, in ``out`` unless X itself will do."""
        X = self._X[rows]
        if out is None:
            return X
        out = out[: len(X)]
        if self.origin is None:
            out[...] = X
        else:
            np.subtract(X, self.origin, out=out)
        return out


@dataclasses.dataclass(frozen=True)
class Part:
    """Some rows of X, and whether a column of ones follows."""

    X: object
    fit_intercept: bool

    def product(self, w):
        """Predictions for these rows."""
        flat = w.reshape(len(w), -1)
        if self.fit_intercept:
            z = self.X @ flat[:-1]
            z += flat[-1]
        else:
            z = self.X @ flat
        return z.reshape(-1, *w.shape[1:])

    def pull(self, v):
        """The transposed product."""
        flat = v.reshape(len(v), -1)
        pulled = self.X.T @ flat
        if self.fit_intercept:
            pulled = np.concatenate([pulled, flat.sum(axis=0)[None]])
        return pulled.reshape(-1, *v.shape[1:])

    def squared(self):
        """The part of squared features."""
        X = self.X.multiply(self.X).tocsr() if issparse(self.X) else self.X**2
        return Part(X, self.fit_intercept)


def _added(terms):
    """Entry by entry, the sums of tuples of arrays."""
    terms = iter(terms)
    total = next(terms)
    for term in terms:
        for a, b in zip(total, term, strict=True):
            np.add(a, b, out=a)
    return total


def _pieces(X):
    """Slices of rows: one for small X, else some that threads may work on."""
    n_samples, n_features = X.shape
    entries = X.nnz if issparse(X) else X.size
    # A piece has to be worth the sums over features that it makes.
    n_pieces = min(PIECES, n_samples, entries // (8 * n_features)) if entries >= LARGE else 1
    n_pieces = max(1, n_pieces)
    ends = np.linspace(0, n_samples, n_pieces + 1).astype(int)
    return [slice(*ends[piece : piece + 2].tolist()) for piece in range(n_pieces)]


def _rows(X, rows):
    """Rows of CSR X that share its memory."""
    if rows == slice(0, X.shape[0]):
        return X
    start, stop = X.indptr[rows.start], X.indptr[rows.stop]
    parts = X.data[start:stop], X.indices[start:stop], X.indptr[rows.start : rows.stop + 1] - start
    return csr_matrix(parts, shape=(rows.stop - rows.start, X.shape[1]))


def _origin(X):
    """The means of the features, or None where these are near zero anyway."""
    mean = X.mean(axis=0, dtype=float)
    size = max(1, CHUNK // max(1, X.shape[1]))
    square = np.zeros(X.shape[1])
    for start in range(0, len(X), size):
        about = X[start : start + size] - mean
        square += np.einsum("ij,ij->j", about, about)
    far = np.abs(mean) > FAR * np.sqrt(square / len(X))
    # A constant feature is as well zero.
    return mean if far.any() else None
