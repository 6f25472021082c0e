"""A search with a checkpoint writes its evaluations down, and goes on after the last of them."""

import contextlib
import dataclasses
import functools
import json
import os
import pickle
import subprocess
import sys
import threading

import narwhals
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, r2_score
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from test_interrupts import After

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.search.data.fingerprint import fingerprint
from sklearn_hypergrad.search.objective.checkpoint import IRRELEVANT
from sklearn_hypergrad.search.objective.options import Options
from sklearn_hypergrad.tuning import Objective
from sklearn_hypergrad.tuning.journal import Journal

# Some of these searches are few evaluations long, and end without having converged.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
RANGE = {"alpha": [1e-3, 1e3]}
NEWTON = linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-8)


@pytest.fixture
def small(data):
    X, y = data("diabetes")
    return X[::4, :4], y[::4]


def search_for(folder, estimator=None, grid=RANGE, **options):
    return HypergradSearchCV(
        Ridge() if estimator is None else estimator,
        grid,
        **{"cv": 2, "checkpoint": folder, **options},
    )


def bits(search):
    history = narwhals.from_native(search.history_).drop("seconds").to_native()
    return fingerprint(p=search.best_params_, s=search.best_score_, h=history)


def files(folder):
    return sorted(folder.glob("*"))


@pytest.fixture
def counted(monkeypatch):
    """The number of evaluations that were computed, in a list."""
    count, evaluate = [], Objective._evaluate

    def _evaluate(self, theta):
        count.append(1)
        return evaluate(self, theta)

    monkeypatch.setattr(Objective, "_evaluate", _evaluate)
    return count


