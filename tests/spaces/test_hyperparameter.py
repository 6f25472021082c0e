"""What the author of an estimator says of a hyperparameter."""

import numpy as np
import pytest

from sklearn_hypergrad.spaces import Hyperparameter


@pytest.mark.parametrize(
    ("scale", "limits"), [("log", (0, np.inf)), ("logit", (0, 1)), ("linear", (-np.inf, np.inf))]
)
def test_limits_are_those_of_the_scale(scale, limits):
    assert Hyperparameter(scale=scale).limits == limits


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"per": "feature"}, TypeError, r"must be a tuple, such as \('feature',\)"),
        ({"scale": "ln"}, ValueError, "must be one of .*'log'.*, got 'ln'"),
        ({"limits": (1, 0)}, ValueError, "must be in increasing order from 0.0 to inf"),
        ({"limits": (-1, 1)}, ValueError, "must be in increasing order from 0.0 to inf"),
        ({"scale": "logit", "limits": (0, 2)}, ValueError, r"from 0.0 to 1.0, got \(0, 2\)"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, text):
    with pytest.raises(error, match=text):
        Hyperparameter(**arguments)
