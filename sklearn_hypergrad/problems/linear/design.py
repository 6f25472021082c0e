"""The design matrix of a linear model: products with centred, scaled X without a copy of X."""

import dataclasses

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix, issparse

from sklearn_hypergrad.problems.split_data import as_slice, canonical, chunks

# Entries of X in a chunk of rows. Chosen by hand: a dense chunk of 1 MiB stays in the cache, so
# that X is read from memory once for several operations; a sparse chunk is larger, since only
# arrays with a few numbers per row have to stay small.
CHUNK = 2**17
SPARSE_CHUNK = 2**20
# Ratio of mean to standard deviation of a feature above which features are centred, chunk by chunk.
# Chosen by hand: below it sums of squares about the mean lose at most two digits, and centring
# costs a pass over the chunk.
FAR = 10.0


class Design:
    """The design matrix with rows ``((x - origin) * scale_s, 1)`` for every split s.

    Weights have shape (n_weights, n_splits, n_outputs), with the intercepts last if there are any.
    Intercepts absorb the origin, so that it only affects rounding. Sparse X have no origin.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, n_features)
    fit_intercept : bool
    scales : ndarray of shape (n_features, n_splits), default=None
        Factors of the features of each split; None is one.

    Attributes
    ----------
    shape : (int, int)
        Numbers of samples and of weights, intercept included.
    origin : ndarray of shape (n_features,) or None
        The origin of the features; None is zero.
    scales : ndarray of shape (n_features, n_splits) or None
    size : int
        Number of stored entries of X.
    """

    def __init__(self, X, *, fit_intercept, scales=None):
        self._sparse = issparse(X)
        self._X = canonical(X.astype(float, copy=False)) if self._sparse else X
        self.scales = scales
        self.fit_intercept = fit_intercept
        self.n_features, self.size = X.shape[1], self._X.nnz if self._sparse else X.size
        self.shape = X.shape[0], X.shape[1] + fit_intercept
        self.origin = _origin(X) if fit_intercept and not self._sparse else None
        # Rows that are used as they are in memory.
        self._views = list(self._cut() if self._sparse else self._cut_dense())

    def rescaled(self, w):
        """Weights of the features of X from those of the scaled features of each split.

        The map is diagonal, so it is its own transpose.
        """
        if self.scales is None:
            return w
        scaled = w.copy()
        scaled[: self.n_features] *= self.scales[:, :, None]
        return scaled

    def sums(self, function):
        """Sums over rows of the arrays in the tuples ``function(rows, part)``.

        A part is valid until the next one is made; ``function`` must return new arrays.
        """
        total = None
        for rows, part in self._parts():
            terms = function(rows, part)
            if total is None:
                total = terms
                continue
            for a, b in zip(total, terms, strict=True):
                np.add(a, b, out=a)
        return total

    def product(self, w):
        """Predictions of all rows, of shape (n_samples, n_splits, n_outputs)."""
        w = self.rescaled(w)
        z = np.empty((self.shape[0], *w.shape[1:]))
        for rows, part in self._parts():
            z[rows] = part.product(w)
        return z

    def pull(self, v):
        """The transposed product, of the shape of weights."""
        (pulled,) = self.sums(lambda rows, part: (part.pull(v[rows]),))
        return self.rescaled(pulled)

    def gram(self, weights, rows):
        """``sum_i weights_i x_i x_i'`` over some rows, without the scales of splits."""
        gram = np.zeros((self.shape[1],) * 2)
        root = np.sqrt(weights)[:, None]
        if self._sparse:
            scaled = self._X[rows]
            scaled.data *= np.repeat(root[:, 0], np.diff(scaled.indptr))
            if self.fit_intercept:
                border = scaled.T @ root[:, 0]
                gram[-1, :-1], gram[:-1, -1], gram[-1, -1] = border, border, weights.sum()
            gram[: self.n_features, : self.n_features] = (scaled.T @ scaled).toarray()
            return gram
        pieces = chunks(len(rows), self.shape[1], CHUNK)
        buffer = np.empty((pieces[0].stop, self.shape[1]))
        for chunk in pieces:
            scaled = buffer[: len(rows[chunk])]
            X, features = self._X[as_slice(rows[chunk])], scaled[:, : self.n_features]
            if self.origin is None:
                np.multiply(X, root[chunk], out=features)
            else:
                np.subtract(X, self.origin, out=features)
                features *= root[chunk]
            scaled[:, self.n_features :] = root[chunk]
            gram += scaled.T @ scaled
        return gram

    def kernels(self, factors, rows):
        """Yield ``X diag(factors) X'`` of some rows for every split, without intercepts.

        Parameters
        ----------
        factors : ndarray of shape (n_features,)
        rows : list of ndarray of int
            Rows of each split.
        """
        root = np.sqrt(factors)
        whole = self._kernel(root) if self.scales is None else None
        for split, own in enumerate(rows):
            if whole is None:
                yield self._kernel(root * self.scales[:, split], own)
            else:
                yield whole[np.ix_(own, own)]

    def _kernel(self, root, rows=slice(None)):
        X = self._X[rows]
        if self._sparse:
            scaled = X.multiply(root).tocsr()
            return (scaled @ scaled.T).toarray()
        scaled = (X if self.origin is None else X - self.origin) * root
        return scaled @ scaled.T

    def grams(self, grams):
        """Gram matrices of scaled rows, from those of rows without scales, for every split."""
        if self.scales is None:
            return grams
        scales = np.ones((self.scales.shape[1], self.shape[1]))
        scales[:, : self.n_features] = self.scales.T
        return grams * (scales[:, None, :, None] * scales[:, None, None, :])

    def squares(self, weights):
        """``sum_i weights_i x_ij^2`` for weights of shape (n_samples, n_splits, n_outputs)."""
        (squares,) = self.sums(lambda rows, part: (part.squared().pull(weights[rows]),))
        return self.rescaled(self.rescaled(squares))

    def spreads(self, weights):
        """Weighted sums of squares of the features, about their means if there is an intercept."""
        squares = self.squares(weights)
        if not self.fit_intercept:
            return squares
        sums = self.pull(weights)
        return (squares - sums**2 / sums[-1])[:-1]

    def intercept_at_origin(self, w):
        """Intercepts for X itself, not centred, of shape (n_splits, n_outputs)."""
        if not self.fit_intercept:
            return np.zeros(w.shape[1:])
        if self.origin is None:
            return w[-1]
        return w[-1] - np.tensordot(self.origin, self.rescaled(w)[: self.n_features], 1)

    def _parts(self):
        """Yield ``(rows, part)``: slices of rows, and their Part."""
        if self._views:
            yield from self._views
            return
        pieces = chunks(*self._X.shape, CHUNK)
        buffer = np.empty((pieces[0].stop, self.n_features))
        for rows in pieces:
            chunk = self._centred(rows, buffer)
            yield rows, Part(chunk, self.fit_intercept, chunk.T)

    def _cut_dense(self):
        """Yield the parts of dense X that is neither centred nor converted."""
        if self.origin is None and self._X.dtype == np.float64:
            for rows in chunks(*self._X.shape, CHUNK):
                chunk = self._X[rows]
                yield rows, Part(chunk, self.fit_intercept, chunk.T)

    def _cut(self):
        """Yield the parts of sparse X; they share its memory."""
        n_chunks = max(1, min(self.shape[0], self._X.nnz // SPARSE_CHUNK))
        ends = np.linspace(0, self.shape[0], n_chunks + 1).astype(int)
        for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            first, last = self._X.indptr[[start, stop]]
            arrays = self._X.data[first:last], self._X.indices[first:last]
            arrays = *arrays, self._X.indptr[start : stop + 1] - first
            yield slice(start, stop), Part.sparse(arrays, self.n_features, self.fit_intercept)

    def _centred(self, rows, out):
        """Rows of X minus the origin, written to ``out``."""
        X = self._X[rows]
        out = out[: len(X)]
        if self.origin is None:
            out[...] = X
        else:
            np.subtract(X, self.origin, out=out)
        return out


@dataclasses.dataclass(frozen=True)
class Part:
    """Some rows of X, whether a column of ones follows, and their transpose."""

    X: object
    fit_intercept: bool
    transposed: object

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
        pulled = self.transposed @ flat
        if self.fit_intercept:
            # NumPy's own sum over rows of a few numbers takes as long as the product.
            pulled = np.concatenate([pulled, np.ones((1, len(flat))) @ flat])
        return pulled.reshape(-1, *v.shape[1:])

    @classmethod
    def sparse(cls, arrays, n_features, fit_intercept):
        """The Part with these CSR arrays: data, indices and indptr."""
        n_rows = len(arrays[2]) - 1
        X = _view(csr_matrix, (n_rows, n_features), arrays)
        return cls(X, fit_intercept, _view(csc_matrix, (n_features, n_rows), arrays))

    def squared(self):
        """The Part with squared features."""
        if issparse(self.X):
            arrays = self.X.data**2, self.X.indices, self.X.indptr
            return Part.sparse(arrays, self.X.shape[1], self.fit_intercept)
        X = self.X**2
        return Part(X, self.fit_intercept, X.T)


def _view(kind, shape, arrays):
    """A sparse matrix on these arrays; SciPy's constructors copy parts of larger ones."""
    matrix = kind(shape)
    matrix.data, matrix.indices, matrix.indptr = arrays
    return matrix


def _origin(X):
    """The means of the features; None if no mean is far from zero. Constant features are far."""
    mean = X.mean(axis=0, dtype=float)
    square = np.zeros(X.shape[1])
    for rows in chunks(*X.shape, CHUNK):
        about = X[rows] - mean
        square += np.einsum("ij,ij->j", about, about)
    far = np.abs(mean) > FAR * np.sqrt(square / len(X))
    return mean if far.any() else None
