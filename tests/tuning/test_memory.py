"""Objectives that remember an earlier run, without files."""

import types

import numpy as np
import pytest

from sklearn_hypergrad.hypergradients import Evaluation, WarmStart
from sklearn_hypergrad.problems import InnerSolution, Status
from sklearn_hypergrad.spaces import Dimension, Space
from sklearn_hypergrad.tuning import Objective, Stage, TrainedObjective
from sklearn_hypergrad.tuning.events import Events
from sklearn_hypergrad.tuning.memory import Memory

SPACE = Space([Dimension("a", (), "linear", -9.0, 9.0, 0.0)])


class Shelf(dict):
    """A journal in memory."""

    append = dict.__setitem__


class Term:
    """A loss that counts its evaluations, and depends on its draw and on where it starts."""

    iterative = True

    def __init__(self, draw=0):
        self.draw, self.n_evaluations = draw, 0

    def evaluate(self, h, start, tol, **options):
        self.n_evaluations += 1
        if h["a"] == 3.0:
            raise np.linalg.LinAlgError("singular")
        value = np.array([h["a"] ** 2 + self.draw + self._begun(start)])
        return Evaluation(value, {"a": 2 * h["a"]}, self._state(h), (Status.CONVERGED,), 1)

    def train(self, h, start, tol):
        w = np.array([h["a"] + self.draw + self._begun(start)])
        return types.SimpleNamespace(w=w, state=self._state(h), n_solves=1)

    def losses(self, fitted):
        return fitted.w

    def _begun(self, start):
        return 0.0 if start is None else 1e-3 * float(start.solution.w[0, 0])

    def _state(self, h):
        # Not in the order of C, and with more than weights.
        w = np.full((2, 2), h["a"]).T
        solution = InnerSolution(w, lambda v, start: v, Status.CONVERGED, 1, memory="more")
        return WarmStart(solution, np.ones(2))


def objective(shelf, identity=b"identity", terms=None):
    events = Events(memory=lambda objective: Memory(shelf, identity))
    return Objective(SPACE, terms or [Term()], Stage(), events)


def values(found):
    return [record.value for record in found.records]


def asked(found, places=(1.0, 2.0, -1.0)):
    for place in places:
        found.record([place])
    return values(found)


def test_what_is_known_is_not_evaluated():
    shelf = Shelf()
    first = objective(shelf)
    expected = asked(first, (1.0, 3.0, 2.0))
    again = objective(shelf)
    assert asked(again, (1.0, 3.0, 2.0)) == expected
    assert again.terms[0].n_evaluations == 0
    for mine, theirs in zip(again.records, first.records, strict=True):
        assert repr(mine) == repr(theirs)
    assert again.records[1].error == "singular"


@pytest.mark.parametrize("n_known", [0, 1, 2, 3])
def test_starts_are_those_of_the_earlier_run(n_known):
    shelf = Shelf()
    whole = asked(objective(Shelf()))
    asked(objective(shelf), (1.0, 2.0, -1.0)[:n_known])
    found = objective(shelf)
    assert asked(found) == whole
    assert found.terms[0].n_evaluations == 3 - n_known


def test_another_history_is_not_known():
    shelf = Shelf()
    asked(objective(shelf), (1.0, 2.0))
    for found, places in [
        (objective(shelf), (2.0, 1.0)),
        (objective(shelf, b"another"), (1.0, 2.0)),
    ]:
        assert asked(found, places) == asked(objective(Shelf()), places)
        assert found.terms[0].n_evaluations == 2
    finer = objective(shelf)
    finer.tol = 1e-9
    asked(finer, (1.0,))
    assert finer.terms[0].n_evaluations == 1


def test_solutions_are_part_of_the_history():
    def function(term, fitted):
        return (fitted.w,)

    def run(shelf):
        found = objective(shelf)
        found.record([1.0])
        results = found.of_solutions("w", {"a": np.float64(4.0)}, function)
        return found, (*results, *asked(found, (5.0,)))

    shelf = Shelf()
    _, expected = run(shelf)
    found, again = run(shelf)
    assert repr(again) == repr(expected)
    assert found.terms[0].n_evaluations == 0
    # Another function of the same solutions is another result.
    other = objective(shelf)
    other.record([1.0])
    assert other.of_solutions("2 w", {"a": 4.0}, lambda t, f: (2 * f.w,)) != expected[:1]


def test_other_states_start_anew():
    class Other(Term):
        def _state(self, h):
            return "a state of one's own"

        def _begun(self, start):
            assert start is None
            return 0.0

    asked(objective(Shelf(), terms=[Other()]))


@pytest.mark.parametrize("n_known", [1, 2, 3])
def test_draws_go_on(n_known):
    def trained(shelf):
        events = Events(memory=lambda objective: Memory(shelf, b"identity"))
        return TrainedObjective(
            SPACE, [Term()], Stage(), events, make_terms=lambda n: [Term(n)], fresh=True
        )

    def run(found, places=(1.0, 2.0, 0.5)):
        for place in places:
            found.record([place])
            found.glance([place])
        return values(found)

    shelf, whole = Shelf(), run(trained(Shelf()))
    run(trained(shelf), (1.0, 2.0, 0.5)[:n_known])
    again = trained(shelf)
    assert run(again) == whole
    assert again.terms[0].draw == 4
