"""Judge points by the asked score, if it has no gradient and a surrogate was descended.

Points that can win have exact solutions, and the scorer gets what GridSearchCV gives it: a pipeline
whose last step has the solution, and rows of X and y as the user gave them. Which points these are
is told by predictions, where the scorer looks at nothing else; otherwise all points are. Classes
that are predicted beyond doubt are all that such a scorer gets; so is an order of decision values.
If the scorer fails, all listed values are fitted and scored by scikit-learn.
"""

import numpy as np

from sklearn_hypergrad._sklearn import rows_of
from sklearn_hypergrad.search.results.remark import Remark
from sklearn_hypergrad.search.strategies.contest import exact_scores
from sklearn_hypergrad.search.strategies.predicted_scores import PredictedScores
from sklearn_hypergrad.search.strategies.ranked_scores import RankedScores
from sklearn_hypergrad.threads import cached_property, warnings_here
from sklearn_hypergrad.tuning.events import StorageError
from sklearn_hypergrad.tuning.objective import DIVERGING

# Number of visited points that are judged by a score without gradient: the best by the descended
# loss. Chosen by hand: each costs a fit per split, and points with a larger loss rarely score best.
N_JUDGED = 5
# Characters of an error that a remark quotes: two lines of text.
LONGEST = 200


class SeveralScores(Exception):
    """A callable returned several scores, of which none is known to decide."""


def leading_judge(prepared, objective):
    """The Judge of points of a rough scan, if it is not the loss that decides, or None.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective on the user's cv.
    """
    if not (prepared.judges and objective.has_rough):
        return None
    judge = Judge(prepared, objective)
    return judge if judge.is_quick else None


