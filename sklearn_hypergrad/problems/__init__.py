"""Inner problems, their penalties, and outer losses on held-out parts."""

from sklearn_hypergrad.problems.autograd.autograd_loss import AutogradLoss
from sklearn_hypergrad.problems.autograd.autograd_problem import AutogradProblem
from sklearn_hypergrad.problems.autograd.autograd_training import AutogradTraining
from sklearn_hypergrad.problems.autograd.gauss_newton import GaussNewton
from sklearn_hypergrad.problems.base import STATUSES, InnerProblem, InnerSolution, Status
from sklearn_hypergrad.problems.linear.design import Design
from sklearn_hypergrad.problems.linear.laplace import LaplaceEvidence
from sklearn_hypergrad.problems.linear.linear_problem import LinearProblem
from sklearn_hypergrad.problems.linear.penalty import (
    Entries,
    L2Penalty,
    effective_dof,
    free_directions,
)
from sklearn_hypergrad.problems.linear.row_space import to_row_space
from sklearn_hypergrad.problems.network.network import Network, glorot
from sklearn_hypergrad.problems.network.network_problem import NetworkProblem
from sklearn_hypergrad.problems.outer.held_out import (
    HeldOutLoss,
    LinearPredictions,
    MeanLoss,
    NetworkLoss,
    NetworkPredictions,
    PredictionLoss,
    WeightLoss,
)
from sklearn_hypergrad.problems.outer.validation import (
    VALIDATION_LOSSES,
    d2_deviance,
    losses_of,
)
from sklearn_hypergrad.problems.outer.validation_loss import ValidationLoss
from sklearn_hypergrad.problems.piecewise.huber import HuberProblem
from sklearn_hypergrad.problems.piecewise.interval import IntervalProblem
from sklearn_hypergrad.problems.ridge.dual_ridge import DualRidge
from sklearn_hypergrad.problems.ridge.evidence import Evidence
from sklearn_hypergrad.problems.ridge.gram_ridge import GramRidge, QuadraticLoss
from sklearn_hypergrad.problems.ridge.hat_trace import hat_trace
from sklearn_hypergrad.problems.ridge.kernel_ridge import KernelRidge
from sklearn_hypergrad.problems.ridge.leave_one_out import LeaveOneOutLoss
from sklearn_hypergrad.problems.ridge.ridge_problem import RidgeProblem
from sklearn_hypergrad.problems.ridge.stable_criterion import StableCriterion
from sklearn_hypergrad.problems.sparse.elastic_net import ElasticNetProblem
from sklearn_hypergrad.problems.sparse.elastic_net_penalty import ElasticNetPenalty
from sklearn_hypergrad.problems.sparse.exchange import SparseMinimum, exchange
from sklearn_hypergrad.problems.sparse.gram import DenseGram, RowsGram
from sklearn_hypergrad.problems.sparse.multi_task import MultiTaskProblem
from sklearn_hypergrad.problems.sparse.sparse_linear_problem import SparseLinearProblem
from sklearn_hypergrad.problems.split_data import SplitData
from sklearn_hypergrad.problems.trainable import Linearization, TrainableProblem

__all__ = [
    "STATUSES",
    "VALIDATION_LOSSES",
    "AutogradLoss",
    "AutogradProblem",
    "AutogradTraining",
    "SparseLinearProblem",
    "SplitData",
    "StableCriterion",
    "DenseGram",
    "Design",
    "DualRidge",
    "ElasticNetPenalty",
    "ElasticNetProblem",
    "Evidence",
    "GaussNewton",
    "GramRidge",
    "HeldOutLoss",
    "HuberProblem",
    "InnerProblem",
    "InnerSolution",
    "IntervalProblem",
    "KernelRidge",
    "Entries",
    "L2Penalty",
    "LinearPredictions",
    "LaplaceEvidence",
    "LinearProblem",
    "Linearization",
    "MeanLoss",
    "MultiTaskProblem",
    "Network",
    "NetworkLoss",
    "NetworkPredictions",
    "NetworkProblem",
    "PredictionLoss",
    "LeaveOneOutLoss",
    "QuadraticLoss",
    "RidgeProblem",
    "RowsGram",
    "SparseMinimum",
    "Status",
    "TrainableProblem",
    "ValidationLoss",
    "WeightLoss",
    "to_row_space",
    "d2_deviance",
    "effective_dof",
    "free_directions",
    "exchange",
    "glorot",
    "hat_trace",
    "losses_of",
]
