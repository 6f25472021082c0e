"""Validation losses as log likelihoods: one nat means the same for every loss, n and unit of y.

For squared errors this is the Gaussian log likelihood at the best variance, n/2 log(loss); for log
losses n loss; for any other (loss0 / error0)^2 log(loss / loss0) with error0 the standard error of
the mean loss0 over samples where the search starts, which for squared errors of Gaussians is the
first.
"""

import numpy as np

LOG_LOSSES = {"log_loss", "balanced_log_loss"}
# Weight of log(loss) per sample and output.
SQUARED_ERRORS = {
    "squared_error": 0.5,
    "r2": 0.5,
    "coded_squared_error": 0.5,
    "balanced_coded_squared_error": 0.5,
    "root_squared_error": 1.0,
}


class LogLoss:
    """``n loss``."""

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


def likelihood_scale(name, n_samples, n_outputs, samples):
    """The function from a mean validation loss to nats.

    Parameters
    ----------
    name : str
        Of the validation loss.
    n_samples, n_outputs : int
    samples : callable
        ``samples() -> (losses, weights)`` of all held-out samples where the search starts.
    """
    if name in LOG_LOSSES:
        return LogLoss(n_samples)
    if name in SQUARED_ERRORS:
        return LogOfLoss(SQUARED_ERRORS[name] * n_samples * n_outputs)
    losses, weights = samples()
    mean = np.average(losses, weights=weights)
    variance = np.average((losses - mean) ** 2, weights=weights)
    return LogOfLoss(n_samples * mean**2 / max(variance, np.finfo(float).tiny))
