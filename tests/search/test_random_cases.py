"""Random searches of all kinds: never another error than GridSearchCV's, never a worse score."""

import pytest
from random_cases import draw
from random_checks import failures_of
from random_models import family_of

N_CASES = 2000
# Cheap cases that cover what occurs in all, chosen by ``random_cases.py sample 0:2000``.
SAMPLE = frozenset(
    map(
        int,
        """
        1 33 53 91 114 122 137 139 148 152 153 211 221 222 237 250 258 260 315 337 352 353
        365 370 377 388 394 422 426 429 444 457 463 512 537 543 557 559 578 593 609 628 644
        702 703 713 721 742 748 766 777 794 802 809 810 816 839 878 889 919 939 941 947 948
        981 1045 1062 1113 1129 1137 1151 1153 1177 1194 1212 1215 1219 1228 1257 1267 1314
        1319 1321 1327 1330 1341 1377 1394 1432 1451 1553 1554 1570 1581 1593 1616 1651 1656
        1657 1696 1710 1733 1746 1765 1795 1845 1876 1913 1940 1974 1988
        """.split(),
    )
)


def marked(seed):
    marks = () if seed in SAMPLE else pytest.mark.thorough
    return pytest.param(seed, marks=marks, id=f"{family_of(seed)}-{seed}")


@pytest.mark.parametrize("seed", list(map(marked, range(N_CASES))))
def test_is_as_good_as_a_grid_search(seed):
    case = draw(seed)
    failures = [each for each in failures_of(case) if not each.kind.startswith("note")]
    assert not failures, "\n".join(map(str, [case, *failures]))
