"""Threads: BLAS on one, and passes over large data on as many as BLAS had.

Matrices of a search are small, where more BLAS threads cost time. Sums over large data and the
factors of large matrices are not: these are shared out, always in the same pieces, so that they
come out the same on any number of threads.
"""

import contextlib
import contextvars
import functools
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import threadpoolctl

_allowed = contextvars.ContextVar("threads allowed", default=1)
_sharing = contextvars.ContextVar("pieces that share the memory", default=1)


@functools.cache
def blas_controller():
    """The controller of BLAS threads: finding the libraries takes longer than a small search."""
    return threadpoolctl.ThreadpoolController()


class _BlasLimit:
    """One thread for BLAS in the whole process, as long as anybody is inside.

    Fits in several threads end in any order: the last one restores what the first one found.
    """

    def __init__(self):
        self._lock, self._n_inside, self._had, self._limited = threading.Lock(), 0, 1, None

    def __enter__(self):
        with self._lock:
            if not self._n_inside:
                blas = blas_controller().select(user_api="blas")
                self._had = max((library["num_threads"] for library in blas.info()), default=1)
                with _by_any_thread(blas):
                    self._limited = blas.limit(limits=1)
            self._n_inside += 1
            return self._had

    def __exit__(self, *error):
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                with _by_any_thread(blas_controller()):
                    self._limited.restore_original_limits()


@contextlib.contextmanager
def _by_any_thread(controller):
    """Numbers that are set inside may be set by any thread: threadpoolctl reserves it for one."""

    def release():
        for library in controller.lib_controllers:
            # New in its version 3.8.
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread(force=True)

    release()
    try:
        yield
    finally:
        release()


_blas_limit = _BlasLimit()


@contextlib.contextmanager
def one_blas_thread(n_sharing=None):
    """Limit BLAS to one thread, and let :func:`in_threads` use as many as it had.

    Parameters
    ----------
    n_sharing : int, default=None
        What ``n_sharing`` of this module returns; None is the number of these threads.
    """
    with _blas_limit as had:
        tokens = (_allowed, _allowed.set(had)), (_sharing, _sharing.set(n_sharing or had))
        try:
            yield
        finally:
            for variable, token in tokens:
                variable.reset(token)


def in_threads(function, pieces):
    """``[function(piece) for piece in pieces]``, on the threads allowed here."""
    n_threads = min(_allowed.get(), len(pieces))
    if n_threads <= 1:
        return [function(piece) for piece in pieces]

    def quiet(piece):
        # As the search itself, whose settings other threads do not see.
        with np.errstate(all="ignore"):
            return function(piece)

    running = [_pool(n_threads).submit(quiet, piece) for piece in pieces]
    # Whoever meets an error of one piece may start anew: no other may still be at work then. After
    # Ctrl-C nobody does, and those that have not begun need not.
    try:
        wait(running)
    except KeyboardInterrupt:
        for future in running:
            future.cancel()
        raise
    return [future.result() for future in running]


def n_sharing():
    """How many pieces share the memory: as many as :func:`in_threads` works on at a time.

    On workers it is the number of their caller, so that a choice by memory is the same on all.
    """
    return _sharing.get()


@functools.cache
def _pool(n_threads):
    return ThreadPoolExecutor(n_threads, thread_name_prefix="hypergrad")


# Threads do not survive a fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
