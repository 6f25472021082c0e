"""KernelPCA: principal components of the rows in the space of a kernel.

With the kernel K of all rows with the n training rows, m the means of the columns of its training
part, and C = I - 11'/n, it is ::

    X' = J V s^(-1/2)    with    J = (K - 1 m') C

where s are the largest eigenvalues of the training part of J and V their eigenvectors. Of training
rows it is ``V s^(1/2)``.
"""

import numpy as np
from sklearn.decomposition import KernelPCA
from sklearn.utils.extmath import svd_flip

from sklearn_hypergrad._sklearn import checked_eigenvalues
from sklearn_hypergrad.problems.kernel.pairwise_kernel import PairwiseKernel
from sklearn_hypergrad.transformers.base import Features, Transformed, transformer
from sklearn_hypergrad.transformers.named_kernels import NamedKernelFamily, usual_values

# Eigenvalues closer than this, relative to their size, count as equal. Reason: what cancels in the
# derivative of a pair of them leaves a rounding of 1e-16, which their difference divides.
CLOSE = 1e-10


class ComponentFeatures(Features):
    """The components of all rows of one split.

    Parameters
    ----------
    estimator : KernelPCA
    rows : Rows
    names : collection of str
    own : dict
        ``gamma`` and ``coef0`` of the estimator, as numbers.
    """

    def __init__(self, estimator, rows, names, own):
        self._n_train, self._names, self._kind = rows.n_train, names, estimator.kernel
        self._settings = {"degree": estimator.degree, "others": np.arange(rows.n_train)} | own
        self._n_components = min(estimator.n_components or rows.n_train, rows.n_train)
        self._only_positive = estimator.remove_zero_eig or estimator.n_components is None
        self._X, self._kernel = rows.X, self._kernel_of(rows.X)

    def _kernel_of(self, X):
        return PairwiseKernel(self._kind, X, **self._settings)

    def levels(self):
        return usual_values(self._kernel.pairs, self._names)

    def at(self, h, X):
        n, kernel = self._n_train, self._kernel if X is self._X else self._kernel_of(X)
        at = kernel.at(h)
        J = at.K - at.K[:n].mean(axis=0)
        J -= J.mean(axis=1, keepdims=True)
        found = Components(J[:n], self._n_components)
        Z = np.concatenate([found.V * found.roots, J[n:] @ (found.V / found.roots)])
        # Those of no variance are columns of zeros.
        n_left = Z.shape[1] if self._only_positive else self._n_components
        left = np.zeros((len(Z), n_left))
        left[:, : Z.shape[1]] = Z

        def pull(G, through):
            W = found.pull(J[n:], G[:, : Z.shape[1]])
            W -= W.mean(axis=1, keepdims=True)
            W[:n] -= W.sum(axis=0) / n
            return at.slopes(W, self._names), at.x_vjp(W) if through else None

        return Transformed(left, pull)


