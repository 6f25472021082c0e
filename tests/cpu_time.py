"""The CPU time of a run of the tests, and the limit of the default run, which is to stay short."""

import os
import time

import numpy as np
import pytest

# Seconds of the machine below. Tests that do not fit in have to become smaller, or ``thorough``.
LIMIT = 240
# Seconds of ``work`` on the machine that the limit is meant for, with nothing else to do: an AMD
# EPYC of family 25. Slower processors are given more time.
REFERENCE = 0.00165
# Tests from one measurement of the machine to the next.
EVERY = 50
# Ratio of the mean of these to the smallest from which on the machine was busy: others in its
# caches slow tests more than ``work``, and there is no verdict.
BUSY = 1.5


def work():
    """A fixed amount of what tests do: small matrices, and Python around them.

    CPU seconds are longer on slower machines, and where two processes share a core: how long this
    takes meanwhile says by how much.
    """
    A = np.cos(np.outer(np.arange(1.0, 31.0), np.arange(31.0, 61.0)))
    total = {}
    for i in range(60):
        x = np.linalg.solve(A @ A.T + np.eye(30), A[:, i % 30])
        total[f"{i}"] = float(np.einsum("i,ij,j", x, A, x)) + sum(j * j for j in range(200))
    return total


def seconds():
    """CPU time of this process since its start, and of those that it has waited for."""
    used = os.times()
    return sum(used[:4])


class CpuTime:
    """Plugin that measures a run, reports it, and fails a default run beyond the limit."""

    def __init__(self, config):
        self._config = config
        self._n_tests, self._looks = 0, []
        # Of the workers of pytest-xdist: CPU time, and the same on the reference machine.
        self._workers = []

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self):
        if self._n_tests % EVERY == 0:
            begin = time.thread_time()
            work()
            self._looks.append(time.thread_time() - begin)
        self._n_tests += 1

    @property
    def _measured(self):
        """CPU time, and the same on the reference machine."""
        used = seconds() - sum(self._looks)
        mean = float(np.mean(self._looks)) if self._looks else REFERENCE
        return used, used * REFERENCE / mean

    @property
    def _busy(self):
        return bool(self._looks) and np.mean(self._looks) > BUSY * min(self._looks)

    @property
    def _is_default_run(self):
        """Whether all tests of the default run were asked for."""
        config = self._config
        everything = config.args_source == pytest.Config.ArgsSource.TESTPATHS
        return (
            everything
            and not config.option.keyword
            and "not thorough" in config.option.markexpr
            and "not example" in config.option.markexpr
        )

    @property
    def _is_too_slow(self):
        alone = not self._workers and not self._busy
        return alone and self._is_default_run and bool(self._measured[1] > LIMIT)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["cpu_time"] = self._measured
        elif self._is_too_slow:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        self._workers.append(getattr(node, "workeroutput", {}).get("cpu_time", (0.0, 0.0)))

    def pytest_terminal_summary(self, terminalreporter):
        measured = [sum(each) for each in zip(*self._workers, strict=True)] or self._measured
        text = "CPU time {:.0f} s, {:.0f} s on the reference machine".format(*measured)
        if self._is_default_run and not self._workers:
            text += f" of the {LIMIT} s that the default run may take"
            text += ", but the machine was busy" if self._busy else ""
        failed = "FAILED: " if self._is_too_slow else ""
        terminalreporter.write_line(failed + text, red=bool(failed))
