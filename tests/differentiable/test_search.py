"""Searches for the hyperparameters of models of one's own."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.model_selection import ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, check_hypergradient
from sklearn_hypergrad.adapters import family, family_like
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter, flat
from sklearn_hypergrad.exceptions import HypergradWarning
from sklearn_hypergrad.hypergradients import Implicit, Online, RealTime

ANY = Continuous()


def search_of(model, grid, **options):
    return HypergradSearchCV(model, grid, **{"cv": 3, **options})


SOLVED = [
    ("Robust", {}, {"alpha": ANY, "width": ANY}),
    ("Robust", {}, {"alpha": Continuous(per="feature")}),
    ("RidgeLike", {"alpha": np.ones(4)}, {"alpha": ANY, "shift": ANY}),
    ("Softmax", {}, {"alpha": ANY}),
    ("Softmax", {}, {"alpha": Continuous(per="coefficient")}),
]
# Every step costs the same, and a wrong one shows in the first few.
SHORT = {"n_steps": 6}
TRAINED = [
    ("TwoLayers", SHORT, {"alpha": ANY, "learning_rate_init": ANY, "momentum": ANY}),
    ("TwoLayers", SHORT, {"learning_rate_init": Continuous(per=("step", "layer"))}),
    (
        "TwoLayers",
        SHORT,
        {"alpha": Continuous(per="coefficient"), "momentum": Continuous(per="step")},
    ),
    ("WithAdam", SHORT, {"learning_rate_init": Continuous(per="layer"), "beta_1": ANY}),
]


@pytest.fixture
def data_for(numbers, classes):
    """The data that a model is made for."""
    return lambda name: numbers if name in ("Robust", "RidgeLike") else classes(3)


@pytest.mark.parametrize(("name", "params", "grid"), SOLVED + TRAINED)
def test_hypergradients(models, data_for, name, params, grid):
    search = search_of(getattr(models, name)(**params), grid, cv=2)
    assert check_hypergradient(search, *data_for(name), n_points=1).max() < 1e-6


@pytest.mark.parametrize("method", ["gradient", "hvp", "cross_vjp"])
@pytest.mark.parametrize(("factor", "right"), [(1.0, True), (1.001, False)])
def test_closed_forms_are_used(models, numbers, method, factor, right):
    def gradient(self, w, h, X, y, sample_weight):
        share, rest = sample_weight / sample_weight.sum(), X @ w[0] + w[1] - y
        rest = rest + 0.1 * h["shift"] * np.tanh(X[:, 0])
        slope = factor * X.T @ (share * rest) + h["alpha"] * (w[0] - 0.1 * h["shift"])
        return [slope, np.sum(share * rest)]

    def hvp(self, w, h, X, y, sample_weight, v):
        share = sample_weight / sample_weight.sum() * (X @ v[0] + v[1])
        return [factor * (X.T @ share + h["alpha"] * v[0]), factor * share.sum()]

    def cross_vjp(self, w, h, X, y, sample_weight, v):
        slopes = {"alpha": np.sum(v[0] * (w[0] - 0.1 * h["shift"]))}
        return {name: factor * slope for name, slope in slopes.items()}

    own = type("Own", (models.RidgeLike,), {method: locals()[method]})
    search = search_of(own(alpha=1.0), {"alpha": ANY}, cv=2)
    error = check_hypergradient(search, *numbers, n_points=1).max()
    assert (error < 1e-6) == right


@pytest.mark.parametrize(
    ("solver", "gauss_newton"),
    [("cholesky", False), ("cholesky", True), ("cg", True), ("neumann", False)],
)
@pytest.mark.thorough
def test_inverse_hessians_and_gauss_newton(models, classes, solver, gauss_newton):
    method = Implicit(solver, gauss_newton=gauss_newton)
    search = search_of(models.Softmax(alpha=1.0), {"alpha": ANY}, hypergradient=method, cv=2)
    # Of a model whose outputs are linear in the weights both Hessians are the same.
    assert check_hypergradient(search, *classes(3), n_points=1).max() < 1e-6


@pytest.mark.portable
def test_the_same_as_ridge(models, numbers):
    X, y = numbers
    ours = search_of(models.RidgeLike(shift=0.0), {"alpha": ANY}, cv=3).fit(X, y)
    theirs = search_of(Ridge(), {"alpha": ANY}, cv=3).fit(X, y)
    alpha = theirs.best_params_["alpha"]
    assert ours.best_params_["alpha"] * 40 == pytest.approx(alpha, rel=1e-2)
    assert ours.best_score_ == pytest.approx(theirs.best_score_, rel=1e-5)


@pytest.mark.thorough
def test_the_score_is_that_of_real_fits(models, classes):
    X, y = classes(3)
    search = search_of(models.Softmax(), {"alpha": ANY}, scoring="neg_log_loss").fit(X, y)
    assert -min(search.history_["loss"]) == pytest.approx(search.best_score_, rel=1e-5)
    scores = cross_val_score(search.best_estimator_, X, y, cv=3, scoring="neg_log_loss")
    assert scores.mean() == pytest.approx(search.best_score_, rel=1e-12)
    assert "the fit of Softmax minimises a smooth objective" in search.hypergradient_


@pytest.mark.thorough
def test_several_are_better_than_one(models, numbers):
    X, y = numbers
    y = y + 5 * (np.arange(len(y)) % 7 == 0)
    options = {"scoring": "neg_mean_absolute_error", "tol": 0.1}
    one = search_of(models.Robust(), {"alpha": ANY}, **options).fit(X, y)
    both = search_of(models.Robust(), {"alpha": ANY, "width": ANY}, **options).fit(X, y)
    assert both.best_score_ > one.best_score_ + 0.01


@pytest.mark.parametrize("scoring", ["neg_log_loss", "accuracy"])
def test_training_is_tuned(models, classes, scoring):
    X, y = classes(3)
    model = models.TwoLayers(learning_rate_init=0.02, n_steps=10)
    grid = {"learning_rate_init": ANY, "alpha": [1e-4, 1e-2]}
    search = search_of(model, grid, scoring=scoring, max_iter=5, cv=2).fit(X, y)
    untuned = cross_val_score(model, X, y, cv=2, scoring=scoring).mean()
    assert search.best_score_ > untuned
    assert "TwoLayers is trained for 10 steps" in search.hypergradient_


@pytest.mark.thorough
def test_training_by_adam_is_undone(models, classes):
    X, y = classes(3)
    model = models.WithAdam(n_steps=15)
    grid = {"learning_rate_init": Continuous(per="layer"), "beta_2": [0.9, 0.999], "alpha": ANY}
    undone, stored = (
        search_of(model, grid, hypergradient=method, max_iter=4, cv=2)
        for method in ("reversible", "reverse")
    )
    assert check_hypergradient(undone, X, y, n_points=1).max() < 1e-6
    losses = [search.fit(X, y).history_["loss"] for search in (undone, stored)]
    assert list(losses[0]) == pytest.approx(list(losses[1]), rel=1e-6)
    assert "Reversible()" in undone.hypergradient_


def test_scores_without_gradient(models, classes):
    X, y = classes(2)
    search = search_of(models.Softmax(alpha=3.0), {"alpha": ANY}, scoring="accuracy").fit(X, y)
    assert search.best_score_ >= cross_val_score(models.Softmax(alpha=3.0), X, y, cv=3).mean()


@pytest.mark.thorough
def test_in_a_pipeline(models, numbers):
    X, y = numbers
    pipeline = make_pipeline(StandardScaler(), models.Robust())
    search = search_of(pipeline, {"robust__alpha": ANY, "robust__width": [0.1, 10]}, cv=2, tol=0.1)
    assert check_hypergradient(search, 1e3 * X, y, n_points=1).max() < 1e-6
    assert search.fit(1e3 * X, y).best_score_ > 0.3


# It need not arrive to be better.
@pytest.mark.filterwarnings("ignore:.*not converged:sklearn_hypergrad.HypergradWarning")
def test_arrays_of_any_shape(models, numbers):
    X, y = numbers
    Y = np.column_stack([y, np.roll(y, 1)])
    model = models.RidgeLike(alpha=np.full((4, 2), 0.1))
    options = {"scoring": "neg_mean_squared_error", "max_iter": 4}
    search = search_of(model, {"alpha": ANY}, **options).fit(X, Y)
    assert search.best_params_["alpha"].shape == (4, 2)
    assert len(search.hyperparameters_) == 8
    before = cross_val_score(model, X, Y, cv=3, scoring="neg_mean_squared_error").mean()
    assert search.best_score_ > before


class TestOfOneSplit:
    """A weight for every training sample."""

    def trusting(self, models):
        declared = {"sample_weight": Hyperparameter(per=("sample",), start=1.0)}

        class Trusting(models.RidgeLike):
            hyperparameters = {**models.RidgeLike.hyperparameters, **declared}

            def __init__(self, alpha=0.1, shift=0.5, sample_weight=1.0):
                super().__init__(alpha, shift)
                self.sample_weight = sample_weight

        return Trusting(sample_weight=0.5)

    def test_weights_of_wrong_samples_fall(self, models, numbers):
        X, y = numbers
        y = y.copy()
        y[:8] += 10
        split = [(np.arange(40), np.arange(40, 60))]
        grid = {"sample_weight": Continuous(1e-3, 1, per="sample")}
        search = search_of(self.trusting(models), grid, cv=split, refit=False)
        assert check_hypergradient(search, X, y, n_points=2).max() < 1e-6
        weight = search.fit(X, y).best_params_["sample_weight"]
        assert weight.shape == (40,)
        assert np.median(weight[:8]) < 0.1 * np.median(weight[8:])

    def test_more_than_one_is_refused(self, models, numbers):
        grid = {"sample_weight": Continuous(1e-3, 1, per="sample")}
        with pytest.raises(
            ValueError, match="needs one split, whose validation rows are clean, an"
        ):
            search_of(self.trusting(models), grid).fit(*numbers)

    def test_a_refit_has_other_samples(self, models, numbers):
        grid = {"sample_weight": Continuous(1e-3, 1, per="sample")}
        cv = ShuffleSplit(1, random_state=0)
        with pytest.raises(ValueError, match="refit=False"):
            search_of(self.trusting(models), grid, cv=cv).fit(*numbers)


class Poisson(DifferentiableRegressor):
    """The objective of scikit-learn's PoissonRegressor."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1)}

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def initial(self, X, y, rng):
        return {"coef": 0 * X[0], "intercept": np.log(y.mean())}

    def forward(self, w, X, h):
        from autograd.numpy import dot, exp

        return exp(dot(X, w["coef"]) + w["intercept"])

    def loss(self, y, z, h):
        from autograd.numpy import log

        return z - y * log(z)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * (w["coef"] ** 2).sum()


