"""Least squares solutions of singular systems: the part that can be solved, and what is left.

Let H be symmetric and positive semi-definite, N its null space, and ``right = r + n`` with ``n`` in
N and ``r`` in the range of H, which is the orthogonal complement of N. Then ``H x = r`` has
solutions, which differ by elements of N; the shortest one is that in the range, ``H^+ right``.

For a hypergradient, H is the Hessian of the training loss at a minimum w, and its null space are
the directions in which the minimum is not unique. As long as a minimum moves smoothly with the
hyperparameters, ``H dw = -C dh``, so that ``C dh`` is in the range, and ``dw`` is known up to N.
With ``right`` the gradient of the outer loss, ``right dw`` is therefore

- the same for all ``dw``, and ``-x C dh`` for every solution x, if ``right`` is in the range;
- otherwise not determined. ``H^+ right`` gives it for the ``dw`` in the range: for minima that are
  reached by descent from a fixed start, which never moves weights along N if N is fixed.
"""

import numpy as np

from sklearn_hypergrad.linalg.systems import inner, negligible, ratio

# Rounding error of a curvature, in units of eps times the largest one. Chosen by hand: a few units.
NOISE = 10


class Shortest:
    """``H^+`` of one symmetric positive semi-definite matrix, by eigenvalues.

    Curvature is compared after the diagonal is scaled to one, so that weights of small units do not
    count as undetermined.
    """

    def __init__(self, matrix):
        diagonal = np.diag(matrix)
        self._root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))[:, None]
        self._matrix = matrix
        values, vectors = np.linalg.eigh(matrix / self._root / self._root.T)
        kept = values > negligible(values.dtype) * values[-1]
        self._values, self._vectors = values[kept, None], vectors[:, kept]
        # Directions z with H z = 0, orthonormal in the units of the weights.
        self._null, _ = np.linalg.qr(vectors[:, ~kept] / self._root)

    def solve(self, right):
        """``H^+ right``, of shape (n,) or (n, k)."""
        columns = self._in_range(right.reshape(len(right), -1))
        x = self._apply(columns)
        # Eigenvalues have absolute errors: a step of refinement restores the digits of small ones.
        x += self._apply(columns - self._matrix @ x)
        return self._in_range(x).reshape(right.shape)

    def _apply(self, columns):
        rotated = self._vectors.T @ (columns / self._root)
        return self._vectors @ (rotated / self._values) / self._root

    def _in_range(self, columns):
        return columns - self._null @ (self._null.T @ columns)


# Conjugate residuals (Stiefel 1955) minimise |right - H x| over the same spaces as conjugate
# gradients, and so converge for singular systems, too: the residual to the part n of the right side
# in the null space. All vectors of these spaces are combinations of H^j right, and have a part in
# the null space that is a multiple of n. So the shortest solution is what is left of x without its
# part along the last residual (Liu, Milzarek, Roosta 2023, "Obtaining pseudo-inverse solutions with
# MINRES", call it lifting).
def conjugate_residual(hvp, right, *, tol, max_iter, axis):
    """The shortest least squares solution of stacks of systems, from products alone.

    Parameters are those of :func:`~sklearn_hypergrad.linalg.conjugate_gradient`.

    Returns
    -------
    x : ndarray like ``right``
    left : ndarray
        Squared norm of ``right - H x`` for each system.
    flat : ndarray of bool
        Whether that residual is in the null space, and not only what iterations have left.
    n_iter : int
    """
    x, residual, product = np.zeros_like(right), right.copy(), hvp(right)
    direction, image = residual.copy(), product.copy()
    size = whole = inner(residual, residual, axis)
    power, largest = inner(residual, product, axis), np.sqrt(ratio(inner(image, image, axis), size))
    eps, flatness = np.finfo(right.dtype).eps, negligible(right.dtype)
    active, n_iter = np.isfinite(size), 0
    while n_iter < max_iter:
        step = ratio(power, inner(image, image, axis))
        # Of a residual in the null space curvature is a rounding error, and so is the inverse of a
        # very long step.
        seen = (power > NOISE * eps * largest * size) & (step * flatness * largest < 1)
        active = active & (size > tol**2 * whole) & seen
        if not active.any():
            break
        n_iter += 1
        step = np.where(active, step, np.zeros_like(step))
        x += step * direction
        residual -= step * image
        product = hvp(residual)
        size, previous = inner(residual, residual, axis), power
        power = np.where(active, inner(residual, product, axis), power)
        largest = np.maximum(largest, np.sqrt(ratio(inner(product, product, axis), size)))
        share = ratio(power, previous)
        direction = residual + share * direction
        image = product + share * image
    flat = (size > tol**2 * whole) & (power <= flatness * largest * size)
    x -= np.where(flat, inner(residual, x, axis) / np.where(flat, size, 1), 0) * residual
    return x, size, flat, n_iter
