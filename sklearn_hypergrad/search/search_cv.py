"""The estimator ``HypergradSearchCV``: scikit-learn's search, with ranges tuned by gradients.

``fit`` searches the ranges, has scikit-learn fit and score the settings that were found as rows of
``cv_results_``, and refits the best one: in the order of ``BaseSearchCV.fit``, whose other methods
are inherited. What is known is on the object before the next of these steps begins.
"""

import contextlib
import dataclasses
import logging
import numbers
import os
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.metrics import get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from sklearn_hypergrad._sklearn import (
    BaseSearchCV,
    DocumentedMixin,
    Interval,
    InvalidParameterError,
    Names,
    fit_context,
    has_callbacks,
    has_callbacks_inside,
    rows_of_params,
    scorers_of,
    single_score_params,
    single_scorer,
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
from sklearn_hypergrad.problems.split_data import overlap_of
from sklearn_hypergrad.search.candidates.expand import expand, model_in
from sklearn_hypergrad.search.candidates.refusals import NO_DICT, OF_CLASSES, WRAP, hint
from sklearn_hypergrad.search.data.inputs import (
    FitInputs,
    check_lengths,
    has_fixed_splits,
    splits_of,
)
from sklearn_hypergrad.search.objective.options import Options, Scoring
from sklearn_hypergrad.search.reporting import attributes
from sklearn_hypergrad.search.reporting.callbacks import Tasks
from sklearn_hypergrad.search.reporting.idle_options import NEEDS, OF_EVERY_SEARCH, idle_options
from sklearn_hypergrad.search.reporting.progress import Progress
from sklearn_hypergrad.search.reporting.report import final_lines, report_of
from sklearn_hypergrad.search.reporting.summary import Costs, summaries
from sklearn_hypergrad.search.reporting.table import COLUMNS, FittedTable, columns_of
from sklearn_hypergrad.search.results.candidate_result import EnumeratedResult, solved_rows
from sklearn_hypergrad.search.results.order import in_grid_order, listed_first
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.results.stop import RowsStop
from sklearn_hypergrad.search.rows import Judge, ended, hearing_ctrl_c
from sklearn_hypergrad.search.strategies.one_se import SELECTIONS
from sklearn_hypergrad.search.strategies.run_candidate import run_candidates
from sklearn_hypergrad.search.strategies.shared_candidates import can_be_shared, run_shared
from sklearn_hypergrad.threads import one_blas_thread
from sklearn_hypergrad.training import seed_of
from sklearn_hypergrad.tuning import INTERRUPTED, Deadline
from sklearn_hypergrad.wording import in_order, shortened, suggestion

LOGGER = logging.getLogger("sklearn_hypergrad")
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
# Packages whose collections are rows in parts.
IN_PARTS = "dask", "dask_expr"
REFIT_INTERRUPTED = (
    "The refit on all rows was interrupted, so there is no best_estimator_. cv_results_, "
    "best_params_, best_score_ and history_ are kept: set best_params_ and fit the estimator, or "
    "fit again."
)
FOR_CLASSES = (
    "scoring={0!r} compares classes, and {1} predicts numbers. Leave scoring out (r2), take "
    "'neg_mean_squared_error', or a classifier."
)
NO_CLASSES = (
    " y has {0} different values, and {1} takes each of them for a class. For numbers take a "
    "regressor, such as Ridge."
)
NO_GROUPS = " {} splits by a label for each row of X: give it to fit, fit(X, y, groups=labels)."
NO_VECTOR = (
    "search_cv='evidence' is for vectors of penalties, Continuous(per=...), and param_grid has "
    "none. Leave search_cv='auto'."
)
# Fitted attributes of scikit-learn's searches that a fit need not set again.
OF_BEST = (
    "best_estimator_",
    "best_index_",
    "best_params_",
    "best_score_",
    "feature_names_in_",
    "refit_time_",
)
# Attributes behind the methods of this class, and fitted ones: removed when a new fit begins.
BEHIND_REPORTS = "_costs", "_features", "_n_warned", "_starts", "_summaries"
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


def are_in_parts(X):
    """Whether X is read part by part; nothing is imported to know it."""
    if callable(getattr(X, "sums", None)):
        return True
    return type(X).__module__.partition(".")[0] in IN_PARTS and hasattr(X, "dask")


class HypergradSearchCV(DocumentedMixin, BaseSearchCV):
    """Search over hyperparameters, the continuous ones by the gradient of the validation loss.

    A drop-in replacement for :class:`~sklearn.model_selection.GridSearchCV`: same call, same
    attributes, same delegation to the refitted ``best_estimator_``. In ``param_grid``, a list of
    numbers for a differentiable hyperparameter is the *range* from its smallest to its largest;
    all other values are enumerated. The search minimises ::

        mean over splits of validation_loss(held-out part, w(h))
        with w(h) the minimiser of the training loss plus penalty on the training part

    over the hyperparameters ``h`` of that range, following the exact gradient obtained by implicit
    differentiation [1]_. The search solves its own inner problems; the settings that it finds are
    judged as GridSearchCV judges them: every row of ``cv_results_`` has the scores, by the real
    scorer, of converged fits of ``estimator`` on the splits of ``cv``. ``judge`` says where these
    fits start.

    These kinds of hyperparameters can be differentiated:

    - of models that are solved, alone or as the last step of pipelines: ``alpha`` of Ridge and
      RidgeClassifier, ``alpha`` of Lasso, LassoLars and MultiTaskLasso, ``alpha`` and ``l1_ratio``
      of ElasticNet and MultiTaskElasticNet, ``C`` and ``l1_ratio`` of LogisticRegression, ``alpha``
      of PoissonRegressor, GammaRegressor and TweedieRegressor (with a log link), ``C`` of LinearSVC
      and LinearSVR and ``epsilon`` of LinearSVR (with squared losses), ``alpha`` and ``epsilon`` of
      HuberRegressor, ``alpha``, ``gamma`` and ``coef0`` of KernelRidge, ``alpha`` and the
      parameters of the kernel of GaussianProcessRegressor (without an optimizer of its own), ``C``,
      ``nu``, ``epsilon``, ``gamma`` and ``coef0`` of SVC, NuSVC (two classes), SVR and NuSVR,
      ``shrinkage`` of LinearDiscriminantAnalysis, ``reg_param`` of QuadraticDiscriminantAnalysis,
      ``var_smoothing`` of GaussianNB, and ``alpha`` of MultinomialNB, ComplementNB, BernoulliNB and
      CategoricalNB;
    - the same inside of TransformedTargetRegressor (with functions), OneVsRestClassifier,
      MultiOutputRegressor and MultiOutputClassifier, by names such as ``estimator__alpha``;
    - ``alpha``, ``learning_rate_init`` and ``momentum`` of MLPClassifier and MLPRegressor, several
      of them together, by differentiating the training run [2]_;
    - of steps before these models in a Pipeline, together with those of the model: ``gamma`` and
      ``coef0`` of Nystroem, PolynomialCountSketch and KernelPCA, ``gamma`` of RBFSampler,
      ``skewedness`` of SkewedChi2Sampler, ``sample_interval`` of AdditiveChi2Sampler, ``smooth`` of
      TargetEncoder, and what a transformer of your own declares, see
      :mod:`sklearn_hypergrad.transformers`; also in nested Pipelines, in ColumnTransformer and
      FeatureUnion, whose ``transformer_weights`` are tuned, too;
    - all hyperparameters that a model of your own, or a step before a model, declares, see
      :mod:`sklearn_hypergrad.differentiable`.

    The classes of :mod:`sklearn_hypergrad.linear_model` take one penalty per feature, group or
    coefficient, those of :mod:`sklearn_hypergrad.kernel_ridge`, :mod:`sklearn_hypergrad.svm` and
    :mod:`sklearn_hypergrad.kernel_approximation` one ``gamma`` per feature or group. For such
    vectors the search minimises ::

        minus log likelihood of the validation loss + shrinkage * sum_j |log h_j - level|

    over the level and ``h``, starting from the best common value: entries that the data do not
    tell apart stay exactly equal. Single values that are searched beside a vector move with it.

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
        it that are zero, infinite or invalid are enumerated beside that range. Distributions such
        as ``scipy.stats.loguniform(a, b)`` and Optuna's ``FloatDistribution`` are ranges, too.

    scoring : str, callable, list, tuple or dict, default=None
        As for GridSearchCV: the score of a fitted model on held-out rows, larger is better. None is
        the ``score`` method of the estimator; a list, tuple or dict gives several metrics.

    n_jobs : int, default=None
        As for GridSearchCV: number of jobs that run in parallel; None is 1, -1 all processors. They
        share the fits of scikit-learn. Once a second of work is done and as much is left, they also
        share the searches of several settings; for one setting, the searches that ``guard`` repeats
        and the transformers of all splits. The result does not depend on it.

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
        fewest evaluations, and takes L-BFGS-B for several. Penalties of groups of features for many
        targets of wide data take Newton steps, each target its own. For models that are trained
        step by step it is Adam with steps of at most twenty per cent, without a scan.

    validation_loss : str or callable, default="auto"
        The loss on held-out parts that is descended. "auto" derives it from the score that decides:
        the score itself wherever it is differentiable, else a loss that goes with it; the
        documentation has the table. Otherwise one of "squared_error", "root_squared_error", "r2",
        "absolute_error", "poisson_deviance", "gamma_deviance" for regressors, "log_loss",
        "balanced_log_loss", "brier_score" for classifiers with probabilities,
        "coded_squared_error", "balanced_coded_squared_error" for RidgeClassifier, and
        "margin_log_loss", "balanced_margin_log_loss", "platt_log_loss" for other classifiers with
        decision values. "own" is the loss that fits of the model minimise on training samples, as
        ``loss`` of a model of your own. A function ``loss(y, prediction)`` written in
        ``autograd.numpy`` returns one number for a held-out part. Regressors give it numbers, of
        shape (n,) or (n, n_outputs); classifiers with probabilities give it numbers of classes and
        probabilities of shape (n, n_classes), in the order of ``classes_``; those with decision
        values alone give it classes coded as -1 and 1 and decision values. If it has an argument
        ``sample_weight``, that is the weights of the score, or ones.

    search_cv : str, int, cross-validation generator or iterable, default="auto"
        The splits whose validation loss is descended; rows are always judged on ``cv``. "auto" is
        ``cv`` for one value. For a vector it is:

        - "evidence" for penalties of Ridge with one target and a score of squared errors. Half of
          what is descended is the squared error on the splits of ``cv``, whatever they are, and
          half is minus the log marginal likelihood of all rows, both in nats. On 18 data sets in
          four variants the test error was 0.942 times that of one tuned value (geometric mean),
          with halves 0.959. If ``cv`` is another splitter than those named below, rows are worth
          less than their number: the two have a third and two thirds, and the result is halfway,
          in logarithms, between one value and the mean of this vector and the sparse one (see
          ``guard``).
        - ``cv``, if it is neither None, a number, nor exactly KFold, StratifiedKFold or their
          repeated forms: any other splitter knows which rows belong together. Else:
        - "evidence" for penalties of LogisticRegression with two classes, no more features than
          rows, and any score but the Brier score. Then 0.7 of what is descended is the log loss on
          five parts, drawn twice, and 0.3 is minus the log evidence by Laplace's approximation. The
          result goes as far from one value towards the vector, in logarithms, as the gain on the
          five parts is certain: a quarter of the way up to two standard errors, all of it from
          three on.
        - "halves" for other penalties: two halves, drawn ten times among rows of positive weight
          and stratified for classifiers. Large held-out parts that are drawn again and again are
          hard to overfit: on 27 data sets that no setting was chosen on, vectors tuned on them had
          0.956 times the test error of one tuned value, and 0.971 times with 5 folds. With three
          classes or more the result is halfway, in logarithms, between the vector and one value.
        - Three parts, drawn four times, for what is no penalty.

        These names, and "cv", ask for one of them whatever is usual. "evidence" of several targets
        that share the penalties is the sum of theirs. "loo" is the exact leave-one-out loss of
        Ridge, RidgeClassifier and KernelRidge in closed form (squared error), at about the price of
        one fit per evaluation; transformers of a pipeline are fitted once for it, on all rows.
        Vectors overfit it.

    shrinkage : "auto" or float, default="auto"
        Weight of the L1 penalty on the log-ratios of a vector's entries to their common level;
        beside the evidence (see ``search_cv``) of a concave one of the same slope at zero for
        Ridge, and of twice the slope for LogisticRegression. The descended loss is in nats of
        log likelihood, n / 2 log(mean squared error) or n log loss, so one weight serves all data:
        "auto" is 1.0. On 60 regression and 32 classification data sets weights from 0.7 to 1.4 did
        about equally well. With 0 the entries are free, and hundreds of them overfit the
        validation loss.

    guard : "auto" or bool, default="auto"
        Whether to keep a vector only if it beats one value for all on outer folds. The whole search
        is repeated inside each training part of ``cv``. The vector is kept if the losses of
        held-out samples (or groups) fall, on average, by more than one standard error. Beside the
        evidence (see ``search_cv``) a sparse vector is found, too, which lowers minus the log
        evidence alone, with a penalty that is a quarter as strong and constant beyond a deviation
        of 4: it takes the place of the vector if it beats that one in the same way. If all entries
        are alike, nothing is judged. Adds as many searches as ``cv`` has splits. "auto" is True for
        a vector of other values, such as ``gamma`` per feature or weights per transformer, if there
        are fewer than 1000 rows and ``cv`` is no list of splits: without a guard two of five
        vectors inside kernels were worse than one value for all. For penalties it is False.

    resample : {"fixed", "fresh"}, default="fixed"
        Where the initial weights and batches of a network come from. "fixed" keeps them throughout
        the search: those of the estimator's ``random_state`` or, if that is None, drawn once per
        split. "fresh" draws them anew at every evaluation; values are then noisy, and the result is
        the average of the last quarter of the path. Other models ignore it.

    selection : {"best", "one_se", "stable"}, default="best"
        Which point of the search is proposed. "best" is the optimum. "one_se" is the most
        regularised model that is about as good: the largest common shift of all penalties whose
        validation loss is within one standard error over splits of that at the optimum [3]_, which
        stays in ``history_``; the error is corrected if splits hold rows out more than once.
        Simpler models are easier to trust; on average they are somewhat worse on new data. Rows
        that would override the choice are left out: the best listed value, and values that are
        enumerated beside a range, such as zero. "stable", for one penalty of Ridge, is where half
        the leave-one-out error plus half of minus the log evidence of all rows is lowest, both in
        nats. One draw of folds is noisy for one value, and few rows can move its optimum by
        decades; this value depends on no draw.

    judge : {"warm", "cold"}, default="warm"
        Where the fits behind the rows of ``cv_results_``, and the refit, start. "warm" uses what
        the search has solved. Fits with a closed form (Ridge, RidgeClassifier, KernelRidge,
        LinearDiscriminantAnalysis, naive Bayes) are not made again for the rows: the solutions are
        scored, and a real fit, of a small training part or on few rows, checks that scikit-learn
        fits the same. (Where the score is the loss that was descended, the scorer judges one split,
        and the others have the same score as loss if it agrees up to 1e-6.) Iterative ones
        (LogisticRegression, PoissonRegressor, GammaRegressor, TweedieRegressor) start at the
        solutions, also in the refit; one fit from the beginning, of one split, checks that it
        converges and scores the same up to 1e-3 relative or a tenth of the standard deviation over
        splits. (Fits whose slopes are below the estimator's ``tol`` where they start are made of
        one split, to show that they stay there.) They are at least as converged as fits from the
        beginning and differ from these by what the estimator's ``tol`` allows. Where a check fails
        ``remarks_`` says so, and all rows are fits from the beginning; so are those of other models
        and vectors, and of estimators with callbacks. "cold" makes all of them so: rows and refit
        then have the bits of ``clone(estimator).set_params(...)``, at the price of more fits.

    rows : {"found", "listed"}, default="found"
        Which rows ``cv_results_`` has. "found" is the few rows that can be best. With "listed"
        every combination of listed values is a row too: these come first and in the order of
        GridSearchCV, for heat maps and for a ``refit`` that chooses from ``cv_results_``; the
        points found follow. With ``judge="warm"`` a listed value costs a solution that starts from
        a neighbour, not a fit per split. Only for ``selection="best"``: listed rows would override
        any other choice.

    max_iter : int, default=50
        Largest number of iterations of the optimizer. One value needs about five, so that the
        default is a safeguard. For models that are trained step by step it is the budget: each
        iteration is one training run per split.

    max_time : float, default=None
        Seconds after which the search ends as after Ctrl-C, see Notes; None is no limit. It is
        looked at before every evaluation, before every step of a training, and before the fits of
        every row. So it is exceeded by an evaluation at most, the fits of the points that were
        found, and the refit.

    tol : float, default=1e-3
        Accuracy of the hyperparameters, relative on a logarithmic scale. The loss is flat at its
        minimum: an error of 1e-3 there changes it by about 1e-6 relative or less. Where a loss
        takes a training, the search of one value also stops when a step would gain less than
        tol**2 / 10 relative. A vector stops at a gradient of 30 tol nats, or when a step gains less
        than tol / 100 relative.

    random_state : int, RandomState instance or None, default=None
        Seed of the half splits, which are drawn once per fit, and of the initial weights and
        batches of networks that have no seed of their own or are drawn anew. None is 0.

    checkpoint : str or path-like, default=None
        Directory in which every evaluation is written down; it is created if it is missing. If the
        process is killed, the same fit goes on after the last evaluation, and gives bit for bit the
        result of an uninterrupted fit with a checkpoint. Each fit has a file of its own, named by a
        fingerprint of data, splits, estimator, options and versions; it has losses and weights, but
        no data, and may be deleted after the fit. Objects whose fingerprint differs between
        processes, such as lambdas, are refused; so are "online" and "real_time".

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As for GridSearchCV: settings, scores and times of all rows. ``mean_fit_time`` is what was
        spent: with ``judge="warm"`` that of the last solution and of what was left to fit. With
        ``rows="found"`` a range leads to few rows: the point found; for a vector also the best
        value that all its entries share; for a network also the start of the search; and, if the
        asked score has no gradient, the best listed value (not for networks) and the best other
        point that was visited, and for several values at once those of the estimator. If the
        scorer fails for solutions of the search, all listed values are rows.

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
        As for GridSearchCV: seconds of the refit on all data, wherever it started.

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
        loss of every split, ``log_evidence`` (in nats, up to a constant; only where the
        evidence is descended), ``inner_tol``, ``seconds``, ``inner_solves`` (linear systems, or
        gradients of batches), and ``linear_iterations`` and ``linear_residual`` of the linear
        system of the hypergradient, if ``hypergradient`` names a solver for it (else nan). A data
        frame of pandas or polars, whichever is installed, else a dict of lists; only after a search
        with a range.

    hyperparameters_ : data frame
        One row per entry of the hyperparameters that were searched: ``candidate``, ``name``,
        ``value``, ``before`` (the estimator's own value, nan if it is not a number), ``start``,
        bounds ``low`` and ``high``, ``gradient`` (on the scale of the search) and ``status``:
        "interior", "at bound", "flat", "flat towards zero", "flat towards infinity", "limit", "not
        converged", "one standard error" or "stable" (moved there from the optimum by
        ``selection``); for entries of a vector "pooled" (at the common level, exactly), "below
        pool" (less regularised), "above pool", "unpenalised" or "dropped" (as far below or above as
        a vector goes), "fixed" (not searched), "flat" or "not converged"; and ``effective_dof`` of
        the coefficients that an entry of a vector penalises, or one value in the best row. Of the
        same type as ``history_``.

    effective_dof_ : float
        Effective degrees of freedom of the best model, without intercepts: the trace of its hat
        matrix for ridge regression. After a search for a vector of penalties or, if there was a
        refit, for one penalty of Ridge, RidgeClassifier or LogisticRegression. For one penalty
        behind other steps, not with ``judge="cold"``; not where X is read in parts, or has too many
        rows and features for a matrix of either.

    feature_regularization_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Penalty strengths of the best model for the features that enter the final step, groups
        expanded: larger is more regularised (``1 / C`` for ``C``). Only after a search for a
        vector.

    guard_ : Guard
        The verdict of the ``guard``: what is ``chosen`` and the ``reason``, ``vector_loss``,
        ``common_loss``, ``sparse_loss``, ``difference``, ``standard_error``, ``kept``, and
        ``n_evaluations``, its price. ``nested_score`` with ``nested_score_std_error`` is the asked
        score of what was chosen on the splits of ``cv``, where it was tuned on the training parts
        alone: an honest estimate, but for the choice between two or three models. What was not
        chosen is no row, as on splits that both were tuned on it may have the better score; it
        stays in ``history_``.

    n_iter_ : int
        Number of evaluations of the validation loss; only after a search with a range.

    remarks_ : list of str
        What deserves a look, each with numbers and a remedy: about the candidate of the best row,
        and what all candidates have in common. Those to act on come first and are in the warning.

    validation_loss_ : str
        The loss that was descended, such as "squared_error", or "squared_error and evidence"; only
        after a search with a range.

    stopping_reason_ : str
        Why the optimizer stopped, such as "interrupted after 4 of at most 50 evaluations"; only
        after a search with a range.

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
    Ctrl-C, ``max_time``, and a callback that raises :class:`~sklearn_hypergrad.tuning.Stopped` end
    a fit with what there is. Searches that are done count, those that run give their best points
    so far, and settings not begun are left out. The estimator's own values are a row if they are
    within the bounds and not known to be worse. These rows are then fitted, and the best is
    refitted on all data. Ctrl-C while rows are fitted keeps those that are complete; others that a
    search found have the scores of its own models in ``cv_results_`` (nan for scores without a
    gradient), and nan as times. Ctrl-C during the refit is raised, but all attributes except the
    model are kept. ``stopping_reason_``, ``remarks_`` and a warning say what happened. A second
    Ctrl-C is raised at once.

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
        "search_cv": [Names({"auto", "cv", "halves", "evidence", "loo"}), "cv_object"],
        "shrinkage": [Names({"auto"}), Interval(numbers.Real, 0, None, closed="left")],
        "guard": [Names({"auto"}), "boolean"],
        "resample": [Names({"fixed", "fresh"})],
        "judge": [Names({"warm", "cold"})],
        "rows": [Names({"found", "listed"})],
        "selection": [Names(SELECTIONS)],
        "random_state": ["random_state"],
        "checkpoint": [str, os.PathLike, None],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "max_time": [Interval(numbers.Real, 0, np.inf, closed="right"), None],
        "tol": [Interval(numbers.Real, 0, None, closed="neither")],
    }

    history_ = FittedTable()
    hyperparameters_ = FittedTable()

    def __init__(
        self,
        estimator: BaseEstimator,
        param_grid: dict[str, Any] | Sequence[dict[str, Any]],
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        hypergradient: str | Hypergradient | OnlineHypergradient = "auto",
        optimizer: str | Optimizer = "auto",
        validation_loss: str | Callable = "auto",
        search_cv: Any = "auto",
        shrinkage: float | str = "auto",
        guard: bool | str = "auto",
        resample: str = "fixed",
        selection: str = "best",
        judge: str = "warm",
        rows: str = "found",
        max_iter: int = 50,
        max_time: float | None = None,
        tol: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
        checkpoint: str | os.PathLike | None = None,
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
        self.judge = judge
        self.rows = rows
        self.max_iter = max_iter
        self.max_time = max_time
        self.tol = tol
        self.random_state = random_state
        self.checkpoint = checkpoint

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Search, and refit on all data with the best hyperparameters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), Rows or dask collection
            As for GridSearchCV: the samples, as ``estimator`` takes them. Rows of
            :mod:`sklearn_hypergrad.rows`, which have their targets, and arrays or data frames of
            dask are read part by part; ridge and logistic regression can be searched on these.

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
            to these data, or a search with a ``checkpoint`` could not be continued; the message
            says what to do.
        OSError
            If the file of a ``checkpoint`` cannot be written, or is being written by another fit
            (BlockingIOError). Evaluations before are not lost.
        KeyboardInterrupt
            If Ctrl-C is pressed before the first evaluation of a range has ended, during the
            refit, or twice.
        """
        for name in (*REPORTED, COLUMNS, *BEHIND_REPORTS):
            self.__dict__.pop(name, None)
        deadline = None if self.max_time is None else Deadline(self.max_time)
        scorers, metric = self._get_scorers()
        if are_in_parts(X):
            return self._fit_rows(X, y, params, scorers, metric, deadline)
        X, y = indexable(X, y)
        if params:
            check_lengths(X, params)
        params = rows_of_params(X, params, None)
        routed = self._get_routed_params_for_fit(params)
        weight = params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        told = {"estimator": self, "X": X, "y": y, "metadata": metadata}
        task = self._init_callback_context(max_subtasks=1 + (self.refit is not False))
        task.call_on_fit_task_begin(**told)
        inputs = self._inputs(X, y, routed, scorers)
        self._checked_cv_orig, self.n_splits_ = inputs.splitter, len(inputs.splits)
        judge = Judge(self, inputs, scorers, routed.scorer.score, deadline)
        judged, stop = self._searched(judge, task)
        self._keep(judged, scorers, metric)
        stops = [each for each in (stop, judged.stop) if each is not None]
        try:
            remarks = self._report(judged.results, stops, inputs)
        except KeyboardInterrupt:
            if any(each.reason == INTERRUPTED for each in stops):
                raise
            # The first Ctrl-C loses nothing: what was described is described again.
            remarks = self._report(judged.results, stops, inputs)
        if self.refit:
            start = solved_rows(judged.results).get(self.best_index_)
            seen = self._refit(inputs, task, told, start and start.refit)
            self._describe_refit(judged.results, seen)
        ended(task, **told)
        self._announce(remarks)
        return self

    def _fit_rows(self, X, y, params, scorers, metric, deadline):
        """The same on rows in parts, which need files of their own."""
        from sklearn_hypergrad.search.by_blocks.rows_fit import RowsFit, as_rows

        fit = RowsFit(self, as_rows(X, y, params), scorers, deadline)
        judged, stop = fit.run()
        self._checked_cv_orig, self.n_splits_ = fit.inputs.splitter, len(fit.inputs.splits)
        self._keep(judged, scorers, metric)
        stops = [] if stop is None else [stop]
        if self.refit:
            began = time.time()
            self.best_estimator_ = fit.refit(judged)
            self.refit_time_ = time.time() - began
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        warned = self._report(judged.results, stops, fit.inputs)
        self.remarks_ += [remark.text for remark in fit.remarks()]
        self._announce(warned)
        return self

    def report(self):
        """Report what was tuned, gained and spent, and reasons to distrust the result.

        A gain is the difference of the validation loss, or score, between the point found and the
        estimator's own value, on the same splits, with one standard error over these splits. (For
        networks and own models the start of the search, which may be a listed value, takes the
        place of the own value.) The loss that goes with r2 is 1 - r2. Over splits that hold rows
        out more than once, such as repeated halves, the standard error is that of the corrected
        resampled t-test [1]_, and the report says so; over plain folds it is not corrected, and
        somewhat too small, as they share most of their training data. A score on splits that values
        were tuned on is optimistic: :func:`~sklearn_hypergrad.inspection.nested_score` gives an
        unbiased one.

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

    def as_start(self) -> dict[str, Any]:
        """Return where another search on similar data may begin, as ``init`` of ``Continuous``.

        A start changes which minimum is found, and how soon: the second search looks near it.
        Measured at the optimum, it saves 43 to 93 % of the evaluations for one value, for several,
        and for penalties of Ridge. For vectors of classifiers it saves 5 to 50 %: their best value
        for all, and their level on ``cv``, are searched anew. Where the first search has a handful
        of points, as for ``C`` under accuracy, next to nothing is left to save.

        It keeps nothing else of this search, and no fitted model. What this search has seen is in
        it all the same: inside of a cross-validation take starts from training rows alone, as rows
        that judge the second search must not have been seen by the first. ``guard`` leaves starts
        out for that reason.

        Returns
        -------
        start : dict of str -> float, dict or list
            The values of the best row for all ranges that were searched, by their names in
            ``param_grid``: a number, a dict from names of features (transformers, groups) to
            numbers, or nested lists of numbers where entries have no names. Empty if the best row
            is not of a range.

        Raises
        ------
        NotFittedError
            Before ``fit``.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
        >>> X, y = load_diabetes(return_X_y=True)
        >>> first = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X[:400], y[:400])
        >>> start = first.as_start()
        >>> ranges = {"alpha": Continuous(init=start["alpha"])}
        >>> second = HypergradSearchCV(Ridge(), ranges).fit(X, y)
        >>> second.n_iter_ < first.n_iter_
        True
        """
        check_is_fitted(self, "remarks_")
        return {key: attributes.plain_start(*start) for key, start in self._starts.items()}

    def get_features(self, status: str = "kept", *, indices: bool = False) -> np.ndarray:
        """Return the features whose penalty, or width of a kernel, the search has left at a status.

        The features are those that enter the final step. It selects columns for another model:
        ``X[search.get_features()]`` leaves out those that were dropped.

        Parameters
        ----------
        status : {"kept", "dropped", "apart", "pooled", "below pool", "above pool", \
                "unpenalised"}, default="kept"
            Which features: those that were not dropped or were; those that have left the pool or
            not; those that are less regularised than the pool, or more; or those that are as good
            as unpenalised. A feature with a value for each class or target was dropped if all are,
            has the other statuses if one of them has, and is pooled if it is not apart.
        indices : bool, default=False
            Whether to return positions, also where features have names.

        Returns
        -------
        features : ndarray
            Names, or positions where features have none.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        ValueError
            If ``status`` is another word, or nothing has a value per feature in the best row.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn_hypergrad import Continuous, HypergradSearchCV
        >>> from sklearn_hypergrad.linear_model import Ridge
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
        >>> X = (X - X.mean()) / X.std()
        >>> noise = np.random.default_rng(0).normal(size=(len(X), 30))
        >>> X[[f"noise {number}" for number in range(30)]] = noise
        >>> search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
        >>> print(search.get_features("below pool"))
        ['sex' 'bmi' 'bp' 's3' 's5']
        """
        check_is_fitted(self, "remarks_")
        # Plain fits do not need this file.
        from sklearn_hypergrad.search.reporting.features import of_status

        return of_status(self._features, status, indices=indices)

    def params_to_json(self) -> str:
        """Return ``best_params_`` as JSON, with arrays by the names of features.

        Numbers, strings, booleans, None, tuples, dicts and arrays of numbers are written, all
        digits of them. ``sklearn_hypergrad.params_from_json`` reads them again, and makes nothing
        else: no class is named in the text, so that it can be read whoever has written it.

        Returns
        -------
        text : str
            JSON text of several lines.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        TypeError
            If a value is something else, such as an estimator.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.linear_model import Ridge
        >>> from sklearn_hypergrad import HypergradSearchCV, params_from_json
        >>> X, y = load_diabetes(return_X_y=True)
        >>> search = HypergradSearchCV(Ridge(), {"alpha": [1e-4, 1e4]}).fit(X, y)
        >>> params_from_json(search.params_to_json()) == search.best_params_
        True
        """
        check_is_fitted(self, "best_params_")
        # Plain fits do not need this file.
        from sklearn_hypergrad.search.reporting.params_json import to_json

        def names_of(key):
            labels, _ = self._starts.get(key, ((), None))
            names = labels if self._features is None else self._features[0] or labels
            return names if all(isinstance(name, str) for name in names) else ()

        return to_json(self.best_params_, names_of)

    def __getstate__(self):
        """The state without data frames: tables are made anew where it is loaded."""
        state = super().__getstate__()
        made = {name: state[name] for name in ("history_", "hyperparameters_") if name in state}
        if not made:
            return state
        columns = {name: columns_of(table) for name, table in made.items()}
        kept = {name: value for name, value in state.items() if name not in made}
        return {**kept, COLUMNS: {**state.get(COLUMNS, {}), **columns}}

    def _validate_params(self):
        with self._answered():
            super()._validate_params()

    def _get_scorers(self):
        with self._answered():
            return super()._get_scorers()

    @contextlib.contextmanager
    def _answered(self):
        """Append what may be meant to errors about misspelt options that are raised inside."""
        try:
            yield
        except InvalidParameterError as error:
            meant = self._meant(str(error))
            message = in_order(str(error), brief=bool(meant))
            raise InvalidParameterError(f"{message}{meant}") from None

    def _meant(self, message):
        """A sentence that names the option that an unknown name is most similar to, or ""."""
        if "'param_grid'" in message:
            return NO_DICT
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

    def _inputs(self, X, y, routed, scorers):
        """The FitInputs of checked data; ``routed`` is metadata for estimator, scorer, splitter."""
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        split_params = dict(routed.splitter.split)
        splits = self._splits(splitter, X, y, split_params)
        return FitInputs(
            X=X,
            y=y,
            splits=splits,
            fit_params=dict(routed.estimator.fit),
            score_params=single_score_params(scorers, self.refit, routed.scorer.score),
            scorer=single_scorer(scorers, self.refit),
            splitter=splitter,
            split_params=split_params,
            estimator=self.estimator,
            n_jobs=self.n_jobs,
        )

    def _splits(self, splitter, X, y, split_params):
        """The splits; errors of the splitter say what is meant."""
        try:
            n_splits = splitter.get_n_splits(X, y, **split_params)
            splits = splits_of(splitter, X, y, split_params)
        except ValueError as error:
            # Most targets that are numbers are unique.
            n_values = len(set(np.ravel(y).tolist())) if is_classifier(self.estimator) else 0
            if "'groups' parameter" in str(error) and split_params.get("groups") is None:
                meant = NO_GROUPS.format(type(splitter).__name__)
            elif 2 * n_values > len(np.ravel(y)):
                meant = NO_CLASSES.format(n_values, type(model_in(self.estimator)).__name__)
            else:
                raise
            raise ValueError(f"{str(error).rstrip('.')}.{meant}") from None
        if len(splits) != n_splits:
            raise ValueError(
                f"cv.split and cv.get_n_splits return inconsistent results: {len(splits)} splits, "
                f"and {n_splits} as their number. Correct {splitter!r}."
            )
        return splits

    def _searched(self, judge, task):
        """``(Judged, Stop or None)`` of all candidates; errors about the grid say what is meant."""
        try:
            return self._searched_and_judged(judge, task)
        except (TypeError, ValueError) as error:
            meant = hint(error, self.estimator, self.param_grid)
            if not meant:
                raise
            # What is said next is another remedy than that of ParameterGrid.
            message = str(error).replace(WRAP, "")
            raise type(error)(f"{message}{meant}") from None

    def _searched_and_judged(self, judge, task):
        candidates = expand(self.param_grid, self.estimator, beside=self.selection == "best")
        # Without a range the tree of tasks is that of GridSearchCV.
        if not any(candidate.ranges for candidate in candidates):
            results = [EnumeratedResult(c, [c.settings]) for c in candidates]
            return self._judged(judge, results, task, "search"), None
        task = task.subcontext("search", max_subtasks=None)
        task.call_on_fit_task_begin(estimator=self)
        results, stop = self._run_candidates(candidates, judge, task)
        if self.rows == "listed":
            results = listed_first(results)
        elif len(results) > 1:
            results = in_grid_order(results)
        patient = stop is None or stop.reason != INTERRUPTED
        judged = self._judged(judge, results, task, "evaluation", patient=patient)
        self._costs.n_solved = len(solved_rows(judged.results))
        ended(task, estimator=self)
        return judged, stop

    def _judged(self, judge, *rows, **options):
        return judge(*rows, **options)

    def _run_candidates(self, candidates, judge, task):
        """``(results, Stop or None)`` of all candidates."""
        self._check_guard()
        self._check_rows()
        self._check_scoring()
        began, inputs, deadline = time.perf_counter(), judge.inputs, judge.deadline
        self._costs = Costs()
        listeners, tasks = [self._costs], None
        if deadline is not None:
            listeners.insert(0, deadline)
        if has_callbacks(self):
            tasks = Tasks(self, task, inputs)
            listeners.append(tasks)
        if self.verbose > 0:
            listeners.append(Progress(self.max_iter))
        if LOGGER.isEnabledFor(logging.INFO):
            # Only searches that are logged need this file.
            from sklearn_hypergrad.search.reporting.logs import LogRecords

            listeners.append(LogRecords())
        options = self._options(inputs.y, candidates)
        # Callbacks of the estimator are to see its fits.
        if self.judge == "warm" and not has_callbacks_inside(self.estimator):
            options = dataclasses.replace(options, scoring=self._scoring(judge))
        options = dataclasses.replace(options, listeners=tuple(listeners))
        if deadline is not None:
            options = dataclasses.replace(options, watch=deadline.check, deadline=deadline)
        memories = self._memories(inputs, options)
        with np.errstate(all="ignore"), one_blas_thread(), memories as memory_of:
            shares = len(candidates) > 1 and can_be_shared(candidates, inputs)
            run = run_shared if shares else run_candidates
            results, stop = run(candidates, inputs, options, memory_of)
        if tasks is not None:
            tasks.end()
        self._costs.seconds = time.perf_counter() - began
        return results, stop

    def _scoring(self, judge):
        """How rows are scored that are made of solutions."""
        return Scoring(
            scorer=judge.scorers,
            params=judge.score_params,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            verbose=self.verbose,
        )

    def _keep(self, judged, scorers, metric):
        """Set the attributes of a search in scikit-learn, but those of the refit."""
        for name in OF_BEST:
            self.__dict__.pop(name, None)
        self.cv_results_ = self._format_results(judged.settings, self.n_splits_, judged.outputs)
        self.scorer_ = scorers_of(scorers)
        scores = judged.outputs[0]["test_scores"]
        self.multimetric_ = isinstance(scores, dict)
        # Only now it is known that a callable returns several scores.
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(scores)
            metric = self.refit
        if not self.refit and self.multimetric_:
            return
        unknown = judged.stop is not None and not callable(self.refit)
        if unknown and np.isnan(self.cv_results_[f"mean_test_{metric}"]).all():
            self.best_index_ = judged.lowest()
        else:
            self.best_index_ = self._select_best_index(self.refit, metric, self.cv_results_)
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _refit(self, inputs, task, told, warm):
        """Fit the best setting on all rows, by a Refit if there is one, and return its Seen."""
        params = clone(self.best_params_, safe=False)
        estimator = clone(self.estimator).set_params(**params)
        targets, seen = () if inputs.y is None else (inputs.y,), None
        task = task.subcontext("refit-with-best-params")
        try:
            with hearing_ctrl_c(), task.propagate_callback_context(estimator):
                task.call_on_fit_task_begin(**told)
                began = time.time()
                if warm is None:
                    estimator.fit(inputs.X, *targets, **inputs.fit_params)
                else:
                    estimator, seen = warm.fit(estimator, inputs.X, *targets, **inputs.fit_params)
                self.refit_time_ = time.time() - began
        except KeyboardInterrupt:
            self.remarks_.append(REFIT_INTERRUPTED)
            raise KeyboardInterrupt(REFIT_INTERRUPTED) from None
        self.best_estimator_ = estimator
        if hasattr(estimator, "feature_names_in_"):
            self.feature_names_in_ = estimator.feature_names_in_
        ended(task, **told)
        return seen

    @contextlib.contextmanager
    def _memories(self, inputs, options):
        """Yield the function from numbers of candidates to the ``memory`` of their options."""
        if self.checkpoint is None:
            yield lambda number: None
            return
        # Only searches with a checkpoint need these files.
        from sklearn_hypergrad.search.objective.checkpoint import checkpointed

        with checkpointed(self, inputs, options) as checkpoint:
            if checkpoint.n_known and self.verbose > 0:
                print(f"continues after {checkpoint.n_known} results in {checkpoint.path}")
            yield checkpoint.memory_of

    def _guard(self, candidates):
        """Whether there is a guard; None, for vectors inside kernels, if rows are few."""
        if not isinstance(self.guard, str):
            return bool(self.guard)
        inside = any(each.vector is not None and not each.is_penalty for each in candidates)
        return (
            None if inside and not any(map(has_fixed_splits, (self.cv, self.search_cv))) else False
        )

    def _check_guard(self):
        asked = self.guard and not isinstance(self.guard, str)
        for name in ("cv", "search_cv") if asked else ():
            splitter = getattr(self, name)
            if has_fixed_splits(splitter):
                raise ValueError(
                    f"guard=True repeats the search inside every training part, for which "
                    f"{name}={shortened(splitter)} has no splits. Pass a splitter or a number."
                )

    def _check_rows(self):
        if self.rows == "listed" and self.selection != "best":
            raise ValueError(
                f"selection={self.selection!r} leaves out rows that would override its choice, and "
                f"rows='listed' asks for them. Leave rows='found', or selection='best'."
            )

    def _check_scoring(self):
        """Raise ValueError for scores that no continuous prediction has."""
        asked = [self.scoring] if isinstance(self.scoring, str) else self.scoring
        if isinstance(asked, list | tuple) and is_regressor(self.estimator):
            for name in OF_CLASSES.intersection(asked):
                raise ValueError(FOR_CLASSES.format(name, type(model_in(self.estimator)).__name__))

    def _method(self):
        method = self.hypergradient
        return METHODS[method] if isinstance(method, str) else method

    def _options(self, y, candidates):
        search_cv, seed = self.search_cv, self.random_state
        if not isinstance(search_cv, str):
            search_cv = check_cv(search_cv, y, classifier=is_classifier(self.estimator))
        elif search_cv == "evidence" and all(each.vector is None for each in candidates):
            raise ValueError(NO_VECTOR)
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
            guard=self._guard(candidates),
            tol=self.tol,
            max_iter=self.max_iter,
            seed=seed,
            resample=self.resample,
            refit=self.refit,
            selection=self.selection,
            rows=self.rows,
        )

    def _report(self, results, stops, inputs):
        """Set the attributes that describe the search; returns remarks that are warned about."""
        self.hypergradient_ = attributes.explanation(results)
        searched = [result for result in results if result.is_searched]
        self._starts = attributes.starts_of(results, getattr(self, "best_index_", 0))
        self._features = attributes.features_of(results, getattr(self, "best_index_", 0))
        metric = attributes.metric_name(self)
        remarks = [Remark(str(stop)) for stop in stops]
        remarks += attributes.remarks(self, results, metric, inputs)
        if searched:
            models = attributes.models_of(results)
            self._columns = {
                "history_": attributes.history(results),
                "hyperparameters_": attributes.hyperparameters(results, models),
            }
            messages = [result.found.message for result in searched]
            messages += [stop.message for stop in stops if isinstance(stop, RowsStop)]
            self.stopping_reason_ = "; ".join(dict.fromkeys(messages))
            self.validation_loss_ = ", ".join(dict.fromkeys(o.loss_name for o in searched))
            self._report_best(results, models)
        # Without a range: the number of settings that were judged.
        n_evaluations = sum(len(result.records) for result in searched)
        self.n_iter_ = n_evaluations or len(self.cv_results_["params"])
        overlap = overlap_of(inputs.splits) if searched else 0.0
        self._summaries = summaries(results, self.cv_results_, metric, overlap)
        stages = [record.stage for result in searched for record in result.records]
        self._overlaps = {"cv": overlap, **{stage.splits: stage.overlap for stage in stages}}
        remarks += attributes.score_remarks(self, results, metric)
        given = self._given(NEEDS.keys() - OF_EVERY_SEARCH if searched else NEEDS)
        remarks += idle_options(given, results) if given else []
        warned = [remark.text for remark in remarks if remark.warns]
        self._n_warned = len(warned)
        self.remarks_ = warned + [remark.text for remark in remarks if not remark.warns]
        return warned

    def _given(self, names):
        """Those of some arguments that differ from their defaults."""
        defaults = HypergradSearchCV.__init__.__kwdefaults__
        values = {name: getattr(self, name) for name in NEEDS if name in names}
        # An argument that is switched off asks for nothing.
        return {n: v for n, v in values.items() if v is not False and v != defaults[n]}

    def _announce(self, warned):
        """Print the final lines, and warn about what the user would act on."""
        if self._summaries and self.verbose > 0:
            print(final_lines(self))
        if warned:
            warnings.warn("\n".join(warned), HypergradWarning, stacklevel=4)

    def _describe_refit(self, results, seen):
        """Set what the refit tells of one penalty: degrees of freedom, and a remark."""
        number = self.best_index_
        result, point = attributes.row(results, number)
        if result.one_value is None or point is None or result.stopped is not None:
            return
        proposed = attributes.is_point_found(results, number)
        with np.errstate(all="ignore"), one_blas_thread():
            dof, remarks = result.one_value(self.best_estimator_, seen, point, proposed=proposed)
        self.remarks_ += [remark.text for remark in remarks]
        if dof is None:
            return
        self.effective_dof_ = dof
        if proposed:
            columns = self._columns["hyperparameters_"]
            columns["effective_dof"][columns["candidate"].index(number)] = dof

    def _report_best(self, results, models):
        """Set the attributes of the best row."""
        number = getattr(self, "best_index_", 0)
        result, point = attributes.row(results, number)
        if result.guard is not None:
            self.guard_ = result.guard
        if result.describe is None:
            return
        model = models[number] if number in models else result.describe(point)
        self.effective_dof_ = float(model.dof.sum())
        self.feature_regularization_ = model.strength
