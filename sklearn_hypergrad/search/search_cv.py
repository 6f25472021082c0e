"""The estimator ``HypergradSearchCV``: scikit-learn's search, with ranges tuned by gradients.

``BaseSearchCV.fit`` calls ``_run_search``, which searches the ranges and hands the settings that it
found to scikit-learn; scikit-learn fits and scores them as rows of ``cv_results_``.
"""

import dataclasses
import inspect
import numbers
import time
import warnings
from collections.abc import Iterable

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import (
    BaseSearchCV,
    DocumentedMixin,
    Interval,
    InvalidParameterError,
    Names,
    has_callbacks,
)
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import (
    Forward,
    Hypergradient,
    Implicit,
    Online,
    OnlineHypergradient,
    RealTime,
    Reverse,
    Reversible,
    Truncated,
)
from sklearn_hypergrad.optimizers import LBFGS, Adam, Optimizer
from sklearn_hypergrad.problems import VALIDATION_LOSSES
from sklearn_hypergrad.search.candidates.expand import expand
from sklearn_hypergrad.search.candidates.refusals import hint
from sklearn_hypergrad.search.data.inputs import FrozenSplits, fit_inputs, has_fixed_splits
from sklearn_hypergrad.search.objective.options import Options
from sklearn_hypergrad.search.reporting import attributes
from sklearn_hypergrad.search.reporting.callbacks import Tasks
from sklearn_hypergrad.search.reporting.idle_options import NEEDS, idle_options
from sklearn_hypergrad.search.reporting.progress import Progress
from sklearn_hypergrad.search.reporting.report import final_lines, report_of
from sklearn_hypergrad.search.reporting.summary import Costs, summaries
from sklearn_hypergrad.search.results.order import in_grid_order
from sklearn_hypergrad.search.strategies.one_se import SELECTIONS
from sklearn_hypergrad.search.strategies.run_candidate import run_candidate
from sklearn_hypergrad.threads import one_blas_thread
from sklearn_hypergrad.training import seed_of
from sklearn_hypergrad.wording import shortened, suggestion

METHODS = {
    "auto": None,
    "implicit": Implicit(),
    "reverse": Reverse(),
    "reversible": Reversible(),
    "forward": Forward(),
    "truncated": Truncated(),
    "online": Online(),
    "real_time": RealTime(),
}
OPTIMIZERS = {"auto": None, "lbfgs": LBFGS(), "adam": Adam()}
OF_SCORES = (
    "scores such as 'accuracy' go into scoring; 'auto' descends the loss that goes with them"
)
# Fitted attributes of this class: removed when a new fit begins.
REPORTED = (
    "effective_dof_",
    "feature_regularization_",
    "guard_",
    "history_",
    "hyperparameters_",
    "hypergradient_",
    "n_iter_",
    "remarks_",
    "stopping_reason_",
    "validation_loss_",
)


