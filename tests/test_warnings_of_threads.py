"""Filters of warnings for one thread."""

import pickle
import threading
import warnings

import pytest
from sklearn.utils.parallel import Parallel, delayed
from worker_tasks import warn

from sklearn_hypergrad.threads import ThisThread, warnings_here, warnings_kept


def in_thread(function):
    """What a function returns in another thread; errors are raised here."""
    found = []

    def run():
        try:
            found.append(function())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def test_warnings_of_this_thread_only():
    before = list(warnings.filters)
    with warnings_here("ignore"):
        warn()
        # pytest makes errors of them.
        with pytest.raises(UserWarning, match="told"):
            in_thread(warn)
    assert warnings.filters == before
    with pytest.raises(UserWarning, match="told"):
        warn()


def test_some_warnings_are_errors_even_if_they_were_shown_before():
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with warnings.catch_warnings(record=True):
            warn("told")
        with warnings_here("error", "told", UserWarning):
            with pytest.raises(UserWarning, match="told you so"):
                warn("told you so")
            with pytest.warns(UserWarning, match="not told"):
                warn("not told")
            with pytest.warns(RuntimeWarning, match="told"):
                warn("told", RuntimeWarning)


def test_warnings_of_a_class_are_kept_and_all_are_ignored():
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with warnings.catch_warnings(record=True):
            warn("told")
        before = list(warnings.filters)
        with warnings_kept(RuntimeWarning) as kept:
            for text, category in [("told", UserWarning), ("one", RuntimeWarning)]:
                warn(text, category)
                assert kept == ["one"] * (category is RuntimeWarning)
            with pytest.warns(RuntimeWarning, match="other"):
                in_thread(lambda: warn("other", RuntimeWarning))
            warn("one", RuntimeWarning)
            warn("told")
        assert kept == ["one", "one"]
        assert warnings.filters == before


def test_threads_may_end_in_any_order():
    """The second one begins inside the first, and ends after it."""
    before, inside, ended = list(warnings.filters), threading.Event(), threading.Event()

    def second():
        with warnings_here("ignore"):
            inside.set()
            ended.wait(timeout=30)
            warn()
        return list(warnings.filters)

    with warnings_here("error", category=RuntimeWarning):
        other = threading.Thread(target=second)
        other.start()
        inside.wait(timeout=30)
    ended.set()
    other.join()
    assert warnings.filters == before


def test_copies_of_filters_end_with_them():
    with warnings_here("ignore"):
        copied = list(warnings.filters)
    assert copied[0] not in warnings.filters
    assert not copied[0][1].match("told")
    # Somebody brings it back, and the next one takes it out.
    before = list(warnings.filters)
    warnings.filters.insert(0, copied[0])
    with warnings_here("ignore"):
        pass
    assert warnings.filters == before


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.thorough
def test_workers_of_scikit_learn_get_them(backend):
    with warnings_here("ignore", "told"):
        Parallel(2, backend=backend)(delayed(warn)() for _ in range(2))
    assert pickle.loads(pickle.dumps(ThisThread("told"))).pattern == "told"
