"""Newton's method for objectives that are quadratic in pieces, for all problems at once.

The step that ends in the right piece ends at the minimum.
"""

import numpy as np

from sklearn_hypergrad.problems.base import Status
from sklearn_hypergrad.problems.linear.newton import halved

# Largest number of steps. Chosen by hand as a safeguard.
MAX_NEWTON = 100
# Newton decrement, relative to the objective, at which a problem is solved. Reason: the step that
# ends in the right piece leaves rounding errors, of about 1e-30; weights are exact to 1e-12.
SOLVED = 1e-24
# The same where no whole step lowers the objective in floating point.
STUCK = 1e-14


def newton(point, known, step_at, line):
    """Minimise.

    Parameters
    ----------
    point : object
        Where to start, with the objectives ``value`` of shape (n_problems,).
    known : object
        What ``step_at`` uses again from one step to the next.
    step_at : callable
        ``step_at(point, known) -> (gradient, step, known)``, arrays of shape (n_weights,
        n_problems): the step is the inverse Hessian times the gradient, and is subtracted.
    line : callable
        ``line(point, step)`` returns the function from lengths, of shape (n_problems,), to points.

    Returns
    -------
    point : object
    known : object
        That of the last step.
    status : Status
    n_steps : int
    """
    for n_steps in range(1, MAX_NEWTON + 1):
        gradient, step, known = step_at(point, known)
        decrement = np.einsum("jk,jk->k", gradient, step)
        if (decrement <= SOLVED * point.value).all():
            return point, known, Status.CONVERGED, n_steps
        at = line(point, step)
        moved, _, length, _ = halved(
            lambda length, at=at: _valued(at(length)), point.value, decrement
        )
        if moved is None or (_is_rounding(decrement, point) and (length < 1).any()):
            break
        point = moved
    solved = _is_rounding(decrement, point)
    status = Status.CONVERGED if solved else Status.INNER_NOT_CONVERGED
    return point, known, status, n_steps


def _is_rounding(decrement, point):
    """Whether all that steps may still gain is lost in the rounding of the objectives."""
    return (decrement <= STUCK * point.value).all()


def _valued(point):
    return point, point.value
