"""Decision values of classifiers by Bayes' rule, from joint log likelihoods of rows and classes.

They are log-probabilities, of two classes the log odds, and end where scikit-learn's log loss clips
probabilities: beyond there it does not change. Then the loss that is descended is that score, also
of models whose probabilities are zero in floating point.
"""

import abc

import numpy as np

from sklearn_hypergrad.adapters.closed_form import ClosedFormSplit


class LikelihoodSplit(ClosedFormSplit):
    """A split with joint log likelihoods.

    Attributes
    ----------
    eps : float
        Probabilities are clipped at it: the precision of the probabilities of the estimator.
    """

    eps = np.finfo(float).eps

    @abc.abstractmethod
    def joint(self, values):
        """Joint log likelihoods, of shape (n_classes, n_values, n_held_out).

        They are nan for values that the fit refuses.
        """

    @abc.abstractmethod
    def joint_slopes(self, value):
        """Their derivatives at one value, of shape (n_classes, n_held_out)."""

    # What is not finite is no candidate of a search, which sees it from the loss.
    def decisions(self, values):
        with np.errstate(all="ignore"):
            return _outputs_last(self._clipped(self._unclipped(self.joint(values))))

    def at(self, value):
        with np.errstate(all="ignore"):
            found = self._unclipped(self.joint([value])[:, 0])
        return _outputs_last(self._clipped(found)), lambda: self._slopes(value, found)

    def _slopes(self, value, found):
        """Derivatives at one value, whose decision values are these without limits."""
        low, high = self._limits(len(found))
        with np.errstate(all="ignore"):
            slopes = self.joint_slopes(value)
            if len(slopes) == 2:
                slopes = slopes[1:] - slopes[:1]
            else:
                slopes = slopes - np.sum(np.exp(found) * slopes, axis=0)
            return _outputs_last(np.where((found > low) & (found < high), slopes, 0.0))

    def _unclipped(self, joint):
        """Log-probabilities, of two classes the log odds of the second; classes come first."""
        if len(joint) == 2:
            return joint[1:] - joint[:1]
        shifted = joint - joint.max(axis=0)
        return shifted - np.log(np.exp(shifted).sum(axis=0))

    def _clipped(self, found):
        return np.clip(found, *self._limits(len(found)))

    def _limits(self, n_outputs):
        """The decision values at which probabilities are clipped."""
        if n_outputs == 1:
            largest = np.log((1 - self.eps) / self.eps)
            return -largest, largest
        return np.log(self.eps), np.inf


def priors_of(given, counts):
    """Shares of the classes: those that are given, or else those of counts.

    Raises
    ------
    ValueError
        If there is not one for every class.
    """
    if given is None:
        return counts / counts.sum()
    priors = np.array(given, dtype=float)
    if priors.shape != counts.shape:
        raise ValueError(f"there are {priors.size} priors of {len(counts)} classes")
    return priors


def _outputs_last(values):
    return np.moveaxis(values, 0, -1)
