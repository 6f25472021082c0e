"""Ridge regression of all splits from kernels of their rows, for data with more features."""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg import (
    distinct_columns,
    factor,
    inverse_of_triangle,
    solve_factored,
)
from sklearn_hypergrad.problems.linear.centred_splits import origin_of, totals_of
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.row_kernels import TrainingRows
from sklearn_hypergrad.problems.ridge.evidence import Marginal
from sklearn_hypergrad.problems.ridge.group_kernels import MOST_GROUPS, GroupKernels
from sklearn_hypergrad.problems.ridge.ridge_problem import PrimalRidge
from sklearn_hypergrad.problems.split_data import as_slice
from sklearn_hypergrad.threads import cached_property

# Number of vectors that are multiplied with X at a time. Chosen by hand: 40 MB for 10,000 features.
COLUMNS = 512
# Largest number of entries of the kernels of groups, and of the factors, that are kept. Chosen by
# hand: 0.5 GB each. More factors are computed whenever they are needed.
MOST_NUMBERS = 2**26


class DualRidge(PrimalRidge):
    """Ridge regression whose linear systems have the size of the training part.

    Every penalty needs a new kernel ``X D^-1 X'``, with D the diagonal of strengths, which must be
    positive. It is computed once for all rows, and the kernel of every training part is cut out of
    it; if every split has scales of its own, each has its own kernel.

    Parameters
    ----------
    block : SplitData
        The data of the splits, with or without scales.
    penalty : L2Penalty
        The penalty, usually one strength for every feature.
    fit_intercept : bool
    """

    def __init__(self, block, penalty, *, fit_intercept):
        self._fit_intercept = fit_intercept
        self.rows = TrainingRows(block.row_weights(), fit_intercept=fit_intercept)
        self._root = self.rows.root[:, :, None]
        origin, y_origin = origin_of(block, fit_intercept)
        X = block.X.astype(float) if issparse(block.X) else block.X - origin
        y_mean = self.rows.average.T @ (block.y - y_origin)
        means = self.rows.average.T @ X, y_mean + y_origin
        totals, self._tests = totals_of(block, fit_intercept), block.tests
        super().__init__(X, origin, means, block.scales, totals, penalty=penalty)
        self._target = self._root * (block.y[:, None, :] - y_origin - y_mean)
        self.n_features = X.shape[1]

    def start(self):
        _, n_splits, n_outputs = self._target.shape
        return np.zeros((n_splits, self.n_features, n_outputs))

    def gradient(self, w, h):
        residual = self.forward(w) - self._target
        return self.backward(residual) + self.penalty.strength(h) * w

    def hvp(self, w, h, v):
        return self.backward(self.forward(v)) + self.penalty.strength(h) * v

    def inverse(self, strength):
        return Woodbury(self, strength)

    def kernels(self, strength):
        """Yield ``Z D^-1 Z'`` of every split, D the diagonal of ``strength`` (n_features,).

        Z are the weighted and centred rows of the split; rows without weight are left out.
        """
        whole = self._whole(strength) if self._scales is None else None
        for split, numbers in enumerate(self.rows.numbers):
            if whole is None:
                part = self._kernel(self._scales[split, :, 0] / np.sqrt(strength), numbers)
            else:
                part = whole[np.ix_(numbers, numbers)]
            yield self.rows.kernel(split, part)

    def group_strengths(self, h):
        """Strengths of the groups at hyperparameters ``h``, of shape (n_groups, n_outputs)."""
        shape = len(self._firsts), self._target.shape[2]
        return np.broadcast_to(self._penalty_of_groups.strength(h), shape).copy()

    def of_groups(self, h, slopes):
        """Derivatives in ``h``, from those in the strengths of groups, (n_groups, n_outputs)."""
        return self._penalty_of_groups.cross_vjp(h, slopes)

    @cached_property
    def _penalty_of_groups(self):
        """The penalty of one feature of each group."""
        return self.penalty.of_features(self._firsts)

    def dof_of_groups(self, h):
        """Effective degrees of freedom on the first split, of shape (n_features, n_outputs).

        The first feature of a group has those of the whole group.
        """
        strengths = self.group_strengths(h)
        dof = np.zeros((self.n_features, strengths.shape[1]))
        dof[self._firsts] = self.group_kernels.dof(strengths)
        return dof

    def of_entries(self, h, curvature):
        """Second derivatives in the entries of each target, from those in strengths of groups.

        Parameters
        ----------
        h : dict
            Hyperparameters of shape (n_outputs, n_entries).
        curvature : ndarray of shape (n_some, n_groups, n_groups)

        Returns
        -------
        ndarray of shape (n_some, n_entries, n_entries)
        """
        n_entries = h[self.penalty.name].shape[1]
        places = self._penalty_of_groups.entries[:, 0]
        whole = np.zeros((len(curvature), n_entries, n_entries))
        whole[:, places[:, None], places] = curvature
        return whole

    @property
    def has_groups(self):
        """Whether several targets have penalties for few groups, whose kernels serve them all."""
        if self.penalty.holds or self._target.shape[2] == 1:
            return False
        return self._groups_fit and self.penalty.groups.max() < MOST_GROUPS

    @cached_property
    def group_kernels(self):
        """The GroupKernels, if it ``has_groups``."""
        data = self.rows, self._target, self._y_mean, self._tests
        return GroupKernels(len(self._firsts), self._kernels_of, *data)

    def _kernels_of(self, split):
        """Kernels of the groups, of shape (n_groups, n_samples, n_samples), as a split has them."""
        if self._scales is None:
            return self._of_groups
        return self._grouped(self._scales[split, :, 0])

    # One minus the leverages is the diagonal of (I + Z D^-1 Z')^-1, less what belongs to the mean.
    # For weak penalties of wide data it is small: one of 2e-6 was wrong by 2e-5 relative as one
    # minus a product, and by 3e-11 in this way.
    def left_out(self, strength, Z, t, average):
        inverse, root = self.inverse(strength), self._root[:, 0, 0]
        kernel, project = self._without_free(strength[:, 0])
        solved = solve_factored(factor(kernel, 1.0), project(np.eye(len(kernel))))
        left = np.zeros(len(t))
        left[self.rows.numbers[0]] = project(solved).diagonal()
        left -= average
        # A row without weight has no leverage, and is not needed.
        scaled = np.diag(np.divide(1.0, root, out=np.zeros_like(root), where=root > 0))
        return inverse.backward(scaled[:, None, :])[0], np.where(t > 0, left, 1.0)

    # With I + Z D^-1 Z' = U'U, the misfit t'(t - Z w) is t'(U'U)^-1 t, and the coefficient j uses
    # |U^-T z_j|^2 / strength_j degrees of freedom, where z_j is its column of Z. Columns of U^-1
    # end at the diagonal, which saves half of the products.
    def marginal(self, strength):
        """The Marginal of the only split for ``strength`` of shape (n_features,)."""
        kernel, project = self._without_free(strength)
        triangle = factor(kernel, 1.0)
        target = project(self._target[self.rows.numbers[0], 0])
        solved = project(solve_factored(triangle, target))
        left, used = inverse_of_triangle(triangle), np.zeros(self.n_features)
        for start in range(0, len(left), COLUMNS):
            columns = slice(start, start + COLUMNS)
            rows = columns.stop if self.penalty.free is None else len(left)
            part = self._of_first_rows(project(left[:rows, columns]))
            used += np.einsum("jk,jk->j", part, part)
        return Marginal(
            w=self._of_first_rows(solved) / strength[:, None],
            misfit=(target * solved).sum(axis=0),
            log_volume=2 * float(np.log(np.diag(triangle)).sum()),
            used=used / strength,
        )

    def _without_free(self, strength):
        """The kernel of the only split, and a function that projects columns without penalty out.

        They are projected out of the kernel, too: with strengths that stand for none, it would have
        half of the digits only.
        """
        free = self.penalty.free
        if free is None:
            (kernel,) = self.kernels(strength)
            return kernel, lambda a: a
        (kernel,) = self.kernels(np.where(free, np.inf, strength))
        features, rows = np.flatnonzero(free), self.rows.numbers[0]
        X = self._X[rows][:, features]
        X = X.toarray() if issparse(X) else X
        columns = self._root[rows, 0] * (X - self._x_mean[0, features])
        lengths = np.linalg.norm(columns, axis=0)
        vectors, values, _ = np.linalg.svd(columns / np.where(lengths > 0, lengths, 1), False)
        basis = vectors[:, values > np.finfo(float).eps * len(rows) * values.max(initial=0)]

        def project(a):
            return a - basis @ (basis.T @ a)

        return project(project(kernel).T), project

    def _of_first_rows(self, a):
        """``Z' a`` of the only split, of its first rows of positive weight: (n_features, k)."""
        rows = self.rows.numbers[0][: len(a)]
        a = self._root[rows, 0] * a
        part = self._X[as_slice(rows)].T @ a - np.outer(self._x_mean[0], a.sum(axis=0))
        return self._rescaled(part[None])[0]

    def _whole(self, strength):
        """``X D^-1 X'`` of all rows: where features are of few groups, the sum of their kernels."""
        if self._of_groups is None:
            return self._kernel(1 / np.sqrt(strength))
        return np.einsum("g,gij->ij", 1 / strength[self._firsts], self._of_groups)

    @property
    def _groups_fit(self):
        """Whether features are of few groups."""
        groups, size = self.penalty.groups, self._X.shape[0] ** 2
        return groups is not None and (groups.max() + 1) * size <= MOST_NUMBERS

    @cached_property
    def _firsts(self):
        """The first feature of each group."""
        return np.unique(self.penalty.groups, return_index=True)[1]

    @cached_property
    def _of_groups(self):
        """Kernels of the groups without scales; None if they are many."""
        return self._grouped(np.ones(self.n_features)) if self._groups_fit else None

    def _grouped(self, factors):
        """Kernels of the groups, of features times some factors."""
        numbers, groups = range(len(self._firsts)), self.penalty.groups
        return np.stack([self._kernel(factors * (groups == number)) for number in numbers])

    def _kernel(self, factors, rows=slice(None)):
        X = self._X[rows]
        scaled = X.multiply(factors).tocsr() if issparse(X) else X * factors
        kernel = scaled @ scaled.T
        return kernel.toarray() if issparse(kernel) else kernel

    def forward(self, u):
        """``Z u`` of every split, of shape (n_samples, n_splits, k)."""
        u = self._rescaled(u)
        return self._root * (self._product(u) - np.einsum("sp,spk->sk", self._x_mean, u))

    def backward(self, a):
        """``Z' a``, the transpose of ``forward``."""
        return self._rescaled(self._product_vjp(self.rows.centred(self._root * a)))

    @cached_property
    def level(self):
        """Strength at which penalty and data have about the same weight: mean diagonal of Z'Z."""
        scales = None if self._scales is None else self._scales[:, :, 0].T
        design = Design(self._X, fit_intercept=self._fit_intercept, scales=scales)
        return float(design.spreads(self._root**2).mean())

    def _minimiser(self, inverse, strength):
        return inverse.backward(self._target)


