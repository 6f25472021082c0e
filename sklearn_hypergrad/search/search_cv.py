"""HypergradSearchCV."""

import numbers
import warnings

import numpy as np
from sklearn_hypergrad.search._sklearn import Interval, StrOptions

from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Hypergradient, Implicit
from sklearn_hypergrad.optimizers import LBFGS, Optimizer
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.search import report
from sklearn_hypergrad.search._sklearn import BaseSearchCV
from sklearn_hypergrad.search.grid import expand
from sklearn_hypergrad.search.inputs import FrozenSplits, fit_inputs
from sklearn_hypergrad.search.outcome import Options, problems_of, pursue

METHODS = {"auto": Implicit(), "implicit": Implicit()}
OPTIMIZERS = {"auto": None, "lbfgs": LBFGS()}
REPORTED = (
    "history_",
    "hyperparameters_",
    "hypergradient_",
    "n_iter_",
    "stopping_reason_",
    "validation_loss_",
)


class HypergradSearchCV(BaseSearchCV):
    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
        "hypergradient": [StrOptions(set(METHODS)), Hypergradient],
        "optimizer": [StrOptions(set(OPTIMIZERS)), Optimizer],
        "validation_loss": [StrOptions({"auto", *VALIDATION_LOSSES})],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "tol": [Interval(numbers.Real, 0, None, closed="neither")],
    }

    def __init__(
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
        error_score=np.nan,
        return_train_score=False,
        hypergradient="auto",
        optimizer="auto",
        validation_loss="auto",
        max_iter=50,
        tol=1e-4,
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_grid = param_grid
        self.hypergradient = hypergradient
        self.optimizer = optimizer
        self.validation_loss = validation_loss
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, X, y=None, **params):
        for name in REPORTED:
            self.__dict__.pop(name, None)
        try:
            return super().fit(X, y, **params)
        finally:
            # Data must not outlive the fit, whether it succeeded or not.
            frozen = self.__dict__.get("_checked_cv_orig")
            if isinstance(frozen, FrozenSplits):
                self._checked_cv_orig = frozen.cv
            self.__dict__.pop("_routed_params", None)
            self.__dict__.pop("_data", None)

    # BaseSearchCV.fit calls the next three, in this order.

    def _get_routed_params_for_fit(self, params):
        self._routed_params = super()._get_routed_params_for_fit(params)
        return self._routed_params

    def _check_input_parameters(self, X, y, split_params):
        self._checked_cv_orig = FrozenSplits(self._checked_cv_orig)
        self._data = X, y

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        candidates = expand(self.param_grid, self.estimator)
        outcomes = self._pursue(candidates)
        rows = [row for outcome in outcomes for row in outcome.rows]
        context = callback_ctx.subcontext(
            task_name="search",
            max_subtasks=len(rows) * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        results = evaluate_candidates(rows, callback_ctx=context)
        context.call_on_fit_task_end(estimator=self)
        self._report(outcomes, results)

    def _pursue(self, candidates):
        if not any(candidate.range for candidate in candidates):
            return [pursue(candidate, None, None) for candidate in candidates]
        inputs = fit_inputs(self, *self._data, self._checked_cv_orig, self._routed_params)
        with np.errstate(all="ignore"):
            return [pursue(candidate, inputs, self._options()) for candidate in candidates]

    def _options(self):
        return Options(
            method=METHODS[self.hypergradient]
            if isinstance(self.hypergradient, str)
            else self.hypergradient,
            optimizer=OPTIMIZERS[self.optimizer]
            if isinstance(self.optimizer, str)
            else self.optimizer,
            validation_loss=self.validation_loss,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _report(self, outcomes, results):
        self.hypergradient_ = report.explanation(outcomes, self._options().method)
        searched = [outcome for outcome in outcomes if outcome.found is not None]
        if searched:
            self.history_ = report.history(outcomes)
            self.hyperparameters_ = report.hyperparameters(outcomes)
            self.n_iter_ = sum(len(outcome.objective.records) for outcome in searched)
            self.stopping_reason_ = "; ".join(dict.fromkeys(o.found.message for o in searched))
            self.validation_loss_ = ", ".join(dict.fromkeys(o.choice.loss.name for o in searched))
        metric = self.refit if isinstance(self.refit, str) else "score"
        messages = [message for outcome in outcomes for message in problems_of(outcome)]
        messages += report.unconverged_fits(outcomes, results, metric)
        if messages:
            warnings.warn("\n".join(messages), HypergradWarning, stacklevel=2)
