"""A plugin of pytest: tests of scikit-learn find HypergradSearchCV in place of GridSearchCV."""

import inspect
import os

import sklearn.model_selection

from sklearn_hypergrad import HypergradSearchCV

JUDGE = os.environ.get("JUDGE", "warm")
OWN = inspect.signature(sklearn.model_selection.GridSearchCV).parameters


class GridSearchCV(HypergradSearchCV):
    """HypergradSearchCV with a row for every listed setting, and the arguments of GridSearchCV."""

    def __init__(  # noqa: PLR0913
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=float("nan"),
        return_train_score=False,
        judge=JUDGE,
        rows="listed",
    ):
        given = {name: value for name, value in locals().items() if name in OWN}
        super().__init__(**given, judge=judge, rows=rows)


sklearn.model_selection.GridSearchCV = GridSearchCV
