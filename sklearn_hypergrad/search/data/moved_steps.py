"""Whether steps that were taken out of a wrapper do the same before it: they must not use targets.

Inside, they are fitted with the targets of every copy; before the wrapper, with those of the user.
It is tried, not guessed: most transformers take targets and ignore them.
"""

import numpy as np
from scipy.sparse import issparse

from sklearn_hypergrad._sklearn import rows_of, rows_of_params, safe_split
from sklearn_hypergrad.search.data.capture import with_capture
from sklearn_hypergrad.threads import warnings_here


def check_that_targets_are_ignored(candidate, inputs, train):
    """Raise ValueError if the steps before the final one make other features of other targets.

    Parameters
    ----------
    candidate : Candidate
        Whose steps were taken out of a wrapper.
    inputs : FitInputs
    train : ndarray of int
        The rows that they are fitted on, once more with the targets in reverse order.
    """

    def features(rows):
        pipeline, capture = with_capture(candidate, candidate.step.path)
        X, _ = safe_split(pipeline, inputs.X, inputs.y, train)
        params = rows_of_params(inputs.X, inputs.fit_params, train)
        with warnings_here("ignore"):
            pipeline.fit(X, rows_of(inputs.y, rows), **params)
        return capture.captured_[0]

    one, other = (_dense(features(rows)) for rows in (train, train[::-1]))
    if one.shape != other.shape or not np.array_equal(one, other):
        name = type(candidate.final).__name__
        raise ValueError(
            f"the steps before the model in {name} use its targets, or draw without a seed: put "
            f"them before {name} if they may see those of y"
        )


def _dense(X):
    return X.toarray() if issparse(X) else np.asarray(X)