# Derivation. With Z the weighted and centred rows of a training part, H = Z'Z + D, and
#     H^-1 v = D^-1 v - D^-1 Z' (I + Z D^-1 Z')^-1 Z D^-1 v        (Woodbury)
#     H^-1 Z' a = D^-1 Z' (I + Z D^-1 Z')^-1 a.
# Strengths that stand for none are so small that these differences lose half of the digits. Then
# solutions are corrected once, by what they leave of the right side (iterative refinement).
class Woodbury:
    """The inverse Hessian of a DualRidge, for strengths that broadcast to (n_features, k)."""

    def __init__(self, problem, strength):
        self._problem = problem
        self._strength = strength
        self._corrects = problem.penalty.holds
        # Outputs with equal strengths share their factors.
        strengths, self._own = distinct_columns(strength)
        self._columns = np.broadcast_to(strengths, (problem.n_features, strengths.shape[1])).T
        numbers = len(self._columns) * sum(len(rows) ** 2 for rows in problem.rows.numbers)
        self._kept = [*map(self._factored, self._columns)] if numbers <= MOST_NUMBERS else None

    def __call__(self, v):
        x = self._product(v)
        return x + self._product(v - self._hessian(x)) if self._corrects else x

    def backward(self, a):
        """``H^-1 Z' a`` for ``a`` of shape (n_samples, n_splits, k)."""
        x = self._product_of_rows(a)
        if not self._corrects:
            return x
        left = self._problem.backward(a - self._problem.forward(x)) - self._strength * x
        return x + self._product(left)

    @property
    def _factors(self):
        """The factors of all splits, for each distinct column of strengths."""
        return map(self._factored, self._columns) if self._kept is None else self._kept

    def _factored(self, strength):
        return [factor(kernel, 1.0) for kernel in self._problem.kernels(strength)]

    def _product(self, v):
        scaled = v / self._strength
        return scaled - self._product_of_rows(self._problem.forward(scaled))

    def _product_of_rows(self, a):
        return self._problem.backward(self.of_kernel(a)) / self._strength

    def _hessian(self, x):
        return self._problem.backward(self._problem.forward(x)) + self._strength * x

    def of_kernel(self, a):
        """``(I + Z D^-1 Z')^-1 a`` for ``a`` of shape (n_samples, n_splits, k)."""
        solved = np.zeros_like(a)
        single = len(self._columns) == 1
        for places, factors in zip(self._own, self._factors, strict=True):
            for split, (rows, own) in enumerate(
                zip(self._problem.rows.numbers, factors, strict=True)
            ):
                at = (rows, split) if single else (rows[:, None], split, places)
                solved[at] = solve_factored(own, a[at])
        return solved
