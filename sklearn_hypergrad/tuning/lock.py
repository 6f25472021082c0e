"""A lock on an open file, held by the operating system: it ends with its process."""

import os

try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

# The byte that is locked on Windows, where locked bytes cannot be read: far behind any content.
FAR = 2**62


def lock(descriptor):
    """Lock a file, or raise BlockingIOError if another process, or thread, holds the lock.

    Systems that have no such locks are not protected.

    Raises
    ------
    BlockingIOError
        If the file is locked.
    OSError
        If the file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt is not None:
        try:
            _on_windows(descriptor, msvcrt.LK_NBLCK)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error


def unlock(descriptor):
    """Release the lock, also of copies of the descriptor that other processes have inherited."""
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    elif msvcrt is not None:
        _on_windows(descriptor, msvcrt.LK_UNLCK)


def _on_windows(descriptor, mode):
    os.lseek(descriptor, FAR, os.SEEK_SET)
    msvcrt.locking(descriptor, mode, 1)
