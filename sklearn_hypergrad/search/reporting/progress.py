"""Progress lines: ``verbose`` prints one for every evaluation."""

import time

import numpy as np

from sklearn_hypergrad.tuning import SEARCH

COLUMNS = (
    "  step  validation loss       change  gradient norm  inner fits      elapsed          left"
)

# Shortest remaining time in seconds: the last digit that is shown.
SHORTEST = 0.1


class Progress:
    """A listener that prints a line for every evaluation.

    The remaining time is that of the steps that ``max_iter`` still allows; a ``<`` marks an upper
    bound, for optimizers that may end earlier. Comparisons, and evaluations of ``selection``, have
    no estimate.

    Parameters
    ----------
    max_iter : int
        Largest number of iterations of the optimizer.
    """

    def __init__(self, max_iter):
        self._max_iter = max_iter
        self._began = time.perf_counter()
        self._stage = None
        self._n_fits = 0

    def __call__(self, stage, record, settings):
        if stage is not self._stage:
            self._stage, self._n_steps, self._last = stage, 0, np.nan
            self._seconds = 0.0
            print(f"{_title(stage, record)}\n{COLUMNS}")
        self._n_steps += 1
        # Steps of an earlier run are told at once, and took as long as they took then.
        self._seconds += record.seconds
        self._n_fits += len(record.losses)
        norm = float(np.linalg.norm(record.gradient))
        cells = [
            f"{self._n_steps:6d}",
            f"{record.value:15.6g}",
            _cell(record.value - self._last, "+11.2e"),
            _cell(norm, "13.2e"),
            f"{self._n_fits:10d}",
            f"{duration(time.perf_counter() - self._began):>11}",
            f"{self._left():>12}",
        ]
        print("  ".join(cells))
        if np.isfinite(record.value):
            self._last = record.value

    def _left(self):
        if self._stage.purpose != SEARCH:
            return ""
        expected = self._stage.at_most or self._max_iter
        n_left = expected - self._n_steps
        if n_left <= 0:
            return ""
        a_step = self._seconds / self._n_steps
        sign = "" if self._stage.at_most else "<"
        return sign + duration(max(n_left * a_step, SHORTEST))


def duration(seconds):
    """Seconds as text with units, such as "5.0 s" or "3 min 20 s"."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def _title(stage, record):
    sizes = [
        f"{name} ({np.size(value)} values)" if np.ndim(value) else name
        for name, value in record.h.items()
    ]
    purpose = "" if stage.purpose == SEARCH else stage.purpose
    where = ", ".join(filter(None, (stage.place, purpose)))
    return f"{where + ': ' * bool(where)}{', '.join(sizes)}; {record.measure}"


def _cell(number, form):
    width = int(form.strip("+").partition(".")[0])
    return f"{number:{form}}" if np.isfinite(number) else " " * width
