"""What tests give to workers: processes import it by name, which they cannot test modules."""

import os
import threading
import time
import warnings


def square(task, halted):
    """A task."""
    return task**2


def who(task, halted):
    """The process and the thread."""
    return os.getpid(), threading.get_ident()


def until_halted(task, halted):
    """Why it was to end."""
    for _ in range(1000):
        if halted() is not None:
            return halted()
        time.sleep(0.01)
    return None


def failing(task, halted):
    raise ZeroDivisionError("a worker")


def warn(text="told", category=UserWarning):
    """Warn."""
    warnings.warn(text, category, stacklevel=1)
