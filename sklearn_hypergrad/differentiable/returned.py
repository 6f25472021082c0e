"""What functions of one's own return, where arrays are due."""

import numpy as np


def check_array(name, value, remedy):
    """Refuse what is no array of numbers.

    Parameters
    ----------
    name : str
        The function, with its class.
    value : object
        What it returned.
    remedy : str
        What to return in place of a list or of nothing.

    Raises
    ------
    TypeError
        With the remedy.
    """
    if isinstance(value, list | tuple) or value is None:
        raise TypeError(
            f"{name} returned {'None' if value is None else f'a {type(value).__name__}'} in "
            f"place of an array. {remedy}"
        )
    if getattr(value, "dtype", np.dtype(float)).kind == "O":
        raise TypeError(
            f"{name} returned an array of objects, which is what NumPy makes of arrays of "
            f"autograd. Write it with 'import autograd.numpy as np' in place of numpy."
        )