@pytest.fixture
def registered():
    """PoissonRegressor by autograd, for the time of a test."""

    @family.register
    def _(estimator: PoissonRegressor):
        return family_like(Poisson(estimator.alpha), PoissonRegressor)


@pytest.mark.usefixtures("registered")
def test_a_class_of_somebody_else(numbers):
    X, y = numbers
    y = np.random.default_rng(0).poisson(np.exp(y / 2))
    model = PoissonRegressor(tol=1e-9, max_iter=1000)
    search = search_of(model, {"alpha": ANY}, scoring="neg_mean_poisson_deviance")
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-6
    search.fit(X, y)
    assert type(search.best_estimator_) is PoissonRegressor
    assert -min(search.history_["loss"]) == pytest.approx(search.best_score_, rel=1e-6)
    assert (
        search.best_score_
        >= cross_val_score(model, X, y, cv=3, scoring="neg_mean_poisson_deviance").mean()
    )

    class Other(PoissonRegressor):
        def predict(self, X):
            return 2 * super().predict(X)

    with pytest.raises(ValueError, match="Other overrides PoissonRegressor.predict"):
        search_of(Other(), {"alpha": ANY}).fit(X, y)


@pytest.mark.parametrize("model", [QuantileRegressor(), LogisticRegression()])
def test_others_are_what_they_were(model):
    assert (family(model) is None) == isinstance(model, QuantileRegressor)


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        ({"width": Continuous(per="feature")}, "width of Robust has no value per feature"),
        ({"alpha": Continuous(-1, 1)}, "Robust.alpha is searched among positive values"),
        ({"beta": ANY}, "Invalid parameter 'beta' for estimator Robust"),
    ],
)
def test_what_cannot_be_tuned(models, numbers, grid, text):
    with pytest.raises(ValueError, match=text):
        search_of(models.Robust(), grid).fit(*numbers)


