"""What a fit of the search works on, collected from the hooks of BaseSearchCV.fit."""

import dataclasses

import numpy as np

from sklearn_hypergrad._sklearn import (
    accepts_sample_weight,
    num_samples,
    rows_of_params,
    safe_split,
    single_scorer,
)


class FrozenSplits:
    """A splitter that asks another one once and then repeats its answer."""

    def __init__(self, cv):
        self.cv = cv
        self._splits = None

    def split(self, X, y=None, groups=None, **params):
        if self._splits is None:
            if groups is not None:
                params["groups"] = groups
            self._splits = list(self.cv.split(X, y, **params))
        return iter(self._splits)

    def get_n_splits(self, X=None, y=None, groups=None, **params):
        if groups is not None:
            params["groups"] = groups
        return self.cv.get_n_splits(X, y, **params)


@dataclasses.dataclass(frozen=True)
class FitInputs:
    """Data, splits and metadata of one fit; local to it.

    Attributes
    ----------
    X, y : as the user gave them
    splits : list of (train, test)
    fit_params, score_params : dict
        What goes to the estimator's ``fit`` and to the scorer.
    scorer : callable or None
        The scorer that decides, None where only its scores will tell.
    splitter : object
        Where the splits are from.
    split_params : dict
        What it was given besides X and y.
    """

    X: object
    y: object
    splits: list
    fit_params: dict
    score_params: dict
    scorer: object
    splitter: object = None
    split_params: dict = dataclasses.field(default_factory=dict)

    def row_weight(self):
        """Weight of every row: zero where no training or no score takes notice of it."""
        weight = np.ones(num_samples(self.X))
        for params in (self.fit_params, self.score_params):
            for name, value in params.items():
                if name.rpartition("__")[2] == "sample_weight" and value is not None:
                    weight = weight * np.asarray(value, dtype=float)
        return weight

    def subset(self, rows, estimator):
        """The inputs of a fit on some rows, with splits of their own."""
        X, y = safe_split(estimator, self.X, self.y, rows)
        split_params = rows_of_params(self.X, self.split_params, rows)
        return dataclasses.replace(
            self,
            X=X,
            y=y,
            splits=list(self.splitter.split(X, y, **split_params)),
            fit_params=rows_of_params(self.X, self.fit_params, rows),
            score_params=rows_of_params(self.X, self.score_params, rows),
            split_params=split_params,
        )


def fit_inputs(search, X, y, cv, routed_params):
    """The inputs of a fit of ``search`` from what BaseSearchCV.fit has worked out."""
    scorers, _ = search._get_scorers()
    scorer = single_scorer(scorers, search.refit)
    score_params = dict(routed_params.scorer.score)
    if scorer is not None and not accepts_sample_weight(scorer):
        score_params.pop("sample_weight", None)
    return FitInputs(
        X=X,
        y=y,
        splits=list(cv.split(X, y, **routed_params.splitter.split)),
        fit_params=dict(routed_params.estimator.fit),
        score_params=score_params,
        scorer=scorer,
        splitter=cv.cv,
        split_params=dict(routed_params.splitter.split),
    )
