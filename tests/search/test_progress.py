"""What is printed while a search runs."""

import re

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.search.reporting.progress import COLUMNS, duration

STEP = re.compile(r" +\d+ +[\d.e+-]+ ")


def printed(search, X, y, capsys):
    """``(fitted search, lines, lines of steps)``."""
    search.fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    return search, lines, [line for line in lines if STEP.match(line)]


def test_silence(data, capsys):
    X, y = data("diabetes")
    _, lines, _ = printed(HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}), X, y, capsys)
    assert lines == []


def test_enumeration_prints_what_grid_search_prints(data, capsys):
    X, y = data("diabetes")
    grid = {"fit_intercept": [True, False]}
    _, expected, _ = printed(GridSearchCV(Ridge(), grid, verbose=1), X, y, capsys)
    _, lines, _ = printed(HypergradSearchCV(Ridge(), grid, verbose=1), X, y, capsys)
    assert lines == expected


def test_a_line_per_evaluation(data, capsys):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 1e3]}, cv=3, verbose=1)
    search, lines, steps = printed(search, X, y, capsys)
    history = search.history_
    assert lines[:2] == ["alpha; 1 - r2 on 3 splits of cv", COLUMNS]
    assert len(steps) == search.n_iter_ == len(history)
    for number, (line, loss) in enumerate(zip(steps, history["loss"], strict=True), start=1):
        assert line[:6] == f"{number:6d}"
        assert float(line[6:23]) == pytest.approx(loss, rel=1e-5)
        assert int(line[51:63]) == 3 * number
        assert len(line) == len(COLUMNS)
    change = history["loss"].iloc[1] - history["loss"].iloc[0]
    assert float(steps[1].split()[2]) == pytest.approx(change, rel=1e-2)
    norm = history["gradient_norm"].iloc[0]
    assert float(steps[0].split()[2]) == pytest.approx(norm, rel=1e-2)


def test_it_ends_with_three_lines(data, capsys):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}, cv=3, verbose=1, judge="cold")
    search, lines, _ = printed(search, X, y, capsys)
    assert "Fitting 3 folds for each of 1 candidates, totalling 3 fits" in lines
    assert lines[-3] == f"Stopped: {search.stopping_reason_}"
    n = search.n_iter_
    assert lines[-2].startswith(f"Cost: {n} evaluations with {3 * n} inner fits in ")
    assert lines[-2].endswith("3 fits of scikit-learn and a refit; a grid search takes 9 fits")
    assert lines[-1].startswith("Look at: ")


def test_every_stage_and_enumerated_value_has_a_title(capsys):
    X = np.random.default_rng(0).normal(size=(60, 10))
    y = X[:, 0] + np.random.default_rng(1).normal(size=60)
    search = HypergradSearchCV(
        linear_model.Ridge(),
        {"alpha": Continuous(per="feature"), "fit_intercept": [True, False]},
        cv=2,
        guard=True,
        shrinkage=0.1,
        search_cv="halves",
        verbose=1,
    )
    _, lines, _ = printed(search, X, y, capsys)
    for intercept in (True, False):
        place = f"fit_intercept={intercept}"
        assert f"{place}: alpha; 1 - r2 on 2 splits of cv" in lines
        title = "alpha (10 values); squared_error on 20 splits of search_cv"
        assert f"{place}: {title}" in lines
        for fold in (1, 2):
            assert f"{place}, guard, outer fold {fold} of 2: {title}" in lines


def test_what_is_left_of_a_budget(data, capsys):
    """Adam ends after its steps; other optimizers may end before."""
    X, y = data("diabetes")
    network = MLPRegressor((3,), n_steps=3, random_state=0)
    search = HypergradSearchCV(network, {"alpha": Continuous()}, cv=2, max_iter=3, verbose=1)
    _, _, steps = printed(search, X, y / y.std(), capsys)
    assert not any("<" in line for line in steps)
    assert steps[0].split()[-1] == "s"
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, max_iter=6, verbose=1)
    _, _, steps = printed(search, X, y, capsys)
    assert all("<" in line for line in steps[:5])
    assert "<" not in steps[6]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (61, "1 min 01 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90000, "25 h 00 min"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words
