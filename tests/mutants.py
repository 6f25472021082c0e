"""Whether the tests notice formulas that are wrong: run by hand, ``python tests/mutants.py``.

Every mutant is one mistake in one formula of the package, as they happen: a sign, a factor, a term
that is missing, a mean over the wrong samples. It is made in a copy of the repository, where first
the tests that are the most likely to notice it run, and then all of the default run. The exit
status is 0 if every mutant was noticed, 1 if one was not, and 2 if tests fail without a mutant, or
the code has changed so that one must be written anew: what it replaces must occur exactly once.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "sklearn_hypergrad"
# Of one run of the tests: a mutant may never end.
TIMEOUT = 3600
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - |$)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes
    ----------
    path : str
        File, relative to the package.
    original, replacement : str
    wrong : str
        What is wrong then.
    tests : str
        Where it is likely to be noticed: paths relative to ``tests``, separated by blanks.
    """

    path: str
    original: str
    replacement: str
    wrong: str
    tests: str


MUTANTS = [
    # Rows in parts
    Mutant(
        "problems/rows/spread.py",
        "both = self.weight * share",
        "both = self.weight * share * 1.001",
        "Sums of two parts have 0.1 % too much of the difference of their means.",
        "problems/test_rows.py",
    ),
    Mutant(
        "problems/rows/rows_linear.py",
        "own = own - offsets.T[:, :, None] * bias",
        "own = own - 1.001 * offsets.T[:, :, None] * bias",
        "Without an intercept, gradients know offsets of scalers 0.1 % wrongly.",
        "search/test_rows_in_parts.py",
    ),
    Mutant(
        "search/by_blocks/prepared_rows.py",
        "judged = RowWeights(test / whole, balanced, weighted=True)",
        "judged = RowWeights(test / whole, balanced, weighted=False)",
        "Held-out rows of iterated models count once, whatever their weights are.",
        "search/test_rows_in_parts.py",
    ),
    Mutant(
        "problems/rows/moments_pass.py",
        "weight = of_class if weight is None else weight * of_class",
        "weight = of_class if weight is None else weight",
        "Rows with weights have no weights of their classes.",
        "search/test_rows_in_parts.py",
    ),
    Mutant(
        "rows/folds.py",
        'return np.searchsorted(np.cumsum(sizes), numbers, side="right")',
        'return np.searchsorted(np.cumsum(sizes), numbers, side="left")',
        "The first row of a fold belongs to the one before.",
        "rows/test_folds.py",
    ),
    # Support vector machines
    Mutant(
        "problems/kernel/free_system.py",
        "np.add.at(of_targets, pair, value / 2)",
        "np.add.at(of_targets, pair, value / 2.002)",
        "The two rows that bound an intercept count 0.1 % too little.",
        "problems/test_support_vectors.py",
    ),
    Mutant(
        "problems/kernel/support_vectors.py",
        "of_offsets += machine.sigma * of_r / 2 * np.array([1, -1])",
        "of_offsets += 1.001 * machine.sigma * of_r / 2 * np.array([1, -1])",
        "The margin that nu determines is differentiated 0.1 % too steeply.",
        "problems/test_support_vectors.py",
    ),
    Mutant(
        "problems/outer/platt.py",
        "useful = (self._average(x * self._targets) > 0) & ~constant",
        "useful = ~constant",
        "Decision values in the wrong order are as good as those in the right one.",
        "problems/test_platt.py",
    ),
    # Penalties with an L1 part
    Mutant(
        "problems/sparse/elastic_net_penalty.py",
        "of_total = -1 / total**2 if self.inverse else 1.0",
        "of_total = -1.001 / total**2 if self.inverse else 1.0",
        "The derivative in C of penalties with an L1 part is 0.1 % too large.",
        "adapters/test_families.py problems/test_sparse_linear.py",
    ),
    Mutant(
        "problems/sparse/sparse_linear_problem.py",
        "+= self._ridge[numbers, 0, 0]",
        "+= 0.999 * self._ridge[numbers, 0, 0]",
        "The Hessian between weights that are not zero lacks a thousandth of the L2 penalty.",
        "problems/test_sparse_linear.py adapters/test_families.py",
    ),
    Mutant(
        "problems/sparse/proximal_newton.py",
        'right = np.einsum("sij,sj->si", hessians, w) - slope',
        'right = np.einsum("sij,sj->si", hessians, w) - 1.001 * slope',
        "Steps go to the minima of other quadratics.",
        "problems/test_sparse_linear.py",
    ),
    # Losses
    Mutant(
        "losses.py",
        "np.where(margin > 0, smaller, larger), smaller * larger",
        "np.where(margin > 0, smaller, larger), 1.001 * smaller * larger",
        "The curvature of the logistic loss is 0.1 % too large.",
        "test_losses.py hypergradients/test_implicit.py",
    ),
    Mutant(
        "losses.py",
        "product = v - _inner(factor, v)",
        "product = v - 0.999 * _inner(factor, v)",
        "The coupling of classes in the Hessian is 0.1 % too small.",
        "test_losses.py hypergradients/test_implicit.py",
    ),
    Mutant(
        "losses.py",
        "return 2 * (z - y) / z**2",
        "return 2 * (z - y) / (y * z)",
        "The slope of the gamma deviance divides by the target.",
        "test_losses.py",
    ),
    Mutant(
        "losses.py",
        "return 2 * (probability - y) * probability * (1 - probability)",
        "return (probability - y) * probability * (1 - probability)",
        "The slope of the Brier score lacks its factor.",
        "test_losses.py",
    ),
    # Linear models by Newton's method
    Mutant(
        "hypergradients/implicit.py",
        "return Pulled({name: np.vdot(grad_w, slope) / value}",
        "return Pulled({name: 1.001 * np.vdot(grad_w, slope) / value}",
        "The derivative along the weights is 0.1 % too large.",
        "hypergradients/test_following.py",
    ),
    Mutant(
        "hypergradients/base.py",
        "w += width * t * u * (u * a.slope - t * b.slope)",
        "w += width * t * u * (u * a.slope + t * b.slope)",
        "Starts between two solutions leave the right one in the wrong direction.",
        "hypergradients/test_following.py",
    ),
    Mutant(
        "problems/linear/linear_problem.py",
        'product = np.einsum("jsk,jsk->jk", w[penalised], v[penalised])',
        'product = 1.001 * np.einsum("jsk,jsk->jk", w[penalised], v[penalised])',
        "The derivative of the gradient in a penalty is 0.1 % too large.",
        "problems/test_base.py",
    ),
    Mutant(
        "problems/linear/linear_problem.py",
        "z *= self._t[rows]",
        "z *= self._t[rows] > 0",
        "The Hessian leaves out the training weights.",
        "problems/test_base.py",
    ),
    Mutant(
        "problems/linear/penalty.py",
        "return -(self.strength(h) ** 2) if self.inverse else 1.0",
        "return self.strength(h) ** 2 if self.inverse else 1.0",
        "The slope of 1 / C has the wrong sign.",
        "problems/test_penalty.py",
    ),
    Mutant(
        "problems/linear/design.py",
        "return (squares - sums**2 / sums[-1])[:-1]",
        "return (squares - sums**2 / (1.001 * sums[-1]))[:-1]",
        "Spreads of features are about a mean that is 0.1 % too small.",
        "problems/test_base.py problems/test_design.py",
    ),
    Mutant(
        "problems/linear/row_kernels.py",
        "part -= (cross - average @ cross)[:, None]",
        "part -= cross[:, None]",
        "A centred kernel lacks the mean of its means.",
        "problems/test_row_space.py problems/test_base.py",
    ),
    Mutant(
        "problems/linear/diagonal_curvature.py",
        "np.maximum(squares - sums * mean, LEAST * squares)",
        "np.maximum(squares - 0.99 * sums * mean, LEAST * squares)",
        "Squares are about means that are slightly too small.",
        "problems/test_diagonal_curvature.py",
    ),
    Mutant(
        "problems/linear/diagonal_curvature.py",
        "if len(self.reference) <= len(data):",
        "if len(self.reference) > len(data):",
        "Data with few rows are preconditioned like data with many.",
        "problems/test_diagonal_curvature.py",
    ),
    # Least squares with an L1 penalty
    Mutant(
        "problems/sparse/row_exchange.py",
        "+= (self._l1 / norms)[:, None, None] * curvature",
        "+= (0.999 * self._l1 / norms)[:, None, None] * curvature",
        "The curvature of the norms of rows is slightly too small.",
        "problems/test_row_exchange.py",
    ),
    Mutant(
        "problems/sparse/elastic_net.py",
        "super().adjoint_coefficients(v / self._divisors, h, G)",
        "super().adjoint_coefficients(v, h, G)",
        "Adjoints of a mean over rows count as those of a sum.",
        "adapters/test_x_vjp.py",
    ),
    # Ridge regression in closed form
    Mutant(
        "problems/ridge/ridge_problem.py",
        "spectral.to_basis(g) / curvature)",
        "spectral.to_basis(g) / curvature**2)",
        "The derivative of a minimiser in its strength divides by the curvature once too often.",
        "problems/test_gram_ridge.py",
    ),
    Mutant(
        "problems/ridge/ridge_problem.py",
        "not self._determines(strengths.min())",
        "not self._determines(strengths.max())",
        "The largest of many penalties speaks for all.",
        "problems/test_gram_ridge.py",
    ),
    Mutant(
        "problems/linear/centred_splits.py",
        "self.yy - 2 * y * self.y + self.weight * y**2",
        "self.yy - 2 * y * self.y + 1.001 * self.weight * y**2",
        "The spread of targets about a mean is slightly too large.",
        "problems/test_moments.py problems/test_gram_ridge.py",
    ),
    Mutant(
        "problems/linear/centred_splits.py",
        "return [total / moments.weight * part for part in moments.about(*mean)]",
        "return [total / len(test) * part for part in moments.about(*mean)]",
        "Held-out sums are divided by the number of rows, not by their weights.",
        "problems/test_gram_ridge.py",
    ),
    Mutant(
        "problems/ridge/gram_ridge.py",
        "return errors, 2 * half_slope",
        "return errors, half_slope",
        "The slope of a squared error lacks its factor.",
        "problems/test_gram_ridge.py",
    ),
    Mutant(
        "problems/ridge/dual_ridge.py",
        "part = self._kernel(self._scales[split, :, 0] / np.sqrt(strength), numbers)",
        "part = self._kernel(self._scales[0, :, 0] / np.sqrt(strength), numbers)",
        "All splits have the scales of the first one.",
        "problems/test_base.py",
    ),
    Mutant(
        "problems/ridge/dual_ridge.py",
        "return scaled - self._product_of_rows(self._problem.forward(scaled))",
        "return scaled - 1.001 * self._product_of_rows(self._problem.forward(scaled))",
        "What Woodbury's formula subtracts is 0.1 % too large.",
        "problems/test_base.py",
    ),
    Mutant(
        "problems/ridge/kernel_ridge.py",
        'pulled -= np.einsum("is,isk->sk", self._rows.average, pulled)',
        'pulled -= 0.999 * np.einsum("is,isk->sk", self._rows.average, pulled)',
        "The transposed centring of predictions is 0.1 % too small.",
        "problems/test_base.py problems/test_kernel_ridge.py",
    ),
    Mutant(
        "problems/piecewise/interval.py",
        "return np.vdot(V, solution.point.u) / C",
        "return 1.001 * np.vdot(V, solution.point.u) / C",
        "The derivative in C is 0.1 % too large.",
        "adapters/test_families.py",
    ),
    Mutant(
        "problems/piecewise/interval.py",
        "2 * C * self._t * (solution.point.lost != 0) * moved",
        "2 * C * self._t * moved",
        "Rows inside of their interval have a derivative in its ends.",
        "adapters/test_families.py adapters/test_x_vjp.py",
    ),
    Mutant(
        "problems/piecewise/active_rows.py",
        "np.where(rows[changed], t[changed], -t[changed])",
        "np.where(rows[changed], t[changed], -0.999 * t[changed])",
        "Rows that are no longer active leave 0.1 % of themselves.",
        "problems/test_interval.py",
    ),
    Mutant(
        "problems/piecewise/active_rows.py",
        "factor(kernel, 1 / (strength * t[inside]))",
        "factor(kernel, 1 / strength)",
        "Hessians by rows have no training weights.",
        "problems/test_interval.py",
    ),
    Mutant(
        "problems/piecewise/huber.py",
        "matrices[:, :-1, -1] = matrices[:, -1, :-1] = -cross.T",
        "matrices[:, :-1, -1] = matrices[:, -1, :-1] = -0.99 * cross.T",
        "Weights and scale are coupled 1 % too little.",
        "problems/test_huber.py adapters/test_families.py",
    ),
    Mutant(
        "problems/piecewise/huber.py",
        "np.sign(point.clipped) * (moved - point.clipped * V[-1])",
        "np.sign(point.clipped) * moved",
        "The derivative in epsilon leaves out the scale.",
        "adapters/test_families.py",
    ),
    Mutant(
        "problems/piecewise/huber.py",
        "narrower = max(width - step, epsilon)",
        "narrower = epsilon",
        "Problems come down from a larger epsilon in one step.",
        "problems/test_huber.py",
    ),
    Mutant(
        "problems/piecewise/huber.py",
        "if step <= NARROWEST:",
        "if step <= NARROWER:",
        "Steps to a smaller epsilon do not get shorter where they lead to a scale of zero.",
        "problems/test_huber.py",
    ),
    Mutant(
        "adapters/linear_svm.py",
        "np.where(member_of(data.labels), each, 1.0)",
        "np.where(member_of(data.labels), each, each)",
        "Class weights count for the others, too.",
        "adapters/test_families.py",
    ),
    Mutant(
        "search/strategies/ranked_scores.py",
        "positive @ np.cumsum(negative)",
        "positive @ (np.cumsum(negative) - negative[0])",
        "The area under the curve leaves out the lowest sample.",
        "search/test_ranked_scores.py",
    ),
    Mutant(
        "problems/ridge/leave_one_out.py",
        'direct = -np.einsum("ik,kji->jk", self._t * slopes * errors, A**2)',
        'direct = -np.einsum("ik,kji->jk", self._t * slopes * residual, A**2)',
        "The direct derivative of PRESS has residuals in place of left-out ones.",
        "hypergradients/test_implicit.py",
    ),
    Mutant(
        "problems/ridge/leave_one_out.py",
        "self._average = self._t[:, 0] / self._t.sum() * fit_intercept",
        "self._average = np.full(len(self._t), 1 / len(self._t)) * fit_intercept",
        "The leverage of the intercept ignores the weights.",
        "hypergradients/test_implicit.py",
    ),
    Mutant(
        "problems/linear/curvature.py",
        "solved += (share - inverse * inner_by_split(y, solved))[:, None] * s",
        "solved += (share - 1.001 * inverse * inner_by_split(y, solved))[:, None] * s",
        "A correction of the preconditioner is 0.1 % off.",
        "problems/test_curvature.py",
    ),
    Mutant(
        "problems/linear/newton.py",
        "rate * size <= tol**2 * first",
        "rate * size <= tol * first",
        "An adjoint is believed that its steps have not shown to be accurate.",
        "problems/test_linear.py problems/test_base.py",
    ),
    Mutant(
        "problems/linear/row_curvature.py",
        "scaled[-1] = right[-1] / self._sums - means",
        "scaled[-1] = right[-1] / self._sums - 0.999 * means",
        "The intercept of the inverse in the space of the rows is 0.1 % off.",
        "problems/test_row_curvature.py",
    ),
    Mutant(
        "problems/kernel/pair_sums.py",
        "return squares.T @ sums - 2 * column_products",
        "return squares.T @ sums - 1.998 * column_products",
        "Products in slopes of squared distances are 0.1 % too small.",
        "problems/test_pairwise_kernel.py",
    ),
    Mutant(
        "problems/kernel/kernel_systems.py",
        "of_alpha -= np.sum(adjoint * self._scaled[split])",
        "of_alpha -= 1.001 * np.sum(adjoint * self._scaled[split])",
        "The derivative of kernel ridge regression in alpha is 0.1 % too large.",
        "adapters/test_kernel_ridge.py",
    ),
    Mutant(
        "problems/kernel/left_out_rows.py",
        "N = -(A @ of_u) @ u.T",
        "N = -(A @ of_u) @ u.T * root",
        "Left-out rows of kernels are weighted twice.",
        "problems/test_left_out_rows.py",
    ),
    Mutant(
        "problems/kernel/pairwise_kernel.py",
        "slope *= degree\n",
        "slope *= 1.001 * degree\n",
        "The slope of a polynomial kernel is 0.1 % too large.",
        "problems/test_pairwise_kernel.py",
    ),
    Mutant(
        "problems/ridge/left_out_kernel.py",
        "self.vectors -= np.outer(unit, unit @ self.vectors)",
        "self.vectors -= 0.999 * np.outer(unit, unit @ self.vectors)",
        "The intercept of splits that share eigenvectors is 0.1 % off.",
        "problems/test_left_out_kernel.py",
    ),
    Mutant(
        "problems/linear/centred_splits.py",
        "pulled -= self._x_mean[:, :, None] * v.sum(axis=0)[:, None, :]",
        "pulled -= self._x_mean[:, :, None] * v.mean(axis=0)[:, None, :]",
        "The transposed product subtracts a mean where a sum belongs.",
        "problems/test_base.py",
    ),
    # Networks
    Mutant(
        "problems/network/activations.py",
        "return -2 * a",
        "return -2 * a * a",
        "The second derivative of tanh is wrong.",
        "problems/test_network.py",
    ),
    Mutant(
        "problems/network/network_problem.py",
        "tangents *= network.loss_scale / len(tangents)",
        "tangents *= 1 / len(tangents)",
        "Derivatives in the weights of samples are summed over outputs of a regression.",
        "problems/test_network.py",
    ),
    Mutant(
        "problems/network/network_problem.py",
        "delta += self._deltas[i] @ V.T",
        "delta += 1.001 * self._deltas[i] @ V.T",
        "One term of the R-operator is 0.1 % too large.",
        "problems/test_network.py",
    ),
    Mutant(
        "problems/network/network_problem.py",
        "problem.over_samples(delta @ W.T + self._deltas[0] @ V.T, rows)",
        "problem.over_samples(delta @ W.T, rows)",
        "The derivative in the data lacks a term.",
        "problems/test_network.py",
    ),
    # Losses that autograd differentiates
    Mutant(
        "problems/autograd/gauss_newton.py",
        "return structure.unflatten(total + rest(structure.join(v)))",
        "return structure.unflatten(total)",
        "Gauss-Newton products lack the penalty.",
        "problems/test_autograd_problem.py",
    ),
    Mutant(
        "problems/autograd/trust_region.py",
        "return step, -0.5 * step @ (slope + residual)",
        "return step, -step @ (slope + residual)",
        "The decrease that the quadratic model predicts is twice as large.",
        "problems/test_trust_region.py",
    ),
    Mutant(
        "problems/autograd/trust_region.py",
        "root = np.sqrt(b**2 + a * inside)",
        "root = np.sqrt(b**2 + 1.01 * a * inside)",
        "Steps end outside of the trust region.",
        "problems/test_trust_region.py",
    ),
    # Validation losses
    Mutant(
        "problems/outer/held_out.py",
        "return roots.mean(axis=-1), 0.5 / roots / errors.shape[-1]",
        "return roots.mean(axis=-1), 0.5 / roots",
        "The slope of the root mean squared error is that of a sum over outputs.",
        "problems/test_outer.py",
    ),
    Mutant(
        "problems/outer/held_out.py",
        "return (errors / null).mean(axis=-1), 1 / null / errors.shape[-1]",
        "return (errors / null).mean(axis=-1), 1 / null.mean() / errors.shape[-1] + 0 * errors",
        "The slope of R2 divides by one variance for all splits and outputs.",
        "problems/test_outer.py",
    ),
    Mutant(
        "problems/outer/held_out.py",
        "np.maximum(np.bincount(member, weight), np.finfo(float).tiny)",
        "np.maximum(np.bincount(member), np.finfo(float).tiny)",
        "Balanced classes are counted, not weighted.",
        "problems/test_outer.py",
    ),
    # Linear systems
    Mutant(
        "linalg/neumann.py",
        "while n_iter < self.n_terms and",
        "while n_iter < self.n_terms - 1 and",
        "The series has one term less.",
        "linalg",
    ),
    Mutant(
        "linalg/cg.py",
        "scaled(ratio(size, previous), direction",
        "scaled(ratio(size, whole), direction",
        "Directions of conjugate gradients are not conjugate.",
        "linalg",
    ),
    Mutant(
        "linalg/spectral.py",
        "curvature = self.eigenvalues + shift",
        "curvature = self.eigenvalues + 1.001 * shift",
        "The shift is 0.1 % too large.",
        "linalg",
    ),
    # Optimizers
    Mutant(
        "optimizers/cubic.py",
        "mean = slope_a + slope_b - 3 * (value_b - value_a) / (b - a)",
        "mean = slope_a + slope_b - 2 * (value_b - value_a) / (b - a)",
        "The cubic is another one.",
        "optimizers/test_cubic.py",
    ),
    Mutant(
        "optimizers/line.py",
        "return hopeless(point.value, best) and point.slope * direction > 0",
        "return hopeless(point.value, best) and point.slope > 0",
        "The scan looks the wrong way where it goes down.",
        "optimizers/test_scan.py",
    ),
    Mutant(
        "optimizers/adam.py",
        "(1 - d**self._n for d in self._decays)",
        "(1 - d ** (self._n + 1) for d in self._decays)",
        "Running means are corrected for one step more than there was.",
        "optimizers/test_adam.py",
    ),
    Mutant(
        "optimizers/lbfgs.py",
        "return self.value / self._scale, self._gradient / self._scale",
        "return self.value / self._scale, self._gradient",
        "The gradient is not scaled as the value is.",
        "optimizers/test_lbfgs.py",
    ),
    # Spaces
    Mutant(
        "spaces/space.py",
        "return value * (1 - value)",
        "return value",
        "The slope of a logit is that of a logarithm.",
        "spaces",
    ),
    Mutant(
        "spaces/splitting.py",
        "[[gradient.sum()], gradient + up, down - gradient]",
        "[[gradient.sum()], gradient + up, -gradient]",
        "Downward deviations are not penalised.",
        "spaces",
    ),
    # Training and its derivatives
    Mutant(
        "training/dynamics/momentum.py",
        'add("momentum", dv, g)',
        'add("momentum", dv, g, -1.0)',
        "What 1 - momentum gives away has the wrong sign.",
        "training/test_dynamics.py",
    ),
    Mutant(
        "training/dynamics/nesterov.py",
        "dk = dv + adjoint.w",
        "dk = dv + 0.999 * adjoint.w",
        "The adjoint of Nesterov's second kick is 0.1 % too small.",
        "training/test_dynamics.py",
    ),
    Mutant(
        "training/dynamics/adam.py",
        "-0.5 * n * beta_2**t / (1 - beta_2**n)",
        "-0.5 * n * beta_2**n / (1 - beta_2**n)",
        "The slope of Adam's correction has a power too many.",
        "training/test_dynamics.py",
    ),
    Mutant(
        "training/dynamics/rmsprop.py",
        "ds += over(0.5 * rate * scaled * g, root, self.epsilon)",
        "ds += over(rate * scaled * g, root, self.epsilon)",
        "The adjoint of RMSprop's mean of squares lacks a half.",
        "training/test_dynamics.py",
    ),
    Mutant(
        "training/schedules.py",
        "row += slope if len(row) > 1 else np.sum(slope)",
        "row += slope if len(row) > 1 else np.mean(slope)",
        "A rate that groups share gets the mean of their derivatives.",
        "training hypergradients/test_reverse.py",
    ),
    Mutant(
        "training/trajectories/reversed.py",
        "rates[name] = np.array(used) if np.ndim(rates[name]) else used[0]",
        "used = used",
        "Derivatives take the momentum that was asked for, not the fraction that was used.",
        "training/test_reversed.py exact",
    ),
    Mutant(
        "training/trajectories/reversed.py",
        "for number in reversed(self._dynamics.order):",
        "for number in self._dynamics.order[:1]:",
        "Only one slot is undone.",
        "training/test_reversed.py",
    ),
    Mutant(
        "training/adjoint.py",
        "sums.add(0, run.start_vjp(adjoint.w if to_start else np.zeros_like(adjoint.w)))",
        "sums.add(0, run.start_vjp(adjoint.w))",
        "A truncated derivative counts weights in the middle as the start.",
        "hypergradients/test_truncated.py",
    ),
    # Hypergradients
    Mutant(
        "hypergradients/implicit.py",
        "{name: -term for name, term in cross.items()}",
        "{name: term for name, term in cross.items()}",
        "The indirect term has the wrong sign.",
        "hypergradients/test_implicit.py",
    ),
    Mutant(
        "hypergradients/truncated.py",
        "max(0, run.n_steps - self.n_steps)",
        "max(0, run.n_steps - self.n_steps - 1)",
        "One step more is differentiated.",
        "hypergradients/test_truncated.py",
    ),
    Mutant(
        "hypergradients/online/online.py",
        "linearization = run.linearize(self._state.w, last)",
        "linearization = run.linearize(self._state.w, last - 1)",
        "The Hessian is that of the batch before.",
        "hypergradients/test_online.py",
    ),
    Mutant(
        "hypergradients/online/series.py",
        "x[part] += self._scale * (right[part] - product[part])",
        "x[part] += 1.001 * self._scale * (right[part] - product[part])",
        "Terms of the series are 0.1 % too large.",
        "hypergradients/test_online.py",
    ),
    # Exact reversal
    Mutant(
        "exact/buffer.py",
        "self._largest = _pushed(self._largest, d) // n",
        "self._largest = self._largest * d // n",
        "The bound of the accumulators leaves out a digit.",
        "exact",
    ),
    Mutant(
        "exact/decay.py",
        "largest = max(2**max_bits, math.ceil(1 / distance))",
        "largest = 2**max_bits",
        "Momenta close to 0 and 1 become 0 and 1.",
        "exact",
    ),
    Mutant(
        "exact/exact_array.py",
        "self._numbers[indices] >>= np.minimum(enlarged - exponents, 63)",
        "self._numbers[indices] >>= np.minimum(enlarged - exponents - 1, 63)",
        "Numbers whose units are enlarged become twice as large.",
        "exact",
    ),
    Mutant(
        "exact/exact_array.py",
        "known = exponents != UNSET",
        "known = numbers != 0",
        "A zero that has a unit forgets it when the unit is enlarged.",
        "exact",
    ),
    # Closed forms of classifiers, and kernels of processes
    Mutant(
        "adapters/gaussian_bayes.py",
        "self._largest_variance = np.var(X, axis=0, dtype=float).max()",
        "self._largest_variance = np.var(X, axis=0, dtype=float).mean()",
        "Variances are smoothed by a share of their mean.",
        "adapters/test_families.py",
    ),
    Mutant(
        "adapters/discrete_bayes.py",
        "(slopes - logs * slope / total) / total",
        "(slopes - 1.001 * logs * slope / total) / total",
        "The slope of a norm is 0.1 % too large.",
        "adapters/test_families.py",
    ),
    Mutant(
        "adapters/discriminant.py",
        "* np.sqrt(self._priors / counts)[codes, None]",
        "/ np.sqrt(counts.sum())",
        "The covariance matrix ignores the priors that are given.",
        "adapters/test_families.py adapters/test_discriminant.py",
    ),
    Mutant(
        "adapters/quadratic.py",
        "z[np.any(s <= self._tol, axis=1)] = np.nan",
        "z[np.any(s <= 0, axis=1)] = np.nan",
        "Covariances that the fit refuses have decision values.",
        "adapters/test_bayes.py",
    ),
    Mutant(
        "adapters/likelihood.py",
        "np.where((found > low) & (found < high), slopes, 0.0)",
        "slopes",
        "Probabilities that are clipped have slopes.",
        "adapters/test_bayes.py",
    ),
    Mutant(
        "adapters/gaussian_process.py",
        "of_alpha, (A, B) = solution.pull(g * self._by_row(self._scales))",
        "of_alpha, (A, B) = solution.pull(g)",
        "Derivatives are those of targets that are not scaled back.",
        "adapters/test_families.py adapters/test_gaussian_process.py",
    ),
    Mutant(
        "adapters/gaussian_process.py",
        "return found.reshape(-1, *self.data.X.shape).sum(axis=0)",
        "return found[: len(self.data.X)]",
        "Copies of rows have no derivatives.",
        "adapters/test_gaussian_process.py",
    ),
    Mutant(
        "problems/kernel/process_kernels.py",
        'V = V * (kernel.k2 if name == "k1" else kernel.k1)(X)',
        'V = V * (kernel.k1 if name == "k1" else kernel.k2)(X)',
        "A length scale in a product has the slope of another factor.",
        "adapters/test_gaussian_process.py",
    ),
    # Estimators
    Mutant(
        "linear_model/penalties.py",
        "self._factors = np.sqrt(self.reference / strengths[self._kept])",
        "self._factors = np.sqrt(1.001 * self.reference / strengths[self._kept])",
        "Penalties are 0.1 % too small.",
        "linear_model",
    ),
    Mutant(
        "data_cleaning/weights.py",
        "return np.clip(z - shift, 0.0, 1.0)",
        "return np.clip(z - shift, 0.0, None)",
        "Projected weights may exceed one.",
        "test_data_cleaning.py",
    ),
    Mutant(
        "data_cleaning/weights.py",
        "shift = np.interp(budget, sums[::-1], shifts[::-1])",
        "shift = 1.001 * np.interp(budget, sums[::-1], shifts[::-1])",
        "Projected weights sum to slightly less than the budget.",
        "test_data_cleaning.py",
    ),
    # Searches
    Mutant(
        "search/strategies/rough_scan.py",
        "return score, -record.value",
        "return -record.value, score",
        "The loss leads a scan where the asked score has its maximum elsewhere.",
        "search/test_rough_scan.py",
    ),
    Mutant(
        "tuning/objective.py",
        "(1 / n_splits + overlap) * np.var(values, ddof=1)",
        "(1 / n_splits + overlap) * np.var(values)",
        "The standard error divides by n, not by n - 1.",
        "tuning/test_standard_error.py search/test_selection.py",
    ),
    Mutant(
        "problems/outer/validation.py",
        "likelihood=1.0,",
        "likelihood=0.5,",
        "The likelihood takes a root for a square.",
        "problems/test_likelihood.py",
    ),
    Mutant(
        "problems/split_data.py",
        "spread * np.sqrt(n / (n - 1))",
        "spread",
        "The guard's standard error divides by n, not by n - 1.",
        "search/test_vector.py search/test_selection.py",
    ),
    Mutant(
        "tuning/objective.py",
        "(1 / n_splits + overlap) * np.var(values, ddof=1)",
        "(1 + overlap) * np.var(values, ddof=1)",
        "The error of a gain is that of one split.",
        "tuning/test_standard_error.py search/test_report.py",
    ),
    Mutant(
        "tuning/objective.py",
        "np.isfinite(self.value)) and UNSOLVED.isdisjoint(self.statuses)",
        "np.isfinite(self.value))",
        "Values of training problems that were not solved win.",
        "search/test_minima.py",
    ),
    Mutant(
        "optimizers/line.py",
        "square, cube = 3 * difference - 2 * p - q, p + q - 2 * difference",
        "square, cube = 3 * difference - 2 * p + q, p + q - 2 * difference",
        "The cubic between two points has another slope at the right one.",
        "optimizers/test_scan.py",
    ),
    Mutant(
        "optimizers/line.py",
        "return ALLOWED * max(variation, steepest)",
        "return 0.0 * max(variation, steepest)",
        "A line is believed to be the cubic through its points.",
        "optimizers/test_scan.py",
    ),
    Mutant(
        "search/strategies/closed_form_rows.py",
        "if apart <= ANOTHER * spread +",
        "if apart <= 3 * ANOTHER * spread +",
        "A fit that differs by 0.2 % from the model counts as the same.",
        "search/test_solved_rows.py",
    ),
    Mutant(
        "search/strategies/solved_rows.py",
        "abs(score - scores[0]) <= EQUAL *",
        "abs(score - scores[0]) <= 10 * EQUAL *",
        "Scores of the search that are wrong by 2e-6 are confirmed.",
        "search/test_solved_rows.py",
    ),
    Mutant(
        "search/strategies/solved_rows.py",
        'known = {"test_scores": float(scores[split]), "n_test_samples": size}',
        'known = {"test_scores": float(scores[0]), "n_test_samples": size}',
        "Splits whose score is known have that of the first one.",
        "search/test_solved_rows.py",
    ),
    Mutant(
        "search/strategies/solved_rows.py",
        "if scores is None or self._shown or len(outputs) > 1",
        "if scores is None or len(outputs) > 1",
        "Rows without training scores are confirmed where these are asked for.",
        "search/test_solved_rows.py",
    ),
    # One value, and vectors beside the evidence
    Mutant(
        "problems/linear/laplace.py",
        "gradient = 0.5 * (w**2 + own - 1 / strength) - w * q",
        "gradient = 0.5 * (w**2 + own - 1 / strength) - 1.001 * w * q",
        "The evidence of two classes knows its third derivatives 0.1 % wrongly.",
        "search/test_laplace.py",
    ),
    Mutant(
        "search/strategies/vector_descent.py",
        "mean = np.mean([found.record.theta for found in vectors], axis=0)",
        "mean = vectors[0].record.theta",
        "The mean of three models has no sparse vector in it.",
        "search/test_related_rows.py",
    ),
    Mutant(
        "search/strategies/vector_descent.py",
        "theta = start + way * (vector.record.theta - start)",
        "theta = vector.record.theta",
        "A vector of two classes goes all the way, however doubtful its gain is.",
        "search/test_weighed_vectors.py",
    ),
    Mutant(
        "search/strategies/vector_descent.py",
        "weight * np.repeat(sizes, sizes), np.concatenate(tests)",
        "weight * np.repeat(sizes, sizes), np.arange(len(losses))",
        "A row that is held out twice is two rows for the certainty of a gain.",
        "search/test_weighed_vectors.py",
    ),
    Mutant(
        "search/strategies/vector_descent.py",
        "z[0] = np.clip(z[0], *bounds)",
        "pass",
        "The level of a vector that ends weaker than one value stays there.",
        "search/test_laplace.py",
    ),
    Mutant(
        "problems/ridge/stable_criterion.py",
        "slope += 0.5 * self._n_contrasts * penalty / misfit",
        "slope += 0.5 * self._n_samples * penalty / misfit",
        "The slope of the evidence counts a row too many.",
        "problems/test_stable_criterion.py",
    ),
    Mutant(
        "problems/ridge/hat_trace.py",
        "left = inverse_of_triangle(factor(gram / strength, 1.0))",
        "left = inverse_of_triangle(factor(gram / strength, 1.001))",
        "Degrees of freedom of one penalty are those of one that is 0.1 % larger.",
        "search/test_one_value.py",
    ),
    Mutant(
        "problems/ridge/group_kernels.py",
        'slopes -= np.einsum("ik,gik->gk", b, self._within)',
        'slopes -= 1.001 * np.einsum("ik,gik->gk", b, self._within)',
        "Slopes in penalties of groups have 0.1 % too much of the training rows' part.",
        "problems/test_group_kernels.py",
    ),
    Mutant(
        "problems/ridge/group_kernels.py",
        "return whole + cross + cross.transpose(0, 2, 1)",
        "return whole + 1.002 * cross + cross.transpose(0, 2, 1)",
        "Second derivatives in penalties of groups have 0.1 % too much of one part.",
        "problems/test_target_losses.py",
    ),
    Mutant(
        "optimizers/block_newton.py",
        "lower = moved & (gained >= 0)",
        "lower = moved",
        "Blocks take steps that lead up, too.",
        "optimizers/test_block_newton.py",
    ),
    Mutant(
        "problems/ridge/target_losses.py",
        "np.any(known.strengths != strengths, axis=0)",
        "np.all(known.strengths != strengths, axis=0)",
        "Targets of which one penalty has moved count as known.",
        "problems/test_target_losses.py",
    ),
    # Several splits with one X
    Mutant(
        "search/data/sparse_columns.py",
        "products, squares, out=np.ones_like(squares)",
        "squares, products, out=np.ones_like(squares)",
        "The factors of columns are those of the way back.",
        "search/test_shared_design.py",
    ),
    Mutant(
        "search/data/sparse_columns.py",
        "difference <= tol * other._reach[self._columns]",
        "difference <= tol * other._reach.max()",
        "Columns may deviate by a share of the range of another one.",
        "search/test_shared_design.py",
    ),
    Mutant(
        "problems/linear/linear_problem.py",
        "slopes[:-1] += shifts[:, :, None] * slopes[-1]",
        "slopes[:-1] -= shifts[:, :, None] * slopes[-1]",
        "Slopes in shifted features move in the wrong direction.",
        "problems/test_linear.py",
    ),
    Mutant(
        "search/strategies/warm_rows.py",
        "own.intercept_ - own.coef_ @ origin",
        "own.intercept_ + own.coef_ @ origin",
        "The intercept of a fit moves away from the origin of its features.",
        "search/test_solved_rows.py",
    ),
    Mutant(
        "search/strategies/line_search.py",
        "start = min(np.log(level) - reach, smallest - beyond)",
        "start = np.log(level) - reach",
        "Scans do not reach the level of the smallest column.",
        "search/test_minima.py",
    ),
]


