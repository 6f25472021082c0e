"""Searches of others for the same hyperparameters.

Packages that are not installed leave a contender that says so.
"""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import cross_val_score

from benchmarks.speed.contenders import Contender
from benchmarks.speed.task import HIGH, LOW


def ridge_cv(task, n_values=20):
    """Leave-one-out in closed form: another criterion, so its loss on the folds may differ."""
    model = RidgeCV(np.geomspace(LOW, HIGH, n_values))
    return Contender(
        f"RidgeCV (leave-one-out), {n_values} values",
        lambda: clone(model).fit(task.X, task.y),
        chosen=lambda model: model.alpha_,
    )


def logistic_cv(task, solver, n_values=10):
    """Warm-started from value to value."""
    model = LogisticRegressionCV(
        Cs=n_values,
        l1_ratios=(0,),
        cv=task.cv,
        scoring=task.model.scoring,
        solver=solver,
        use_legacy_attributes=False,
    )
    return Contender(
        f"LogisticRegressionCV, {n_values} values",
        lambda: clone(model).fit(task.X, task.y),
        chosen=lambda model: float(model.C_),
        variant=solver,
    )


def optuna_search(task, n_trials):
    """The default sampler on ``cross_val_score``, without a refit."""
    name = f"optuna, {n_trials} trials"
    try:
        import optuna
    except ImportError:
        return Contender(name, None, note="optuna is not installed")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    key = task.model.key

    def score(trial):
        value = trial.suggest_float(key, LOW, HIGH, log=True)
        model = clone(task.model.plain).set_params(**{key: value})
        how = {"cv": task.cv, "scoring": task.model.scoring}
        return cross_val_score(model, task.X, task.y, **how).mean()

    def run():
        sampler = optuna.samplers.TPESampler(seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.optimize(score, n_trials=n_trials)
        return study

    return Contender(name, run, chosen=lambda study: study.best_params[key])


def himalaya_search(task, n_iter=20, n_values=10):
    """Random weights of groups of one feature each; every draw is tried with a list of alphas."""
    name = f"himalaya GroupRidgeCV, {n_iter} draws"
    try:
        from himalaya.ridge import GroupRidgeCV
    except ImportError:
        return Contender(name, None, note="himalaya is not installed")
    alphas = np.geomspace(LOW, HIGH, n_values)
    model = GroupRidgeCV(
        groups=np.arange(task.X.shape[1]),
        solver_params={"n_iter": n_iter, "alphas": alphas, "progress_bar": False},
        fit_intercept=True,
        cv=task.cv,
        random_state=0,
    )
    return Contender(
        name,
        lambda: clone(model).fit(task.X, task.y),
        # It scales features by exp(delta / 2) where we penalise them by exp(-delta).
        chosen=lambda model: np.exp(-model.deltas_.ravel()),
    )
