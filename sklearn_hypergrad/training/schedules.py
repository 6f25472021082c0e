"""Hyperparameters that may differ between steps and between parameter groups."""

import numpy as np


class Schedule:
    """One hyperparameter over the steps of a training run.

    Parameters
    ----------
    name : str
        For messages.
    value : float or array-like
        Of shape () for one value; (n_groups,), or another of ``widths``, for one value per group;
        (n_steps,) for one per step; (n_steps, n_groups) for both. Where ``n_steps`` is one of the
        widths, (1, width) and (n_steps, 1) tell them apart.
    n_steps : int
    widths : tuple of int
        Lengths that are not steps, the number of groups first.

    Raises
    ------
    ValueError
        For any other shape; names the legal ones.
    """

    def __init__(self, name, value, n_steps, widths):
        value = _floats(value)
        self.shape = value.shape
        self._rows = _rows(name, value, n_steps, widths)

    @property
    def varies(self):
        """Whether it has a value for every step."""
        return len(self._rows) > 1

    def at(self, t):
        """The value at step ``t``: a float, or an array of one of the widths."""
        row = self._rows[self._index(t)]
        return row if len(row) > 1 else float(row[0])

    def zeros(self):
        """What ``add`` adds to: nothing yet."""
        return np.zeros_like(self._rows)

    def add(self, total, t, slope):
        """Add a derivative in the value at step ``t``, summed over groups that share it."""
        row = total[self._index(t)]
        row += slope if len(row) > 1 else np.sum(slope)

    def shaped(self, total):
        """Sums of derivatives, in the shape of the value."""
        return total.reshape(self.shape)

    def direction(self, index, t):
        """How the value at step ``t`` moves with the entry ``index``; None if it does not."""
        unit = np.zeros(self.shape)
        unit[index] = 1.0
        row = unit.reshape(self._rows.shape)[self._index(t)]
        if not row.any():
            return None
        return row if len(row) > 1 else float(row[0])

    def _index(self, t):
        return t if self.varies else 0


class Whole:
    """A hyperparameter that is the same array at every step, as :class:`Schedule`."""

    varies = False

    def __init__(self, value):
        self._value = _floats(value)
        self.shape = self._value.shape

    def at(self, t):
        return self._value if self._value.ndim else float(self._value)

    def zeros(self):
        return np.zeros(self.shape)

    def add(self, total, t, slope):
        total += slope

    def shaped(self, total):
        return total

    def direction(self, index, t):
        unit = np.zeros(self.shape)
        unit[index] = 1.0
        return unit if unit.ndim else float(unit)


def _floats(value):
    """As an array, not copied where it is one of floats, of whatever precision."""
    value = np.asarray(value)
    return value if np.issubdtype(value.dtype, np.floating) else value.astype(float)


def _rows(name, value, n_steps, widths):
    """The value as an array of shape (n_steps or 1, width or 1)."""
    if value.ndim == 0:
        return value.reshape(1, 1)
    if value.ndim == 1:
        steps, groups = len(value) == n_steps, len(value) in widths
        if steps != groups or (steps and n_steps == 1):
            return value.reshape((-1, 1) if steps else (1, -1))
    elif value.ndim == 2 and len(value) in (1, n_steps) and value.shape[1] in (1, *widths):
        return value
    raise ValueError(_refusal(name, value.shape, n_steps, widths))


def _refusal(name, shape, n_steps, widths):
    if shape == (n_steps,):
        return (
            f"{name} has shape {shape}, which may be one value per step or one per group. Write "
            f"({n_steps}, 1) for steps or (1, {n_steps}) for groups."
        )
    legal = [f"({n_steps},) per step", *(f"({width},)" for width in widths)]
    legal += [f"({n_steps}, {width})" for width in widths]
    return f"{name} has shape {shape}. Legal are a number, {', '.join(legal)}."
