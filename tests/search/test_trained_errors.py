"""Misuse of searches through training: one message, which says what is wrong and what to do."""

import re
import warnings

import numpy as np
import pytest
from sklearn import neural_network as plain
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor
from sklearn_hypergrad.optimizers import Cubic

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
CLASSES = np.arange(40) % 3
NUMBERS = X[:, 0] + RNG.normal(size=40)
ANY = Continuous()
CANNOT = "Cannot tune '{}' with {}. This is because "
ENUMERATE = " Give a list of values to enumerate instead."
NOT_DIFFERENTIABLE = f"is not differentiable.{ENUMERATE}"


def classifier(**params):
    return MLPClassifier(**{"hidden_layer_sizes": 3, "n_steps": 6, "random_state": 0, **params})


def regressor(**params):
    return MLPRegressor(**{"hidden_layer_sizes": 3, "n_steps": 20, "random_state": 0, **params})


def theirs(**params):
    return plain.MLPClassifier(**{"hidden_layer_sizes": 3, "max_iter": 2, **params})


def search_of(model, grid, **options):
    return HypergradSearchCV(model, grid, **{"cv": 2, "max_iter": 2, **options})


def message(model, grid, y=CLASSES, X=X, **options):
    """The only thing that is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError) as error:  # noqa: PT011
            search_of(model, grid, **options).fit(X, y)
    return str(error.value)


SHAPES = "per may be None or 'layer' or 'step' or ('step', 'layer')"
OF_ARRAYS = " Use the MLPClassifier that takes arrays: sklearn_hypergrad.neural_network."


@pytest.mark.parametrize(
    ("model", "name", "per", "text"),
    [
        (Ridge(), "alpha", "layer", "alpha of Ridge has no value per layer"),
        (classifier(), "alpha", "feature", f"no value per feature; {SHAPES} or 'coefficient'."),
        (classifier(), "momentum", "coefficient", f"no value per coefficient; {SHAPES}."),
        (classifier(), "init_scale", "step", "no value per step; per may be None or 'layer'."),
        (theirs(), "learning_rate_init", "step", f"no value per step; per may be None.{OF_ARRAYS}"),
        (theirs(), "alpha", "coefficient", f"per coefficient; per may be None.{OF_ARRAYS}"),
        (theirs(), "alpha", "feature", "no value per feature; per may be None."),
    ],
)
def test_shapes_that_there_are_not(model, name, per, text):
    told = message(model, {name: Continuous(per=per)}, NUMBERS if name == "Ridge" else CLASSES)
    assert told.startswith(CANNOT.format(name, f"Continuous(per={per!r})"))
    assert text in told
    # A class with arrays is a remedy only where it has what was asked for.
    assert told.endswith(".MLPClassifier.") == (OF_ARRAYS in text)
    assert "linear_model" not in told


@pytest.mark.parametrize(
    ("name", "continuous", "text"),
    [
        ("momentum", Continuous(0.5, 1.5), "searched among values between 0.0 and 1.0, got high=1"),
        ("momentum", Continuous(0, 0.9), "searched among values between 0.0 and 1.0, got low=0."),
        ("learning_rate_init", Continuous(-1, 1), "searched among positive values, got low=-1."),
        ("alpha", Continuous(0, 1, scale="linear"), "searched among positive values, got low=0."),
        ("init_scale", Continuous(scale="logit"), "values between 0 and 1, and init_scale of MLP"),
        ("n_steps", Continuous(10, 100), f"n_steps of MLPClassifier {NOT_DIFFERENTIABLE}"),
    ],
)
def test_ranges_that_there_are_not(name, continuous, text):
    told = message(classifier(), {name: continuous})
    assert told.startswith(CANNOT.format(name, continuous))
    assert text in told


def test_a_name_that_there_is_not():
    told = message(classifier(), {"alhpa": ANY})
    assert told.startswith("Invalid parameter 'alhpa' for estimator MLPClassifier(")
    assert told.endswith("Did you mean 'alpha'?")


def test_momentum_that_is_not_used():
    told = message(theirs(), {"momentum": ANY, "alpha": ANY})
    reason = "MLPClassifier has no momentum with solver='adam'."
    assert told == CANNOT.format("momentum", "Continuous()") + reason + ENUMERATE


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (
            {"early_stopping": True},
            "early_stopping=True cannot be replayed: .* Use early_st",
        ),
        ({"solver": "lbfgs"}, "solver='lbfgs' cannot be replayed: .* Use solver='sgd' or 'adam'"),
        ({"warm_start": True}, "warm_start=True cannot be replayed: .* Use warm_start=False"),
    ],
)
def test_training_that_cannot_be_replayed(params, reason):
    told = message(theirs(**params), {"alpha": ANY})
    assert re.search(f"This is because {reason}[^.]*[.]{ENUMERATE}$", told)


def test_subclasses_may_train_in_another_way():
    class Mine(plain.MLPClassifier):
        pass

    told = message(Mine(), {"alpha": ANY})
    assert "Mine is neither MLPClassifier nor MLPRegressor of scikit-learn." + ENUMERATE in told


@pytest.mark.parametrize(
    ("model", "method", "reason"),
    [
        (classifier(), "implicit", "MLPClassifier is trained for a given number of steps"),
        (theirs(solver="sgd"), "reversible", "Nesterov's momentum"),
    ],
)
def test_methods_that_do_not_reach(model, method, reason):
    told = message(model, {"learning_rate_init": ANY}, hypergradient=method)
    assert told.startswith(CANNOT.format("learning_rate_init", f"{method.title()}()") + reason)
    assert told.endswith("Use hypergradient='reverse'.")


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({"validation_loss": "accuracy"}, ["'validation_loss' parameter", "go into scoring"]),
        (
            {"validation_loss": "squared_error"},
            ["validation_loss='squared_error' does not apply to MLPClassifier", "'brier_score'"],
        ),
        ({"search_cv": "loo"}, ["search_cv='loo'", "give a number or a splitter"]),
        ({"guard": True}, ["guard=True", "leave guard='auto'"]),
        ({"shrinkage": 2.0}, ["shrinkage=2.0", "leave shrinkage='auto'"]),
        ({"resample": "always"}, ["'resample' parameter", "'fresh'"]),
        ({"optimizer": Cubic()}, ["Cubic moves one value, got 2; use optimizer="]),
    ],
)
def test_options(options, texts):
    told = message(classifier(), {"alpha": Continuous(per="layer")}, **options)
    assert all(text in told for text in texts)


@pytest.mark.parametrize("name", ["learning_rate_init", "alpha"])
def test_training_that_diverges_where_the_search_starts(name):
    told = message(regressor(learning_rate_init=1e4, activation="relu"), {name: ANY}, NUMBERS)
    assert told == CANNOT.format(name, "Continuous()") + (
        "training of MLPRegressor diverges where the search starts. Lower its learning_rate_init, "
        "or standardise the data."
    )


def test_one_diverging_candidate_of_several_does_not_end_the_search():
    grid = [
        {"alpha": ANY, "activation": ["relu"], "learning_rate_init": [1e4]},
        {"alpha": [1e-3, 1e-2]},
    ]
    with (
        pytest.warns(HypergradWarning, match="alpha was enumerated, not searched: training of MLP"),
        pytest.warns(match="fits failed"),
        pytest.warns(match="non-finite"),
    ):
        search = search_of(regressor(), grid).fit(X, NUMBERS)
    assert np.isnan(search.cv_results_["mean_test_score"][0])
    assert 1e-3 <= search.best_params_["alpha"] <= 1e-2


def test_a_schedule_of_another_length():
    told = message(classifier(learning_rate_init=np.ones(7)), {"alpha": ANY})
    assert told.startswith(CANNOT.format("alpha", "Continuous()"))
    assert "learning_rate_init has shape (7,). Legal are a number, (6,) per step" in told


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (classifier(activation="nope"), "alpha"),
        (classifier(n_steps=0), "alpha"),
        (classifier(hidden_layer_sizes=(0,)), "alpha"),
        (classifier(alpha="much"), "momentum"),
        (classifier(learning_rate_init=-1), "alpha"),
        (theirs(activation="nope"), "alpha"),
        (theirs(hidden_layer_sizes=(0,)), "alpha"),
        (theirs(batch_size=-1), "alpha"),
    ],
)
@pytest.mark.parametrize("values", [[0.1, 0.9], ANY])
def test_illegal_parameters_give_the_error_of_grid_search(model, name, values):
    told = message(model, {name: values})
    with pytest.raises(ValueError, match="fits failed") as error:
        GridSearchCV(model, {name: [0.1]}, cv=2).fit(X, CLASSES)
    assert told.splitlines()[-1] == str(error.value).splitlines()[-1]


@pytest.mark.parametrize(
    ("bad", "y"),
    [(np.where(X > 0, np.nan, X), CLASSES), (X, np.zeros(40)), (X, NUMBERS)],
    ids=["nan", "one class", "numbers"],
)
def test_bad_data_give_the_error_of_grid_search(bad, y):
    told = message(classifier(), {"alpha": ANY}, y, bad)
    with pytest.raises(ValueError, match="fits failed") as error:
        GridSearchCV(classifier(), {"alpha": [0.1]}, cv=2).fit(bad, y)
    assert told.splitlines()[-1] == str(error.value).splitlines()[-1]


def test_coefficients_that_are_others_in_every_split():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abc")).assign(kind=["rare"] + ["u", "v", "w"] * 13)
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, ["kind"]), remainder="passthrough")
    model = make_pipeline(columns, classifier())
    told = message(model, {"mlpclassifier__alpha": Continuous(per="coefficient")}, X=frame)
    assert "the training parts of the splits differ in features" in told


def test_balanced_losses_need_classes():
    labels = np.c_[CLASSES == 0, CLASSES == 1].astype(int)
    search = search_of(classifier(), {"alpha": ANY}, validation_loss="balanced_log_loss")
    with pytest.warns(HypergradWarning, match="balanced_log_loss balances classes, and y has sev"):
        search.fit(X, labels)


def test_scores_that_single_precision_changes_are_told():
    # scikit-learn clips the probabilities of float32 at 1e-7.
    grid = {"learning_rate_init": [0.03, 0.033]}
    model = classifier(learning_rate_init=0.03, n_steps=20)
    search = search_of(model, grid, scoring="neg_log_loss")
    told = "the fits score .*, the training of the search .* standardise X and pass it in float64"
    with pytest.warns(HypergradWarning, match=told):
        search.fit(10 * X.astype(np.float32), CLASSES)
    search.fit(10 * X, CLASSES)
