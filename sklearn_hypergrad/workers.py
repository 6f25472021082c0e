"""Tasks that the calling thread shares with joblib's workers.

The calling thread takes one task after the other. Workers are started only once it has been at
work for a while; then they take ``n_jobs - 1`` tasks at a time. They are joblib's, of whatever
backend is configured, so that large arrays reach each of them once.
"""

import collections
import contextlib
import os
import pathlib
import queue
import signal
import tempfile
import threading
import time
from multiprocessing import resource_tracker

import joblib
from sklearn import config_context, get_config
from sklearn.utils.parallel import Parallel, delayed

# Seconds of work after which workers are started, if as much is left. Measured: processes of loky
# that import scikit-learn and this package do their first task after 1 to 2 s.
WORTH = 1.0
# Seconds between two looks at what has arrived. Chosen by hand: waiting for a lock cannot be
# interrupted on every system, and people wait no shorter.
POLL = 0.1
NAME = "hypergrad workers"


class Crew:
    """The calling thread and its workers, at some tasks.

    It is a context: at the end no task is given out any more, and workers have ended theirs.

    Parameters
    ----------
    function : callable
        ``function(task, halted)`` does a task on a worker: it, the tasks and what it returns can be
        pickled. ``halted()`` is the reason to end early, or None.
    tasks : sequence
    n_jobs : int or None
        As of joblib.
    """

    def __init__(self, function, tasks, n_jobs):
        self._function = function
        self._left = collections.deque(enumerate(tasks))
        self._n_tasks = len(self._left)
        self._arrived, self._lock = queue.SimpleQueue(), threading.Lock()
        self._n_away, self._reason = 0, None
        self._over, self._flag, self._thread = threading.Event(), None, None
        self._n_workers = joblib.effective_n_jobs(n_jobs) if self._n_tasks > 1 else 1

    def __enter__(self):
        if self._n_workers > 1:
            # What is configured for this thread is unknown to others.
            backend, _ = joblib.parallel.get_active_backend()
            arguments = self._parallel(), backend, get_config()
            self._thread = threading.Thread(None, self._share, NAME, arguments, daemon=True)
            self._thread.start()
        return self

    # A backend may be one object for all who use it: others must not until its workers are done.
    def __exit__(self, kind, *error):
        self._over.set()
        self.halt("")
        while self._thread is not None and self._thread.is_alive() and kind is None:
            self._thread.join(POLL)

    def take(self):
        """The number of the next task, and the task; None if there is none left."""
        with self._lock:
            return self._left.popleft() if self._left else None

    @property
    def is_away(self):
        """Whether workers are at a task whose result has not been taken."""
        with self._lock:
            return self._n_away > 0

    def arrived(self):
        """Results of workers that are there: a list of ``(number, result)``."""
        results = []
        while not self._arrived.empty():
            results += self._taken(self._arrived.get())
        return results

    def wait(self):
        """The same, but wait for one."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._taken(self._arrived.get(timeout=POLL)) + self.arrived()

    def in_order(self, here):
        """Yield the results of all tasks in their order; ``here(task)`` does one in this thread."""
        done, turn = {}, 0
        while turn < self._n_tasks:
            done |= dict(self.arrived())
            taken = None if turn in done else self.take()
            if taken is not None:
                done[taken[0]] = here(taken[1])
            elif turn not in done:
                done |= dict(self.wait())
            if turn in done:
                yield done.pop(turn)
                turn += 1

    def halt(self, reason):
        """Give no task out any more, and tell workers to end early."""
        with self._lock:
            self._left.clear()
            self._reason = reason
            if self._flag is not None:
                self._flag.raised(reason)

    def _taken(self, arrived):
        error, number, result = arrived
        with self._lock:
            # An error may be that of a worker that is no more: nothing else will arrive.
            self._n_away = 0 if error is not None else self._n_away - 1
            halted = self._reason is not None
        if error is None:
            return [(number, result)]
        if halted:
            return []
        raise error

    def _parallel(self):
        options = {
            "n_jobs": self._n_workers,
            "pre_dispatch": self._n_workers - 1,
            "batch_size": 1,
        }
        try:
            return Parallel(**options, return_as="generator_unordered")
        # Some backends return all results at the end.
        except ValueError:
            return Parallel(**options)

    def _share(self, parallel, backend, config):
        """Start the workers, and hand their results on."""
        began = time.perf_counter()
        while not self._over.wait(WORTH):
            if self._left_after(time.perf_counter() - began) >= WORTH:
                break
        else:
            return
        try:
            deafen(backend)
            with config_context(**config), self._raisable():
                for number, result in parallel(self._given()):
                    self._arrived.put((None, number, result))
        except BaseException as error:
            self._arrived.put((error, None, None))

    def _left_after(self, seconds):
        """Seconds that are left, at the pace so far."""
        with self._lock:
            n_left = len(self._left)
        return seconds * n_left / max(1, self._n_tasks - n_left)

    @contextlib.contextmanager
    def _raisable(self):
        """A context in which workers look at a Flag."""
        with tempfile.TemporaryDirectory() as folder:
            with self._lock:
                self._flag = Flag(folder)
            try:
                yield
            finally:
                with self._lock:
                    self._flag = None

    def _given(self):
        """Yield tasks for workers."""
        while True:
            with self._lock:
                if not self._left:
                    return
                number, task = self._left.popleft()
                self._n_away += 1
                flag = self._flag
            yield delayed(_done)(self._function, number, task, flag)


# In a terminal, Ctrl-C reaches all processes. Those that a thread starts inherit which signals it
# does not hear. Python's resource tracker, which is started with the first process, may unblock
# signals in its thread: it has to be there before.
def deafen(backend):
    """Let this thread, and processes of a backend that it starts, not hear of Ctrl-C."""
    if hasattr(signal, "pthread_sigmask") and not getattr(backend, "supports_sharedmem", False):
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _done(function, number, task, flag):
    return number, function(task, flag)


class Flag:
    """Tells workers on this machine to end early: a file that they look for.

    Parameters
    ----------
    folder : str
    """

    def __init__(self, folder):
        self._path = pathlib.Path(folder, "halted")

    def __call__(self):
        """The reason, or None."""
        # It is asked before every step of a training.
        return self._path.read_text(encoding="utf-8") if os.path.exists(self._path) else None

    def raised(self, reason):
        """Raise it."""
        written = self._path.with_suffix(".new")
        written.write_text(reason, encoding="utf-8")
        written.replace(self._path)
