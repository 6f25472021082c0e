"""The identity in place of an inverse."""

import dataclasses

from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved


@dataclasses.dataclass(frozen=True)
class Identity(InverseHessian):
    """``v`` in place of ``H^-1 v``: the last step of descent alone, up to its learning rate.

    It costs nothing. The hypergradient has another length than the exact one and vanishes at other
    points, so it suits optimizers that do not compare it with values, such as Adam. The residual is
    not computed. See Luketina, Berglund, Greff, Raiko (2016), "Scalable Gradient-Based Tuning of
    Continuous Regularization Hyperparameters"; Lorraine, Vicol, Duvenaud (2019) compare it.
    """

    exact = False

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        return Solved(right.copy())
