"""Ridge regression of many targets, each with a penalty per group of features, in their rows."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg import distinct_columns
from sklearn_hypergrad.problems.ridge.group_systems import MOST_KEPT, Systems, packed_kernels
from sklearn_hypergrad.threads import cached_property

# Entries of the matrices of targets that are solved at once. Measured with sides of 250: in batches
# of 32 a factor and two solutions take 17 % less than in batches of 256.
TOGETHER = 2**21
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
    n_groups : int
    kernels : callable
        ``kernels(split)``: ``X_g X_g'`` of the features of every group as a split has them, about
        any origin, of shape (n_groups, n_samples, n_samples).
    rows : TrainingRows
    targets : ndarray of shape (n_samples, n_splits, n_outputs)
        Weighted and centred targets of the training rows.
    means : ndarray of shape (n_splits, n_outputs)
        Training means of the targets.
    tests : list of ndarray of int
        Held-out rows of every split.
    """

    def __init__(self, n_groups, kernels, rows, targets, means, tests):
        self._n_groups, self._kernels, self._rows, self._tests = n_groups, kernels, rows, tests
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
        everything = np.arange(strengths.shape[1])
        for split in range(len(self._tests)):
            solved = self.cut(split).solved(strengths, everything)
            yield solved.z, lambda g, solved=solved: -solved.slopes(g) / strengths**2

    # A group uses the trace of its part of the hat matrix, sum_g c_g C_g M^-1.
    def dof(self, strengths):
        """Effective degrees of freedom of all groups on the first split.

        Parameters
        ----------
        strengths : ndarray of shape (n_groups, n_outputs)

        Returns
        -------
        ndarray of shape (n_groups, n_outputs)
        """
        dof, kernels = np.empty_like(strengths), self.cut(0).packed
        for own in self.batches(strengths):
            columns, places = distinct_columns(1 / strengths[:, own])
            traces = columns * Systems(kernels, columns, ()).traces()
            for trace, equal in zip(traces.T, places, strict=True):
                dof[:, own[equal]] = trace[:, None]
        return dof

    def batches(self, strengths):
        """Positions of targets that are best solved at once: few, or with equal penalties."""
        longest = max(len(rows) for rows in self._rows.numbers)
        most, own = max(1, TOGETHER // longest**2), distinct_columns(strengths)[1]
        return [np.concatenate(own[start : start + most]) for start in range(0, len(own), most)]

    def cut(self, split):
        """The Cut of a split."""
        return self._kept[split] if self._kept is not None else self._cut(split)

    @cached_property
    def _kept(self):
        pairs = zip(self._rows.numbers, self._tests, strict=True)
        size = sum(len(train) * (1.5 * len(train) + len(test)) for train, test in pairs)
        if self._n_groups * size > MOST_KEPT:
            return None
        return [self._cut(split) for split in range(len(self._tests))]

    def _cut(self, split):
        rows, test = self._rows.numbers[split], self._tests[split]
        average, root = self._rows.average[rows, split], self._rows.root[rows, split]
        kernels = self._kernels(split)
        within = np.stack([self._rows.kernel(split, K[np.ix_(rows, rows)]) for K in kernels])
        across = np.empty((len(within), len(test), len(rows)))
        for K, part in zip(kernels, across, strict=True):
            cross = average @ K[np.ix_(rows, rows)]
            part[:] = K[np.ix_(test, rows)]
            part -= (part @ average)[:, None]
            part -= cross - cross @ average
            part *= root
        targets, means = self._targets[rows, split], self._means[split]
        return Cut(within, across, packed_kernels(within), targets, means)


@dataclasses.dataclass(frozen=True)
class Cut:
    """The kernels and targets of a split.

    Attributes
    ----------
    within : ndarray of shape (n_groups, n_train, n_train)
        The C_g.
    across : ndarray of shape (n_groups, n_held_out, n_train)
        The B_g.
    packed : ndarray of shape (n_groups + 1, n_train * (n_train + 1) / 2)
        The C_g once more, as Systems take them.
    targets : ndarray of shape (n_train, n_outputs)
        Weighted and centred.
    means : ndarray of shape (n_outputs,)
        Training means.
    """

    within: np.ndarray
    across: np.ndarray
    packed: np.ndarray
    targets: np.ndarray
    means: np.ndarray

    def solved(self, strengths, outputs):
        """The SolvedSplit of some targets.

        Parameters
        ----------
        strengths : ndarray of shape (n_groups, n_some)
        outputs : ndarray of int of shape (n_some,)
            The targets that these strengths belong to.
        """
        columns, own = distinct_columns(1 / strengths)
        # Targets with equal penalties stand beside each other.
        order, ends = np.concatenate(own), np.cumsum([len(each) for each in own])
        shares = np.repeat(columns, np.diff(ends, prepend=0), axis=1)
        systems = Systems(self.packed, columns, ends)
        return SolvedSplit(self, systems, shares, order, outputs)


class SolvedSplit:
    """The solutions of some targets on one split; in ``_order``, in which equal ones are together.

    Parameters
    ----------
    cut : Cut
    systems : Systems
    shares : ndarray of shape (n_groups, n_outputs)
        The c_g of every target, in this order.
    order : ndarray of int of shape (n_outputs,)
    outputs : ndarray of int of shape (n_outputs,)
        Their numbers among all targets.

    Attributes
    ----------
    z : ndarray of shape (n_held_out, n_outputs)
        Predictions of the held-out rows.
    """

    def __init__(self, cut, systems, shares, order, outputs):
        self._cut, self._systems, self._shares = cut, systems, shares
        self._order, self._back = order, np.argsort(order)
        self._dual = systems.solve(cut.targets[:, outputs[order]])
        self._parts = products(cut.across, self._dual)
        self.z = _mixed(shares, self._parts)[:, self._back] + cut.means[outputs]

    def slopes(self, g):
        """Derivatives of ``sum g z`` in the c_g, of shape (n_groups, n_outputs)."""
        g = g[:, self._order]
        b, _ = self._adjoint(g)
        return self._slopes(g, b)[:, self._back]

    def derivatives(self, g, weights):
        """First and second derivatives in the c_g of a function of z.

        Parameters
        ----------
        g, weights : ndarray of shape (n_held_out, n_outputs)
            Its first and second derivatives in z.

        Returns
        -------
        slopes : ndarray of shape (n_groups, n_outputs)
        curvature : ndarray of shape (n_outputs, n_groups, n_groups)
        """
        g, weights = g[:, self._order], weights[:, self._order]
        b, pulled = self._adjoint(g)
        curvature = self._curvature(weights, b, pulled)
        return self._slopes(g, b)[:, self._back], curvature[self._back]

    @cached_property
    def _within(self):
        """The ``C_g a``."""
        return products(self._cut.within, self._dual)

    def _slopes(self, g, b):
        slopes = np.einsum("vk,gvk->gk", g, self._parts)
        slopes -= np.einsum("ik,gik->gk", b, self._within)
        return slopes

    # With a_h = da / dc_h = -M^-1 C_h a and B = sum_g c_g B_g, z has the derivatives
    # B_g a + B a_g, and <v, z> the second ones S_gh + S_hg, with
    #     S_gh = <B_g' v, a_h> - <b, C_g a_h>.
    def _curvature(self, weights, b, pulled):
        changes = -self._systems.solve_each(self._within)
        moved = np.stack(
            [
                part + _mixed(self._shares, products(self._cut.across, a))
                for part, a in zip(self._parts, changes, strict=True)
            ]
        )
        cross = np.einsum("gik,hik->kgh", pulled - products(self._cut.within, b), changes)
        whole = np.einsum("gvk,vk,hvk->kgh", moved, weights, moved, optimize=True)
        return whole + cross + cross.transpose(0, 2, 1)

    def _adjoint(self, g):
        """``b``, and the products ``B_g' g``."""
        # Each product by itself: a stack of transposes would be copied.
        pulled = np.matmul(self._cut.across.transpose(0, 2, 1), g)
        return self._systems.solve(_mixed(self._shares, pulled)), pulled


def products(matrices, columns):
    """``matrix @ columns`` of each matrix, by one product."""
    n_matrices, n_rows, n_inner = matrices.shape
    return (matrices.reshape(-1, n_inner) @ columns).reshape(n_matrices, n_rows, -1)


def _mixed(shares, parts):
    """``sum_g c_g part_g`` for the c_g of every column."""
    return np.einsum("gk,gik->ik", shares, parts)
