"""The objective of a search that moves hyperparameters while training runs."""

import dataclasses

import numpy as np

from sklearn_hypergrad.hypergradients import OnlineHypergradient
from sklearn_hypergrad.optimizers import Adam
from sklearn_hypergrad.search.objective.training_objective import TrainedObjective
from sklearn_hypergrad.threads import in_threads


class OnlineObjective(TrainedObjective):
    """Mean validation loss over splits, each of one training that goes on from call to call.

    So a value is not that of theta alone, but of the weights that all calls so far have led to.

    Parameters
    ----------
    space : Space
    terms : list of Term
    make_terms : callable
        As for TrainedObjective.
    method : OnlineHypergradient
    n_outer : int
        Calls that are to come.
    """

    noisy = True

    def __init__(self, space, terms, make_terms, method, *, n_outer):
        super().__init__(space, terms, make_terms, method, fresh=False)
        self._n_outer = n_outer
        self._sessions, self._saved = None, ()

    def __call__(self, theta):
        record = self.record(theta)
        # Where the search began it has been before; from then on training goes on at every call,
        # also with the same values.
        self._known.clear()
        return record.value, record.gradient

    def take_back(self):
        """Go back to before the last call, which the optimizer cannot use."""
        for session, saved in zip(self._sessions, self._saved, strict=True):
            session.restore(saved)

    def final(self, theta):
        """The record of training with theta from the start to the end, as fits do."""
        # Of the last step that could be evaluated: one that diverged was taken back.
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


def is_online(options):
    """Whether hyperparameters are to be moved while training runs."""
    return isinstance(options.method, OnlineHypergradient)


def refuse_online(candidate, options):
    """Raise ValueError if they are, and cannot be.

    Parameters
    ----------
    candidate : Candidate
    options : Options
    """
    if not is_online(options):
        return
    if not candidate.family.trained:
        name = type(candidate.final).__name__
        raise ValueError(
            f"Cannot tune {candidate.key!r} with {options.method!r}. This is because {name} is "
            f"solved, not trained step by step. Use hypergradient='implicit'."
        )
    if options.resample == "fresh":
        raise ValueError(
            f"resample='fresh' draws initial weights and batches anew at every evaluation, and "
            f"{options.method!r} trains once. Leave resample='fixed', or use "
            f"hypergradient='reverse'."
        )
    if options.optimizer is not None and not isinstance(options.optimizer, Adam):
        raise ValueError(
            f"{options.method!r} moves hyperparameters once in a while as training goes on, which "
            f"optimizer={options.optimizer!r} cannot: it compares values at different points. Use "
            f"optimizer='adam'."
        )
