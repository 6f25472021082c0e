"""Rows of ``cv_results_``: which settings are the same."""

import numpy as np

# Relative difference of values that differ by the rounding of a logarithm and back.
SAME = 1e-12


def close(one, other):
    """Whether two values are the same but for rounding, as of a logarithm and back."""
    return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=SAME, atol=0)


def distinct(values, same=close):
    """Values without those that are the same as an earlier one."""
    kept = []
    for value in values:
        if not any(same(value, other) for other in kept):
            kept.append(value)
    return kept


def same_settings(one, other):
    """Whether two dicts of the same names have equal values."""
    return all(np.array_equal(one[name], other[name]) for name in one)


def rows_of(candidate, layout, values):
    """Distinct values, and the settings that make them."""
    values = distinct(values)
    return values, [{**candidate.settings, **layout.settings(value)} for value in values]
