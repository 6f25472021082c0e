"""What transformers have in common that take kernels by name: gamma, coef0 and what they refuse."""

from sklearn_hypergrad.by_feature.gamma import (
    VECTOR_GAMMA,
    gamma_array,
    is_per_feature,
    of_kernel,
    unused_by_kernel,
)
from sklearn_hypergrad.problems.kernel.pairwise_kernel import KERNELS
from sklearn_hypergrad.spaces import Hyperparameter
from sklearn_hypergrad.transformers.base import TransformerFamily

# Where scans are centred: gamma relative to the inverse spread of the data, as for KernelRidge, and
# coef0 as scikit-learn's kernels have it.
GAMMA, COEF0 = 0.3, 1.0


class NamedKernelFamily(TransformerFamily):
    """Transformers with a ``kernel``, and its ``gamma``, ``coef0`` and ``degree``.

    Parameters
    ----------
    estimator : estimator

    Attributes
    ----------
    gamma : Hyperparameter
    """

    gamma = Hyperparameter()
    conditions = "kernels with a name"

    def __init__(self, estimator):
        self.hyperparameters = of_kernel(estimator.kernel, self.gamma)

    def configuration_obstacle(self, estimator, names, moving):
        of_class = self.estimator_class.__name__
        if callable(estimator.kernel):
            return f"the kernel of {of_class} is a function"
        if estimator.kernel not in KERNELS:
            return f"{of_class} with kernel={estimator.kernel!r} has no derivatives"
        return None

    def unused(self, estimator, name):
        return unused_by_kernel(estimator, name)

    def own_value(self, estimator, name, X):
        own = getattr(estimator, name)
        if own is not None:
            return own
        usual = {"gamma": 1.0 if estimator.kernel == "chi2" else 1 / X.shape[1], "coef0": COEF0}
        return usual[name]

    def own_values(self, estimator, X):
        """Both of them, as a dict."""
        return {name: self.own_value(estimator, name, X) for name in self.hyperparameters}


class GammaPerFeature:
    """What families of transformers have besides where gamma may be one value per feature."""

    vector_class = None
    gamma = VECTOR_GAMMA

    def own_value(self, estimator, name, X):
        if name == "gamma" and is_per_feature(estimator.gamma):
            return gamma_array(estimator, X.shape[1])
        return super().own_value(estimator, name, X)


def usual_values(pairs, names):
    """Centres of scans: a dict for some of ``gamma`` and ``coef0``.

    Parameters
    ----------
    pairs : PairSum
        That of the kernel.
    names : collection of str
    """
    usual = {"gamma": GAMMA / pairs.spread(), "coef0": COEF0}
    return {name: usual[name] for name in names}
