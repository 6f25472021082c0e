"""Random searches of all kinds: never another error than GridSearchCV's, never a worse score."""

import pytest
from random_cases import draw
from random_checks import failures_of
from random_models import family_of

N_CASES = 2000
# Cheap cases in which everything occurs that the sample command of random_cases.py looks for.
SAMPLE = frozenset({0, 1, 2})


def marked(seed):
    marks = () if seed in SAMPLE else pytest.mark.thorough
    return pytest.param(seed, marks=marks, id=f"{family_of(seed)}-{seed}")


@pytest.mark.parametrize("seed", list(map(marked, range(N_CASES))))
def test_is_as_good_as_a_grid_search(seed):
    case = draw(seed)
    failures = [each for each in failures_of(case) if not each.kind.startswith("note")]
    assert not failures, "\n".join(map(str, [case, *failures]))
