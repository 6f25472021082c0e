"""Classification by a feedforward network."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.base import ClassifierMixin

from sklearn_hypergrad._sklearn import fit_context
from sklearn_hypergrad.neural_network.base import MLP
from sklearn_hypergrad.neural_network.targets import coded_classes


class MLPClassifier(ClassifierMixin, MLP):
    """Classifier by a feedforward network, trained by gradient descent with momentum.

    Minimises, by stochastic gradient descent, on batches of samples i with weights s_i ::

        sum_i s_i loss(y_i, z_i) / sum_i s_i  +  1/2 sum_j alpha_j w_j^2

    where z_i are the outputs of the network, and j are all coefficients; intercepts are not
    penalised. The loss is minus the logarithm of the probability of the true class, which is a
    softmax of z for more than two classes and a sigmoid for two; with labels there is a sigmoid for
    each, and the loss is summed over them. A step with the gradient g is ::

        v <- momentum v - learning_rate_init g;   w <- w + v

    from v = 0. Every epoch sees each sample once, in an order of its own. Training ends after
    ``n_steps`` steps: there is no early stopping.

    All of it can be differentiated. Therefore ``alpha``, ``learning_rate_init`` and ``momentum``
    may be arrays, with values that a search found: of shape (n_layers,) for one value per layer of
    weights, (n_steps,) for one per step, or (n_steps, n_layers) for both. Where ``n_steps`` and
    ``n_layers`` are equal, (1, n_layers) and (n_steps, 1) tell them apart.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of shape (n_hidden_layers,), default=(100,)
        Units of each hidden layer; none for a linear model.
    activation : {'identity', 'logistic', 'tanh', 'relu'}, default='relu'
        Activation of the hidden layers.
    alpha : float, array-like or list of arrays, default=1e-4
        Strengths of the L2 penalty, not negative. Besides the shapes above, (n_coefficients,) has
        one for each coefficient, in the order of the entries of ``coefs_``; so has a list of arrays
        shaped like ``coefs_``. This is scikit-learn's alpha divided by its batch size, so that it
        means the same for batches of any size; the default does little.
    batch_size : int or 'auto', default='auto'
        Samples of a batch; 'auto' is 200, as in scikit-learn. All samples, where there are fewer.
    learning_rate_init : float or array-like, default=0.1
        Learning rates, not negative. The default suits standardised features.
    momentum : float or array-like, default=0.9
        Shares of the velocity that a step keeps, at least 0 and below 1. The default is that of
        scikit-learn.
    init_scale : float or array-like of shape (n_layers,), default=1.0
        Factors of the initial weights and biases, which are scikit-learn's: uniform, up to a bound
        that depends on the sizes of a layer (Glorot and Bengio 2010).
    n_steps : int, default=500
        Updates of the weights. Unlike a number of epochs it is the same for any number of samples,
        so that a schedule fits every split and the final fit. The default is 10 epochs of 10000
        samples.
    random_state : int, RandomState instance or None, default=None
        Draws the initial weights and the order of the samples.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, or the numbers of the labels.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Weights of each layer.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of each layer.
    loss_ : float
        Training loss at the last step, before its update.
    loss_curve_ : list of float
        Training loss at every step, on its batch and with the penalty.
    n_iter_ : int
        Number of steps, ``n_steps``.
    n_layers_ : int
        Number of layers, with those of features and outputs: one more than layers of weights.
    n_outputs_ : int
        Number of outputs: one for two classes, else one for each class or label.
    out_activation_ : str
        'softmax' for more than two classes, else 'logistic'.
    n_features_in_ : int
        Number of features of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X has names that are strings.

    See Also
    --------
    MLPRegressor : The same for numbers.
    sklearn.neural_network.MLPClassifier : Trained in epochs, with constant parameters.

    Notes
    -----
    Schedules of learning rates and momenta, and penalties of single weights, are learned from the
    gradient of a validation loss by Maclaurin, Duvenaud and Adams [1]_.

    References
    ----------
    .. [1] Dougal Maclaurin, David Duvenaud and Ryan P. Adams (2015). Gradient-based hyperparameter
       optimization through reversible learning. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_hypergrad.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> cooling = np.linspace(0.1, 0, 300)
    >>> model = MLPClassifier(20, learning_rate_init=cooling, n_steps=300, random_state=0)
    >>> model.fit(X, y).score(X, y)
    0.98
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str = "relu",
        *,
        alpha: ArrayLike = 1e-4,
        batch_size: int | str = "auto",
        learning_rate_init: ArrayLike = 0.1,
        momentum: ArrayLike = 0.9,
        init_scale: ArrayLike = 1.0,
        n_steps: int = 500,
        random_state: int | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.init_scale = init_scale
        self.n_steps = n_steps
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features, in float32 for a training in float32; anything else is trained in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Classes; or labels, of which a sample may have several, as columns of 0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, not negative; None is one for all. A sample of weight 0 is left
            out.

        Returns
        -------
        self : MLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter has a shape or a value that is not legal, if y has one class only,
            or if the training diverges, which a smaller learning rate prevents.
        """
        X, y = self._data(X, y)
        targets, self._label_binarizer = coded_classes(y)
        self.classes_ = self._label_binarizer.classes_
        return self._train(X, targets, sample_weight)

    def predict(self, X):
        """Predict classes, or labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable class; labels that are more probable than not, as 1.
        """
        outputs = self._outputs(X)
        return self._label_binarizer.inverse_transform(outputs, threshold=0)

    def predict_proba(self, X):
        """Predict probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Probabilities of the classes, in the order of ``classes_``, or of each label.
        """
        return self._probabilities(X, softmax, expit)

    def predict_log_proba(self, X):
        """Predict logarithms of probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            As of ``predict_proba``, but without its underflow.
        """
        return self._probabilities(X, log_softmax, log_expit)

    def _probabilities(self, X, of_classes, of_label):
        z = self._outputs(X)
        if self.out_activation_ == "softmax":
            return of_classes(z, axis=1)
        is_binary = self._label_binarizer.y_type_ == "binary"
        return of_label(np.hstack([-z, z]) if is_binary else z)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
