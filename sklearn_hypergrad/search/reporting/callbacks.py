"""The search as a tree of tasks, for the callbacks of scikit-learn.

The task ``search`` has a subtask for every stage, mostly a ``descent``, whose leaves are
evaluations of the objective, each a ``step``. Its last subtask is ``evaluation``, whose leaves are
scikit-learn's fits on the splits of ``cv``. All callbacks but those of these fits are called in the
calling process.
"""

from sklearn.base import clone

from sklearn_hypergrad._sklearn import without_callbacks
from sklearn_hypergrad.search.rows import ended
from sklearn_hypergrad.tuning import COMPARISON, ONE_SE, SEARCH

NAMES = {SEARCH: "descent", ONE_SE: "one-standard-error", COMPARISON: "comparison"}


class Tasks:
    """A listener that passes evaluations on to callbacks of scikit-learn.

    Parameters
    ----------
    search : HypergradSearchCV
    task : CallbackContext
        The task of the search; its number of subtasks is unknown.
    inputs : FitInputs
    """

    # Workers send the settings of every evaluation, too.
    reads_settings = True

    def __init__(self, search, task, inputs):
        self._search, self._task, self._inputs = search, task, inputs
        weight = inputs.fit_params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        self._data = {"X": inputs.X, "y": inputs.y, "metadata": metadata}
        self._stage = self._descent = None

    def __call__(self, stage, record, settings):
        if stage is not self._stage:
            self.end()
            self._stage = stage
            self._descent = self._task.subcontext(NAMES[stage.purpose], max_subtasks=stage.at_most)
            self._descent.call_on_fit_task_begin(estimator=self._search)
        step = self._descent.subcontext("step")
        step.call_on_fit_task_begin(estimator=self._search, **self._data)
        step.call_on_fit_task_end(
            estimator=self._search,
            **self._data,
            reconstruction_attributes=lambda: self._fitted(settings(record.h)),
        )

    def end(self):
        """End the current stage, if there is one."""
        if self._descent is not None:
            ended(self._descent, estimator=self._search)
        self._stage = self._descent = None

    def _fitted(self, settings):
        """Fitted attributes of a search that ends at this step, for callbacks that ask for them."""
        if not self._search.refit:
            return None
        inputs = self._inputs
        estimator = without_callbacks(clone(self._search.estimator))
        estimator.set_params(**clone(settings, safe=False))
        return {
            "best_estimator_": estimator.fit(inputs.X, inputs.y, **inputs.fit_params),
            "best_params_": settings,
            "scorer_": inputs.scorer,
            "multimetric_": False,
        }