@pytest.mark.parametrize("values", [ANY, [0.1, 10.0]])
@pytest.mark.parametrize("trained", [False, True])
def test_a_hyperparameter_that_is_read_from_self(models, numbers, classes, values, trained):
    base, data = (models.TwoLayers, classes(3)) if trained else (models.Robust, numbers)
    params = SHORT if trained else {}
    penalty = {"penalty": lambda self, w, h: self.alpha * (flat(w) ** 2).sum()}
    own = type("Own", (base,), penalty)
    with pytest.raises(ValueError, match="depends on h.'alpha'., so its hypergradient would be"):
        search_of(own(**params), {"alpha": values}, cv=2).fit(*data)
    with pytest.raises(ValueError, match="depends on h.'alpha'."):
        check_hypergradient(search_of(own(**params), {"alpha": values}, cv=2), *data, n_points=1)
    # What is not tuned may be read from anywhere.
    other = "learning_rate_init" if trained else "width"
    search = search_of(own(**params), {other: ANY}, cv=2)
    assert check_hypergradient(search, *data, n_points=1).max() < 1e-6


def test_limits_are_kept(models, numbers):
    near = {"alpha": Hyperparameter(limits=(0.09, 0.11)), "width": Hyperparameter()}
    own = type("Own", (models.Robust,), {"hyperparameters": near})
    search = search_of(own(), {"alpha": ANY})
    with pytest.warns(HypergradWarning, match="alpha=0.09"):
        search.fit(*numbers)
    values = np.asarray(search.history_["value"])
    assert ((values >= 0.09) & (values <= 0.11)).all()


