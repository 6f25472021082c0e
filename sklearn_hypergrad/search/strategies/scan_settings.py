"""How densely a search of several values scans, and how far it descends.

It depends on what evaluations of a model say, and on what they cost: each kind has its settings.
"""

import dataclasses

import numpy as np

# Places of a scan for so many decades of a range where a solution costs a fit of the estimator, at
# least and at most so many. Measured for SVC on nine data sets with C over five and gamma over four
# decades: 3 x 3 points and two descents ended with an accuracy within 0.003 of a grid of 7 x 7, in
# 21 evaluations; one descent missed 0.03; 6 x 4 points gained 0.0004 on average, with 37.
DECADES, FEWEST, MOST = 1.7, 3, 6


@dataclasses.dataclass(frozen=True)
class ScanSettings:
    """The settings for one kind of model.

    Attributes
    ----------
    n_points : tuple of int or None
        Places of the scan along the first hyperparameter that regularises, along the other one of
        two, and along each other one of more; None is one for so many decades.
    listed : bool
        Whether listed values are the places.
    ends : bool
        Whether the ends of a range are, or places are in the middle of equal parts of it.
    n_looks : int
        Looks between points of the scan before a descent.
    rounds : int
        How often, at most, the search looks along each hyperparameter from where it ended.
    worth : float
        A second descent begins where the loss is at most this share larger than where the first one
        ended.
    gains : dict of bool -> float
        A step ends a descent if it gains less than this, relative to the loss and in units of
        tol^2: that is how much a change of a hyperparameter by tol changes it. For losses that are
        the asked score, and for others.
    floor : float
        If the loss is not the asked score, it counts as this share of the largest one of the scan
        at least: of classes that are separable a surrogate goes on to fall after all are told
        apart.
    patience : float
        Evaluations in a row without such a gain that end a descent.
    first_step : float
        Length in theta of the first step of a descent.
    kinks : bool
        Whether the loss has kinks that a scan sees.
    """

    n_points: tuple | None
    listed: bool = False
    ends: bool = False
    n_looks: int = 0
    rounds: int = 0
    worth: float = np.inf
    gains: dict = dataclasses.field(default_factory=lambda: dict.fromkeys((True, False), 0.1))
    floor: float = 0.0
    patience: float = np.inf
    first_step: float = 1.0
    kinks: bool = True

    def n_places(self, width, number, first, n_moving):
        """Places along a hyperparameter.

        Parameters
        ----------
        width : float
            Of its range in theta.
        number, first : int
            Its number, and that of the one with the finest scan.
        n_moving : int
            Number of hyperparameters with more than one value.
        """
        if self.n_points is None:
            return int(np.clip(np.ceil(width / (DECADES * np.log(10))), FEWEST, MOST))
        if number == first:
            return self.n_points[0]
        return self.n_points[1] if n_moving == 2 else self.n_points[2]


# Measured for KernelRidge on 28 data sets, 14 of them of 60 rows, against 24 x 24 points and
# descents from the best six: 6 x 4 points with looks between them missed no minimum by more than
# 1e-7, 6 x 3 points missed three by up to 3 %, with looks or without. A second descent is in one of
# twelve searches.
SMOOTH = ScanSettings((6, 4, 3), n_looks=6, worth=0.05, kinks=False)
# Losses with kinks say less before a descent.
KINKED = ScanSettings((6, 4, 3), n_looks=6)
# Where evaluations are cheap a dense scan says more than a descent across kinks: places are 0.8
# apart over four decades, as in ``line_search``. Measured against 24 x 24 points for LinearSVR (84
# searches), HuberRegressor (42) and ElasticNet (28): without looks along each hyperparameter 23
# ended more than 1e-4 above, 16 of them more than 1e-3; with them 8 and 4. Descents of elastic nets
# on 5 data sets gained less than 2e-7 after their first ten steps. Without lists, a minimum may be
# at an end, or between two places: of 234 searches against 40 x 25 points, 12 x 4 places in the
# middle of parts missed 4 by up to 5 %, and 12 x 6 with the ends 1; 22 % more evaluations.
CHEAP = ScanSettings(
    (12, 6, 4),
    listed=True,
    ends=True,
    n_looks=12,
    rounds=4,
    worth=0.02,
    gains=dict.fromkeys((True, False), 10.0),
)
# Where a solution costs a fit. Measured for SVC and SVR on 19 data sets: with 0.3 all searches
# ended as with infinity, with a fifth fewer evaluations; with 0.1 two of them were worse.
FITTED = ScanSettings(None, worth=0.3, gains={True: 100.0, False: 1000.0}, floor=0.1, kinks=False)
# After a rough scan across kinks, whose best point is near a minimum already. Measured for SVR on
# 14 data sets: line searches went on for two thirds of the evaluations to gain a thousandth.
ROUGH = dataclasses.replace(
    FITTED, gains=dict.fromkeys((True, False), 1e4), patience=2, first_step=0.5, kinks=True
)


def settings_of(objective):
    """The ScanSettings for an objective, from what its models say of themselves."""
    model = objective.terms[0]
    if model.cheap:
        return CHEAP
    if not model.costs_a_fit:
        return SMOOTH if model.smooth else KINKED
    if objective.has_rough and not model.smooth:
        return ROUGH
    return FITTED if model.smooth else dataclasses.replace(FITTED, kinks=True)
