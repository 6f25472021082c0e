"""The objective of a search for hyperparameters of training runs."""

import copy
import dataclasses
import functools
import time

import numpy as np

from sklearn_hypergrad.threads import in_threads
from sklearn_hypergrad.training import Storage, Training
from sklearn_hypergrad.tuning.objective import DIVERGING, Objective


class TrainedObjective(Objective):
    """Mean validation loss over splits, each with a training run of its own.

    Parameters
    ----------
    space, terms, stage, events
        As for Objective.
    make_terms : callable
        ``make_terms(draw)`` returns the terms with the seeds of a draw; draw 0 is ``terms``.
    fresh : bool
        Whether every evaluation draws new seeds.
    """

    def __init__(self, space, terms, *more, make_terms, fresh):
        super().__init__(space, terms, *more)
        self.terms = self._watched(terms)
        self._make_terms = make_terms
        self._fresh = fresh
        self.noisy = self.noisy or fresh
        # Memory for the states of parallel runs, used again by later evaluations.
        self._storages = []

    def glance(self, theta):
        """The value at theta without the gradient, at about a third of the cost."""
        return self.kept(self._glanced, theta).value

    def value(self, theta):
        return float(self._losses(theta)[0].mean())

    def solutions(self, h):
        for term in self.terms:
            yield term, term.train(h, None, self.tol)

    def _watched(self, terms):
        """The terms, with training runs that look at the watch of the events at every step."""
        return [_with_watch(term, self.events.watch) for term in terms]

    def _glanced(self, theta):
        began = time.perf_counter()
        try:
            losses, n_gradients = self._losses(theta)
        except DIVERGING as error:
            return self._failed(theta, error, began)
        losses = np.where(np.isfinite(losses), losses, np.inf)
        unknown = np.full_like(theta, np.nan)
        h = self.space.to_h(theta)
        more = {"statuses": (), "n_solves": n_gradients}
        return self._told(theta, h, losses, unknown, began, **more)

    def _losses(self, theta):
        """Losses of all splits, and the number of gradients of batches that they took."""
        h = self.space.to_h(theta)

        def loss(term):
            fitted = term.train(h, None, self.tol)
            return term.losses(fitted), fitted.n_solves

        losses, counts = zip(*in_threads(loss, self.terms), strict=True)
        return np.concatenate(losses), sum(counts)

    def _renew(self):
        if self._fresh and self.records:
            self.terms = self._watched(self._make_terms(len(self.records)))

    def _evaluate_terms(self, theta, h):
        return in_threads(functools.partial(self._evaluate_term, h), self.terms)

    def _evaluate_term(self, h, term):
        storage = self._storages.pop() if self._storages else Storage()
        try:
            return term.evaluate(h, None, self.tol, storage=storage)
        finally:
            self._storages.append(storage)


def _with_watch(term, watch):
    # A solved problem that is trained by gradient descent becomes a Training later.
    if not isinstance(getattr(term, "problem", None), Training):
        return term
    term = copy.copy(term)
    term.problem = dataclasses.replace(term.problem, watch=watch)
    return term
