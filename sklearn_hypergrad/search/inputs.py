"""What a fit of the search works on, collected from the hooks of BaseSearchCV.fit."""

import dataclasses

from sklearn_hypergrad._sklearn import accepts_sample_weight, single_scorer


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
    """

    X: object
    y: object
    splits: list
    fit_params: dict
    score_params: dict
    scorer: object


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
    )
