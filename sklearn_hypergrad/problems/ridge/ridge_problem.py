"""Base classes of the closed forms of ridge regression."""

import abc

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad.linalg import Cholesky, Spectral
from sklearn_hypergrad.linalg.systems import negligible
from sklearn_hypergrad.losses import HalfSquaredError
from sklearn_hypergrad.problems.base import InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.linear.centred_splits import CentredDesign
from sklearn_hypergrad.threads import cached_property

# Ratio of diagonal entries of a Gram matrix from which on it is factorised, not decomposed. Chosen
# by hand: eigenvalues have an absolute error of about 1e-16 times the largest one, so at this ratio
# the small features keep about ten digits.
GRADED = 1e6
# Penalty relative to the curvature of the data from which on it counts: less is lost by rounding.
LEAST = negligible(float)
# Relative residual up to which a system counts as solved. Chosen by hand: the fine inner tolerance
# of a search.
STUCK = 1e-6


class RidgeProblem(InnerProblem):
    """Least squares with an L2 penalty, in closed form.

    Inner objective, for each split, with training weights t, the means of its training part
    subtracted where there is an intercept (which is thereby eliminated):

        1/2 sum_i t_i ||y_i - x_i w||^2  +  1/2 sum_jk strength_jk w_jk^2

    ``w`` has shape (n_splits, n_features, n_outputs). Subclasses differ in how ``inverse`` inverts
    the Hessian, and in whether ``w`` are the coefficients. The penalty stands against half the
    squared errors, so ``alpha`` of Ridge is the strength.

    Parameters
    ----------
    penalty : L2Penalty
    """

    iterative = False
    linear_in_weights = True
    split_axis = 0
    loss = HalfSquaredError()

    def __init__(self, penalty):
        self.penalty = penalty

    @abc.abstractmethod
    def inverse(self, strength):
        """A function that multiplies ``v`` of shape (n_splits, n_features, k) with ``H^-1``.

        ``strength`` broadcasts to (n_features, k).
        """

    @abc.abstractmethod
    def predict(self, w):
        """Predictions for all rows, of shape (n_samples, n_splits, n_outputs)."""

    @abc.abstractmethod
    def predict_vjp(self, v):
        """Transposed derivative of ``predict``: ``v`` like the predictions, the result like w."""

    @abc.abstractmethod
    def coefficients(self, w):
        """Coefficients (n_splits, n_outputs, n_features) and intercepts (n_splits, n_outputs)."""

    @abc.abstractmethod
    def adjoint_coefficients(self, v, h, G):
        """The adjoint ``v = H^-1 predict_vjp(G)`` as coefficients V and intercepts c.

        The shapes are those of ``coefficients``. The intercepts solve the equation that was
        eliminated: with training weights t, ``sum_i t_i (x_i V + c) = sum_i G_i``.
        """

    def penalised(self, w):
        """The penalised weights of the first split, of shape (n_features, n_outputs)."""
        return w[0]

    def inverse_of_any(self, inverse_hvp, strength):
        """The ``inverse_hvp`` of a solution, which takes any vectors."""
        return inverse_hvp

    def solve(self, h, warm_start, tol):
        strength = self.penalty.strength(h)
        inverse = self.inverse(strength)
        w = self._minimiser(inverse, strength)

        def inverse_hvp(v, start):
            x = inverse(v)
            return x, Status.CONVERGED if determined else self._status(h, v, x)

        determined = self._determines(strength)
        return InnerSolution(w, inverse_hvp, Status.CONVERGED, n_solves=len(w))

    def cross_vjp(self, w, h, v):
        return self.penalty.cross_vjp(h, np.einsum("sjk,sjk->jk", w, v))

    def cross_jvp(self, w, h, u):
        return self.penalty.cross_jvp(h, u) * w

    @abc.abstractmethod
    def _minimiser(self, inverse, strength):
        """The solution ``w``, from the inverse Hessian and the strengths."""

    def _determines(self, strength):
        """Whether penalties of these strengths determine all weights, whatever the data."""
        return True

    def _status(self, h, v, x):
        """The Status of ``x`` for ``H^-1 v``: whether there is such a solution."""
        left, whole = (np.linalg.norm(a, axis=1) for a in (v - self.hvp(None, h, x), v))
        return Status.CONVERGED if np.all(left <= STUCK * whole) else Status.UNDETERMINED