# Derivation. For kept i and any other j the derivative of V_i has the part V_j V_j' dJ V_i /
# (s_i - s_j), and ds_i = V_i' dJ V_i. With b_i the derivative of the loss in V_i, two kept ones
# have together V_j' dJ V_i times (V_j' b_i - V_i' b_j) / (s_i - s_j). Let U = X'_tr' G_tr, T =
# X'_te' G_te, and Q = U + T with a symmetric part Q+ and an antisymmetric part Q-. Then b_i =
# s_i^(1/2) G_tr,i + s_i^(-1/2) J_te' G_te,i makes of it
#
#     (Q+ - T - T')_ij / (s_i s_j)^(1/2)  -  Q-_ij (s_i + s_j) / ((s_i s_j)^(1/2) (s_i - s_j))
#
# A model that predicts the same for rotated columns has a symmetric Q, so that components of one
# variance, which are any basis of a space, are no trouble.
class Components:
    """Eigenvectors of a symmetric matrix with its largest eigenvalues, and their derivatives.

    Parameters
    ----------
    J : ndarray of shape (n, n)
    n_components : int
        At most so many; those of an eigenvalue of zero are left out.

    Attributes
    ----------
    V : ndarray of shape (n, n_kept)
        In the order of falling eigenvalues, with scikit-learn's signs.
    roots : ndarray of shape (n_kept,)
        The roots of their eigenvalues.

    Raises
    ------
    LinAlgError
        If one of these eigenvalues is negative, and not by rounding only.
    """

    def __init__(self, J, n_components):
        s, V = np.linalg.eigh(J)
        s, V = s[::-1], V[:, ::-1]
        try:
            # Small ones become zero, as in scikit-learn's fit.
            positive = checked_eigenvalues(s[:n_components]) > 0
        except ValueError as error:
            raise np.linalg.LinAlgError(str(error)) from error
        n_kept = int(positive.sum())
        self._s, self._others_s = s[:n_kept], s[n_kept:]
        self.V, _ = svd_flip(V[:, :n_kept].copy(), None)
        self._others, self.roots = V[:, n_kept:], np.sqrt(self._s)

    def pull(self, test, G):
        """Derivatives in the entries of the matrix and of ``test``, below each other.

        Parameters
        ----------
        test : ndarray of shape (n_test, n)
            Other rows, which are multiplied by ``V / roots``.
        G : ndarray of shape (n + n_test, n_kept)
            Derivatives in ``V * roots`` and in these products.
        """
        V, roots, n = self.V, self.roots, len(self.V)
        of_train, of_test = G[:n], test.T @ G[n:]
        U, T = roots[:, None] * (V.T @ of_train), (V.T @ of_test) / roots[:, None]
        within = 0.5 * self._pairs(U, T)
        np.fill_diagonal(within, (np.diag(U) - np.diag(T)) / (2 * self._s))
        B = of_train * roots + of_test / roots
        beyond = (self._others.T @ B) * self._inverse_gaps(self._others_s)
        W = (V @ within + self._others @ beyond) @ V.T
        return np.concatenate([0.5 * (W + W.T), G[n:] @ (V / roots).T])

    def _pairs(self, U, T):
        """What a pair of kept ones has together."""
        Q, s, roots = U + T, self._s, self.roots
        smooth = 0.5 * (Q + Q.T) - T - T.T
        turned = 0.5 * (Q - Q.T) * (s[:, None] + s) * self._inverse_gaps(s).T
        return (smooth - turned) / (roots[:, None] * roots)

    # Of two that are equal the one may be taken for the other: there is no derivative, and where
    # none is needed it is 0 / 0.
    def _inverse_gaps(self, others):
        """``1 / (s_i - others_j)`` in column i and row j; zero if they are equal."""
        gap = self._s - others[:, None]
        rounding = len(self.V) * np.finfo(float).eps * self._s.max(initial=0.0)
        equal = np.abs(gap) <= CLOSE * self._s + rounding
        return np.divide(1, gap, out=np.zeros_like(gap), where=~equal)


class KernelPCAFamily(NamedKernelFamily):
    """KernelPCA of scikit-learn, with kernels that have a name."""

    estimator_class = KernelPCA
    conditions = "kernels with a name, not with ``eigen_solver='randomized'``"
    enumerated = {"alpha": "belongs to inverse_transform, which no model sees"}

    def configuration_obstacle(self, estimator, names, moving):
        if estimator.eigen_solver == "randomized":
            return (
                "eigen_solver='randomized' of KernelPCA draws, and finds components only about: "
                "choose 'dense' or 'arpack'"
            )
        return super().configuration_obstacle(estimator, names, moving)

    def features(self, estimator, rows, entries, seed):
        return ComponentFeatures(estimator, rows, list(entries), self.own_values(estimator, rows.X))


@transformer.register
def _(estimator: KernelPCA):
    return KernelPCAFamily(estimator)
