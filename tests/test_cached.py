import threading

from sklearn_hypergrad.cached import cached_property


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
