"""The training of networks: one definition, for fits and for searches that differentiate them."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_hypergrad.neural_network.parameters import hidden_sizes, network_settings
from sklearn_hypergrad.problems import Network, NetworkProblem, glorot
from sklearn_hypergrad.training import Among, Epochs, Momentum, Training

# Batch size of batch_size="auto", as in scikit-learn's networks.
LARGEST_AUTO_BATCH = 200


def network_training(model, X, targets, sample_weight, seed, rows=None):
    """The Training of a model on checked data.

    Its settings are all hyperparameters of the model; those of a run take their place. Samples of
    weight 0 are left out, so that no batch is made of them alone.

    Parameters
    ----------
    model : MLPClassifier or MLPRegressor
    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Floats, whose dtype is that of the training.
    targets : Targets
    sample_weight : ndarray or None
        Not negative, one for each of the rows.
    seed : int
        Of the start weights and of the batches.
    rows : ndarray of int, default=None
        The samples to train on: batches are taken out of X, which is not copied. None is all.

    Returns
    -------
    Training

    Raises
    ------
    ValueError
        For parameters with illegal values.
    """
    sizes = X.shape[1], *hidden_sizes(model.hidden_layer_sizes), targets.values.shape[1]
    network = Network(sizes, model.activation, targets.loss, X.dtype)
    settings, start = network_settings(model, network), glorot(network, check_random_state(seed))
    rows, sample_weight = _present(rows, sample_weight)
    n_samples, batch_size = X.shape[0] if rows is None else len(rows), _batch_size(model.batch_size)
    batches, y = Epochs(n_samples, batch_size, seed), targets.values
    if rows is not None and batch_size >= n_samples:
        # A batch that is all rows is not to be taken out of X again at every step.
        X, y = X[rows], y[rows]
    elif rows is not None:
        batches, sample_weight = Among(rows, batches), _spread(sample_weight, rows, len(y))
    problem = NetworkProblem(network, X, y, sample_weight, start=start)
    return Training(problem, Momentum(), batches, model.n_steps, settings)


def train(run):
    """Weights after the last step, and the training loss at every step.

    Raises
    ------
    Diverged
        If a loss or a weight is not finite.
    """
    losses = []
    with np.errstate(over="ignore", invalid="ignore"):
        for _, _, after, linearization in run.walk():
            losses.append(linearization.value)
            w = after.w
    run.check(w)
    return w, losses


def _batch_size(batch_size):
    return LARGEST_AUTO_BATCH if batch_size == "auto" else batch_size


def _present(rows, sample_weight):
    """Rows and weights of the samples that have one; rows are None where these are all."""
    if sample_weight is None or np.all(sample_weight):
        return rows, sample_weight
    chosen = np.flatnonzero(sample_weight)
    return (chosen if rows is None else rows[chosen]), sample_weight[chosen]


def _spread(sample_weight, rows, n_samples):
    """Weights of some rows as weights of all."""
    if sample_weight is None:
        return None
    spread = np.zeros(n_samples)
    spread[rows] = sample_weight
    return spread