def file_of(mutant, root=ROOT):
    return root / PACKAGE / mutant.path


def check(mutants):
    """Names of those whose snippet does not occur exactly once."""
    wrong = []
    for number, mutant in mutants:
        path = file_of(mutant)
        count = path.read_text(encoding="utf-8").count(mutant.original) if path.exists() else 0
        if count != 1:
            wrong.append(f"{name_of(number, mutant)}: {count} times: {mutant.original}")
    return wrong


def name_of(number, mutant):
    return f"{number:2d} {mutant.path}: {mutant.wrong}"


def run(folder, tests, options):
    """The test that fails, or None; with what pytest has printed where it is neither."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *options]
    # Bytecode knows a file by its second and its size, which a mutant may share with the original.
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *tests],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {TIMEOUT} s"
    found = FAILED.search(done.stdout)
    if done.returncode == 0:
        return None
    if found is None:
        sys.exit(f"pytest has ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return found[1]


def likely(mutant):
    """Paths of the tests that are likely to notice a mutant."""
    return [f"tests/{name}" for name in mutant.tests.split()]


def killer(folder, mutant, options, quick):
    """The test that notices a mutant, or None."""
    path = file_of(mutant, folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutant.original, mutant.replacement), encoding="utf-8")
    try:
        found = run(folder, likely(mutant), options)
        return found if found or quick else run(folder, [], options)
    finally:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="check the snippets, and run nothing")
    parser.add_argument("--only", default="", help="numbers, or parts of the paths, by commas")
    parser.add_argument("--thorough", action="store_true", help="with all cases of every product")
    parser.add_argument("--deselect", action="append", default=[], help="a test, as for pytest")
    parser.add_argument("--quick", action="store_true", help="only the tests likely to notice")
    args = parser.parse_args()
    wanted = [part for part in args.only.split(",") if part]
    mutants = [
        (number, mutant)
        for number, mutant in enumerate(MUTANTS)
        if not wanted or any(part == str(number) or part in mutant.path for part in wanted)
    ]
    wrong = check(mutants)
    if wrong:
        told = "What these replace does not occur exactly once:"
        print(told, *wrong, sep="\n", file=sys.stderr)
        return 2
    if args.list:
        print(*(name_of(*each) for each in mutants), sep="\n")
        return 0
    options = ["-m", "not paper and not example"] if args.thorough else []
    options += [part for test in args.deselect for part in ("--deselect", test)]
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "repository"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        # What fails anyway would be taken for a killer.
        first = run(copy, sorted({path for _, each in mutants for path in likely(each)}), options)
        if first is not None:
            print(f"{first} fails without a mutant", file=sys.stderr)
            return 2
        for number, mutant in mutants:
            begin = time.monotonic()
            test = killer(copy, mutant, options, args.quick)
            survivors += [mutant] * (test is None)
            outcome = "SURVIVED" if test is None else f"killed by {test}"
            seconds = time.monotonic() - begin
            print(f"{name_of(number, mutant)}\n   {outcome} ({seconds:.0f} s)", flush=True)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
