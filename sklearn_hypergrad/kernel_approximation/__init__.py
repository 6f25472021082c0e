"""Scikit-learn's Nystroem and RBFSampler, with one gamma per feature."""

from sklearn_hypergrad.kernel_approximation.nystroem import Nystroem
from sklearn_hypergrad.kernel_approximation.rbf_sampler import RBFSampler

__all__ = ["Nystroem", "RBFSampler"]
