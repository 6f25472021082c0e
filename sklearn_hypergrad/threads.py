"""Threads: BLAS on one, and passes over large data on as many as BLAS had.

Matrices of a search are small, where more BLAS threads cost time. Sums over large data and the
factors of large matrices are not: these are shared out, always in the same pieces, so that they
come out the same on any number of threads.
"""

import contextlib
import contextvars
import functools
import os
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import threadpoolctl

_allowed = contextvars.ContextVar("threads allowed", default=1)


@functools.cache
def blas_controller():
    """The controller of BLAS threads: finding the libraries takes longer than a small search."""
    return threadpoolctl.ThreadpoolController()


@contextlib.contextmanager
def one_blas_thread():
    """Limit BLAS to one thread, and let :func:`in_threads` use as many as it had."""
    blas = blas_controller().select(user_api="blas")
    had = max((library["num_threads"] for library in blas.info()), default=1)
    token = _allowed.set(had)
    try:
        with blas.limit(limits=1):
            yield
    finally:
        _allowed.reset(token)


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


def threads_allowed():
    """How many pieces :func:`in_threads` works on at a time."""
    return _allowed.get()


@functools.cache
def _pool(n_threads):
    return ThreadPoolExecutor(n_threads, thread_name_prefix="hypergrad")


# Threads do not survive a fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
