"""Filters of warnings for one thread, which leave those of others alone.

``warnings.catch_warnings`` replaces the filters of the whole process and brings back what it found:
where fits in several threads overlap, filters of one end up in another, or stay for good.
"""

import contextlib
import threading
import warnings

_lock = threading.Lock()


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
    here = ThisThread(message)
    with _lock:
        if action == "error":
            # Modules forget which warnings they have shown: those would not be raised again.
            with warnings.catch_warnings():
                pass
        warnings.filters.insert(0, (action, here, category, None, 0))
    try:
        yield
    finally:
        here.end()
        with _lock:
            _take_out_ended()


# Others may have copied the list with a filter, and bring it back after its end: it does nothing
# then, and is taken out with the next one.
def _take_out_ended():
    """Take the filters that have ended out of the list of all."""
    for added in list(warnings.filters):
        if isinstance(added[1], ThisThread) and added[1].has_ended:
            warnings.filters.remove(added)
