import numpy as np
import pytest
from sklearn.utils import check_array

from sklearn_hypergrad._sklearn import checked_array

PLAIN = np.array([[1.0, 2.0], [3.0, 4.0]])
# Values whose sum overflows, though they are finite.
CASES = {
    "doubles": PLAIN,
    "one dimension": PLAIN[0],
    "three dimensions": PLAIN[None],
    "large": np.full((2, 2), 1e308),
    "single precision": PLAIN.astype(np.float32),
    "integers": PLAIN.astype(int),
    "objects": PLAIN.astype(object),
    "text": np.array([["a", "b"]]),
    "complex": PLAIN + 1j,
    "lists": PLAIN.tolist(),
    "matrix": PLAIN.view(type("Own", (np.ndarray,), {})),
    "not a number": np.array([[1.0, np.nan]]),
    "infinite": np.array([[1.0, np.inf]]),
    "opposite infinities": np.array([[-np.inf, np.inf]]),
    "no rows": np.empty((0, 2)),
    "no columns": np.empty((2, 0)),
    "a number": np.array(1.0),
}


def outcome(check, X, options):
    """What a check returns, or its error, as something that can be compared."""
    with np.errstate(invalid="ignore"):
        try:
            checked = check(X, **options)
        except (TypeError, ValueError) as error:
            return type(error), str(error)
    return type(checked), checked.dtype, checked.tolist(), checked is X


@pytest.mark.parametrize("options", [{}, {"ensure_2d": False}], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_it_is_check_array(name, options):
    options = {"dtype": np.float64, **options}
    found, expected = (outcome(f, CASES[name], options) for f in (checked_array, check_array))
    assert found == expected
