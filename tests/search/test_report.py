"""What a search says of itself when it has ended."""

import html
import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_hypergrad
from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, linear_model
from sklearn_hypergrad.data_cleaning import DataCleaner
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor
from sklearn_hypergrad.search.reporting.summary import in_words


def sections(search):
    """``{heading: [entries]}`` of the text."""
    found, heading = {}, None
    for line in str(search.report()).splitlines()[2:]:
        head, entry = re.fullmatch(r"(\S*) +(.*)", line).groups()
        heading = head or heading
        found.setdefault(heading, []).append(entry)
    return found


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.123456, "0.1235"),
        (np.array([2.0, 0.5]), "0.5 to 2"),
        ({"a": 1.0, "b": 1.0}, "1"),
        ([np.eye(2), np.eye(2)], "0 to 1"),
        (np.nan, "no number"),
        (np.array([1.0, np.nan]), "no number"),
        (None, "None"),
        ([None, 0.5], "[None, 0.5]"),
        ({"a": None}, "{'a': None}"),
        (True, "True"),
        (100000, "100000"),
        ((), "()"),
        ([], "[]"),
        ((50, 20), "(50, 20)"),
        ("balanced", "balanced"),
    ],
)
def test_values_in_words(value, words):
    assert in_words(value) == words


def test_values_that_are_not_searched_are_shown_as_they_are(data):
    X, y = data("diabetes")
    grid = {"max_iter": [None], "fit_intercept": [True], "alpha": [1e-2, 1.0, 1e2]}
    search = HypergradSearchCV(Ridge(), grid, cv=3).fit(X, y)
    (result,) = sections(search)["Result"]
    assert result.startswith("fit_intercept=True, max_iter=None, alpha=")


def rows_of(search, value):
    """Losses of the splits at the last evaluation of a value."""
    history = search.history_[search.history_["splits"] == "cv"]
    near = [i for i, v in enumerate(history["value"]) if np.allclose(v, value, rtol=1e-9)]
    columns = [f"split{split}_loss" for split in range(search.n_splits_)]
    return np.array(history[columns])[near[-1]]


def test_a_range(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(alpha=3), {"alpha": [1e-3, 1e3]}, cv=4).fit(X, y)
    text, best = sections(search), search.best_params_["alpha"]
    assert text["Tuned"] == [f"alpha: 3 -> {best:.4g}, interior; searched from 0.001 to 1e+03"]
    before, after = rows_of(search, 3), rows_of(search, best)
    difference = before - after
    error = difference.std(ddof=1) / 2
    assert text["Gained"] == [
        f"the point found over alpha=3: 1 - r2 on 4 splits of cv {before.mean():.6g} -> "
        f"{after.mean():.6g}, better by {difference.mean():.3g} +/- {error:.2g} (one standard "
        f"error)"
    ]
    assert text["How"] == [search.hypergradient_]
    assert text["Stopped"] == [search.stopping_reason_]
    assert f"{search.best_score_:.6g}" in text["Score"][0]
    assert f"{search.n_iter_} evaluations with {4 * search.n_iter_} inner fits" in text["Cost"][0]
    assert "1 row from solutions and a refit; a grid search takes 8 fits" in text["Cost"][0]
    assert list(search.hyperparameters_["before"]) == [3]


def test_a_gain_within_its_error_is_doubted(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(alpha=0.2), {"alpha": [1e-3, 1e3]}).fit(X, y)
    assert "within its standard error" in sections(search)["Caveats"][0]
    # The range leaves out what the estimator had.
    search = HypergradSearchCV(Ridge(), {"alpha": [1e3, 1e5]}).fit(X, y)
    text = sections(search)
    assert re.search(r"worse by 0\.\d+ \+/-", text["Gained"][0])
    assert text["Caveats"][0].startswith("Worse than before")
    search = HypergradSearchCV(Ridge(alpha=1e4), {"alpha": [1e-3, 1e3]}).fit(X[:200], y[:200])
    assert sections(search)["Caveats"] == ["none found"]


def test_remarks_are_what_the_warning_said(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(1e-3, 1e-2)})
    with pytest.warns(HypergradWarning) as caught:
        search.fit(X, y)
    assert str(caught[0].message) == "\n".join(search.remarks_)
    assert sections(search)["Caveats"][0] == search.remarks_[0]
    search.set_params(param_grid={"alpha": [1e-3, 1e3]}).fit(X[:200], y[:200])
    assert search.remarks_ == []


def test_a_vector(data):
    X, y = data("diabetes")
    X = np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 50))])
    grid = {"alpha": Continuous(per="feature")}
    search = HypergradSearchCV(linear_model.Ridge(), grid).fit(X, y)
    text = sections(search)
    assert text["Tuned"][0].startswith("alpha (60 values): 1 -> ")
    assert re.search(r"\d+ pooled", text["Tuned"][0])
    assert len(text["Gained"]) == 2
    assert text["Gained"][1].startswith("a value for each over one for all: squared_error on 5")
    beyond = "a grid search of 3 values each takes more than a million fits"
    assert text["Cost"][0].endswith(beyond)
    assert "best_score_ flatters them" in text["Caveats"][-1]


