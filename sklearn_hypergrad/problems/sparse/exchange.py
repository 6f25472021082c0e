"""Minima of quadratics with an L1 penalty, exact up to rounding, by exchange of their support.

The function is, for a symmetric positive semi-definite matrix G and vectors l1, l2 >= 0, ::

    1/2 w' G w  -  c' w  +  sum_j l1_j |w_j|  +  1/2 sum_j l2_j w_j^2

On a support S with signs s it is a quadratic, whose minimum takes one linear system,
``(G_SS + diag(l2_S)) w_S = c_S - l1_S s_S``. Where no sign of ``w_S`` differs from s, and the
slopes of all other entries are at most l1, this is the minimum of the function itself. Else
entries leave the support, or enter it, and there is a new system. The function never increases, so
that no support with its signs comes twice: see Lee, Battle, Raina, Ng (2007), "Efficient sparse
coding algorithms", section 3, where one entry enters at a time; here several do.
"""

import dataclasses

import numpy as np
from scipy.linalg.blas import dtrmv

from sklearn_hypergrad.linalg import factor, solve_factored

# Excess of a slope over l1 that is rounding: relative to l1, and to the largest entry of c.
EXCESS, ROUNDING = 1e-9, 1e-13
# Largest number of entries that enter at once: this many, or this share of the support. Measured on
# data with products of features and on 400 x 5,000 random numbers: as fast as any along a path, and
# from zero 13 times as fast as all at once, of which most leave again, one by one.
FEW, ENTERING = 10, 0.5
# Largest number of systems, a safeguard: from zero it takes a few times the size of the support at
# most, from a solution nearby one to ten.
MOST_SYSTEMS = 2000


@dataclasses.dataclass(frozen=True)
class SparseMinimum:
    """The minimum of a quadratic with an L1 penalty.

    Attributes
    ----------
    w : ndarray of shape (n,)
    support : ndarray of int
        Numbers of the entries that are not zero or have no L1 penalty, ascending.
    signs : ndarray of shape (len(support),)
        Signs of these; zero for those without an L1 penalty.
    triangle : ndarray
        The Cholesky factor of ``G + diag(l2)`` on the support, as ``linalg.factor`` returns it.
    converged : bool
        Whether the optimality conditions hold up to rounding.
    n_systems : int
        Number of linear systems solved.
    """

    w: np.ndarray
    support: np.ndarray
    signs: np.ndarray
    triangle: np.ndarray
    converged: bool
    n_systems: int

    def solve(self, right):
        """``H^-1 right`` with the Hessian H on the support, for one vector or columns of several.

        With it the minimum is differentiated: while the support and its signs stay, the derivative
        of ``w`` on the support is ``H^-1 (dc - dG w - signs dl1 - w dl2)``, and zero elsewhere.
        """
        return solve_factored(self.triangle, right)


def exchange(gram, c, l1, l2, start=None):
    """Minimise a quadratic with an L1 penalty.

    Parameters
    ----------
    gram : DenseGram, RowsGram, or an object with their two methods
    c : ndarray of shape (n,)
    l1, l2 : float or ndarray of shape (n,)
        Penalties; an entry without an L1 penalty, such as an intercept, is always in the support.
    start : ndarray of shape (n,), default=None
        Where to start: zero, or a minimum for other penalties. Its support and signs are the first
        that are tried, unless the function is lower at zero.

    Returns
    -------
    SparseMinimum
    """
    # In place of functions of NumPy that take as long as a small system.
    l1, l2 = (np.full(len(c), float(each)) if np.ndim(each) == 0 else each for each in (l1, l2))
    quadratic = _Quadratic(gram, c, l1, l2)
    # From a dense solution to a sparse one the entries leave one by one.
    useful = start is not None and quadratic.value(start) < 0
    w = start.copy() if useful else np.zeros(len(c))
    signs = np.where(l1 > 0, np.sign(w), 0.0)
    least = l1 * (1 + EXCESS) + ROUNDING * np.abs(c).max(initial=0.0)
    converged = False
    while quadratic.n_systems < MOST_SYSTEMS:
        support, triangle = quadratic.settle(w, signs)
        slopes = c - gram.times(support, w[support])
        excess = np.abs(slopes) - least
        excess[support] = 0.0
        (over,) = (excess > 0).nonzero()
        if not len(over):
            converged = True
            break
        most = max(FEW, int(ENTERING * len(support)))
        largest = over[np.argsort(-excess[over])[:most]]
        signs[largest] = np.sign(slopes[largest])
    return SparseMinimum(w, support, signs[support], triangle, converged, quadratic.n_systems)


