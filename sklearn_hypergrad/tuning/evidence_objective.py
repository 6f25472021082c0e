"""Cross-validation and evidence side by side, as one objective; and evidence alone."""

import dataclasses

import numpy as np

from sklearn_hypergrad.hypergradients import Evaluation
from sklearn_hypergrad.problems import Status
from sklearn_hypergrad.tuning.objective import Objective


class EvidenceTerm:
    """Minus the log evidence as the only term of an Objective.

    Parameters
    ----------
    evidence : callable
        ``evidence(h) -> (minus the log evidence, its derivatives in h)``.
    data : SplitData
        All rows, which are its identity for a checkpoint.
    """

    iterative = uses_starts = False
    n_splits = 1

    def __init__(self, evidence, data):
        self.data, self._evidence = data, evidence

    def evaluate(self, h, start, tol):
        """The Evaluation at hyperparameters ``h``: in closed form, whatever the other arguments."""
        value, slopes = self._evidence(h)
        return Evaluation(np.array([value]), slopes, None, (Status.CONVERGED,), 1)


class EvidenceObjective(Objective):
    """An objective whose points have a log evidence beside their validation loss.

    The two err in different ways: cross-validation knows nothing of the rows that it trains on, and
    the evidence trusts the model. A change that is good for both is real.

    Parameters
    ----------
    *args : tuple
        The arguments of Objective.
    evidence : callable
        ``evidence(h) -> (minus the log evidence, its derivatives in h)``.
    scale : callable
        ``scale(loss) -> (value, derivative)``: minus the log likelihood of a validation loss.
    share : float
        Weight of the evidence; that of the validation loss is the rest.
    """

    def __init__(self, *args, evidence, scale, share):
        super().__init__(*args)
        self._evidence, self._scale, self._share = evidence, scale, share

    def __call__(self, theta):
        """``(value, gradient)`` of what is minimised, in nats."""
        return self.nats(self.record(theta))

    def nats(self, record):
        """``(value, gradient)`` of what is minimised at the point of a Record."""
        (value, slope), share = self._scale(record.value), self._share
        return (
            (1 - share) * value - share * record.log_evidence,
            (1 - share) * slope * record.gradient - share * record.log_evidence_gradient,
        )

    def _evaluate(self, theta):
        record = super()._evaluate(theta)
        if not np.isfinite(record.value):
            return record
        try:
            value, slopes = self._evidence(record.h)
        except np.linalg.LinAlgError as error:
            return self._without(record, str(error))
        gradient = self.space.pullback(theta, slopes)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return self._without(record, "the evidence is not finite")
        return dataclasses.replace(
            record,
            log_evidence=-value,
            log_evidence_gradient=-gradient,
            n_solves=record.n_solves + 1,
        )

    @staticmethod
    def _without(record, error):
        """The Record of a point without evidence, where the search must not go."""
        return dataclasses.replace(
            record,
            value=np.inf,
            losses=np.full_like(record.losses, np.inf),
            gradient=np.zeros_like(record.gradient),
            error=error,
        )
