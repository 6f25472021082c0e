"""Contenders in turn, round by round, so that a busy moment of the machine hits them all."""

import dataclasses
import time

import numpy as np

from sklearn_hypergrad.threads import blas_controller

THREADS = (1, 2)


@dataclasses.dataclass(frozen=True)
class Effort:
    """How often a contender runs.

    Attributes
    ----------
    rounds : int
    seconds : float
        After so many a contender sits out: what takes longer at once runs once.
    """

    rounds: int
    seconds: float


FULL, QUICK = Effort(rounds=5, seconds=2.0), Effort(rounds=3, seconds=0.3)


def blas_threads(number):
    """A context in which BLAS has so many threads."""
    return blas_controller().limit(limits=number, user_api="blas")


@dataclasses.dataclass
class Times:
    """Seconds of every run of a contender, and of every lap; what the last run returned."""

    found: object = None
    seconds: dict = dataclasses.field(default_factory=dict)

    def run(self, contender):
        start = time.perf_counter()
        self.found = contender.run()
        whole = time.perf_counter() - start
        laps = {} if contender.laps is None else contender.laps(self.found, whole)
        for name, seconds in {contender.name: whole, **laps}.items():
            self.seconds.setdefault(name, []).append(seconds)

    def spent(self, contender):
        return sum(self.seconds.get(contender.name, ()))

    def medians(self):
        """``{name: (seconds, number of runs)}``."""
        return {name: (float(np.median(s)), len(s)) for name, s in self.seconds.items()}


def compete(contenders, effort, threads=THREADS):
    """``{(contender, threads): Times}``."""
    times = {(contender, number): Times() for contender in contenders for number in threads}
    for _ in range(effort.rounds):
        for (contender, number), of_one in times.items():
            if of_one.spent(contender) < effort.seconds:
                with blas_threads(number):
                    of_one.run(contender)
    return times
