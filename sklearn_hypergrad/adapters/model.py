"""The contract of models: predictions ``z(h)`` of held-out rows, and their pullback to ``h``.

A Model trains all splits of one data set at hyperparameters ``h``, predicts the held-out rows, and
pulls gradients in these predictions back to ``h``: for a validation loss ``L(z)`` the hypergradient
is ``(dz/dh)' dL/dz``. Validation losses act on ``z``, so every loss applies to every family.
"""

import abc
import copy
import dataclasses
from collections.abc import Callable

import numpy as np

from sklearn_hypergrad.hypergradients import Evaluation, Implicit, WarmStart
from sklearn_hypergrad.hypergradients.implicit import is_exact
from sklearn_hypergrad.problems import LinearPredictions, LinearProblem, Status, WeightLoss
from sklearn_hypergrad.problems.linear.row_space import from_row_space
from sklearn_hypergrad.problems.outer.held_out import held_out_rows, on_held_out

CLOSED_FORM = (
    "Cannot differentiate {} with {!r}. This is because its predictions are differentiated in "
    "closed form, and there is no training problem to differentiate otherwise. Use "
    "hypergradient='auto'."
)

# Centre of a scan of L1 penalties, relative to the strength at which the first weight leaves zero,
# and the smallest share of the L1 penalty that counts for it.
CENTRE, LEAST_RATIO = 1e-2, 0.1


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The result of a fit at one setting of the hyperparameters.

    Attributes
    ----------
    z : ndarray of shape (n_held_out, n_outputs)
        Predictions of the held-out rows of all splits, split after split: numbers for regression,
        logits or decision values for classes.
    pullback : callable
        ``pullback(g) -> Pulled``, for ``g`` shaped like ``z``: derivatives of ``sum g z`` in the
        hyperparameters. None after ``Model.train``.
    state : object
        A start for the next fit, or None. Its attribute ``size``, if any, is the number of floats
        in it; its method ``stored``, if any, returns the part that is kept between fits. A search
        with a checkpoint keeps the weights of a WarmStart, the attribute ``array`` of other states,
        of which ``Model.start_at`` makes them again, and nothing of those that have none.
    statuses : tuple of Status
        Statuses of the solver.
    n_solves : int
        Number of linear systems solved, over all splits.
    w : object
        The weights, or whatever ``install`` of the family needs.
    """

    z: np.ndarray
    pullback: Callable
    state: object = None
    statuses: tuple[Status, ...] = (Status.CONVERGED,)
    n_solves: int = 1
    w: object = None


class Model(abc.ABC):
    """All splits of one data set, trained and judged as one function of the hyperparameters.

    Nothing is kept on an instance between calls. The search chooses its strategy from the
    attributes.

    Parameters
    ----------
    data : SplitData
        The data of the splits.

    Attributes
    ----------
    smooth : bool
        Whether predictions have a derivative everywhere, and losses few minima. If not, a scan is
        denser and its two best points are descended.
    smooth_while : str
        As long as what the objective of its fit is smooth; "" if it always is.
    cheap : bool
        Whether an evaluation costs much less than fits of the estimator: then scans are denser, and
        have all listed values.
    slow_when_weak : bool
        Whether weak penalties take far longer than strong ones: then scans that come from strong
        ones end once the loss has risen.
    penalty_scale : {"sum", "mean"} or None
        Whether its penalty stands against a sum over rows, so that the best penalty does not
        depend on their number and half splits find it, or against a mean. None if it has no
        penalty.
    trained : bool
        Whether it is trained step by step, for a given number of steps.
    iterative : bool
        Whether a more accurate solution takes longer.
    uses_starts : bool
        Whether a fit may be faster if it starts where another one has ended.
    shares_rows : bool
        Whether a matrix of all rows, such as a kernel, serves all splits.
    costs_a_fit : bool
        Whether a solution takes about as long as a fit of the estimator. Then a search of several
        values visits fewer points, and of listed values it judges those that it has visited.
    per_column : bool
        Whether its penalty is one on the weights of the columns of X, so that a column in other
        units has a level of its own.
    validation_loss : ValidationLoss or None
        The loss that judges it, set by ``judged_by``.
    outer : callable or None
        The same loss as a function for ``evaluate``, set by ``judged_by``.
    rough : callable or None
        ``rough(h, start)``: the Fitted of solutions that are as exact as the estimator's own fits,
        without a pullback, at a fraction of the price. It raises LinAlgError where it takes long.
    cheap_along : bool
        Whether this price is that of the other hyperparameters, so that a rough scan may as well
        have all places along the penalty.
    knows_targets : bool
        Whether an Evaluation has the loss of each target, and ``curvature`` is known.
    path : callable or None
        ``path(values)``: an iterable of ``z``, the predictions for each of many values of its only
        hyperparameter, at the price of one.
    """

    smooth, smooth_while = True, ""
    cheap = slow_when_weak = False
    penalty_scale = "sum"
    trained = False
    iterative = False
    uses_starts = True
    shares_rows = False
    costs_a_fit = False
    per_column = False
    rough = path = None
    cheap_along = knows_targets = False

    validation_loss = outer = None

    def __init__(self, data):
        self.data = data

    @property
    def n_splits(self):
        """Splits of its data."""
        return self.data.n_splits

    def levels(self):
        """Centres of a scan without bounds: a dict from hyperparameters to positive floats.

        For a penalty it is the strength at which penalty and data have about the same weight. A
        hyperparameter without a level is searched from the estimator's own value.
        """
        return {}

    def limits(self):
        """What its data allow: a dict from hyperparameters to ``(low, high)``.

        Those that are left out have the limits of the family.
        """
        return {}

    @abc.abstractmethod
    def fit(self, h, start, tol):
        """Train all splits.

        Parameters
        ----------
        h : dict
            Hyperparameters in natural units.
        start : object
            The ``state`` of an earlier fit, or None.
        tol : float
            Accuracy of the solution relative to the scale of the data.

        Returns
        -------
        Fitted
        """

    def train(self, h, start, tol):
        """The same as ``fit`` without a pullback, which may be cheaper."""
        return self.fit(h, start, tol)

    def solve(self, h, start, tol):
        """The same as ``train``, perhaps without predictions."""
        return self.train(h, start, tol)

    def known(self, h, state, tol, *, predicted=True):
        """The same as ``train`` if ``state`` is that of a fit at ``h`` to this tolerance.

        By default it is trained again, from there. If not ``predicted``, it is that of ``solve``.
        """
        return (self.train if predicted else self.solve)(h, state, tol)

    def effective_dof(self, h):
        """Effective degrees of freedom of a fit on all rows with one penalty.

        Parameters
        ----------
        h : dict
            The penalty.

        Returns
        -------
        float or None
            None, the default, if what is known of the splits does not tell them.
        """
        return None

    def steepest(self, fitted, h, block):
        """The largest slope of a fit's mean objective at a solution, for every split.

        Solvers that stop where all slopes are below their ``tol`` stay at a solution where this is
        smaller.

        Parameters
        ----------
        fitted : Fitted
        h : dict
            Hyperparameters of the solution.
        block : SplitData
            The data that the model was made of; slopes are those in its splits' own features.

        Returns
        -------
        ndarray of shape (n_splits,)
            By default infinite: it is not known.
        """
        return np.full(self.n_splits, np.inf)

    def start_at(self, array):
        """The start that a search with a checkpoint has stored as an array."""
        return WarmStart.at(array)

    def with_moving_rows(self):
        """The model itself, or one whose fits prepare ``x_vjp``, which then takes less time."""
        return self

    def x_vjp(self, h, fitted, g):
        """Derivatives of ``sum g z`` in the rows of X, in training and held-out parts.

        Parameters
        ----------
        h : dict
            Hyperparameters of the fit.
        fitted : Fitted
            What ``fit`` returned.
        g : ndarray like ``z``
            Gradient of a loss in the predictions.

        Returns
        -------
        ndarray of the shape of ``data.X``
            A row of several splits gets the sum of their derivatives.

        Raises
        ------
        TypeError
            If this model has no such derivatives.
        """
        raise TypeError(f"{type(self).__name__} has no derivatives in its rows.")

    def x_vjp_in(self, h, fitted, g, columns, X=None):
        """The same in some columns of X, which may be far fewer; by default these of all.

        If X is given, they are columns of wide rows, of which the model has a basis.
        """
        slopes = self.x_vjp(h, fitted, g)
        return (
            slopes[:, columns] if X is None else from_row_space(slopes, self.data.X, X[:, columns])
        )

    def differentiated(self, method):
        """The model with another method of differentiation.

        Parameters
        ----------
        method : Hypergradient or None
            None is the usual method.

        Returns
        -------
        Model

        Raises
        ------
        ValueError
            If the model is differentiated in closed form only.
        """
        if method is None or type(method) is Implicit:
            return self
        raise ValueError(CLOSED_FORM.format(type(self).__name__, method))

    def held_out(self, validation_loss):
        """A validation loss as a function of ``z``: a HeldOutLoss."""
        return on_held_out(self.data, validation_loss)

    def judged_by(self, validation_loss):
        """A copy of the model with a validation loss: a term of an objective.

        Parameters
        ----------
        validation_loss : ValidationLoss or None
            None is the closed-form leave-one-out loss of models that have one.

        Returns
        -------
        Model
        """
        model = copy.copy(self)
        model.validation_loss = validation_loss
        model.outer = model.outer_of(validation_loss)
        return model

    def outer_of(self, validation_loss):
        """A validation loss as ``evaluate`` uses it; by default a function of ``z``."""
        return self.held_out(validation_loss)

    def evaluate(self, h, start, tol, **options):
        """Value and hypergradient of the validation loss; parameters are those of ``fit``.

        Returns
        -------
        Evaluation
        """
        fitted = self.fit(h, start, tol, **options)
        values, g = self.outer(fitted.z)
        pulled = fitted.pullback(g)
        return Evaluation.of(values, pulled.gradient, fitted, pulled)

    def evaluate_many(self, several, starts):
        """Evaluations at several ``h``, if that is cheaper than one by one.

        They are the same as one by one, up to rounding.

        Parameters
        ----------
        several : list of dict
        starts : list
            A ``start`` for each of them.

        Returns
        -------
        list of Evaluation or None
            None where ``evaluate`` is to be called.
        """
        return [None] * len(several)

    def curvature(self, h, targets):
        """Second derivatives of the losses of some targets, if the model ``knows_targets``.

        They may be approximate: they predict what a step gains.

        Parameters
        ----------
        h : dict
            A hyperparameter of shape (n_targets, n_entries).
        targets : ndarray of int of shape (n_some,)

        Returns
        -------
        ndarray of shape (n_some, n_entries, n_entries)
            Those of the sum over splits, in the entries of each target.
        """
        raise TypeError(f"{type(self).__name__} does not know its targets.")

    def train_many(self, several):
        """The same as ``train`` at several ``h``, if that is cheaper than one by one.

        Parameters
        ----------
        several : list of dict

        Returns
        -------
        list of Fitted or None
            By default None.
        """
        return None

    def losses(self, fitted):
        """Validation losses of all splits, of shape (n_splits,)."""
        return self.held_out(self.validation_loss)(fitted.z)[0]

    def samples(self, fitted):
        """Losses of all held-out samples, split after split, and their weights."""
        return self.held_out(self.validation_loss).samples(fitted.z)

    def path_losses(self, values):
        """Validation losses of all splits along the path, of shape (n_values, n_splits)."""
        held_out = self.held_out(self.validation_loss)
        return np.array([held_out.values(z) for z in self.path(values)])


class WeightModel(Model):
    """A model whose weights solve an inner problem, or come from a training run.

    Parameters
    ----------
    problem : InnerProblem or Training
        The problem that determines the weights.
    predictions : callable
        ``predictions(w, h) -> (z, pull)``, see
        :class:`~sklearn_hypergrad.problems.outer.held_out.WeightLoss`.
    data : SplitData

    Attributes
    ----------
    method : Hypergradient
        How the weights are differentiated.
    """

    def __init__(self, problem, predictions, data):
        super().__init__(data)
        self.problem = problem
        self.predictions = predictions
        self.method = Implicit()

    @property
    def iterative(self):
        return getattr(self.problem, "iterative", True)

    @property
    def uses_starts(self):
        return self.iterative or not is_exact(self.method)

    def differentiated(self, method):
        if method is None:
            return self
        model = copy.copy(self)
        model.method = method
        return model

    def outer_of(self, validation_loss):
        return WeightLoss(self.predictions, self.held_out(validation_loss))

    def evaluate(self, h, start, tol, **options):
        return self.method.evaluate(self.problem, self.outer, h, start, tol, **options)

    def fit(self, h, start, tol, **options):
        fitted = self.method.fit(self.problem, h, start, tol, **options)
        z, pull = self._predicted(fitted.w, h, fitted.predictions)

        def pullback(g):
            grad_w, direct = pull(g)
            pulled = fitted.pull(grad_w)
            names = {**pulled.gradient, **direct}
            gradient = {n: direct.get(n, 0.0) + pulled.gradient.get(n, 0.0) for n in names}
            return dataclasses.replace(pulled, gradient=gradient)

        return Fitted(z, pullback, fitted.state, fitted.statuses, fitted.n_solves, fitted.w)

    def train(self, h, start, tol):
        solution, state = self._solution(h, start, tol)
        return self._trained(solution, h, state, solution.n_solves)

    def solve(self, h, start, tol):
        solution, state = self._solution(h, start, tol)
        return _unpredicted(solution, state, solution.n_solves)

    def _solution(self, h, start, tol):
        """The solution of the inner problem, and a start for the next one."""
        solution = self.problem.solve(h, None if start is None else start.solution, tol)
        return solution, WarmStart(solution, None if start is None else start.adjoint)

    def known(self, h, state, tol, *, predicted=True):
        if predicted:
            return self._trained(state.solution, h, state, 0)
        return _unpredicted(state.solution, state, 0)

    def _trained(self, solution, h, state, n_solves):
        """The Fitted of a solution, without a pullback."""
        z, _ = self._predicted(solution.w, h, solution.predictions)
        return Fitted(z, None, state, (solution.status,), n_solves, solution.w)

    def _predicted(self, w, h, known):
        """Predictions and their pull; those that the solver knows are not computed again."""
        return self.predictions(w, h) if known is None else self.predictions(w, h, known)


def _unpredicted(solution, state, n_solves):
    """The Fitted of a solution without predictions."""
    return Fitted(None, None, state, (solution.status,), n_solves, solution.w)


class LinearModel(WeightModel):
    """A linear model with an L2 penalty, of all splits.

    Parameters
    ----------
    problem : LinearProblem or RidgeProblem
        It has a ``penalty``, the ``loss`` of its training, and a ``level``: the strength at which
        penalty and data have about the same weight.
    data : SplitData
        The data of the splits.
    """

    per_column = True

    def __init__(self, problem, data):
        super().__init__(problem, LinearPredictions(problem, data), data)

    def levels(self):
        penalty, level = self.problem.penalty, self.problem.level
        return {penalty.name: 1 / level if penalty.inverse and level else level}

    def steepest(self, fitted, h, block):
        if self.data.X is not block.X or type(self.problem) is not LinearProblem:
            return super().steepest(fitted, h, block)
        return self.problem.steepest(fitted.w, h, block.offsets)

    def evaluate(self, h, start, tol, **options):
        # Other problems know no predictions, and other methods evaluate in their own way.
        if type(self.method) is not Implicit or not isinstance(self.problem, LinearProblem):
            return super().evaluate(h, start, tol, **options)
        fitted = self.method.fit(self.problem, h, start, tol)
        z, pull = self._predicted(fitted.w, h, fitted.predictions)
        values, g = self.outer.held_out(z)
        grad_w, _ = pull(g)
        pulled = (fitted.along or fitted.pull)(grad_w)
        return Evaluation.of(values, pulled.gradient, fitted, pulled)

    # With weights W that solve sum_i t_i l'(x_i W) x_i + R W = 0, and V = H^-1 X_te' g, so that
    # dW = -H^-1 d(gradient), the derivative of sum g z in a row x_i of a training part is that of
    # -V . gradient,
    #     -t_i (l''(x_i W) (x_i V) W' + l'(x_i W) V'),
    # and in a held-out row it is g_i W'. With a for the factors of W' and s for those of V', W is
    # also -X' s / R, and V is X' a / R: for wide rows, whose basis lacks directions in which they
    # differ by less than rounding, these say what the basis does not.
    def x_vjp(self, h, fitted, g):
        return self.x_vjp_in(h, fitted, g, slice(None))

    def x_vjp_in(self, h, fitted, g, columns, X=None):
        problem, data = self.problem, self.data
        G = np.zeros((data.X.shape[0], data.n_splits, data.y.shape[1]))
        G[held_out_rows(data)] = g
        adjoint = fitted.pullback(g).state.adjoint
        weights = problem.coefficients(fitted.w)
        adjoints = problem.adjoint_coefficients(adjoint, h, G)
        z, u = (_predictions(data.X, *pair) for pair in (weights, adjoints))
        y, t = data.y[:, None, :], data.row_weights()[:, :, None]
        _, slope, factor = problem.loss.evaluate(y, z)
        a, s = G - t * problem.loss.hvp(factor, u), t * slope
        W, V = weights[0], adjoints[0]
        if X is None:
            W, V = W[..., columns], V[..., columns]
        else:
            strength = problem.penalty.strength(h)
            W, V = (_through_rows(X[:, columns], each, strength) for each in (-s, a))
        factors, both = np.concatenate([a, -s], axis=1), np.concatenate([W, V])
        return factors.reshape(len(a), -1) @ both.reshape(-1, both.shape[-1])


class SparseLinearModel(LinearModel):
    """A linear model with an elastic net penalty, whose weights may be zero.

    Parameters
    ----------
    problem : SparseLinearProblem, ElasticNetProblem or MultiTaskProblem
        It has an ElasticNetPenalty, and ``largest``: the smallest L1 penalty that leaves no weight.
    data : SplitData
    ratio : float
        The share of the L1 penalty for which scans are centred.
    """

    smooth, smooth_while = False, "no weight becomes zero"

    def __init__(self, problem, data, ratio):
        super().__init__(problem, data)
        self._ratio = max(ratio, LEAST_RATIO)

    @property
    def slow_when_weak(self):
        n_samples, n_features = self.data.X.shape
        return n_features > n_samples

    def levels(self):
        penalty, strength = self.problem.penalty, CENTRE * self.problem.largest / self._ratio
        return {penalty.name: 1 / strength if penalty.inverse else strength, "l1_ratio": 0.5}

    def differentiated(self, method):
        if method is None or isinstance(method, Implicit):
            return super().differentiated(method)
        raise ValueError(
            f"Cannot differentiate {type(self).__name__} with {method!r}. This is because descent "
            f"does not arrive at weights that are zero. Use hypergradient='auto'."
        )


def _through_rows(X, factors, strength):
    """``X' factors / strength`` of all splits, of shape (n_splits, n_outputs, n_features)."""
    n_rows, *shape = factors.shape
    products = np.asarray(X.T @ factors.reshape(n_rows, -1)) / np.max(strength)
    return np.moveaxis(products.reshape(-1, *shape), 0, -1)


def _predictions(X, coef, intercept):
    """``X coef' + intercept`` of all splits, of shape (n_samples, n_splits, n_outputs)."""
    n_splits, n_outputs, n_features = coef.shape
    z = X @ coef.reshape(-1, n_features).T
    return np.asarray(z).reshape(-1, n_splits, n_outputs) + intercept


class TrainedModel(WeightModel):
    """A model whose weights come from a training run of a given number of steps.

    Parameters
    ----------
    problem : Training
    predictions : callable
        As for :class:`WeightModel`.
    data : SplitData
        The data of one split.
    """

    trained = True
    penalty_scale = "mean"

    def train(self, h, start, tol):
        w = self.problem.problem.shaped(self.problem.run(h).weights())
        return Fitted(self.predictions(w, h)[0], None, None, (), self.problem.n_steps, w)

    def solve(self, h, start, tol):
        return self.train(h, start, tol)
