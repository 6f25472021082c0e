"""What transformers have in common that take kernels by name: gamma, coef0 and what they refuse."""

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
        signed = estimator.kernel == "sigmoid"
        self.hyperparameters = {
            "gamma": self.gamma,
            "coef0": Hyperparameter(scale="linear") if signed else Hyperparameter(),
        }

    def configuration_obstacle(self, estimator, names, moving):
        of_class = self.estimator_class.__name__
        if callable(estimator.kernel):
            return f"the kernel of {of_class} is a function"
        if estimator.kernel not in KERNELS:
            return f"{of_class} with kernel={estimator.kernel!r} has no derivatives"
        return None

    def unused(self, estimator, name):
        form = KERNELS.get(estimator.kernel) if isinstance(estimator.kernel, str) else None
        if form is None or name in form.names:
            return None
        return f"{self.estimator_class.__name__} has no {name} with kernel={estimator.kernel!r}"

    def own_value(self, estimator, name, X):
        own = getattr(estimator, name)
        if own is not None:
            return own
        usual = {"gamma": 1.0 if estimator.kernel == "chi2" else 1 / X.shape[1], "coef0": COEF0}
        return usual[name]

    def own_values(self, estimator, X):
        """Both of them, as a dict."""
        return {name: self.own_value(estimator, name, X) for name in self.hyperparameters}


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
