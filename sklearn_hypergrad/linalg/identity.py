"""The identity in place of an inverse."""

import dataclasses

from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved


@dataclasses.dataclass(frozen=True)
class Identity(InverseHessian):
    """``v`` in place of ``H^-1 v``: the first step of descent, up to its rate, and nothing else.

    Costs nothing. The hypergradient has another length than the exact one, and vanishes elsewhere:
    for optimizers that do not compare it with values, such as Adam. The residual is not computed.
    See Luketina et al. (2016), and Lorraine, Vicol, Duvenaud (2019), who compare it.
    """

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        return Solved(right.copy())