class _Quadratic:
    """A quadratic with an L1 penalty, and the number of systems that were solved for it."""

    def __init__(self, gram, c, l1, l2):
        self._gram, self._c, self._l1, self._l2 = gram, c, l1, l2
        self._free = l1 == 0
        self.n_systems = 0

    def value(self, w):
        """The function."""
        (support,) = w.nonzero()
        own, c, l1, l2 = (each[support] for each in (w, self._c, self._l1, self._l2))
        slope = 0.5 * (self._gram.times(support, own)[support] + l2 * own) - c
        return own @ slope + l1 @ np.abs(own)

    def settle(self, w, signs):
        """Minimise over the support that ``signs`` tell; entries of it may leave.

        ``w`` and ``signs`` are changed in place.

        Returns
        -------
        support : ndarray of int
        triangle : ndarray
        """
        (first,) = (self._free | (signs != 0)).nonzero()
        # Entries only leave: all matrices are parts of this one.
        whole = self._gram.block(first)
        while True:
            (inside,) = (self._free[first] | (signs[first] != 0)).nonzero()
            support = first[inside]
            if not len(support):
                w[:] = 0.0
                return support, np.empty((0, 0))
            everything = len(inside) == len(first)
            block = whole if everything else whole.take(inside, axis=0).take(inside, axis=1)
            own, s, l1 = w[support], signs[support], self._l1[support]
            triangle = factor(block, self._l2[support])
            self.n_systems += 1
            target = solve_factored(triangle, self._c[support] - l1 * s)
            against = target * s < 0
            if not against.any():
                w[support] = target
                return support, triangle
            # Entries that have just entered, and would rather have the other sign, leave.
            fresh = against & (own == 0)
            if fresh.any():
                signs[support[fresh]] = 0.0
                continue
            own = _lowest(triangle, l1, own, target, against.nonzero()[0])
            w[support], signs[support] = own, np.where(l1 > 0, np.sign(own), 0.0)


# Derivation. From w to the target of the signs of w, the function is a quadratic between the places
# t where an entry is zero. With d = target - w it differs from its value at w by
#     d' H d (t^2 / 2 - t)  +  2 sum over the entries j that have crossed zero at t_j of
#                              l1_j |d_j| (t - t_j),
# as the target solves the system, H (w + d) = c - l1 s. The lowest of these places is lower than w:
# up to the first of them only the first term changes. There an entry leaves.
def _lowest(triangle, l1, own, target, crossing):
    """The lowest place between two points at which an entry of ``crossing`` is zero, or the target.

    Parameters
    ----------
    triangle : ndarray
        The Cholesky factor of the Hessian.
    l1 : ndarray
        L1 penalties.
    own, target : ndarray
        The points.
    crossing : ndarray of int
        Numbers of the entries whose sign differs between them.
    """
    step = target - own
    places = np.ones(len(crossing) + 1)
    places[:-1] = own[crossing] / -step[crossing]
    curvature = np.sum(dtrmv(triangle, step) ** 2)
    rises = 2 * (l1 * np.abs(step))[crossing]
    beyond = np.maximum(places[:, None] - places[:-1], 0.0)
    chosen = np.argmin(curvature * places * (0.5 * places - 1) + beyond @ rises)
    lowest = own + places[chosen] * step
    if chosen < len(crossing):
        lowest[crossing[chosen]] = 0.0
    return lowest
