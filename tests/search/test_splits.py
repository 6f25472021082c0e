import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    RepeatedStratifiedKFold,
    StratifiedKFold,
)

from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge
from sklearn_hypergrad.search.data.inputs import HALVES, THIRDS, FitInputs, random_splits

N = 40
LABELS = np.repeat([0, 1], [28, 12])


def inputs(splitter, y=LABELS, **fit_params):
    given = [(np.arange(20), np.arange(20, 40))]
    return FitInputs(np.zeros((N, 2)), y, given, fit_params, {}, None, splitter)


@pytest.mark.parametrize("splitter", [KFold(3), StratifiedKFold(5), RepeatedStratifiedKFold()])
def test_plain_splitters_become_halves(splitter):
    splits, reason = random_splits(HALVES, family(LogisticRegression()), inputs(splitter), 0)
    assert reason is None
    assert len(splits) == 20
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(N))
        assert len(train) == len(test)
        assert LABELS[train].sum() == 6


@pytest.mark.parametrize("splitter", [GroupKFold(2), LeaveOneOut()])
def test_other_splitters_are_respected(splitter):
    given = inputs(splitter)
    splits, reason = random_splits(HALVES, family(Ridge()), given, 0)
    assert splits is given.splits
    assert reason is None


def test_a_subclass_is_another_splitter():
    class Mine(KFold):
        pass

    given = inputs(Mine(3))
    assert random_splits(HALVES, family(Ridge()), given, 0)[0] is given.splits


def test_rows_without_weight_are_left_out():
    weight = np.ones(N)
    weight[::4] = 0
    given = inputs(KFold(3), sample_weight=weight)
    splits, _ = random_splits(HALVES, family(Ridge()), given, 0)
    for train, test in splits:
        assert set(train) | set(test) == set(np.flatnonzero(weight))


def test_a_small_class_falls_back_and_says_so():
    given = inputs(KFold(3), y=np.repeat([0, 1], [37, 3]))
    splits, reason = random_splits(HALVES, family(LogisticRegression()), given, 0)
    assert splits is given.splits
    assert reason == "no half splits: the smallest class has 3 members"


def test_the_seed_decides():
    draws = [
        random_splits(HALVES, family(Ridge()), inputs(KFold(3)), seed)[0] for seed in (0, 0, 1)
    ]
    same, other = (
        all(np.array_equal(a[0], b[0]) for a, b in zip(draws[0], draw, strict=True))
        for draw in draws[1:]
    )
    assert same
    assert not other


def test_thirds_are_drawn_four_times():
    splits, _ = random_splits(THIRDS, family(Ridge()), inputs(KFold(5)), 0)
    assert len(splits) == 12
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(N))
        assert len(test) in (13, 14)
    few = inputs(KFold(3), y=np.repeat([0, 1], [35, 5]))
    _, reason = random_splits(THIRDS, family(LogisticRegression()), few, 0)
    assert reason == "no splits into thirds: the smallest class has 5 members"
