"""The direction in which a function of several values curves least, as known slopes tell it.

Two hyperparameters often make up for each other: the loss changes little along a valley that runs
across both. A descent that ends at a kink, and looks along each hyperparameter, see only the slopes
of the valley.
"""

import numpy as np

# Points that tell the curvature for each coordinate, and their least distance in steps of a scan:
# closer ones tell of kinks. Chosen by hand.
N_NEAR, LEAST = 4, 0.05


# With changes of places d and of gradients g, the curvature H has H d = g: it is fitted to the
# nearest points, which count by their inverse distance.
def valley(point, others, steps):
    """The direction of a valley.

    Parameters
    ----------
    point : Record
        Where the valley is to lead through.
    others : list of Record
        Points with gradients.
    steps : ndarray of shape (n_coordinates,)
        Lengths that count as one.

    Returns
    -------
    ndarray of shape (n_coordinates,) or None
        In theta, one long; None if too few points are known.
    """
    moved = np.array([(other.theta - point.theta) / steps for other in others])
    change = np.array([(other.gradient - point.gradient) * steps for other in others])
    distance = np.linalg.norm(moved, axis=1)
    near = np.argsort(distance)
    near = near[distance[near] > LEAST][: N_NEAR * len(steps)]
    if len(near) < len(steps):
        return None
    weights = 1 / distance[near, None]
    curvature, *_ = np.linalg.lstsq(moved[near] * weights, change[near] * weights, rcond=None)
    return steps * np.linalg.eigh(curvature + curvature.T)[1][:, 0]
