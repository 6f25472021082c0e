"""What fits compute: against scikit-learn, and against a second implementation."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import label_binarize

from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor

KINDS = ("binary", "classes", "multilabel", "squared", "two targets")
OUTPUTS = {"classes": lambda z: softmax(z, axis=1), "binary": expit, "multilabel": expit}
SIZES = (5, 3)
N_LAYERS, N_STEPS, N_COEFS = 3, 7, 4 * 5 + 5 * 3 + 3 * 3


def weights_of(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same(one, other):
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        assert_array_equal(a, b)


def assert_predictions(found, expected):
    """Numbers up to their last digits, all others exactly."""
    if found.dtype.kind == "f":
        assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    else:
        assert_array_equal(found, expected)


def start_of(model, X, y):
    """Weights that scikit-learn starts from."""
    cls = getattr(neural_network, type(model).__name__)
    params = {name: getattr(model, name) for name in ("hidden_layer_sizes", "activation")}
    plain = cls(**params, solver="sgd", learning_rate_init=1e-300, max_iter=1, random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return plain.fit(X, y)


def coded(kind, y):
    """Targets in columns."""
    classes = {"binary": ["a", "b"], "classes": ["a", "b", "c"]}
    y = label_binarize(y, classes=classes[kind]) if kind in classes else y
    return y.reshape(len(y), -1)


def gradients(Ws, bs, X, dz_of):
    """Derivatives of the mean loss in the W and b of every layer of a network of tanh."""
    inputs = [X]
    for W, b in zip(Ws[:-1], bs[:-1], strict=True):
        inputs.append(np.tanh(inputs[-1] @ W + b))
    d = dz_of(inputs[-1] @ Ws[-1] + bs[-1])
    of_Ws, of_bs = [], []
    for W, a in zip(Ws[::-1], inputs[::-1], strict=True):
        of_Ws.insert(0, a.T @ d)
        of_bs.insert(0, d.sum(axis=0))
        d = d @ W.T * (1 - a**2)
    return of_Ws, of_bs


def train_by_hand(kind, X, y, s, start, params, n_steps=5, batch_size=16):
    """The specification, written down again."""
    Ws, bs = [W.copy() for W in start.coefs_], [b.copy() for b in start.intercepts_]
    for k, factor in enumerate(params["init_scale"]):
        Ws[k] *= factor
        bs[k] *= factor
    velocities = [[0.0, 0.0] for _ in Ws]
    orders = [np.random.default_rng((3, epoch)).permutation(len(X)) for epoch in range(5)]
    stream = np.concatenate(orders)
    scale = 1 / y.shape[1] if kind == "two targets" else 1.0
    for t in range(n_steps):
        rows = stream[t * batch_size : (t + 1) * batch_size]

        def slope(z, rows=rows):
            residual = OUTPUTS.get(kind, np.copy)(z) - y[rows]
            return scale * s[rows, None] * residual / s[rows].sum()

        of_Ws, of_bs = gradients(Ws, bs, X[rows], slope)
        for k, v in enumerate(velocities):
            decay = params["alpha"][t, k] * Ws[k]
            for i, g in enumerate((of_Ws[k] + decay, of_bs[k])):
                v[i] = params["momentum"][t, k] * v[i] - params["learning_rate_init"][t, k] * g
            Ws[k], bs[k] = Ws[k] + v[0], bs[k] + v[1]
    return [*Ws, *bs]


@pytest.mark.parametrize("kind", KINDS)
def test_five_steps_by_hand(features, targets, model_of, kind):
    X, y, rng = features(), targets(kind), np.random.default_rng(0)
    s = rng.uniform(0.5, 2, len(X))
    names = "alpha", "learning_rate_init", "momentum"
    params = {name: rng.uniform(0.1, 0.9, (5, N_LAYERS)) for name in names}
    params["init_scale"] = rng.uniform(0.5, 1.5, N_LAYERS)
    model = model_of(kind, hidden_layer_sizes=SIZES, activation="tanh", n_steps=5, **params)
    model.fit(X, y, sample_weight=s)
    expected = train_by_hand(kind, X, coded(kind, y), s, start_of(model, X, y), params)
    for found, weights in zip(weights_of(model), expected, strict=True):
        assert_allclose(found, weights, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
@pytest.mark.parametrize("kind", ["binary", "classes", "multilabel", "squared"])
def test_full_batches_agree_with_scikit_learn(features, targets, model_of, kind, activation):
    """Whose alpha is divided by the number of samples."""
    X, y = features(), targets(kind)
    params = {"hidden_layer_sizes": SIZES, "activation": activation, "random_state": 3}
    model = model_of(kind, **params, alpha=0.5, learning_rate_init=0.1, batch_size=100).fit(X, y)
    plain = getattr(neural_network, type(model).__name__)(
        **params,
        alpha=0.5 * len(X),
        learning_rate_init=0.1,
        solver="sgd",
        nesterovs_momentum=False,
        max_iter=7,
    ).fit(X, y)
    for found, expected in zip(weights_of(model), weights_of(plain), strict=True):
        assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert_allclose(model.loss_curve_, plain.loss_curve_, rtol=1e-12)
    assert_allclose(model.loss_, plain.loss_)
    assert_predictions(model.predict(X), plain.predict(X))
    for name in {"predict_proba", "predict_log_proba"} & set(dir(plain)):
        assert_allclose(getattr(model, name)(X), getattr(plain, name)(X), rtol=1e-9)
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_iter_", "n_features_in_"):
        assert getattr(model, name) == getattr(plain, name)
    if hasattr(plain, "classes_"):
        assert_array_equal(model.classes_, plain.classes_)


SCHEDULES = [(N_LAYERS,), (N_STEPS,), (N_STEPS, N_LAYERS), (1, N_LAYERS), (N_STEPS, 1)]
CONSTANTS = {"learning_rate_init": 0.1, "momentum": 0.8, "alpha": 0.3, "init_scale": 1.2}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *(
            (name, shape)
            for name in ("alpha", "learning_rate_init", "momentum")
            for shape in SCHEDULES
        ),
        ("alpha", (N_COEFS,)),
        ("alpha", (N_STEPS, N_COEFS)),
        ("init_scale", (N_LAYERS,)),
    ],
)
def test_constant_schedules_are_constants(features, targets, model_of, name, shape, dtype):
    X, y = features().astype(dtype), targets("classes")
    plain = model_of("classes", hidden_layer_sizes=SIZES, **CONSTANTS).fit(X, y)
    params = {**CONSTANTS, name: np.full(shape, CONSTANTS[name])}
    model = model_of("classes", hidden_layer_sizes=SIZES, **params).fit(X, y)
    # Penalties per coefficient are not added by the same routine.
    if shape[-1] != N_COEFS:
        assert_same(model, plain)
    for found, expected in zip(weights_of(model), weights_of(plain), strict=True):
        assert_allclose(found, expected, atol=100 * np.finfo(dtype).eps)
    of_list = clone(model).set_params(**{name: params[name].tolist()}).fit(X, y)
    assert_same(of_list, model)


def test_alpha_shaped_like_the_coefs(features, targets, model_of):
    X, y, rng = features(), targets("classes"), np.random.default_rng(0)
    alpha = [rng.uniform(0, 1, shape) for shape in ((4, 5), (5, 3), (3, 3))]
    flat = np.concatenate([part.ravel() for part in alpha])
    model = model_of("classes", hidden_layer_sizes=SIZES, alpha=alpha).fit(X, y)
    assert_same(model, model_of("classes", hidden_layer_sizes=SIZES, alpha=flat).fit(X, y))
    swapped = model_of("classes", hidden_layer_sizes=SIZES, alpha=flat[::-1]).fit(X, y)
    assert np.any(swapped.coefs_[0] != model.coefs_[0])


@pytest.mark.parametrize("layer", range(N_LAYERS))
def test_a_layer_without_a_rate_stays_where_it_was(features, targets, model_of, layer):
    X, y = features(), targets("classes")
    rate = np.where(np.arange(N_LAYERS) == layer, 0, 0.1)
    model = model_of("classes", hidden_layer_sizes=SIZES, learning_rate_init=rate).fit(X, y)
    start = start_of(model, X, y)
    for k in range(N_LAYERS):
        assert np.all(model.coefs_[k] == start.coefs_[k]) == (k == layer)
        assert np.all(model.intercepts_[k] == start.intercepts_[k]) == (k == layer)


def test_steps_without_a_rate_are_as_if_they_were_not(features, targets, model_of):
    X, y = features(), targets("squared")
    rate = np.where(np.arange(N_STEPS) < 4, 0.1, 0)
    model = model_of("squared", learning_rate_init=rate, momentum=0).fit(X, y)
    assert_same(model, model_of("squared", learning_rate_init=0.1, momentum=0, n_steps=4).fit(X, y))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_repetitions(features, targets, model_of, kind):
    X, y = features(), targets(kind)
    s = np.arange(len(X)) % 3
    weighted = model_of(kind, batch_size=100).fit(X, y, sample_weight=s)
    repeated = model_of(kind, batch_size=100).fit(np.repeat(X, s, axis=0), np.repeat(y, s, axis=0))
    for found, expected in zip(weights_of(weighted), weights_of(repeated), strict=True):
        assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_samples_of_weight_zero_are_left_out_of_small_batches(features, targets, model_of):
    X, y = features(), targets("classes")
    s = np.where(np.arange(len(X)) % 4 == 0, 2.0, 0.0)
    model = model_of("classes", batch_size=1).fit(X, y, sample_weight=s)
    assert_same(model, model_of("classes", batch_size=1).fit(X[::4], y[::4]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
def test_sparse_is_dense(features, targets, model_of, kind, container):
    X, y = features() * (features() > 0), targets(kind)
    model, dense = model_of(kind).fit(container(X), y), model_of(kind).fit(X, y)
    for found, expected in zip(weights_of(model), weights_of(dense), strict=True):
        assert_allclose(found, expected, rtol=1e-10, atol=1e-13)
    assert_predictions(dense.predict(container(X)), dense.predict(X))


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision(features, targets, model_of, kind):
    X, y = features(), targets(kind)
    single = model_of(kind).fit(X.astype(np.float32), y)
    double = model_of(kind).fit(X, y)
    assert {W.dtype for W in weights_of(single)} == {np.dtype(np.float32)}
    assert {W.dtype for W in weights_of(double)} == {np.dtype(np.float64)}
    for found, expected in zip(weights_of(single), weights_of(double), strict=True):
        assert_allclose(found, expected, atol=1e-5)
    assert np.any(single.coefs_[0] != double.coefs_[0])


@pytest.mark.parametrize("kind", ["classes", "squared"])
@pytest.mark.parametrize("seed", [np.int64(3), np.random.RandomState(3), None])
def test_random_state(features, targets, model_of, kind, seed):
    X, y = features(), targets(kind)
    one, other = (model_of(kind, random_state=seed).fit(X, y) for _ in range(2))
    same = [np.all(a == b) for a, b in zip(weights_of(one), weights_of(other), strict=True)]
    assert all(same) if isinstance(seed, np.integer) else not any(same)
    if isinstance(seed, np.integer):
        assert_same(one, model_of(kind, random_state=3).fit(X, y))


def test_random_states_start_alike(features, targets, model_of):
    X, y = features(), targets("classes")
    states = (np.random.RandomState(3) for _ in range(2))
    one, other = (model_of("classes", random_state=state).fit(X, y) for state in states)
    assert_same(one, other)


@pytest.mark.parametrize("params", [{"learning_rate_init": 1e3}, {"init_scale": 1e200}])
@pytest.mark.parametrize("kind", ["squared", "two targets"])
def test_divergence(features, targets, model_of, kind, params):
    model = model_of(kind, n_steps=300, **params)
    message = r"The training loss is (inf|nan) at step \d+ of 300. Use a smaller learning rate"
    with pytest.raises(ValueError, match=message) as caught:
        model.fit(features(), targets(kind))
    assert "Standardised" in str(caught.value)
    assert not hasattr(model, "coefs_")


def test_divergence_in_the_last_step(features, targets, model_of):
    model = model_of("squared", n_steps=2, learning_rate_init=[[0.1], [1e308]], init_scale=10)
    with pytest.raises(ValueError, match="weights are not finite after step 1 of 2"):
        model.fit(features(), targets("squared") * 1e3)


def test_log_probabilities_do_not_underflow(features, model_of):
    X = features()
    for kind, y in (("binary", X[:, 0] > 0), ("classes", (X[:, 0] > 0) + 1 * (X[:, 0] > 1))):
        model = model_of(kind, n_steps=50).fit(X, y)
        logs = model.predict_log_proba(1e4 * X)
        assert np.isfinite(logs).all()
        assert logs.min() < -1000
        assert_allclose(np.exp(logs), model.predict_proba(1e4 * X), atol=1e-12)


def test_digits():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    model = MLPClassifier(learning_rate_init=np.linspace(0.4, 0, 500), random_state=0).fit(X, y)
    assert model.score(X_test, y_test) > 0.95
    assert len(model.loss_curve_) == model.n_iter_ == 500
    assert model.loss_curve_[-1] < 0.1 * model.loss_curve_[0]


def test_regression_of_digits():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, (y - 4.5) / 3, random_state=0)
    model = MLPRegressor(learning_rate_init=0.05, random_state=0).fit(X, y)
    assert model.score(X_test, y_test) > 0.8
