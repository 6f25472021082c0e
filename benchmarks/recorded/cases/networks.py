"""Training runs: networks of this package, and scikit-learn's replayed."""

from sklearn import neural_network as plain
from sklearn.model_selection import GroupKFold, ShuffleSplit

from benchmarks.recorded import data
from benchmarks.recorded.case import search
from benchmarks.recorded.models import scaled
from sklearn_hypergrad import Continuous
from sklearn_hypergrad.hypergradients import Online, RealTime, Reverse, Truncated
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor
from sklearn_hypergrad.optimizers import LBFGS, Adam

LOG_LOSS = "neg_log_loss"
RATE, MOMENTUM = {"learning_rate_init": Continuous()}, {"momentum": Continuous()}
SCALARS = RATE | MOMENTUM | {"alpha": Continuous()}
SCHEDULE = {
    "learning_rate_init": Continuous(per=("step", "layer")),
    "alpha": Continuous(per="layer"),
    "momentum": [0.5, 0.95],
}
SMALL = {"hidden_layer_sizes": 5, "activation": "tanh", "n_steps": 25, "random_state": 0}
BRIEF = {"hidden_layer_sizes": 5, "max_iter": 6, "batch_size": 20, "random_state": 0}


def network(name, grid=SCALARS, points=data.wine, model=None, **options):
    """A search over a small classifier of this package."""
    options = {"scoring": LOG_LOSS, "cv": 3, "max_iter": 8, **options}
    estimator = MLPClassifier(**SMALL | (model or {}))
    return search(f"network: {name}", points, estimator, grid, **options)


def regressor(name, grid=SCALARS, points=data.scaled_regression, model=None, **options):
    """A search over a small regressor of this package."""
    options = {"cv": 3, "max_iter": 8, **options}
    estimator = MLPRegressor(**SMALL | (model or {}))
    return search(f"network, regression: {name}", points, estimator, grid, **options)


def replayed(name, grid, points=data.wine, cls=plain.MLPClassifier, model=None, **options):
    """A search over a network of scikit-learn."""
    options = {"cv": 3, "max_iter": 6, **options}
    return search(f"replayed: {name}", points, cls(**BRIEF | (model or {})), grid, **options)


ONLINE = {"alpha": Continuous(1e-4, 10.0, per="layer")}
RATES = {"learning_rate_init": Continuous(1e-3, 10.0), "momentum": Continuous(0.01, 0.99)}

OWN = [
    network("three numbers"),
    network("accuracy", RATE, scoring="accuracy"),
    network("brier score", RATE, scoring="neg_brier_score"),
    network("balanced accuracy", RATE, data.overlapping, scoring="balanced_accuracy"),
    network("two classes", points=data.two_classes, scoring="f1"),
    network("several labels", RATE, data.labels, scoring="accuracy"),
    network("ten classes, two layers", RATE, data.digits, {"hidden_layer_sizes": (8, 6)}),
    network("lists", {"learning_rate_init": [1e-2, 1.0], "alpha": [1e-5, 1e-1]}),
    network("a schedule", SCHEDULE),
    network("rates per step", {"learning_rate_init": Continuous(per="step")}),
    network("momenta per layer", {"momentum": Continuous(per="layer")}),
    network("penalties per coefficient", {"alpha": Continuous(per="coefficient")}),
    network("initial scales", {"init_scale": Continuous(per="layer")} | RATE),
    network("enumerated beside", RATE | {"hidden_layer_sizes": [(3,), (4, 3)]}, max_iter=5),
    network("groups", RATE, cv=GroupKFold(3), fit=data.rows_in_groups),
    network("one split", RATE, cv=ShuffleSplit(1, random_state=0)),
    network("other folds", RATE, search_cv=2),
    network("one standard error", {"alpha": Continuous()}, selection="one_se"),
    network("L-BFGS", RATE | {"alpha": Continuous()}, optimizer=LBFGS()),
    network("Adam with long steps", optimizer=Adam(0.3)),
    network("reverse", hypergradient="reverse"),
    network("checkpoints", hypergradient=Reverse(n_checkpoints=5)),
    network("single precision", hypergradient=Reverse(dtype="float32")),
    network("reversible", hypergradient="reversible"),
    network("forward", RATE, hypergradient="forward"),
    network("truncated", RATE, hypergradient=Truncated(5)),
    network("fresh draws", RATE, resample="fresh", random_state=1),
    network(
        "online",
        ONLINE,
        hypergradient=Online(gauss_newton=True),
        max_iter=12,
        model={"n_steps": 60},
    ),
    network("online, by name", ONLINE, hypergradient="online", max_iter=10, model={"n_steps": 60}),
    network("real time", RATES, hypergradient="real_time", max_iter=12, model={"n_steps": 60}),
    network(
        "real time, steps", RATES, hypergradient=RealTime(4), max_iter=15, model={"n_steps": 60}
    ),
    regressor("three numbers"),
    regressor("absolute error", RATE, scoring="neg_mean_absolute_error"),
    regressor("two targets", RATE | MOMENTUM, data.scaled_targets),
    regressor("weighted", RATE, fit=data.weighted, scoring="neg_mean_squared_error"),
    search(
        "network: behind a scaler",
        data.cancer,
        scaled(MLPClassifier(**SMALL)),
        {"model__learning_rate_init": Continuous(), "model__alpha": [1e-5, 1e-1]},
        cv=3,
        max_iter=6,
    ),
]

REPLAYED = [
    replayed("sgd", SCALARS, model={"solver": "sgd"}, scoring=LOG_LOSS),
    replayed("adam", RATE | {"alpha": [1e-4, 1.0]}, scoring=LOG_LOSS),
    replayed(
        "stalling", RATE, model={"solver": "sgd", "max_iter": 60, "tol": 0.1, "n_iter_no_change": 2}
    ),
    replayed(
        "solvers are enumerated",
        {"momentum": [0.5, 0.9], "alpha": [1e-4, 1.0], "solver": ["adam", "sgd"]},
        max_iter=3,
    ),
    replayed("early stopping", {"alpha": [1e-4, 1.0]}, model={"early_stopping": True}),
    replayed(
        "regression, sgd",
        RATE | MOMENTUM,
        data.scaled_regression,
        plain.MLPRegressor,
        {"solver": "sgd"},
    ),
    replayed(
        "regression, adam, two targets",
        RATE,
        data.scaled_targets,
        plain.MLPRegressor,
        scoring="neg_root_mean_squared_error",
    ),
    replayed(
        "reverse, two classes",
        RATE,
        data.two_classes,
        model={"solver": "sgd"},
        hypergradient="reverse",
    ),
]

CASES = OWN + REPLAYED
