"""Minimisation of smooth losses, convex or not, to as many digits as there are."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import optimize

EPS = np.finfo(float).eps
# L-BFGS goes to this share of the first gradient; from there on Newton's method is quicker.
FAR = 1e-2
MAX_LBFGS = 500
MAX_NEWTON = 200
MAX_CG = 1000
# Rounding error of the loss, relative; reductions below it cannot be seen.
SLACK = 1e3 * EPS
# A step is taken if the loss falls by this share of what the model says.
WORTH = 1e-4
# What gradients must shrink by where the loss does not tell.
SHRINKING = 0.5
# Gradients that are small enough where rounding allows no less: share of the first one, and
# multiple of their noise.
STUCK = 1e-6
NOISE = 10
# A first gradient that is so many times as large as the curvature at the end says, is no measure.
DISPROPORTION = 100


@dataclasses.dataclass(frozen=True)
class Iterate:
    """Weights, the loss there, and its gradient."""

    w: np.ndarray
    value: float
    slope: np.ndarray

    @property
    def steepness(self):
        """Norm of the gradient."""
        return np.linalg.norm(self.slope)

    @property
    def finite(self):
        """Whether the loss and its gradient are."""
        return bool(np.isfinite(self.value) and np.isfinite(self.slope).all())


@dataclasses.dataclass(frozen=True)
class TrustRegionMinimum:
    """Where a minimisation has ended.

    Attributes
    ----------
    w : ndarray
    converged : bool
    n_steps : int
        Newton systems solved.
    hvp : callable
        ``v -> H v`` there.
    """

    w: np.ndarray
    converged: bool
    n_steps: int
    hvp: Callable


def trust_region(evaluate, curvature, first, begin, tol):
    """Descend to a local minimum.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(w)``, the Iterate there.
    curvature : callable
        ``curvature(w)`` returns ``v -> H v``.
    first : Iterate
        Where the gradient is large.
    begin : Iterate
        Where to begin: there, or somewhere better.
    tol : float
        Norm of the gradient that may be left, over that at ``first``. If that is out of proportion,
        as where an exponential has exploded, the change of the gradient between there and the
        minimum is put in its place as the curvature at the minimum has it.

    Returns
    -------
    TrustRegionMinimum
    """
    scale, point, n_steps = first.steepness or begin.steepness, begin, 0
    with np.errstate(all="ignore"):
        while True:
            descent = TrustRegion(evaluate, curvature, scale, tol)
            point, converged, n_more = descent.run(point)
            n_steps += n_more
            hvp = curvature(point.w)
            near = np.linalg.norm(hvp(point.w - first.w))
            if not (converged and 0 < near < scale / DISPROPORTION):
                return TrustRegionMinimum(point.w, converged, n_steps, hvp)
            scale = near


class TrustRegion:
    """L-BFGS from afar, then Newton's method in a trust region, by conjugate gradients.

    See Nocedal, Wright (2006), algorithms 4.1 and 7.2 (Steihaug). Where the loss does not resolve a
    step any more, gradients decide about it. Parameters are those of :func:`trust_region`, and
    ``scale``, the norm of a gradient that is large.
    """

    def __init__(self, evaluate, curvature, scale, tol):
        self._evaluate = evaluate
        self._curvature = curvature
        self._scale = scale
        self._target = tol * scale

    def run(self, point):
        """The Iterate where descent ends, whether that is a minimum, and the systems solved."""
        point = self._approach(point)
        radius, hvp, n_steps = max(1.0, np.linalg.norm(point.w)), None, 0
        while point.steepness > self._target:
            if n_steps == MAX_NEWTON:
                return point, False, n_steps
            hvp = hvp or self._curvature(point.w)
            step, decrease = self._step(hvp, point.slope, radius)
            n_steps += 1
            moved = self._evaluate(point.w + step)
            good, seen = self._judge(point, moved, decrease)
            radius = _renewed(radius, np.linalg.norm(step), good)
            if good > WORTH:
                point, hvp = moved, None
            elif not seen or radius <= EPS * np.linalg.norm(point.w):
                return point, self._stuck(point), n_steps
        return point, True, n_steps

    def _approach(self, point):
        """Go down by L-BFGS until the gradient is not that of the start any more."""
        far = max(FAR * self._scale, self._target)
        if point.steepness <= far:
            return point
        best = point

        def evaluate(w):
            nonlocal best
            moved = self._evaluate(w.copy())
            if moved.finite and moved.value <= best.value:
                best = moved
            return moved.value, moved.slope

        options = {"maxiter": MAX_LBFGS, "maxfun": 2 * MAX_LBFGS, "ftol": 0}
        options["gtol"] = far / np.sqrt(point.w.size)
        optimize.minimize(evaluate, point.w, method="L-BFGS-B", jac=True, options=options)
        return best

    def _judge(self, point, moved, decrease):
        """How good a step was, 1 if it was as the model says; and whether the loss can tell."""
        if decrease > SLACK * abs(point.value):
            ratio = (point.value - moved.value) / decrease
            return (ratio if moved.finite else -np.inf), True
        return float(moved.steepness <= SHRINKING * point.steepness), False

    def _stuck(self, point):
        """Whether rounding allows no smaller gradient."""
        if point.steepness <= STUCK * self._scale:
            return True
        beside = self._evaluate(point.w * (1 + 4 * EPS))
        return point.steepness <= NOISE * np.linalg.norm(beside.slope - point.slope)

    def _step(self, hvp, slope, radius):
        """A step of at most this length, and by how much the quadratic model falls."""
        size = slope @ slope
        enough = min(0.1, np.sqrt(np.sqrt(size) / self._scale)) * np.sqrt(size)
        enough = max(enough, 0.1 * self._target)
        step, residual = np.zeros_like(slope), slope.copy()
        direction = -residual
        for _ in range(MAX_CG):
            product = hvp(direction)
            curvature = direction @ product
            length = size / curvature if curvature > 0 else np.inf
            if curvature <= 0 or np.linalg.norm(step + length * direction) >= radius:
                length = _to_boundary(step, direction, radius)
                step += length * direction
                residual += length * product
                break
            step += length * direction
            residual += length * product
            size, previous = residual @ residual, size
            if size <= enough**2:
                break
            direction *= size / previous
            direction -= residual
        # The model is slope d + 1/2 d H d, and H d the residual minus the slope.
        return step, -0.5 * step @ (slope + residual)


def _renewed(radius, length, good):
    """The radius after a step of some length."""
    if not good > 0.25:
        return 0.25 * length
    return 2 * radius if good > 0.75 and length > 0.9 * radius else radius


def _to_boundary(step, direction, radius):
    """How far to go from inside a ball until its surface."""
    a, b = direction @ direction, step @ direction
    inside = max(0.0, radius**2 - step @ step)
    root = np.sqrt(b**2 + a * inside)
    # Each form where it does not cancel.
    return inside / (b + root) if b > 0 else (root - b) / a
