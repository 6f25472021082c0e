"""Searches that are shared with workers: what happens in them is told here, in their order."""

import collections
import contextlib
import dataclasses
import functools
from typing import Any

import numpy as np

from sklearn_hypergrad.threads import n_sharing, one_blas_thread
from sklearn_hypergrad.tuning import INTERRUPTED, Stopped
from sklearn_hypergrad.workers import Crew


class Shared:
    """Searches of one kind, some of them on workers.

    The first reason to stop ends all of them: those that run give what they have.

    Parameters
    ----------
    here, away : callable
        ``here(task, options)`` searches in this thread. ``away`` does the same on a worker: it and
        what it returns can be pickled.
    tasks : list
    options : list of Options
        Those of each task.
    n_jobs : int or None

    Attributes
    ----------
    results : dict of int -> object
        What the searches returned, by the number of the task.
    reason : str or None
        Why they were stopped, if they were.
    """

    def __init__(self, here, away, tasks, options, n_jobs):
        self._here, self._tasks, self._options = here, tasks, options
        self._now, listeners = now_and_later(options[0])
        self._told = InOrder(listeners)
        sent = [(task, portable(each)) for task, each in zip(tasks, options, strict=True)]
        reads = any(getattr(listener, "reads_settings", False) for listener in listeners)
        self._crew = Crew(functools.partial(on_worker, away, n_sharing(), reads), sent, n_jobs)
        self.results, self.reason = {}, None

    def run(self):
        """Search.

        Raises
        ------
        KeyboardInterrupt
            If it is interrupted once more.
        """
        with self._crew:
            going = True
            while going:
                try:
                    going = self._step()
                except Stopped as stop:
                    self._stop(stop.reason)
                except KeyboardInterrupt:
                    if self.reason is not None:
                        raise
                    self._stop(INTERRUPTED)
        self._told.rest()

    def _step(self):
        """Do the next task, or wait for workers; False if all are done."""
        for arrived in self._crew.arrived():
            self._keep_outcome(*arrived)
        task = self._crew.take()
        if task is None and self._crew.is_away:
            for arrived in self._crew.wait():
                self._keep_outcome(*arrived)
        elif task is None:
            return False
        else:
            self._do(task[0])
        return True

    def _do(self, number):
        options = self._options[number]
        options.watch()
        listeners = *self._now, self._told.listener(number)
        options = dataclasses.replace(options, listeners=listeners)
        try:
            result = self._here(self._tasks[number], options)
        except KeyboardInterrupt:
            # The first one ends a search, with its result.
            self._stop(INTERRUPTED)
            raise
        self._keep(number, result, getattr(result, "stopped", None))
        self._told.end(number)

    def _keep_outcome(self, number, outcome):
        """Keep what a worker returned, and tell what happened there."""
        stopped = outcome.reason or getattr(outcome.result, "stopped", None)
        self._keep(number, outcome.result, stopped)
        self._told.add(number, outcome.events)
        self._told.end(number)

    def _keep(self, number, result, stopped):
        if result is not None:
            self.results[number] = result
        if stopped is not None:
            self._stop(stopped)

    def _stop(self, reason):
        if self.reason is None:
            self.reason = reason
            self._crew.halt(reason)


class InOrder:
    """Passes events of several searches on: those of one after those of another.

    Parameters
    ----------
    listeners : tuple of callable
    """

    def __init__(self, listeners):
        self._listeners = listeners
        self._waiting, self._ended = collections.defaultdict(collections.deque), set()
        self._turn = 0

    def listener(self, number):
        """The listener of a search."""

        def listen(*event):
            self.add(number, [event])
            self._pass_on()

        return listen

    def add(self, number, events):
        """Hear events of a search, which are passed on later."""
        self._waiting[number].extend(events)

    def end(self, number):
        """Hear that a search has ended."""
        self._ended.add(number)
        self._pass_on()

    def rest(self):
        """Pass on what is left after a stop, when nothing can be stopped any more."""
        for number in sorted(self._waiting):
            while self._waiting[number]:
                with contextlib.suppress(Stopped):
                    self._tell(number)

    def _pass_on(self):
        while self._waiting[self._turn] or self._turn in self._ended:
            if self._waiting[self._turn]:
                self._tell(self._turn)
            else:
                self._turn += 1

    def _tell(self, number):
        # It is gone even if a listener raises.
        event = self._waiting[number].popleft()
        for listener in self._listeners:
            listener(*event)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a worker returns.

    Attributes
    ----------
    result : object
        What the search returned; None if it was stopped before there was something.
    reason : str or None
        Why it was stopped then.
    events : list of tuple
        What listeners are to be told.
    """

    result: Any
    reason: str | None
    events: list


def now_and_later(options):
    """Listeners that hear of evaluations at once, and those that hear of them in order."""
    later = tuple(each for each in options.listeners if each is not options.deadline)
    return () if options.deadline is None else (options.deadline,), later


def portable(options):
    """The options of a search as workers get them."""
    memory = None if options.memory is None else options.memory.away()
    watch = bool if options.deadline is None else options.deadline.check
    return dataclasses.replace(options, listeners=(), watch=watch, memory=memory)


def on_worker(search, n_sharing, reads, sent, halted):
    """Do a search on a worker.

    Parameters
    ----------
    search : callable
        ``search(task, options)``.
    n_sharing : int
        As for ``one_blas_thread``.
    reads : bool
        Whether a listener reads the settings of evaluations.
    sent : tuple of (object, Options)
    halted : callable
        Returns the reason to end early, or None.

    Returns
    -------
    Outcome
    """
    (task, options), events, watch = sent, [], sent[1].watch

    def listen(stage, record, settings):
        events.append((stage, record, Known(settings(record.h) if reads else None)))

    def look():
        reason = halted()
        if reason is not None:
            raise Stopped(reason)
        watch()

    listeners = *now_and_later(options)[0], listen
    memory = contextlib.nullcontext() if options.memory is None else options.memory
    options = dataclasses.replace(options, listeners=listeners, watch=look)
    try:
        with np.errstate(all="ignore"), one_blas_thread(n_sharing), memory:
            return Outcome(search(task, options), None, events)
    except (Stopped, KeyboardInterrupt) as stop:
        return Outcome(None, getattr(stop, "reason", INTERRUPTED), events)


@dataclasses.dataclass(frozen=True)
class Known:
    """The settings of an evaluation, as a function of its hyperparameters."""

    settings: dict | None

    def __call__(self, h):
        return self.settings
