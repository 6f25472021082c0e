"""Threads: BLAS on one, and passes over large data on as many as BLAS had.

Matrices of a search are small, where more BLAS threads cost time. Sums over large data and the
factors of large matrices are not: these are shared out, always in the same pieces, so that they
come out the same on any number of threads. Fits in several threads leave each other alone.
"""

import contextlib
import contextvars
import functools
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import threadpoolctl

_allowed = contextvars.ContextVar("threads allowed", default=1)
_sharing = contextvars.ContextVar("pieces that share the memory", default=1)


@functools.cache
def blas_controller():
    """The controller of BLAS threads: finding the libraries takes longer than a small search."""
    return threadpoolctl.ThreadpoolController().select(user_api="blas")


class _BlasLimit:
    """One thread for BLAS in the whole process, as long as anybody is inside.

    Fits in several threads end in any order: the last one restores what the first one found.
    """

    def __init__(self):
        self._lock, self._n_inside, self._had, self._limited = threading.Lock(), 0, 1, None

    def __enter__(self):
        with self._lock:
            if not self._n_inside:
                blas = blas_controller()
                self._had = max((each.num_threads for each in blas.lib_controllers), default=1)
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


# Filters of warnings belong to the whole process, and ``warnings.catch_warnings`` brings back those
# that it found: where fits overlap, filters of one end up in another, or stay for good.
_filters_lock = threading.Lock()


class ThisThread:
    """What a filter of warnings takes as a pattern of texts: it matches in one thread only.

    Parameters
    ----------
    pattern : str
        What texts begin with, without characters that are special in regular expressions; also
        what other threads and processes take from filters that are handed on to them.
    """

    def __init__(self, pattern):
        self.pattern = pattern
        self._thread = threading.get_ident()

    def match(self, text):
        """Whether a warning with this text is raised here."""
        return self._thread == threading.get_ident() and text.startswith(self.pattern)

    def end(self):
        """Match no more."""
        self._thread = None

    @property
    def has_ended(self):
        """Whether it does not match any more."""
        return self._thread is None


class _Kept(ThisThread):
    """Matches every warning of its thread, whose texts it notes."""

    def __init__(self):
        super().__init__("")
        self.texts = []

    def match(self, text):
        """Whether a warning is raised here."""
        here = super().match(text)
        self.texts += [text] * here
        return here


class _Others(ThisThread):
    """Matches what a ``_Kept`` before it was asked about, and was not of its class.

    Parameters
    ----------
    kept : _Kept
    """

    def __init__(self, kept):
        super().__init__("")
        self._kept = kept

    def match(self, text):
        """Whether a warning is raised here."""
        here = super().match(text)
        if here:
            del self._kept.texts[-1:]
        return here


@contextlib.contextmanager
def warnings_kept(category):
    """Ignore the warnings that this thread raises, and keep the texts of those of a class.

    Parameters
    ----------
    category : type

    Yields
    ------
    list of str
        The texts so far.
    """
    kept = _Kept()
    others = ("ignore", _Others(kept), Warning, None, 0)
    with _filtered(others), _filtered(("ignore", kept, category, None, 0), anew=True):
        yield kept.texts


@contextlib.contextmanager
def warnings_here(action, message="", category=Warning):
    """Filter the warnings that this thread raises.

    Parameters
    ----------
    action : {"ignore", "error"}
    message : str, default=""
        What their texts begin with.
    category : type, default=Warning
        Their class.
    """
    own = (action, ThisThread(message), category, None, 0)
    with _filtered(own, anew=action == "error"):
        yield


@contextlib.contextmanager
def _filtered(own, *, anew=False):
    """With a filter before all others; ``anew``: also for warnings that were shown before."""
    with _filters_lock:
        if anew:
            # Modules forget which warnings they have shown: those would not be raised again.
            with warnings.catch_warnings():
                pass
        warnings.filters.insert(0, own)
    try:
        yield
    finally:
        own[1].end()
        with _filters_lock:
            _take_out_ended()


# Others may have copied the list with a filter, and bring it back after its end: it does nothing
# then, and is taken out with the next one.
def _take_out_ended():
    """Take the filters that have ended out of the list of all."""
    for added in list(warnings.filters):
        if isinstance(added[1], ThisThread) and added[1].has_ended:
            warnings.filters.remove(added)


class cached_property:  # noqa: N801
    """What ``functools.cached_property`` is since Python 3.12.

    Before, all instances of a class shared a lock: fits in other threads waited for each other, and
    one inside another for ever.

    Parameters
    ----------
    function : callable
        ``function(self)`` computes the attribute.
    """

    def __init__(self, function):
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner, name):
        self._name = name

    # Not called once the attribute is among those of the instance.
    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = vars(instance)[self._name] = self._function(instance)
        return value
