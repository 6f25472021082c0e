"""Minimisation of many functions at once, each of a few entries of its own, with a common level.

One L-BFGS over the entries of all functions waits for the slowest of them, and knows nothing of
their independence. Here each takes Newton steps of its own, and ends when it has little to gain.
"""

import dataclasses

import numpy as np
from scipy.optimize import brentq

# Distances of the points that blocks share in the first rounds: they are those of a grid, so that
# many blocks meet at one, which may cost no more than one of them. Measured on 100 ridge targets of
# four groups: after these rounds 1.6 points of its own are left for each, without them 5.7.
SPACINGS = 2.0, 1.0, 0.5
# Largest number of such points for each block that moves. Reason: with more hardly any are shared.
MOST_SHARED = 0.5
# Largest change of an entry in the first round, and of the level in any. Chosen by hand: penalties
# that are e^4 apart are different models.
RADIUS, LEVEL_RADIUS = 4.0, 2.0
# Shares of the expected gain from which on a step was as good as its model, and changes of the
# radius after a step that was as good, and after a bad one. The usual values (Nocedal, Wright,
# "Numerical Optimization", 2006, algorithm 4.1).
GOOD, WIDER, NARROWER = 0.75, 2.0, 0.25
# Smallest curvature of a model, in nats. Chosen by hand: far below that of an entry that matters.
LEAST_CURVATURE = 1e-3
# Share of the longest possible product below which a secant says nothing (Nocedal, Wright, 6.26).
SKIPPED = 1e-8
# Largest change of an entry in a sweep over the entries that counts as none, most sweeps, and the
# error of the level. Chosen by hand: gains change by the squares of these.
PRECISE, MOST_SWEEPS, LEVEL_PRECISE = 1e-7, 30, 1e-3


@dataclasses.dataclass
class Blocks:
    """Where all blocks stand.

    Attributes
    ----------
    level : float
    deviations : ndarray of shape (n_blocks, n)
        Differences of entries from the level.
    losses : ndarray of shape (n_blocks,)
    slopes : ndarray of shape (n_blocks, n)
    curvature : ndarray of shape (n_blocks, n, n)
    radius : ndarray of shape (n_blocks,)
        Largest change of an entry that is trusted.
    """

    level: float
    deviations: np.ndarray
    losses: np.ndarray
    slopes: np.ndarray
    curvature: np.ndarray
    radius: np.ndarray

    @property
    def entries(self):
        """The entries themselves."""
        return self.level + self.deviations

    def about(self, level):
        """Deviations from another level; the same numbers if it is the same."""
        return self.deviations if level == self.level else self.entries - level


