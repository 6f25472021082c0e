"""Values of hyperparameters as ``set_params`` takes them."""

import numpy as np


def plain(value):
    """A float, or an array of its own."""
    return float(value) if np.ndim(value) == 0 else np.array(value)
