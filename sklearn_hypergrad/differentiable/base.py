"""What models of one's own share: an objective out of three functions, and how it is minimised."""

import abc
import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_hypergrad._sklearn import DocumentedMixin
from sklearn_hypergrad.differentiable.declarations import Declared, check_dynamics
from sklearn_hypergrad.differentiable.functions import Outputs
from sklearn_hypergrad.differentiable.problems import model_training, solved_problem
from sklearn_hypergrad.differentiable.returned import check_array
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.problems.autograd.backends import derivatives_of, flat, numpy_of
from sklearn_hypergrad.problems.autograd.loaded_jax import doubles, in_numpy
from sklearn_hypergrad.problems.autograd.nested import Nested, n_parts
from sklearn_hypergrad.training import OF_TRAINING, explained


class DifferentiableModel(Declared, DocumentedMixin, BaseEstimator, abc.ABC):
    """An estimator that is written down as a loss; see its subclasses for regression and classes.

    ``fit`` minimises ::

        sum_i s_i loss(y_i, forward(w, x_i)) / sum_i s_i  +  penalty(w)

    over the weights ``w``, with sample weights ``s``. A subclass has a constructor as any
    scikit-learn estimator, and lists in ``hyperparameters`` which of its parameters can be tuned.
    It writes ``initial`` and ``forward`` with ``autograd.numpy`` or ``jax.numpy`` and, unless the
    default suits, ``loss`` and ``penalty``. These take the hyperparameters as a dict ``h``: read
    them from there, not from ``self``, or they have no derivative. A hyperparameter may be a number
    or an array of any shape.

    Attributes
    ----------
    hyperparameters : dict of str -> Hyperparameter
        Set by the subclass. One that is called "sample_weight" multiplies the losses of the
        samples, whose sum is then divided by their number.
    dynamics : Dynamics or None
        Set by the subclass. None: the objective is minimised until the gradient is ``tol`` times as
        long as at the start, and differentiated implicitly. Dynamics, such as
        :class:`~sklearn_hypergrad.training.Momentum`: it is trained for ``n_steps`` updates on
        batches of ``batch_size`` samples (None is all), and the training is differentiated. The
        constructor then also has ``n_steps``, ``batch_size`` and the parameters of the dynamics
        (``learning_rate_init``, and ``momentum``, or ``beta_1`` and ``beta_2`` for
        :class:`~sklearn_hypergrad.training.Adam`), which can be tuned, too.
    backend : {"auto", "autograd", "jax"}
        Set by the subclass: what its functions are written with. By default, "auto", they show it
        when they are first called. JAX compiles them: see the user guide.
    tol : float
        Tolerance of the minimisation: norm of the gradient at the end, relative to the start. The
        default 1e-10 is that of a search, which compares losses that differ little. It may be a
        parameter of the constructor instead.
    """

    backend = "auto"
    dynamics = None
    tol = 1e-10
    # A subclass may have constraints of its own, as scikit-learn's estimators do.
    _parameter_constraints: dict = {}

    @abc.abstractmethod
    def initial(self, X, y, rng):
        """Initial weights.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers: as they are for regression, 0 and 1 for two classes, one-hot for
            more.
        rng : numpy.random.Generator
            Generator with the seed ``random_state``, if there is such a parameter, else with a
            fixed seed.

        Returns
        -------
        w : dict, list, tuple, ndarray or float
            The weights, in any nested structure of dicts, lists, arrays and floats.
        """

    @abc.abstractmethod
    def forward(self, w, X, h):
        """What the model predicts.

        Parameters
        ----------
        w : nested structure
            Weights, as ``initial`` returns them.
        X : ndarray of shape (n_samples, n_features)
            Features.
        h : dict of str -> float or ndarray
            Hyperparameters.

        Returns
        -------
        z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Outputs, of the shape of y.
        """

    def training_forward(self, w, X, h, t, rng):
        """Predict while the model is trained, with dropout or augmentation; by default ``forward``.

        Only models with ``dynamics`` may override it. Predictions are always those of ``forward``.

        Parameters
        ----------
        w : nested structure
            Weights, as ``initial`` returns them.
        X : ndarray of shape (n_batch, n_features)
            Features of a batch.
        h : dict of str -> float or ndarray
            Hyperparameters.
        t : int
            The step of the training.
        rng : numpy.random.Generator
            A generator of this step, which draws the same numbers each time the step is taken.
            With ``backend = "jax"`` a key of ``jax.random``.

        Returns
        -------
        z : ndarray of shape (n_batch,) or (n_batch, n_outputs)
            Outputs, of the shape of y.
        """
        return self.forward(w, X, h)

    @abc.abstractmethod
    def loss(self, y, z, h):
        """Loss of every sample.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers, see ``initial``.
        z : ndarray of the shape of y
            Outputs of ``forward``.
        h : dict of str -> float or ndarray
            Hyperparameters.

        Returns
        -------
        losses : ndarray of shape (n_samples,)
            One number per sample.
        """

    def penalty(self, w, h):
        """What the objective has besides losses; by default nothing.

        Parameters
        ----------
        w : nested structure
            Weights, as ``initial`` returns them.
        h : dict of str -> float or ndarray
            Hyperparameters.

        Returns
        -------
        penalty : float
            One number.
        """
        return 0.0

    # What follows is not for subclasses to write, though closed forms of derivatives may be given
    # for a model that is minimised: methods called gradient(w, h, X, y, sample_weight), and hvp,
    # cross_vjp and cross_jvp with a last argument v or u, in the nested structure.

    def tunable(self):
        """All hyperparameters that a search may move.

        Returns
        -------
        hyperparameters : dict of str -> Hyperparameter
            Those of the training, if there are ``dynamics``, and those that the class declares.

        Raises
        ------
        TypeError, ValueError
            If the class declares what cannot be, or its constructor lacks what training needs.
        """
        declared = super().tunable()
        if self.dynamics is None:
            return declared
        check_dynamics(self)
        return {**{name: OF_TRAINING[name] for name in self.dynamics.names}, **declared}

    def hyperparameter_shape(self, name, per, X, w):
        """Shape of a hyperparameter with one value per ``per``; override it for shapes of your own.

        Parameters
        ----------
        name : str
            Name of the hyperparameter.
        per : str, tuple or None
            One of those that ``hyperparameters`` allows; None is the shape that it has now.
        X : ndarray of shape (n_samples, n_features)
            Features.
        w : nested structure
            Weights, as ``initial`` returns them.

        Returns
        -------
        shape : tuple of int
            Shape of the array; ``()`` for a number.

        Raises
        ------
        ValueError
            If nothing is known of this ``per``.
        """
        if per is None:
            return np.shape(getattr(self, name))
        lengths = {
            "feature": X.shape[1],
            "sample": X.shape[0],
            "coefficient": flat(w).size,
            "layer": n_parts(w),
        }
        if self.dynamics is not None:
            lengths["step"] = self.n_steps
        return self._shape_along(name, per, lengths, "name, per, X, w")

    @property
    def draws(self):
        """Whether training differs from prediction, by a ``training_forward`` of the subclass."""
        return type(self).training_forward is not DifferentiableModel.training_forward

    def objective(self, w, h, X, y, sample_weight, *chance):
        """The number that is minimised over ``w``.

        Parameters
        ----------
        w : nested structure
            Weights, as ``initial`` returns them.
        h : dict of str -> float or ndarray
            Hyperparameters.
        X : ndarray of shape (n_samples, n_features)
            Features.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers, see ``initial``.
        sample_weight : ndarray of shape (n_samples,)
            Weights of the samples.
        *chance : int and numpy.random.Generator
            The step and its generator, for models that override ``training_forward``.

        Returns
        -------
        objective : float
            The weighted mean of the losses plus the penalty.
        """
        z = self.training_forward(w, X, h, *chance) if chance else self.forward(w, X, h)
        mean = self.mean_loss(y, z, h, sample_weight)
        penalty = self.penalty(w, h)
        self._check_array("penalty", penalty, (), "Return one number: a sum.")
        return mean + penalty

    def mean_loss(self, y, z, h, sample_weight):
        """The weighted mean of the losses.

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers, see ``initial``.
        z : ndarray of the shape of y
            Outputs of ``forward``.
        h : dict of str -> float or ndarray
            Hyperparameters.
        sample_weight : ndarray of shape (n_samples,)
            Weights of the samples.

        Returns
        -------
        loss : float
            With a hyperparameter "sample_weight", the sum divided by the number of samples.

        Raises
        ------
        TypeError, ValueError
            If outputs or losses are no array, or have the wrong shape, with the right one.
        """
        self._check_array("forward", z, np.shape(y), "One output per entry of y is needed.")
        losses = self.loss(y, z, h)
        self._check_array(
            "loss", losses, (len(y),), "Return one loss per sample; they are weighted and averaged."
        )
        total = numpy_of(losses, y).sum
        if "sample_weight" in h:
            return total(h["sample_weight"] * sample_weight * losses) / len(y)
        return total(sample_weight * losses) / total(sample_weight)

    def problem(self, X, y, sample_weight, seed):
        """The objective on some data as a problem of its own.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers, see ``initial``.
        sample_weight : ndarray of shape (n_samples,)
            Weights of the samples.
        seed : int
            Of what is drawn.

        Returns
        -------
        problem : InnerProblem or Training
            A Training where there are ``dynamics``.
        """
        values = self.hyperparameter_values()
        start = self.begun(X, y, seed)
        try:
            Nested(start)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}.initial returned {start!r}. {error}") from error
        make = solved_problem if self.dynamics is None else model_training
        return make(self, start, values, (X, y, sample_weight), seed)

    def begun(self, X, y, seed):
        """Initial weights, in double precision.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Features.
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Targets as numbers, see ``initial``.
        seed : int
            Of what is drawn.

        Returns
        -------
        w : nested structure
            What ``initial`` returns, in arrays of NumPy.
        """
        with doubles():
            return in_numpy(self.initial(X, y, np.random.default_rng(seed)))

    def _check_array(self, function, value, shape, remedy):
        """Refuse what a function of the subclass must not return."""
        name = f"{type(self).__name__}.{function}"
        check_array(name, value, remedy)
        if np.shape(value) != shape:
            raise ValueError(
                f"{name} returned an array of shape {np.shape(value)}, and not {shape}. {remedy}"
            )

    def _fit(self, X, y, sample_weight):
        present = sample_weight > 0
        if not present.all() and "sample_weight" not in self.tunable():
            X, y, sample_weight = X[present], y[present], sample_weight[present]
        self.hyperparameters_ = self.hyperparameter_values()
        problem = self.problem(X, y, sample_weight, self._seed())
        self.backend_ = getattr(problem, "problem", problem).backend
        minimised = self._minimised if self.dynamics is None else self._descended
        self.weights_ = minimised(problem)
        return self

    def _minimised(self, problem):
        solution = problem.solve({}, None, self.tol)
        if solution.status is not Status.CONVERGED:
            warnings.warn(
                f"The loss of {type(self).__name__} was not minimised to tol={self.tol}. Is it "
                f"smooth, and bounded from below? Standardise the features, or penalise weights.",
                ConvergenceWarning,
                stacklevel=4,
            )
        return problem.structure.unflatten(solution.w)

    def _descended(self, training):
        with explained():
            return training.problem.structure.unflatten(training.run({}).weights())

    def _forward(self, X):
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if getattr(self, "backend_", "autograd") == "autograd":
            return self.forward(self.weights_, X, self.hyperparameters_)
        structure = Nested(self.weights_)
        outputs = derivatives_of(Outputs(self, self.hyperparameters_), structure, self.backend_)
        return outputs.evaluate(structure.flatten(self.weights_), {}, X)
