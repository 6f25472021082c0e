import os
import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_hypergrad import threads
from sklearn_hypergrad.threads import cached_property, in_threads, one_blas_thread


def blas_threads():
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


def names(pieces):
    """Names of the threads that work on the pieces."""
    return set(in_threads(lambda _: threading.current_thread().name, pieces))


def test_blas_is_limited_and_given_back():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == before


def test_results_come_in_order():
    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        assert in_threads(lambda piece: piece**2, range(20)) == [n**2 for n in range(20)]


def test_outside_and_where_blas_had_one_thread_there_are_no_others():
    here = {threading.current_thread().name}
    assert names(range(8)) == here
    with threadpool_limits(1, user_api="blas"), one_blas_thread():
        assert names(range(8)) == here


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two processors")
def test_as_many_as_blas_had():
    meeting = threading.Barrier(2, timeout=30)

    def meet(_):
        meeting.wait()
        return threading.current_thread().name

    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        assert len(set(in_threads(meet, range(2)))) == 2


def test_errors_are_raised():
    def fail(piece):
        raise np.linalg.LinAlgError

    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        with pytest.raises(np.linalg.LinAlgError):
            in_threads(fail, range(4))
    assert in_threads(abs, [-1]) == [1]


def test_after_an_error_no_piece_is_at_work():
    at_work, finished = threading.Event(), []

    def work(piece):
        if piece == 0:
            at_work.wait(timeout=30)
            raise np.linalg.LinAlgError
        at_work.set()
        time.sleep(0.1)
        finished.append(piece)

    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        with pytest.raises(np.linalg.LinAlgError):
            in_threads(work, range(2))
    assert finished in ([1], [])
    if (os.cpu_count() or 1) > 1:
        assert finished == [1]


def test_ctrl_c_does_not_wait_for_pieces_that_have_not_begun(monkeypatch):
    begun, go_on = [], threading.Event()

    def work(piece):
        begun.append(piece)
        go_on.wait(30)

    def interrupted(running):
        while len(begun) < 2:
            time.sleep(0.001)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "wait", interrupted)
    with threadpool_limits(2, user_api="blas"), one_blas_thread():
        with pytest.raises(KeyboardInterrupt):
            in_threads(work, range(6))
        go_on.set()
        monkeypatch.undo()
        # These wait in the same line as those that were cancelled.
        in_threads(abs, [1, 2])
    assert sorted(begun) == [0, 1]


def test_the_last_of_several_threads_restores_blas():
    inside, ended, had = threading.Event(), threading.Event(), []

    def second():
        with one_blas_thread():
            had.append(threads.n_sharing())
            inside.set()
            ended.wait(timeout=30)
            had.append(blas_threads())

    with threadpool_limits(2, user_api="blas"):
        with one_blas_thread():
            other = threading.Thread(target=second)
            other.start()
            inside.wait(timeout=30)
        ended.set()
        other.join()
        assert had == [2, {1}]
        assert blas_threads() == {2}


class Thing:
    def __init__(self, compute):
        self.compute = compute

    @cached_property
    def value(self):
        """Computed once."""
        return self.compute()


def test_it_is_computed_once():
    calls = []
    thing = Thing(lambda: calls.append(1) or len(calls))
    assert (thing.value, thing.value) == (1, 1)
    assert Thing.value.__doc__ == "Computed once."


def test_instances_do_not_wait_for_each_other():
    """As functools.cached_property does before Python 3.12."""
    meeting, found = threading.Barrier(2, timeout=30), []
    threads = [
        threading.Thread(target=lambda: found.append(Thing(meeting.wait).value)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 1]
