"""The objective of a search that moves hyperparameters while training runs."""

import dataclasses

import numpy as np

from sklearn_hypergrad.threads import in_threads
from sklearn_hypergrad.tuning.training_objective import TrainedObjective


class OnlineObjective(TrainedObjective):
    """Mean validation loss over splits, with one training per split that goes on from call to call.

    So a value depends not only on theta, but on the weights after all calls so far.

    Parameters
    ----------
    space, terms, stage, events, make_terms
        As for TrainedObjective.
    method : OnlineHypergradient
    n_outer : int
        Number of calls that are planned, which sets the length of training between them.
    """

    noisy = True

    def __init__(self, space, terms, *more, make_terms, method, n_outer):
        super().__init__(space, terms, *more, make_terms=make_terms, fresh=False)
        self._method, self._n_outer = method, n_outer
        self._sessions, self._saved = None, ()

    def __call__(self, theta):
        record = self.record(theta)
        # Training goes on at every call, also with values that were evaluated before.
        self._known.clear()
        return record.value, record.gradient

    def take_back(self):
        """Undo the last call, whose point the optimizer rejects."""
        for session, saved in zip(self._sessions, self._saved, strict=True):
            session.restore(saved)

    def final(self, theta):
        """The Record of a whole training with theta, as an estimator's fit does it."""
        # Statuses of the last finite evaluation: one that diverged was taken back.
        statuses = next(r.statuses for r in reversed(self.records) if np.isfinite(r.value))
        self.glance(theta)
        record = self.records[-1]
        self.records[-1] = dataclasses.replace(record, statuses=record.statuses or statuses)
        return self.records[-1]

    def _evaluate_terms(self, theta, h):
        if self._sessions is None:
            self._sessions = [
                self._method.begin(term.problem, h, self._n_outer) for term in self.terms
            ]
        self._saved = [session.save() for session in self._sessions]

        def advance(pair):
            session, term = pair
            return session.advance(h, term.outer)

        return in_threads(advance, list(zip(self._sessions, self.terms, strict=True)))
