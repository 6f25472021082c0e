"""Stacks of independent systems in one array, which one of its axes counts."""

import numpy as np

# Rows of systems that are worked on at once. Measured: NumPy's loops over rows of five numbers take
# two to three times as long as over rows of 320; more than 16 rows are as good as 256.
TOGETHER = 64
# Curvature relative to the largest one from which on it counts as zero: its sign and size are due
# to rounding. Chosen by hand: products with long vectors lose up to four digits.
ROUNDING = 1e4


def inner(a, b, axis):
    """Inner product of each system, shaped to broadcast with ``a``.

    Parameters
    ----------
    a, b : ndarray
    axis : int or None
        What counts the systems; None is one system.
    """
    if axis is None:
        return np.reshape(np.vdot(a, b), (1,) * a.ndim)
    axes = list(range(a.ndim))
    if _in_rows(a, axis) and _in_rows(b, axis):
        (many, few), (more, fewer) = _rows(a, axis), _rows(b, axis)
        products = np.einsum("ij,ij->j", few, fewer)
        products += np.einsum("gs->s", np.einsum("ij,ij->j", many, more).reshape(TOGETHER, -1))
    else:
        products = np.einsum(a, axes, b, axes, [axis])
    return products.reshape([-1 if i == axis else 1 for i in axes])


def scaled(factors, v, axis, out):
    """``factors * v`` with one factor for each system, written to ``out``."""
    if not (_in_rows(v, axis) and _in_rows(out, axis)):
        return np.multiply(factors, v, out=out)
    (many, few), (more, fewer) = _rows(v, axis), _rows(out, axis)
    factors = np.ravel(factors)
    np.multiply(many, np.tile(factors, TOGETHER), out=more)
    np.multiply(few, factors, out=fewer)
    return out


def _in_rows(v, axis):
    """Whether ``v`` is a table in memory with one column for each system."""
    return axis is not None and v.flags.c_contiguous and v[0].size == v.shape[axis] and axis > 0


def _rows(v, axis):
    """The table ``v`` with several rows in one, and the rows that are left."""
    flat = v.reshape(-1, v.shape[axis])
    n_rows = len(flat) // TOGETHER * TOGETHER
    return flat[:n_rows].reshape(-1, TOGETHER * v.shape[axis]), flat[n_rows:]


def ratio(numerator, denominator):
    """Quotient that is zero where the denominator is not positive: there is nothing to do."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def relative(squares, whole):
    """The largest ratio of norms, from their squares for each system; nan if one is not finite."""
    shares = np.where(np.isfinite(whole), ratio(squares, whole), np.nan)
    return float(np.sqrt(np.max(shares, initial=0.0)))


def defined(x, right, axis):
    """``x``, or a copy with nan for systems whose right-hand side is not finite."""
    finite = np.isfinite(inner(right, right, axis))
    return x if finite.all() else np.where(finite, x, np.nan)


def as_rows(array, axis):
    """A copy with one row for each system."""
    first = array[None] if axis is None else np.moveaxis(array, axis, 0)
    return first.reshape(len(first), -1).copy()


def from_rows(rows, like, axis):
    """The array, shaped like ``like``, of these systems."""
    if axis is None:
        return rows.reshape(like.shape)
    shape = np.moveaxis(like, axis, 0).shape
    return np.moveaxis(rows.reshape(shape), 0, axis)


def negligible(dtype):
    """The relative curvature below which a direction counts as flat."""
    return ROUNDING * np.finfo(dtype).eps
