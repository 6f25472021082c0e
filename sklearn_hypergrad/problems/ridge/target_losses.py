"""Validation losses of many ridge targets, of which only those that have moved are computed."""

import dataclasses

import numpy as np

from sklearn_hypergrad.problems.outer.held_out import on_held_out


@dataclasses.dataclass(frozen=True)
class KnownTargets:
    """The losses of all targets at some strengths: a start for the next evaluation.

    Attributes
    ----------
    array : ndarray of shape (2 * n_groups + n_splits, n_targets)
        Strengths, derivatives of the sums over splits in them, and losses of the splits.
    n_groups : int
    """

    array: np.ndarray
    n_groups: int

    @classmethod
    def of(cls, strengths, slopes, values):
        """From its parts."""
        return cls(np.concatenate([strengths, slopes, values]), len(strengths))

    @property
    def strengths(self):
        """Of shape (n_groups, n_targets)."""
        return self.array[: self.n_groups]

    @property
    def slopes(self):
        """Of shape (n_groups, n_targets)."""
        return self.array[self.n_groups : 2 * self.n_groups]

    @property
    def values(self):
        """Of shape (n_splits, n_targets)."""
        return self.array[2 * self.n_groups :]

    @property
    def size(self):
        """Number of floats in it."""
        return self.array.size


class TargetLosses:
    """The losses of all splits, target by target.

    Parameters
    ----------
    kernels : GroupKernels
    data : SplitData
    validation_loss : ValidationLoss
        A mean over targets of squared errors.
    """

    def __init__(self, kernels, data, validation_loss):
        self._kernels, self._data, self._validation_loss = kernels, data, validation_loss

    def at(self, strengths, known=None):
        """The KnownTargets at strengths of shape (n_groups, n_targets).

        Parameters
        ----------
        strengths : ndarray
        known : KnownTargets, default=None
            Those of another point: targets with the same strengths there are not computed again.
        """
        n_targets = strengths.shape[1]
        moved = np.arange(n_targets)
        values, slopes = np.empty((self._data.n_splits, n_targets)), np.empty_like(strengths)
        if known is not None:
            moved = np.flatnonzero(np.any(known.strengths != strengths, axis=0))
            values[:], slopes[:] = known.values, known.slopes
        if len(moved):
            values[:, moved], slopes[:, moved] = self._computed(strengths[:, moved], moved)
        return KnownTargets.of(strengths, slopes, values)

    def _computed(self, strengths, targets):
        values, slopes = np.empty((self._data.n_splits, len(targets))), np.zeros_like(strengths)
        for split, own, held_out, solved in self._solved(strengths, targets):
            values[split, own], g, _ = held_out.by_output(solved.z)
            slopes[:, own] += solved.slopes(g)
        return values, -slopes / strengths**2

    # With c = 1 / strength, dc = -c^2 and d2c = 2 c^3.
    def curvature(self, strengths, targets):
        """Second derivatives of the sums over splits in the strengths of some targets.

        That of the root of an error is left out, as that of the error itself is larger.

        Parameters
        ----------
        strengths : ndarray of shape (n_groups, n_some)
        targets : ndarray of int of shape (n_some,)

        Returns
        -------
        ndarray of shape (n_some, n_groups, n_groups)
        """
        n_groups, n_targets = strengths.shape
        slopes, curvature = np.zeros_like(strengths), np.zeros((n_targets, n_groups, n_groups))
        for _, own, held_out, solved in self._solved(strengths, targets):
            _, g, factors = held_out.by_output(solved.z)
            first, second = solved.derivatives(g, factors)
            slopes[:, own] += first
            curvature[own] += second
        c = 1 / strengths.T
        curvature *= c[:, :, None] ** 2 * c[:, None, :] ** 2
        np.einsum("kgg->kg", curvature)[...] += 2 * c**3 * slopes.T
        return curvature

    def _solved(self, strengths, targets):
        """Yield every split with targets, their positions, their HeldOutLoss and SolvedSplit."""
        batches = self._kernels.batches(strengths)
        for split, part in enumerate(self._data.in_batches(1)):
            cut = self._kernels.cut(split)
            for own in batches:
                some = dataclasses.replace(part, y=part.y[:, targets[own]])
                solved = cut.solved(strengths[:, own], targets[own])
                yield split, own, on_held_out(some, self._validation_loss), solved
