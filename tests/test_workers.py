"""Tasks that the calling thread shares with joblib's workers."""

import os
import signal
import subprocess
import sys
import threading
import time

import joblib
import pytest
from worker_tasks import failing, square, until_halted, who

from sklearn_hypergrad import workers
from sklearn_hypergrad.workers import Crew


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Workers are started at once."""
    monkeypatch.setattr(workers, "WORTH", 0.0)


def all_away(crew):
    """Results of workers that have done all tasks."""
    results = {}
    while len(results) < 6:
        results |= dict(crew.wait())
    assert not crew.is_away
    return results


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_do_what_the_caller_leaves(backend):
    with joblib.parallel_config(backend=backend), Crew(square, range(6), 2) as crew:
        assert all_away(crew) == {number: number**2 for number in range(6)}
        assert crew.take() is None


def test_workers_are_others():
    places = {}
    for backend in ("loky", "threading"):
        with joblib.parallel_config(backend=backend), Crew(who, range(6), 2) as crew:
            places[backend] = all_away(crew).values()
    assert all(process != os.getpid() for process, _ in places["loky"])
    assert all(process == os.getpid() for process, _ in places["threading"])
    assert all(thread != threading.get_ident() for _, thread in places["threading"])


@pytest.mark.parametrize(("n_tasks", "n_jobs"), [(4, 1), (4, None), (1, 2)])
def test_the_caller_alone(n_tasks, n_jobs):
    n_threads = threading.active_count()
    with Crew(square, range(n_tasks), n_jobs) as crew:
        assert threading.active_count() == n_threads
        assert [crew.take() for _ in range(n_tasks)] == [(n, n) for n in range(n_tasks)]
        assert crew.take() is None
        assert not crew.is_away
        assert crew.arrived() == []


def test_no_workers_for_what_is_soon_done(monkeypatch):
    monkeypatch.setattr(workers, "WORTH", 60.0)
    with Crew(square, range(3), 2) as crew:
        for _ in range(3):
            crew.take()
        assert not crew.is_away
    deadline = time.perf_counter() + 10
    while any(thread.name == workers.NAME for thread in threading.enumerate()):
        assert time.perf_counter() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_hear_that_they_are_to_end(backend):
    with joblib.parallel_config(backend=backend), Crew(until_halted, range(6), 2) as crew:
        while not crew.is_away:
            time.sleep(0.01)
        crew.halt("enough")
        assert crew.take() is None
        assert [result for _, result in crew.wait()] == ["enough"]
        assert not crew.is_away


PROGRAM = """
import contextlib, os, signal, subprocess, sys, time
sys.path[:0] = {paths!r}
from worker_tasks import until_halted
from sklearn_hypergrad import workers
workers.WORTH = 0.0
with workers.Crew(until_halted, range(6), 2) as crew:
    while not crew.is_away:
        time.sleep(0.01)
    time.sleep({seconds})
    for pid in subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(os.getpid())]).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGINT)
    time.sleep(0.5)
    crew.halt("enough")
    print(crew.wait(), crew.is_away)
"""


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signals of POSIX")
@pytest.mark.parametrize("seconds", [0.1, 5.0], ids=["while they start", "at work"])
def test_ctrl_c_of_a_terminal_ends_no_worker(seconds):
    program = PROGRAM.format(paths=sys.path, seconds=seconds)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=99
    )
    assert run.stdout.strip() == "[(0, 'enough')] False", run.stderr


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_errors_of_workers_are_raised(backend):
    with joblib.parallel_config(backend=backend), Crew(failing, range(6), 2) as crew:
        with pytest.raises(ZeroDivisionError, match="a worker"):
            crew.wait()
        assert not crew.is_away


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_in_the_order_of_the_tasks(backend, n_jobs):
    with joblib.parallel_config(backend=backend), Crew(square, range(20), n_jobs) as crew:
        found = list(crew.in_order(lambda task: square(task, None)))
    assert found == [number**2 for number in range(20)]


def test_what_is_left_after_a_while():
    crew = Crew(square, range(5), 2)
    crew.take()
    assert crew._left_after(2.0) == 8.0
    crew.take()
    assert crew._left_after(2.0) == 3.0


@pytest.mark.parametrize("backend", [pytest.param("loky", marks=pytest.mark.thorough), "threading"])
def test_workers_have_ended_at_the_end(backend):
    """A backend may be one object for all: who uses it next must not find it half ended."""
    with joblib.parallel_config(backend=backend):
        with Crew(until_halted, range(4), 2) as crew:
            while not crew.is_away:
                time.sleep(0.01)
        assert not any(thread.name == workers.NAME for thread in threading.enumerate())
        assert joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(n) for n in (-1, 1)) == [1, 1]
