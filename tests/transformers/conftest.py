"""The table of transformers: one row each, and every row has to pass the same tests."""

import dataclasses
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import KernelPCA
from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from sklearn_hypergrad import kernel_approximation
from sklearn_hypergrad.differentiable import DifferentiableTransformer, Hyperparameter
from sklearn_hypergrad.transformers import Rows, transformer

N_TRAIN, N_TEST, N_FEATURES = 17, 6, 4


@dataclasses.dataclass
class Row:
    """A transformer, its data, and hyperparameters to differentiate at.

    Attributes
    ----------
    name : str
    estimator : estimator
        With seeds, where it draws.
    h : dict of str -> float or ndarray
        Empty for a transformer without hyperparameters, which passes derivatives on.
    kind : {"numbers", "positive", "codes", "counts"}
        The kind of its rows; codes of categories may be missing, counts are sparse and many of
        them are zero.
    classes : int
        Number of classes of the targets; 0 for numbers.
    named : bool
        Whether the estimator's own values are words that no number stands for.
    rtol : float
        Accuracy of derivatives.
    entries : dict of str -> ndarray
        For a vector, which entry belongs to which feature.
    expanded : dict of str -> ndarray
        The values of ``h`` as the estimator takes them, if not the same.
    through : bool
        Whether all of its parts have derivatives in their rows.
    """

    name: str
    estimator: Any
    h: dict
    _: dataclasses.KW_ONLY
    kind: str = "numbers"
    classes: int = 0
    named: bool = False
    rtol: float = 1e-8
    entries: dict = dataclasses.field(default_factory=dict)
    expanded: dict = dataclasses.field(default_factory=dict)
    through: bool = True

    @property
    def family(self):
        return transformer(self.estimator)

    @property
    def scanned(self):
        """Names of what has levels; transformers of one's own have none."""
        return {name for name in self.h if name.rpartition("__")[2] not in Bent.hyperparameters}

    def X(self):
        """Rows of the training part, then those of the held-out part."""
        rng, shape = np.random.default_rng(0), (N_TRAIN + N_TEST, N_FEATURES)
        if self.kind == "codes":
            return rng.choice([0.0, 1.0, 2.0, np.nan], size=shape)
        X = rng.normal(size=shape) + 1.0
        if self.kind == "counts":
            return csr_matrix(np.maximum(X, 0))
        return np.abs(X) + 0.1 if self.kind == "positive" else X

    def moved(self, direction):
        """Its rows with something added to entries that are not zero."""
        X = self.X()
        return X + (X != 0).multiply(direction) if issparse(X) else X + direction

    def y(self):
        """Targets of the training part."""
        y = np.random.default_rng(1).normal(size=N_TRAIN)
        return np.argsort(y) % self.classes if self.classes else y

    def features(self, X=None, *, moving=None):
        """The Features of these rows; they move unless something is tuned."""
        moving = not self.h if moving is None else moving
        rows = Rows(self.X() if X is None else X, N_TRAIN, self.y(), moving)
        entries = {name: self.entries.get(name) for name in self.h}
        return self.family.features(clone(self.estimator), rows, entries, 0)


class Bent(DifferentiableTransformer):
    """Deviations from the mean, bent by a width of each feature or of all, and a power."""

    hyperparameters = {
        "width": Hyperparameter(per=("feature",)),
        "power": Hyperparameter(scale="linear", limits=(0.2, 5)),
    }

    def __init__(self, width=1.0, power=1.0):
        self.width = width
        self.power = power

    def learn(self, X, y, rng):
        return {"mean": anp.mean(X, axis=0), "spread": [anp.std(X, axis=0)]}

    def forward(self, state, X, h):
        Z = anp.tanh((X - state["mean"]) / (h["width"] * state["spread"][0]))
        return anp.concatenate([Z, (1 + Z**2) ** h["power"]], axis=1)


