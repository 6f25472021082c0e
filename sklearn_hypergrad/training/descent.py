"""Training by gradient descent of models that are otherwise solved."""

import functools

import numpy as np

from sklearn_hypergrad.linalg import curvature_bound
from sklearn_hypergrad.problems import InnerProblem, Linearization, Status, TrainableProblem
from sklearn_hypergrad.training.batches import Listed
from sklearn_hypergrad.training.dynamics import Momentum
from sklearn_hypergrad.training.run import Training

# Norm of the gradient relative to the start up to which descent counts as converged. Chosen by
# hand: a hypergradient through training is then accurate to about as much.
CONVERGED = 1e-3


class GradientDescent:
    """Full-batch gradient descent with momentum on an inner problem, from its start.

    Parameters
    ----------
    n_steps : int, default=1000
        Number of updates.
    learning_rate : float, default=1.0
        In units of the inverse of the largest curvature of any split, found by power iteration at
        the start: below 2 (1 + momentum) it converges.
    momentum : float, default=0.9
        Share of the last update that goes into the next.
    """

    def __init__(self, n_steps: int = 1000, learning_rate: float = 1.0, momentum: float = 0.9):
        self.n_steps = n_steps
        self.learning_rate = learning_rate
        self.momentum = momentum

    def __repr__(self):
        return (
            f"GradientDescent(n_steps={self.n_steps}, learning_rate={self.learning_rate}, "
            f"momentum={self.momentum})"
        )

    def training(self, problem, h):
        """How an inner problem is trained.

        Parameters
        ----------
        problem : InnerProblem
            What is minimised.
        h : dict of str -> float or ndarray
            Hyperparameters at which the curvature is measured.

        Returns
        -------
        Training
            With one learning rate for all steps.
        """
        trained = DescendedProblem(problem)
        rate = self.learning_rate / trained.curvature(h)
        settings = {"learning_rate_init": rate, "momentum": self.momentum}
        return Training(trained, Momentum(), Listed([None]), self.n_steps, settings)


class DescendedProblem(TrainableProblem):
    """An InnerProblem of all its splits as a training problem, in flat weights.

    Parameters
    ----------
    problem : InnerProblem
    """

    def __init__(self, problem):
        self.problem = problem
        self._start = problem.start()
        self.group_sizes = (self._start.size,)

    def shaped(self, w):
        return w.reshape(self._start.shape)

    def status(self, w, h):
        # The rate is a fixed number to the derivative, though it follows the curvature, which
        # depends on h: at the minimum that makes no difference.
        left, first = (self.problem.gradient(v, h) for v in (self.shaped(w), self._start))
        converged = np.linalg.norm(left) <= CONVERGED * np.linalg.norm(first)
        return Status.CONVERGED if converged else Status.DESCENT_NOT_CONVERGED

    def initial(self, h):
        return self._start.ravel().copy()

    def initial_vjp(self, h, v):
        return {}

    def initial_jvp(self, h, u):
        return None

    def linearize(self, w, h, rows):
        return DescendedLinearization(self.problem, self.shaped(w), h)

    def curvature(self, h):
        """Largest eigenvalue of the Hessian at the start, with a margin."""
        return float(np.max(curvature_bound(self.problem.products(self._start, h), self._start)))


class DescendedLinearization(Linearization):
    """Products of an InnerProblem at one point."""

    def __init__(self, problem, w, h):
        self._problem, self._w, self._h = problem, w, h
        self.gradient = problem.gradient(w, h).ravel()
        # The loss itself is not needed, but for whether it is finite.
        self.value = float(np.dot(self.gradient, self.gradient))

    def pull(self, v):
        v = v.reshape(self._w.shape)
        product = self._problem.hvp(self._w, self._h, v)
        return product.ravel(), self._problem.cross_vjp(self._w, self._h, v)

    def cross(self, v):
        return self._problem.cross_vjp(self._w, self._h, v.reshape(self._w.shape))

    def gauss_newton(self, v):
        return self._problem.gauss_newton(self._w, self._h, v.reshape(self._w.shape)).ravel()

    def push(self, v, u):
        product = self._problem.hvp(self._w, self._h, v.reshape(self._w.shape))
        if u:
            product = product + self._problem.cross_jvp(self._w, self._h, u)
        return product.ravel()


@functools.singledispatch
def training_of(problem, h, descent):
    """The Training of a problem: its own, or ``descent`` where it is solved otherwise."""
    raise TypeError(f"{type(problem).__name__} cannot be trained step by step.")


@training_of.register
def _(problem: Training, h, descent):
    return problem


@training_of.register
def _(problem: InnerProblem, h, descent):
    return descent.training(problem, h)
