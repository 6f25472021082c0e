"""Minimise smooth losses, convex or not, to as many digits as double precision allows.

L-BFGS descends from afar; near a minimum Newton's method in a trust region takes over, with
conjugate gradients for its steps (Nocedal, Wright, "Numerical Optimization", 2006, algorithms 4.1
and 7.2).
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import optimize

EPS = np.finfo(float).eps
# L-BFGS descends to this share of the first gradient, then Newton's method takes over. Chosen by
# hand: L-BFGS is cheaper per step, Newton's method converges quadratically near a minimum.
FAR = 1e-2
# Largest numbers of steps. Chosen by hand as safeguards: they are never reached by losses that
# converge.
MAX_LBFGS = 500
MAX_NEWTON = 200
MAX_CG = 1000
# Relative rounding error of the loss: smaller reductions cannot be seen. Chosen by hand: sums over
# a million samples have a relative error of about 1000 units of rounding.
SLACK = 1e3 * EPS
# A step is accepted if the loss falls by this share of the prediction of the quadratic model: the
# eta of Nocedal, Wright (2006), algorithm 4.1, for which any value below 1/4 works.
WORTH = 1e-4
# Factor by which the norm of the gradient must shrink if the loss cannot resolve a step. Chosen by
# hand: Newton's method shrinks it much more near a minimum.
SHRINKING = 0.5
# If rounding prevents a smaller gradient, a point is accepted as a minimum if the norm of its
# gradient is at most STUCK times the first one, or NOISE times its rounding error. Chosen by hand:
# the first is the accuracy that hypergradients need, the second a few units of rounding.
STUCK = 1e-6
NOISE = 10
# Ratio of the first gradient to the one that the curvature at the minimum predicts, above which the
# prediction replaces it as the scale of the tolerance. Chosen by hand, far above the ratios of
# losses whose curvature varies moderately.
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
        """Whether the loss and its gradient are finite."""
        return bool(np.isfinite(self.value) and np.isfinite(self.slope).all())


@dataclasses.dataclass(frozen=True)
class TrustRegionMinimum:
    """The result of :func:`trust_region`.

    Attributes
    ----------
    w : ndarray
        The last weights.
    converged : bool
        Whether they are a minimum to the tolerance, or as well as rounding allows.
    n_steps : int
        Number of Newton systems solved.
    hvp : callable
        ``v -> H v`` at ``w``.
    slope : ndarray
        The gradient that is left at ``w``.
    """

    w: np.ndarray
    converged: bool
    n_steps: int
    hvp: Callable
    slope: np.ndarray


def trust_region(evaluate, curvature, first, begin, tol):
    """Descend to a local minimum.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(w)`` returns the Iterate at ``w``.
    curvature : callable
        ``curvature(w)`` returns ``v -> H v``.
    first : Iterate
        A point with a large gradient, the scale of the tolerance.
    begin : Iterate
        The start: ``first``, or a better point.
    tol : float
        Norm of the gradient at the end, relative to that at ``first``. If the latter is out of
        proportion, as after an exponential has exploded, it is replaced by the change of the
        gradient from ``first`` to the minimum, as the curvature at the minimum predicts it.

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
                return TrustRegionMinimum(point.w, converged, n_steps, hvp, point.slope)
            scale = near


class TrustRegion:
    """L-BFGS from afar, then Newton's method in a trust region, by conjugate gradients.

    See Nocedal, Wright (2006), algorithms 4.1 and 7.2 (Steihaug). If the loss cannot resolve a
    step, the gradient decides whether it is accepted.

    Parameters
    ----------
    evaluate, curvature : callable
        As for :func:`trust_region`.
    scale : float
        Norm of a large gradient.
    tol : float
        Norm of the gradient at the end, relative to ``scale``.
    """

    def __init__(self, evaluate, curvature, scale, tol):
        self._evaluate = evaluate
        self._curvature = curvature
        self._scale = scale
        self._target = tol * scale

    def run(self, point):
        """Descend; returns the last Iterate, whether it is a minimum, and the number of systems."""
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
        """Descend by L-BFGS until the gradient is a small share (``FAR``) of the scale."""
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
        """Ratio of actual to predicted decrease of a step, and whether the loss resolves it."""
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
        """A step of at most this length, and the decrease that the quadratic model predicts.

        The linear system is solved to a relative residual of the root of the relative gradient, at
        most 0.1: superlinear convergence (Nocedal, Wright 2006, section 7.1, "forcing sequence").
        """
        size = slope @ slope
        enough = min(0.1, np.sqrt(np.sqrt(size) / self._scale)) * np.sqrt(size)
        # A tenth of the target: more accuracy could not be seen in the next gradient.
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
    """The radius after a step; factors and limits of Nocedal, Wright (2006), algorithm 4.1."""
    if not good > 0.25:
        return 0.25 * length
    return 2 * radius if good > 0.75 and length > 0.9 * radius else radius


def _to_boundary(step, direction, radius):
    """Length along ``direction`` from ``step`` to the boundary of the trust region."""
    a, b = direction @ direction, step @ direction
    inside = max(0.0, radius**2 - step @ step)
    root = np.sqrt(b**2 + a * inside)
    # Two forms of the root of the quadratic; each is used where it does not cancel.
    return inside / (b + root) if b > 0 else (root - b) / a
