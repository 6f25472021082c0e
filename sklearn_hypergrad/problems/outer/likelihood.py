"""Validation losses as log likelihoods: one nat means the same for every loss, n and unit of y."""

import numpy as np

LINEAR = "linear"


class LogLoss:
    """``n loss``: the loss is minus the mean log likelihood already."""

    def __init__(self, n_samples):
        self.n_samples = n_samples

    def __call__(self, loss):
        """``(value, derivative)``."""
        return self.n_samples * loss, self.n_samples


class LogOfLoss:
    """``weight log(loss)``."""

    def __init__(self, weight):
        self.weight = weight

    def __call__(self, loss):
        """``(value, derivative)``."""
        loss = max(loss, np.finfo(float).tiny)
        return self.weight * np.log(loss), self.weight / loss


# Squared errors: minus the Gaussian log likelihood at the best variance is n/2 log(loss), up to a
# constant. For any other loss, (loss0 / error0)^2 log(loss / loss0), with error0 the standard error
# of the mean loss0 over samples where the search starts, has the same spread as a log likelihood;
# for squared errors of Gaussians, whose variance is 2 loss0^2, it is n/2 log(loss) again.
def likelihood_scale(likelihood, n_samples, n_outputs, samples):
    """The function from a mean validation loss to minus a log likelihood, in nats.

    Parameters
    ----------
    likelihood : float, "linear" or None
        "linear": the loss is minus a mean log likelihood. A number is the weight of ``log(loss)``
        per sample and output. None: the weight follows from the spread of the losses of samples.
    n_samples, n_outputs : int
        Held-out samples, and targets.
    samples : callable
        ``samples() -> (losses, weights)`` of all held-out samples where the search starts; called
        only for None.
    """
    if likelihood == LINEAR:
        return LogLoss(n_samples)
    if likelihood is not None:
        return LogOfLoss(likelihood * n_samples * n_outputs)
    losses, weights = samples()
    mean = np.average(losses, weights=weights)
    variance = np.average((losses - mean) ** 2, weights=weights)
    return LogOfLoss(n_samples * mean**2 / max(variance, np.finfo(float).tiny))