class HypergradSearchCV(DocumentedMixin, BaseSearchCV):
    """Search over hyperparameters, the continuous ones by the gradient of the validation loss.

    A drop-in replacement for :class:`~sklearn.model_selection.GridSearchCV`: same call, same
    attributes, same delegation to the refitted ``best_estimator_``. In ``param_grid``, a list of
    numbers for a differentiable hyperparameter is the *range* from its smallest to its largest;
    all other values are enumerated. The search minimises ::

        mean over splits of validation_loss(held-out part, w(h))
        with w(h) the minimiser of the training loss plus penalty on the training part

    over the hyperparameters ``h`` of that range, following the exact gradient obtained by implicit
    differentiation [1]_. The search solves its own inner problems; scikit-learn then judges the
    settings that it found: every row of ``cv_results_`` is a clone of ``estimator``, fitted and
    scored on the splits of ``cv``.

    Three kinds of hyperparameters can be differentiated:

    - of models that are solved, alone or as the last step of pipelines: ``alpha`` of Ridge and
      RidgeClassifier, ``C`` of LogisticRegression (with an L2 penalty), ``alpha`` of
      PoissonRegressor, GammaRegressor and TweedieRegressor (with a log link), ``alpha`` and
      ``gamma`` of KernelRidge, and ``shrinkage`` of LinearDiscriminantAnalysis;
    - ``alpha``, ``learning_rate_init`` and ``momentum`` of MLPClassifier and MLPRegressor, several
      of them together, by differentiating the training run [2]_;
    - all hyperparameters that a model of your own declares, see
      :mod:`sklearn_hypergrad.differentiable`.

    The classes of :mod:`sklearn_hypergrad.linear_model` take one penalty per feature, group or
    coefficient. For such vectors the search minimises ::

        minus log likelihood of the validation loss + shrinkage * sum_j |log h_j - level|

    over the level and ``h``, starting from the best common value: penalties that the data do not
    tell apart stay exactly equal.

    Parameters
    ----------
    estimator : estimator object
        As for GridSearchCV: an object with ``fit``, and with ``score`` unless ``scoring`` is given.
        It is cloned, never fitted itself.

    param_grid : dict or list of dict
        As for GridSearchCV: from names of parameters to the values to try; with a list, each dict
        is a grid of its own. Each value is a sequence of settings or a
        :class:`~sklearn_hypergrad.Continuous`. A sequence of at least two distinct positive numbers
        for a differentiable hyperparameter is the range from its smallest to its largest, searched
        on a logarithmic scale if they span a ratio of at least ten, else on a linear one. Values in
        it that are zero, infinite or invalid are enumerated beside that range.

    scoring : str, callable, list, tuple or dict, default=None
        As for GridSearchCV: the score of a fitted model on held-out rows, larger is better. None is
        the ``score`` method of the estimator; a list, tuple or dict gives several metrics.

    n_jobs : int, default=None
        As for GridSearchCV: number of fits of scikit-learn that run in parallel; None is 1, -1 all
        processors. The result does not depend on it.

    refit : bool, str or callable, default=True
        As for GridSearchCV: whether to fit the best setting on all data. With several metrics a str
        names the one that decides and that is searched for; a callable chooses the row from
        ``cv_results_``.

    cv : int, cross-validation generator or iterable, default=None
        As for GridSearchCV: the splits into training and held-out rows. None is 5 folds; an integer
        is a number of folds, stratified for classifiers. The splits are drawn once; the search and
        the rows of ``cv_results_`` use the same ones.

    verbose : int, default=0
        As for GridSearchCV: how much is printed. From 1 on the search also prints a line for every
        evaluation of the validation loss and, at the end, why it stopped, what it cost, and what to
        look at.

    pre_dispatch : int or str, default='2*n_jobs'
        As for GridSearchCV: number of fits that are handed to parallel workers at a time, which
        limits memory.

    error_score : 'raise' or numeric, default=np.nan
        As for GridSearchCV: score of a fit that fails; 'raise' raises its error.

    return_train_score : bool, default=False
        As for GridSearchCV: whether ``cv_results_`` has scores of training rows, too.

    hypergradient : {"auto", "implicit", "reverse", "reversible", "forward", "truncated", \
            "online", "real_time"}, Hypergradient or OnlineHypergradient, default="auto"
        How the trained model is differentiated. "auto" is implicit differentiation for models that
        minimise a smooth objective, for which it is exact. Networks are trained for a number of
        steps, and that training run is differentiated: "auto" is then "reverse" if its states fit
        into 2 GiB, else "reversible" if it can be undone, else "reverse" with checkpoints;
        ``hypergradient_`` says which and why. With these methods ridge and logistic regression are
        trained by gradient descent, too. Instances have settings: ``Implicit(solver="neumann")``
        takes an approximate inverse Hessian. "online" and "real_time" train networks once, and
        move hyperparameters on the way: "online" moves any number of penalties, "real_time" also
        learning rates and momenta, at most a hundred values.

    optimizer : {"auto", "lbfgs", "adam"} or Optimizer, default="auto"
        How the hyperparameters move. A coarse scan first finds the region of the best minimum;
        "auto" then interpolates values and derivatives by cubics for one value, which needs the
        fewest evaluations, and takes L-BFGS-B for several. For models that are trained step by step
        it is Adam with steps of at most twenty per cent, without a scan.

    validation_loss : str or callable, default="auto"
        The loss on held-out parts that is descended. "auto" derives it from the score that decides:
        the score itself wherever it is differentiable, else a loss that goes with it; the
        documentation has the table. Otherwise one of "squared_error", "root_squared_error", "r2",
        "absolute_error", "poisson_deviance", "gamma_deviance" for regressors, "log_loss",
        "balanced_log_loss", "brier_score" for classifiers with probabilities, and
        "coded_squared_error", "balanced_coded_squared_error" for RidgeClassifier. "own" is the loss
        that fits of the model minimise on training samples, as ``loss`` of a model of your own. A
        function ``loss(y, prediction)`` written in ``autograd.numpy`` returns one number for a
        held-out part. Regressors give it numbers, of shape (n,) or (n, n_outputs); classifiers
        with probabilities give it numbers of classes and probabilities of shape (n, n_classes),
        in the order of ``classes_``; RidgeClassifier gives it classes coded as -1 and 1 and
        decision values. If it has an argument ``sample_weight``, that is the weights of the score,
        or ones.

    search_cv : "auto", "loo", int, cross-validation generator or iterable, default="auto"
        The splits whose validation loss is descended; rows are always judged on ``cv``. "auto" is
        ``cv`` for one value. For a vector of penalties it is two halves, drawn ten times among rows
        of positive weight and stratified for classifiers, if ``cv`` is None, a number, or exactly
        KFold, StratifiedKFold or their repeated forms; any other splitter is used as it is. Large
        held-out parts that are drawn again and again are hard to overfit: on 27 data sets that no
        setting was chosen on, vectors tuned on them had 0.956 times the test error of one tuned
        value, and 0.971 times with 5 folds (geometric means). "loo" is the exact leave-one-out loss
        of Ridge and RidgeClassifier in closed form (squared error), at the price of one fit per
        evaluation; transformers of a pipeline are fitted once for it, on all rows. Vectors overfit
        it.

    shrinkage : "auto" or float, default="auto"
        Weight of the L1 penalty on the log-ratios of a vector's entries to their common level. The
        descended loss is in nats of log likelihood, n / 2 log(mean squared error) or n log loss, so
        one weight serves all data: "auto" is 1.0. On 60 regression and 32 classification data sets
        weights from 0.7 to 1.4 did about equally well.
        With 0 the entries are free, and hundreds of them overfit the validation loss.

    guard : bool, default=False
        Whether to keep a vector only if it beats one value for all on outer folds: the whole search
        is repeated inside each training part of ``cv``, and the vector is kept if the mean
        difference of the losses of held-out samples (or groups) is larger than its standard error.
        Adds as many searches as ``cv`` has splits.

    resample : {"fixed", "fresh"}, default="fixed"
        Where the initial weights and batches of a network come from. "fixed" keeps them throughout
        the search: those of the estimator's ``random_state`` or, if that is None, drawn once per
        split. "fresh" draws them anew at every evaluation; values are then noisy, and the result is
        the average of the last quarter of the path. Other models ignore it.

    selection : {"best", "one_se"}, default="best"
        Which point of the search is proposed. "best" is the optimum. "one_se" is the most
        regularised model that is about as good: the largest common shift of all penalties whose
        validation loss is within one standard error over splits of that at the optimum [3]_, which
        stays in ``history_``; the error is corrected if splits hold rows out more than once.
        Simpler models are easier to trust; on average they are somewhat worse on new data. Rows
        that would override the choice are left out: the best listed value, and values that are
        enumerated beside a range, such as zero.

    max_iter : int, default=50
        Largest number of iterations of the optimizer. One value needs about five, so that the
        default is a safeguard. For models that are trained step by step it is the budget: each
        iteration is one training run per split.

    tol : float, default=1e-3
        Accuracy of the hyperparameters, relative on a logarithmic scale. The loss is flat at its
        minimum: an error of 1e-3 there changes it by about 1e-6 relative or less. A vector stops
        at a gradient of 30 tol nats, or when a step gains less than tol / 100 relative.

    random_state : int, RandomState instance or None, default=None
        Seed of the half splits, which are drawn once per fit, and of the initial weights and
        batches of networks that have no seed of their own or are drawn anew. None is 0.

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As for GridSearchCV: settings, scores and times of all rows that were fitted. A range leads
        to few rows: the point found; for a vector also the best value that all its entries share;
        for a network also the start of the search; and, if the asked score has no gradient, the
        best listed value (not for networks) and the best other point that was visited, and for
        several values at once those of the estimator. If the scorer fails for solutions of the
        search, all listed values are rows.

    best_estimator_ : estimator
        As for GridSearchCV: ``estimator`` refitted with ``best_params_`` on all data.

    best_score_ : float
        As for GridSearchCV: mean cross-validated score of ``best_params_``. For a vector it is
        optimistic: many values were tuned on the same data. Compare on data outside the search, or
        see ``guard``.

    best_params_ : dict
        As for GridSearchCV: the setting of the best row.

    best_index_ : int
        As for GridSearchCV: number of the best row of ``cv_results_``.

    scorer_ : function or dict
        As for GridSearchCV: the scorer, or a dict of scorers for several metrics.

    n_splits_ : int
        As for GridSearchCV: number of splits of ``cv``.

    refit_time_ : float
        As for GridSearchCV: seconds of the refit on all data.

    multimetric_ : bool
        As for GridSearchCV: whether there are several metrics.

    classes_ : ndarray of shape (n_classes,)
        As for GridSearchCV: class labels of ``best_estimator_``, if it is a classifier.

    n_features_in_ : int
        As for GridSearchCV: number of features in the fit of ``best_estimator_``.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        As for GridSearchCV: names of these features, if X has names.

    hypergradient_ : str
        Which hyperparameters were differentiated, how, and why others were enumerated.

    history_ : data frame
        One row per evaluation of the validation loss: ``candidate`` (the row of ``cv_results_``
        that the range led to), ``hyperparameter`` and ``value``, ``purpose`` ("search", "one
        standard error" for evaluations of ``selection``, "comparison" for points that the result is
        compared with), ``splits`` ("cv" or "search_cv", the argument that they are from),
        ``loss_name`` and ``loss`` on these splits, ``gradient_norm`` (nan
        where only the loss was evaluated, as for listed values of a network before the search), the
        loss of every split, ``inner_tol``, ``seconds``, ``inner_solves`` (linear systems, or
        gradients of batches), and ``linear_iterations`` and ``linear_residual`` of the linear
        system of the hypergradient, if ``hypergradient`` names a solver for it (else nan). A data
        frame of pandas or polars, whichever is installed, else a dict of lists; only after a search
        with a range.

    hyperparameters_ : data frame
        One row per entry of the hyperparameters that were searched: ``candidate``, ``name``,
        ``value``, ``before`` (the estimator's own value, nan if it is not a number), ``start``,
        bounds ``low`` and ``high``, ``gradient`` (on the scale of the search) and ``status``:
        "interior", "at bound", "flat", "flat towards zero", "flat towards infinity", "limit", "not
        converged" or "one standard error" (moved there from the optimum by ``selection``); for
        entries of a vector "pooled" (at the common level, exactly), "below pool" (less
        regularised), "above pool", "unpenalised" or "dropped" (as far below or above as a vector
        goes), "flat" or "not converged"; and ``effective_dof`` of the coefficients that an entry of
        a vector penalises. Of the same type as ``history_``.

    effective_dof_ : float
        Effective degrees of freedom of the best model, without intercepts: the trace of its hat
        matrix for ridge regression. Only after a search for a vector.

    feature_regularization_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Penalty strengths of the best model for the features that enter the final step, groups
        expanded: larger is more regularised (``1 / C`` for ``C``). Only after a search for a
        vector.

    guard_ : Guard
        The verdict of ``guard=True``: ``vector_loss``, ``common_loss``, ``difference``,
        ``standard_error`` and ``kept``. If the vector was not kept, the best value for all is the
        only row, and the vector stays in ``history_``.

    n_iter_ : int
        Number of evaluations of the validation loss; only after a search with a range.

    remarks_ : list of str
        What deserves a look, each with numbers and a remedy: about the candidate of the best row,
        and what all candidates have in common. Those to act on come first and are in the warning.

    validation_loss_ : str
        The loss that was descended; only after a search with a range.

    stopping_reason_ : str
        Why the optimizer stopped; only after a search with a range.

    Warns
    -----
    HypergradWarning
        At most once per fit, with all ``remarks_`` to act on in its text.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : Enumerates every value.
    sklearn_hypergrad.Continuous : A range for a hyperparameter, or a search without bounds.

    Notes
    -----
    Pressing Ctrl-C while a range is searched ends that search at its best point so far, which is
    then fitted as usual; ``stopping_reason_`` says so.

    References
    ----------
    .. [1] Lorraine, Vicol, Duvenaud, "Optimizing Millions of Hyperparameters by Implicit
       Differentiation", AISTATS 2020, equations 2 and 3. The tolerances of inner solutions are
       coarse far from the minimum and fine near it, as in Pedregosa, "Hyperparameter optimization
       with approximate gradient", ICML 2016, algorithm 1.
    .. [2] Maclaurin, Duvenaud, Adams, "Gradient-based Hyperparameter Optimization through
       Reversible Learning", ICML 2015.
    .. [3] Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984,
       section 3.4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn_hypergrad import HypergradSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}, cv=5).fit(X, y)
    >>> round(search.best_params_["alpha"], 5), round(float(search.best_score_), 4)
    (0.00039, 0.4823)
    """

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
        "scoring": [Names(get_scorer_names()), callable, list, tuple, dict, None],
        "hypergradient": [
            Names(METHODS),
            Hypergradient,
            OnlineHypergradient,
        ],
        "optimizer": [Names(OPTIMIZERS), Optimizer],
        "validation_loss": [Names({"auto", "own", *VALIDATION_LOSSES}, OF_SCORES), callable],
        "search_cv": [Names({"auto", "loo"}), "cv_object"],
        "shrinkage": [Names({"auto"}), Interval(numbers.Real, 0, None, closed="left")],
        "guard": ["boolean"],
        "resample": [Names({"fixed", "fresh"})],
        "selection": [Names(SELECTIONS)],
        "random_state": ["random_state"],
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
        search_cv="auto",
        shrinkage="auto",
        guard=False,
        resample="fixed",
        selection="best",
        max_iter=50,
        tol=1e-3,
        random_state=None,
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
        self.search_cv = search_cv
        self.shrinkage = shrinkage
        self.guard = guard
        self.resample = resample
        self.selection = selection
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None, **params):
        """Search, and refit on all data with the best hyperparameters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As for GridSearchCV: the samples, as ``estimator`` takes them.

        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            As for GridSearchCV: their targets. Without targets nothing is searched, only
            enumerated.

        **params : dict
            As for GridSearchCV: metadata for the estimator, the scorer and the splitter, such as
            ``sample_weight`` and ``groups``.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If a ``Continuous`` cannot be searched, or an argument does not apply to the model or
            to these data; the message says what to do.
        KeyboardInterrupt
            If Ctrl-C is pressed before the first evaluation of a range has ended.
        """
        for name in (*REPORTED, "_summaries", "_costs", "_n_warned"):
            self.__dict__.pop(name, None)
        try:
            super().fit(X, y, **params)
            self._report(self._results)
            return self
        except InvalidParameterError as error:
            meant = self._meant(str(error))
            if not meant:
                raise
            raise InvalidParameterError(f"{error}{meant}") from None
        finally:
            # Data must not outlive the fit, whether it succeeded or not.
            frozen = self.__dict__.get("_checked_cv_orig")
            if isinstance(frozen, FrozenSplits):
                self._checked_cv_orig = frozen.cv
            self.__dict__.pop("_routed_params", None)
            self.__dict__.pop("_data", None)
            self.__dict__.pop("_inputs", None)
            self.__dict__.pop("_results", None)

    def report(self):
        """Report what was tuned, gained and spent, and reasons to distrust the result.

        A gain is the difference of the validation loss, or score, between the point found and the
        estimator's own value (for networks and own models, the start of the search, which may be
        a listed value), on the same splits, with one standard error over these splits. The loss
        that goes with r2 is 1 - r2. Over splits that hold rows out more than once, such as repeated
        halves, the standard error is that of the corrected resampled t-test [1]_, and the report
        says so; over plain folds it is not corrected, and somewhat too small, as they share most of
        their training data. A score on splits that values were tuned on is optimistic:
        :func:`~sklearn_hypergrad.inspection.nested_score` gives an unbiased one.

        Returns
        -------
        report : Report
            Printed as text, shown as a table in a notebook; ``str(report)`` is the text.

        Raises
        ------
        NotFittedError
            Before ``fit``.

        References
        ----------
        .. [1] Nadeau, Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn_hypergrad import HypergradSearchCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}).fit(X, y).report()
        HypergradSearchCV of Ridge
        ...
        """
        check_is_fitted(self, "remarks_")
        return report_of(self)

    def _meant(self, message):
        """A sentence that names the option that an unknown name is most similar to, or ""."""
        for name, constraints in self._parameter_constraints.items():
            value = getattr(self, name, None)
            given = value.values() if isinstance(value, dict) else value
            given = [given] if isinstance(given, str) else given
            for options in (each for each in constraints if isinstance(each, Names)):
                for each in given if isinstance(given, Iterable) else ():
                    if isinstance(each, str) and f"Got {each!r} instead" in message:
                        return suggestion(each, sorted(options.options))
        return ""

    def _html_repr(self):
        """The diagram of scikit-learn and, after a fit, the report."""
        diagram = super()._html_repr()
        return diagram + self.report()._repr_html_() if hasattr(self, "remarks_") else diagram

    # BaseSearchCV.fit calls the next three, in this order.

    def _get_routed_params_for_fit(self, params):
        self._routed_params = super()._get_routed_params_for_fit(params)
        return self._routed_params

    def _check_input_parameters(self, X, y, split_params):
        self._checked_cv_orig = FrozenSplits(self._checked_cv_orig)
        self._data = X, y

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        try:
            self._search_and_evaluate(evaluate_candidates, callback_ctx)
        except (TypeError, ValueError) as error:
            meant = hint(error, self.estimator, self.param_grid)
            if not meant:
                raise
            raise type(error)(f"{error}{meant}") from None

    def _search_and_evaluate(self, evaluate_candidates, callback_ctx):
        beside = self.selection == "best"
        candidates = expand(self.param_grid, self.estimator, beside=beside)
        ranges = any(candidate.ranges for candidate in candidates)
        # Without a range the tree of tasks is that of GridSearchCV.
        if ranges:
            task = callback_ctx.subcontext("search", max_subtasks=None)
            task.call_on_fit_task_begin(estimator=self)
            results = self._run_candidates(candidates, task)
            results = in_grid_order(results) if len(results) > 1 else results
        else:
            task = callback_ctx
            results = [run_candidate(candidate, None, None) for candidate in candidates]
        rows = [row for result in results for row in result.rows]
        fits = task.subcontext(
            task_name="evaluation" if ranges else "search",
            max_subtasks=len(rows) * self.n_splits_,
            sequential_subtasks=False,
        ).call_on_fit_task_begin(estimator=self)
        evaluate_candidates(rows, callback_ctx=fits)
        fits.call_on_fit_task_end(estimator=self)
        if ranges:
            task.call_on_fit_task_end(estimator=self)
        self._results = results

    def _run_candidates(self, candidates, task):
        """The results of all candidates, searched or enumerated."""
        self._check_guard()
        began = time.perf_counter()
        inputs = fit_inputs(self, *self._data, self._checked_cv_orig, self._routed_params)
        self._inputs = inputs
        self._costs = Costs()
        listeners, tasks = [self._costs], None
        if has_callbacks(self):
            tasks = Tasks(self, task, inputs)
            listeners.insert(0, tasks)
        if self.verbose > 0:
            listeners.append(Progress(self.max_iter))
        options = dataclasses.replace(self._options(inputs.y), listeners=tuple(listeners))
        with np.errstate(all="ignore"), one_blas_thread():
            results = [
                run_candidate(
                    candidate, inputs, dataclasses.replace(options, place=candidate.place)
                )
                for candidate in candidates
            ]
        if tasks is not None:
            tasks.end()
        self._costs.seconds = time.perf_counter() - began
        return results

    def _check_guard(self):
        for name in ("cv", "search_cv") if self.guard else ():
            splitter = getattr(self, name)
            if has_fixed_splits(splitter):
                raise ValueError(
                    f"guard=True repeats the search inside every training part, for which "
                    f"{name}={shortened(splitter)} has no splits. Pass a splitter or a number."
                )

    def _method(self):
        method = self.hypergradient
        return METHODS[method] if isinstance(method, str) else method

    def _options(self, y):
        search_cv, seed = self.search_cv, self.random_state
        if not isinstance(search_cv, str):
            search_cv = check_cv(search_cv, y, classifier=is_classifier(self.estimator))
        if not isinstance(seed, numbers.Integral):
            seed = 0 if seed is None else seed_of(seed)
        return Options(
            method=self._method(),
            optimizer=OPTIMIZERS[self.optimizer]
            if isinstance(self.optimizer, str)
            else self.optimizer,
            validation_loss=self.validation_loss,
            search_cv=search_cv,
            shrinkage=None if self.shrinkage == "auto" else self.shrinkage,
            guard=self.guard,
            tol=self.tol,
            max_iter=self.max_iter,
            seed=seed,
            resample=self.resample,
            refit=self.refit,
            selection=self.selection,
        )

    def _report(self, results):
        self.hypergradient_ = attributes.explanation(results)
        searched = [result for result in results if result.is_searched]
        metric = attributes.metric_name(self)
        remarks = attributes.remarks(self, results, metric)
        if searched:
            models = attributes.models_of(results)
            self.history_ = attributes.history(results)
            self.hyperparameters_ = attributes.hyperparameters(results, models)
            self.stopping_reason_ = "; ".join(dict.fromkeys(o.found.message for o in searched))
            self.validation_loss_ = ", ".join(dict.fromkeys(o.loss_name for o in searched))
            self._report_best(results, models)
        # Without a range: the number of settings that were judged.
        n_evaluations = sum(len(result.records) for result in searched)
        self.n_iter_ = n_evaluations or len(self.cv_results_["params"])
        overlap = self._inputs.overlap if searched else 0.0
        self._summaries = summaries(results, self.cv_results_, metric, overlap)
        remarks += attributes.score_remarks(self, results, metric)
        given = self._given()
        remarks += idle_options(given, results) if given else []
        warned = [remark.text for remark in remarks if remark.warns]
        self._n_warned = len(warned)
        self.remarks_ = warned + [remark.text for remark in remarks if not remark.warns]
        if searched and self.verbose > 0:
            print(final_lines(self))
        if warned:
            warnings.warn("\n".join(warned), HypergradWarning, stacklevel=3)

    def _given(self):
        """The arguments that tell the search how to go about it, and differ from their defaults."""
        defaults = inspect.signature(HypergradSearchCV).parameters
        values = {name: getattr(self, name) for name in NEEDS}
        return {name: v for name, v in values.items() if v != defaults[name].default}

    def _report_best(self, results, models):
        """Set the attributes of the best row."""
        number = getattr(self, "best_index_", 0)
        result, value = attributes.row(results, number)
        if result.guard is not None:
            self.guard_ = result.guard
        if result.describe is None:
            return
        model = models[number] if number in models else result.describe(value)
        self.effective_dof_ = float(model.dof.sum())
        self.feature_regularization_ = model.strength