NYSTROEM = {"n_components": 6, "random_state": 0}
ROWS = [
    Row("nystroem", Nystroem(**NYSTROEM), {"gamma": 0.2}),
    Row(
        "nystroem, polynomial",
        Nystroem("poly", degree=2, **NYSTROEM),
        {"gamma": 0.2, "coef0": 0.7},
    ),
    Row("nystroem, sigmoid", Nystroem("sigmoid", **NYSTROEM), {"gamma": 0.1, "coef0": 0.3}),
    Row("nystroem, chi2", Nystroem("chi2", **NYSTROEM), {"gamma": 0.4}, kind="positive"),
    Row("nystroem that follows", Nystroem("laplacian", **NYSTROEM), {}),
    Row("fourier features", RBFSampler(n_components=9, random_state=0), {"gamma": 0.2}),
    Row("categories", TargetEncoder(cv=KFold(3)), {"smooth": 2.0}, kind="codes", named=True),
    Row(
        "categories, some unknown",
        TargetEncoder(categories=[[0.0, 1.0]] * N_FEATURES, cv=KFold(3)),
        {"smooth": 2.0},
        kind="codes",
        named=True,
    ),
    Row(
        "categories of two classes",
        TargetEncoder(cv=StratifiedKFold(3)),
        {"smooth": 2.0},
        kind="codes",
        classes=2,
        named=True,
    ),
    Row(
        "categories of three classes",
        TargetEncoder(cv=StratifiedKFold(3, shuffle=True, random_state=0)),
        {"smooth": 0.3},
        kind="codes",
        classes=3,
        named=True,
    ),
    Row(
        "nystroem per feature",
        kernel_approximation.Nystroem(**NYSTROEM),
        {"gamma": np.array([0.1, 0.3, 0.0, 0.2])},
        entries={"gamma": np.arange(N_FEATURES)[:, None]},
    ),
    Row(
        "fourier features per group",
        kernel_approximation.RBFSampler(n_components=9, random_state=0),
        {"gamma": np.array([0.1, 0.3])},
        entries={"gamma": np.array([0, 1, 1, 0])[:, None]},
        expanded={"gamma": np.array([0.1, 0.3, 0.3, 0.1])},
    ),
    Row("own", Bent(power=2.0), {"width": 0.7, "power": 1.5}),
    Row("own per feature", Bent(), {"width": np.array([0.7, 0.5, 1.2, 0.9])}),
    Row("own that follows", Bent(0.8, 1.3), {}),
    Row(
        "own behind a step",
        make_pipeline(RBFSampler(n_components=5, random_state=1), Bent()),
        {"rbfsampler__gamma": 0.3, "bent__power": 1.5},
    ),
    Row(
        "own beside a step",
        ColumnTransformer(
            [("own", Bent(), [0, 2]), ("fourier", RBFSampler(n_components=5, random_state=1), [1])]
        ),
        {"own__width": 0.7, "fourier__gamma": 0.3},
    ),
    Row(
        "sketch",
        PolynomialCountSketch(n_components=9, degree=3, random_state=0),
        {"gamma": 0.2, "coef0": 0.7},
    ),
    Row(
        "sketch without a constant",
        PolynomialCountSketch(n_components=8, random_state=0),
        {"gamma": 0.2},
        kind="counts",
    ),
    Row("skewed", SkewedChi2Sampler(n_components=9, random_state=0), {"skewedness": 2.5}),
    Row("additive", AdditiveChi2Sampler(), {"sample_interval": 0.6}, kind="positive"),
    Row(
        "additive, one",
        AdditiveChi2Sampler(sample_steps=1),
        {"sample_interval": 0.6},
        kind="counts",
    ),
    Row(
        "additive, many",
        AdditiveChi2Sampler(sample_steps=4, sample_interval=1.0),
        {"sample_interval": 0.3},
        kind="counts",
    ),
    Row("components", KernelPCA(3, kernel="rbf"), {"gamma": 0.1}),
    Row(
        "components, polynomial",
        KernelPCA(4, kernel="poly", degree=2),
        {"gamma": 0.2, "coef0": 0.7},
    ),
    Row("components, sigmoid", KernelPCA(2, kernel="sigmoid"), {"gamma": 0.1, "coef0": 0.3}),
    Row("components that follow", KernelPCA(3), {}),
    Row("components, all", KernelPCA(kernel="rbf"), {"gamma": 2.0}, rtol=1e-7),
    Row("components, more than there are", KernelPCA(9, kernel="cosine"), {}),
    Row("scaler", StandardScaler(), {}),
    Row("scaler without means", StandardScaler(with_mean=False), {}),
    Row("scaler without deviations", StandardScaler(with_std=False), {}),
    Row("scaler to a range", MinMaxScaler((-1, 3)), {}),
    Row("scaler to a range, cut off", MinMaxScaler(clip=True), {}),
    Row("scaler by the largest", MaxAbsScaler(), {}),
    Row("scaler by the largest, cut off", MaxAbsScaler(clip=True), {}),
    Row("scaler by quantiles", RobustScaler(unit_variance=True), {}),
    Row("scaler by medians", RobustScaler(with_scaling=False), {}),
    Row(
        "scaler by other quantiles", RobustScaler(with_centering=False, quantile_range=(10, 80)), {}
    ),
    Row("unit rows", Normalizer(), {}),
    Row("unit rows, l1", Normalizer("l1"), {}),
    Row("unit rows, max", Normalizer("max"), {}),
    Row("products", PolynomialFeatures(3), {}),
    Row(
        "products of different ones",
        PolynomialFeatures((2, 3), interaction_only=True, include_bias=False),
        {},
    ),
    Row(
        "several steps",
        make_pipeline(
            StandardScaler(),
            Nystroem(**NYSTROEM),
            "passthrough",
            StandardScaler(),
            RBFSampler(n_components=5, random_state=1),
        ),
        {"nystroem__gamma": 0.2, "rbfsampler__gamma": 0.3},
    ),
    Row(
        "columns, some of which enter several parts",
        ColumnTransformer(
            [
                ("map", make_pipeline(StandardScaler(), Nystroem(**NYSTROEM)), [2, 0]),
                ("none", "drop", slice(1, 2)),
                ("fourier", RBFSampler(n_components=5, random_state=1), [0, 0, 1]),
                ("empty", StandardScaler(), []),
                ("scaled", StandardScaler(), np.array([False, True, True, False])),
            ],
            remainder="passthrough",
            transformer_weights={"map": 0.5, "scaled": 3.0, "remainder": 2.0},
        ),
        {"map__nystroem__gamma": 0.2, "fourier__gamma": 0.3},
    ),
    Row(
        "columns beside a sparse part",
        ColumnTransformer(
            [("codes", KBinsDiscretizer(6), [0, 1]), ("kept", "passthrough", [3])],
            remainder=Nystroem(n_components=2, random_state=0),
            sparse_threshold=0.9,
        ),
        {"remainder__gamma": 0.4},
        through=False,
    ),
    Row(
        "union",
        FeatureUnion(
            [
                ("map", Nystroem(**NYSTROEM)),
                ("own", "passthrough"),
                ("none", "drop"),
                ("fourier", RBFSampler(n_components=5, random_state=1)),
            ],
            transformer_weights={"fourier": 0.5},
        ),
        {"map__gamma": 0.2, "fourier__gamma": 0.3},
    ),
    Row(
        "columns before another step",
        make_pipeline(
            ColumnTransformer(
                [("kept", "passthrough", [3]), ("map", Nystroem(**NYSTROEM), [0, 1])]
            ),
            StandardScaler(),
        ),
        {"columntransformer__map__gamma": 0.2},
        through=False,
    ),
    Row(
        "columns with weights",
        ColumnTransformer(
            [
                ("map", Nystroem(**NYSTROEM), [2, 0]),
                ("none", StandardScaler(), []),
                ("scaled", StandardScaler(), [0, 1]),
            ],
            remainder="passthrough",
        ),
        {"map__gamma": 0.2, "transformer_weights": np.array([0.5, 1.0, 2.0, 3.0])},
        entries={"transformer_weights": np.arange(4)},
        expanded={
            "transformer_weights": {"map": 0.5, "none": 1.0, "scaled": 2.0, "remainder": 3.0}
        },
    ),
    Row(
        "union with one weight for all",
        FeatureUnion([("codes", KBinsDiscretizer(3)), ("scaled", StandardScaler())]),
        {"transformer_weights": 0.5},
        expanded={"transformer_weights": {"codes": 0.5, "scaled": 0.5}},
        through=False,
    ),
    Row("columns that follow", ColumnTransformer([("scaled", StandardScaler(), [1, 2])]), {}),
]


@pytest.fixture(params=ROWS, ids=lambda row: row.name)
def row(request):
    """Each row."""
    return request.param


@pytest.fixture(scope="session")
def rows():
    """All rows."""
    return ROWS
