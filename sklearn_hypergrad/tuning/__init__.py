"""The outer problem without scikit-learn: an objective, its evaluations, and its minimum."""

from sklearn_hypergrad.tuning.deadline import Deadline
from sklearn_hypergrad.tuning.events import COMPARISON, INTERRUPTED, ONE_SE, SEARCH, Stage, Stopped
from sklearn_hypergrad.tuning.evidence_objective import EvidenceObjective, EvidenceTerm
from sklearn_hypergrad.tuning.minimize import Minimized, ProblemTerm, descend, minimize
from sklearn_hypergrad.tuning.objective import COARSE, FINE, ROUGH, Objective, Record, lowest
from sklearn_hypergrad.tuning.online_objective import OnlineObjective
from sklearn_hypergrad.tuning.trail import Point
from sklearn_hypergrad.tuning.training_objective import TrainedObjective
from sklearn_hypergrad.tuning.tune import Draws, Tuned, tune

__all__ = [
    "COARSE",
    "COMPARISON",
    "FINE",
    "INTERRUPTED",
    "ONE_SE",
    "ROUGH",
    "SEARCH",
    "Deadline",
    "Draws",
    "EvidenceObjective",
    "EvidenceTerm",
    "Minimized",
    "Objective",
    "OnlineObjective",
    "Point",
    "ProblemTerm",
    "Record",
    "Stage",
    "Stopped",
    "TrainedObjective",
    "Tuned",
    "descend",
    "lowest",
    "minimize",
    "tune",
]