SEARCHES = {
    "ridge": (Ridge(), RANGE, {}),
    "logistic": (NEWTON, {"C": [1e-2, 1e2]}, {"scoring": "accuracy"}),
    "guarded vector": (
        linear_model.Ridge(),
        {"alpha": Continuous(per="feature")},
        {"guard": True, "max_iter": 2},
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_interrupted_searches_go_on(small, tmp_path, counted, name):
    X, y = small
    y = y > 140 if name == "logistic" else y
    estimator, grid, options = SEARCHES[name]
    whole = search_for(tmp_path / "whole", estimator, grid, **options).fit(X, y)
    n_whole = len(counted)
    interrupted = search_for(tmp_path / "other", estimator, grid, **options)
    interrupted.set_callbacks(After(3)).fit(X, y)
    search = search_for(tmp_path / "other", estimator, grid, **options).fit(X, y)
    assert bits(search) == bits(whole)
    # What an interrupted search evaluates for its result may be nothing that others need.
    assert n_whole <= len(counted) - n_whole <= n_whole + 2
    del counted[:]
    assert bits(clone(search).fit(X, y)) == bits(whole)
    assert not counted
    seconds = [narwhals.from_native(s.history_)["seconds"].to_list() for s in (search, whole)]
    assert len(seconds[0]) == len(seconds[1])
    assert len(files(tmp_path / "other")) == 1


def test_it_finds_what_a_search_without_it_finds(small, tmp_path):
    X, y = small
    for estimator, grid, options in SEARCHES.values():
        target = y > 140 if estimator is NEWTON else y
        found = [
            search_for(folder, estimator, grid, **options).fit(X, target)
            for folder in (None, tmp_path)
        ]
        (plain, kept) = (search.best_params_ for search in found)
        for key, value in plain.items():
            # Searches end within tol, 1e-3, of a minimum; points on their way differ by more.
            np.testing.assert_allclose(kept[key], value, rtol=1e-2)


def test_what_does_not_matter(small, tmp_path, capsys):
    search_for(tmp_path).fit(*small)
    (path,) = files(tmp_path)
    for options in (
        {"n_jobs": 1, "pre_dispatch": 1, "return_train_score": True, "error_score": 0.0},
        {"verbose": 1, "refit": False, "random_state": 0},
        {"checkpoint": str(tmp_path)},
    ):
        search_for(**{"folder": tmp_path, **options}).fit(*small)
    assert "continues after" in (out := capsys.readouterr().out)
    assert str(path) in out
    search_for(tmp_path).set_callbacks(After(np.inf)).fit(*small)
    assert files(tmp_path) == [path]


def test_what_matters(small, tmp_path):
    X, y = small
    weight = np.linspace(1, 2, len(y))
    fits = [
        ({}, (X, y), {}),
        ({}, (X.copy(order="F"), y), {}),
        ({}, (X, y + 1e-9), {}),
        ({}, (X.astype(np.float32), y), {}),
        ({}, (pd.DataFrame(X).rename(columns=str), y), {}),
        ({}, (pd.DataFrame(X).rename(columns="x{}".format), y), {}),
        ({}, (X, y), {"sample_weight": weight}),
        ({}, (X, y), {"sample_weight": weight + 1e-9}),
        ({"estimator": Ridge(solver="svd")}, (X, y), {}),
        ({"estimator": make_pipeline(Ridge()), "grid": {"ridge__alpha": [1, 9]}}, (X, y), {}),
        ({"grid": {"alpha": [1e-3, 1e2]}}, (X, y), {}),
        ({"grid": {"alpha": Continuous(1e-3, 1e3)}}, (X, y), {}),
        ({"cv": 3}, (X, y), {}),
        ({"cv": KFold(2, shuffle=True, random_state=0)}, (X, y), {}),
        ({"cv": GroupKFold(2)}, (X, y), {"groups": np.arange(len(y)) % 7}),
        ({"cv": GroupKFold(2)}, (X, y), {"groups": np.arange(len(y)) % 5}),
        ({"search_cv": "loo"}, (X, y), {}),
        ({"scoring": "neg_mean_absolute_error"}, (X, y), {}),
        ({"scoring": make_scorer(r2_score)}, (X, y), {}),
        ({"selection": "one_se"}, (X, y), {}),
        ({"max_iter": 7}, (X, y), {}),
        ({"tol": 1e-2}, (X, y), {}),
        ({"random_state": 1}, (X, y), {}),
    ]
    for number, (options, arrays, params) in enumerate(fits, start=1):
        search_for(tmp_path, **options).fit(*arrays, **params)
        assert len(files(tmp_path)) == number, (options, params)


def test_every_option_matters_or_is_known_not_to():
    """A new option is part of the fingerprint unless it is listed: decide which it is."""
    relevant = {each.name for each in dataclasses.fields(Options)} - IRRELEVANT
    assert relevant == {
        *("method", "optimizer", "validation_loss", "search_cv", "shrinkage", "guard", "tol"),
        *("max_iter", "seed", "resample", "selection"),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hypergradient": "online"}, "cannot continue a search with Online.*'reverse'"),
        ({"hypergradient": "real_time"}, "cannot continue a search with RealTime.*'reverse'"),
        ({"cv": KFold(2, shuffle=True)}, "cv=KFold.* draws others in every fit"),
        ({"cv": ShuffleSplit(2)}, "Give it a random_state"),
        ({"search_cv": ShuffleSplit(2)}, "search_cv=ShuffleSplit.* random_state"),
        ({"scoring": lambda e, X, y: 0.0}, "scoring is a lambda"),
    ],
)
def test_what_cannot_go_on_is_refused(small, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        search_for(tmp_path, **options).fit(*small)
    assert not files(tmp_path)


def test_parts_without_a_fingerprint_are_named(small, tmp_path):
    pipeline = make_pipeline(FunctionTransformer(lambda X: X), Ridge())
    search = search_for(tmp_path, pipeline, {"ridge__alpha": [1e-3, 1e3]})
    with pytest.raises(ValueError, match=r"estimator.steps\[0\]\[1\].func is a lambda"):
        search.fit(*small)


def test_without_a_range_there_is_no_file(small, tmp_path):
    search_for(tmp_path / "none", grid={"fit_intercept": [True, False]}).fit(*small)
    assert not (tmp_path / "none").exists()


def test_outer_folds_have_files_of_their_own(small, tmp_path, counted):
    search = search_for(tmp_path)
    scores = cross_val_score(search, *small, cv=3, error_score="raise")
    assert len(files(tmp_path)) == 3
    assert len(counted) == sum(path.read_text().count('"gradient"') for path in files(tmp_path))
    del counted[:]
    np.testing.assert_array_equal(scores, cross_val_score(clone(search), *small, cv=3))
    assert not counted


@pytest.mark.thorough
def test_workers_write_the_same_files(small, tmp_path):
    for n_jobs in (1, 2):
        cross_val_score(search_for(tmp_path), *small, cv=3, n_jobs=n_jobs, error_score="raise")
    assert len(files(tmp_path)) == 3


def test_copies_keep_it(small, tmp_path):
    search = search_for(tmp_path).fit(*small)
    assert clone(search).checkpoint == tmp_path
    assert search.get_params()["checkpoint"] == tmp_path
    assert bits(pickle.loads(pickle.dumps(search))) == bits(search)


def test_two_fits_do_not_write_one_file(small, tmp_path):
    search_for(tmp_path).fit(*small)
    (path,) = files(tmp_path)
    with (
        contextlib.closing(Journal(path, path.stem)),
        pytest.raises(BlockingIOError, match="Another fit of the same search"),
    ):
        search_for(tmp_path).fit(*small)
    search_for(tmp_path).fit(*small)


def test_fits_in_threads(small, tmp_path):
    X, y = small
    targets = [y, y + np.arange(len(y))]
    expected = [bits(search_for(tmp_path / "alone").fit(X, target)) for target in targets]
    searches = [search_for(tmp_path / "together") for _ in targets]
    threads = [
        threading.Thread(target=search.fit, args=(X, target))
        for search, target in zip(searches, targets, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bits(search) for search in searches] == expected


class Full:
    """``Journal._write`` on a disk that is full after some lines."""

    def __init__(self, n_left):
        self._n_left, self._write = n_left, Journal._write

    def __get__(self, journal, owner):
        return functools.partial(self, journal)

    def __call__(self, journal, line):
        if not self._n_left:
            journal._file.close()
            journal._file = open(os.devnull, "rb", buffering=0)
        self._n_left -= 1
        self._write(journal, line)


@pytest.mark.parametrize("where", ["evaluation", "score"])
def test_a_full_disk(small, tmp_path, monkeypatch, counted, where):
    X, y = small
    search = search_for(tmp_path / "whole", NEWTON, {"C": [0.1, 10.0]}, scoring="accuracy")
    expected = bits(search.fit(X, y > 140))
    # After all evaluations come scores of some of them.
    n_lines = 5 if where == "evaluation" else 4 + search.n_iter_
    search.set_params(checkpoint=tmp_path / "full")
    del counted[:]
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", Full(n_lines))
        with pytest.raises(OSError, match="cannot be written"):
            search.fit(X, y > 140)
    assert bits(search.fit(X, y > 140)) == expected
    # One that could not be written is evaluated twice.
    assert len(counted) == search.n_iter_ + (where == "evaluation")


def test_the_directory_is_a_file(small, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be opened"):
        search_for(tmp_path / "file").fit(*small)


def test_random_transformers_are_not_mixed(small, tmp_path, counted):
    """Without a seed, a transformer gives other features in every fit: nothing is known of them."""
    pipeline = make_pipeline(RBFSampler(n_components=3, random_state=None), Ridge())
    search = search_for(tmp_path, pipeline, {"ridge__alpha": [1e-3, 1e3]}, tol=0.1)
    search.fit(*small)
    n_first = len(counted)
    search.fit(*small)
    assert len(counted) > n_first
    assert len(files(tmp_path)) == 1
    seeded = search_for(tmp_path, make_pipeline(PCA(2), Ridge()), {"ridge__alpha": [1e-3, 1e3]})
    seeded.fit(*small)
    del counted[:]
    seeded.fit(*small)
    assert not counted


def test_equal_candidates_keep_their_own_results(small, tmp_path, counted):
    search_for(tmp_path, grid=[RANGE, RANGE]).fit(*small)
    n_first = len(counted)
    search_for(tmp_path, grid=[RANGE, RANGE]).fit(*small)
    assert len(counted) == n_first


def test_nothing_of_the_data_is_stored(small, tmp_path):
    """A file has lines of these kinds, and numbers of these names only."""
    X, y = small
    search_for(tmp_path, NEWTON, {"C": [0.1, 10.0]}).fit(X, y > 140)
    (path,) = files(tmp_path)
    header, process, *results = map(json.loads, path.read_text().splitlines())
    assert set(header) == {"format", "fingerprint"}
    assert set(process) == {"process", "host", "began"}
    for line in results:
        assert set(line) == {"key", "entry"}
        assert set(line["entry"]) == {"result", "starts"}
        if isinstance(line["entry"]["result"], dict):
            assert set(line["entry"]["result"]) == {
                *("value", "gradient", "losses", "statuses", "seconds", "n_solves"),
                *("linear_iterations", "linear_residual", "error"),
            }
        for w in line["entry"]["starts"]:
            assert w["shape"] == [X.shape[1] + 1, 2, 1]


@pytest.mark.thorough
def test_plain_searches_do_not_load_it():
    code = (
        "import sys, numpy as np\n"
        "from sklearn.linear_model import Ridge\n"
        "from sklearn_hypergrad import HypergradSearchCV\n"
        "X = np.random.default_rng(0).normal(size=(20, 2))\n"
        "HypergradSearchCV(Ridge(), {'alpha': [0.1, 10]}, cv=2).fit(X, X[:, 0] + X[:, 1] ** 2)\n"
        "print([m for m in sys.modules if 'fingerprint' in m or m.endswith(('journal', 'memory'))\n"
        "       and 'hypergrad' in m])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.filterwarnings("ignore")
def test_networks_of_scikit_learn_go_on(small, tmp_path, counted):
    X, y = small
    network = MLPRegressor(hidden_layer_sizes=2, max_iter=3, batch_size=20, random_state=0)
    search = search_for(tmp_path, network, {"alpha": [1e-3, 1.0]}, max_iter=2)
    first = bits(search.fit(X, y / 100))
    del counted[:]
    assert bits(search.fit(X, y / 100)) == first
    assert not counted