def test_a_start_that_is_no_start(models, numbers):
    with pytest.raises(ValueError, match="0.0 is not between 0.0 and inf. Give the estimator"):
        search_of(models.Robust(alpha=0), {"alpha": ANY}).fit(*numbers)


def test_sparse_features(models, numbers):
    X, y = numbers
    with pytest.raises(ValueError, match="Sparse data was passed for X"):
        search_of(models.Robust(), {"alpha": ANY}).fit(csr_matrix(X), y)


@pytest.mark.parametrize("per", ["step", "group"])
def test_shapes_that_are_not_known(models, numbers, per):
    declared = {"alpha": Hyperparameter(per=(per,)), "width": Hyperparameter()}
    own = type("Own", (models.Robust,), {"hyperparameters": declared})
    groups = {"groups": list("aabb")} if per == "group" else {}
    with pytest.raises(ValueError, match="Override hyperparameter_shape"):
        search_of(own(), {"alpha": Continuous(per=per, **groups)}).fit(*numbers)


@pytest.mark.parametrize(
    "scoring", ["r2", pytest.param("neg_mean_squared_error", marks=pytest.mark.thorough)]
)
def test_line_searches_see_no_noise(models, numbers, scoring):
    X, y = numbers
    search = search_of(models.Robust(), {"alpha": ANY, "width": ANY}, scoring=scoring).fit(X, y)
    assert search.stopping_reason_.startswith("converged")
    assert set(search.hyperparameters_["status"]) == {"interior"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"search_cv": "loo"}, "Robust is fitted split by split"),
        ({"guard": True}, "A search for hyperparameters of Robust has no guard"),
        ({"shrinkage": 1.0}, "A search for hyperparameters of Robust does not shrink"),
    ],
)
def test_options_of_linear_models(models, numbers, options, text):
    with pytest.raises(ValueError, match=text):
        search_of(models.Robust(), {"alpha": ANY}, **options).fit(*numbers)


@pytest.mark.parametrize(
    "method",
    [
        Online("identity"),
        pytest.param(Online(gauss_newton=True), marks=pytest.mark.thorough),
        RealTime(),
    ],
)
@pytest.mark.thorough
def test_training_is_tuned_while_it_runs(models, classes, method):
    X, y = classes(3)
    ranges = {"alpha": ANY} if isinstance(method, Online) else {"learning_rate_init": ANY}
    model = models.TwoLayers(alpha=0.3, learning_rate_init=0.02, n_steps=60)
    options = {"hypergradient": method, "scoring": "neg_log_loss", "max_iter": 5}
    search = search_of(model, ranges, cv=2, **options).fit(X, y)
    assert search.best_score_ > cross_val_score(model, X, y, cv=2, scoring="neg_log_loss").mean()


def test_inside_of_a_wrapper(models, numbers):
    X, y = numbers
    inside = models.Robust(alpha=np.array([0.1, 0.2, 0.3, 0.4]))
    model = TransformedTargetRegressor(inside, func=np.sinh, inverse_func=np.arcsinh)
    search = search_of(model, {"regressor__alpha": ANY}, max_iter=2)
    with pytest.warns(HypergradWarning, match="not converged"):
        search.fit(X, y)
    assert len(set(search.best_params_["regressor__alpha"])) == 4
    assert check_hypergradient(search, X, y, n_points=1).max() < 1e-5