class Judge:
    """The asked score of points that a search has visited, or that were listed.

    Parameters
    ----------
    prepared : PreparedCandidate
    objective : Objective
        The objective on the user's cv; solutions are converged to its inner tolerance.

    Attributes
    ----------
    failure : str
        Why there are no scores; or "".
    """

    def __init__(self, prepared, objective):
        self._prepared, self._objective = prepared, objective
        self._inputs, self._scorer = prepared.inputs, prepared.inputs.scorer
        self._listed, self._scores, self._known = [], [], {}
        self.failure = ""

    def rows(self, listed, visited, *, only_visited=False):
        """The best of the listed and of the visited points; of equal ones the first.

        Parameters
        ----------
        listed, visited : list of dict
            Hyperparameters.
        only_visited : bool, default=False
            Whether to judge no listed point: for networks each is a training run per split.

        Returns
        -------
        list of dict
            Without a score all listed points, for scikit-learn to judge; none if no score is
            known to decide.
        """
        if self._scorer is None:
            return []
        self._listed = listed
        # Solutions of visited points are known, until those of others take their place.
        second = self._best(visited)
        chosen = [*self._best([] if only_visited else listed), *second]
        if self._scorer is None:
            return []
        if self._scores and not self.failure and np.all(np.isnan(self._scores)):
            self.failure = "it is nan for every one of them"
        return [*listed, *chosen] if self.failure else chosen

    @property
    def remarks(self):
        """Remarks on why points could not be judged, in a list."""
        if not self.failure:
            return []
        instead = "The point with the smallest validation loss is proposed as it is"
        if self._listed:
            instead = "All listed values were fitted and judged by scikit-learn instead"
        text = (
            f"{self._prepared.candidate.key}: the asked score could not judge what the search has "
            f"visited, because {self.failure}. {instead}."
        )
        # Where values are listed, scikit-learn's fits judge them, and warn if they fail, too.
        return [Remark(text, warns=not self._listed)]

    def _best(self, points):
        if not points:
            return []
        # In the order of size, each solution is a good start for the next one.
        order = sorted(range(len(points)), key=lambda i: [np.max(v) for v in points[i].values()])
        scores = exact_scores(order, lambda i: self.score(points[i]), self._rounds(points))
        known = [index for index in scores if not np.isnan(scores[index])]
        return [points[max(known, key=lambda i: (scores[i], -i))]] if known else []

    def _rounds(self, points):
        """Rounds of a contest of points; none where a scorer looks at more than predictions."""
        return [] if self._predicted is None else self._predicted.rounds(points)

    @property
    def is_quick(self):
        """Whether scores need no fitted estimators."""
        return self._scorer is not None and self._predicted is not None

    @property
    def highest(self):
        """The highest score that there is, as far as is known."""
        of_ranking = isinstance(self._predicted, RankedScores)
        return 1.0 if of_ranking or (self.is_quick and self._predicted.is_accuracy) else np.inf

    @cached_property
    def _predicted(self):
        """The PredictedScores or RankedScores, or None if neither apply."""
        for kind in (PredictedScores, RankedScores):
            if kind.apply(self._prepared, self._objective):
                return kind(self._prepared, self._objective)
        return None

    def score(self, h):
        """Mean over splits of the asked score at hyperparameters ``h``; nan if that fails."""
        # A point may be listed, and visited more than once.
        place = self._objective.space.to_theta(h).tobytes()
        if place not in self._known:
            certain = np.nan if self._predicted is None else self._predicted.certain(h)
            self._known[place] = self._computed(h) if np.isnan(certain) else certain
        return self._known[place]

    def _computed(self, h):
        """The same with fitted estimators."""
        if self.failure or self._scorer is None:
            return np.nan
        try:
            with warnings_here("ignore"):
                score = np.mean(self._split_scores(h))
        except SeveralScores:
            self._scorer = None
            return np.nan
        except StorageError:
            raise
        except (np.linalg.LinAlgError, *DIVERGING):
            # No model is trained there.
            return np.nan
        # A scorer is user code, which may expect more of a fitted estimator than its solution.
        except Exception as error:
            self.failure = f"of {type(error).__name__}: {error}"[:LONGEST].rstrip(".")
            return np.nan
        self._scores.append(score)
        return score

    def _split_scores(self, h):
        """The asked score of every split, as an array."""
        h, blocks, first = {n: np.asarray(v, dtype=float) for n, v in h.items()}, {}, 0
        for model, block in zip(self._objective.terms, self._prepared.cv_data, strict=True):
            blocks[id(model)] = block, range(first, first := first + block.n_splits)

        def scores(model, fitted):
            return (np.array(list(self._scores_of(model, fitted, h, *blocks[id(model)]))),)

        parts = self._objective.of_solutions("scores", h, scores)
        return np.concatenate([part for (part,) in parts])

    def _scores_of(self, model, fitted, h, block, splits):
        """Yield the asked score of every split of a model."""
        arguments = self._arguments(model, fitted, h, block, splits)
        for split, (estimator, X) in zip(splits, arguments, strict=True):
            y, metadata = self._inputs.held_out_targets(split)
            score = self._scorer(estimator, X, y, **metadata)
            if isinstance(score, dict):
                raise SeveralScores
            yield np.asarray(score, dtype=float).item()

    def _arguments(self, model, fitted, h, block, splits):
        """Yield an estimator and features for the scorer, for every split of a model."""
        prepared, family = self._prepared, self._prepared.family
        if not prepared.scorer_sees_steps:
            installed = family.install(prepared.final, model, fitted, h)
            features = (rows_of(model.data.X, test) for test in model.data.tests)
            yield from zip(self._checked(installed), features, strict=True)
            return
        steps = [prepared.steps[split] for split in splits]
        means = [each.means for each in steps]
        installed = family.install_behind(prepared.final, model, fitted, h, block, means)
        for split, each, final in zip(splits, steps, self._checked(installed), strict=True):
            whole = each.then(final.set_params(**self._own_values(h)))
            yield whole, self._inputs.held_out_features(split, whole)

    def _checked(self, installed):
        if installed is None:
            name = type(self._prepared.family).__name__
            raise TypeError(f"{name}.install makes no fitted estimators")
        return installed

    def _own_values(self, h):
        """Parameters of the final step that are searched.

        Values per transformer are weights of the step before, whose columns the solution takes
        without them.
        """
        settings = self._objective.events.settings(h)
        spans = [span for span in self._prepared.ranges if span.continuous.per != "transformer"]
        return {span.leaf: settings[span.key] for span in spans}
