"""What is trained: inner problems, their penalties and the outer losses on held-out parts."""

from sklearn_hypergrad.problems.autograd_loss import AutogradLoss
from sklearn_hypergrad.problems.autograd_problem import AutogradProblem
from sklearn_hypergrad.problems.autograd_training import AutogradTraining
from sklearn_hypergrad.problems.base import STATUSES, InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.block import Block
from sklearn_hypergrad.problems.compress import compress
from sklearn_hypergrad.problems.design import Design
from sklearn_hypergrad.problems.dof import effective_dof
from sklearn_hypergrad.problems.dual_ridge import DualRidge
from sklearn_hypergrad.problems.gauss_newton import GaussNewton
from sklearn_hypergrad.problems.gram_ridge import GramRidge, QuadraticLoss
from sklearn_hypergrad.problems.kernel_ridge import KernelRidge
from sklearn_hypergrad.problems.linear import LinearProblem
from sklearn_hypergrad.problems.network import Network, glorot
from sklearn_hypergrad.problems.network_problem import NetworkProblem
from sklearn_hypergrad.problems.outer import HeldOutLoss, MeanLoss, NetworkLoss, PredictionLoss
from sklearn_hypergrad.problems.penalty import L2Penalty
from sklearn_hypergrad.problems.press import PressLoss
from sklearn_hypergrad.problems.ridge import RidgeProblem
from sklearn_hypergrad.problems.trainable import Linearization, TrainableProblem
from sklearn_hypergrad.problems.validation import VALIDATION_LOSSES, ValidationLoss

__all__ = [
    "STATUSES",
    "VALIDATION_LOSSES",
    "AutogradLoss",
    "AutogradProblem",
    "AutogradTraining",
    "Block",
    "Design",
    "DualRidge",
    "GaussNewton",
    "GramRidge",
    "HeldOutLoss",
    "InnerProblem",
    "InnerSolution",
    "KernelRidge",
    "L2Penalty",
    "LinearProblem",
    "Linearization",
    "MeanLoss",
    "Network",
    "NetworkLoss",
    "NetworkProblem",
    "PredictionLoss",
    "PressLoss",
    "QuadraticLoss",
    "RidgeProblem",
    "Status",
    "TrainableProblem",
    "ValidationLoss",
    "compress",
    "effective_dof",
    "glorot",
]
