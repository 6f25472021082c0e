"""The search as a tree of tasks, for the callbacks of scikit-learn.

``search`` has a task for every stage, mostly a ``descent``, whose leaves are its evaluations, each
a ``step``; and then ``evaluation``, whose leaves are scikit-learn's fits on the splits of ``cv``.
Everything but these fits is told in the calling process.
"""

from sklearn.base import clone

from sklearn_hypergrad._sklearn import without_callbacks
from sklearn_hypergrad.tuning import COMPARISON, ONE_SE, SEARCH

NAMES = {SEARCH: "descent", ONE_SE: "one-standard-error", COMPARISON: "comparison"}


class Tasks:
    """A listener that tells callbacks.

    Parameters
    ----------
    search : HypergradSearchCV
    task : CallbackContext
        The search, whose number of subtasks is not known.
    inputs : FitInputs
    """

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
        """End the stage that is under way, if any."""
        if self._descent is not None:
            self._descent.call_on_fit_task_end(estimator=self._search)
        self._stage = self._descent = None

    def _fitted(self, settings):
        """What a search that ended at this step would have; made only for callbacks that ask."""
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