def test_enumerated_values_are_told(data):
    X, y = data("diabetes")
    grid = {"alpha": [1e-3, 1e3], "fit_intercept": [False, True]}
    search = HypergradSearchCV(Ridge(), grid).fit(X, y)
    tuned = sections(search)["Tuned"]
    # That of the best row comes first.
    assert [line.partition(":")[0] for line in tuned] == [
        "fit_intercept=True",
        "fit_intercept=False",
    ]


def test_another_row_that_wins_is_told(data):
    X, y = data("wine")
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": Continuous()}, scoring="accuracy")
    assert search.fit(X, y).best_index_ == 1
    assert any("scored better than the point found" in at for at in sections(search)["Caveats"])


def test_training_is_compared_with_its_start(data):
    X, y = data("diabetes")
    network = MLPRegressor((3,), n_steps=20, random_state=0)
    search = HypergradSearchCV(network, {"learning_rate_init": Continuous()}, cv=3, max_iter=3)
    search.fit(X, (y - y.mean()) / y.std())
    gained = sections(search)["Gained"][0]
    assert gained.startswith("the point found over the start: 1 - r2 on 3 splits of cv")
    difference = np.subtract(*search.cv_results_["mean_test_score"][:2])
    assert f"better by {difference:.3g}" in gained


def test_training_on_the_way_is_compared_by_real_fits(data):
    X, y = data("diabetes")
    network = MLPRegressor((3,), n_steps=20, random_state=0)
    search = HypergradSearchCV(network, {"learning_rate_init": Continuous()}, cv=3, max_iter=3)
    search.set_params(hypergradient="real_time").fit(X, (y - y.mean()) / y.std())
    gained = sections(search)["Gained"][0]
    assert gained.startswith("the point found over the start: score of real fits on 3 splits of cv")
    difference = np.subtract(*search.cv_results_["mean_test_score"][:2])
    assert f"better by {difference:.3g}" in gained


def test_nothing_searched(data):
    X, y = data("diabetes")
    text = sections(HypergradSearchCV(Ridge(), {"fit_intercept": [True, False]}).fit(X, y))
    assert set(text) == {"Score", "How", "Cost", "Caveats"}
    assert text["Cost"] == ["10 fits of scikit-learn and a refit"]


def test_without_refit(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, refit=False).fit(X, y)
    assert "1 row from solutions; " in sections(search)["Cost"][0]


def test_before_the_fit():
    with pytest.raises(NotFittedError):
        HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}).report()


def test_it_survives_pickling_and_keeps_no_data(data):
    X, y = data("digits")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=2).fit(X, y)
    pickled = pickle.dumps(search)
    assert len(pickled) < 1e5 < X.nbytes
    assert str(pickle.loads(pickled).report()) == str(search.report())


def test_notebooks_show_the_diagram_and_the_report(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(
        make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1e-3, 1e3]}
    )
    assert "Tuned" not in search._repr_html_()
    shown = search.fit(X, y)._repr_html_()
    assert "sk-top-container" in shown
    for entry in sum(sections(search).values(), []):
        assert html.escape(entry) in shown
    assert "-> " not in search.report()._repr_html_().replace("--> ", "")


class Own(Ridge):
    """Of somebody else's module."""


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (HypergradSearchCV(Ridge(), {}), "sklearn_hypergrad.HypergradSearchCV"),
        (linear_model.Ridge(), "sklearn_hypergrad.linear_model.Ridge"),
        (linear_model.LogisticRegression(), "sklearn_hypergrad.linear_model.LogisticRegression"),
        (linear_model.RidgeClassifier(), "sklearn_hypergrad.linear_model.RidgeClassifier"),
        (MLPClassifier(), "sklearn_hypergrad.neural_network.MLPClassifier"),
        (DataCleaner(), "sklearn_hypergrad.data_cleaning.DataCleaner"),
    ],
)
def test_the_question_mark_opens_our_documentation(estimator, name):
    link = estimator._get_doc_link()
    assert link.endswith(f"/generated/{name}.html")
    assert f'href="{link}"' in estimator._repr_html_()
    public = sklearn_hypergrad
    for part in name.split(".")[1:]:
        public = getattr(public, part)
    assert public is type(estimator)


def test_models_of_others_have_no_link_to_ours():
    assert "sklearn_hypergrad" not in Own()._get_doc_link()