class BlockNewton:
    """Minimise ``scale(mean of the losses of blocks) + weight sum |deviations|``.

    Every block has a quadratic model in a trust region: of its Hessian as long as blocks share
    points, which is cheap then, and of secants (the symmetric rank-one formula) afterwards. The
    minimum of all models together gives the level.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(level, deviations) -> (losses, slopes)`` of shapes (n_blocks,) and (n_blocks, n),
        or None where there are none.
    curvature : callable
        ``curvature(level, deviations, blocks)``: second derivatives of the losses of some blocks,
        of shape (n_some, n, n), at a point that was evaluated. They may be approximate.
    scale : callable
        ``scale(mean loss) -> (value, slope)``: to nats.
    weight : float
        Of the L1 penalty on deviations, in nats.
    bounds : ndarray of shape (2, n_blocks, n)
        Smallest and largest deviations.
    level_bounds : tuple of float
        Smallest and largest level.
    """

    def __init__(self, evaluate, curvature, scale, *, weight, bounds, level_bounds):
        self._evaluate, self._curvature, self._scale = evaluate, curvature, scale
        self._weight, self._bounds, self._level_bounds = weight, bounds, level_bounds
        self._spacings = []

    def minimize(self, level, deviations, *, tol, max_iter):
        """Minimise from a point that can be evaluated.

        Parameters
        ----------
        level : float
        deviations : ndarray of shape (n_blocks, n)
        tol : float
            A block ends where its next step is expected to gain less, in nats.
        max_iter : int
            Largest number of steps.

        Returns
        -------
        level : float
        deviations : ndarray of shape (n_blocks, n)
        converged : bool
        """
        # Blocks that begin apart know better where they are than a grid does.
        self._spacings = [] if np.ptp(deviations, axis=0).any() else list(SPACINGS)
        blocks = self._begun(level, deviations)
        for _ in range(max_iter):
            trial, gains, shared = self._trial(blocks, tol)
            moved = np.any(trial.entries != blocks.entries, axis=1)
            if not moved.any() and not shared:
                return trial.level, trial.deviations, True
            if moved.any():
                blocks = self._stepped(blocks, trial, gains, moved, shared)
        return blocks.level, blocks.deviations, False

    def _begun(self, level, deviations):
        everyone = np.arange(len(deviations))
        losses, slopes = self._evaluate(level, deviations)
        curvature = self._curvature(level, deviations, everyone)
        radius = np.full(len(deviations), RADIUS)
        return Blocks(level, deviations, losses, slopes, curvature, radius)

    def _nats(self, blocks):
        """Nats per unit of the loss of a block."""
        return self._scale(blocks.losses.mean())[1] / len(blocks.losses)

    def _trial(self, blocks, tol):
        """The Blocks at the next point, what each expects to gain, and whether points are shared.

        Blocks that expect to gain less than ``tol`` stay, unless the level moves; the level moves
        if that gains more than ``tol`` for each.
        """
        models = Models(blocks, self._nats(blocks), self._weight, self._bounds)
        level, (deviations, gains) = blocks.level, models.best(blocks.level)
        freed = models.best_level(self._level_bounds, tol * len(gains))
        best, more = models.best(freed)
        if more.sum() - gains.sum() > tol * len(gains):
            level, deviations, gains = freed, best, more
            stays = np.zeros(len(gains), dtype=bool)
        else:
            stays = gains <= tol
            deviations[stays] = blocks.deviations[stays]
        shared = self._share(deviations, ~stays)
        return dataclasses.replace(blocks, level=level, deviations=deviations), gains, shared

    def _share(self, deviations, moves):
        """Move deviations to the next grid, in place; whether blocks share its points.

        Where few do, that was the last grid, and nothing is moved.
        """
        if not self._spacings:
            return False
        spacing, *self._spacings = self._spacings
        points = spacing * np.round(deviations[moves] / spacing)
        points = np.clip(points, *self._bounds[:, moves])
        if len(np.unique(points, axis=0)) > MOST_SHARED * len(points):
            self._spacings = []
            return False
        deviations[moves] = points
        return True

    def _stepped(self, blocks, trial, gains, moved, shared):
        """The Blocks after a step: those that are not lower at the trial stay where they are."""
        found = self._evaluate(trial.level, trial.deviations)
        step = trial.entries - blocks.entries
        longest = np.abs(step).max(axis=1)
        if found is None:
            radius = np.where(moved, NARROWER * longest, blocks.radius)
            return dataclasses.replace(blocks, radius=radius)
        losses, slopes = found
        before = blocks.about(trial.level)
        gained = self._nats(blocks) * (blocks.losses - losses)
        gained += self._weight * (np.abs(before) - np.abs(trial.deviations)).sum(axis=1)
        lower = moved & (gained >= 0)
        curvature = secant_updated(blocks.curvature, step, slopes - blocks.slopes)
        if shared and lower.any():
            there = np.flatnonzero(lower)
            curvature[there] = self._curvature(trial.level, trial.deviations, there)
        radius = np.where(moved & ~lower, NARROWER * longest, blocks.radius)
        good = lower & (gained > GOOD * gains)
        radius[good] = np.maximum(radius, WIDER * longest)[good]
        return Blocks(
            trial.level,
            np.where(lower[:, None], trial.deviations, before),
            np.where(lower, losses, blocks.losses),
            np.where(lower[:, None], slopes, blocks.slopes),
            curvature,
            radius,
        )