class PrimalRidge(CentredDesign, RidgeProblem):
    """Ridge regression whose ``w`` are the coefficients.

    Parameters
    ----------
    design : tuple
        The arguments of CentredDesign.
    penalty : L2Penalty
    """

    def __init__(self, *design, penalty):
        super().__init__(*design)
        self.penalty = penalty

    def centred(self):
        """All rows about the training means of the first split, dense."""
        X = self._X.toarray() if issparse(self._X) else self._X
        return X - self._x_mean[0]

    def left_out(self, strength, Z, t, average):
        """What leaving out each row takes: ``H^-1 z_i``, and one minus the leverage of the row.

        Parameters
        ----------
        strength : ndarray of shape (n_features, 1) or (1, 1)
        Z : ndarray of shape (n_samples, n_features)
            The rows z_i: ``centred()``.
        t : ndarray of shape (n_samples,)
            Training weights of the first split.
        average : ndarray of shape (n_samples,)
            Weights of the rows in their mean; zero without an intercept.

        Returns
        -------
        inverse : ndarray of shape (n_features, n_samples)
        left : ndarray of shape (n_samples,)
        """
        inverse = self.inverse(strength)(Z.T[None])[0]
        return inverse, 1 - average - t * np.einsum("ij,ji->i", Z, inverse)


class NormalEquations(RidgeProblem):
    """Ridge regression whose gradient is ``gram w + strength w - cross``.

    One eigendecomposition serves all penalties that the features share. Vectors of penalties need a
    new Cholesky factor, and so do matrices whose diagonal spans many orders of magnitude:
    eigenvalues are exact only relative to the largest one. Subclasses set ``_gram`` of shape
    (n_splits, n, n), ``_cross`` of shape (n_splits, n, k), and ``_X``.
    """

    @property
    def level(self):
        """Strength at which penalty and data have about the same weight.

        It is the sum of squares of a feature over rows, averaged over features and splits.
        """
        return float(self._diagonal.sum(axis=1).mean() / self._X.shape[1])

    def start(self):
        return np.zeros_like(self._cross)

    def gradient(self, w, h):
        return self._gram @ w + self.penalty.strength(h) * w - self._cross

    def hvp(self, w, h, v):
        return self._gram @ v + self.penalty.strength(h) * v

    def inverse(self, strength):
        if self._factorised(strength):
            strength = np.broadcast_to(strength, (self._gram.shape[-1], strength.shape[1]))
            return Cholesky(self._gram, strength).solve
        return lambda v: self._spectral.solve(strength, self._spectral.to_basis(v))

    # With the eigenvectors V and the curvatures d, eigenvalues plus strength, the minimiser is
    # w = V u with u = V' cross / d, and its derivative in the strength is -H^-1 w = -V (u / d). So
    # a function of w with the gradient g has the derivative -<u, V' g / d>.
    def minimisers(self, strengths):
        """Minimisers for many strengths, by one product with the eigenvectors of each split.

        Parameters
        ----------
        strengths : ndarray of shape (n_many, n_outputs)

        Returns
        -------
        w : ndarray of shape (n_splits, n_features, n_many * n_outputs)
            All outputs for the first strengths, then those for the next ones.
        pull : callable
            ``pull(g)``, for ``g`` shaped like ``w``, is the derivative of ``sum g w`` in the
            strengths, shaped like these.

        Both are None where penalties do not determine all weights, or eigenvalues are not exact.
        """
        if self._graded or not self._determines(strengths.min()):
            return None, None
        spectral = self._spectral
        curvature = spectral.curvature(strengths.ravel())
        many = len(strengths)
        solution = (np.tile(self._coordinates, many) if many > 1 else self._coordinates) / curvature

        def pull(g):
            slopes = np.einsum("sjk,sjk->k", solution, spectral.to_basis(g) / curvature)
            return -slopes.reshape(strengths.shape)

        return spectral.vectors @ solution, pull

    def _determines(self, strength):
        return bool(np.all(strength > self._least))

    @cached_property
    def _least(self):
        """Penalties that count: above the rounding errors of each feature."""
        return LEAST * self._diagonal.max(axis=0)[:, None]

    @property
    def _diagonal(self):
        """Diagonals of the Gram matrices, of shape (n_splits, n)."""
        return np.einsum("sjj->sj", self._gram)

    def _factorised(self, strength):
        return len(strength) > 1 or self._graded

    @cached_property
    def _graded(self):
        diagonal = self._diagonal
        return diagonal[diagonal > 0].min(initial=np.inf) * GRADED < diagonal.max()

    @cached_property
    def _spectral(self):
        return Spectral(self._gram)

    @cached_property
    def _coordinates(self):
        return self._spectral.project(self._cross)

    def _minimiser(self, inverse, strength):
        if self._factorised(strength):
            return inverse(self._cross)
        # In the null space of the Gram matrix the solution is zero; rounding must not enter.
        return self._spectral.solve(strength, self._coordinates)