@pytest.mark.parametrize(
    ("model", "key", "scoring"),
    [(Ridge(alpha=1e3), "alpha", None), (LogisticRegression(C=1e3), "C", "neg_log_loss")],
)
def test_an_own_value_outside_of_the_range_is_evaluated_where_it_is(data, model, key, scoring):
    X, y = data("diabetes")
    y = y if scoring is None else y > 140
    search = HypergradSearchCV(model, {key: [1e-3, 1e-1]}, scoring=scoring).fit(X, y)
    last = search.history_.iloc[-1]
    assert (last["purpose"], last["value"]) == ("comparison", pytest.approx(1e3))
    expected = cross_val_score(model, X, y, scoring=scoring).mean()
    assert (scoring is None) - last["loss"] == pytest.approx(expected, rel=1e-3)
    assert 1e-3 <= search.best_params_[key] <= 1e-1


@pytest.mark.parametrize("n_splits", [1, 442])
def test_without_a_standard_error_nothing_is_doubted(data, n_splits):
    X, y = data("diabetes")
    one = [(np.arange(300), np.arange(300, 442))]
    options = {"cv": one} if n_splits == 1 else {"search_cv": "loo"}
    search = HypergradSearchCV(Ridge(alpha=1e4), {"alpha": [1e-3, 1e3]}, **options).fit(X, y)
    assert "+/-" not in sections(search)["Gained"][0]
    assert "within its standard error" not in str(search.report())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_refit_by_the_name_of_a_single_metric(data):
    """Its name is not that of a column, as in GridSearchCV."""
    X, y = data("diabetes")
    grid = {"alpha": [1e-3, 1e3]}
    search = HypergradSearchCV(Ridge(), grid, scoring="r2", refit="r2").fit(X, y)
    assert "(r2, mean of 5 splits" in sections(search)["Score"][0]
    stopped = LogisticRegression(solver="newton-cholesky", max_iter=1)
    search = HypergradSearchCV(stopped, {"C": [1e-3, 1e3]}, scoring="neg_log_loss")
    search.set_params(refit="neg_log_loss")
    with pytest.warns(HypergradWarning, match="the fits score"):
        search.fit(X, y > 140)


def test_the_guard_is_paid_for():
    X = np.random.default_rng(0).normal(size=(60, 10))
    y = X[:, 0] + np.random.default_rng(1).normal(size=60)
    grid, options = {"alpha": Continuous(per="feature")}, {"cv": 2, "shrinkage": 0.1}
    plain = HypergradSearchCV(linear_model.Ridge(), grid, **options).fit(X, y)
    guarded = HypergradSearchCV(linear_model.Ridge(), grid, guard=True, **options).fit(X, y)
    spent = [int(sections(search)["Cost"][0].split()[0]) for search in (plain, guarded)]
    assert spent[0] == plain.n_iter_
    assert spent[1] > 2 * guarded.n_iter_


def test_arrays_that_the_estimator_had_are_before(data):
    X, y = data("diabetes")
    rates = np.linspace(0.01, 0.04, 4)
    network = MLPRegressor((3,), n_steps=4, learning_rate_init=rates, random_state=0)
    ranges = {"learning_rate_init": Continuous(per=("step", "layer"))}
    search = HypergradSearchCV(network, ranges, cv=2, max_iter=1).fit(X, y / y.std())
    assert_allclose(search.hyperparameters_["before"], np.repeat(rates, 2))


def test_the_result_is_told_whichever_row_it_is(data):
    X, y = data("wine")
    search = HypergradSearchCV(RidgeClassifier(), {"alpha": Continuous()}, scoring="accuracy")
    search.fit(X, y)
    best = search.best_params_["alpha"]
    text = sections(search)
    assert text["Result"] == [f"alpha={best:.4g} (row 1 of 2)"]
    assert text["Tuned"][0].endswith("(row 0; not the result)")


def test_a_vector_that_stays_in_the_pool_has_no_gain_of_its_own(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(linear_model.Ridge(), {"alpha": Continuous(per="feature")})
    text = sections(search.fit(X, y))
    assert "10 pooled" in text["Tuned"][0]
    assert [gain.partition(" over")[0] for gain in text["Gained"]] == ["one value for all"]


def test_worse_than_the_mean_and_a_budget_that_ended(data):
    X, y = data("diabetes")
    network = MLPRegressor((3,), n_steps=5, learning_rate_init=1e-3, random_state=0)
    search = HypergradSearchCV(network, {"alpha": Continuous()}, cv=2, max_iter=2)
    distrust = "\n".join(sections(search.fit(X, y / 50))["Caveats"])
    assert "below zero" in distrust
    assert "1 value was still changing when the search stopped (max_iter=2" in distrust


def test_one_se_where_all_is_enumerated_is_told(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"fit_intercept": [True, False]}, selection="one_se")
    with pytest.warns(HypergradWarning, match="nothing to select from"):
        search.fit(X, y)