class Models:
    """Convex quadratic models of all blocks in nats, plus the L1 penalty.

    Parameters
    ----------
    blocks : Blocks
    nats : float
        Nats per unit of the losses.
    weight, bounds
        Those of BlockNewton.
    """

    def __init__(self, blocks, nats, weight, bounds):
        self._blocks, self._weight, self._bounds = blocks, weight, bounds
        self._slopes = nats * blocks.slopes
        values, vectors = np.linalg.eigh(nats * blocks.curvature)
        values = np.maximum(np.abs(values), LEAST_CURVATURE)
        self._curvature = np.einsum("bij,bj,bkj->bik", vectors, values, vectors)
        self._last = blocks.entries

    def best(self, level):
        """Deviations from a level at the minimum of each model, and what it gains there."""
        deviations, slopes = self._minimum(level)
        step = deviations + level - self._blocks.entries
        gains = -0.5 * ((slopes + self._slopes) * step).sum(axis=1)
        shorter = np.abs(self._blocks.deviations) - np.abs(deviations)
        return deviations, gains + self._weight * shorter.sum(axis=1)

    def best_level(self, bounds, tol):
        """The level between bounds where the sum of the minima of all models is smallest.

        It is the present one if less than ``tol`` nats would be gained.
        """
        level = self._blocks.level
        # The sum is convex: it gains at most its slope times the distance.
        slope = self._slope(level)
        end = (
            max(bounds[0], level - LEVEL_RADIUS)
            if slope > 0
            else min(bounds[1], level + LEVEL_RADIUS)
        )
        if slope * (level - end) <= tol:
            return level
        if self._slope(end) * slope >= 0:
            return end
        return brentq(self._slope, level, end, xtol=LEVEL_PRECISE)

    # Where the level moves, entries of the pool move with it, and so do those as far away as they
    # may be; the penalty on the others changes.
    def _slope(self, level):
        """Derivative in the level of the sum of the minima of all models."""
        deviations, slopes = self._minimum(level)
        shrunk = np.clip(slopes, -self._weight, self._weight)
        along = np.where(deviations == 0, shrunk, -self._weight * np.sign(deviations))
        held = (deviations <= self._bounds[0]) | (deviations >= self._bounds[1])
        return float(np.where(held, slopes, along).sum())

    def _minimum(self, level):
        """Deviations and slopes of the models at their minimum, by sweeps and leaps in turn."""
        stands, radius = self._blocks.about(level), self._blocks.radius[:, None]
        low = np.maximum(self._bounds[0], stands - radius)
        high = np.minimum(self._bounds[1], stands + radius)
        deviations = np.clip(self._last - level, low, high)
        slopes = self._slopes + self._curved(deviations - stands)
        for _ in range(MOST_SWEEPS):
            if self._sweep(deviations, slopes, low, high) <= PRECISE:
                break
            step = self._leap(deviations, slopes, low, high)
            deviations += step
            slopes += self._curved(step)
        self._last = deviations + level
        return deviations, slopes

    def _sweep(self, deviations, slopes, low, high):
        """Minimise over each entry in turn, in place; returns the largest change."""
        largest = 0.0
        for j in range(deviations.shape[1]):
            curvature, old = self._curvature[:, :, j], deviations[:, j].copy()
            free = old - slopes[:, j] / curvature[:, j]
            shrunk = np.abs(free) - self._weight / curvature[:, j]
            new = np.clip(np.sign(free) * np.maximum(shrunk, 0), low[:, j], high[:, j])
            slopes += curvature * (new - old)[:, None]
            deviations[:, j] = new
            largest = max(largest, np.abs(new - old).max())
        return largest

    # Sweeps find out which entries stay in the pool or on a bound, and are slow along valleys.
    def _leap(self, deviations, slopes, low, high):
        """The step to the minimum over all other entries, or to where one comes to its end."""
        smooth = (deviations != 0) | (self._weight == 0)
        free = smooth & (deviations > low) & (deviations < high)
        falls = -np.where(free, slopes + self._weight * np.sign(deviations), 0.0)
        both = free[:, :, None] & free[:, None, :]
        matrices = np.where(both, self._curvature, np.eye(deviations.shape[1]))
        step = np.linalg.solve(matrices, falls[:, :, None])[:, :, 0]
        ends = np.where(step > 0, high, low) - deviations
        if self._weight > 0:
            # The pool may be nearer than the bound.
            ends = np.where(deviations * step < 0, _nearer(-deviations, ends), ends)
        shares = np.divide(ends, step, out=np.ones_like(step), where=step != 0)
        return step * np.clip(shares, 0.0, 1.0).min(axis=1, keepdims=True)

    def _curved(self, step):
        """The changes of the slopes by a step."""
        return np.einsum("bij,bj->bi", self._curvature, step)


def secant_updated(curvature, step, change):
    """Curvatures by the symmetric rank-one formula, from steps and the changes of the slopes."""
    missed = change - np.einsum("bij,bj->bi", curvature, step)
    along = (missed * step).sum(axis=1)
    longest = np.linalg.norm(missed, axis=1) * np.linalg.norm(step, axis=1)
    told = np.abs(along) > SKIPPED * longest
    factors = np.divide(1.0, along, out=np.zeros_like(along), where=told)
    return curvature + factors[:, None, None] * missed[:, :, None] * missed[:, None, :]


def _nearer(a, b):
    """The number of smaller size."""
    return np.where(np.abs(a) < np.abs(b), a, b)
