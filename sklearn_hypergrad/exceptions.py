"""Warnings of this package."""

from sklearn.exceptions import ConvergenceWarning


class HypergradWarning(ConvergenceWarning):
    """A search ended somewhere its user should look at.

    At most one is raised per ``fit``. It lists, with numbers and a remedy each: optima on a bound
    that was set with :class:`~sklearn_hypergrad.Continuous`, validation losses that do not depend
    on the hyperparameter, searches that did not converge or fell back to enumeration, and real fits
    whose score differs from that of the converged model.
    """
