"""The sparse alternative to a vector: descent of the evidence alone, for truths with few features.

Where most features do not matter at all, the usual vector keeps too many of them: its penalty pulls
strong deviations back, and its folds are noisy. The evidence with a penalty that is constant beyond
a deviation of ``REACH`` is far better there, and worse on other data; so it is for a guard to
choose.
"""

from sklearn_hypergrad.search.strategies.vector_descent import lowest_visited
from sklearn_hypergrad.spaces import minimax_concave
from sklearn_hypergrad.tuning import FINE

# Weight of the penalty relative to the shrinkage. Measured on sparse simulations: half does less,
# and to reach a quarter by way of half is no better.
SHARE = 0.25
# Deviation from which on the penalty is constant. Measured on simulations, with the weight.
REACH = 4.0


class SparseDescent:
    """Minimise minus the log evidence of all rows plus a minimax concave penalty.

    Parameters
    ----------
    prepared : PreparedCandidate
    vector : VectorDescent
        The descent of the same vector, with an evidence.
    """

    def __init__(self, prepared, vector):
        self._prepared, self._vector = prepared, vector
        self._splitting = vector.split_by(weak_minimax)
        self.objective = prepared.evidence_alone(vector.evidence, vector.objective)
        self.objective.tol = FINE

    def run(self, theta):
        """The lowest Minimum of descents from all starts.

        Parameters
        ----------
        theta : ndarray
            One value for each hyperparameter.
        """
        bounds, fun = self._splitting.bounds, self._value_and_gradient
        starts = self._vector.starts(theta)
        minima = [lowest_visited(fun, z, bounds, self._prepared) for z in starts]
        return min(minima, key=lambda pair: pair[0])[1]

    def _value_and_gradient(self, z):
        value, gradient = self.objective(self._splitting.theta(z))
        return value + self._splitting.penalty(z), self._splitting.pullback(gradient, z)


def weak_minimax(x, weight):
    """The penalty of deviations ``x >= 0`` for a shrinkage of ``weight``."""
    return minimax_concave(x, SHARE * weight, REACH)
