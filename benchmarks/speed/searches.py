"""HypergradSearchCV with a look at the clock where searching ends and evaluating begins."""

import contextlib
import time

from sklearn_hypergrad import HypergradSearchCV


class TimedSearch(HypergradSearchCV):
    """Notes in ``search_seconds_`` how long it has searched before it evaluates what it found."""

    __init__ = HypergradSearchCV.__init__

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        start = time.perf_counter()

        def evaluate(*args, **kwargs):
            self.search_seconds_ = time.perf_counter() - start
            return self._judge(evaluate_candidates, *args, **kwargs)

        super()._run_search(evaluate, callback_ctx=callback_ctx)

    def _judge(self, evaluate_candidates, *args, **kwargs):
        return evaluate_candidates(*args, **kwargs)


class SearchOnly(TimedSearch):
    """Ends where it would evaluate."""

    __init__ = HypergradSearchCV.__init__

    def fit(self, X, y):
        with contextlib.suppress(_Searched):
            super().fit(X, y)
        return self

    def _judge(self, evaluate_candidates, *args, **kwargs):
        raise _Searched


class _Searched(Exception):
    """There is nothing left to search."""
