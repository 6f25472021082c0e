"""What the networks for classes and for numbers share."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from sklearn_hypergrad._sklearn import DocumentedMixin, Interval, StrOptions, check_sample_weight
from sklearn_hypergrad.neural_network.training import network_training, train
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.problems.network.activations import ACTIVATIONS
from sklearn_hypergrad.training import explained, seed_of

DTYPES = [np.float64, np.float32]
_NOT_NEGATIVE = Interval(Real, 0, None, closed="left")


class MLP(DocumentedMixin, BaseEstimator):
    """A network that is trained for a fixed number of steps."""

    _parameter_constraints = {
        "hidden_layer_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "alpha": [_NOT_NEGATIVE, "array-like"],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [_NOT_NEGATIVE, "array-like"],
        "momentum": [Interval(Real, 0, 1, closed="left"), "array-like"],
        "init_scale": [_NOT_NEGATIVE, "array-like"],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def _data(self, X, y, **checks):
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=DTYPES, multi_output=True, **checks
        )
        is_column = y.ndim == 2 and y.shape[1] == 1
        return X, column_or_1d(y, warn=True) if is_column else y

    def _train(self, X, targets, sample_weight):
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=X.dtype, ensure_non_negative=True
            )
        seed = seed_of(self.random_state)
        training = network_training(self, X, targets, sample_weight, seed)
        with explained():
            w, self.loss_curve_ = train(training.run({}))
        layers = training.problem.network.layers(w)
        self.coefs_, self.intercepts_ = (
            [*map(np.copy, parts)] for parts in zip(*layers, strict=True)
        )
        self.n_layers_, self.n_outputs_ = len(layers) + 1, targets.values.shape[1]
        self.out_activation_ = targets.out_activation
        self.n_iter_, self.loss_ = self.n_steps, self.loss_curve_[-1]
        return self

    def _outputs(self, X):
        """Raw outputs, of shape (n_samples, n_outputs)."""
        check_is_fitted(self, "coefs_")
        X = validate_data(self, X, accept_sparse="csr", dtype=DTYPES, reset=False)
        sizes = len(self.coefs_[0]), *map(len, self.intercepts_)
        layers = zip(self.coefs_, self.intercepts_, strict=True)
        w = np.concatenate([part.ravel() for layer in layers for part in layer])
        return Network(sizes, self.activation, loss=None, dtype=w.dtype).outputs(w, X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
