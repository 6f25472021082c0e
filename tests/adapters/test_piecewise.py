"""What models of piecewise quadratic losses have in common."""

import numpy as np
import pytest

from sklearn_hypergrad.adapters import piecewise


@pytest.mark.parametrize("name", ["huber", "linear support vector regression"])
def test_data_without_a_model(named, name, monkeypatch):
    row = named(name)
    X, y = row.data()
    with pytest.raises(ValueError, match="y has several columns"):
        row.models(y=np.column_stack([y, y]))
    monkeypatch.setattr(piecewise, "MAX_SIDE", 4)
    with pytest.raises(ValueError, match="42 x 5 is too large for that: at most 4 of either"):
        row.models()
    # One side may be as large as it likes.
    row.models(X=X[:, :4])
