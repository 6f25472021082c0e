"""Warnings of this package."""

from sklearn.exceptions import ConvergenceWarning


class HypergradWarning(ConvergenceWarning):
    """A search ended somewhere its user should look at.

    At most one is given per ``fit``. It has a line for each of these, with numbers and a remedy: an
    optimum on a bound of :class:`~sklearn_hypergrad.Continuous`, a validation loss that does not
    depend on the hyperparameter, a search that did not converge or fell back to enumeration, and
    real fits whose score differs from that of the converged model.
    """
