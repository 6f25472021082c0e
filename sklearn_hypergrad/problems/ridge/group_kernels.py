"""Ridge regression of many targets, each with a penalty per group of features, in their rows."""

import numpy as np
from scipy.linalg.lapack import dpotrf

from sklearn_hypergrad.linalg import distinct_columns, factor, solve_factored
from sklearn_hypergrad.threads import cached_property

# Largest number of entries of the kernels that are formed at once, of several targets. Chosen by
# hand: 2**20 doubles are 8 MiB.
MOST_AT_ONCE = 2**20
# Largest number of entries of the kernels of all groups and splits that are kept, and of the
# factors of all targets of a split. Chosen by hand: 0.5 GB each. More are computed where needed.
MOST_KEPT = 2**26
# Largest number of groups. Chosen by hand: with more, products with the kernels of groups take
# longer than the factors.
MOST_GROUPS = 16


# Derivation. With the kernels C_g = Z_g Z_g' of the weighted and centred training rows of a split,
# B_g = (x - mean)_g Z_g' of its held-out rows, and c_g = 1 / strength_g, a target t has the dual
# coefficients and predictions
#     a = M^-1 t,    z = sum_g c_g B_g a,    M = I + sum_g c_g C_g,
# so that the derivative of <v, z> is
#     d <v, z> / dc_g = <v, B_g a> - <b, C_g a>    with    b = M^-1 sum_g c_g B_g' v.
# No product with X is needed. The kernels M of several targets are one product of matrices.
class GroupKernels:
    """Predictions of held-out rows for all targets, split by split, and their pullback.

    Parameters
    ----------
    kernels : ndarray of shape (n_groups, n_samples, n_samples)
        ``X_g X_g'`` of the features of every group, about any origin.
    rows : TrainingRows
    targets : ndarray of shape (n_samples, n_splits, n_outputs)
        Weighted and centred targets of the training rows.
    means : ndarray of shape (n_splits, n_outputs)
        Training means of the targets.
    tests : list of ndarray of int
        Held-out rows of every split.
    """

    def __init__(self, kernels, rows, targets, means, tests):
        self._kernels, self._rows, self._tests = kernels, rows, tests
        self._targets, self._means = targets, means

    def split_by_split(self, strengths):
        """Yield, for every split, predictions of its held-out rows and their pullback.

        Parameters
        ----------
        strengths : ndarray of shape (n_groups, n_outputs)

        Yields
        ------
        z : ndarray of shape (n_held_out, n_outputs)
        pullback : callable
            From a gradient like ``z`` to that in the strengths. It is to be called before the next
            split.
        """
        columns, own = distinct_columns(1 / strengths)
        # Targets with equal penalties stand beside each other.
        order, ends = np.concatenate(own), np.cumsum([len(each) for each in own])
        for split in range(len(self._tests)):
            z, pullback = self._of_split(split, columns, ends, order)
            yield z, lambda v, pull=pullback: -pull(v) / strengths**2

    def _of_split(self, split, columns, ends, order):
        within, across = self._of(split)
        systems, back = Systems(within, columns, ends), np.argsort(order)
        shares = np.repeat(columns, np.diff(ends, prepend=0), axis=1)
        a = systems.solve(self._targets[self._rows.numbers[split], split][:, order])
        parts = _products(across, a)
        z = np.einsum("gk,gvk->vk", shares, parts)[:, back] + self._means[split]

        def pullback(v):
            v = v[:, order]
            pulled = _products(across.transpose(0, 2, 1), v)
            b = systems.solve(np.einsum("gk,gik->ik", shares, pulled))
            slopes = np.einsum("vk,gvk->gk", v, parts)
            slopes -= np.einsum("ik,gik->gk", b, _products(within, a))
            return slopes[:, back]

        return z, pullback

    def _of(self, split):
        """``(C, B)`` of a split, each of shape (n_groups, n_rows, n_train)."""
        return self._kept[split] if self._kept is not None else self._cut(split)

    @cached_property
    def _kept(self):
        pairs = zip(self._rows.numbers, self._tests, strict=True)
        size = sum(len(train) * (len(train) + len(test)) for train, test in pairs)
        if len(self._kernels) * size > MOST_KEPT:
            return None
        return [self._cut(split) for split in range(len(self._tests))]

    def _cut(self, split):
        rows, test = self._rows.numbers[split], self._tests[split]
        average, root = self._rows.average[rows, split], self._rows.root[rows, split]
        within = np.stack([self._rows.kernel(split, K[np.ix_(rows, rows)]) for K in self._kernels])
        across = np.empty((len(within), len(test), len(rows)))
        for K, part in zip(self._kernels, across, strict=True):
            cross = average @ K[np.ix_(rows, rows)]
            part[:] = K[np.ix_(test, rows)]
            part -= (part @ average)[:, None]
            part -= cross - cross @ average
            part *= root
        return within, across


class Systems:
    """Systems ``I + sum_g c_g C_g``, of which each has some of the targets.

    Parameters
    ----------
    kernels : ndarray of shape (n_groups, n, n)
        The C_g.
    columns : ndarray of shape (n_groups, n_systems)
        The c_g.
    ends : ndarray of int of shape (n_systems,)
        Where the targets of each system end.
    """

    def __init__(self, kernels, columns, ends):
        self._kernels, self._columns, self._ends = kernels, columns, ends
        size = columns.shape[1] * kernels[0].size
        self._kept = [*self._triangles()] if size <= MOST_KEPT else None

    def solve(self, right):
        """Solutions for the targets of shape (n, n_outputs), system after system."""
        solution, start = np.empty_like(right), 0
        triangles = self._triangles() if self._kept is None else self._kept
        for triangle, end in zip(triangles, self._ends, strict=True):
            solution[:, start:end] = solve_factored(triangle, right[:, start:end])
            start = end
        return solution

    def _triangles(self):
        n_groups, n, _ = self._kernels.shape
        flat, most = self._kernels.reshape(n_groups, -1), max(1, MOST_AT_ONCE // n**2)
        for start in range(0, self._columns.shape[1], most):
            part = self._columns[:, start : start + most]
            matrices = (part.T @ flat).reshape(-1, n, n)
            np.einsum("uii->ui", matrices)[...] += 1.0
            yield from map(_triangle, matrices)


def _products(matrices, columns):
    """``matrix @ columns`` of each matrix, by one product."""
    n_matrices, n_rows, n_inner = matrices.shape
    return (matrices.reshape(-1, n_inner) @ columns).reshape(n_matrices, n_rows, -1)


def _triangle(matrix):
    """The triangle of a symmetric matrix, which is overwritten."""
    diagonal = matrix.diagonal().copy()
    triangle, info = dpotrf(matrix.T, overwrite_a=True, clean=False)
    if not info:
        return triangle
    # One triangle has been overwritten, and the other one has not.
    whole = np.triu(matrix, 1)
    return factor(whole + whole.T, diagonal)
