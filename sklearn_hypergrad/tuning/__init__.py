"""The outer problem without scikit-learn: an objective, its evaluations, and its minimum."""

from sklearn_hypergrad.tuning.deadline import Deadline
from sklearn_hypergrad.tuning.events import COMPARISON, INTERRUPTED, ONE_SE, SEARCH, Stage, Stopped
from sklearn_hypergrad.tuning.evidence_objective import EvidenceObjective
from sklearn_hypergrad.tuning.minimize import Minimized, ProblemTerm, descend, minimize
from sklearn_hypergrad.tuning.objective import COARSE, FINE, ROUGH, Objective, Record, lowest
from sklearn_hypergrad.tuning.online_objective import OnlineObjective
from sklearn_hypergrad.tuning.training_objective import TrainedObjective

__all__ = [
    "COARSE",
    "COMPARISON",
    "FINE",
    "INTERRUPTED",
    "ONE_SE",
    "ROUGH",
    "SEARCH",
    "Deadline",
    "EvidenceObjective",
    "Minimized",
    "Objective",
    "OnlineObjective",
    "ProblemTerm",
    "Record",
    "Stage",
    "Stopped",
    "TrainedObjective",
    "descend",
    "lowest",
    "minimize",
]
